from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from asyncpatterns import Value

Run = Callable[[Coroutine[Any, Any, Any]], Any]


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_a_value_can_be_made_and_set_before_its_loop_and_after() -> None:
    state = Value(1)
    state.value = 2

    async def main() -> tuple[int, int]:
        return await anext(state.changes())

    assert asyncio.run(main()) == (2, 2)
    state.value = 3
    assert (state.value, repr(state)) == (3, "<Value 3>")


@pytest.mark.asyncio
async def test_wait_for_returns_at_once_when_it_is_true_already() -> None:
    with pytest.raises(StopIteration, match="5"):
        Value(5).wait_for(lambda value: value == 5).send(None)


@pytest.mark.asyncio
async def test_wait_for_does_not_miss_a_value_that_is_there_for_an_instant() -> None:
    state = Value(0)
    waiting = asyncio.create_task(state.wait_for(lambda value: value == 1))
    await turns()
    state.value = 1
    state.value = 2
    assert await waiting == 1


@pytest.mark.asyncio
async def test_flawed_condition_misses_a_value_that_is_there_for_an_instant() -> None:
    value = 0
    changed = asyncio.Condition()

    async def wait() -> None:
        async with changed:
            await changed.wait_for(lambda: value == 1)

    waiting = asyncio.create_task(wait())
    await turns()
    for number in (1, 2):
        async with changed:
            value = number
            changed.notify_all()
    await turns()
    assert not waiting.done()
    waiting.cancel()
    await asyncio.wait([waiting])


@pytest.mark.asyncio
async def test_what_a_predicate_raises_is_raised_in_its_waiter_only() -> None:
    def broken(value: int) -> bool:
        if value == 1:
            raise KeyError("mine")
        if value == 2:
            raise StopIteration
        return False

    state = Value(0)
    first = asyncio.create_task(state.wait_for(broken))
    other = asyncio.create_task(state.wait_for(lambda value: value == 2))
    await turns()
    state.value = 1
    with pytest.raises(KeyError, match="mine"):
        await first
    second = asyncio.create_task(state.wait_for(lambda value: value == 0 or broken(2)))
    await turns()
    with pytest.raises(RuntimeError, match="StopIteration"):
        await second
    third = asyncio.create_task(state.wait_for(lambda value: value != 1 and broken(2)))
    await turns()
    state.value = 2
    with pytest.raises(RuntimeError, match="StopIteration"):
        await third
    assert await other == 2


@pytest.mark.asyncio
async def test_an_async_predicate_is_a_type_error() -> None:
    async def predicate(value: int) -> bool:
        return False

    with pytest.raises(TypeError, match="plain function"):
        await Value(0).wait_for(predicate)


@pytest.mark.asyncio
async def test_a_cancelled_or_timed_out_wait_leaves_no_waiter() -> None:
    state = Value(0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await state.wait_for(lambda value: value == 1)
    waiting = asyncio.create_task(state.wait_for(lambda value: value == 1))
    await turns()
    waiting.cancel()
    state.value = 1
    await asyncio.wait([waiting])
    assert not state._waiters


@pytest.mark.asyncio
async def test_changes_gives_the_present_value_first_and_then_each_change() -> None:
    state = Value("a")
    changes = state.changes()
    assert await anext(changes) == ("a", "a")
    for new, old in (("b", "a"), ("c", "b")):
        state.value = new
        assert await anext(changes) == (old, new)


@pytest.mark.asyncio
async def test_a_slow_watcher_sees_the_latest_and_its_pairs_chain() -> None:
    state = Value(0)
    changes = state.changes()
    for number in (1, 2):
        state.value = number
    assert await anext(changes) == (0, 2)
    for number in (3, 4, 5):
        state.value = number
    assert await anext(changes) == (2, 5)
    assert changes.dropped == 4
    assert len(changes) == 0


@pytest.mark.asyncio
async def test_every_assignment_counts_also_of_an_equal_value() -> None:
    class Incomparable:
        def __eq__(self, other: object) -> bool:
            raise AssertionError("nobody asked to compare")

        __hash__ = object.__hash__

    value = Incomparable()
    state = Value(value)
    changes = state.changes()
    await anext(changes)
    state.value = value
    old, new = await anext(changes)
    assert old is new is value


@pytest.mark.asyncio
async def test_no_watcher_misses_the_last_value_whatever_its_pace() -> None:
    state = Value(0)

    async def watch(pause: int) -> list[tuple[int, int]]:
        pairs = []
        async for pair in state.changes():
            pairs.append(pair)
            await turns(pause)
            if pair[1] == 50:
                break
        return pairs

    watchers = [asyncio.create_task(watch(pause)) for pause in range(8)]
    await asyncio.sleep(0)
    for number in range(1, 51):
        state.value = number
        await turns(number % 3)
    for pairs in await asyncio.wait_for(asyncio.gather(*watchers), 10):
        assert pairs[0] == (0, 0)
        assert pairs[-1][1] == 50
        assert all(before[1] == after[0] for before, after in itertools.pairwise(pairs))


@pytest.mark.asyncio
async def test_a_timeout_while_watching_loses_nothing() -> None:
    changes = (state := Value(0)).changes()
    await anext(changes)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await anext(changes)
    state.value = 1
    assert await anext(changes) == (0, 1)


@pytest.mark.asyncio
async def test_setting_from_a_predicate_leaves_watchers_with_the_last_value() -> None:
    state = Value(0)

    def reset(value: int) -> bool:
        if value == 1:
            state.value = 2
        return value == 2

    changes = state.changes()
    waiting = asyncio.create_task(state.wait_for(reset))
    await turns()
    state.value = 1
    assert (await waiting, state.value, await anext(changes)) == (2, 2, (0, 2))


@pytest.mark.asyncio
async def test_a_watcher_that_leaves_is_forgotten() -> None:
    state = Value(0)
    async for _ in state.changes():
        break
    with state.changes():
        assert state._watchers.subscribers == 1
    assert state._watchers.subscribers == 0


@pytest.mark.asyncio
async def test_setting_in_another_thread_says_what_to_do() -> None:
    state = Value(0)
    changes = state.changes()
    await anext(changes)
    with pytest.raises(RuntimeError, match="call_soon_threadsafe"):
        await asyncio.to_thread(setattr, state, "value", 1)
    assert state.value == 0
    await asyncio.to_thread(asyncio.get_running_loop().call_soon_threadsafe, setattr, state, "value", 2)
    assert await asyncio.wait_for(anext(changes), 10) == (0, 2)


def test_another_loop_is_a_runtime_error() -> None:
    state = Value(0)

    async def use() -> None:
        state.changes().close()

    asyncio.run(use())
    with pytest.raises(RuntimeError, match="another event loop"):
        asyncio.run(use())
    with pytest.raises(RuntimeError, match="another event loop"):
        asyncio.run(state.wait_for(bool))
    with pytest.raises(RuntimeError, match="no running event loop"):
        state.changes()


@pytest.mark.asyncio
async def test_a_watcher_that_is_cancelled_while_it_waits_is_forgotten_though_its_task_is_kept() -> None:
    state = Value(0)

    async def watch() -> None:
        async for _ in state.changes():
            pass

    watcher = asyncio.create_task(watch())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert state._watchers.subscribers == 1
    watcher.cancel()
    await asyncio.wait([watcher])
    assert state._watchers.subscribers == 0
