"""What AIO101 awaits in place of `time.sleep()`, by the event loop that a file runs under."""

from __future__ import annotations

import pytest
from cases import found, mended

CODE = "import time\n{}\nasync def f():\n    time.sleep(1)\n"


@pytest.mark.parametrize(
    ("imported", "awaited"),
    [
        ("import abc", "asyncio.sleep"),
        ("import trio", "trio.sleep"),
        ("import trio, asyncio", "asyncio.sleep"),
        ("from curio import sleep as nap", "nap"),
        ("import anyio", "anyio.sleep"),
        ("import anyio, asyncio", "anyio.sleep"),
        ("from anyio import to_thread", "anyio.sleep"),
        ("import asyncio, twisted", "asyncio.sleep"),
    ],
)
def test_the_sleep_of_the_loop(imported: str, awaited: str) -> None:
    result = mended(CODE.format(imported), unsafe=False)
    assert f"    await {awaited}(1)\n" in result.text
    assert found(result.text) == []


@pytest.mark.parametrize(
    ("head", "awaited"),
    [
        ("import pytest\n\npytestmark = pytest.mark.trio", "trio.sleep"),
        ("import pytest\n\n@pytest.mark.trio", "trio.sleep"),
        ("import asyncio, pytest\n\n@pytest.mark.trio", "asyncio.sleep"),
        ("import pytest\n\n@pytest.mark.asyncio", "asyncio.sleep"),
        ("from marks import pytest\n\n@pytest.mark.trio", "asyncio.sleep"),
    ],
)
def test_the_sleep_of_the_loop_that_tests_are_marked_with(head: str, awaited: str) -> None:
    assert f"    await {awaited}(1)\n" in mended(CODE.format(head)).text


def test_twisted_has_none() -> None:
    [finding] = found(CODE.format("from twisted.internet import defer"))
    assert finding.fix is None
    assert "asyncio" not in finding.message
    assert "twisted" in finding.refusal


@pytest.mark.parametrize(
    ("imported", "block"),
    [
        ("import asyncio", "async with asyncio.timeout(2)"),
        ("import anyio", "with lock, anyio.move_on_after(1) as scope"),
        ("from anyio import CancelScope", "with CancelScope() as scope"),
    ],
)
def test_a_sleep_that_a_time_limit_could_end_is_left_to_people(imported: str, block: str) -> None:
    code = f"import time\n{imported}\nasync def f(lock, done):\n    {block}:\n        time.sleep(1)\n        done()\n"
    [finding] = [finding for finding in found(code) if finding.rule.code == "AIO101"]
    assert finding.fix
    assert finding.fix.unsafe
    plain = code.replace("lock, anyio", "anyio")
    [finding] = [finding for finding in found(plain) if finding.rule.code == "AIO101"]
    assert finding.fix
    assert "could end it" in finding.fix.unsafe


@pytest.mark.parametrize(("name", "unsafe"), [("poll", ""), ("test_poll", "a test may stop the event loop on purpose")])
def test_a_test_may_mean_it(name: str, unsafe: str) -> None:
    [finding] = found(f"import time\nasync def {name}():\n    time.sleep(1)\n")
    assert finding.fix
    assert finding.fix.unsafe == unsafe
