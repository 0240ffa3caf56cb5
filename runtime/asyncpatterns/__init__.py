"""Correct asyncio building blocks: change streams, pipelines, cancelable sleeps, graceful shutdown."""

from asyncpatterns.composition import connect
from asyncpatterns.pipelines import Pipeline, pipeline
from asyncpatterns.queues import QueueShutDown, SizedQueue
from asyncpatterns.redis import Change, RedisChangeStream
from asyncpatterns.service import run, shutdown_signals
from asyncpatterns.stop import Stop
from asyncpatterns.streams import ChangeStream, Lagged, OnLag, StreamClosed, StreamFailed, Subscription
from asyncpatterns.tasks import TaskPool
from asyncpatterns.turns import checkpoint, cooperative
from asyncpatterns.values import Value

__all__ = [
    "Change",
    "ChangeStream",
    "Lagged",
    "OnLag",
    "Pipeline",
    "QueueShutDown",
    "RedisChangeStream",
    "SizedQueue",
    "Stop",
    "StreamClosed",
    "StreamFailed",
    "Subscription",
    "TaskPool",
    "Value",
    "checkpoint",
    "connect",
    "cooperative",
    "pipeline",
    "run",
    "shutdown_signals",
]
