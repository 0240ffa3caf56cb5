"""Chains of the plain functions of a pipeline, and where they are read."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Generator,
    Iterator,
)
from time import monotonic
from typing import Any

from asyncpatterns._stages import EMPTY, MAX_SECONDS, WAIT, Stage, add_note, is_awaitable

_ITEMS_PER_LOOK = 16  # at the clock, which costs as much as the rest of a step


class Reader(AsyncIterator[Any]):
    """Where a chain of plain functions is read, by the workers of the next stage or by the user.

    The chain is an iterator that never waits by itself: it gives `WAIT` where it would have to.
    """

    __slots__ = (
        "awaitable",
        "awaited",
        "busy",
        "error",
        "idle",
        "items",
        "loop",
        "pausing",
        "supply",
        "waking",
        "working",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.items: Iterator[Any] = iter(())
        self.supply: Callable[[], int] | None = None  # how many items wait before the chain; None: who knows
        self.working: Collection[object] = ()  # the calls that its readers have in work
        self.idle: deque[asyncio.Future[None]] = deque()
        self.waking = 0
        self.pausing = False
        self.awaitable: Awaitable[Any] | None = None  # what the chain waits for
        self.awaited: Any = None  # what became of it
        self.busy = False  # whether a reader awaits it; then nobody else may read
        self.error: BaseException | None = None

    def wake(self) -> None:
        """Wake a reader: there may be something for it."""
        while self.idle:
            waiter = self.idle.popleft()
            if not waiter.done():
                waiter.set_result(None)
                self.waking += 1
                return

    async def rest(self) -> None:
        """Wait until woken."""
        waiter: asyncio.Future[None] = self.loop.create_future()
        self.idle.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                with contextlib.suppress(ValueError):
                    self.idle.remove(waiter)
            else:  # woken for something that is for another one then
                self.waking -= 1
                self.wake()
            raise
        self.waking -= 1

    async def wait(self) -> None:
        """Wait for what the chain waits for, after it gave `WAIT`."""
        if self.pausing:
            self.pausing = False
            await asyncio.sleep(0)
        elif self.awaitable is None:
            await self.rest()
        else:
            self.busy = True
            try:
                self.awaited = await self.awaitable
            except BaseException as error:
                # Asked again, the chain would take up where it cannot: the awaitable is gone.
                self.items = _refuse(error)
                raise
            finally:
                self.awaitable = None
                self.busy = False
                self.wake()

    async def __anext__(self) -> Any:
        """For a single reader."""
        try:
            while True:
                for item in self.items:
                    if item is not WAIT:
                        return item
                    break
                else:
                    break
                await self.wait()
        except BaseException as error:
            self.error = error
            raise
        raise StopAsyncIteration


def _refuse(error: BaseException) -> Iterator[Any]:
    if isinstance(error, asyncio.CancelledError):
        raise RuntimeError("a cancellation, such as a timeout, ended a function of the pipeline: it cannot go on")
    return
    yield


# Chains of plain functions: generators around generators, each of which passes `WAIT` on.


def mapped(reader: Reader, items: Iterator[Any], steps: tuple[tuple[Any, Stage], ...]) -> Generator[Any, None, None]:
    """Call functions one after the other with each item; without any, only see that the others get their turn."""
    plain: set[type] = set()
    wait = WAIT  # a local name is found faster, which is felt here
    due = monotonic() + MAX_SECONDS
    seen = -math.inf  # when it was looked at the clock, since the others had their turn
    left = 1
    for item in items:
        if item is wait:
            yield item
            due = monotonic() + MAX_SECONDS
            seen = -math.inf
            left = 1
            continue
        left -= 1
        if not left:
            now = monotonic()
            # Slow items are looked at one by one; only after a quick one the next few go by.
            left = _ITEMS_PER_LOOK if now - seen < MAX_SECONDS / _ITEMS_PER_LOOK else 1
            seen = now
            if now >= due:
                reader.pausing = True
                yield WAIT
                due = monotonic() + MAX_SECONDS
                seen = -math.inf
                left = 1
        for function, stage in steps:
            try:
                value = function(item)
            except Exception as error:
                add_note(error, stage, item)
                raise
            if type(value) not in plain and is_awaitable(value, plain):
                value = yield from _resolve(reader, value, stage, item)
            item = value
        yield item


def filtered(reader: Reader, items: Iterator[Any], stage: Stage) -> Generator[Any, None, None]:
    function = stage.function
    assert function is not None
    plain: set[type] = set()
    for item in items:
        if item is WAIT:
            yield item
            continue
        try:
            keep = function(item)
            if not is_awaitable(keep, plain):
                keep = bool(keep)
        except Exception as error:
            add_note(error, stage, item)
            raise
        if keep is not True and keep is not False:
            keep = yield from _resolve(reader, keep, stage, item)
        if keep:
            yield item


def flattened(
    opened: dict[int, AsyncGenerator[Any, Any]], reader: Reader, items: Iterator[Any], stage: Stage
) -> Generator[Any, None, None]:
    function = stage.function
    assert function is not None
    plain: set[type] = set()
    for item in items:
        if item is WAIT:
            yield item
            continue
        try:
            values = function(item)
        except Exception as error:
            add_note(error, stage, item)
            raise
        if is_awaitable(values, plain):
            values = yield from _resolve(reader, values, stage, item)
        if isinstance(values, AsyncIterable):
            yield from _flattened_async(opened, reader, values, stage, item)
            continue
        try:
            iterator = iter(values)
        except Exception as error:
            add_note(error, stage, item)
            raise
        try:
            yield from mapped(reader, _noting(iterator, stage, item), ())
        finally:
            if isinstance(iterator, Generator):
                iterator.close()


def _noting(iterator: Iterator[Any], stage: Stage, item: Any) -> Iterator[Any]:
    try:
        yield from iterator
    except Exception as error:
        add_note(error, stage, item)
        raise


def _flattened_async(
    opened: dict[int, AsyncGenerator[Any, Any]], reader: Reader, values: AsyncIterable[Any], stage: Stage, item: Any
) -> Generator[Any, None, None]:
    iterator = aiter(values)
    if isinstance(iterator, AsyncGenerator):
        opened[id(iterator)] = iterator
    while (value := (yield from _resolve(reader, _next(iterator), stage, item))) is not EMPTY:
        yield value
    opened.pop(id(iterator), None)


async def _next(iterator: AsyncIterator[Any]) -> Any:
    return await anext(iterator, EMPTY)


def batched(items: Iterator[Any], size: int) -> Generator[Any, None, None]:
    batch: list[Any] = []
    failure: Exception | None = None
    try:
        for item in items:
            if item is WAIT:
                yield item
                continue
            batch.append(item)
            if len(batch) >= size:
                full, batch = batch, []
                yield full
    except Exception as error:
        failure = error
    if batch:
        yield batch
    if failure is not None:
        raise failure


def _resolve(reader: Reader, awaitable: Awaitable[Any], stage: Stage, item: Any) -> Generator[Any, None, Any]:
    """Await something in the midst of a chain, by way of its reader."""
    reader.awaitable = _noted(awaitable, stage, item)
    yield WAIT
    value, reader.awaited = reader.awaited, None
    return value


async def _noted(awaitable: Awaitable[Any], stage: Stage, item: Any) -> Any:
    try:
        return await awaitable
    except Exception as error:
        add_note(error, stage, item)
        raise
