"""The life of a service: started, told to stop by a signal, cleaned up, and ended as the signal demands."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import logging
import os
import signal
import socket
import sys
import threading
import time
import traceback
from asyncio import _get_running_loop
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar, overload

from asyncpatterns.stop import Stop

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["run", "shutdown_signals"]

T = TypeVar("T")

_Main: TypeAlias = (
    Coroutine[Any, Any, T] | Callable[[Stop], Coroutine[Any, Any, T]] | Callable[[], Coroutine[Any, Any, T]]
)

_log = logging.getLogger("asyncpatterns")

# A loop that has not answered the first signal for this long, in seconds, when the second comes is held up by
# synchronous code. asyncio's debug mode calls a callback slow from the same length on
# (`loop.slow_callback_duration`).
_BLOCKED = 0.1


@overload
def run(
    main: _Main[T],
    *,
    grace: float = 0.0,
    cleanup_timeout: float = 10.0,
    signals: Iterable[int] | None = None,
    reraise: Literal[True] = True,
    debug: bool | None = None,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> T: ...


@overload
def run(
    main: _Main[T],
    *,
    grace: float = 0.0,
    cleanup_timeout: float = 10.0,
    signals: Iterable[int] | None = None,
    reraise: bool,
    debug: bool | None = None,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> T | None: ...


def run(
    main: _Main[T],
    *,
    grace: float = 0.0,
    cleanup_timeout: float = 10.0,
    signals: Iterable[int] | None = None,
    reraise: bool = True,
    debug: bool | None = None,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> T | None:
    """Run a service until it ends or a signal ends it, and return what main returns.

    As `asyncio.run`, but SIGTERM too ends the program with every `finally` run, the way Ctrl-C does.

    main: a coroutine; or a function that makes one, called in the event loop. A function with a parameter
    that has no default is given a `Stop`, which the first signal sets; one that can be called without
    arguments is called without.
    grace: how many seconds a main given as a function has, from the first signal on, to leave by itself.
    With zero, and always when main is a coroutine, it is cancelled at once.
    cleanup_timeout: how many seconds there are from then, or from the end of main, until the loop is closed:
    for main's cleanup, then for that of the other tasks (each cancelled once), the asynchronous generators
    and the default executor. When they are over, the stack of every task still pending is logged as an
    error (logger "asyncpatterns"), and they are left behind.
    signals: those to handle. By default SIGINT and SIGTERM, on Windows also SIGBREAK, except those that are
    ignored when this is called, as a shell's background jobs and `nohup` have it. None outside the main
    thread, because Python cannot.
    reraise: whether a signal ends the program. False returns main's result instead, None if cancelled.
    debug, loop_factory: as for `asyncio.Runner`.

    The first signal stops main as said above. The second cancels main when grace still runs; when by then
    synchronous code has held up the loop for a tenth of a second, it takes its default effect (SIGINT:
    KeyboardInterrupt in that code). The third kills the process at once. The handlers that were there before
    are back when this returns or raises.

    An exception of main is raised as it is. Otherwise, after a signal, SIGINT raises `KeyboardInterrupt`, of
    which Python dies as by SIGINT; any other signal kills the process once standard output, standard error
    and logging are flushed, so that its parent sees it in the exit status. Neither code after this call
    nor `atexit` functions run then; programs that need them use reraise=False. Where the kernel shields the
    process, as it does the first one in a container, `SystemExit(128 + signal)` is raised. `TimeoutError` is
    raised when main has not ended within cleanup_timeout and there is no signal to raise.

    Raises `RuntimeError` while an event loop runs in the thread, where `shutdown_signals` is for the same
    purpose, and `TypeError` when main is neither a coroutine nor a function as described.

    >>> async def main(stop: Stop) -> str:
    ...     async for tick in stop.every(0.01):
    ...         if tick >= 3:
    ...             stop.set()
    ...     return "left by itself"
    >>> run(main, grace=5)
    'left by itself'
    """
    if _get_running_loop() is not None:
        if isinstance(main, Coroutine):
            main.close()
        raise RuntimeError("run() while an event loop runs: use `async with shutdown_signals() as stop:` there instead")
    stop = Stop()
    if isinstance(main, Coroutine):
        coroutine, grace = main, 0.0
    else:
        coroutine = _call(main, stop)
    began = False
    try:
        loop = (loop_factory or asyncio.new_event_loop)()
        service: _Service[T] = _Service(loop, stop, grace, cleanup_timeout)
        # Closed within the handlers too, so that what the loop does to them on closing is undone as well.
        closing = contextlib.closing(loop)
        with closing, _handling(loop, signals, service.on_signal, {}), closing:
            if loop_factory is None:
                asyncio.set_event_loop(loop)
            if debug is not None:
                loop.set_debug(debug)
            began = True
            try:
                service.serve(coroutine)
            finally:
                if loop_factory is None:
                    asyncio.set_event_loop(None)
    finally:
        if not began:
            coroutine.close()
    return service.outcome(reraise)


@contextlib.asynccontextmanager
async def shutdown_signals(*signals: int) -> AsyncIterator[Stop]:
    """Give a `Stop` that the first signal sets, for use where an event loop runs already.

    signals: those to handle, by default the same as for `run`. A framework's handler is not replaced: the
    first signal is passed on to it as well. Only Python's own answer to Ctrl-C, a `KeyboardInterrupt` or
    the cancellation by `asyncio.run`, and the death by other signals are held back, for the Stop is there to
    avoid them. The second signal is handled as if this were not there. Leaving the block puts the previous
    handlers back and raises nothing: to end the program is then up to the caller.

    Outside the main thread no signals are handled, and the Stop is only set by hand.

    >>> async def main() -> None:
    ...     async with shutdown_signals() as stop:
    ...         signal.raise_signal(signal.SIGTERM)
    ...         print(await stop.sleep(60), stop.reason.name)
    >>> asyncio.run(main())
    False SIGTERM
    """
    handler = _StopOnSignal()
    with _handling(asyncio.get_running_loop(), signals or None, handler, handler.previous):
        try:
            yield handler.stop
        finally:
            handler.active = False


class _StopOnSignal:
    """The handler behind `shutdown_signals`."""

    def __init__(self) -> None:
        self.stop = Stop()
        self.active = True
        self.previous: dict[int, Any] = {}

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        before = _alive(self.previous[signum], signum)
        if self.active and not self.stop.is_set():
            self.stop.set_threadsafe(signal.Signals(signum))
            if callable(before) and not _interrupts(before):
                before(signum, frame)
        elif callable(before):
            before(signum, frame)
        elif before == signal.SIG_DFL:
            signal.signal(signum, signal.SIG_DFL)
            signal.raise_signal(signum)


def _alive(handler: Any, signum: int) -> Any:
    """The handler itself, or the one before it where its block was left; blocks may be left in any order."""
    while isinstance(handler, _StopOnSignal) and not handler.active:
        handler = handler.previous[signum]
    return handler


def _interrupts(handler: Callable[..., Any]) -> bool:
    """Whether this is Python's own handler of Ctrl-C, or the one that `asyncio.run` puts in its place."""
    if isinstance(handler, functools.partial):
        return isinstance(getattr(handler.func, "__self__", None), asyncio.Runner)
    return handler is signal.default_int_handler


