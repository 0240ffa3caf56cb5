"""Pipelines: items go through stages that work at the same time, in order, with bounded room between them."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import math
import reprlib
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
)
from dataclasses import dataclass
from time import monotonic
from types import GeneratorType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeGuard, TypeVar, overload

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Pipeline", "pipeline"]

T = TypeVar("T")
U = TypeVar("U")
T_co = TypeVar("T_co", covariant=True)

_MAX_SECONDS = 0.005  # how long items are taken from a sync source before the other tasks run
_ITEMS_PER_LOOK = 16  # at the clock, which costs as much as the rest of a step
_BUFFER = 16


def pipeline(source: AsyncIterable[T] | Iterable[T], /) -> Pipeline[T]:
    """Begin a pipeline that takes its items from a source: anything for `for` or `async for`.

    Nothing is taken from it before the pipeline runs. A source that can be iterated over again, such as a
    list, can be run again; a generator is closed when the run is over. A sync source runs in the event loop,
    and the other tasks run at least every 5 ms between its items: one that waits, such as a socket's file,
    belongs into a thread.

    Raises `TypeError` at once when the source cannot be iterated over.

    >>> import asyncio
    >>> async def double(x: int) -> int:
    ...     await asyncio.sleep(0)
    ...     return x * 2
    >>> async def main() -> None:
    ...     async with pipeline(range(5)).map(double, concurrency=3).filter(lambda x: x != 4) as items:
    ...         async for item in items:
    ...             print(item)
    >>> asyncio.run(main())
    0
    2
    6
    8
    """
    if isinstance(source, Pipeline):
        raise TypeError("pipeline() of a Pipeline: go on with its methods instead")
    if not isinstance(source, AsyncIterable) and not hasattr(type(source), "__getitem__"):
        if inspect.isfunction(source) or inspect.ismethod(source):
            raise TypeError(f"the source of a pipeline must be iterable; call {source.__qualname__}() first")
        if not isinstance(source, Iterable):
            raise TypeError(f"the source of a pipeline must be iterable, not {type(source).__name__!r}")
    return Pipeline(source)


class Pipeline(Generic[T_co]):
    """A description of what becomes of the items of a source; made by `pipeline`, and run in one of three ways.

    `async with p as items: async for item in items: …` gives the results one by one, `await p.collect()` all
    of them as a list, and `await p.drain()` none. Each method gives a new pipeline and leaves this one as it is.

    Each stage with an async function, and an async source, has tasks of its own, which live inside the block;
    between them there is room for a bounded number of items. Neighbouring plain functions run one after the
    other in the task that takes their results; a pipeline of nothing else needs no task. A function counts
    as async when it is a coroutine function, or when it is given `concurrency` or `buffer`. What any other
    function returns is awaited too if it is awaitable, but then its neighbours wait meanwhile.

    Stages work ahead. When the block is left early, what was read from the source but not delivered is
    discarded, and what is under way is cancelled. At the end of the block every task has ended, each
    cancelled at most once even when the block itself is cancelled again, and the source is closed if it is a
    generator.

    What a function raises comes out of the iteration as it is, with a note that names the stage and the input,
    after the results before it. When something else is raised while the pipeline is closed, the block raises
    an `ExceptionGroup` with the first exception first (a `BaseExceptionGroup` if that is a cancellation).

    The results are iterated over once, in one task at a time, and inside the block; anything else is a
    `RuntimeError`, as is entering a pipeline again before it was left. A timeout or cancellation while
    waiting for a result of async stages loses nothing.
    """

    __slots__ = ("_run", "_source", "_stages")

    def __init__(self, source: AsyncIterable[Any] | Iterable[Any], _stages: tuple[_Stage, ...] = ()) -> None:
        self._source = source
        self._stages = _stages
        self._run: _Run | None = None

    def __repr__(self) -> str:
        steps = "".join(f".{stage.name}" for stage in self._stages)
        return f"<pipeline({reprlib.repr(self._source)}){steps}>"

    @overload
    def map(
        self,
        fn: Callable[[T_co], Awaitable[U]],
        /,
        *,
        concurrency: int = 1,
        ordered: bool = True,
        buffer: int | None = None,
    ) -> Pipeline[U]: ...
    @overload
    def map(
        self, fn: Callable[[T_co], U], /, *, concurrency: int = 1, ordered: bool = True, buffer: int | None = None
    ) -> Pipeline[U]: ...
    def map(
        self, fn: Callable[[T_co], Any], /, *, concurrency: int = 1, ordered: bool = True, buffer: int | None = None
    ) -> Pipeline[Any]:
        """Put what `fn` returns in the place of each item; `fn` is sync or async.

        concurrency: how many calls may be under way at once.
        ordered: whether the results come in the order of the items. Then all is as if one call followed
        the other: of several failures the one of the earliest item is raised, after all results before
        it. Otherwise results come as they are ready, and the first failure ends the pipeline.
        buffer: how many results may wait for the next stage, next to the `concurrency` items in work. By
        default 16, or `concurrency` if that is more.

        Raises `ValueError` for numbers below 1, and `TypeError` when `fn` is not callable or is an async
        generator function, which is for `flat_map` or `through`.
        """
        _check_function("map", fn)
        if _is_async_generator_function(fn):
            raise TypeError(f"map() of the async generator function {_name(fn)}: use flat_map() or through()")
        return self._with("map", fn, concurrency, ordered, buffer)

    @overload
    def filter(self, fn: Callable[[T_co], TypeGuard[U]], /) -> Pipeline[U]: ...
    @overload
    def filter(self, fn: Callable[[T_co], object], /) -> Pipeline[T_co]: ...
    def filter(self, fn: Callable[[T_co], object], /) -> Pipeline[Any]:
        """Keep the items for which `fn`, sync or async, returns something true.

        Raises `TypeError` when `fn` is not callable or is an async generator function.
        """
        _check_function("filter", fn)
        if _is_async_generator_function(fn):
            raise TypeError(f"filter() of the async generator function {_name(fn)}: use through()")
        return self._with("filter", fn)

    @overload
    def flat_map(
        self,
        fn: Callable[[T_co], Awaitable[AsyncIterable[U]]] | Callable[[T_co], Awaitable[Iterable[U]]],
        /,
        *,
        concurrency: int = 1,
        ordered: bool = True,
        buffer: int | None = None,
    ) -> Pipeline[U]: ...
    @overload
    def flat_map(
        self,
        fn: Callable[[T_co], AsyncIterable[U]] | Callable[[T_co], Iterable[U]],
        /,
        *,
        concurrency: int = 1,
        ordered: bool = True,
        buffer: int | None = None,
    ) -> Pipeline[U]: ...
    def flat_map(
        self, fn: Callable[[T_co], Any], /, *, concurrency: int = 1, ordered: bool = True, buffer: int | None = None
    ) -> Pipeline[Any]:
        """Put all items of the iterable that `fn` gives in the place of each item.

        `fn` is sync or async, and the iterable is for `for` or `async for`; async generator functions do.
        Generators are closed when they are no longer needed. The options are those of `map`: with
        `concurrency` several iterables are iterated over at once, and unless `ordered` their items mix.
        """
        _check_function("flat_map", fn)
        return self._with("flat_map", fn, concurrency, ordered, buffer)

    def through(
        self,
        fn: Callable[[AsyncIterator[T_co]], AsyncIterable[U] | Iterable[U]],
        /,
        *,
        buffer: int | None = None,
    ) -> Pipeline[U]:
        """Go on with what `fn` makes of the whole stream, such as an async generator function over it.

        `fn` is called once for a run, with an async iterator. What it does not take of that is discarded.
        buffer: how many of its items may wait for the next stage, 16 by default.

        Raises `ValueError` for a buffer below 1, and `TypeError` when `fn` is not callable or a coroutine
        function.
        """
        _check_function("through", fn)
        if _is_coroutine_function(fn):
            raise TypeError(f"through() of the coroutine function {_name(fn)}: it must give an (async) iterable")
        return self._with("through", fn, buffer=buffer)

    def batch(self, n: int, /, *, within: float | None = None) -> Pipeline[list[T_co]]:
        """Collect the items into lists of `n`; the last may be shorter.

        within: how many seconds after its first item a list is handed on although it is not full.

        Items before a failure are not lost: they come as a last list before it. Raises `ValueError` when `n`
        is below 1, or `within` not a finite number above zero.
        """
        _check_count("n", n)
        if within is not None and not 0 < within < math.inf:
            raise ValueError(f"within must be a finite number of seconds above zero, not {within!r}")
        return self._with("batch", None, size=n, within=within)

    async def collect(self) -> list[T_co]:
        """Run the pipeline and return all its results."""
        async with _Run(self._source, self._stages) as items:
            return [item async for item in items]

    async def drain(self) -> int:
        """Run the pipeline for its effects, and return how many results there were."""
        count = 0
        async with _Run(self._source, self._stages) as items:
            async for _ in items:
                count += 1
        return count

    async def __aenter__(self) -> AsyncIterator[T_co]:
        if self._run is not None:
            raise RuntimeError("this Pipeline runs already; leave its block before entering it again")
        self._run = run = _Run(self._source, self._stages)
        try:
            return await run.__aenter__()
        except BaseException:
            self._run = None
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        run, self._run = self._run, None
        if run is not None:
            await run.__aexit__(kind, error, trace)

    if not TYPE_CHECKING:  # where it is an error without being said

        def __aiter__(self) -> AsyncIterator[Any]:
            raise RuntimeError("a Pipeline runs in a block: `async with pipeline(…)… as items: async for … in items`")

    def _with(
        self,
        kind: _Kind,
        function: Callable[..., Any] | None,
        concurrency: int = 1,
        ordered: bool = True,
        buffer: int | None = None,
        *,
        size: int = 1,
        within: float | None = None,
    ) -> Pipeline[Any]:
        _check_count("concurrency", concurrency)
        if buffer is not None:
            _check_count("buffer", buffer)
        calls = kind in ("map", "filter", "flat_map")
        name = f"{kind}({size if function is None else _name(function)})"
        own_tasks = (
            kind == "through"
            or within is not None
            or concurrency > 1
            or buffer is not None
            or _is_coroutine_function(function)
            or _is_async_generator_function(function)
        )
        stage = _Stage(
            kind=kind,
            name=name,
            label=f"stage {len(self._stages) + 1}, {name}",
            function=function,
            concurrency=concurrency,
            ordered=ordered and concurrency > 1,
            # A worker that has a result takes the next item without waiting for the result to be taken.
            limit=(max(_BUFFER, concurrency) if buffer is None else buffer) + (concurrency if calls else 0),
            size=size,
            within=within,
            own_tasks=own_tasks,
        )
        return Pipeline(self._source, (*self._stages, stage))


_Kind = Literal["map", "filter", "flat_map", "through", "batch"]


@dataclass(frozen=True, slots=True)
class _Stage:
    """What a method of a pipeline was asked for."""

    kind: _Kind
    name: str
    label: str
    function: Callable[..., Any] | None
    concurrency: int
    ordered: bool  # whether results have to wait for those of earlier items; one call at a time keeps the order
    limit: int  # of the items in work and waiting
    size: int
    within: float | None
    own_tasks: bool


# What a chain gives instead of an item when its reader has to wait before it asks again.
_WAIT: Any = object()
# What a call in work, one without a result, and one that is no longer wanted have in the place of a result.
_EMPTY: Any = object()
_NOTHING: Any = object()
_CUT: Any = object()


class _Failure:
    """An exception in the place of a result."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error


