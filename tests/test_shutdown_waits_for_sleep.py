"""AIO303 in the small: which flags it understands, which it leaves alone, and why."""

from __future__ import annotations

import textwrap

import pytest
from cases import codes, found, mended

CLASS = """\
import asyncio

class Service:
    def __init__(self):
        self._running = True

    def stop(self):
        self._running = False

    async def run(self):
        while self._running:
            await work()
            await asyncio.sleep(60)
"""


def refusal(source: str) -> str:
    """Why the one finding has no fix; empty: it has one, which is applied."""
    (finding,) = [f for f in found(source) if f.rule.code == "AIO303"]
    if finding.fix:
        result = mended(source)
        assert result.left == []
        assert codes(result.text) == []
    return finding.refusal


def lines(source: str) -> list[str]:
    return [line.strip() for line in mended(source).text.splitlines()]


@pytest.mark.parametrize(
    ("condition", "translated"),
    [
        ("self._running", "not self._stopped.is_set()"),
        ("self._running is True", "(not self._stopped.is_set()) is True"),
        ("self._running and tries < 3", "not self._stopped.is_set() and tries < 3"),
        ("tries < 3 and self._running", "tries < 3 and not self._stopped.is_set()"),
        ("not (not self._running)", "not (self._stopped.is_set())"),
    ],
)
def test_conditions(condition: str, translated: str) -> None:
    source = CLASS.replace("while self._running:", f"while {condition}:")
    assert refusal(source) == ""
    assert f"while {translated}:" in lines(source)


@pytest.mark.parametrize(
    "condition",
    ["self._running or tries < 3", "self._running == tries", "is_running(self)", "not self._running", "other._running"],
)
def test_conditions_that_the_flag_does_not_end(condition: str) -> None:
    assert codes(CLASS.replace("while self._running:", f"while {condition}:")) == []


@pytest.mark.parametrize(
    ("delay", "reported"),
    [
        ("1", True),
        ("0.99", False),
        ("60 * 60", True),
        ("1 / 20", False),
        ("60 - now().second", True),
        ("self.interval", True),
        ("PAUSE", False),
        ("PAUSE if WINDOWS else 0.01", False),
        ("PAUSE if WINDOWS else 2", True),
        ("min(self.interval, PAUSE)", False),
        ("min(self.interval, 5)", True),
        ("max(0.1, PAUSE)", False),
        ("max(self.interval, PAUSE)", True),
        ("due - passed", True),
        ("delay=60", True),
    ],
)
def test_only_sleeps_of_a_second_or_more_count(delay: str, reported: bool) -> None:
    source = CLASS.replace("sleep(60)", f"sleep({delay})") + "\nPAUSE = 0.5\n"
    assert codes(source) == ["AIO303"] * reported


def test_a_sleep_in_an_inner_loop_is_not_this_loops() -> None:
    source = CLASS.replace("await work()", "async for item in items(): await item.done(); await asyncio.sleep(2)")
    assert codes(source.replace("            await asyncio.sleep(60)\n", "")) == []


def test_comments_and_other_names_of_a_declaration_stay() -> None:
    source = textwrap.dedent("""\
        import asyncio

        async def main(loop, number):
            count = 0
            running = True  # at first

            def stop():
                nonlocal count, running  # of main
                count += 1
                running = False  # in the end

            loop.add_signal_handler(number, stop)
            while running:  # as told
                await asyncio.sleep(60)  # a minute
    """)
    assert refusal(source) == ""
    text = mended(source).text
    assert "    stopped = asyncio.Event()  # at first\n" in text
    assert "        nonlocal count  # of main\n" in text
    assert "        stopped.set()  # in the end\n" in text
    assert "    while not stopped.is_set():  # as told\n" in text
    assert "            await asyncio.wait_for(stopped.wait(), 60)  # a minute\n" in text


def test_a_name_that_is_taken_is_not_used() -> None:
    source = CLASS.replace("self._running = True", "self._running = True\n        self._stopped = None")
    assert refusal(source) == ""
    assert "self._stopped_event = asyncio.Event()" in lines(source)


def test_two_flags_get_two_names() -> None:
    other = CLASS.split("\n\n", 1)[1].replace("_running", "_active").replace("class Service", "class Other(Service)")
    source = f"{CLASS}\n{other}"
    assert codes(source) == ["AIO303", "AIO303"]
    assert {"self._stopped = asyncio.Event()", "self._stopped_event = asyncio.Event()"} < {*lines(source)}


def test_a_flag_that_starts_cleared_makes_an_event_that_is_set() -> None:
    source = CLASS.replace("self._running = True", "self._running = False")
    source += (
        "\n    def start(self):\n        self._running = True\n        self.task = asyncio.create_task(self.run())\n"
    )
    assert refusal(source) == ""
    expected = ["self._stopped = asyncio.Event()", "self._stopped.set()"]
    assert lines(source)[5:7] == expected or lines(source)[6:8] == expected
    assert "self._stopped.clear()" in lines(source)


