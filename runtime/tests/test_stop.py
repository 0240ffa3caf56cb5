from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from asyncpatterns import Stop

Run = Callable[[Coroutine[Any, Any, Any]], Any]


def test_sleep_to_the_end_is_true(in_virtual_time: Run) -> None:
    async def main() -> tuple[bool, float]:
        slept = await Stop().sleep(60)
        return slept, asyncio.get_running_loop().time()

    assert in_virtual_time(main()) == (True, pytest.approx(60))


def test_set_ends_every_sleep_at_once(in_virtual_time: Run) -> None:
    async def main() -> tuple[list[bool], float]:
        stop = Stop()
        loop = asyncio.get_running_loop()
        loop.call_later(1, stop.set)
        slept = await asyncio.gather(*(stop.sleep(60 + n) for n in range(10)))
        return slept, loop.time()

    assert in_virtual_time(main()) == ([False] * 10, pytest.approx(1))


def test_a_stop_that_comes_during_the_work_ends_the_next_sleep(in_virtual_time: Run) -> None:
    async def main() -> tuple[bool, float]:
        stop = Stop()
        stop.set()
        return await stop.sleep(60), asyncio.get_running_loop().time()

    assert in_virtual_time(main()) == (False, 0)


def test_flawed_set_of_sleeps_misses_a_stop_that_comes_during_the_work(in_virtual_time: Run) -> None:
    class Sleeps:
        def __init__(self) -> None:
            self.tasks: set[asyncio.Task[None]] = set()

        async def sleep(self, delay: float) -> None:
            task = asyncio.ensure_future(asyncio.sleep(delay))
            self.tasks.add(task)
            try:
                await task
            finally:
                self.tasks.discard(task)

        def cancel(self) -> None:
            for task in self.tasks:
                task.cancel()

    async def working() -> float:
        sleeps = Sleeps()
        sleeps.cancel()
        await sleeps.sleep(60)
        return asyncio.get_running_loop().time()

    async def sleeping() -> None:
        sleeps = Sleeps()
        asyncio.get_running_loop().call_later(1, sleeps.cancel)
        await sleeps.sleep(60)

    assert in_virtual_time(working()) == pytest.approx(60)
    with pytest.raises(asyncio.CancelledError):
        in_virtual_time(sleeping())


def test_the_first_reason_stays() -> None:
    stop = Stop()
    assert (stop.is_set(), stop.reason) == (False, None)
    stop.set("first")
    stop.set("second")
    stop.set_threadsafe("third")
    assert (stop.is_set(), stop.reason) == (True, "first")
    assert repr(stop) == "<Stop set: 'first'>"
    assert repr(Stop()) == "<Stop not set>"


def test_wait_waits_for_set(in_virtual_time: Run) -> None:
    async def main() -> float:
        stop = Stop()
        loop = asyncio.get_running_loop()
        loop.call_later(5, stop.set)
        await stop.wait()
        await stop.wait()
        return loop.time()

    assert in_virtual_time(main()) == pytest.approx(5)


@pytest.mark.asyncio
async def test_sleep_of_zero_lets_others_run() -> None:
    stop = Stop()
    ran: list[int] = []
    asyncio.get_running_loop().call_soon(ran.append, 1)
    assert await stop.sleep(0)
    assert ran == [1]
    assert await stop.sleep(-1)
    asyncio.get_running_loop().call_soon(stop.set)
    assert not await stop.sleep(0)


@pytest.mark.asyncio
async def test_sleep_refuses_nan() -> None:
    with pytest.raises(ValueError, match="NaN"):
        await Stop().sleep(math.nan)


def test_cancelling_a_sleep_leaves_no_timer_and_no_waiter(in_virtual_time: Run) -> None:
    async def main() -> float:
        stop = Stop()
        sleeper = asyncio.create_task(stop.sleep(60))
        await asyncio.sleep(0)
        sleeper.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sleeper
        stop.set()
        await asyncio.sleep(0)
        return asyncio.get_running_loop().time()

    assert in_virtual_time(main()) == 0


def test_timer_and_set_in_one_turn_do_not_clash(in_virtual_time: Run) -> None:
    async def main() -> bool:
        stop = Stop()
        asyncio.get_running_loop().call_later(1, stop.set)
        asyncio.get_running_loop().call_later(1, stop.set)
        return await stop.sleep(1) in (True, False)

    assert in_virtual_time(main())


