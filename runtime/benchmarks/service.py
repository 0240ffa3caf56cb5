"""What a service's life costs: sleeping so that a stop ends it, and the time from SIGTERM to the end of the process."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from time import perf_counter, process_time
from typing import Any

import asyncpatterns

SLEEPERS = 100
# As short as can be, so that it is the cost of a sleep that is measured.
DELAY = 1e-6

SERVICE = """
import asyncpatterns

async def main(stop):
    print("asleep", flush=True)
    await stop.sleep(60)
    print("awake", flush=True)

asyncpatterns.run(main, grace=5)
"""


async def sleeps(sleep: Callable[[float], Awaitable[Any]], times: int) -> float:
    """Seconds that tasks take which do nothing but sleep, a number of times each."""

    async def sleeper() -> None:
        for _ in range(times):
            await sleep(DELAY)

    begin = process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(SLEEPERS):
            group.create_task(sleeper())
    return process_time() - begin


async def ours(times: int) -> float:
    """Stop.sleep."""
    return await sleeps(asyncpatterns.Stop().sleep, times)


async def plain(times: int) -> float:
    """asyncio.sleep."""
    return await sleeps(asyncio.sleep, times)


async def terminated() -> float:
    """Seconds from SIGTERM to the exit of a process that sleeps for a minute."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SERVICE, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    await process.stdout.readline()
    begin = perf_counter()
    process.send_signal(signal.SIGTERM)
    status = await process.wait()
    seconds = perf_counter() - begin
    assert status == -signal.SIGTERM, f"the process ended with {status}"
    assert await process.stdout.read() == b"awake\n", "the process did not end in order"
    return seconds
