from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from asyncpatterns import QueueShutDown, SizedQueue
from hypothesis import given
from hypothesis import strategies as st

Run = Callable[[Coroutine[Any, Any, Any]], Any]


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def numbers(max_size: int) -> SizedQueue[int]:
    """Make a queue of numbers whose size is their value."""
    return SizedQueue(max_size, size=lambda number: number)


class FlawedQueue:
    """Bounded by the size of its items, and polls for room and for items."""

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self._items: deque[bytes] = deque()

    async def put(self, item: bytes) -> None:
        while sum(map(len, self._items)) + len(item) > self._max_size:  # noqa: ASYNC110 - the flaw that the tests show
            await asyncio.sleep(0.1)
        self._items.append(item)

    async def get(self) -> tuple[int, bytes]:
        while not self._items:  # noqa: ASYNC110 - the flaw that the tests show
            await asyncio.sleep(0.1)
        item = self._items.popleft()
        return len(item), item


async def time_to_pass(queue: Any) -> float:
    """Pass 100 items of which one fits, to a consumer that needs 1 ms for each; the time that takes."""

    async def produce() -> None:
        for _ in range(100):
            await queue.put(b"x")

    async def consume() -> None:
        for _ in range(100):
            await queue.get()
            await asyncio.sleep(0.001)

    await asyncio.gather(produce(), consume())
    return asyncio.get_running_loop().time()


def test_flawed_queue_polls(in_virtual_time: Run) -> None:
    assert in_virtual_time(time_to_pass(FlawedQueue(1))) > 3
    assert in_virtual_time(time_to_pass(asyncio.Queue(1))) == pytest.approx(0.1)
    assert in_virtual_time(time_to_pass(SizedQueue[bytes](1))) == pytest.approx(0.1)


async def put_a_large_item_among_small_ones(queue: Any) -> int:
    """Keep a queue of 4 nearly full of small items; how many of them overtake a large one."""
    for _ in range(4):
        await queue.put(b"x")
    large = asyncio.create_task(queue.put(b"large"[:4]))
    await asyncio.sleep(0)
    overtaken = 0
    for _ in range(20):
        await queue.get()
        small = asyncio.create_task(queue.put(b"x"))
        await asyncio.sleep(0.2)
        if large.done():
            break
        overtaken += small.done()
    for task in (large, small):
        task.cancel()
    await asyncio.wait([large, small])
    return overtaken


def test_flawed_queue_lets_small_items_overtake_a_large_one_for_ever(in_virtual_time: Run) -> None:
    assert in_virtual_time(put_a_large_item_among_small_ones(FlawedQueue(4))) == 20
    assert in_virtual_time(put_a_large_item_among_small_ones(SizedQueue[bytes](4))) == 0


# size


@pytest.mark.asyncio
async def test_the_bound_is_the_sum_of_the_sizes() -> None:
    queue = SizedQueue[bytes](10)
    await queue.put(b"1234")
    await queue.put(b"123456")
    assert (queue.qsize(), queue.total_size, queue.max_size, queue.full(), queue.empty()) == (2, 10, 10, True, False)
    with pytest.raises(asyncio.QueueFull):
        queue.put_nowait(b"1")
    assert repr(queue) == "<SizedQueue 10 of 10 in 2 items>"
    assert await queue.get() == b"1234"
    queue.put_nowait(b"1234")
    assert [await queue.get(), queue.get_nowait()] == [b"123456", b"1234"]
    assert (queue.qsize(), queue.total_size, queue.full(), queue.empty()) == (0, 0, False, True)
    with pytest.raises(asyncio.QueueEmpty):
        queue.get_nowait()


@pytest.mark.asyncio
async def test_an_item_larger_than_the_queue_is_a_value_error_at_once() -> None:
    queue = SizedQueue[bytes](3)
    await queue.put(b"123")
    for put in (queue.put_nowait, lambda item: queue.put(item).send(None)):
        with pytest.raises(ValueError, match="never fits"):
            put(b"1234")
    assert (queue.qsize(), queue.total_size) == (1, 3)


@pytest.mark.asyncio
async def test_items_without_size_take_no_room_but_do_not_overtake() -> None:
    queue = SizedQueue[bytes](1)
    for item in (b"", b"1", b""):
        queue.put_nowait(item)
    waiting = asyncio.create_task(queue.put(b"2"))
    await turns()
    with pytest.raises(asyncio.QueueFull):
        queue.put_nowait(b"")
    assert [await queue.get() for _ in range(4)] == [b"", b"1", b"", b"2"]
    await waiting


