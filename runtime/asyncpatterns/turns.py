"""Long work in the event loop that lets the other tasks run in time."""

from __future__ import annotations

import math
import threading
import weakref
from asyncio import get_running_loop
from collections import deque
from collections.abc import AsyncIterator, Generator
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable

__all__ = ["checkpoint", "cooperative"]

T = TypeVar("T")

_END: Final[Any] = object()  # where the iterable's next item should be


async def checkpoint(max_ms: float = 5.0) -> None:
    """Let the other tasks run if the event loop has had no turn for `max_ms` milliseconds.

    For loops that compute: awaited once in so many steps, each well below `max_ms`. It costs about as much as
    awaiting an empty coroutine as long as there is time left. The time is that of the loop, not of this task:
    it counts from the first checkpoint that any task passes in a turn of the loop, so ten tasks hold up the
    loop no longer than one does. Tasks that gave way go on in the order they came, one in each turn.

    0 lets the others run every time, `math.inf` never. A cancellation of the task is raised here when it
    gives way, as at any other await. Raises `ValueError` for a negative number and NaN, once it looks at it,
    and `RuntimeError` without a running event loop.

    >>> import asyncio
    >>> async def main() -> None:
    ...     total = 0
    ...     for number in range(1_000):
    ...         total += number
    ...         if number % 100 == 0:
    ...             await checkpoint()
    ...     print(total)
    >>> asyncio.run(main())
    499500
    """
    if not (monotonic() - _here.began) * 1000 < max_ms:
        await _give_way_if_due(max_ms)


class cooperative(AsyncIterator[T]):  # noqa: N801 - used as a function, as enumerate is
    """Iterate over a plain iterable with `async for`, letting the other tasks run in time.

    After each item it does what `checkpoint(max_ms)` does, so it gives way also when a single step of the
    iterable takes longer than that, and when it ends. What a step raises comes out unchanged. A cancellation
    or timeout loses nothing: the item that was to come is the next one. Several tasks may iterate over it,
    each item goes to one of them.

    A generator that nothing else refers to is closed when the loop is left early: at once on CPython, at
    once anywhere with `contextlib.aclosing`.

    Raises `TypeError` for what cannot be iterated over with `for`, and `ValueError` for a `max_ms` that is
    negative or NaN.

    >>> import asyncio
    >>> async def main() -> None:
    ...     async for word in cooperative(["to", "be"]):
    ...         print(word)
    >>> asyncio.run(main())
    to
    be
    """

    def __init__(self, iterable: Iterable[T], *, max_ms: float = 5.0) -> None:
        _check_time(max_ms)
        if not hasattr(iterable, "__iter__") and hasattr(iterable, "__aiter__"):
            raise TypeError(
                f"cooperative() takes a plain iterable, not the asynchronous {type(iterable).__name__}: "
                "iterate over that one as it is, and await checkpoint() in the loop if it never waits"
            )
        self._source = iter(iterable)
        self._max_ms = max_ms
        self._held: deque[T] = deque()  # taken out of the source, and then the task was cancelled

    async def __anext__(self) -> T:
        if _here.began == -math.inf:
            _current_turn()
        item = self._held.popleft() if self._held else next(self._source, _END)
        if not (monotonic() - _here.began) * 1000 < self._max_ms:
            try:
                await _give_way_if_due(self._max_ms)
            except BaseException:
                self._held.append(item)
                raise
        if item is _END:
            raise StopAsyncIteration
        return item

    async def aclose(self) -> None:
        """End the iteration; close the iterable if it is a generator."""
        source, self._source = self._source, iter(())
        self._held.clear()
        if isinstance(source, Generator):
            source.close()


class _Turn:
    """What the checkpoints of an event loop know of the turn it is in.

    It lives in the callback that ends it, in the loop's own queue, and is seen only weakly from elsewhere: a
    loop that is given up takes it along, with everyone who waits.
    """

    __slots__ = ("__weakref__", "loop", "waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop, waiting: deque[asyncio.Future[None]]) -> None:
        self.loop = loop
        self.waiting = waiting  # the tasks that gave way, first come first served
        _here.turn = weakref.ref(self)
        _here.began = monotonic()
        loop.call_soon(self.end)

    def end(self) -> None:
        """Wake the first of those that wait, if any, in a new turn."""
        _here.turn = _no_turn
        _here.began = -math.inf
        while self.waiting:
            first = self.waiting.popleft()
            if not first.done():
                first.set_result(None)
                _Turn(self.loop, self.waiting)
                return


def _no_turn() -> _Turn | None:
    return None


class _Here(threading.local):
    """The turn that was last seen in a thread: of the loops of a thread only one runs at a time.

    To ask for that one is a system call in Python 3.11, so it is asked only when time seems to be up. What is
    left here by a loop that no longer runs in the thread grows old, and is then replaced.
    """

    def __init__(self) -> None:
        self.turn: Callable[[], _Turn | None] = _no_turn
        self.began = -math.inf


_here = _Here()


def _current_turn() -> _Turn:
    loop = get_running_loop()
    turn = _here.turn()
    return turn if turn is not None and turn.loop is loop else _Turn(loop, deque())


async def _give_way_if_due(max_ms: float) -> None:
    _check_time(max_ms)
    turn = _current_turn()
    if (monotonic() - _here.began) * 1000 < max_ms:
        return
    woken = turn.loop.create_future()
    turn.waiting.append(woken)
    await woken
    # It has waited for its time, so it gets all of it, whatever others took of this turn.
    _here.began = monotonic()


def _check_time(max_ms: float) -> None:
    if not max_ms >= 0:
        raise ValueError(f"max_ms must be a number of milliseconds, zero or more, not {max_ms!r}")