@contextlib.contextmanager
def _handling(
    loop: asyncio.AbstractEventLoop,
    signals: Iterable[int] | None,
    handler: Callable[[int, FrameType | None], None],
    previous: dict[int, Any],
) -> Iterator[None]:
    """Have signals handled within the block, as far as Python can; `previous` gets the handlers replaced."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    try:
        for signum in _default_signals() if signals is None else signals:
            before = signal.getsignal(signum)
            # None is a handler not installed by Python, which could not be put back.
            if before is not None and not (before == signal.SIG_IGN and signals is None):
                previous.setdefault(signum, before)
                signal.signal(signum, handler)
        with _signals_waking(loop):
            yield
    finally:
        for signum, before in previous.items():
            # Unless another was installed meanwhile. The handlers of an event loop leave a default behind.
            if signal.getsignal(signum) in (handler, signal.SIG_DFL, signal.default_int_handler):
                signal.signal(signum, _alive(before, signum))


@contextlib.contextmanager
def _signals_waking(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Have signals wake the loop, whose selector would otherwise sleep on over one that comes just before.

    Python's handlers run between two instructions. A signal that comes after the last one before the system
    call that waits, and before that call, is handled when the call returns: a minute later in an idle loop.
    """
    receiver, sender = socket.socketpair()
    with receiver, sender:
        receiver.setblocking(False)
        sender.setblocking(False)
        before = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
        try:
            if before == -1:
                with contextlib.suppress(NotImplementedError):
                    loop.add_reader(receiver, _drain, receiver)
            else:  # uvloop, and loops with handlers of their own or on Windows, do the same already
                signal.set_wakeup_fd(before)
            yield
        finally:
            if not loop.is_closed():
                with contextlib.suppress(NotImplementedError):
                    loop.remove_reader(receiver)
            now = signal.set_wakeup_fd(-1)
            if now not in (-1, sender.fileno()):
                signal.set_wakeup_fd(now)


