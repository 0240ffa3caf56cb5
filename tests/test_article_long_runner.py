"""The long run in steps: as flawed it never reaches the loop; mended, the loop takes every step."""

from __future__ import annotations

import asyncio
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cases import FIXTURES, codes, mended

FLAWED = FIXTURES / "article" / "long_runner.py"

# As terse as such code is printed: no import, nothing but a plain function that asks for the running loop.
TERSE = """\
def count_up(n):
    loop = asyncio.get_running_loop()
    if (n <= 1_000):
        loop.call_soon(count_up((n+1)))
"""

MENDED_TERSE = """\
def count_up(n):
    loop = asyncio.get_running_loop()
    if (n <= 1_000):
        loop.call_soon(count_up, (n+1))
"""


def namespace(path: Path) -> dict[str, Any]:
    return runpy.run_path(str(path))


def run(text: str, start: int) -> tuple[list[int], int]:
    """The values that a terse `count_up` is called with, and the turns that the loop takes meanwhile."""
    names: dict[str, Any] = {"asyncio": asyncio}
    exec(text, names)
    taken: list[int] = []
    step: Callable[[int], None] = names["count_up"]

    def count_up(n: int) -> None:
        taken.append(n)
        step(n)

    names["count_up"] = count_up

    async def main() -> int:
        count_up(start)
        turns = 0
        while taken[-1] <= 1_000:
            turns += 1
            await asyncio.sleep(0)
        return turns

    turns = asyncio.run(main())
    return taken, turns


def test_the_flawed_one_calls_itself_until_python_gives_up() -> None:
    with pytest.raises(RecursionError):
        asyncio.run(namespace(FLAWED)["main"]())


def test_even_where_the_stack_suffices_the_loop_is_given_none_to_call() -> None:
    names = namespace(FLAWED)
    failed: list[BaseException] = []

    async def nearly_done() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: failed.append(context["exception"]))
        names["long_runner"](names["LAST"] - 3)
        await asyncio.sleep(0)

    asyncio.run(nearly_done())
    assert [type(error) for error in failed] == [TypeError] * 3
    assert "'NoneType' object is not callable" in str(failed[0])


def test_the_mended_one_arrives_through_the_loop() -> None:
    names = namespace(FLAWED.parent / "mended" / FLAWED.name)
    turns = 0

    async def counted() -> int:
        nonlocal turns
        running = asyncio.create_task(names["main"]())
        while not running.done():
            turns += 1
            await asyncio.sleep(0)
        return await running

    assert asyncio.run(counted()) == names["LAST"] == 1_000
    assert turns >= 999


def test_the_mended_one_is_what_the_safe_fix_makes() -> None:
    good = (FLAWED.parent / "mended" / FLAWED.name).read_text()
    assert mended(FLAWED.read_text(), unsafe=False).text == good


@pytest.mark.parametrize("imported", ["", "import asyncio\n\n\n", "import asyncio\nimport os\n\n\n"])
def test_a_terse_snippet_is_mended_alike(imported: str) -> None:
    assert codes(imported + TERSE) == ["AIO201"]
    assert mended(imported + TERSE, unsafe=False).text == imported + MENDED_TERSE


def test_a_terse_snippet_runs_when_it_is_mended() -> None:
    with pytest.raises(RecursionError):
        run(TERSE, 1)
    taken, turns = run(mended(TERSE).text, 1)
    assert taken == list(range(1, 1_002))
    assert turns >= 1_000
