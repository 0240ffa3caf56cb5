"""A value that changes, and can be waited for and watched."""

from __future__ import annotations

import asyncio
import inspect
from asyncio import _get_running_loop, get_running_loop
from typing import TYPE_CHECKING, Generic, TypeVar

from asyncpatterns.streams import ChangeStream, Subscription

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncpatterns.streams import _Mailbox

__all__ = ["Value"]

T = TypeVar("T")


class Value(Generic[T]):
    """A present state that tasks set, wait for and watch; where every change counts, use `ChangeStream`.

    Made anywhere, also before there is an event loop; it belongs to the first loop that waits for it or watches
    it. It is set in that loop's thread and may be read in any.

    >>> async def main() -> None:
    ...     state = Value("starting")
    ...     async def watch() -> None:
    ...         async for old, new in state.changes():
    ...             print(old, "->", new)
    ...             if new == "ready":
    ...                 break
    ...     watcher = asyncio.create_task(watch())
    ...     await asyncio.sleep(0)
    ...     state.value = "loading"
    ...     state.value = "ready"
    ...     print("now", await state.wait_for(lambda value: value != "starting"))
    ...     await watcher
    >>> asyncio.run(main())
    starting -> starting
    now ready
    starting -> ready
    """

    def __init__(self, value: T) -> None:
        self._value = value
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watchers: ChangeStream[tuple[T, T]] = ChangeStream(on_lag="latest")
        self._waiters: dict[asyncio.Future[T], Callable[[T], object]] = {}

    def __repr__(self) -> str:
        return f"<Value {self._value!r}>"

    @property
    def value(self) -> T:
        """The present value. Setting it wakes those that wait for it and tells those that watch.

        Every assignment counts as a change, also that of an equal value: no comparison is made. An object that
        is changed in place, without an assignment, is not noticed.

        Setting raises `RuntimeError` outside the thread of the value's event loop while that runs; from there,
        use `loop.call_soon_threadsafe(setattr, state, "value", new)`.
        """
        return self._value

    @value.setter
    def value(self, new: T) -> None:
        loop = self._loop
        if loop is not None and loop.is_running() and _get_running_loop() is not loop:
            raise RuntimeError(
                "Value.value set outside the thread of its event loop; "
                'there, use loop.call_soon_threadsafe(setattr, state, "value", new)'
            )
        old, self._value = self._value, new
        if loop is None or loop.is_closed():
            return  # nobody waits, or ever will again
        # First the watchers, and the waiters from a copy: a predicate is anybody's code and may set the value, too.
        self._watchers.deliver((old, new))
        for waiter, predicate in [*self._waiters.items()]:
            if not waiter.done():
                _answer(waiter, predicate, new)

    async def wait_for(self, predicate: Callable[[T], object]) -> T:
        """Wait until the predicate is true of the value, and return that value.

        It is asked of the present value first, and then of each new one in the moment it is set, so a value
        that is there only for an instant is not missed; by the time this returns it may have changed again.
        What the predicate raises is raised here, not where the value is set.

        Raises `TypeError` when the predicate is a coroutine function, which would be true of everything, and
        `RuntimeError` in another event loop.
        """
        if inspect.iscoroutinefunction(predicate):
            raise TypeError("the predicate must be a plain function: the coroutine of an async one is always true")
        waiter: asyncio.Future[T] = self._bind().create_future()
        present = self._value
        if predicate(present):
            return present
        self._waiters[waiter] = predicate
        try:
            return await waiter
        finally:
            del self._waiters[waiter]

    def changes(self) -> Subscription[tuple[T, T]]:
        """Watch the value: iterate with `async for old, new in state.changes()`.

        The first pair comes at once: the value at the time of this call, and the present one, most often the
        same. From then on there is a pair whenever the value was set. A watcher that is too slow skips values,
        which `dropped` counts, but never the last one, and each pair begins with the value that the one before
        ended with. It ends as any `Subscription` does, not by itself.

        Raises `RuntimeError` without a running event loop and in another one than the value's.
        """
        self._bind()
        mailbox = self._watchers.open_mailbox(None, None, None)
        mailbox.items.append((self._value, self._value))
        return _Changes(mailbox, self._value)

    def _bind(self) -> asyncio.AbstractEventLoop:
        loop = get_running_loop()
        if loop is not self._loop:
            if self._loop is not None:
                raise RuntimeError("this Value belongs to another event loop")
            self._loop = loop
        return loop


class _Changes(Subscription[tuple[T, T]]):
    """A subscription whose pairs begin with the value that its reader got last, not the one that was replaced."""

    def __init__(self, mailbox: _Mailbox[tuple[T, T]], seen: T) -> None:
        super().__init__(mailbox)
        self._seen = seen

    async def __anext__(self) -> tuple[T, T]:
        try:
            _, new = await super().__anext__()
        except BaseException:
            del self  # as there: the traceback must not keep it
            raise
        old, self._seen = self._seen, new
        return old, new


def _answer(waiter: asyncio.Future[T], predicate: Callable[[T], object], value: T) -> None:
    try:
        if predicate(value):
            waiter.set_result(value)
    except StopIteration as error:  # a future refuses it, as a coroutine does
        stopped = RuntimeError("the predicate raised StopIteration")
        stopped.__cause__ = error
        waiter.set_exception(stopped)
    except Exception as error:
        waiter.set_exception(error)