@pytest.mark.asyncio
async def test_set_threadsafe_wakes_from_another_thread_and_is_seen_there_at_once() -> None:
    stop = Stop()
    seen: list[bool] = []

    def other() -> None:
        stop.set_threadsafe("thread")
        seen.append(stop.is_set())

    sleeper = asyncio.create_task(stop.sleep(60))
    await asyncio.sleep(0)
    thread = threading.Thread(target=other)
    thread.start()
    async with asyncio.timeout(10):
        assert not await sleeper
    thread.join()
    assert seen == [True]
    assert stop.reason == "thread"


@pytest.mark.asyncio
async def test_set_from_another_thread_raises_instead_of_waking_late() -> None:
    stop = Stop()
    sleeper = asyncio.create_task(stop.sleep(60))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="set_threadsafe"):
        await asyncio.to_thread(stop.set)
    assert not stop.is_set()
    stop.set()
    assert not await sleeper


def test_another_loop_raises_runtime_error() -> None:
    stop = Stop()
    asyncio.run(stop.sleep(0))
    with pytest.raises(RuntimeError, match="another event loop"):
        asyncio.run(stop.sleep(0))


def test_it_can_be_set_before_and_after_its_loop() -> None:
    stop = Stop()
    asyncio.run(stop.sleep(0))
    stop.set_threadsafe("after")
    stop.set()
    assert stop.reason == "after"
    early = Stop()
    early.set("before")
    assert asyncio.run(early.sleep(60)) is False


def test_every_does_not_drift_by_the_time_of_the_work(in_virtual_time: Run) -> None:
    async def main() -> list[tuple[int, float]]:
        stop = Stop()
        loop = asyncio.get_running_loop()
        ticks = []
        async for tick in stop.every(60):
            ticks.append((tick, round(loop.time(), 6)))
            await asyncio.sleep(25)
            if tick == 3:
                stop.set()
        return ticks

    assert in_virtual_time(main()) == [(0, 0), (1, 60), (2, 120), (3, 180)]


def test_flawed_periodic_loop_drifts_by_the_time_of_the_work(in_virtual_time: Run) -> None:
    async def main() -> list[float]:
        began = []
        while len(began) < 4:
            began.append(round(asyncio.get_running_loop().time(), 6))
            await asyncio.sleep(25)
            await asyncio.sleep(60)
        return began

    assert in_virtual_time(main()) == [0, 85, 170, 255]


def test_every_skips_the_ticks_missed_during_the_work(in_virtual_time: Run) -> None:
    async def main() -> list[tuple[int, float]]:
        stop = Stop()
        loop = asyncio.get_running_loop()
        ticks = []
        async for tick in stop.every(10, first=5):
            ticks.append((tick, round(loop.time(), 6)))
            await asyncio.sleep({0: 25, 3: 10}.get(tick, 1))
            if tick == 5:
                stop.set()
        return ticks

    assert in_virtual_time(main()) == [(0, 5), (3, 35), (4, 45), (5, 55)]


def test_every_ends_at_once_when_stopped_between_ticks(in_virtual_time: Run) -> None:
    async def main() -> tuple[list[int], float]:
        stop = Stop()
        loop = asyncio.get_running_loop()
        loop.call_later(90, stop.set)
        return [tick async for tick in stop.every(60)], round(loop.time(), 6)

    assert in_virtual_time(main()) == ([0, 1], 90)


@pytest.mark.asyncio
async def test_every_does_not_tick_when_set_already() -> None:
    stop = Stop()
    stop.set()
    assert [tick async for tick in stop.every(60)] == []


def test_leaving_every_early_leaves_no_timer(in_virtual_time: Run) -> None:
    async def main() -> float:
        stop = Stop()
        async for _ in stop.every(60):
            break
        await asyncio.sleep(0)
        return asyncio.get_running_loop().time()

    assert in_virtual_time(main()) == 0


def test_a_cancelled_wait_for_a_tick_can_go_on(in_virtual_time: Run) -> None:
    async def main() -> list[int]:
        ticks = Stop().every(10, first=10)
        got: list[int] = []
        while len(got) < 2:
            try:
                async with asyncio.timeout(4):
                    got.append(await anext(ticks))
            except TimeoutError:
                pass
        return got

    assert in_virtual_time(main()) == [0, 1]


@pytest.mark.parametrize("period", [0, -1, math.inf, math.nan])
def test_every_refuses_a_period_that_is_none(period: float) -> None:
    with pytest.raises(ValueError, match="period"):
        Stop().every(period)


@pytest.mark.parametrize("first", [-1, math.inf, math.nan])
def test_every_refuses_a_first_delay_that_is_none(first: float) -> None:
    with pytest.raises(ValueError, match="first"):
        Stop().every(1, first=first)
