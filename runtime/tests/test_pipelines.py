from __future__ import annotations

import asyncio
import contextlib
import functools
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from asyncpatterns import Pipeline, pipeline
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Run = Callable[[Coroutine[Any, Any, Any]], Any]


def add(value: int) -> int:
    return value + 1


async def double(value: int) -> int:
    await asyncio.sleep(0)
    return value * 2


def double_later(value: int) -> Awaitable[int]:
    return double(value)


async def count(stop: int) -> AsyncIterator[int]:
    for number in range(stop):
        await asyncio.sleep(0)
        yield number


async def forever() -> AsyncIterator[int]:
    number = 0
    while True:
        await asyncio.sleep(0)
        yield number
        number += 1


def now() -> float:
    return asyncio.get_running_loop().time()


async def iterate_into(got: list[Any], items: AsyncIterator[Any]) -> None:
    async for item in items:
        got.append(item)


async def collect_into(got: list[Any], numbers: Pipeline[Any]) -> None:
    async with numbers as items:
        await iterate_into(got, items)


class Watched:
    """An async source that tells how far it was read, and whether its cleanup ran to the end."""

    def __init__(self, items: int = 1_000_000, cleanup: float = 0) -> None:
        self.read = 0
        self.closed = 0
        self.items = items
        self.cleanup = cleanup

    async def __aiter__(self) -> AsyncIterator[int]:
        try:
            for number in range(self.items):
                self.read = number + 1
                yield number
        finally:
            await asyncio.sleep(self.cleanup)
            self.closed += 1


# what it gives


@pytest.mark.asyncio
async def test_sync_and_async_functions_and_sources_go_together() -> None:
    for source in ([1, 2, 3], (number async for number in pipeline_source())):
        assert await pipeline(source).map(add).map(double).map(double_later).map(add).collect() == [9, 13, 17]


async def pipeline_source() -> AsyncIterator[int]:
    for number in (1, 2, 3):
        yield number


@pytest.mark.asyncio
@pytest.mark.parametrize("concurrency", [1, 3])
async def test_every_kind_of_stage(concurrency: int) -> None:
    async def odd(value: int) -> bool:
        await asyncio.sleep(0)
        return value % 2 == 1

    async def spelled(value: int) -> AsyncIterator[str]:
        for character in str(value):
            await asyncio.sleep(0)
            yield character

    async def spelled_soon(value: int) -> list[str]:
        return list(str(value))

    async def running_total(values: AsyncIterator[int]) -> AsyncIterator[int]:
        total = 0
        async for value in values:
            total += value
            yield total

    numbers = pipeline(range(8, 13))
    assert await numbers.filter(lambda value: value != 9).collect() == [8, 10, 11, 12]
    assert await numbers.filter(odd).collect() == [9, 11]
    digits = list("89101112")
    assert await numbers.flat_map(str, concurrency=concurrency).collect() == digits
    assert await numbers.flat_map(spelled, concurrency=concurrency).collect() == digits
    assert await numbers.flat_map(lambda value: spelled(value), concurrency=concurrency).collect() == digits
    assert await numbers.flat_map(spelled_soon, concurrency=concurrency).collect() == digits
    assert await numbers.map(add, concurrency=concurrency).through(running_total).collect() == [9, 19, 30, 42, 55]
    assert await numbers.through(lambda _: [1, 2]).collect() == [1, 2]
    assert await numbers.batch(2).map(sum).collect() == [17, 21, 12]
    assert await numbers.map(functools.partial(double), concurrency=concurrency).batch(9).collect() == [
        [16, 18, 20, 22, 24]
    ]


@pytest.mark.asyncio
async def test_collect_gives_a_list_and_drain_the_number_of_results() -> None:
    seen: list[int] = []
    assert await pipeline(range(3)).map(double).collect() == [0, 2, 4]
    assert await pipeline(range(3)).map(double).map(seen.append).drain() == 3
    assert seen == [0, 2, 4]
    assert await pipeline(()).collect() == []