@pytest.mark.asyncio
async def test_a_size_is_asked_once_and_may_be_any_function() -> None:
    asked: list[list[int]] = []

    def size(item: list[int]) -> int:
        asked.append(item)
        return len(item)

    queue = SizedQueue[list[int]](3, size=size)
    item = [1, 2]
    await queue.put(item)
    item.append(3)  # what it should not do, yet the queue keeps count
    assert await queue.get() == [1, 2, 3]
    assert (len(asked), queue.total_size) == (1, 0)


@pytest.mark.asyncio
async def test_a_size_that_is_none_is_an_error_and_puts_nothing() -> None:
    with pytest.raises(ValueError, match="max_size"):
        SizedQueue[bytes](0)
    queue = numbers(3)
    with pytest.raises(ValueError, match="zero or more"):
        await queue.put(-1)
    unsized: SizedQueue[Any] = SizedQueue(3)
    with pytest.raises(TypeError, match="len"):
        await unsized.put(5)
    assert (queue.qsize(), unsized.qsize()) == (0, 0)


# waiting


@pytest.mark.asyncio
async def test_putters_are_served_in_their_order_and_a_large_item_is_not_overtaken() -> None:
    queue = numbers(10)
    await queue.put(10)
    putters = [asyncio.create_task(queue.put(size)) for size in (8, 1, 2, 1)]
    await turns()
    assert await queue.get() == 10
    await turns()
    assert [putter.done() for putter in putters] == [True, True, False, False]
    with pytest.raises(asyncio.QueueFull):
        queue.put_nowait(1)  # it would fit
    assert [await queue.get() for _ in range(4)] == [8, 1, 2, 1]
    await asyncio.gather(*putters)


@pytest.mark.asyncio
async def test_nobody_overtakes_a_putter_that_was_let_in_and_had_no_turn_yet() -> None:
    queue = numbers(10)
    await queue.put(10)
    waiting = asyncio.create_task(queue.put(1))
    await turns()
    assert queue.get_nowait() == 10
    with pytest.raises(asyncio.QueueFull):
        queue.put_nowait(2)
    late = asyncio.create_task(queue.put(2))
    assert [await queue.get() for _ in range(2)] == [1, 2]
    await asyncio.gather(waiting, late)


@pytest.mark.asyncio
async def test_getters_are_served_in_their_order_and_their_items_are_theirs() -> None:
    queue = numbers(10)
    getters = [asyncio.create_task(queue.get()) for _ in range(3)]
    await turns()
    for number in (1, 2):
        queue.put_nowait(number)
    with pytest.raises(asyncio.QueueEmpty):
        queue.get_nowait()
    queue.put_nowait(3)
    queue.put_nowait(4)
    assert queue.get_nowait() == 1  # there is one more than are promised
    assert sorted(await asyncio.gather(*getters)) == [2, 3, 4]


@pytest.mark.asyncio
@pytest.mark.parametrize("delay", range(4))
async def test_a_cancelled_put_has_put_nothing_and_lets_the_next_in(delay: int) -> None:
    queue = numbers(10)
    await queue.put(10)
    first, second = (asyncio.create_task(queue.put(size)) for size in (9, 5))
    await turns()
    if delay:
        queue.get_nowait()
    await turns(delay - 1)
    first.cancel()
    await asyncio.wait([first])
    if not delay:
        queue.get_nowait()
    got = [await asyncio.wait_for(queue.get(), 10)]
    if not first.cancelled():
        got.append(await asyncio.wait_for(queue.get(), 10))
    assert got == ([5] if first.cancelled() else [9, 5])
    await second
    assert (queue.total_size, queue._free, queue._reserved) == (0, 10, 0)


@pytest.mark.asyncio
@pytest.mark.parametrize("delay", range(4))
async def test_a_cancelled_get_has_taken_nothing_and_passes_it_on(delay: int) -> None:
    queue = numbers(10)
    first, second = (asyncio.create_task(queue.get()) for _ in range(2))
    await turns()
    queue.put_nowait(1)
    await turns(delay)
    first.cancel()
    await asyncio.wait([first])
    if not first.cancelled():
        queue.put_nowait(1)
    assert await asyncio.wait_for(second, 10) == 1
    assert (queue.qsize(), queue._promised) == (0, 0)


