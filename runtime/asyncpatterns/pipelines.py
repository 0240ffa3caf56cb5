"""Pipelines: items go through stages that work at the same time, in order, with bounded room between them."""

from __future__ import annotations

import functools
import inspect
import math
import reprlib
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
)
from typing import TYPE_CHECKING, Any, Generic, TypeGuard, TypeVar, overload

from asyncpatterns._running import Run
from asyncpatterns._stages import BUFFER, Kind, Stage, is_async_generator_function, is_coroutine_function

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Pipeline", "pipeline"]

T = TypeVar("T")
U = TypeVar("U")
T_co = TypeVar("T_co", covariant=True)


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

    def __init__(self, source: AsyncIterable[Any] | Iterable[Any], _stages: tuple[Stage, ...] = ()) -> None:
        self._source = source
        self._stages = _stages
        self._run: Run | None = None

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
        if is_async_generator_function(fn):
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
        if is_async_generator_function(fn):
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
        if is_coroutine_function(fn):
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
        async with Run(self._source, self._stages) as items:
            return [item async for item in items]

    async def drain(self) -> int:
        """Run the pipeline for its effects, and return how many results there were."""
        count = 0
        async with Run(self._source, self._stages) as items:
            async for _ in items:
                count += 1
        return count

    async def __aenter__(self) -> AsyncIterator[T_co]:
        if self._run is not None:
            raise RuntimeError("this Pipeline runs already; leave its block before entering it again")
        self._run = run = Run(self._source, self._stages)
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
        kind: Kind,
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
            or is_coroutine_function(function)
            or is_async_generator_function(function)
        )
        stage = Stage(
            kind=kind,
            name=name,
            label=f"stage {len(self._stages) + 1}, {name}",
            function=function,
            concurrency=concurrency,
            ordered=ordered and concurrency > 1,
            # A worker that has a result takes the next item without waiting for the result to be taken.
            limit=(max(BUFFER, concurrency) if buffer is None else buffer) + (concurrency if calls else 0),
            size=size,
            within=within,
            own_tasks=own_tasks,
        )
        return Pipeline(self._source, (*self._stages, stage))


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
