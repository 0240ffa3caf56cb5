"""One publisher and many subscribers: our stream, queues, and the libraries that do the same.

Each contender is opened for a number of subscribers and gives what the drivers `burst` and `lockstep` need. They
publish the same items, check that every subscriber got all of them in order, and return the seconds of processor time
from the first item published to the last one received. Subscribing is not timed.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from time import process_time
from typing import Any, NamedTuple

from asyncpatterns import ChangeStream

# As many items are buffered for a subscriber everywhere: what a ChangeStream does unless told otherwise.
BUFFER = 1024
# What is published last where a library has no end of a stream that comes after what is buffered.
END = None


class Fanout(NamedTuple):
    """A contender with its subscribers, none of whom has begun to iterate."""

    publish: Callable[[int | None], Any]
    """Publishes an item; gives an awaitable if `awaited`."""
    awaited: bool
    close: Callable[[], Any]
    """Ends the stream once everything is delivered; gives an awaitable if `awaited`."""
    receivers: Sequence[Any]
    consume: Callable[[Any, list[int]], Coroutine[Any, Any, None]]
    """Puts what a receiver gets into a list, up to the end."""


Open = Callable[[int], AbstractAsyncContextManager[Fanout]]


async def from_iterator(items: AsyncIterator[int], got: list[int]) -> None:
    """Consume with `async for`."""
    async for item in items:
        got.append(item)


async def from_queue(queue: asyncio.Queue[int | None], got: list[int]) -> None:
    """Consume as one does from a queue, which has no end of its own before Python 3.13."""
    while (item := await queue.get()) is not END:
        got.append(item)


@asynccontextmanager
async def ours(subscribers: int, buffer: int = BUFFER) -> AsyncIterator[Fanout]:
    """ChangeStream, with publish_nowait."""
    stream = ChangeStream[int | None](buffer=buffer)
    receivers = [stream.subscribe() for _ in range(subscribers)]
    yield Fanout(stream.publish_nowait, False, stream.close, receivers, from_iterator)


@asynccontextmanager
async def ours_awaited(subscribers: int) -> AsyncIterator[Fanout]:
    """ChangeStream, with publish."""
    stream = ChangeStream[int | None](buffer=BUFFER)
    receivers = [stream.subscribe() for _ in range(subscribers)]

    async def close() -> None:
        stream.close()

    yield Fanout(stream.publish, True, close, receivers, from_iterator)


@asynccontextmanager
async def queues(subscribers: int, buffer: int = BUFFER) -> AsyncIterator[Fanout]:
    """An asyncio.Queue for each subscriber, and a loop over them."""
    receivers: list[asyncio.Queue[int | None]] = [asyncio.Queue(buffer + 1) for _ in range(subscribers)]

    def publish(item: int | None) -> None:
        for queue in receivers:
            queue.put_nowait(item)

    yield Fanout(publish, False, lambda: publish(END), receivers, from_queue)


@asynccontextmanager
async def anyio_nowait(subscribers: int) -> AsyncIterator[Fanout]:
    """An anyio memory stream for each subscriber, filled with send_nowait."""
    async with _anyio_streams(subscribers) as (senders, receivers):

        def publish(item: int | None) -> None:
            for sender in senders:
                sender.send_nowait(item)

        def close() -> None:
            for sender in senders:
                sender.close()

        yield Fanout(publish, False, close, receivers, from_iterator)


@asynccontextmanager
async def anyio_awaited(subscribers: int) -> AsyncIterator[Fanout]:
    """An anyio memory stream for each subscriber, filled with send."""
    async with _anyio_streams(subscribers) as (senders, receivers):

        async def publish(item: int | None) -> None:
            for sender in senders:
                await sender.send(item)

        async def close() -> None:
            for sender in senders:
                sender.close()

        yield Fanout(publish, True, close, receivers, from_iterator)


@asynccontextmanager
async def _anyio_streams(count: int) -> AsyncIterator[tuple[list[Any], list[Any]]]:
    pairs = [importlib.import_module("anyio").create_memory_object_stream(BUFFER) for _ in range(count)]
    yield [sender for sender, _ in pairs], [receiver for _, receiver in pairs]
    for _, receiver in pairs:
        receiver.close()


@asynccontextmanager
async def aiochan(subscribers: int) -> AsyncIterator[Fanout]:
    """A channel of aiochan with a tap for each subscriber."""
    new_channel = importlib.import_module("aiochan").Chan
    channel, taps = new_channel(BUFFER), [new_channel(BUFFER) for _ in range(subscribers)]
    duplicates = channel.dup()
    for tap in taps:
        duplicates.tap(tap)

    async def close() -> None:
        channel.close()

    yield Fanout(channel.put, True, close, taps, from_iterator)


@asynccontextmanager
async def broadcaster(subscribers: int) -> AsyncIterator[Fanout]:
    """A channel of broadcaster, in memory."""
    broadcast = importlib.import_module("broadcaster").Broadcast("memory://")

    async def consume(subscriber: Any, got: list[int]) -> None:
        async for event in subscriber:
            if event.message is END:
                break
            got.append(event.message)

    async def publish(item: int | None) -> None:
        await broadcast.publish("changes", item)

    async with broadcast, AsyncExitStack() as stack:
        receivers = [await stack.enter_async_context(broadcast.subscribe("changes")) for _ in range(subscribers)]
        yield Fanout(publish, True, lambda: publish(END), receivers, consume)


async def burst(contender: Open, subscribers: int, items: int) -> float:
    """Publish everything at once, as far as the contender lets us; then wait until all is received."""
    async with contender(subscribers) as fanout:
        got: list[list[int]] = [[] for _ in fanout.receivers]
        tasks = await _start(fanout, got)
        begin = process_time()
        if fanout.awaited:
            for item in range(items):
                await fanout.publish(item)
            await fanout.close()
        else:
            for item in range(items):
                fanout.publish(item)
            fanout.close()
        await asyncio.wait(tasks)
        seconds = process_time() - begin
    _check(got, items)
    return seconds


async def lockstep(contender: Open, subscribers: int, items: int) -> float:
    """Publish an item, wait until everyone has received it, publish the next one."""
    async with contender(subscribers) as fanout:
        got: list[list[int]] = [[] for _ in fanout.receivers]
        tasks = await _start(fanout, got)
        begin = process_time()
        for item in range(items):
            published = fanout.publish(item)
            if fanout.awaited:
                await published
            await asyncio.sleep(0)
            while min(map(len, got)) <= item:  # noqa: ASYNC110 - an event's cost would be measured with the rest
                await asyncio.sleep(0)
        closed = fanout.close()
        if fanout.awaited:
            await closed
        await asyncio.wait(tasks)
        seconds = process_time() - begin
    _check(got, items)
    return seconds


async def stuck(subscribers: int, items: int) -> float:
    """How many items are kept for a subscriber that never takes one, while all others get everything."""
    async with ours_awaited(subscribers) as fanout:
        held, *receivers = fanout.receivers
        fanout = fanout._replace(receivers=receivers)
        got: list[list[int]] = [[] for _ in receivers]
        tasks = await _start(fanout, got)
        for item in range(items):
            await fanout.publish(item)
        await fanout.close()
        await asyncio.wait(tasks)
    _check(got, items)
    return len(held)


async def _start(fanout: Fanout, got: list[list[int]]) -> list[asyncio.Task[None]]:
    tasks = [
        asyncio.create_task(fanout.consume(receiver, items))
        for receiver, items in zip(fanout.receivers, got, strict=True)
    ]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


def _check(got: list[list[int]], items: int) -> None:
    everything = list(range(items))
    assert all(items == everything for items in got), "a subscriber did not get everything"