@pytest.mark.asyncio
async def test_pipelines_are_descriptions_that_can_be_run_several_times() -> None:
    numbers = pipeline([1, 2])
    doubled = numbers.map(double)
    assert await asyncio.gather(doubled.collect(), doubled.collect(), numbers.collect()) == [[2, 4], [2, 4], [1, 2]]
    assert repr(doubled) == "<pipeline([1, 2]).map(double)>"


@pytest.mark.asyncio
async def test_nothing_is_read_before_the_block() -> None:
    source = Watched()
    numbers = pipeline(source).map(double)
    await asyncio.sleep(0)
    assert source.read == 0
    async with numbers as items:
        assert await anext(items) == 0


# what it refuses


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda p: pipeline(3), "iterable, not 'int'"),
        (lambda p: pipeline(count), r"call count\(\) first"),
        (lambda p: pipeline(p), "of a Pipeline"),
        (lambda p: p.map(3), "map.. needs a function, not 3"),
        (lambda p: p.map(count), "async generator function count"),
        (lambda p: p.filter(count), "async generator function count"),
        (lambda p: p.filter(None), "needs a function"),
        (lambda p: p.flat_map([]), "needs a function"),
        (lambda p: p.through(double), "coroutine function double"),
        (lambda p: p.map(add, concurrency=2.5), "concurrency must be an int"),
        (lambda p: p.batch("3"), "n must be an int"),
    ],
)
def test_wrong_kinds_are_type_errors_at_once(wrong: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        wrong(pipeline([1]))


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (lambda p: p.map(add, concurrency=0), "concurrency"),
        (lambda p: p.flat_map(str, buffer=0), "buffer"),
        (lambda p: p.batch(0), "n must"),
        (lambda p: p.batch(1, within=0), "within"),
        (lambda p: p.batch(1, within=float("nan")), "within"),
    ],
)
def test_wrong_numbers_are_value_errors_at_once(wrong: Callable[[Any], Any], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        wrong(pipeline([1]))


@pytest.mark.asyncio
@pytest.mark.parametrize("function", [add, double])
async def test_wrong_uses_are_runtime_errors(function: Callable[[int], Any]) -> None:
    numbers = pipeline([1, 2, 3]).map(function)
    with pytest.raises(RuntimeError, match="runs in a block"):
        async for _ in numbers:  # type: ignore[attr-defined]  # what is tested
            pass
    async with numbers as items:
        with pytest.raises(RuntimeError, match="runs already"):
            async with numbers:
                pass
        iterator = aiter(items)
        await anext(iterator)
        assert len([item async for item in iterator]) == 2
        with pytest.raises(RuntimeError, match="only once"):
            aiter(items)
    with pytest.raises(RuntimeError, match="inside its `async with` block"):
        await anext(items)
    with pytest.raises(RuntimeError, match="inside its `async with` block"):
        aiter(items)
    assert len(await numbers.collect()) == 3


@pytest.mark.asyncio
async def test_two_tasks_are_a_runtime_error() -> None:
    gate = asyncio.Event()

    async def wait(value: int) -> int:
        await gate.wait()
        return value

    async with pipeline([1]).map(wait) as items:
        first = asyncio.ensure_future(anext(items))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="another task"):
            await anext(items)
        gate.set()
        assert await first == 1


# at the same time


def test_stages_work_at_the_same_time_where_connect_handles_one_item_at_a_time(in_virtual_time: Run) -> None:
    async def step(value: int) -> int:
        await asyncio.sleep(0.01)
        return value + 1

    async def flawed() -> float:
        async def connected(value: int) -> int:
            for _ in range(3):
                value = await step(value)
            return value

        assert [await connected(value) for value in range(21)] == list(range(3, 24))
        return now()

    async def ours() -> float:
        assert await pipeline(range(21)).map(step).map(step).map(step).collect() == list(range(3, 24))
        return now()

    assert in_virtual_time(flawed()) == pytest.approx(0.63)
    assert in_virtual_time(ours()) == pytest.approx(0.23)


