"""The article's first pattern: found, mended, and the mended program runs as a main loop should."""

from __future__ import annotations

import sys
import time

import pytest
from cases import FIXTURES, codes, found, mended
from processes import PATIENCE, running

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals that a program could handle")

FLAWED = (FIXTURES / "article" / "main_loop.py").read_text(encoding="utf-8")
MENDED = (FIXTURES / "article" / "mended" / "main_loop.py").read_text(encoding="utf-8")

# As such loops are printed in texts: nothing of what they do is defined.
SNIPPET = """\
import asyncio
import signal

async def main():
    loop = asyncio.get_running_loop()
    running = True

    def shutdown():
        nonlocal running
        # put things in order
        running = False  # the loop will end

    for sig in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sig, shutdown)

    while running:
        await check_and_execute_work()
        await asyncio.sleep(60)

asyncio.run(main())
"""
WORK = """\
async def check_and_execute_work():
    print("working", flush=True)

"""


def test_loop_is_found_on_its_marked_line() -> None:
    marked = [number for number, line in enumerate(FLAWED.splitlines(), 1) if "# AIO303" in line]
    assert [(f.line, f.rule.code) for f in found(FLAWED)] == [(line, "AIO303") for line in marked]


def test_finding_points_to_the_sleep_and_to_where_the_flag_is_cleared() -> None:
    (finding,) = found(FLAWED)
    lines = FLAWED.splitlines()
    assert ["running = False" in lines[r.node.lineno - 1] for r in finding.related] == [True, False]
    assert "asyncio.sleep(pause)" in lines[finding.related[1].node.lineno - 1]


def test_fix_gives_the_mended_loop() -> None:
    result = mended(FLAWED)
    assert result.text == MENDED
    assert result.left == []
    assert codes(MENDED) == []


def test_safe_fixes_leave_it() -> None:
    assert mended(FLAWED, unsafe=False).text == FLAWED


def test_flawed_program_sleeps_on_after_sigterm(tmp_path) -> None:
    with running(FLAWED, tmp_path) as program:
        program.wait_for_line("work over")
        program.terminate()
        time.sleep(2)
        assert program.process.poll() is None
        assert "cleaned up after 1" not in program.lines


def test_mended_program_ends_in_order_at_once(tmp_path) -> None:
    with running(MENDED, tmp_path) as program:
        program.wait_for_line("work over")
        sent = program.terminate()
        assert program.status() == 0
        assert time.monotonic() - sent < PATIENCE
        assert program.lines == ["working", "work over", "cleaned up after 1"]


def test_mended_program_still_sleeps_between_work(tmp_path) -> None:
    with running(MENDED.replace("pause=60", "pause=0.2"), tmp_path) as program:
        started = time.monotonic()
        program.wait_for_line("work over", times=4)
        assert time.monotonic() - started > 3 * 0.2
        program.terminate()
        assert program.status() == 0
        assert program.lines[-1].startswith("cleaned up after")


def test_snippet_is_found_and_mended() -> None:
    assert codes(SNIPPET) == ["AIO303"]
    result = mended(SNIPPET)
    assert result.left == []
    assert codes(result.text) == []
    assert "        # put things in order\n        stopped.set()  # the loop will end\n" in result.text
    assert "nonlocal" not in result.text


def test_mended_snippet_ends_at_once(tmp_path) -> None:
    source = mended(SNIPPET).text.replace("async def main", WORK + "async def main")
    with running(source, tmp_path) as program:
        program.wait_for_line("working")
        sent = program.terminate()
        assert program.status() == 0
        assert time.monotonic() - sent < PATIENCE
        assert program.lines == ["working"]
