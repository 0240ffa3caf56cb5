"""A task group that runs a limited number of tasks at a time."""

from __future__ import annotations

import asyncio
import inspect
from collections import OrderedDict
from threading import get_ident
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import TracebackType

__all__ = ["TaskPool"]

P = ParamSpec("P")
T = TypeVar("T")


class TaskPool:
    """A task group in which at most `limit` tasks exist at a time, at least 1.

    As in `asyncio.TaskGroup`, leaving the `async with` block waits for every task, also for those that tasks
    spawn meanwhile. The first error, of a task or of the block, cancels all tasks, each once, waits for them,
    and comes out in an `ExceptionGroup` with all other errors. A cancellation of the block cancels them too.

    No task or coroutine waits in the pool for its turn: `spawn` waits, so whoever produces work is slowed down
    to the pace of those who do it.

    >>> async def main() -> None:
    ...     async def square(number: int) -> int:
    ...         await asyncio.sleep(0)
    ...         return number * number
    ...     async with TaskPool(2) as pool:
    ...         tasks = [await pool.spawn(square, number) for number in range(5)]
    ...     print([task.result() for task in tasks])
    >>> asyncio.run(main())
    [0, 1, 4, 9, 16]
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"limit must be at least 1, not {limit}")
        self._limit = limit
        self._free = limit  # above zero only while nobody waits
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._waiting: OrderedDict[asyncio.Task[Any] | None, asyncio.Future[None]] = OrderedDict()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._loop = asyncio.get_running_loop()
        self._thread = get_ident()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._group.__aexit__(kind, error, trace)

    async def spawn(
        self, fn: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Task[T]:
        """Start `fn(*args, **kwargs)` as a task as soon as fewer than `limit` are left; return the task.

        Those that wait here are served first come first served. `fn` is called when its turn has come; when
        this is cancelled while waiting it has not been called, and no slot is taken.

        Raises `RuntimeError` when the pool is not entered, is over, or is shutting down because of an error;
        in another thread; and in a task of the pool when all the others of its tasks wait here already, because
        then none of them could ever go on. That a task waits by way of another task, or for the one that is to
        make room, is not noticed: tasks of a pool that spawn into it at its limit, and wait for what they
        spawned, can deadlock. `try_spawn`, or a pool for each level, cannot.
        """
        self._enter()
        if self._free:
            self._free -= 1
        else:
            await self._wait_for_slot()
        return self._start(fn, args, kwargs)

    def try_spawn(
        self, fn: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Task[T] | None:
        """Start `fn(*args, **kwargs)` as a task if there is a slot that nobody waits for; else return None.

        Raises `RuntimeError` when the pool is not entered, is over or shutting down, and in another thread.
        """
        self._enter()
        if not self._free:
            return None
        self._free -= 1
        return self._start(fn, args, kwargs)

    def _enter(self) -> None:
        if get_ident() != self._thread:
            if self._loop is None:
                raise RuntimeError("this TaskPool has not been entered: async with TaskPool(limit) as pool")
            raise RuntimeError(
                "TaskPool used outside the thread of its event loop; "
                "there, use asyncio.run_coroutine_threadsafe(pool.spawn(fn), loop)"
            )

    async def _wait_for_slot(self) -> None:
        assert self._loop is not None
        task = asyncio.current_task(self._loop)
        turn = self._waiting[task] = self._loop.create_future()
        self._refuse_deadlock(task)
        try:
            await turn
        except BaseException:
            if turn.cancelled() or not turn.done():
                self._waiting.pop(task, None)
            elif turn.exception() is None:  # the slot had been handed over already
                self._release()
            raise

    def _start(
        self, fn: Callable[..., Coroutine[Any, Any, T]], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> asyncio.Task[T]:
        """Start a task in the slot that the caller has taken."""
        coroutine = None
        try:
            coroutine = fn(*args, **kwargs)
            task = self._group.create_task(coroutine)
        except BaseException as error:
            self._release()
            self._explain(error, fn, coroutine)
            raise
        if task.done():  # started eagerly
            self._release()
            return task
        self._tasks.add(task)
        task.add_done_callback(self._finish)
        if self._waiting and task in self._waiting:  # started eagerly, and spawned
            self._refuse_deadlock(task)
        return task

    def _explain(self, error: BaseException, fn: object, coroutine: object) -> None:
        if inspect.iscoroutine(fn):
            fn.close()
            raise TypeError("a TaskPool calls the function itself: spawn(fn, x), not spawn(fn(x))") from None
        if inspect.iscoroutine(coroutine):
            coroutine.close()
            if isinstance(error, RuntimeError):
                raise RuntimeError(
                    "this TaskPool starts no task any more: it is over, or shutting down after an error"
                ) from None

    def _finish(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if self._waiting:
            self._release()
        else:
            self._free += 1

    def _release(self) -> None:
        """Hand a slot over to the first who waits for one."""
        while self._waiting:
            _, turn = self._waiting.popitem(last=False)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _refuse_deadlock(self, task: asyncio.Task[Any] | None) -> None:
        """Have the waiting task fail if it is the last of those that hold the slots, and all wait for one."""
        if task in self._tasks and len(self._tasks) == self._limit and self._tasks <= self._waiting.keys():
            self._waiting.pop(task).set_exception(
                RuntimeError(
                    f"all {self._limit} tasks of this TaskPool wait in spawn() for one of them to end: "
                    "spawn from outside its tasks, use try_spawn(), or give the new tasks a pool of their own"
                )
            )