class _Reader(AsyncIterator[Any]):
    """Where a chain of plain functions is read, by the workers of the next stage or by the user.

    The chain is an iterator that never waits by itself: it gives `_WAIT` where it would have to.
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
        """Wait for what the chain waits for, after it gave `_WAIT`."""
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
                    if item is not _WAIT:
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


class _Worker:
    """A stage with tasks of its own, and the room behind it."""

    def __init__(self, run: _Run, stage: _Stage, reader: _Reader, below: _Reader) -> None:
        self.run = run
        self.stage = stage
        self.reader = reader
        self.below = below
        self.ready: deque[Any] = deque()
        self.slots: deque[_Slot] = deque()  # calls in work, or waiting for earlier ones, in the order of the items
        self.held = 0  # items that wait in slots
        self.working: set[asyncio.Task[None]] = set()
        reader.working = self.working
        self.input_ended = False
        self.input_error: BaseException | None = None
        self.finished = False
        self.error: BaseException | None = None
        self.blocked: deque[asyncio.Future[None]] = deque()
        self.batch: list[Any] = []
        self.overdue = False

    def start(self) -> None:
        for _ in range(self.stage.concurrency):
            self.run.spawn(self._work())

    def outputs(self) -> Iterator[Any]:
        """What the next stage reads."""
        ready, reader, limit = self.ready, self.reader, self.stage.limit
        while True:
            while ready:
                item = ready.popleft()
                if self.blocked:
                    self._unblock()
                if self.overdue:
                    self._hand_on()
                if reader.idle and not reader.waking and self._outstanding() == limit - 1:
                    reader.wake()
                yield item
            if self.finished:
                if self.error is not None:
                    raise self.error
                return
            yield _WAIT

    def _outstanding(self) -> int:
        return len(self.ready) + (len(self.slots) if self.stage.ordered else len(self.working))

    async def _work(self) -> None:
        kind = self.stage.kind
        if kind == "map" or kind == "filter":
            await self._call_each()
        elif kind == "flat_map":
            await self._expand_each()
        elif kind == "batch":
            await self._batch()
        else:
            await self._pump()

    async def _call_each(self) -> None:
        stage, reader, below, ready = self.stage, self.reader, self.below, self.ready
        function, ordered, keep, limit = stage.function, stage.ordered, stage.kind == "filter", stage.limit
        assert function is not None
        asynchronous = _is_coroutine_function(function)
        working, task = self.working, _this_task()
        counted: Collection[object] = self.slots if ordered else working
        slot = _Slot(task)
        plain: set[type] = set()
        while True:
            item = _EMPTY
            busy = reader.idle or reader.busy or self.input_ended or self.finished
            if not busy and len(ready) + len(counted) < limit:
                # What `_take` does, without its cost where there is no need to wait.
                try:
                    item = next(reader.items, _EMPTY)
                except BaseException as error:
                    self._lose_input(error)
                    return
            if item is _EMPTY or item is _WAIT:
                item = await self._take(item is _WAIT)
                if item is _EMPTY:
                    return
            if ordered:
                slot = _Slot(task)
                self.slots.append(slot)
            working.add(task)
            try:
                value = function(item)
                if asynchronous or (type(value) not in plain and _is_awaitable(value, plain)):
                    value = await value
                if keep:
                    value = item if value else _NOTHING
            except BaseException as error:
                self._fail(slot, error, item)
                if isinstance(error, KeyboardInterrupt | SystemExit):
                    raise
                return
            working.discard(task)
            if ordered:
                if slot.result is _CUT:
                    return
                slot.result = value
                if self.slots[0] is slot:
                    self._advance()
            elif self.finished:
                return
            else:
                if value is not _NOTHING:
                    ready.append(value)
                    if below.idle:
                        self._tell_below()
                if self.input_ended and not working:
                    self._finish(self.input_error)

    async def _expand_each(self) -> None:
        stage, task = self.stage, _this_task()
        assert stage.function is not None
        plain: set[type] = set()
        while (item := await self._take()) is not _EMPTY:
            slot = _Slot(task)
            if stage.ordered:
                self.slots.append(slot)
            self.working.add(task)
            try:
                values = stage.function(item)
                if _is_awaitable(values, plain):
                    values = await values
                await self._emit_all(values, slot)
            except BaseException as error:
                self._fail(slot, error, item)
                if isinstance(error, KeyboardInterrupt | SystemExit):
                    raise
                return
            self.working.discard(task)
            if stage.ordered:
                if slot.result is _CUT:
                    return
                slot.result = _NOTHING
                if self.slots[0] is slot:
                    self._advance()
            elif self.finished:
                return
            elif self.input_ended and not self.working:
                self._finish(self.input_error)

    async def _take(self, waits: bool = False) -> Any:
        """Wait for room and an item; `_EMPTY` at the end. `waits`: whether the chain gave `_WAIT` already."""
        reader, limit = self.reader, self.stage.limit
        while not (self.input_ended or self.finished):
            try:
                if waits:
                    await reader.wait()
                    waits = False
                    continue
                if reader.busy or self._outstanding() >= limit:
                    await reader.rest()
                    continue
                item = next(reader.items, _EMPTY)
            except BaseException as error:
                self._lose_input(error)
                return _EMPTY
            if item is _WAIT:
                waits = True
                continue
            if item is _EMPTY:
                self._end_input(None)
            elif reader.idle:
                self._share_work()
            return item
        return _EMPTY

    def _lose_input(self, error: BaseException) -> None:
        """There is an exception in the place of an item."""
        if self.run.closing:
            self.run.note_error(error)
        else:
            self._end_input(error)
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise error

    def _share_work(self) -> None:
        """Wake more workers, all there is work for if calls are known to wait; else one, to find that out."""
        reader = self.reader
        wanted = 1
        if self.working:
            wanted = min(len(reader.idle), self.stage.limit - self._outstanding() - 1)
            if reader.supply is not None:
                wanted = min(wanted, reader.supply())
        for _ in range(wanted - reader.waking):
            reader.wake()

    def _tell_below(self) -> None:
        """Wake a reader for an item that is ready; more of them only if calls there are known to wait."""
        below = self.below
        if not below.waking or below.working:
            below.wake()

    def _end_input(self, error: BaseException | None) -> None:
        if not self.input_ended:
            self.input_ended = True
            self.input_error = error
        if not self.working and not self.slots:
            self._finish(self.input_error)

    def _finish(self, error: BaseException | None) -> None:
        if not self.finished:
            self.finished = True
            self.error = error
            self.below.wake()

    def _fail(self, slot: _Slot, error: BaseException, item: Any = _NOTHING) -> None:
        """A call failed: what comes after it is no longer wanted."""
        self.working.discard(slot.task)
        unwanted = self.run.closing or self.finished or slot.result is _CUT
        if unwanted:
            if not isinstance(error, asyncio.CancelledError):
                _add_note(error, self.stage, item)
                self.run.note_error(error)
            return
        _add_note(error, self.stage, item)
        self.input_ended = True
        if not self.stage.ordered:
            self._finish(error)
            for task in self.working:
                self.run.cancel(task)
            return
        while self.slots[-1] is not slot:
            later = self.slots.pop()
            if later.result is _EMPTY:
                self.run.cancel(later.task)
            later.result = _CUT
            self.held -= len(later.held)
        slot.result = _Failure(error)
        if self.slots[0] is slot:
            self._advance()

    def _advance(self) -> None:
        """Let go of the results that no earlier call holds back."""
        slots, ready, below = self.slots, self.ready, self.below
        while slots:
            slot = slots[0]
            if slot.held:
                self.held -= len(slot.held)
                ready.extend(slot.held)
                slot.held.clear()
            value = slot.result
            if value is _EMPTY:
                break
            slots.popleft()
            if type(value) is _Failure:
                self._finish(value.error)
                return
            if value is not _NOTHING:
                ready.append(value)
                if below.idle:
                    self._tell_below()
        if ready and below.idle:
            self._tell_below()
        if self.blocked:
            self._unblock()
        if self.reader.idle and not self.reader.waking and self._outstanding() < self.stage.limit:
            self.reader.wake()
        if self.input_ended and not slots:
            self._finish(self.input_error)

    async def _emit_all(self, values: Any, slot: _Slot) -> None:
        iterator: Any = aiter(values) if isinstance(values, AsyncIterable) else iter(values)
        try:
            if isinstance(values, AsyncIterable):
                async for value in iterator:
                    await self._emit(value, slot)
            else:
                started = monotonic()
                for value in iterator:
                    await self._emit(value, slot)
                    if monotonic() > started + _MAX_SECONDS:
                        await asyncio.sleep(0)
                        started = monotonic()
        except BaseException as error:
            await self._close(iterator, error)
            raise
        await self._close(iterator, None)

    async def _close(self, values: Any, error: BaseException | None) -> None:
        """Close a generator after an error; what that raises does not take the place of the error."""
        try:
            if isinstance(values, AsyncGenerator):
                await values.aclose()
            elif isinstance(values, Generator):
                values.close()
        except BaseException as another:
            if error is None or another is error or isinstance(error, GeneratorExit):
                raise
            self.run.note_error(another)

    async def _emit(self, value: Any, slot: _Slot) -> None:
        if self.finished or self.run.closing or slot.result is _CUT:
            return  # nobody wants it any more
        if self.stage.ordered and self.slots[0] is not slot:
            slot.held.append(value)
            self.held += 1
        else:
            self.ready.append(value)
            if self.below.idle:
                self._tell_below()
        while len(self.ready) + self.held >= self.stage.limit:
            if self.stage.ordered and not self.ready and self.slots[0] is slot:
                return  # later ones have taken all the room, and wait for this one
            waiter: asyncio.Future[None] = self.run.loop.create_future()
            self.blocked.append(waiter)
            await waiter

    def _unblock(self) -> None:
        blocked, self.blocked = self.blocked, deque()
        for waiter in blocked:
            if not waiter.done():
                waiter.set_result(None)

    async def _pump(self) -> None:
        slot = _Slot(_this_task())
        self.working.add(slot.task)
        try:
            function = self.stage.function
            assert function is not None
            values = function(self.reader)
            if not isinstance(values, AsyncIterable | Iterable):
                raise TypeError(f"the function must give an iterable or async iterable, not {type(values).__name__!r}")
            await self._emit_all(values, slot)
        except BaseException as error:
            known = error is self.reader.error or self.stage.name == "source"
            self._fail(slot, error, _EMPTY if known else _NOTHING)
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
        else:
            self.working.clear()
            self._end_input(None)

    async def _batch(self) -> None:
        slot = _Slot(_this_task())
        timer: asyncio.TimerHandle | None = None
        assert self.stage.within is not None
        try:
            async for item in self.reader:
                self.batch.append(item)
                if len(self.batch) == 1:
                    timer = self.run.loop.call_later(self.stage.within, self._hand_on)
                if len(self.batch) >= self.stage.size:
                    if timer is not None:
                        timer.cancel()
                    batch, self.batch = self.batch, []
                    self.overdue = False
                    await self._emit(batch, slot)
        except BaseException as error:
            if self.run.closing:
                if not isinstance(error, asyncio.CancelledError):
                    self.run.note_error(error)
            else:
                self._last_batch()
                self._finish(error)
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
        else:
            self._last_batch()
            self._finish(None)
        finally:
            if timer is not None:
                timer.cancel()

    def _hand_on(self) -> None:
        """Hand on a batch that is not full as soon as there is room."""
        self.overdue = len(self.ready) >= self.stage.limit
        if not self.overdue:
            self._last_batch()

    def _last_batch(self) -> None:
        if self.batch:
            self.ready.append(self.batch)
            self.batch = []
            self.below.wake()


class _Slot:
    """A call whose results have to wait for those of earlier items."""

    __slots__ = ("held", "result", "task")

    def __init__(self, task: asyncio.Task[None]) -> None:
        self.task = task
        self.result = _EMPTY
        self.held: deque[Any] = deque()


class _Run(AsyncIterator[Any]):
    """A pipeline that runs: its tasks, and the results as the user iterates over them."""

    def __init__(self, source: AsyncIterable[Any] | Iterable[Any], stages: tuple[_Stage, ...]) -> None:
        self._source = source
        self._stages = stages
        self.closing = True
        self.loop: asyncio.AbstractEventLoop
        self._reader: _Reader
        self._workers: list[_Worker] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._chains: list[Generator[Any, None, None]] = []
        self.open: dict[int, AsyncGenerator[Any, Any]] = {}  # async generators that chains iterate over
        self._errors: list[BaseException] = []
        self._waiting = False
        self._iterated = False
        self._iterator: Iterator[Any] = iter(())
        self._inline: AsyncGenerator[Any, None] | None = None

    async def __aenter__(self) -> _Run:
        self.loop = asyncio.get_running_loop()
        self._build()
        self.closing = False
        try:
            for worker in self._workers:
                worker.start()
        except BaseException as error:
            await self._close(error)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close(error)

    def __aiter__(self) -> AsyncIterator[Any]:
        self._admit()
        if self._iterated:
            raise RuntimeError("the results of a pipeline are iterated over only once; keep the iterator to go on")
        self._iterated = True
        if self._workers:
            return _Results(self)
        # Without tasks nothing is lost when it is abandoned, and its steps cost half those of a class.
        self._inline = self._step_inline()
        return self._inline

    async def __anext__(self) -> Any:
        if self.closing:
            self._admit()
        if self._waiting:
            raise RuntimeError("another task waits for a result of this pipeline already")
        reader = self._reader
        for item in reader.items:
            if item is not _WAIT:
                return item
            break
        else:
            raise StopAsyncIteration
        self._waiting = True
        try:
            await reader.wait()
            return await reader.__anext__()
        finally:
            self._waiting = False

    async def _step_inline(self) -> AsyncGenerator[Any, None]:
        reader, wait = self._reader, _WAIT
        for item in reader.items:
            if item is not wait:
                yield item
            else:
                await reader.wait()

    def _admit(self) -> None:
        if self.closing:
            raise RuntimeError("the results of a pipeline are only there inside its `async with` block")

    def _build(self) -> None:
        source = self._source
        reader = _Reader(self.loop)
        if isinstance(source, AsyncIterable):
            reading = _Stage("through", "source", "source", lambda _: source, 1, False, _BUFFER, 1, None, True)
            below = _Reader(self.loop)
            reader = self._add_worker(reading, reader, below)
        else:
            reader.items = self._iterator = iter(source)
            if not self._stages or self._stages[0].own_tasks or self._stages[0].kind != "map":
                self._chain(reader, _mapped(reader, reader.items, ()))
        position = 0
        while position < len(self._stages):
            stage = self._stages[position]
            position += 1
            if stage.own_tasks:
                reader = self._add_worker(stage, reader, _Reader(self.loop))
            elif stage.kind == "filter":
                self._chain(reader, _filtered(reader, reader.items, stage))
            elif stage.kind == "flat_map":
                self._chain(reader, _flattened(self, reader, reader.items, stage))
            elif stage.kind == "batch":
                self._chain(reader, _batched(reader.items, stage.size))
            else:
                together = [stage]
                while position < len(self._stages) and _is_plain_map(self._stages[position]):
                    together.append(self._stages[position])
                    position += 1
                self._chain(reader, _mapped(reader, reader.items, tuple((s.function, s) for s in together)))
        self._reader = reader

    def _chain(self, reader: _Reader, chain: Generator[Any, None, None]) -> None:
        self._chains.append(chain)
        reader.items = chain

    def _add_worker(self, stage: _Stage, reader: _Reader, below: _Reader) -> _Reader:
        worker = _Worker(self, stage, reader, below)
        self._workers.append(worker)
        below.items = worker.outputs()
        below.supply = worker.ready.__len__
        return below

    def spawn(self, work: Any) -> None:
        self._tasks.append(self.loop.create_task(work))

    def note_error(self, error: BaseException) -> None:
        """Keep an exception that came up while closing."""
        if not isinstance(error, asyncio.CancelledError):
            self._errors.append(error)

    def cancel(self, task: asyncio.Task[None]) -> None:
        """Cancel a task unless that was done: a second time would interrupt its cleanup."""
        if not task.done() and not task.cancelling():
            task.cancel()

    async def _close(self, primary: BaseException | None) -> None:
        self.closing = True
        for task in self._tasks:
            self.cancel(task)
        interruption = await self._outwait(self._tasks)
        for task in self._tasks:
            if not task.cancelled():
                task.exception()  # seen: what ended a task has been told already, or has ended the loop
        for chain in reversed(self._chains):
            try:
                chain.close()
            except BaseException as error:
                self.note_error(error)
        if isinstance(self._iterator, Generator):
            try:
                self._iterator.close()
            except BaseException as error:
                self.note_error(error)
        left = [*self.open.values()]
        if self._inline is not None:
            left.append(self._inline)
        if isinstance(self._source, AsyncGenerator):
            left.append(self._source)
        for generator in left:
            closing = self.loop.create_task(_aclose(generator))
            interruption = await self._outwait([closing]) or interruption
            if not closing.cancelled() and (failure := closing.exception()) is not None:
                self.note_error(failure)
        errors = [error for error in self._errors if error is not primary]
        if interruption is not None and isinstance(primary, asyncio.CancelledError):
            interruption = None
        first = [error for error in (primary, interruption) if error is not None]
        if errors:
            if not first and len(errors) == 1:
                raise errors[0]
            raise BaseExceptionGroup("errors while a pipeline was closed", [*first, *errors]) from None
        if interruption is not None:
            raise interruption

    async def _outwait(self, tasks: list[asyncio.Task[None]]) -> asyncio.CancelledError | None:
        """Wait for tasks to end, however often this one is cancelled meanwhile; give the cancellation."""
        interruption = None
        while pending := [task for task in tasks if not task.done()]:
            try:
                await asyncio.wait(pending)
            except asyncio.CancelledError as error:
                interruption = error
        return interruption


class _Results(AsyncIterator[Any]):
    """The one iteration over a run; apart from it, so that a second one is noticed."""

    __slots__ = ("_run",)

    def __init__(self, run: _Run) -> None:
        self._run = run

    def __anext__(self) -> Coroutine[Any, Any, Any]:
        return self._run.__anext__()


# Chains of plain functions: generators around generators, each of which passes `_WAIT` on.


def _mapped(reader: _Reader, items: Iterator[Any], steps: tuple[tuple[Any, _Stage], ...]) -> Generator[Any, None, None]:
    """Call functions one after the other with each item; without any, only see that the others get their turn."""
    plain: set[type] = set()
    wait = _WAIT  # a local name is found faster, which is felt here
    due = monotonic() + _MAX_SECONDS
    seen = -math.inf  # when it was looked at the clock, since the others had their turn
    left = 1
    for item in items:
        if item is wait:
            yield item
            due = monotonic() + _MAX_SECONDS
            seen = -math.inf
            left = 1
            continue
        left -= 1
        if not left:
            now = monotonic()
            # Slow items are looked at one by one; only after a quick one the next few go by.
            left = _ITEMS_PER_LOOK if now - seen < _MAX_SECONDS / _ITEMS_PER_LOOK else 1
            seen = now
            if now >= due:
                reader.pausing = True
                yield _WAIT
                due = monotonic() + _MAX_SECONDS
                seen = -math.inf
                left = 1
        for function, stage in steps:
            try:
                value = function(item)
            except Exception as error:
                _add_note(error, stage, item)
                raise
            if type(value) not in plain and _is_awaitable(value, plain):
                value = yield from _resolve(reader, value, stage, item)
            item = value
        yield item


def _filtered(reader: _Reader, items: Iterator[Any], stage: _Stage) -> Generator[Any, None, None]:
    function = stage.function
    assert function is not None
    plain: set[type] = set()
    for item in items:
        if item is _WAIT:
            yield item
            continue
        try:
            keep = function(item)
            if not _is_awaitable(keep, plain):
                keep = bool(keep)
        except Exception as error:
            _add_note(error, stage, item)
            raise
        if keep is not True and keep is not False:
            keep = yield from _resolve(reader, keep, stage, item)
        if keep:
            yield item


def _flattened(run: _Run, reader: _Reader, items: Iterator[Any], stage: _Stage) -> Generator[Any, None, None]:
    function = stage.function
    assert function is not None
    plain: set[type] = set()
    for item in items:
        if item is _WAIT:
            yield item
            continue
        try:
            values = function(item)
        except Exception as error:
            _add_note(error, stage, item)
            raise
        if _is_awaitable(values, plain):
            values = yield from _resolve(reader, values, stage, item)
        if isinstance(values, AsyncIterable):
            yield from _flattened_async(run, reader, values, stage, item)
            continue
        try:
            iterator = iter(values)
        except Exception as error:
            _add_note(error, stage, item)
            raise
        try:
            yield from _mapped(reader, _noting(iterator, stage, item), ())
        finally:
            if isinstance(iterator, Generator):
                iterator.close()


def _noting(iterator: Iterator[Any], stage: _Stage, item: Any) -> Iterator[Any]:
    try:
        yield from iterator
    except Exception as error:
        _add_note(error, stage, item)
        raise


def _flattened_async(
    run: _Run, reader: _Reader, values: AsyncIterable[Any], stage: _Stage, item: Any
) -> Generator[Any, None, None]:
    iterator = aiter(values)
    if isinstance(iterator, AsyncGenerator):
        run.open[id(iterator)] = iterator
    while (value := (yield from _resolve(reader, _next(iterator), stage, item))) is not _EMPTY:
        yield value
    run.open.pop(id(iterator), None)


async def _next(iterator: AsyncIterator[Any]) -> Any:
    return await anext(iterator, _EMPTY)


def _batched(items: Iterator[Any], size: int) -> Generator[Any, None, None]:
    batch: list[Any] = []
    failure: Exception | None = None
    try:
        for item in items:
            if item is _WAIT:
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


def _resolve(reader: _Reader, awaitable: Awaitable[Any], stage: _Stage, item: Any) -> Generator[Any, None, Any]:
    """Await something in the midst of a chain, by way of its reader."""
    reader.awaitable = _noted(awaitable, stage, item)
    yield _WAIT
    value, reader.awaited = reader.awaited, None
    return value


async def _noted(awaitable: Awaitable[Any], stage: _Stage, item: Any) -> Any:
    try:
        return await awaitable
    except Exception as error:
        _add_note(error, stage, item)
        raise


async def _aclose(generator: AsyncGenerator[Any, Any]) -> None:
    await generator.aclose()


def _add_note(error: BaseException, stage: _Stage, item: Any) -> None:
    """Say where an exception comes from: of `_EMPTY` nothing, of `_NOTHING` only the stage."""
    if item is _EMPTY or not isinstance(error, Exception):
        return
    where = f"in {stage.label} of the pipeline"
    if item is not _NOTHING:
        try:
            where = f"{where}, with the input {reprlib.repr(item)}"
        except Exception:  # an input that cannot be shown must not hide what happened to it
            where = f"{where}, with an input of type {type(item).__name__}"
    error.add_note(where)


def _is_awaitable(value: Any, plain: set[type]) -> bool:
    """Whether a result has to be awaited; remembers the types that never are."""
    kind = type(value)
    if kind in plain:
        return False
    if inspect.isawaitable(value):
        return True
    if kind is not GeneratorType:  # of which some are
        plain.add(kind)
    return False


def _this_task() -> asyncio.Task[None]:
    task: asyncio.Task[None] | None = asyncio.current_task()
    assert task is not None
    return task


def _is_plain_map(stage: _Stage) -> bool:
    return stage.kind == "map" and not stage.own_tasks


def _is_coroutine_function(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004 - its kind is asked for


def _is_async_generator_function(function: Any) -> bool:
    called = getattr(function, "__call__", None)  # noqa: B004 - its kind is asked for
    return inspect.isasyncgenfunction(function) or inspect.isasyncgenfunction(called)


def _name(function: Any) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return str(name).rpartition("<locals>.")[2]


def _check_function(method: str, function: Any) -> None:
    if not callable(function):
        raise TypeError(f"{method}() needs a function, not {function!r}")


def _check_count(name: str, count: int) -> None:
    if isinstance(count, bool) or not isinstance(count, int):
        raise TypeError(f"{name} must be an int, not {count!r}")
    if count < 1:
        raise ValueError(f"{name} must be at least 1, not {count}")
