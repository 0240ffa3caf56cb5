"""Blocks with a time limit, groups of tasks and jumps: what the fixtures cannot show."""

from __future__ import annotations

import pytest
from cases import codes, found, mended

from flake8_asyncpatterns.rules import RULES


def coroutine(body: str) -> str:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"import asyncio\nasync def f(work, log, group):\n{lines}"


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (
            ("async with asyncio.timeout(1):\n    try:\n        await work()\n"
            "    except TimeoutError:\n        await log()"),
            "a handler awaits, which the limit is for as well",
        ),
        (
            ("async with asyncio.timeout(1):\n    try:\n        await work()\n"
            "    except TimeoutError:\n        log()\n    finally:\n        log()"),
            "the `try` has more branches, which the limit is for as well",
        ),
        (
            ("async with asyncio.timeout(1), group:\n"
         "    try:\n        await work()\n    except TimeoutError:\n        log()"),
            "the `with` does more than to set a limit",
        ),
        (
            ("async with asyncio.timeout(1):\n    try:\n        await work()\n"
            "    except asyncio.CancelledError:\n        log()\n        raise\n"
            "    except TimeoutError:\n        log()"),
            "inside of the block a timeout is a CancelledError, which is caught there, too",
        ),
        (
            ("async with asyncio.timeout(1):\n    try:\n        await work()\n"
            "    except TimeoutError:\n        log()\n    except:\n        log()\n        raise"),
            "inside of the block a timeout is a CancelledError, which is caught there, too",
        ),
        (
            ("import contextlib\nasync with asyncio.timeout(1):\n"
            "    with contextlib.suppress(TimeoutError, asyncio.CancelledError):\n        await work()"),
            "inside of the block a timeout is a CancelledError, which is caught there, too",
        ),
        (
            ("import contextlib\nasync with asyncio.timeout(1):\n"
            "    with contextlib.suppress(TimeoutError) as log:\n        await work()"),
            "what `suppress()` gives has a name",
        ),
    ],
)  # fmt: skip
def test_a_handler_that_the_limit_is_for_stays_inside(body: str, refusal: str) -> None:
    [finding] = found(coroutine(body), [RULES["AIO306"]])
    assert finding.refusal == refusal
    assert finding.fix is None


def test_a_comment_at_the_handler_is_not_lost() -> None:
    source = coroutine(
        "async with asyncio.timeout(1):\n    try:\n        await work()\n    except TimeoutError:  # why\n        log()"
    )
    result = mended(source, rules=[RULES["AIO306"]])
    assert result.text == source
    assert len(result.left) == 1


@pytest.mark.parametrize(
    ("body", "reported"),
    [
        ("async with asyncio.TaskGroup():\n    if work:\n        return\n    await log()", []),
        (("async with asyncio.TaskGroup() as g:\n"
         "    work(g)\n    if work:\n        return\n    await log()"), ["AIO211"]),
        (("async with asyncio.TaskGroup() as work.g:\n"
         "    work.g.create_task(log())\n    for x in log:\n        return x"),
         ["AIO211"]),
        (("for x in log:\n    async with asyncio.TaskGroup() as g:\n        g.create_task(x)\n        for y in log:\n"
         "            pass\n        else:\n            if x:\n                break\n        await log()"), ["AIO211"]),
        (("async with asyncio.TaskGroup() as g:\n"
         "    t = g.create_task(log())\n    if work:\n        return\n    await t"),
         ["AIO211"]),
    ],
)  # fmt: skip
def test_a_jump_leaves_tasks_behind(body: str, reported: list[str]) -> None:
    assert codes(coroutine(body), [RULES["AIO211"]]) == reported


def test_a_limit_is_of_use_to_what_is_entered_behind_it() -> None:
    rule = [RULES["AIO307"]]
    assert codes(coroutine("async with asyncio.timeout(1), group:\n    log()"), rule) == []
    assert codes(coroutine("async with group, asyncio.timeout(1):\n    log()"), rule) == ["AIO307"]
