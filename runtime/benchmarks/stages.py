"""Items through three functions, one after the other: our pipeline, what one writes by hand, and the libraries.

Each contender takes the number of items, makes its pipeline, puts 0, 1, 2 … through three stages and returns what comes
out; `timed` does that against the clock, and checks it. Where the functions are async they wait: for one turn of the
event loop, for a millisecond, or not at all.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Iterable, Iterator
from time import process_time
from typing import Any

import asyncpatterns

Function = Callable[[int], int]
AsyncFunction = Callable[[int], Coroutine[Any, Any, int]]
Futures = asyncio.Queue[asyncio.Future[int] | None]
STAGES = 3
WAIT = 0.001


def add_one(number: int) -> int:
    """What a sync stage does."""
    return number + 1


async def add_one_at_once(number: int) -> int:
    """What an async stage does that never waits, so that nothing but the pipeline costs."""
    return number + 1


async def add_one_soon(number: int) -> int:
    """What an async stage does: the other tasks run once."""
    await asyncio.sleep(0)
    return number + 1


async def add_one_later(number: int) -> int:
    """What an async stage does that waits for somebody."""
    await asyncio.sleep(WAIT)
    return number + 1


async def timed(
    contender: Callable[..., Coroutine[Any, Any, list[int]]],
    items: int,
    *how: object,
    clock: Callable[[], float] = process_time,
) -> float:
    """Seconds that so many items take, of processor time unless told otherwise."""
    begin = clock()
    got = await contender(items, *how)
    seconds = clock() - begin
    assert got == list(range(STAGES, items + STAGES)), "not every item came out of the last stage, in order"
    return seconds


async def ours_sync(items: int) -> list[int]:
    """Pipeline of plain functions."""
    chain = asyncpatterns.pipeline(range(items)).map(add_one).map(add_one).map(add_one)
    async with chain as results:
        return [result async for result in results]


async def nested_generators(items: int) -> list[int]:
    """An async generator for each stage, around the one before."""

    async def first(numbers: Iterable[int]) -> AsyncIterator[int]:
        for number in numbers:
            yield add_one(number)

    async def following(numbers: AsyncIterable[int]) -> AsyncIterator[int]:
        async for number in numbers:
            yield add_one(number)

    return [result async for result in following(following(first(range(items))))]


async def aiostream_sync(items: int) -> list[int]:
    """Operators of aiostream around plain functions."""
    stream, pipe = (importlib.import_module(f"aiostream.{name}") for name in ("stream", "pipe"))
    chain = stream.iterate(range(items)) | pipe.map(add_one) | pipe.map(add_one) | pipe.map(add_one)
    async with chain.stream() as results:
        return [result async for result in results]


async def aiochan_sync(items: int) -> list[int]:
    """Channels of aiochan, mapped by plain functions."""
    chain = importlib.import_module("aiochan").from_iter(range(items))
    for _ in range(STAGES):
        chain = chain.map(add_one)
    return [result async for result in chain]


async def ours(items: int, function: AsyncFunction, concurrency: int) -> list[int]:
    """Pipeline of async functions, results in order."""
    chain = asyncpatterns.pipeline(range(items))
    for _ in range(STAGES):
        chain = chain.map(function, concurrency=concurrency)
    async with chain as results:
        return [result async for result in results]


async def queue_workers(items: int, function: AsyncFunction, concurrency: int) -> list[int]:
    """What one writes by hand: for each stage a queue of jobs, workers, and a queue of futures that keeps the order."""
    loop = asyncio.get_running_loop()
    room = max(16, concurrency)  # as between the stages of our pipeline

    async def feed(numbers: AsyncIterable[int], jobs: asyncio.Queue[Any], results: Futures) -> None:
        async for number in numbers:
            result: asyncio.Future[int] = loop.create_future()
            await results.put(result)
            await jobs.put((number, result))
        await results.put(None)
        for _ in range(concurrency):
            await jobs.put(None)

    async def work(jobs: asyncio.Queue[Any]) -> None:
        while (job := await jobs.get()) is not None:
            number, result = job
            result.set_result(await function(number))

    async def in_order(results: Futures) -> AsyncIterator[int]:
        while (result := await results.get()) is not None:
            yield await result

    async def numbers() -> AsyncIterator[int]:
        for number in range(items):
            yield number

    chain: AsyncIterator[int] = numbers()
    async with asyncio.TaskGroup() as group:
        for _ in range(STAGES):
            jobs: asyncio.Queue[Any] = asyncio.Queue(room)
            results: Futures = asyncio.Queue(room)
            group.create_task(feed(chain, jobs, results))
            for _ in range(concurrency):
                group.create_task(work(jobs))
            chain = in_order(results)
        return [result async for result in chain]


async def aiostream(items: int, function: AsyncFunction, concurrency: int) -> list[int]:
    """Operators of aiostream around async functions, results in order."""
    stream, pipe = (importlib.import_module(f"aiostream.{name}") for name in ("stream", "pipe"))
    chain = stream.iterate(range(items))
    for _ in range(STAGES):
        chain |= pipe.map(function, ordered=True, task_limit=concurrency)
    async with chain.stream() as results:
        return [result async for result in results]


async def aiochan(items: int, function: AsyncFunction, concurrency: int) -> list[int]:
    """Channels of aiochan, piped through async functions, results in order."""
    chain = importlib.import_module("aiochan").from_iter(range(items))
    for _ in range(STAGES):
        chain = chain.async_pipe(concurrency, function)
    return [result async for result in chain]


async def pyper(items: int, function: AsyncFunction, concurrency: int) -> list[int]:
    """Tasks of pyper; its results come in any order."""
    task = importlib.import_module("pyper").task

    def numbers() -> Iterator[int]:
        yield from range(items)

    chain = task(numbers, branch=True)
    for _ in range(STAGES):
        chain |= task(function, workers=concurrency)
    return sorted([result async for result in chain()])


async def ideal(items: int, concurrency: int) -> float:
    """The seconds it would take if only the waiting in `add_one_later` took time, and the stages overlapped."""
    return items / concurrency * WAIT


async def nothing_but_sleeps(items: int, function: AsyncFunction, concurrency: int) -> list[int]:
    """As many tasks as all stages have, which call the function as often as those do and hand nothing on."""

    async def work() -> None:
        for _ in range(items // concurrency):
            await function(0)

    async with asyncio.TaskGroup() as group:
        for _ in range(STAGES * concurrency):
            group.create_task(work())
    return list(range(STAGES, items + STAGES))
