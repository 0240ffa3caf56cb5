"""What becomes of `time.sleep()`."""

from __future__ import annotations

import pytest
from cases import found, mended

HEAD = "import asyncio\nimport threading\nimport time\n\nLOCK = threading.Lock()\n\n\nasync def f(self):\n"


def fixed(body: str, *, unsafe: bool = False) -> str:
    text = mended(HEAD + body, unsafe=unsafe).text
    assert text.startswith(HEAD)
    return text.removeprefix(HEAD)


def test_a_sleep_that_is_awaited_already_only_gets_its_name() -> None:
    assert fixed("    await time.sleep(1)\n") == "    await asyncio.sleep(1)\n"


@pytest.mark.parametrize("taking", ["asyncio.create_task", "asyncio.gather", "await asyncio.wait_for"])
def test_a_sleep_that_is_meant_to_be_a_coroutine_becomes_one(taking: str) -> None:
    assert fixed(f"    {taking}(time.sleep(1), 2)\n") == f"    {taking}(asyncio.sleep(1), 2)\n"


def test_a_sleep_that_a_constant_rules_out_is_left() -> None:
    body = "    if True:  # ASYNC\n        await asyncio.sleep(1)\n    else:\n        time.sleep(1)\n"
    assert fixed(body, unsafe=True) == body


def test_a_lock_may_be_held_by_hand() -> None:
    body = "    {}.acquire()\n    try:\n        {}.sleep(1)\n    finally:\n        {}.release()\n"
    assert fixed(body.format("self", "time", "self")) == body.format("self", "time", "self")


@pytest.mark.parametrize(
    ("body", "safe"),
    [
        ("    self.acquire()\n    time.sleep(1)\n    self.release()\n", False),
        ("    self.acquire()\n    if self:\n        time.sleep(1)\n    self.release()\n", False),
        ("    self.acquire()\n    self.release()\n    time.sleep(1)\n", True),
        ("    await self.acquire()\n    time.sleep(1)\n    self.release()\n", True),
    ],
)
def test_a_lock_may_be_taken_and_released_by_hand(body: str, safe: bool) -> None:
    assert fixed(body) == (body.replace("time.", "await asyncio.") if safe else body)


def test_a_name_that_is_deleted_is_not_used() -> None:
    source = "import asyncio, time\ndel asyncio\nasync def f():\n    time.sleep(1)\n"
    assert mended(source).text == source


@pytest.mark.parametrize("lock", ["LOCK", "self.lock"])
def test_it_is_unsafe_to_let_others_run_while_a_thread_lock_is_held(lock: str) -> None:
    body = f"    with {lock}:\n        time.sleep(1)\n"
    assert fixed(body) == body
    assert "would be held" in next(finding.fix.unsafe for finding in found(HEAD + body) if finding.fix)
    assert fixed(body, unsafe=True) == body.replace("time", "await asyncio")


def test_other_context_managers_make_no_difference() -> None:
    assert fixed("    with open(self):\n        time.sleep(1)\n") == (
        "    with open(self):\n        await asyncio.sleep(1)\n"
    )


@pytest.mark.parametrize("body", ["    class A:\n        time.sleep(1)\n", "    list(time.sleep(x) for x in self)\n"])
def test_it_stays_where_no_await_can_stand(body: str) -> None:
    assert fixed(body, unsafe=True) == body


def test_a_generator_coroutine_must_become_an_async_def_first() -> None:
    text = "import time, types\n@types.coroutine\ndef f():\n    time.sleep(1)\n    yield\n"
    (finding,) = [f for f in found(text) if f.rule.code == "AIO101"]
    assert finding.fix is None
    assert "async def" in finding.refusal
