from __future__ import annotations

import asyncio
import contextlib
import gc
import math
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import pytest
from asyncpatterns import checkpoint, cooperative

Run = Callable[[Coroutine[Any, Any, Any]], Any]


class Clock:
    """Stands in for the clock that checkpoints read; it goes on only when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def work(self, ms: float) -> None:
        self.now += ms / 1000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("asyncpatterns.turns.monotonic", clock)
    return clock


class Heart:
    """Beats once in every turn of the loop, and notes how long each took."""

    def __init__(self, clock: Clock) -> None:
        self.gaps: list[float] = []
        self._clock = clock
        self._last = clock.now
        self._handle = asyncio.get_running_loop().call_soon(self._beat)

    def _beat(self) -> None:
        self.gaps.append((self._clock.now - self._last) * 1000)
        self._last = self._clock.now
        self._handle = asyncio.get_running_loop().call_soon(self._beat)

    def stop(self) -> float:
        """Stop beating; the longest turn in ms."""
        self._handle.cancel()
        return max(self.gaps)


async def latency(clock: Clock, worker: Callable[[Clock], Coroutine[Any, Any, None]]) -> float:
    heart = Heart(clock)
    await asyncio.gather(*(worker(clock) for _ in range(10)))
    return heart.stop()


async def with_checkpoint(clock: Clock) -> None:
    for _ in range(100):
        clock.work(0.1)
        await checkpoint()


async def with_cooperative(clock: Clock) -> None:
    async for _ in cooperative(range(100)):
        clock.work(0.1)


async def with_a_budget_of_its_own(clock: Clock) -> None:
    started = clock.now
    for _ in range(100):
        clock.work(0.1)
        if (clock.now - started) * 1000 >= 5:
            await asyncio.sleep(0)
            started = clock.now


@pytest.mark.asyncio
async def test_flawed_budget_of_each_task_adds_up(clock: Clock) -> None:
    assert await latency(clock, with_a_budget_of_its_own) >= 50


@pytest.mark.asyncio
@pytest.mark.parametrize("worker", [with_checkpoint, with_cooperative])
async def test_ten_tasks_hold_up_the_loop_no_longer_than_one(
    clock: Clock, worker: Callable[[Clock], Coroutine[Any, Any, None]]
) -> None:
    assert await latency(clock, worker) <= 1.5 * 5


@pytest.mark.asyncio
async def test_flawed_chain_of_callbacks_cannot_be_awaited_or_cancelled() -> None:
    done: list[int] = []

    def step(number: int) -> None:
        done.append(number)
        if number < 9:
            asyncio.get_running_loop().call_soon(step, number + 1)

    async def flawed() -> None:
        asyncio.get_running_loop().call_soon(step, 0)

    async def ours() -> None:
        for number in range(10):
            done.append(number)
            await checkpoint(0)

    task = asyncio.create_task(flawed())
    await task
    assert len(done) < 10  # "awaited", but not over
    task.cancel()
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(done) == 10  # nor does cancelling stop it
    done.clear()
    await ours()
    assert len(done) == 10
    done.clear()
    task = asyncio.create_task(ours())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(done) < 10


def test_flawed_chain_of_calls_ends_in_recursion() -> None:
    def step(loop: asyncio.AbstractEventLoop, number: int) -> None:
        loop.call_soon(step(loop, number + 1))  # type: ignore[func-returns-value, arg-type]  # noqa: AIO201

    async def main() -> None:
        step(asyncio.get_running_loop(), 0)

    with pytest.raises(RecursionError):
        asyncio.run(main())


# checkpoint


def steps_until_others_run(worker: Callable[[list[int]], Coroutine[Any, Any, None]]) -> Coroutine[Any, Any, int]:
    async def main() -> int:
        steps: list[int] = []
        seen: list[int] = []
        asyncio.get_running_loop().call_soon(lambda: seen.append(len(steps)))
        await worker(steps)
        return seen[0] if seen else len(steps) + 1

    return main()


@pytest.mark.asyncio
@pytest.mark.parametrize(("max_ms", "steps"), [(4.5, 6), (1.5, 3), (0, 1), (math.inf, 101)])
async def test_checkpoint_gives_way_when_the_time_is_up(clock: Clock, max_ms: float, steps: int) -> None:
    async def work(done: list[int]) -> None:
        for number in range(100):
            done.append(number)
            await checkpoint(max_ms)
            clock.work(1)

    assert await steps_until_others_run(work) == steps


@pytest.mark.asyncio
async def test_the_time_counts_from_the_first_checkpoint_of_a_turn(clock: Clock) -> None:
    heart = Heart(clock)
    for _ in range(50):
        await checkpoint()
        clock.work(1)
        await asyncio.sleep(0)  # the loop has its turn anyway
    beats = len(heart.gaps)
    heart.stop()
    assert beats <= 51


@pytest.mark.asyncio
async def test_tasks_that_gave_way_take_turns_and_each_gets_its_time(clock: Clock) -> None:
    trace: list[str] = []

    async def work(name: str) -> None:
        for _ in range(30):
            trace.append(name)
            clock.work(1)
            await checkpoint()

    await asyncio.gather(work("a"), work("b"), work("c"))
    switches = [name for name, before in zip(trace, [None, *trace], strict=False) if name != before]
    assert switches[3:12] == ["a", "b", "c"] * 3
    longest = max(len(run) for run in "".join(trace).replace("ab", "a b").replace("bc", "b c").split())
    assert longest >= 5


@pytest.mark.asyncio
async def test_a_task_that_gave_way_gets_its_time_although_others_take_long(clock: Clock) -> None:
    steps: list[int] = []

    async def work() -> None:
        while True:
            steps.append(1)
            clock.work(1)
            await checkpoint(4.5)

    worker = asyncio.create_task(work())
    for _ in range(20):
        clock.work(50)
        await asyncio.sleep(0)
    worker.cancel()
    await asyncio.wait([worker])
    assert len(steps) >= 5 * 8  # it runs in every other turn at least


@pytest.mark.asyncio
async def test_a_checkpoint_that_gives_way_raises_cancelled_error(clock: Clock) -> None:
    async def work() -> None:
        while True:
            clock.work(10)
            await checkpoint()

    workers = [asyncio.create_task(work()) for _ in range(3)]
    for _ in range(4):
        await asyncio.sleep(0)
    workers[0].cancel()
    workers[1].cancel()
    await asyncio.wait(workers[:2])
    assert not workers[2].done()
    workers[2].cancel()
    await asyncio.wait(workers)
    assert all(worker.cancelled() for worker in workers)


@pytest.mark.asyncio
@pytest.mark.parametrize("delay", range(6))
async def test_a_cancelled_task_passes_its_turn_on(clock: Clock, delay: int) -> None:
    async def work() -> int:
        for _ in range(20):
            clock.work(10)
            await checkpoint()
        return 1

    workers = [asyncio.create_task(work()) for _ in range(5)]
    for _ in range(delay):
        await asyncio.sleep(0)
    for worker in workers[1:4]:
        worker.cancel()
    results = await asyncio.wait_for(asyncio.gather(*workers, return_exceptions=True), 10)
    assert (results[0], results[4]) == (1, 1)


def test_nothing_is_left_to_do_when_nobody_waits(in_virtual_time: Run, deadlock: type[Exception]) -> None:
    async def main() -> None:
        await checkpoint(0)
        await asyncio.get_running_loop().create_future()

    with pytest.raises(deadlock):  # an idle loop, not a busy one
        in_virtual_time(main())


@pytest.mark.parametrize("max_ms", [-1, math.nan])
def test_a_time_that_is_none_is_a_value_error(max_ms: float) -> None:
    with pytest.raises(ValueError, match="max_ms"):
        asyncio.run(checkpoint(max_ms))
    with pytest.raises(ValueError, match="max_ms"):
        cooperative([1], max_ms=max_ms)


def test_without_a_loop_it_is_a_runtime_error() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        checkpoint().send(None)


def test_loops_one_after_the_other_in_one_thread(clock: Clock) -> None:
    for _ in range(3):
        loop = asyncio.new_event_loop()
        task = loop.create_task(with_checkpoint(clock))
        loop.call_soon(loop.stop)
        loop.run_forever()  # stops in the midst of a turn
        assert asyncio.run(latency(clock, with_checkpoint)) <= 1.5 * 5
        loop.run_until_complete(task)
        loop.close()


def test_loops_in_several_threads_do_not_mind_each_other() -> None:
    passed: list[int] = []

    async def work() -> int:
        for _ in range(200):
            await checkpoint(0)
        return 1

    async def main() -> None:
        passed.append(sum(await asyncio.gather(*(work() for _ in range(5)))))

    threads = [threading.Thread(target=asyncio.run, args=[main()]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert passed == [5] * 4


@pytest.mark.filterwarnings("ignore:coroutine:RuntimeWarning")
def test_a_loop_that_is_given_up_is_not_kept() -> None:
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # "Task was destroyed but it is pending"
    task = loop.create_task(checkpoint(0))
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert not task.done()
    loop.close()
    reference = weakref.ref(loop)
    del loop, task
    gc.collect()
    assert reference() is None


# cooperative


@pytest.mark.asyncio
@pytest.mark.parametrize("iterable", [[1, 2, 3], (1, 2, 3), range(1, 4), {1: 0, 2: 0, 3: 0}])
async def test_cooperative_gives_every_item_in_order_and_ends(iterable: Any) -> None:
    numbers = cooperative(iterable)
    assert [number async for number in numbers] == [1, 2, 3]
    with pytest.raises(StopAsyncIteration):
        await anext(numbers)


@pytest.mark.asyncio
async def test_cooperative_gives_way_after_one_step_that_takes_long(clock: Clock) -> None:
    def slow() -> Iterator[int]:
        for number in range(5):
            clock.work(20)
            yield number

    heart = Heart(clock)
    assert [number async for number in cooperative(slow())] == list(range(5))
    assert heart.stop() <= 21


@pytest.mark.asyncio
async def test_cooperative_gives_way_also_where_there_was_no_item(clock: Clock) -> None:
    def empty() -> Iterator[int]:
        clock.work(3)
        yield from ()

    heart = Heart(clock)
    for _ in range(20):
        async for _ in cooperative(empty()):
            pass
    assert heart.stop() <= 7


@pytest.mark.asyncio
async def test_leaving_early_closes_the_generator_at_once() -> None:
    closed: list[str] = []

    def numbers(name: str) -> Iterator[int]:
        try:
            yield from range(10)
        finally:
            closed.append(name)

    async for _ in cooperative(numbers("break")):
        break
    assert closed == ["break"]

    async def fail() -> None:
        async for _ in cooperative(numbers("raise")):
            raise ValueError("body")

    with pytest.raises(ValueError, match="body"):
        await fail()
    assert closed == ["break", "raise"]
    async with contextlib.aclosing(cooperative(numbers("aclosing"))) as kept:
        await anext(kept)
    assert closed == ["break", "raise", "aclosing"]
    referred_to = numbers("referred to")
    async with contextlib.aclosing(cooperative(referred_to)) as another:
        await anext(another)
    assert next(referred_to, None) is None
    with pytest.raises(StopAsyncIteration):
        await anext(kept)


@pytest.mark.asyncio
async def test_a_generator_that_is_kept_can_go_on_after_break() -> None:
    numbers = iter(number for number in range(4))
    async for _ in cooperative(numbers):
        break
    assert [number async for number in cooperative(numbers)] == [1, 2, 3]


@pytest.mark.asyncio
async def test_a_cancellation_while_it_gives_way_loses_nothing() -> None:
    numbers = cooperative(range(20), max_ms=0)
    got: list[int] = []

    async def consume() -> None:
        async for number in numbers:
            got.append(number)

    for delay in range(8):
        consumer = asyncio.create_task(consume())
        for _ in range(delay % 4):
            await asyncio.sleep(0)
        consumer.cancel()
        await asyncio.wait([consumer])
    await consume()
    assert got == list(range(20))


@pytest.mark.asyncio
async def test_tasks_that_share_an_iterator_share_its_items() -> None:
    numbers = cooperative(range(50), max_ms=0)
    got: list[int] = []

    async def consume() -> None:
        async for number in numbers:
            got.append(number)

    await asyncio.gather(*(consume() for _ in range(5)))
    assert sorted(got) == list(range(50))


@pytest.mark.asyncio
async def test_what_a_step_raises_comes_out_unchanged() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise KeyError("step")

    numbers = cooperative(broken())
    assert await anext(numbers) == 1
    with pytest.raises(KeyError, match="step"):
        await anext(numbers)
    with pytest.raises(StopAsyncIteration):
        await anext(numbers)


@pytest.mark.asyncio
async def test_cooperative_says_what_to_do_with_an_asynchronous_iterable() -> None:
    async def numbers() -> AsyncIterator[int]:
        yield 1

    with pytest.raises(TypeError, match=r"checkpoint\(\)"):
        cooperative(numbers())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="int"):
        cooperative(1)  # type: ignore[arg-type]
