"""The article's fifth pattern: loops whose sleeps a shutdown waits for, and what they must become."""

from __future__ import annotations

import asyncio
import sys
import time

import pytest
from cases import FIXTURES, codes, found, mended
from processes import PATIENCE, running

FLAWED = (FIXTURES / "article" / "cancelable_sleeps.py").read_text(encoding="utf-8")
MENDED = (FIXTURES / "article" / "mended" / "cancelable_sleeps.py").read_text(encoding="utf-8")

signals = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals that a program could handle")


def service(source: str, pause: float = 60):
    names = {"__name__": "service"}
    exec(compile(source, "service.py", "exec"), names)
    return names["Service"](pause)


def test_loops_are_found_on_their_marked_lines() -> None:
    marked = [number for number, line in enumerate(FLAWED.splitlines(), 1) if "# AIO303" in line]
    assert [(f.line, f.rule.code) for f in found(FLAWED)] == [(line, "AIO303") for line in marked]


def test_one_fix_mends_all_loops_of_the_flag() -> None:
    assert len({f.fix for f in found(FLAWED)}) == 1
    result = mended(FLAWED)
    assert result.text == MENDED
    assert result.left == []
    assert codes(MENDED) == []


@signals
def test_flawed_service_keeps_a_shutdown_waiting(tmp_path) -> None:
    with running(FLAWED, tmp_path) as program:
        program.wait_for_line("fetched")
        program.terminate()
        time.sleep(2)
        assert program.process.poll() is None


@signals
def test_mended_service_ends_at_once(tmp_path) -> None:
    with running(MENDED, tmp_path) as program:
        program.wait_for_line("fetched")
        sent = program.terminate()
        assert program.status() == 0
        assert time.monotonic() - sent < PATIENCE
        assert program.lines[:2] == ["heartbeat", "fetched"]
        assert sorted(program.lines[2:-1]) == ["collector leaves", "report"]
        assert program.lines[-1] == "all over"


@pytest.mark.asyncio
async def test_mended_service_starts_again_after_a_stop() -> None:
    mended_service = service(MENDED)
    for round_number in (1, 2):
        assert not mended_service.running
        await mended_service.start()
        assert mended_service.running
        await asyncio.sleep(0.05)
        await asyncio.wait_for(mended_service.stop(), PATIENCE)
        assert mended_service.log.count("heartbeat") == round_number
        assert mended_service.log.count("fetched") == round_number


@pytest.mark.asyncio
async def test_mended_service_still_sleeps_between_work() -> None:
    mended_service = service(MENDED, pause=0.1)
    started = time.monotonic()
    await mended_service.start()
    await asyncio.sleep(0.35)
    assert 1 <= mended_service.log.count("fetched") <= 1 + (time.monotonic() - started) / 0.1
    await mended_service.stop()
