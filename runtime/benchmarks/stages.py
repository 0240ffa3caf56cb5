"""Items through three functions, one after the other: our pipeline, what one writes by hand, and the libraries.

Each contender takes the number of items, puts 0, 1, 2 … through three stages, checks that all came out and returns the
seconds from making the pipeline to its last item. Where the functions are async they wait: for one turn of the event
loop, or for a millisecond.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Iterable, Iterator
from time import perf_counter
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


async def add_one_soon(number: int) -> int:
    """What an async stage does: the other tasks run once."""
    await asyncio.sleep(0)
    return number + 1


async def add_one_later(number: int) -> int:
    """What an async stage does that waits for somebody."""
    await asyncio.sleep(WAIT)
    return number + 1


async def ours_sync(items: int) -> float:
    """Pipeline of plain functions."""
    begin = perf_counter()
    chain = asyncpatterns.pipeline(range(items)).map(add_one).map(add_one).map(add_one)
    async with chain as results:
        got = [result async for result in results]
    return _checked(begin, got, items)


async def nested_generators(items: int) -> float:
    """An async generator for each stage, around the one before."""

    async def first(numbers: Iterable[int]) -> AsyncIterator[int]:
        for number in numbers:
            yield add_one(number)

    async def following(numbers: AsyncIterable[int]) -> AsyncIterator[int]:
        async for number in numbers:
            yield add_one(number)

    begin = perf_counter()
    got = [result async for result in following(following(first(range(items))))]
    return _checked(begin, got, items)


async def aiostream_sync(items: int) -> float:
    """Operators of aiostream around plain functions."""
    stream, pipe = (importlib.import_module(f"aiostream.{name}") for name in ("stream", "pipe"))
    begin = perf_counter()
    chain = stream.iterate(range(items)) | pipe.map(add_one) | pipe.map(add_one) | pipe.map(add_one)
    async with chain.stream() as results:
        got = [result async for result in results]
    return _checked(begin, got, items)


async def aiochan_sync(items: int) -> float:
    """Channels of aiochan, mapped by plain functions."""
    chain = importlib.import_module("aiochan").from_iter(range(items))
    begin = perf_counter()
    for _ in range(STAGES):
        chain = chain.map(add_one)
    got = [result async for result in chain]
    return _checked(begin, got, items)


async def ours(items: int, function: AsyncFunction, concurrency: int) -> float:
    """Pipeline of async functions, results in order."""
    begin = perf_counter()
    chain = asyncpatterns.pipeline(range(items))
    for _ in range(STAGES):
        chain = chain.map(function, concurrency=concurrency)
    async with chain as results:
        got = [result async for result in results]
    return _checked(begin, got, items)


async def queue_workers(items: int, function: AsyncFunction, concurrency: int) -> float:
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

    begin = perf_counter()
    chain: AsyncIterator[int] = numbers()
    async with asyncio.TaskGroup() as group:
        for _ in range(STAGES):
            jobs: asyncio.Queue[Any] = asyncio.Queue(room)
            results: Futures = asyncio.Queue(room)
            group.create_task(feed(chain, jobs, results))
            for _ in range(concurrency):
                group.create_task(work(jobs))
            chain = in_order(results)
        got = [result async for result in chain]
    return _checked(begin, got, items)


async def aiostream(items: int, function: AsyncFunction, concurrency: int) -> float:
    """Operators of aiostream around async functions, results in order."""
    stream, pipe = (importlib.import_module(f"aiostream.{name}") for name in ("stream", "pipe"))
    begin = perf_counter()
    chain = stream.iterate(range(items))
    for _ in range(STAGES):
        chain |= pipe.map(function, ordered=True, task_limit=concurrency)
    async with chain.stream() as results:
        got = [result async for result in results]
    return _checked(begin, got, items)


async def aiochan(items: int, function: AsyncFunction, concurrency: int) -> float:
    """Channels of aiochan, piped through async functions, results in order."""
    chain = importlib.import_module("aiochan").from_iter(range(items))
    begin = perf_counter()
    for _ in range(STAGES):
        chain = chain.async_pipe(concurrency, function)
    got = [result async for result in chain]
    return _checked(begin, got, items)


async def pyper(items: int, function: AsyncFunction, concurrency: int) -> float:
    """Tasks of pyper; its results come in any order."""
    task = importlib.import_module("pyper").task

    def numbers() -> Iterator[int]:
        yield from range(items)

    begin = perf_counter()
    chain = task(numbers, branch=True)
    for _ in range(STAGES):
        chain |= task(function, workers=concurrency)
    got = [result async for result in chain()]
    return _checked(begin, sorted(got), items)


async def ideal(items: int, function: AsyncFunction, concurrency: int) -> float:
    """The seconds it would take if only the waiting in `add_one_later` cost anything, and the stages overlapped."""
    assert function is add_one_later, "the others do not wait for any time"
    return items / concurrency * WAIT


def _checked(begin: float, got: list[int], items: int) -> float:
    seconds = perf_counter() - begin
    assert got == list(range(STAGES, items + STAGES)), "not every item came out of the last stage, in order"
    return seconds
