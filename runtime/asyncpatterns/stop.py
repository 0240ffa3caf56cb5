"""A one-way latch that ends sleeps: how a service's loops learn that it is time to leave."""

from __future__ import annotations

import asyncio
import contextlib
import math
from asyncio import get_running_loop
from collections.abc import AsyncIterator

__all__ = ["Stop"]


class Stop:
    """A latch that is set once, with a reason, and ends every sleep made through it.

    Made anywhere, also before there is an event loop; it belongs to the first loop that waits on it. Once
    set it stays set, so a stop that comes while the work is being done ends the next sleep at once. Nobody is
    cancelled: the loops around the sleeps end by themselves.

    >>> async def main() -> None:
    ...     stop = Stop()
    ...     asyncio.get_running_loop().call_later(0.01, stop.set, "enough")
    ...     while await stop.sleep(60):
    ...         print("never reached: the sleep is stopped")
    ...     print(stop.is_set(), stop.reason)
    >>> asyncio.run(main())
    True enough
    """

    def __init__(self) -> None:
        # A list because its append is atomic: set_threadsafe needs no lock, which a signal handler
        # interrupting the lock's holder could never get. The first entry is the reason.
        self._reasons: list[object] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiters: set[asyncio.Future[bool]] = set()

    def __repr__(self) -> str:
        return f"<Stop set: {self.reason!r}>" if self._reasons else "<Stop not set>"

    @property
    def reason(self) -> object:
        """What the first `set` was given (`run` gives the signal); None before, or when it gave nothing."""
        return self._reasons[0] if self._reasons else None

    def is_set(self) -> bool:
        """Whether it is time to leave. May be asked from any thread."""
        return bool(self._reasons)

    def set(self, reason: object = None) -> None:
        """Set the latch and wake every waiter; when it is set already nothing changes, nor does the reason.

        For use in the event loop's thread. Raises `RuntimeError` when called from elsewhere while the loop
        runs, because the waiters would wake late or never: `set_threadsafe` is for that.
        """
        loop = self._loop
        if loop is not None and loop.is_running() and asyncio._get_running_loop() is not loop:
            raise RuntimeError("Stop.set() outside the thread of its event loop; use set_threadsafe()")
        if not self._reasons:
            self._reasons.append(reason)
        self._wake()

    def set_threadsafe(self, reason: object = None) -> None:
        """Do as `set` from any thread or signal handler; `is_set` is true as soon as this returns."""
        if not self._reasons:
            self._reasons.append(reason)
        # Read after the latch is set, while a waiter looks at the latch after it has written this: whichever
        # comes first, one of the two sees the other.
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed, so nobody waits
                loop.call_soon_threadsafe(self._wake)

    async def sleep(self, delay: float) -> bool:
        """Sleep for `delay` seconds: True when it slept to the end, False as soon as the latch is set.

        Zero or less lets other tasks run once. Raises `ValueError` for a delay that is not a number and
        `RuntimeError` in another event loop than the one the latch belongs to.
        """
        loop = get_running_loop()
        if loop is not self._loop:
            self._bind(loop)
        if self._reasons:
            return False
        if not delay > 0:
            if delay != delay:
                raise ValueError("delay is not a number (NaN)")
            await asyncio.sleep(0)
            return not self._reasons
        waiter: asyncio.Future[bool] = loop.create_future()
        timer = loop.call_later(delay, _slept, waiter)
        self._waiters.add(waiter)
        slept = False
        try:
            slept = await waiter
            return slept
        finally:
            self._waiters.discard(waiter)
            if not slept:  # else the timer has fired, and to cancel it would only cost
                timer.cancel()

    async def wait(self) -> None:
        """Wait until the latch is set. Raises `RuntimeError` in another event loop, as `sleep` does."""
        loop = get_running_loop()
        if loop is not self._loop:
            self._bind(loop)
        if self._reasons:
            return
        waiter: asyncio.Future[bool] = loop.create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)

    def every(self, period: float, *, first: float = 0.0) -> AsyncIterator[int]:
        """Tick every `period` seconds, until the latch is set.

        The first tick comes `first` seconds after the iteration begins, and tick n exactly n periods after
        that one, however long the work in between takes. Ticks that fall due during the work are skipped,
        so two never come back to back. Each tick is its number n; a gap shows how many were skipped.
        The iterator holds no task, timer or lock between the ticks: leaving the loop early leaves nothing.

        Raises `ValueError` when `period` is not above zero or `first` is below zero, either infinite or NaN.

        >>> async def main() -> None:
        ...     stop = Stop()
        ...     async for tick in stop.every(0.01):
        ...         if tick >= 2:  # one that is due during a hold-up is skipped
        ...             stop.set("ticked enough")
        ...     print(stop.reason)
        >>> asyncio.run(main())
        ticked enough
        """
        if not 0 < period < math.inf:
            raise ValueError(f"period must be a finite number of seconds above zero, not {period!r}")
        if not 0 <= first < math.inf:
            raise ValueError(f"first must be a finite number of seconds, zero or more, not {first!r}")
        return _Ticks(self, period, first)

    def _bind(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is not None:
            raise RuntimeError("this Stop belongs to another event loop")
        self._loop = loop

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(False)


def _slept(waiter: asyncio.Future[bool]) -> None:
    if not waiter.done():
        waiter.set_result(True)


class _Ticks(AsyncIterator[int]):
    """The iterator behind `Stop.every`; a class, so that nothing stays suspended when it is abandoned."""

    def __init__(self, stop: Stop, period: float, first: float) -> None:
        self._stop = stop
        self._period = period
        self._first = first
        self._origin: float | None = None
        self._next = 0

    async def __anext__(self) -> int:
        now = asyncio.get_running_loop().time()
        if self._origin is None:
            self._origin = now + self._first
        # Less a whit, because rounding must not make a tick that is due this instant a missed one.
        tick = max(self._next, math.ceil((now - self._origin) / self._period - 1e-9))
        if not await self._stop.sleep(self._origin + tick * self._period - now):
            raise StopAsyncIteration
        self._next = tick + 1
        return tick
