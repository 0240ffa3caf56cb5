"""What fixes make of programs where they use the runtime: the fixed programs run, and do what was promised."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cases import FIXTURES, codes, found, mended
from processes import PATIENCE, running

from flake8_asyncpatterns.cli import main
from flake8_asyncpatterns.rules import RULES
from flake8_asyncpatterns.settings import NONE

RUNTIME = NONE._replace(runtime=True)
ARTICLE = FIXTURES / "article"
SIGNALS = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals that a program could handle")
# Nothing that a program is told is waited for: each of its own sleeps takes longer than this.
SOON = 20.0


def fixed(source: str) -> str:
    """The program after all fixes, in which no rule finds anything, and nothing more is to be fixed."""
    result = mended(source, settings=RUNTIME)
    assert result.left == []
    assert codes(result.text, settings=RUNTIME) == codes(result.text) == []
    assert mended(result.text, settings=RUNTIME).text == result.text
    assert "import asyncpatterns" in result.text
    asked = {finding.fix.unsafe for finding in result.fixed if finding.fix}
    assert any("add `asyncpatterns` to your dependencies" in why for why in asked)
    return result.text


def space(source: str, **names: Any) -> dict[str, Any]:
    """What a program defines, run as a module."""
    defined = {"__name__": "program", **names}
    exec(compile(source, "program.py", "exec"), defined)
    return defined


HANDLED = """\
import asyncio
import signal

running = True

def shut_down(*_):
    global running
    running = False

async def main():
    signal.signal(signal.SIGTERM, shut_down)
    while running:
        print("working", flush=True)
        await asyncio.sleep(60)
    print("over", flush=True)

asyncio.run(main())
"""
BY_EVENT = """\
import asyncio
import signal

async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    while not stop.is_set():
        print("working", flush=True)
        await asyncio.sleep(60)
    await stop.wait()
    print("over", flush=True)

asyncio.run(main())
"""
OWN_STOP = """\
import asyncio
import signal
import asyncpatterns

async def main():
    stop = asyncpatterns.Stop()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    while not stop.is_set():
        print("working", flush=True)
        await asyncio.sleep(60)
    print("over", flush=True)

asyncio.run(main())
"""


@SIGNALS
@pytest.mark.parametrize("source", [HANDLED, BY_EVENT], ids=["signal.signal", "an event"])
def test_fixed_loops_end_within_their_sleep(source: str, tmp_path: Path) -> None:
    with running(fixed(source), tmp_path) as program:
        program.wait_for_line("working")
        sent = program.terminate()
        assert program.status() == 0
        assert time.monotonic() - sent < PATIENCE
        assert program.lines == ["working", "over"]


@SIGNALS
def test_a_loop_with_a_stop_of_its_own_sleeps_by_it_whatever_the_setting(tmp_path: Path) -> None:
    def stops(source: str) -> bool:
        return "        await stop.sleep(60)\n" in source

    as_is, preferred = mended(OWN_STOP).text, mended(OWN_STOP, settings=RUNTIME).text
    assert as_is == preferred
    assert stops(preferred)
    assert codes(preferred) == []
    with running(preferred, tmp_path) as program:
        program.wait_for_line("working")
        program.terminate()
        assert program.status() == 0
        assert program.lines == ["working", "over"]


@SIGNALS
def test_the_articles_main_loop_ends_in_order_at_once(tmp_path: Path) -> None:
    source = fixed((ARTICLE / "main_loop.py").read_text("utf-8"))
    assert "await stop.sleep(pause)" in source
    with running(source, tmp_path) as program:
        program.wait_for_line("work over")
        sent = program.terminate()
        assert program.status() == 0
        assert time.monotonic() - sent < PATIENCE
        assert program.lines == ["working", "work over", "cleaned up after 1"]


def test_the_articles_service_stops_at_once_and_starts_again() -> None:
    service = space(fixed((ARTICLE / "cancelable_sleeps.py").read_text("utf-8")))["Service"](60)

    async def twice() -> None:
        for times in (1, 2):
            assert not service.running
            await service.start()
            assert service.running
            await asyncio.sleep(0)
            await asyncio.wait_for(service.stop(), SOON)
            assert service.log.count("heartbeat") == times

    asyncio.run(twice())


RESTARTED = """\
import asyncio

running = False

def stop():
    global running
    running = False

async def start(work):
    global running, task
    running = True
    task = asyncio.create_task(loop(work))

async def loop(work):
    while running:
        work()
        await asyncio.sleep(60)
