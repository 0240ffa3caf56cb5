"""What the tests of the runtime share: loops without waiting, programs to send signals to."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import selectors
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import IO, Any, TypeVar

import pytest

T = TypeVar("T")
InVirtualTime = Callable[[Coroutine[Any, Any, T]], T]


class DeadlockError(Exception):
    """Every task waits for another one: no timer is left and nothing is ready."""


class _JumpingSelector(selectors.SelectSelector):
    """Instead of waiting for the next timer, moves the clock there."""

    now = 0.0
    when_idle: Callable[[], None] | None = None
    while_waiting: Callable[[], None] | None = None  # once, what happens elsewhere while the loop waits

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout != 0 and self.while_waiting is not None:
            elsewhere, self.while_waiting = self.while_waiting, None
            elsewhere()
            ready = super().select(0)
        if not ready and timeout != 0 and self.when_idle is not None:
            self.when_idle()
        elif not ready:
            if timeout is None:
                raise DeadlockError
            self.now += timeout
        return ready


class _VirtualClockLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.selector = _JumpingSelector()
        super().__init__(self.selector)

    def time(self) -> float:
        return self.selector.now


class SteppedLoop(_VirtualClockLoop):
    """Runs only as far as it is told to, in virtual time; what its exception handler was told is in `reported`."""

    def __init__(self) -> None:
        super().__init__()
        self.reported: list[dict[str, Any]] = []
        self.set_exception_handler(lambda loop, context: self.reported.append(context))

    def turn(self) -> None:
        """Run what is ready now, and nothing that becomes ready by that."""
        self.stop()
        self.run_forever()

    def settle(self) -> None:
        """Run until nothing is ready any more; timers that are not due stay."""
        self.selector.when_idle = self.stop
        try:
            self.run_forever()
        finally:
            self.selector.when_idle = None

    def advance(self, seconds: float) -> None:
        """Let the clock go on; the timers that fall due run in the next turn."""
        self.selector.now += seconds


def _eager_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_task_factory(getattr(asyncio, "eager_task_factory"))  # noqa: B009 - not in Python 3.11
    return loop


@pytest.hookimpl(optionalhook=True)
def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run every test marked asyncio in each kind of loop there is."""
    factories: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    if sys.version_info >= (3, 12):
        factories["eager"] = _eager_loop
    if importlib.util.find_spec("uvloop") is not None:
        factories["uvloop"] = importlib.import_module("uvloop").new_event_loop
    return factories


@pytest.fixture
def in_virtual_time() -> InVirtualTime[Any]:
    """Run a coroutine in a loop whose clock jumps; raises DeadlockError instead of waiting for ever."""

    def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
        loop = _VirtualClockLoop()
        task = loop.create_task(coroutine)
        try:
            return loop.run_until_complete(task)
        finally:
            if leftover := asyncio.all_tasks(loop):
                for pending in leftover:
                    pending.cancel()
                loop.run_until_complete(asyncio.wait(leftover))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    return run


@pytest.fixture
def stepped_loop() -> Iterator[SteppedLoop]:
    """An event loop that runs step by step, for tests that decide what comes between two turns."""
    loop = SteppedLoop()
    yield loop
    loop.close()


@pytest.fixture
def deadlock() -> type[Exception]:
    """What a coroutine raises in virtual time that would wait for ever."""
    return DeadlockError


class Program:
    """A Python program in a process of its own, spoken to by signals and lines of output."""

    def __init__(self, source: str, *interpreter: str) -> None:
        # A shell's background job has SIGINT ignored, and hands that down to the tests' programs.
        prelude = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        self._process = subprocess.Popen(
            [*interpreter, sys.executable, "-c", prelude + textwrap.dedent(source)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )

    def read_line(self) -> str:
        """Read the next line of the output."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")

    def read_until(self, line: str) -> list[str]:
        """Read the output up to a line that says that the program got there."""
        assert self._process.stdout is not None
        lines: list[str] = []
        for text in self._process.stdout:
            lines.append(text.rstrip("\n"))
            if lines[-1] == line:
                return lines
        raise AssertionError(f"ended without {line!r}: {lines} {self._rest(self._process.stderr)}")

    def send(self, signum: signal.Signals) -> None:
        self._process.send_signal(signum)

    def send_to_all(self, signum: signal.Signals) -> None:
        """Signal also the programs it was started by, as a terminal does on Ctrl-C."""
        os.killpg(self._process.pid, signum)

    def send_to_child(self, signum: signal.Signals) -> None:
        """Signal the one process that it was started by has started, from outside its process namespace."""
        process = self._process.pid
        (child,) = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        os.kill(int(child), signum)

    def finish(self, timeout: float = 20) -> tuple[int, str, str]:
        """Wait for the end: exit status (minus the signal if killed by one), rest of the output, errors."""
        output, errors = self._process.communicate(timeout=timeout)
        return self._process.returncode, output, errors

    def close(self) -> None:
        if self._process.poll() is None:
            self.send_to_all(signal.SIGKILL)
        self._process.communicate()

    @staticmethod
    def _rest(stream: IO[str] | None) -> str:
        return "" if stream is None else stream.read()


@pytest.fixture
def start() -> Iterator[Callable[..., Program]]:
    """Start programs; those that still run at the end of the test are killed."""
    programs: list[Program] = []

    def start_program(source: str, *interpreter: str) -> Program:
        programs.append(Program(source, *interpreter))
        return programs[-1]

    yield start_program
    for program in programs:
        program.close()