def test_concurrency_is_reached_and_never_exceeded(in_virtual_time: Run) -> None:
    async def main(ordered: bool) -> float:
        running = most = 0

        async def work(value: int) -> int:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(1)
            running -= 1
            return value

        numbers = pipeline(range(100)).map(work, concurrency=10, ordered=ordered)
        assert sorted(await numbers.collect()) == list(range(100))
        assert most == 10
        return now()

    assert in_virtual_time(main(True)) == pytest.approx(10)
    assert in_virtual_time(main(False)) == pytest.approx(10)


def test_ordered_results_come_in_the_order_of_the_items_others_as_they_are_ready(in_virtual_time: Run) -> None:
    async def work(delay: int) -> int:
        await asyncio.sleep(delay)
        return delay

    async def main() -> list[list[int]]:
        delays = pipeline([3, 1, 2])
        return [await delays.map(work, concurrency=3, ordered=ordered).collect() for ordered in (True, False)]

    assert in_virtual_time(main()) == [[3, 1, 2], [1, 2, 3]]


def test_flat_map_keeps_the_order_of_slow_iterables(in_virtual_time: Run) -> None:
    async def expand(delay: int) -> AsyncIterator[int]:
        for _ in range(40):
            await asyncio.sleep(delay)
            yield delay

    async def main(ordered: bool, buffer: int | None) -> list[int]:
        delays = pipeline([3, 1, 2])
        return await delays.flat_map(expand, concurrency=3, ordered=ordered, buffer=buffer).collect()

    for buffer in (None, 1, 3):
        assert in_virtual_time(main(True, buffer)) == [3] * 40 + [1] * 40 + [2] * 40
        assert Counter(in_virtual_time(main(False, buffer))) == {1: 40, 2: 40, 3: 40}


@pytest.mark.asyncio
async def test_room_between_stages_is_bounded() -> None:
    source = Watched()
    async with pipeline(source).map(double, concurrency=2, buffer=3) as items:
        for _ in range(200):
            await asyncio.sleep(0)
        assert source.read <= 16 + 1 + 2 + 3
        assert await anext(items) == 0


@pytest.mark.asyncio
async def test_a_slow_consumer_holds_up_the_iterables_of_flat_map() -> None:
    given: list[int] = []

    async def expand(value: int) -> AsyncIterator[int]:
        for number in range(1000):
            given.append(number)
            yield number

    async with pipeline(range(9)).flat_map(expand, buffer=4) as items:
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(given) <= 4 + 1 + 1
        assert [await anext(items) for _ in range(30)] == list(range(30))


@pytest.mark.asyncio
async def test_plain_functions_need_no_task() -> None:
    async with pipeline(range(3)).map(add).filter(bool).flat_map(range).batch(2) as items:
        assert len(asyncio.all_tasks()) == 1
        assert [item async for item in items] == [[0, 0], [1, 0], [1, 2]]


@pytest.mark.asyncio
async def test_neighbouring_plain_functions_share_a_task() -> None:
    tasks: list[Any] = []

    def note(value: int) -> int:
        tasks.append(asyncio.current_task())
        return value

    await pipeline(range(3)).map(note).map(note).filter(lambda value: note(value) >= 0).map(double).drain()
    assert len(set(tasks)) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("function", [add, double_later])