@pytest.mark.asyncio
async def test_timeouts_leave_no_waiter() -> None:
    queue = numbers(1)
    for _ in range(20):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await queue.get()
    assert not queue._getters
    await queue.put(1)
    for _ in range(20):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await queue.put(1)
    assert (queue.qsize(), len(queue._putters), len(queue._getters), queue._line) == (1, 0, 0, 0)


# join


@pytest.mark.asyncio
async def test_join_waits_until_every_item_is_done() -> None:
    queue = numbers(5)
    await queue.join()
    queue.put_nowait(1)
    queue.put_nowait(2)
    joins = [asyncio.create_task(queue.join()) for _ in range(2)]
    for _ in range(2):
        await turns()
        assert not any(join.done() for join in joins)
        await queue.get()
        queue.task_done()
    await asyncio.gather(*joins)
    with pytest.raises(ValueError, match="more often"):
        queue.task_done()


# shutdown


def test_the_exception_is_that_of_asyncio_where_there_is_one() -> None:
    assert QueueShutDown is getattr(asyncio, "QueueShutDown", QueueShutDown)
    assert (QueueShutDown.__module__ == "asyncio.queues") == (sys.version_info >= (3, 13))


@pytest.mark.asyncio
async def test_shutdown_refuses_putters_and_gives_what_is_left() -> None:
    queue = numbers(3)
    await queue.put(3)
    putter = asyncio.create_task(queue.put(1))
    await turns()
    queue.shutdown()
    queue.shutdown()
    with pytest.raises(QueueShutDown):
        await asyncio.wait_for(putter, 10)
    with pytest.raises(QueueShutDown):
        await queue.put(1)
    with pytest.raises(QueueShutDown):
        queue.put_nowait(1)
    assert repr(queue) == "<SizedQueue 3 of 3 in 1 items, shut down>"
    assert await queue.get() == 3
    with pytest.raises(QueueShutDown):
        await queue.get()
    with pytest.raises(QueueShutDown):
        queue.get_nowait()


@pytest.mark.asyncio
async def test_shutdown_wakes_getters_but_not_those_whose_item_is_there() -> None:
    queue = numbers(3)
    getters = [asyncio.create_task(queue.get()) for _ in range(3)]
    await turns()
    queue.put_nowait(1)
    queue.shutdown()
    results = await asyncio.wait_for(asyncio.gather(*getters, return_exceptions=True), 10)
    assert results[0] == 1
    assert all(isinstance(result, QueueShutDown) for result in results[1:])
    assert results[1] is not results[2]


@pytest.mark.asyncio
@pytest.mark.parametrize("immediate", [False, True])
async def test_shutdown_refuses_a_putter_that_was_let_in_and_had_no_turn_yet(immediate: bool) -> None:
    queue = numbers(3)
    await queue.put(3)
    putter = asyncio.create_task(queue.put(2))
    await turns()
    await queue.get()
    queue.shutdown(immediate)
    with pytest.raises(QueueShutDown):
        await asyncio.wait_for(putter, 10)
    assert (queue.total_size, queue._free) == (0, 3)


@pytest.mark.asyncio
async def test_immediate_shutdown_discards_what_is_left_and_ends_join() -> None:
    queue = numbers(3)
    getter = asyncio.create_task(queue.get())
    await turns()
    for _ in range(3):
        queue.put_nowait(1)
    join = asyncio.create_task(queue.join())
    await turns(0)
    queue.shutdown(immediate=True)
    with pytest.raises(QueueShutDown):
        await asyncio.wait_for(getter, 10)
    await asyncio.wait_for(join, 10)
    assert (queue.empty(), queue.total_size) == (True, 0)


# who may


def test_another_loop_is_a_runtime_error_when_somebody_waits() -> None:
    queue = numbers(1)
    asyncio.run(queue.put(1))
    with pytest.raises(RuntimeError, match="another event loop"):
        asyncio.run(queue.put(1))
    asyncio.run(queue.get())
    with pytest.raises(RuntimeError, match="another event loop"):
        asyncio.run(queue.get())
    queue.shutdown()


