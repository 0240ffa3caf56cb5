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
