"""AIO304: what counts as looking at the program's own state."""

from __future__ import annotations

import textwrap

import pytest
from cases import codes, found, mended

LOOP = """\
import asyncio, time

async def f(x, items: list):
    while CONDITION:
        await asyncio.sleep(1)
"""


def polled(condition: str) -> bool:
    return "AIO304" in codes(LOOP.replace("CONDITION", condition))


@pytest.mark.parametrize(
    "condition",
    [
        "not x.ready",
        "x.link.state != 'up'",
        "x.count < 3",
        "len(x.items) == 0",
        "not hasattr(x, 'socket')",
        "getattr(x, 'socket', None) is None",
        "key in x.items",
        "not items",
        "x and x.paused",
        "time.time() < 5 and not x.ready",
        "not x.ready and time.time() - x0 < x.timeout",
    ],
)
def test_state_of_this_process_is_found(condition: str) -> None:
    assert polled(condition)


@pytest.mark.parametrize(
    "condition",
    [
        "True",
        "x",
        "x.poll()",
        "not x.ready and not x.poll()",
        "await x.ready()",
        "x.get('key')",
        "time.time() < 5",
        "time.time() < x.deadline",
        "time.time() - x.seen > 5",
        "x.Color == x.RED.lower()",
        "f'{x.ready}'",
    ],
)
def test_what_may_come_from_outside_is_not(condition: str) -> None:
    assert not polled(condition)


def test_a_generator_coroutine_is_one_too() -> None:
    source = """\
    import asyncio

    class Crawler:
        @asyncio.coroutine
        def run(self):
            while self.busy:
                yield from asyncio.sleep(1, loop=self.loop)
    """
    assert "AIO304" in codes(textwrap.dedent(source))


def test_asyncio_handed_on_by_another_package_is_asyncio() -> None:
    source = """\
    from package.compat import asyncio

    async def f(x):
        while not x.ready:
            await asyncio.sleep(1)
    """
    assert "AIO304" in codes(textwrap.dedent(source))


FLAG = """\
import asyncio
IMPORT

class Link:
    def __init__(self):
        self.up = False

    def on_up(self):
        self.up = True
        MORE

    async def wait(self):
        while not self.up:
            await asyncio.sleep(0.1)
"""


def refusal(imports: str = "", more: str = "") -> str | None:
    [finding] = found(FLAG.replace("IMPORT", imports).replace("MORE", more))
    return finding.refusal or None


def test_a_flag_becomes_an_event() -> None:
    assert refusal() is None
    assert "        await self._up.wait()\n" in mended(FLAG).text


def test_more_than_a_flag_does_not() -> None:
    assert "line 10 does something else" in (refusal(more="self.up += 1") or "")
    assert "threads" in (refusal("import threading", "threading.Thread(target=print)") or "")


def test_a_loop_that_another_rule_mends_is_left_to_it() -> None:
    source = """\
    import asyncio, signal

    async def main():
        running = True
        def stop():
            nonlocal running
            running = False
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
        while running:
            await asyncio.sleep(5)
    """
    assert codes(textwrap.dedent(source)) == ["AIO303"]


@pytest.mark.parametrize(
    ("logged", "found"),
    [
        ("'waiting'", True),
        ("'waiting for %s', x.name", True),
        ("'%d are there', len(x.items)", True),
        ("'%d are there, %d wait', len(x.items), len(x.queue)", True),
        ("'%d wait', len(x.queue)", False),
        ("f'{len(x.queue)} wait'", False),
    ],
)
def test_to_log_how_much_there_is_of_something_else_is_work(logged: str, found: bool) -> None:
    assert ("AIO304" in codes(f"{LOOP.replace('CONDITION', 'len(x.items) < 3')}        print({logged})\n")) == found
