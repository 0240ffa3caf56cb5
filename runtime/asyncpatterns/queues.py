"""A queue that is bounded by the size of what is in it, not by the number of items."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio import get_running_loop
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if sys.version_info >= (3, 13):
    from asyncio import QueueShutDown
else:

    class QueueShutDown(Exception):
        """The queue was shut down: nothing can be put, and nothing is left to get."""


if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["QueueShutDown", "SizedQueue"]

T = TypeVar("T")


class SizedQueue(Generic[T]):
    """A first-in first-out queue whose items together are no larger than `max_size`, at least 1.

    size: what an item counts for, a whole number, zero or more; its length unless told otherwise. It is asked
    once, when the item is put: an item should not grow while it is in the queue.

    Used as `asyncio.Queue` is. Putters are served in the order they came: a large item that waits for room is
    not overtaken by small ones, and the items come out in the order of the calls of `put`. A cancelled or timed
    out `put` has put nothing, a cancelled `get` has taken nothing. The queue belongs to the event loop it is
    first used in, and is for that loop's thread only: a use in another one raises `RuntimeError` where somebody
    waits or has to be woken, and is not noticed elsewhere.

    >>> async def main() -> None:
    ...     queue = SizedQueue[bytes](max_size=8)
    ...     await queue.put(b"12345")
    ...     try:
    ...         queue.put_nowait(b"6789")
    ...     except asyncio.QueueFull:
    ...         print("full at", queue.total_size)
    ...     print(await queue.get())
    >>> asyncio.run(main())
    full at 5
    b'12345'
    """

    # Two overloads, because len is no function of any T; that T has a length cannot be said for the first of them in
    # a way that both mypy and pyright understand.
    @overload
    def __init__(self, max_size: int) -> None: ...
    @overload
    def __init__(self, max_size: int, *, size: Callable[[T], int]) -> None: ...
    def __init__(self, max_size: int, *, size: Callable[[Any], int] = len) -> None:
        if max_size < 1:
            raise ValueError(f"max_size must be at least 1, not {max_size}")
        self._max_size = max_size
        self._measure = size
        self._items: deque[tuple[T, int]] = deque()
        self._free = max_size  # neither filled nor reserved
        self._reserved = 0  # for putters that were let in and have not run yet
        self._line = 0  # putters that wait, let in or not; nobody overtakes them
        self._putters: deque[tuple[asyncio.Future[bool], int]] = deque()  # not let in yet
        self._promised = 0  # items for getters that were woken and have not run yet
        self._getters: deque[asyncio.Future[bool]] = deque()
        self._unfinished = 0
        self._joiners: list[asyncio.Future[None]] = []
        self._shut = False
        self._loop: asyncio.AbstractEventLoop | None = None
        # Whether an item that fits may be put without a closer look: the loop is known, nobody is in line, and the
        # queue is not shut down.
        self._open = False

    def __repr__(self) -> str:
        state = ", shut down" if self._shut else ""
        return f"<SizedQueue {self.total_size} of {self._max_size} in {len(self._items)} items{state}>"

    @property
    def max_size(self) -> int:
        """How large the items may be together."""
        return self._max_size

    @property
    def total_size(self) -> int:
        """How large the items in the queue are together."""
        return self._max_size - self._free - self._reserved

    def qsize(self) -> int:
        """How many items are in the queue."""
        return len(self._items)

    def empty(self) -> bool:
        """Whether there is no item in the queue."""
        return not self._items

    def full(self) -> bool:
        """Whether there is no room left, for an item of any size but zero."""
        return self.total_size >= self._max_size

    async def put(self, item: T) -> None:
        """Put an item at the end, as soon as there is room and nobody came before.

        Raises `ValueError`, at once, for an item that is larger than `max_size` or whose size is negative;
        `QueueShutDown` when the queue is shut down, also while waiting.
        """
        if self._getters:
            self._enter()
        size = self._measure(item)
        if self._open and 0 <= size <= self._free:
            self._free -= size
        else:
            await self._wait_for_room(size)
        self._items.append((item, size))
        self._unfinished += 1
        if self._getters:
            self._promise()

    def put_nowait(self, item: T) -> None:
        """Put an item at the end. Raises `asyncio.QueueFull` when it would have to wait; else as `put`."""
        if self._getters:
            self._enter()
        size = self._measure(item)
        if not (self._open and 0 <= size <= self._free):
            self._look_closer(size)
            if self._line or size > self._free:
                raise asyncio.QueueFull
        self._free -= size
        self._items.append((item, size))
        self._unfinished += 1
        if self._getters:
            self._promise()

    async def get(self) -> T:
        """Take the first item, waiting for one if there is none.

        Raises `QueueShutDown` when the queue is shut down and empty, also while waiting.
        """
        if self._putters:
            self._enter()
        if self._promised or not self._items:
            await self._wait_for_item()
        item, size = self._items.popleft()
        self._free += size
        if self._putters:
            self._let_in()
        return item

    def get_nowait(self) -> T:
        """Take the first item. Raises `asyncio.QueueEmpty` when there is none that nobody waits for."""
        if self._putters:
            self._enter()
        if len(self._items) <= self._promised:
            self._enter()
            if self._shut:
                raise QueueShutDown
            raise asyncio.QueueEmpty
        item, size = self._items.popleft()
        self._free += size
        if self._putters:
            self._let_in()
        return item

    def task_done(self) -> None:
        """Say that the work on an item that was taken out is done, for `join`.

        Raises `ValueError` when called more often than there were items.
        """
        if self._unfinished <= 0:
            raise ValueError("task_done() called more often than there were items")
        self._unfinished -= 1
        self._end_joins()

    async def join(self) -> None:
        """Wait until `task_done` was called for every item that was put."""
        loop = self._enter()
        if self._unfinished:
            joiner = loop.create_future()
            self._joiners.append(joiner)
            try:
                await joiner
            finally:
                self._joiners.remove(joiner)

    def shutdown(self, immediate: bool = False) -> None:
        """Take no more items: every `put` raises `QueueShutDown`, and every `get` does once all are taken.

        With `immediate` the items in the queue are discarded, and count as done for `join`. Those that wait are
        woken. The semantics are those of `asyncio.Queue.shutdown`, which came with Python 3.13; below that
        `QueueShutDown` is this package's own, from there on asyncio's.
        """
        loop = self._loop
        if loop is not None and loop.is_running():
            self._enter()
        self._shut = True
        self._open = False
        if immediate:
            self._unfinished -= min(self._unfinished, len(self._items))
            self._free += sum(size for _, size in self._items)
            self._items.clear()
        if loop is not None and loop.is_closed():
            return  # nobody waits, or ever will again
        for turn in (*(turn for turn, _ in self._putters), *self._getters):
            if not turn.done():
                turn.set_result(False)
        self._putters.clear()
        self._getters.clear()
        self._end_joins()

    def _enter(self) -> asyncio.AbstractEventLoop:
        # Asked only where somebody waits or is woken, because in Python 3.11 the question is a system call that
        # takes a quarter of the time of a put and a get. Elsewhere another loop can do no harm.
        loop = get_running_loop() if self._loop is None else asyncio._get_running_loop()
        if loop is None or (self._loop is not None and loop is not self._loop):
            raise RuntimeError(
                "this SizedQueue belongs to another event loop; "
                "in another thread use asyncio.run_coroutine_threadsafe(queue.put(item), loop)"
            )
        self._loop = loop
        return loop

    def _look_closer(self, size: int) -> asyncio.AbstractEventLoop:
        """Refuse an item that cannot be put, now or later; bind the queue to its loop."""
        loop = self._enter()
        if self._shut:
            raise QueueShutDown
        if size > self._max_size:
            raise ValueError(f"an item of size {size} never fits into a queue of at most {self._max_size}")
        if not size >= 0:
            raise ValueError(f"the size of an item must be zero or more, not {size!r}")
        self._open = not self._line
        return loop

    async def _wait_for_room(self, size: int) -> None:
        """Wait until the size was taken off what is free."""
        loop = self._look_closer(size)
        if self._open and size <= self._free:
            self._free -= size
            return
        turn: asyncio.Future[bool] = loop.create_future()
        self._putters.append((turn, size))
        self._line += 1
        self._open = False
        try:
            await turn
            if self._shut:
                raise QueueShutDown
        except BaseException:
            if turn.cancelled() or not turn.done():
                with contextlib.suppress(ValueError):  # not in there any more when the queue was shut down
                    self._putters.remove((turn, size))
            elif turn.result():
                self._free += size
                self._reserved -= size
            raise
        else:
            self._reserved -= size
        finally:
            self._line -= 1
            self._open = not self._line and not self._shut
            self._let_in()

    def _let_in(self) -> None:
        """Reserve room for those that wait in front, and wake them; each puts its item in its turn."""
        while self._putters:
            turn, size = self._putters[0]
            if turn.done():
                self._putters.popleft()
                continue
            if size > self._free:
                return
            self._putters.popleft()
            self._free -= size
            self._reserved += size
            turn.set_result(True)

    async def _wait_for_item(self) -> None:
        """Wait until there is an item that was promised to nobody else."""
        loop = self._enter()
        if len(self._items) > self._promised:
            return
        if self._shut:
            raise QueueShutDown
        turn: asyncio.Future[bool] = loop.create_future()
        self._getters.append(turn)
        try:
            await turn
        except BaseException:
            if turn.cancelled() or not turn.done():
                with contextlib.suppress(ValueError):  # not in there any more when the queue was shut down
                    self._getters.remove(turn)
            elif turn.result():
                self._promised -= 1
                self._promise()
            raise
        if turn.result():
            self._promised -= 1
        if len(self._items) <= self._promised:
            raise QueueShutDown

    def _promise(self) -> None:
        """Wake as many of those that wait for an item as there are items."""
        while self._getters and len(self._items) > self._promised:
            turn = self._getters.popleft()
            if not turn.done():
                self._promised += 1
                turn.set_result(True)

    def _end_joins(self) -> None:
        if not self._unfinished:
            for joiner in self._joiners:
                if not joiner.done():
                    joiner.set_result(None)