async def test_sync_sources_hand_over_to_the_loop(function: Callable[[int], Any], monkeypatch: Any) -> None:
    clock = 0.0

    def advance(value: int) -> int:
        nonlocal clock
        clock += 0.001
        return value

    monkeypatch.setattr("asyncpatterns._chains.monotonic", lambda: clock)
    turns: list[float] = []

    def note_turn() -> None:
        turns.append(clock)
        asyncio.get_running_loop().call_soon(note_turn)

    async def never_waits(value: int) -> bool:
        return value < 0

    asyncio.get_running_loop().call_soon(note_turn)
    await asyncio.sleep(0)
    for numbers in (
        pipeline(range(100)).map(advance).filter(lambda value: value < 0),
        pipeline([1]).flat_map(lambda _: range(100)).map(advance).filter(lambda value: value < 0),
        pipeline(map(advance, range(100))).filter(never_waits),
    ):
        del turns[:]
        begin = clock
        assert await numbers.collect() == []
        assert clock - begin == pytest.approx(0.1)
        gaps = [later - earlier for earlier, later in zip([begin, *turns], [*turns, clock], strict=True)]
        assert max(gaps) <= 0.0075
    await asyncio.sleep(0)


# batches


def test_a_batch_that_is_not_full_is_handed_on_in_time(in_virtual_time: Run) -> None:
    async def arrivals() -> AsyncIterator[int]:
        for number, delay in enumerate([0, 1, 1, 9, 0, 0, 0, 4]):
            await asyncio.sleep(delay)
            yield number

    async def main() -> list[tuple[float, list[int]]]:
        async with pipeline(arrivals()).batch(3, within=5) as batches:
            return [(now(), batch) async for batch in batches]

    assert in_virtual_time(main()) == [(2, [0, 1, 2]), (11, [3, 4, 5]), (15, [6, 7])]


def test_a_late_batch_waits_for_room_and_grows_meanwhile(in_virtual_time: Run) -> None:
    async def main() -> list[list[int]]:
        async def arrivals() -> AsyncIterator[int]:
            for number in range(60):
                await asyncio.sleep(1)
                yield number

        got: list[list[int]] = []
        async with pipeline(arrivals()).batch(50, within=0.5) as batches:
            await asyncio.sleep(40)
            async for batch in batches:
                got.append(batch)
        return got

    got = in_virtual_time(main())
    assert [number for batch in got for number in batch] == list(range(60))
    assert max(map(len, got)) > 20


# failures


@pytest.mark.asyncio
@pytest.mark.parametrize("asynchronous", [False, True])
async def test_the_exception_comes_bare_with_a_note_of_stage_and_input(asynchronous: bool) -> None:
    error = ValueError("no")

    def fail(value: int) -> int:
        if value == 2:
            raise error
        return value

    async def fail_soon(value: int) -> int:
        await asyncio.sleep(0)
        return fail(value)

    got: list[int] = []
    with pytest.raises(ValueError, match="no") as caught:
        await collect_into(got, pipeline(range(9)).map(add).map(fail_soon if asynchronous else fail))
    assert caught.value is error
    assert got == [1]
    name = "fail_soon" if asynchronous else "fail"
    assert error.__notes__ == [f"in stage 2, map({name}) of the pipeline, with the input 2"]


def test_ordered_raises_the_error_of_the_lowest_input_after_all_results_before_it(in_virtual_time: Run) -> None:
    started: list[int] = []
    cancelled: list[int] = []

    async def work(value: int) -> int:
        started.append(value)
        try:
            await asyncio.sleep(10 - value)
        except asyncio.CancelledError:
            cancelled.append(value)
            raise
        if value in (3, 5):
            raise ValueError(value)
        return value

    async def main() -> list[int]:
        got: list[int] = []
        with pytest.raises(ValueError, match="3"):
            await collect_into(got, pipeline(range(100)).map(work, concurrency=7))
        return got

    assert in_virtual_time(main()) == [0, 1, 2]
    assert started == list(range(8))  # 6 ended before 5 failed, and nothing more was begun then
    assert cancelled == [7]


