"""Long work and many tasks: what it costs to let others run, to bound a queue by size, and to bound tasks by number."""

from __future__ import annotations

import asyncio
from time import perf_counter, process_time

import asyncpatterns

BUDGET_MS = 5.0
ITEMS_PER_CHECKPOINT = 16
WORKERS = 10
TASKS_AT_ONCE = 100
ITEM = b"x" * 100


def step(total: int, item: int) -> int:
    """What is done with an item of the long work: about as much as one call of a function."""
    return (total * 31 + item) & 0xFFFFFFFF


async def with_checkpoints(items: int) -> float:
    """Seconds of a long loop with a checkpoint every so many items."""
    begin = process_time()
    total = 0
    for item in range(items):
        total = step(total, item)
        if not item % ITEMS_PER_CHECKPOINT:
            await asyncpatterns.checkpoint(BUDGET_MS)
    return process_time() - begin


async def bare_loop(items: int) -> float:
    """Seconds of the loop by itself."""
    begin = process_time()
    total = 0
    for item in range(items):
        total = step(total, item)
    return process_time() - begin


async def latency(items: int) -> float:
    """The longest that another task waited for its turn among ten with checkpoints, as a share of the budget."""
    workers = [asyncio.create_task(with_checkpoints(items)) for _ in range(WORKERS)]
    longest = 0.0
    while not all(worker.done() for worker in workers):
        begin = perf_counter()
        await asyncio.sleep(0)
        longest = max(longest, perf_counter() - begin)
    return longest / (BUDGET_MS / 1000)


async def sized_queue(items: int) -> float:
    """Seconds of put and get, bounded by the sum of sizes."""
    return await _put_and_get(asyncpatterns.SizedQueue(1 << 20, size=len), items)


async def plain_queue(items: int) -> float:
    """Seconds of put and get, bounded by the number of items."""
    return await _put_and_get(asyncio.Queue(1 << 10), items)


async def _put_and_get(queue: asyncpatterns.SizedQueue[bytes] | asyncio.Queue[bytes], items: int) -> float:
    begin = process_time()
    for _ in range(items):
        await queue.put(ITEM)
        await queue.get()
    return process_time() - begin


async def task_pool(tasks: int) -> float:
    """Seconds of many tasks, so many at once, in a TaskPool."""
    done: list[int] = []

    async def job(number: int) -> None:
        await asyncio.sleep(0)
        done.append(number)

    begin = process_time()
    async with asyncpatterns.TaskPool(TASKS_AT_ONCE) as pool:
        for number in range(tasks):
            await pool.spawn(job, number)
    seconds = process_time() - begin
    assert len(done) == tasks, "a task did not run"
    return seconds


async def group_and_semaphore(tasks: int) -> float:
    """Seconds of many tasks, so many at once, in a TaskGroup with a Semaphore."""
    done: list[int] = []

    async def job(number: int) -> None:
        await asyncio.sleep(0)
        done.append(number)

    begin = process_time()
    room = asyncio.Semaphore(TASKS_AT_ONCE)
    async with asyncio.TaskGroup() as group:
        for number in range(tasks):
            await room.acquire()
            group.create_task(job(number)).add_done_callback(lambda _: room.release())
    seconds = process_time() - begin
    assert len(done) == tasks, "a task did not run"
    return seconds