"""


def test_a_stop_that_takes_the_place_of_another_is_declared_where_that_is_done() -> None:
    source = fixed(RESTARTED)
    assert "    global stopped, task\n    stopped = asyncpatterns.Stop()\n" in source
    program = space(source)

    async def twice() -> list[int]:
        done: list[int] = []
        for number in (1, 2):
            await program["start"](lambda number=number: done.append(number))
            await asyncio.sleep(0)
            program["stop"]()
            await asyncio.wait_for(program["task"], SOON)
        return done

    assert asyncio.run(twice()) == [1, 2]


IN_A_THREAD = """\
import asyncio
import threading

class Service:
    def __init__(self):
        self._running = True
        self.rounds = 0

    def stop(self):
        self._running = False

    async def run(self):
        threading.Thread(target=self.stop).start()
        while self._running:
            self.work()
            await asyncio.sleep(60)

    def work(self):
        self.rounds += 1
"""


def test_a_flag_that_a_thread_clears_wakes_the_loop() -> None:
    assert [finding.fix for finding in found(IN_A_THREAD)] == [None]  # an Event would not be woken
    source = fixed(IN_A_THREAD)
    assert "self._stop.set_threadsafe()" in source
    service = space(source)["Service"]()
    asyncio.run(asyncio.wait_for(service.run(), SOON))
    assert service.rounds <= 1


SLEEPS_FIRST = """\
import asyncio

class Reporter:
    def __init__(self):
        self._running = True
        self.done = 0

    def stop(self):
        self._running = False

    async def run(self, pause):
        while True:
            await asyncio.sleep(pause)
            if not self._running:
                break
            self.work()

    def work(self):
        self.done += 1
"""


def test_a_loop_that_sleeps_first_does_nothing_when_it_is_told_to_stop() -> None:
    source = fixed(SLEEPS_FIRST)
    assert "        while await self._stop.sleep(pause):\n            self.work()\n" in source
    reporter = space(source)["Reporter"]()

    async def stopped() -> None:
        task = asyncio.create_task(reporter.run(60))
        await asyncio.sleep(0)
        reporter.stop()
        await asyncio.wait_for(task, SOON)

    asyncio.run(stopped())
    assert reporter.done == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("if not self._running:", "if not self._running and self.done:"),  # may go on
        ("if not self._running:", "if not self._running or self.done > 9:"),  # may end without
        ("                break\n", "                break  # no more\n"),  # a comment has to stay
        ("                break\n", "                self.done += 9\n                break\n"),
        ("            self.work()\n", "            self.work()\n        else:\n            self.done = 0\n"),
    ],
)
def test_the_test_behind_the_sleep_stays_where_it_does_more(old: str, new: str) -> None:
    source = SLEEPS_FIRST.replace(old, new)
    text = mended(source, settings=RUNTIME).text
    assert "while await" not in text
    assert text == source or "            await self._stop.sleep(pause)\n" in text


@pytest.mark.parametrize(
    "use",
    ["stop.clear()", "wait_for(stop)", "print(await stop.wait())", "stop = None", "other = stop"],
)
def test_an_event_that_does_what_a_stop_cannot_stays_one(use: str) -> None:
    source = BY_EVENT.replace("await stop.wait()", use)
    result = mended(source, settings=RUNTIME, rules=[RULES["AIO303"]])
    assert result.text == mended(source, rules=[RULES["AIO303"]]).text
    assert "asyncpatterns" not in result.text


def test_the_annotation_of_an_event_changes_with_it() -> None:
    source = BY_EVENT.replace("stop = asyncio.Event()", "stop: asyncio.Event = asyncio.Event()")
    assert "stop: asyncpatterns.Stop = asyncpatterns.Stop()" in fixed(source)


COMPUTING = """\
import asyncio

async def total():
    result = 0
    for number in range(3_000_000):
        result += number
    return result
"""
NESTED = """\
import asyncio

async def total():
    result = 0
    for a in range(100):
        for b in range(30_000):
            result += a * b
    return result
"""
ENDLESS = """\
import asyncio
import itertools

async def total(taken):
    for frame in itertools.cycle("abc"):
        taken(frame)
"""


async def turns_during(work: Callable[[], Any]) -> tuple[Any, int]:
    """What a coroutine gives, and how many turns another task had meanwhile."""
    turns = 0

    async def beat() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    heart = asyncio.create_task(beat())
    await asyncio.sleep(0)
    begun = turns
    result = await work()
    heart.cancel()
    return result, turns - begun


@pytest.mark.parametrize(
    ("source", "form", "result"),
    [
        (COMPUTING, "async for number in asyncpatterns.cooperative(range(3_000_000)):", 4499998500000),
        (NESTED, "        await asyncpatterns.checkpoint()\n", 4950 * 449985000),
    ],
    ids=["cooperative", "checkpoint"],
)
def test_others_have_their_turns_in_a_fixed_loop(source: str, form: str, result: int) -> None:
    assert asyncio.run(turns_during(space(source)["total"])) == (result, 0)
    text = fixed(source)
    assert form in text
    given, turns = asyncio.run(turns_during(space(text)["total"]))
    assert given == result
    assert turns > 1


def test_an_endless_loop_without_a_counter_can_be_cancelled_once_it_is_fixed() -> None:
    taken: list[str] = []

    async def main() -> None:
        task = asyncio.create_task(space(fixed(ENDLESS))["total"](taken.append))
        await asyncio.sleep(0)  # comes back although the loop goes on
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert taken[:4] == [*"abca"]


PIPELINE = """\
import asyncio