def test_unordered_ends_at_the_first_failure_and_cancels_the_others(in_virtual_time: Run) -> None:
    cancelled: list[int] = []

    async def work(value: int) -> int:
        try:
            await asyncio.sleep(value)
        except asyncio.CancelledError:
            cancelled.append(value)
            raise
        if value == 3:
            raise ValueError(value)
        return value

    async def main() -> tuple[list[int], float]:
        got: list[int] = []
        async with pipeline([9, 3, 5, 1]).map(work, concurrency=4, ordered=False) as items:
            with pytest.raises(ValueError, match="3"):
                await iterate_into(got, items)
            await asyncio.sleep(0)
            assert sorted(cancelled) == [5, 9]  # not only when the block is left
        return got, now()

    assert in_virtual_time(main()) == ([1], pytest.approx(3))
    assert sorted(cancelled) == [5, 9]


@pytest.mark.parametrize("ordered", [True, False])
def test_trap_an_upstream_error_does_not_overtake_items_in_flight(in_virtual_time: Run, ordered: bool) -> None:
    async def source() -> AsyncIterator[int]:
        yield 1
        yield 2
        raise ValueError("source")

    async def slow(value: int) -> int:
        await asyncio.sleep(value)
        return value

    async def main() -> list[int]:
        got: list[int] = []
        with pytest.raises(ValueError, match="source") as caught:
            await collect_into(got, pipeline(source()).map(slow, concurrency=5, ordered=ordered).map(slow))
        assert not hasattr(caught.value, "__notes__")
        return got

    assert in_virtual_time(main()) == [1, 2]


@pytest.mark.parametrize("ordered", [True, False])
def test_trap_nothing_is_given_after_the_error(in_virtual_time: Run, ordered: bool) -> None:
    async def stubborn(value: int) -> int:
        if value == 0:
            await asyncio.sleep(1)
            raise ValueError(value)
        with contextlib.suppress(asyncio.CancelledError):  # the result comes all the same
            await asyncio.sleep(9)
        return value

    async def main() -> list[int]:
        got: list[int] = []
        async with pipeline(range(5)).map(stubborn, concurrency=5, ordered=ordered).map(double) as items:
            with pytest.raises(ValueError, match="0"):
                await iterate_into(got, items)
            await asyncio.sleep(5)
            with pytest.raises(StopAsyncIteration):
                got.append(await anext(items))
        return got

    assert in_virtual_time(main()) == []


@pytest.mark.asyncio
async def test_items_of_a_batch_before_an_error_are_not_lost() -> None:
    def fail(value: int) -> int:
        if value == 4:
            raise ValueError(value)
        return value

    for within in (None, 60.0):
        got: list[list[int]] = []
        with pytest.raises(ValueError, match="4"):
            await collect_into(got, pipeline(range(9)).map(fail).batch(3, within=within))
        assert got == [[0, 1, 2], [3]]


@pytest.mark.asyncio
async def test_errors_of_flat_map_and_through_have_notes() -> None:
    def broken(value: int) -> Iterator[int]:
        yield value
        raise ValueError("broken")

    async def broken_soon(value: int) -> AsyncIterator[int]:
        yield value
        raise ValueError("broken")

    async def broken_through(values: AsyncIterator[int]) -> AsyncIterator[int]:
        yield 7
        raise ValueError("broken")

    for numbers, note in [
        (pipeline([7]).flat_map(broken), "flat_map(broken) of the pipeline, with the input 7"),
        (pipeline([7]).flat_map(broken_soon), "flat_map(broken_soon) of the pipeline, with the input 7"),
        (pipeline([7]).flat_map(lambda x: broken_soon(x)), "flat_map(<lambda>) of the pipeline, with the input 7"),
        (pipeline([7]).through(broken_through), "through(broken_through) of the pipeline"),
    ]:
        got: list[int] = []
        with pytest.raises(ValueError, match="broken") as caught:
            await collect_into(got, numbers)
        assert got == [7]
        assert caught.value.__notes__ == [f"in stage 1, {note}"]