@pytest.mark.asyncio
async def test_another_thread_is_told_what_to_do_and_changes_nothing() -> None:
    queue = numbers(1)
    getter = asyncio.create_task(queue.get())
    await turns()
    with pytest.raises(RuntimeError, match="run_coroutine_threadsafe"):
        await asyncio.to_thread(queue.put_nowait, 1)
    assert queue.empty()
    loop = asyncio.get_running_loop()
    await asyncio.to_thread(lambda: asyncio.run_coroutine_threadsafe(queue.put(1), loop).result(10))
    assert await getter == 1
    queue.put_nowait(1)
    putter = asyncio.create_task(queue.put(1))
    await turns()
    with pytest.raises(RuntimeError, match="another event loop"):
        await asyncio.to_thread(queue.get_nowait)
    assert queue.qsize() == 1
    with pytest.raises(RuntimeError, match="another event loop"):
        await asyncio.to_thread(queue.shutdown)
    queue.get_nowait()
    await putter


def test_without_a_loop_put_nowait_is_a_runtime_error() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        numbers(1).put_nowait(1)


# random schedules

Step = tuple[str, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "put",
                "put",
                "put_nowait",
                "put in time",
                "get",
                "get",
                "get_nowait",
                "get in time",
                "cancel",
                "turn",
                "turn",
            ]
        ),
        st.integers(0, 5),
    ),
    max_size=60,
)


def schedule(steps: list[Step]) -> Coroutine[Any, Any, None]:
    """Play the steps; check after each turn that the bound holds and that nobody waits in vain."""

    async def main() -> None:
        queue = SizedQueue[tuple[int, int]](6, size=lambda item: item[1])
        asked: list[tuple[int, int]] = []  # in the order of the calls
        put: set[tuple[int, int]] = set()
        got: list[tuple[int, int]] = []
        tasks: list[asyncio.Task[None]] = []

        async def putting(item: tuple[int, int], limit: float | None) -> None:
            async with asyncio.timeout(limit):
                await queue.put(item)
                put.add(item)

        async def getting(limit: float | None) -> None:
            async with asyncio.timeout(limit):
                got.append(await queue.get())

        async def settled() -> None:
            await turns(12 + len(tasks))
            assert queue.total_size == sum(size for _, size in (item for item, _ in queue._items))
            assert queue._reserved == queue._promised == 0
            assert queue._line == len(queue._putters)
            assert not (queue._items and queue._getters)
            assert not queue._putters or queue._putters[0][1] > queue._free

        for number, (action, size) in enumerate(steps):
            item = (number, size + (action == "put in time"))
            if action in ("put", "put in time"):
                asked.append(item)
                tasks.append(asyncio.create_task(putting(item, size / 10 if "time" in action else None)))
                await asyncio.sleep(0)  # so that the calls come in this order
            elif action == "put_nowait":
                try:
                    queue.put_nowait(item)
                except asyncio.QueueFull:
                    pass
                else:
                    asked.append(item)
                    put.add(item)
            elif action in ("get", "get in time"):
                tasks.append(asyncio.create_task(getting(size / 10 if "time" in action else None)))
            elif action == "get_nowait" and queue.qsize() > queue._promised:
                got.append(queue.get_nowait())
            elif action == "cancel" and tasks:
                tasks[-1 - size % len(tasks)].cancel()
            elif action == "turn":
                await (settled() if size == 5 else turns(size))
            assert queue.total_size <= queue.max_size
            assert queue._free >= 0
        await asyncio.sleep(1)  # the timeouts are over
        await settled()
        left: list[tuple[int, int]] = []
        getters = [task for task in tasks if not task.done()]
        while queue.qsize():
            left.append(await queue.get())
            await settled()
        for task in getters:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        everything = [*got, *left]
        assert sorted(everything) == sorted(put)  # none lost, none doubled, none of a put that failed
        order = {item: position for position, item in enumerate(asked)}
        assert [order[item] for item in left] == sorted(order[item] for item in left)
        assert (queue.total_size, queue._free, queue._line, queue._promised) == (0, 6, 0, 0)

    return main()


@pytest.mark.stress
def test_random_schedules_lose_nothing_and_keep_the_order(in_virtual_time: Run) -> None:
    @given(STEPS)
    def check(steps: list[Step]) -> None:
        in_virtual_time(schedule(steps))

    check()
