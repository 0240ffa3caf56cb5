"""Correct asyncio building blocks: change streams, pipelines, cancelable sleeps, graceful shutdown."""

from asyncpatterns.pipelines import connect
from asyncpatterns.stop import Stop

__all__ = [
    "Stop",
    "connect",
]