@pytest.mark.asyncio
async def test_a_cancelled_awaitable_of_a_function_comes_out_as_it_is() -> None:
    async def cancelled(value: int) -> int:
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        future.cancel()
        return await future

    with pytest.raises(asyncio.CancelledError):
        await pipeline([1]).map(cancelled).collect()


# the end


@pytest.mark.asyncio
async def test_leaving_early_discards_what_is_under_way_and_closes_the_source() -> None:
    source = Watched()
    async with pipeline(source).map(double, concurrency=4).map(add).map(double) as items:
        async for item in items:
            if item > 20:
                break
    assert source.closed == 1
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("function", [add, double])
async def test_generators_are_closed(function: Callable[[int], Any]) -> None:
    closed: list[str] = []

    def source() -> Generator[int, None, None]:
        try:
            yield from range(100)
        finally:
            closed.append("source")

    def expand(value: int) -> Iterator[int]:
        try:
            yield value
            yield value
        finally:
            closed.append("flat_map")

    async with pipeline(source()).flat_map(expand).map(function) as items:
        await anext(items)
    assert closed == ["flat_map", "source"] or set(closed) == {"flat_map", "source"}

    async def expand_soon(value: int) -> AsyncIterator[int]:
        for number in expand(value):
            yield number

    async with pipeline([1]).flat_map(lambda x: expand_soon(x)) as items:
        await anext(items)
    assert closed[-1] == "flat_map"


@pytest.mark.asyncio
async def test_a_source_is_closed_even_if_it_was_never_read() -> None:
    started = pipeline_source()
    await anext(started)
    async with pipeline(started).map(double):
        pass
    with pytest.raises(StopAsyncIteration):
        await anext(started)


def test_trap_a_second_cancel_does_not_interrupt_the_cleanup(in_virtual_time: Run) -> None:
    log: list[str] = []

    async def work(value: int) -> int:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            log.append("cancelled")
            await asyncio.sleep(5)
            log.append("cleaned up")
            raise
        return value

    async def main() -> tuple[float, int]:
        source = Watched(cleanup=3)
        task = asyncio.ensure_future(pipeline(source).map(work, concurrency=2).map(work).collect())
        for _ in range(4):
            await asyncio.sleep(1)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()
        return now(), source.closed

    assert in_virtual_time(main()) == (pytest.approx(6), 1)
    assert log == ["cancelled"] * 2 + ["cleaned up"] * 2


def test_a_stage_cancelled_for_an_earlier_failure_is_not_cancelled_again(in_virtual_time: Run) -> None:
    cancels: list[int] = []

    async def work(value: int) -> int:
        if value == 0:
            await asyncio.sleep(1)
            raise ValueError(value)
        try:
            await asyncio.sleep(100)
        finally:
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError:
                cancels.append(value)
        return value

    async def main() -> float:
        with pytest.raises(ValueError, match="0"):
            await pipeline(range(3)).map(work, concurrency=3).collect()
        return now()

    assert in_virtual_time(main()) == pytest.approx(6)
    assert not cancels


@pytest.mark.asyncio
async def test_errors_while_closing_are_not_swallowed() -> None:
    async def fail_cleanup(value: int) -> int:
        if value == 0:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            raise ValueError("primary")
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("cleanup")
        return value

    with pytest.raises(ExceptionGroup) as caught:
        await pipeline(range(2)).map(fail_cleanup, concurrency=2).collect()
    assert [type(error) for error in caught.value.exceptions] == [ValueError, OSError]

    def source() -> Iterator[int]:
        try:
            yield from range(9)
        finally:
            raise OSError("source")

    with pytest.raises(OSError, match="source"):
        async with pipeline(source()).map(double) as items:
            await anext(items)

    async def fail_in_the_block(begun: Iterator[int]) -> None:
        async with pipeline(begun) as items:
            await anext(items)
            raise KeyError

    with pytest.raises(ExceptionGroup) as caught:
        await fail_in_the_block(source())
    assert [type(error) for error in caught.value.exceptions] == [KeyError, OSError]

    async def async_source() -> AsyncIterator[int]:
        try:
            while True:
                yield 0
        finally:
            raise OSError("source")

    async def cancelled() -> None:
        async with pipeline(async_source()).map(double) as items:
            async for _ in items:
                task.cancel()

    task = asyncio.create_task(cancelled())
    with pytest.raises(BaseExceptionGroup) as group:
        await task
    assert isinstance(group.value.exceptions[0], asyncio.CancelledError)