def test_a_public_flag_is_said_to_be_in_reach_of_other_files() -> None:
    (finding,) = found(CLASS.replace("_running", "running"))
    assert finding.fix
    assert "other files that use `running` have to be changed" in finding.fix.unsafe


def test_an_import_that_only_served_the_sleep_goes() -> None:
    source = "from asyncio import run, sleep\n" + CLASS.replace("asyncio.sleep", "sleep").replace(
        "import asyncio\n", ""
    )
    assert refusal(source) == ""
    assert "from asyncio import run" in lines(source)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("self._running = False", "self._running = check()\n        self._running = False"), "does something else"),
        (("self._running = True", "pass"), "`__init__`"),
        (("    def __init__(self):\n        self._running = True", "    _running = True"), "`__init__`"),
        (("class Service:", "class Service:\n    _running = True"), "serve all instances"),
        (("class Service:", "import base\nclass Service(base.Service):"), "`base.Service`, which is not in this file"),
        (("await work()", "await work(getattr(self, '_running'))"), "a string in line 12 may"),
        (("await work()", "await work(self.other()._running)"), "`self.other()._running` in line 12 may"),
        (("await work()", "await work(); del self._running"), "does something else"),
        (("import asyncio", "import asyncio, threading\nthreading.Thread(target=print)"), "uses threads"),
        (
            (
                "    async def run",
                "    async def end(self):\n        await asyncio.to_thread(self.stop)\n\n    async def run",
            ),
            "uses threads",
        ),
        (("sleep(60)", "sleep(60, result=1)"), "the sleep's result"),
    ],
)
def test_flags_whose_use_is_not_understood_are_left(change: tuple[str, str], reason: str) -> None:
    source = CLASS.replace(*change)
    assert reason in refusal(source)
    assert mended(source).text == source


def test_a_flag_of_the_class_is_left() -> None:
    source = f"{CLASS}\n    @classmethod\n    def none_runs(cls):\n        return not cls._running\n"
    assert refusal(source) == "`cls._running` in line 17 is the class's, not an instance's"


def test_a_handler_outside_of_the_loop_is_no_place_for_an_event() -> None:
    source = f"{CLASS}\nimport signal\nservice = Service()\nsignal.signal(signal.SIGTERM, lambda *_: service.stop())\n"
    assert "loop.add_signal_handler()" in refusal(source)


EVENT = """\
import asyncio, signal

async def main(loop):
    stop = asyncio.Event()
    HANDLER
    while not stop.is_set():
        await asyncio.sleep(60)
"""


@pytest.mark.parametrize(
    "handler",
    [
        "loop.add_signal_handler(signal.SIGTERM, stop.set)",
        "loop.add_signal_handler(signal.SIGTERM, lambda: stop.set())",
        "def end(): stop.set()\n    loop.add_signal_handler(signal.SIGTERM, end)",
    ],
)
def test_an_event_that_is_only_asked_whether_it_is_set(handler: str) -> None:
    source = EVENT.replace("HANDLER", handler)
    assert refusal(source) == ""
    assert "await asyncio.wait_for(stop.wait(), 60)" in lines(source)


def test_an_event_set_outside_of_the_loop_does_not_wake_it() -> None:
    source = EVENT.replace("HANDLER", "signal.signal(signal.SIGTERM, lambda *_: stop.set())")
    assert "loop.add_signal_handler()" in refusal(source)


def test_an_event_of_another_kind_or_that_nobody_sets_is_left_alone() -> None:
    assert "AIO303" not in codes(EVENT.replace("HANDLER", "pass"))
    assert codes(EVENT.replace("asyncio.Event", "loop.Event").replace("HANDLER", "loop.on_end(stop.set)")) == []


TWO_LOOPS = """\
import asyncio

class Meter:
    def __init__(self):
        self.running = True

    async def run(self, both):
        if self.running:
            await self.read()
        ELSE

    async def read(self):
        while self.running:
            await self.ask()
            self.running = False

    async def watch(self):
        while self.running:
            await self.ask()
            await asyncio.sleep(5)
"""


@pytest.mark.parametrize(
    ("otherwise", "reported"),
    [
        ("else: await self.watch()", False),
        ("await self.watch()", True),
        ("elif both: await self.watch()", False),
        ("else: await asyncio.gather(self.read(), self.watch())", True),
    ],
)
def test_the_loop_in_the_other_branch_ends_no_loop(otherwise: str, reported: bool) -> None:
    assert ("AIO303" in codes(TWO_LOOPS.replace("ELSE", otherwise))) is reported