async def add(x, more=1):
    await asyncio.sleep(0)
    return x + more

async def double(x):
    return x * 2

{connect}

pipeline = {call}
"""
SHAPES = [
    """\
def connect(funcs):
    def wrapper(*args, **kwargs):
        data = yield from funcs[0](*args, **kwargs)
        for f in funcs[1:]:
            data = yield from f(data)
        return data
    return wrapper""",
    """\
def connect(*funcs):
    def wrapper(x, /, **kwargs):
        data = yield from funcs[0](x, **kwargs)
        for f in funcs[1:]:
            data = yield from f(data)
        return data
    return wrapper""",
    """\
def connect(funcs):
    assert funcs
    def _(*a, **k):
        head, *tail = funcs
        out = (yield from head(*a, **k))
        for one in tail: out = yield from one(out)
        return out
    return _""",
]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_fixed_pipeline_computes(shape: str) -> None:
    call = "connect(add, double, add)" if "*funcs)" in shape else "connect([add, double, add])"
    text = fixed(PIPELINE.format(connect=shape, call=call))
    assert "    return asyncpatterns.connect(*funcs)\n" in text
    assert "yield" not in text
    pipeline = space(text)["pipeline"]
    assert asyncio.run(pipeline(1)) == 5
    assert asyncio.run(pipeline(1, more=3)) == 9


def test_a_method_and_an_import_of_the_same_name_are_not_in_the_way() -> None:
    source = f"from asyncpatterns import connect as joined\n{PIPELINE}"
    text = mended(source.format(connect=SHAPES[0], call="connect([add, double])"), settings=RUNTIME).text
    assert "    return joined(*funcs)\n" in text
    assert asyncio.run(space(text)["pipeline"](1)) == 4


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("funcs[1:]", "funcs[2:]"),
        ("funcs[0]", "funcs[1]"),
        ("f(data)", "f(data, 1)"),
        ("return data", "return data, 1"),
        ("(*args, **kwargs):", "(*args, **kwargs):  # drives"),
        ("(*args, **kwargs):", "(*args, **kwargs):\n        '''Runs them all.'''"),
        ("funcs[0](*args, **kwargs)", "funcs[0](*args)"),
        ("    return wrapper", "    wrapper.parts = funcs\n    return wrapper"),
        ("def connect(funcs):", "def connect(funcs):\n    funcs = list(funcs)"),
        ("def connect(funcs):", "def connect(funcs):\n    print(lambda: wrapper)"),
        ("            data =", "            print(f)\n            data ="),
    ],
)
def test_what_is_of_another_shape_becomes_a_coroutine_as_without_the_runtime(old: str, new: str) -> None:
    source = PIPELINE.format(connect=SHAPES[0].replace(old, new), call="connect([add, double])")
    text = mended(source, settings=RUNTIME).text
    assert text == mended(source).text
    assert "asyncpatterns" not in text


def test_the_articles_pipeline_computes_and_refuses_an_empty_list_at_once() -> None:
    source = re.sub(r"  # AIO402.*", "", (ARTICLE / "pipeline.py").read_text("utf-8"))
    program = space(fixed(source))
    assert asyncio.run(program["pipeline"](1)) == 64
    with pytest.raises(TypeError, match="at least one"):
        program["connect"]([])


SERVICES = {
    "a server": """\
import asyncio

async def answer(reader, writer):
    writer.close()

async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        async with server:
            print("ready", flush=True)
            await server.serve_forever()
    finally:
        print("cleaned up", flush=True)

if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        print("interrupted")
""",
    "workers on a queue": """\
import asyncio

class Worker:
    async def run(self, queue):
        try:
            while True:
                await (await queue.get())()
        finally:
            await asyncio.sleep(0)
            print("cleaned up", flush=True)

async def ready():
    print("ready", flush=True)

async def main():
    queue = asyncio.Queue()
    queue.put_nowait(ready)
    await Worker().run(queue)

def cli():
    asyncio.run(main(), debug=True)

if __name__ == "__main__":
    cli()
""",
    "an application's context": """\
import asyncio
import contextlib

@contextlib.asynccontextmanager
async def opened():
    try:
        yield
    finally:
        print("cleaned up", flush=True)