def _drain(receiver: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        receiver.recv(4096)


def _default_signals() -> Iterable[int]:
    names = ("SIGINT", "SIGTERM", "SIGBREAK")
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


def _call(main: Callable[..., Any], stop: Stop) -> Coroutine[Any, Any, Any]:
    if not callable(main):
        raise TypeError(f"run() takes a coroutine or a function that makes one, not {main!r}")
    required = [
        parameter
        for parameter in inspect.signature(main).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if len(required) > 1 or any(parameter.kind is parameter.KEYWORD_ONLY for parameter in required):
        raise TypeError(f"run() calls main with a Stop or with nothing, but {main!r} requires more")

    async def call() -> Any:
        return await (main(stop) if required else main())

    return call()


class _Service(Generic[T]):
    """One run of a main: its task, the signals it got, and its end."""

    def __init__(self, loop: asyncio.AbstractEventLoop, stop: Stop, grace: float, cleanup_timeout: float) -> None:
        self._loop = loop
        self._stop = stop
        self._grace = grace
        self._cleanup_timeout = cleanup_timeout
        self._main: asyncio.Task[T]
        self._ended: asyncio.Future[None] = loop.create_future()
        self._deadline: float | None = None
        self._cancelled: set[asyncio.Task[Any]] = set()
        self._escaped: BaseException | None = None
        self._signal: int | None = None
        self._received = 0
        self._received_at = 0.0
        self._answered = 0

    def on_signal(self, signum: int, frame: FrameType | None) -> None:
        """Handle a signal; called by the interpreter between any two instructions of the main thread."""
        self._received += 1
        if self._received >= 3:
            signal.signal(signum, signal.SIG_DFL)
            signal.raise_signal(signum)
            os._exit(128 + signum)  # the kernel protects process 1, and nothing else may be relied on any more
        if self._received == 1:
            self._signal = signum
            self._received_at = time.monotonic()
            self._stop.set_threadsafe(signal.Signals(signum))
        elif self._answered == 0 and time.monotonic() - self._received_at >= _BLOCKED:
            if signum == signal.SIGINT:
                signal.default_int_handler(signum, frame)
            _kill_by(signum)
        with contextlib.suppress(RuntimeError):  # the loop is closed: what is left is to end as demanded
            self._loop.call_soon_threadsafe(self._answer)

    def _answer(self) -> None:
        self._answered += 1
        if self._answered == 1 and self._grace > 0:
            self._loop.call_later(self._grace, self._cancel_main)
        else:
            self._cancel_main()

    def _cancel_main(self) -> None:
        # Once: a second cancellation would interrupt the cleanup that the first has set off.
        if self._main not in self._cancelled and not self._main.done():
            self._cancelled.add(self._main)
            self._main.cancel()
            self._start_deadline()

    def _start_deadline(self) -> None:
        if self._deadline is None:
            self._deadline = self._loop.time() + self._cleanup_timeout
            self._loop.call_at(self._deadline, self._end)

    def _end(self, main: object = None) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    def _left(self) -> float:
        assert self._deadline is not None
        return max(0.0, self._deadline - self._loop.time())

    def serve(self, coroutine: Coroutine[Any, Any, T]) -> None:
        """Run main to its end, or to the deadline once it was cancelled, and clean up after it."""
        self._main = self._loop.create_task(coroutine)
        self._main.add_done_callback(self._end)
        while not self._ended.done():
            try:
                self._loop.run_until_complete(self._ended)
            except BaseException as error:  # a task's SystemExit or KeyboardInterrupt ends the loop then and there
                self._escaped = self._escaped or error
                self._cancel_main()
        self._start_deadline()
        cleaned = False
        while not cleaned:
            try:
                self._loop.run_until_complete(self._clean_up())
                cleaned = True
            except BaseException as error:
                self._escaped = self._escaped or error

    async def _clean_up(self) -> None:
        myself = asyncio.current_task()
        while pending := asyncio.all_tasks() - {myself}:
            for task in pending:
                # One that is being cancelled already is left to its cleanup.
                if task not in self._cancelled and not task.cancelling():
                    task.cancel()
                self._cancelled.add(task)
            done, pending = await asyncio.wait(pending, timeout=self._left())
            for task in done - {self._main}:
                self._report(task)
            if not self._left():
                break
        generators = self._loop.create_task(self._loop.shutdown_asyncgens())
        executor = None
        if pending := (await asyncio.wait({generators}, timeout=self._left()))[1]:
            generators.cancel()
        else:
            # Not cancelled in the end: before Python 3.12 that would wait for its threads all the same.
            executor = self._loop.create_task(self._loop.shutdown_default_executor())
            await asyncio.wait({executor}, timeout=self._left())
            if not executor.done():
                _log.error("threads of the default executor still work after cleanup_timeout")
        for task in asyncio.all_tasks() - {myself, executor}:
            _log.error("still pending after cleanup_timeout: %r\n%s", task, _stack(task))

    def _report(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._loop.call_exception_handler(
                {
                    "message": "unhandled exception during the shutdown by run()",
                    "exception": error,
                    "task": task,
                }
            )

    def outcome(self, reraise: bool) -> T | None:
        """Return main's result, or raise what the run ended with; for when loop and handlers are gone."""
        main = self._main
        if main.done() and not main.cancelled() and main.exception() is not None:
            return main.result()
        if self._escaped is not None:
            raise self._escaped
        if self._signal is not None and reraise:
            if self._signal == signal.SIGINT:
                raise KeyboardInterrupt
            _kill_by(self._signal)
        if not main.done():
            raise TimeoutError(f"main has not ended within the cleanup_timeout of {self._cleanup_timeout} s")
        if main.cancelled() and self._signal is not None:
            return None
        return main.result()


def _kill_by(signum: int) -> None:
    """End the process by a signal, so that its parent sees it in the exit status."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # it may be closed, broken, None, or interrupted while writing
            stream.flush()
    with contextlib.suppress(Exception):
        logging.shutdown()
    before = signal.signal(signum, signal.SIG_DFL)
    signal.raise_signal(signum)
    # Process 1 of a container: the kernel drops the signal, and would drop the next one too without a handler.
    signal.signal(signum, before)
    raise SystemExit(128 + signum)


def _stack(task: asyncio.Task[Any]) -> str:
    """Where a task waits, through all the coroutines it awaits; `Task.get_stack` has only the first."""
    frames: list[tuple[FrameType, int]] = []
    awaited: Any = task.get_coro()
    while awaited is not None:
        kind = next((kind for kind in ("cr", "gi", "ag") if hasattr(awaited, f"{kind}_frame")), None)
        frame = getattr(awaited, f"{kind}_frame", None)
        if frame is not None:
            frames.append((frame, frame.f_lineno))
        awaited = getattr(awaited, "gi_yieldfrom" if kind == "gi" else f"{kind}_await", None)
    return "".join(traceback.StackSummary.extract(iter(frames)).format()).rstrip()
