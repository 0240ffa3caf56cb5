from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from asyncpatterns import TaskPool
from hypothesis import given
from hypothesis import strategies as st

Run = Callable[[Coroutine[Any, Any, Any]], Any]


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


class FlawedPool:
    """A set of tasks with a limit: waits for any of them to end, and forgets those that did."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> FlawedPool:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            await self.join()

    async def spawn(self, fn: Callable[..., Coroutine[Any, Any, Any]], *args: Any) -> asyncio.Task[Any]:
        while len(self._tasks) >= self._limit:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(fn(*args))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def join(self) -> None:
        if self._tasks:
            await asyncio.wait(list(self._tasks))


async def fail_early(pool: Any) -> None:
    async def fail() -> None:
        raise ValueError("lost?")

    async with pool:
        await pool.spawn(fail)
        await turns()


async def spawn_from_a_task(pool: Any) -> list[str]:
    done: list[str] = []

    async def child() -> None:
        await asyncio.sleep(2)
        done.append("child")

    async def parent() -> None:
        await asyncio.sleep(1)
        await pool.spawn(child)

    async with pool:
        await pool.spawn(parent)
    return done


async def fail_in_the_block(pool: Any) -> list[str]:
    done: list[str] = []

    async def child() -> None:
        await asyncio.sleep(1)
        done.append("went on")

    async def block() -> None:
        async with pool:
            await pool.spawn(child)
            await asyncio.sleep(0)
            raise ValueError("block")

    with pytest.raises((ValueError, ExceptionGroup)):
        await block()
    await asyncio.sleep(2)
    return done


def test_flawed_pool_loses_the_errors_of_its_tasks(in_virtual_time: Run) -> None:
    unheard: list[Any] = []

    async def flawed() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context["exception"]))
        await fail_early(FlawedPool(2))
        gc.collect()

    in_virtual_time(flawed())
    assert [str(error) for error in unheard] == ["lost?"]
    with pytest.raises(ExceptionGroup) as caught:
        in_virtual_time(fail_early(TaskPool(2)))
    assert caught.group_contains(ValueError, match="lost?")


def test_flawed_pool_does_not_wait_for_tasks_that_tasks_spawn(in_virtual_time: Run) -> None:
    assert in_virtual_time(spawn_from_a_task(FlawedPool(2))) == []
    assert in_virtual_time(spawn_from_a_task(TaskPool(2))) == ["child"]


def test_flawed_pool_lets_tasks_go_on_when_the_block_fails(in_virtual_time: Run) -> None:
    assert in_virtual_time(fail_in_the_block(FlawedPool(2))) == ["went on"]
    assert in_virtual_time(fail_in_the_block(TaskPool(2))) == []


# the limit


def test_no_more_than_limit_tasks_at_a_time_and_as_many_as_that(in_virtual_time: Run) -> None:
    running = most = 0

    async def work() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(1)
        running -= 1

    async def main() -> float:
        async with TaskPool(3) as pool:
            for _ in range(9):
                await pool.spawn(work)
        return asyncio.get_running_loop().time()

    assert in_virtual_time(main()) == pytest.approx(3)
    assert most == 3


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_that_is_none_is_a_value_error(limit: int) -> None:
    with pytest.raises(ValueError, match="limit"):
        TaskPool(limit)


@pytest.mark.asyncio
async def test_spawn_gives_the_task_with_its_arguments_and_result() -> None:
    async def join(*parts: str, end: str) -> str:
        return "".join(parts) + end

    async with TaskPool(1) as pool:
        task = await pool.spawn(join, "a", "b", end="!")
    assert task.result() == "ab!"


@pytest.mark.asyncio
async def test_try_spawn_gives_none_when_there_is_no_slot() -> None:
    async with TaskPool(2) as pool:
        first, second = pool.try_spawn(turns), pool.try_spawn(turns)
        assert first is not None
        assert pool.try_spawn(turns) is None
        await first
        await asyncio.sleep(0)
        assert pool.try_spawn(turns) is not None
        assert second is not None


@pytest.mark.asyncio
async def test_those_that_wait_in_spawn_are_served_in_their_order_and_not_overtaken() -> None:
    started: list[int] = []

    async def work(number: int) -> None:
        started.append(number)
        await turns(3)

    async with TaskPool(1) as pool:
        await pool.spawn(work, 0)
        spawners = [asyncio.create_task(pool.spawn(work, number)) for number in range(1, 6)]
        while len(started) < 6:
            assert pool.try_spawn(work, 99) is None
            await asyncio.sleep(0)
        await asyncio.gather(*spawners)
    assert started == list(range(6))


@pytest.mark.asyncio
@pytest.mark.parametrize("delay", range(6))
async def test_a_cancelled_spawn_leaves_no_slot_taken_and_starts_nothing(delay: int) -> None:
    started: list[int] = []

    async def work(number: int) -> None:
        started.append(number)
        await turns(3)

    async with TaskPool(1) as pool:
        first = await pool.spawn(work, 0)
        spawner = asyncio.create_task(pool.spawn(work, 1))
        later = asyncio.create_task(pool.spawn(work, 2))
        await turns(delay)
        spawner.cancel()
        await asyncio.wait_for(later, 10)
        await first
    assert spawner.cancelled() == (1 not in started)
    assert started == ([0, 2] if spawner.cancelled() else [0, 1, 2])
    assert pool._free == 1


@pytest.mark.asyncio
async def test_spawns_that_time_out_leave_nobody_waiting() -> None:
    async with TaskPool(1) as pool:
        await pool.spawn(turns, 20)
        for _ in range(5):
            spawner = asyncio.create_task(pool.spawn(turns))
            await asyncio.sleep(0)
            spawner.cancel()
            await asyncio.wait([spawner])
        assert not pool._waiting


@pytest.mark.asyncio
async def test_a_slot_is_free_again_when_the_function_cannot_be_started() -> None:
    def broken() -> Coroutine[Any, Any, None]:
        raise KeyError("broken")

    async with TaskPool(1) as pool:
        with pytest.raises(KeyError):
            await pool.spawn(broken)
        with pytest.raises(TypeError, match="coroutine"):
            await pool.spawn(int)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=r"spawn\(fn, x\)"):
            await pool.spawn(turns())  # type: ignore[arg-type]
        assert pool.try_spawn(turns) is not None


# errors


@pytest.mark.asyncio
async def test_the_first_error_cancels_the_others_once_and_all_errors_come_out() -> None:
    cancelled: list[int] = []

    async def wait(number: int) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            cancelled.append(number)
            await turns()  # a second cancellation would be raised here
            if number == 1:
                raise OSError("cleanup") from None
            raise

    async def fail() -> None:
        await turns(2)
        raise ValueError("first")

    async def block() -> None:
        async with TaskPool(3) as pool:
            await pool.spawn(wait, 1)
            await pool.spawn(wait, 2)
            await pool.spawn(fail)
            await pool.spawn(wait, 3)

    with pytest.raises(ExceptionGroup) as caught:
        await block()
    assert sorted(cancelled) == [1, 2]
    assert sorted(type(error).__name__ for error in caught.value.exceptions) == ["OSError", "ValueError"]


@pytest.mark.asyncio
async def test_an_error_of_the_block_cancels_the_tasks_once_and_waits_for_them() -> None:
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await turns()
            ended.append("cleaned up")

    async def block() -> None:
        async with TaskPool(2) as pool:
            await pool.spawn(wait)
            await turns()
            raise ValueError("block")

    with pytest.raises(ExceptionGroup) as caught:
        await block()
    assert caught.group_contains(ValueError, match="block")
    assert ended == ["cleaned up"]


@pytest.mark.asyncio
@pytest.mark.parametrize("spawns", [1, 3])
async def test_a_cancelled_block_cancels_the_tasks_and_ends_cancelled(spawns: int) -> None:
    ended: list[int] = []

    async def wait() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append(1)

    async def main() -> None:
        async with TaskPool(2) as pool:
            for _ in range(spawns):
                await pool.spawn(wait)

    task = asyncio.create_task(main())
    await turns()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(ended) == min(spawns, 2)


@pytest.mark.asyncio
async def test_a_stranger_that_waits_in_spawn_learns_that_the_pool_is_over() -> None:
    async def fail() -> None:
        await turns(3)
        raise ValueError

    strangers: list[asyncio.Task[Any]] = []

    async def block() -> None:
        async with TaskPool(1) as pool:
            await pool.spawn(fail)
            strangers.extend(asyncio.create_task(pool.spawn(turns)) for _ in range(3))
            await asyncio.get_running_loop().create_future()

    with pytest.raises(ExceptionGroup):
        await block()
    done = await asyncio.wait_for(asyncio.gather(*strangers, return_exceptions=True), 10)
    assert all(isinstance(error, RuntimeError) and "starts no task any more" in str(error) for error in done)


# who may


@pytest.mark.asyncio
async def test_a_pool_that_is_not_entered_or_is_over_starts_nothing() -> None:
    pool = TaskPool(1)
    with pytest.raises(RuntimeError, match="async with"):
        await pool.spawn(turns)
    async with pool:
        pass
    with pytest.raises(RuntimeError, match="starts no task any more"):
        await pool.spawn(turns)
    with pytest.raises(RuntimeError, match="starts no task any more"):
        pool.try_spawn(turns)


@pytest.mark.asyncio
async def test_another_thread_is_told_what_to_do() -> None:
    async with TaskPool(1) as pool:
        with pytest.raises(RuntimeError, match="run_coroutine_threadsafe"):
            await asyncio.to_thread(pool.try_spawn, turns)
        loop = asyncio.get_running_loop()
        future = await asyncio.to_thread(lambda: asyncio.run_coroutine_threadsafe(pool.spawn(turns), loop))
        await (await asyncio.wrap_future(future))


# spawning from tasks of the pool


@pytest.mark.asyncio
@pytest.mark.parametrize(("limit", "delay"), [(1, 0), (1, 1), (2, 1), (5, 1)])
async def test_tasks_that_all_wait_in_spawn_fail_instead_of_deadlocking(limit: int, delay: int) -> None:
    pool = TaskPool(limit)

    async def parent() -> None:
        await turns(delay)
        await pool.spawn(turns)

    async def block() -> None:
        async with asyncio.timeout(10), pool:
            for _ in range(limit):
                await pool.spawn(parent)

    with pytest.raises(ExceptionGroup) as caught:
        await block()
    assert caught.group_contains(RuntimeError, match=f"all {limit} tasks")


@pytest.mark.asyncio
async def test_tasks_may_spawn_at_the_limit_while_another_one_works() -> None:
    done: list[int] = []

    async def child(number: int) -> None:
        done.append(number)

    async def parent(number: int) -> None:
        await pool.spawn(child, number)

    async with asyncio.timeout(10), TaskPool(3) as pool:
        await pool.spawn(turns, 20)
        await pool.spawn(parent, 1)
        await pool.spawn(parent, 2)
    assert sorted(done) == [1, 2]


# random schedules

Step = tuple[str, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["spawn", "try_spawn", "nest", "fail", "cancel task", "cancel spawner", "turn", "leave"]),
        st.integers(0, 7),
    ),
    max_size=40,
)


def schedule(limit: int, steps: list[Step]) -> Coroutine[Any, Any, None]:
    """Play the steps and check that the limit holds and that nobody and nothing is left behind."""

    async def main() -> None:
        running = 0
        children: list[asyncio.Task[Any]] = []
        spawners: list[asyncio.Task[Any]] = []
        called: list[int] = []

        async def work(length: int) -> None:
            nonlocal running
            running += 1
            assert running <= limit
            try:
                await turns(length)
            finally:
                running -= 1

        async def fail(length: int) -> None:
            await work(length)
            raise KeyError(length)

        async def nest(length: int) -> None:
            await work(length)
            await pool.spawn(work, length)

        async def spawn(job: Callable[[int], Coroutine[Any, Any, None]], length: int) -> None:
            children.append(await pool.spawn(job, length))
            called.append(length)

        jobs: dict[str, Callable[[int], Coroutine[Any, Any, None]]] = {"spawn": work, "nest": nest, "fail": fail}
        pool = TaskPool(limit)
        failed = False
        try:
            async with pool:
                for action, number in steps:
                    if action in jobs:
                        spawners.append(asyncio.create_task(spawn(jobs[action], number)))
                    elif action == "try_spawn" and (task := pool.try_spawn(work, number)):
                        children.append(task)
                    elif action == "cancel task" and children:
                        children[number % len(children)].cancel()
                    elif action == "cancel spawner" and spawners:
                        spawners[number % len(spawners)].cancel()
                    elif action == "turn":
                        await turns(number)
                    elif action == "leave":
                        break
        except* (KeyError, RuntimeError):
            failed = True
        # Whoever still waits gets a slot or is refused; nobody hangs, which the virtual clock would tell.
        results = await asyncio.gather(*spawners, return_exceptions=True)
        assert all(isinstance(result, RuntimeError | asyncio.CancelledError | None) for result in results)
        assert all(child.done() for child in children)
        await turns(2)
        assert (running, pool._free, pool._waiting, pool._tasks) == (0, limit, {}, set())
        assert failed or not any(child.exception() for child in children if not child.cancelled())

    return main()


@pytest.mark.stress
def test_random_schedules_hold_the_limit_and_leave_nothing_behind(in_virtual_time: Run) -> None:
    @given(st.integers(1, 3), STEPS)
    def check(limit: int, steps: list[Step]) -> None:
        in_virtual_time(schedule(limit, steps))

    check()


def test_a_task_is_awaitable_in_the_block(in_virtual_time: Run) -> None:
    async def double(number: int) -> int:
        return number * 2

    async def main() -> list[int]:
        async with TaskPool(2) as pool:
            tasks: list[Awaitable[int]] = [await pool.spawn(double, number) for number in range(5)]
            return [await task for task in tasks]

    assert in_virtual_time(main()) == [0, 2, 4, 6, 8]