async def main():
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(opened())
        async with asyncio.TaskGroup() as group:
            group.create_task(forever())

async def forever():
    print("ready", flush=True)
    await asyncio.Future()

asyncio.run(main())
""",
}


@SIGNALS
@pytest.mark.parametrize("source", SERVICES.values(), ids=SERVICES)
def test_a_fixed_service_cleans_up_when_it_is_terminated(source: str, tmp_path: Path) -> None:
    with running(fixed(source), tmp_path) as program:
        program.wait_for_line("ready")
        program.terminate()
        assert program.status() == -signal.SIGTERM
        assert program.lines == ["ready", "cleaned up"]


BACKEND = """\
import sys, types

class Backend(types.ModuleType):
    async def ready(self):
        print("ready", flush=True)
        return True

    async def put(self, items):
        print("cleaned up", flush=True)

sys.modules["backend"] = Backend("backend")
"""
MONITORING = """\
class Monitor:
    async def started(self):
        print("ready", flush=True)

    async def stopped(self):
        print("cleaned up", flush=True)
"""


@SIGNALS
@pytest.mark.parametrize("name", ["good.py", "grouped_good.py"])
def test_the_fixtures_clean_up_when_they_are_terminated(name: str, tmp_path: Path) -> None:
    (tmp_path / "monitoring.py").write_text(MONITORING)
    (tmp_path / "backend_of_test.py").write_text(BACKEND)
    source = (FIXTURES / "aio301_missing_signal_handling" / name).read_text("utf-8").replace("8_700", "0")
    with running(f"import backend_of_test\n{source}", tmp_path) as program:
        program.wait_for_line("ready")
        program.terminate()
        assert program.status() == -signal.SIGTERM
        assert program.lines == ["ready", "cleaned up"]


OBSERVED = """\
import asyncio
from typing import AsyncIterator

class Config:
    def __init__(self, path):
        self.path = path
        self._updated = asyncio.Condition()
        self._current = None

    async def set(self, value):
        self.path += "!"
        async with self._updated:
            self._current = value
            self._updated.notify_all()

    async def watch(self) -> AsyncIterator[str]:
        '''Every change from now on.'''
        async with self._updated:
            while True:
                await self._updated.wait()
                yield self._current
"""


async def seen_by_a_slow_reader(changes: Any, publish: Callable[[Any], Any]) -> list[int]:
    """What a reader has got that lets others run after each of a hundred changes, published back to back."""
    seen: list[int] = []

    async def read() -> None:
        async for change in changes():
            seen.append(change)
            await asyncio.sleep(0)

    reader = asyncio.create_task(read())
    await asyncio.sleep(0.01)
    for number in range(100):
        await publish(number)
    for _ in range(400):
        await asyncio.sleep(0)
    reader.cancel()
    await asyncio.wait([reader])
    return seen


def test_a_fixed_observer_sees_every_change() -> None:
    flawed, text = space(OBSERVED)["Config"]("a"), fixed(OBSERVED)
    assert asyncio.run(seen_by_a_slow_reader(flawed.watch, flawed.set)) != [*range(100)]
    config = space(text)["Config"]("a")
    assert asyncio.run(seen_by_a_slow_reader(config.watch, config.set)) == [*range(100)]
    assert "'''Every change from now on.'''" in text


def test_the_fixtures_thermometer_tells_every_reading() -> None:
    source = (FIXTURES / "aio502_lost_change" / "good.py").read_text("utf-8")
    thermometer = space(source)["Thermometer"]("sensor")
    seen = asyncio.run(seen_by_a_slow_reader(thermometer.readings, thermometer.report))
    assert seen == [*range(100)]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.asyncfix]\nruntime = true\n")
    (tmp_path / "service.py").write_text(IN_A_THREAD)
    return tmp_path


def test_asyncfix_reads_the_setting_and_says_what_to_depend_on(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fix", "--unsafe", "service.py"]) == 1
    assert "Add `asyncpatterns` to your dependencies" in capsys.readouterr().err
    assert (project / "service.py").read_text() == fixed(IN_A_THREAD)
    assert main(["check", "service.py"]) == 0
    assert main(["fix", "--unsafe", "service.py"]) == 0


def test_flake8_reads_the_setting(project: Path) -> None:
    def flake8() -> str:
        command = [sys.executable, "-m", "flake8", "--select", "AIO", "service.py"]
        ran = subprocess.run(command, capture_output=True, text=True, cwd=project)
        return ran.stdout + ran.stderr

    assert "AIO303" in flake8()
    (project / "pyproject.toml").write_text("[tool.asyncfix]\nruntime = 'often'\n")
    assert "'runtime' must be true or false" in flake8()
