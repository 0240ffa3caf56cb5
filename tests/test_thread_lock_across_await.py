"""AIO503: locks taken by hand, and blocks that are none."""

from __future__ import annotations

import pytest
from cases import found

from flake8_asyncpatterns.rules import RULES

AROUND = """\
import asyncio, threading

lock = threading.Lock()

async def work(job, wait=asyncio.sleep):
    {body}
"""

HELD = [
    "lock.acquire()\n    await job()\n    lock.release()",
    "lock.acquire(True, 5)\n    x = await job()\n    lock.release()\n    return x",
    "lock.acquire()\n    try:\n        await job()\n    finally:\n        job.end()\n        lock.release()",
    "lock.acquire()\n    x = 1\n    try:\n        [y async for y in job]\n    finally:\n        lock.release()",
    "try:\n        lock.acquire()\n        async with job:\n            pass\n    finally:\n        lock.release()",
    "with lock:\n        if job:\n            return await job()",
]
FREE = [
    "lock.acquire()\n    job()\n    lock.release()\n    await job()",
    "lock.acquire()\n    try:\n        job()\n    finally:\n        lock.release()\n    await job()",
    "lock.acquire(False)\n    await job()\n    lock.release()",
    "lock.acquire(blocking=False)\n    await job()\n    lock.release()",
    "taken = lock.acquire()\n    await job()",
    "await job()\n    with lock:\n        job.end()",
    "with lock:\n        return lambda: asyncio.run(job())",
    "with lock:\n        lock.release()\n        await job()",
    "with job.lock:\n        await job()",
]


@pytest.mark.parametrize("body", HELD)
def test_a_lock_held_while_others_run_is_reported(body: str) -> None:
    assert len(found(AROUND.format(body=body), [RULES["AIO503"]])) == 1


@pytest.mark.parametrize("body", FREE)
def test_a_lock_free_while_others_run_is_not(body: str) -> None:
    assert found(AROUND.format(body=body), [RULES["AIO503"]]) == []


def test_a_reentrant_lock_is_said_to_guard_nothing() -> None:
    source = AROUND.replace("threading.Lock", "threading.RLock").format(body="with lock:\n        await job()")
    (finding,) = found(source)
    assert "lets every task of this one in" in finding.message
    assert [related.node.lineno for related in finding.related] == [7]  # type: ignore[attr-defined]  # an Await