def test_a_timeout_while_waiting_loses_nothing(in_virtual_time: Run) -> None:
    async def work(value: int) -> int:
        await asyncio.sleep(1)
        return value

    async def main() -> list[int]:
        got: list[int] = []
        async with pipeline(count(20)).map(work).map(add) as items:
            while True:
                try:
                    async with asyncio.timeout(0.3):
                        got.append(await anext(items))
                except TimeoutError:
                    continue
                except StopAsyncIteration:
                    return got

    assert in_virtual_time(main()) == list(range(1, 21))


def test_a_timeout_that_ends_a_function_is_no_silent_end(in_virtual_time: Run) -> None:
    async def slow(value: int) -> int:
        await asyncio.sleep(9)
        return value

    async def main() -> None:
        async with pipeline([1, 2]).map(lambda value: slow(value)) as items:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1):
                    await anext(items)
            with pytest.raises(RuntimeError, match="cannot go on"):
                await anext(items)

    in_virtual_time(main())


def test_through_may_end_before_its_input(in_virtual_time: Run) -> None:
    async def first(values: AsyncIterator[int]) -> AsyncIterator[int]:
        yield await anext(values)

    async def main() -> list[int]:
        return await pipeline(forever()).map(double).through(first).collect()

    assert in_virtual_time(main()) == [0]


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "SystemExit(3)"])
@pytest.mark.parametrize("ordered", [True, False])
def test_an_exit_in_a_stage_does_not_hang(error: str, ordered: bool) -> None:
    program = f"""
import asyncio
from asyncpatterns import pipeline
async def leave(value):
    await asyncio.sleep(0)
    if value == 3:
        raise {error}
    return value
async def main():
    try:
        await pipeline(range(9)).map(leave, concurrency=2, ordered={ordered}).map(leave).collect()
    finally:
        print("cleaned up")
asyncio.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert ended.stdout == "cleaned up\n"
    assert ended.returncode == (3 if "Exit" in error else -2)
    assert "never retrieved" not in ended.stderr


# random pipelines against what they mean


@dataclass(frozen=True)
class Step:
    kind: str
    asynchronous: bool
    concurrency: int
    ordered: bool
    buffer: int | None
    waits: int  # how long calls take, depending on the item


STEPS = st.builds(
    Step,
    st.sampled_from(["map", "filter", "flat_map", "through", "batch", "within"]),
    st.booleans(),
    st.integers(1, 5),
    st.booleans(),
    st.none() | st.integers(1, 4),
    st.integers(0, 5),
)


class Failed(Exception):
    pass


def sequential(items: list[int], step: Step) -> list[int]:
    if step.kind == "filter":
        return [item for item in items if item % 3]
    if step.kind == "flat_map":
        return [one for item in items for one in [item] * (item % 3)]
    return items if step.kind in ("through", "batch", "within") else [item + 1 for item in items]


def staged(numbers: Pipeline[int], step: Step, failing: int | None) -> Pipeline[int]:
    options: dict[str, Any] = {"concurrency": step.concurrency, "ordered": step.ordered, "buffer": step.buffer}

    def called(item: int) -> Any:
        if item == failing:
            raise Failed(item)
        return {"map": item + 1, "filter": item % 3, "flat_map": [item] * (item % 3)}[step.kind]

    async def called_soon(item: int) -> Any:
        await asyncio.sleep(item * step.waits % 7)
        return called(item)

    async def handed_through(items: AsyncIterator[int]) -> AsyncIterator[int]:
        async for item in items:
            await asyncio.sleep(step.waits)
            yield item

    if step.kind == "through":
        return numbers.through(handed_through, buffer=step.buffer)
    if step.kind in ("batch", "within"):
        batches = numbers.batch(step.concurrency, within=step.waits + 0.5 if step.kind == "within" else None)
        return batches.flat_map(lambda batch: batch)
    function = called_soon if step.asynchronous else called
    if step.kind == "filter":
        return numbers.filter(function)
    return numbers.map(function, **options) if step.kind == "map" else numbers.flat_map(function, **options)


@pytest.mark.stress
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_random_pipelines_mean_what_they_say(in_virtual_time: Run, data: Any) -> None:
    steps: list[Step] = data.draw(st.lists(STEPS, max_size=4))
    size: int = data.draw(st.integers(0, 40))
    end = data.draw(st.sampled_from(["all", "break", "cancel", "timeouts", "fail"]))
    at: int = data.draw(st.integers(0, 30))
    asynchronous: bool = data.draw(st.booleans())
    failing_step = data.draw(st.integers(0, max(0, len(steps) - 1)))
    ordered = all(step.ordered or step.kind not in ("map", "flat_map") for step in steps)
    closed: list[bool] = []

    async def async_source() -> AsyncIterator[int]:
        ended = False
        try:
            for number in range(size):
                await asyncio.sleep(number % 2)
                yield number
            ended = True
        finally:
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:  # once, and only of the end that comes by itself
                assert ended
            closed.append(True)

    def source() -> Iterator[int]:
        try:
            yield from range(size)
        finally:
            closed.append(True)

    expected = list(range(size))
    for step in steps:
        expected = sequential(expected, step)
    got: list[int] = []

    async def iterate(numbers: Pipeline[int]) -> None:
        async with numbers as items:
            while True:
                try:
                    async with asyncio.timeout(0.7 if end == "timeouts" else None):
                        got.append(await anext(items))
                except TimeoutError:
                    continue
                except StopAsyncIteration:
                    return
                if end == "break" and len(got) > at:
                    return
                await asyncio.sleep(at % 2)

    async def main() -> None:
        begun = async_source() if asynchronous else source()
        if size:  # so that it has something to close
            first = await anext(begun) if isinstance(begun, AsyncIterator) else next(begun)
            assert first == 0
            expected[:] = list(range(1, size))
            for step in steps:
                expected[:] = sequential(expected, step)
        numbers: Pipeline[int] = pipeline(begun)
        for position, step in enumerate(steps):
            numbers = staged(numbers, step, at if end == "fail" and position == failing_step else None)
        task = asyncio.create_task(iterate(numbers))
        if end == "cancel":
            await asyncio.sleep(at)
            task.cancel()
            await asyncio.sleep(0.5)
            task.cancel()
        await asyncio.wait([task])
        assert len(asyncio.all_tasks()) == 1
        assert not size or closed == [True]
        error = None if task.cancelled() else task.exception()
        if ordered:
            assert got == expected[: len(got)]
        else:
            assert not Counter(got) - Counter(expected)
        if end == "fail":
            assert error is None or isinstance(error, Failed)
        else:
            assert error is None
        complete = error is None and not task.cancelled() and not (end == "break" and len(got) > at)
        if complete:
            assert got == expected if ordered else Counter(got) == Counter(expected)

    in_virtual_time(main())


def test_types_of_sources() -> None:
    class Old:
        def __getitem__(self, index: int) -> int:
            return [1, 2][index]

    old: Any = Old()
    assert asyncio.run(pipeline(old).collect()) == [1, 2]
    both: Iterable[int] | AsyncIterable[int] = Watched(3)
    assert asyncio.run(pipeline(both).collect()) == [0, 1, 2]
