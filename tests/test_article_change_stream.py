"""The article's change stream, run with its flaws and without."""

from __future__ import annotations

import ast
import asyncio
import contextlib
from typing import Any

import pytest
from cases import FIXTURES, codes, found, mended

PATH = FIXTURES / "article" / "change_stream.py"
FLAWED = PATH.read_text(encoding="utf-8")
MENDED = (PATH.parent / "mended" / PATH.name).read_text(encoding="utf-8")

# As tersely as such a class is written down to show the idea: no module docstring, a name imported by itself,
# and a class whose name is that of the runtime's.
TERSE = """\
from asyncio import Condition

class ChangeStream:
    def __init__(self):
        self._changed = Condition()
        self._last = None

    async def announce(self, change):
        async with self._changed:
            self._last = change
            self._changed.notify_all()

    async def __aiter__(self):
        async with self._changed:
            while True:
                await self._changed.wait()
                yield self._last
"""


def stream_of(source: str) -> Any:
    """An instance of the one class that a file defines."""
    (cls,) = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
    space: dict[str, Any] = {}
    exec(compile(source, cls.name, "exec"), space)
    return space[cls.name]()


async def take(stream: Any, count: int, seen: list[Any]) -> None:
    async for change in stream:
        seen.append(change)
        if len(seen) == count:
            return


async def two_quick_changes(source: str) -> list[Any]:
    """What an observer has seen after two changes that nobody had a turn between."""
    stream, seen = stream_of(source), []
    observer = asyncio.create_task(take(stream, 2, seen))
    await asyncio.sleep(0.01)
    await stream.announce("first")
    await stream.announce("second")
    await asyncio.wait({observer}, timeout=0.1)
    observer.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await observer
    return seen


async def an_observer_that_announces(source: str, seen: list[int]) -> None:
    """An observer answers each change with another, up to five."""
    stream = stream_of(source)

    async def answer() -> None:
        async for change in stream:
            seen.append(change)
            if change == 5:
                return
            await stream.announce(change + 1)

    observer = asyncio.create_task(answer())
    await asyncio.sleep(0.01)
    try:
        await stream.announce(1)
        async with asyncio.timeout(0.2 if source in (FLAWED, TERSE) else 20):
            await observer
    finally:
        observer.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await observer


def test_the_terse_class_is_reported_and_mended() -> None:
    assert codes(TERSE) == ["AIO501", "AIO502"]
    result = mended(TERSE)
    assert result.left == []
    assert codes(result.text) == []
    assert result.text == (
        "import asyncpatterns\n"
        "\n"
        "class ChangeStream:\n"
        "    def __init__(self):\n"
        "        self._changes = asyncpatterns.ChangeStream()\n"
        "\n"
        "    async def announce(self, change):\n"
        "        await self._changes.publish(change)\n"
        "\n"
        "    def __aiter__(self):\n"
        "        return self._changes.subscribe()\n"
    )


def test_one_fix_mends_both_findings() -> None:
    lock, slot = found(FLAWED)
    assert (lock.rule.code, lock.fix, lock.refusal) == ("AIO501", None, "")
    assert slot.rule.code == "AIO502"
    assert slot.fix
    assert "asyncpatterns" in slot.fix.unsafe


@pytest.mark.parametrize("source", [FLAWED, TERSE], ids=["retold", "terse"])
def test_flawed_an_observer_that_announces_waits_for_itself(source: str) -> None:
    seen: list[int] = []
    with pytest.raises(TimeoutError):
        asyncio.run(an_observer_that_announces(source, seen))
    assert seen == [1]


@pytest.mark.parametrize("source", [FLAWED, TERSE], ids=["retold", "terse"])
def test_flawed_two_quick_changes_become_one(source: str) -> None:
    assert asyncio.run(two_quick_changes(source)) == ["second"]


@pytest.mark.parametrize("source", [MENDED, mended(TERSE).text], ids=["retold", "terse"])
def test_mended_an_observer_may_announce(source: str) -> None:
    seen: list[int] = []
    asyncio.run(an_observer_that_announces(source, seen))
    assert seen == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("source", [MENDED, mended(TERSE).text], ids=["retold", "terse"])
def test_mended_two_quick_changes_are_two(source: str) -> None:
    assert asyncio.run(two_quick_changes(source)) == ["first", "second"]


def test_mended_a_hundred_changes_back_to_back_all_arrive() -> None:
    async def main() -> list[int]:
        stream, seen = stream_of(MENDED), []
        observer = asyncio.create_task(take(stream, 100, seen))
        await asyncio.sleep(0)
        for number in range(100):
            await stream.announce(number)
        await asyncio.wait_for(observer, 20)
        return seen

    assert asyncio.run(main()) == list(range(100))


def test_mended_a_change_between_subscribing_and_the_first_step_arrives() -> None:
    async def main() -> str:
        stream = stream_of(MENDED)
        iterator = aiter(stream)
        await stream.announce("early")
        return await asyncio.wait_for(anext(iterator), 20)

    assert asyncio.run(main()) == "early"
