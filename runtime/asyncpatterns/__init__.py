"""Correct asyncio building blocks: change streams, pipelines, cancelable sleeps, graceful shutdown."""

from asyncpatterns.composition import connect
from asyncpatterns.redis import Change, RedisChangeStream
from asyncpatterns.service import run, shutdown_signals
from asyncpatterns.stop import Stop
from asyncpatterns.streams import ChangeStream, Lagged, OnLag, StreamClosed, StreamFailed, Subscription

__all__ = [
    "Change",
    "ChangeStream",
    "Lagged",
    "OnLag",
    "RedisChangeStream",
    "Stop",
    "StreamClosed",
    "StreamFailed",
    "Subscription",
    "connect",
    "run",
    "shutdown_signals",
]
