"""What a stream does grows no faster than what it is asked to do: counted, not timed.

Counted are the lines of the runtime that are run and the turns of the event loop, which are the same on every machine.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from types import FrameType
from typing import Any

import asyncpatterns.streams
import pytest
from asyncpatterns import ChangeStream, OnLag, Subscription

Scenario = Callable[[int], Coroutine[Any, Any, Callable[[], Awaitable[None]]]]


class Counts:
    """The lines of streams.py that are run while this is entered."""

    def __init__(self) -> None:
        self.lines = 0

    def __enter__(self) -> Counts:
        self._before = sys.gettrace()
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != asyncpatterns.streams.__file__:
            return None
        if event == "line":
            self.lines += 1
        return self._trace


def lines_run(scenario: Scenario, size: int) -> int:
    """How many lines the act of a scenario of that size runs; what prepares it is not counted."""

    async def main() -> int:
        act = await scenario(size)
        with Counts() as counts:
            await act()
        return counts.lines

    return asyncio.run(main())


async def take(subscription: Subscription[int], count: int) -> None:
    async for _ in subscription:
        count -= 1
        if not count:
            return


async def subscribing(size: int) -> Callable[[], Awaitable[None]]:
    stream = ChangeStream[int]()

    async def act() -> None:
        subscriptions = [stream.subscribe() for _ in range(size)]
        stream.publish_nowait(1)
        assert sum(map(len, subscriptions)) == size

    return act


async def closing(size: int) -> Callable[[], Awaitable[None]]:
    stream = ChangeStream[int]()
    subscriptions = [stream.subscribe() for _ in range(size)]

    async def act() -> None:
        for subscription in subscriptions:
            subscription.close()
        stream.publish_nowait(1)
        assert stream.subscribers == 0

    return act


async def coming_and_going_unpublished(size: int) -> Callable[[], Awaitable[None]]:
    stream = ChangeStream[int]()

    async def act() -> None:
        for _ in range(size):
            stream.subscribe()  # and lost at once
        assert len(stream._mailboxes) < 100

    return act


async def publishing_to_many(size: int) -> Callable[[], Awaitable[None]]:
    stream = ChangeStream[int]()
    subscriptions = [stream.subscribe() for _ in range(size)]
    tasks = [asyncio.create_task(take(subscription, 10)) for subscription in subscriptions]
    await asyncio.sleep(0)

    async def act() -> None:
        for number in range(10):
            await stream.publish(number)
        await asyncio.gather(*tasks)

    return act


def waiting_for_room(*, last_first: bool) -> Scenario:
    async def scenario(size: int) -> Callable[[], Awaitable[None]]:
        stream = ChangeStream[int](buffer=1, on_lag="block")
        subscriptions = [stream.subscribe() for _ in range(size)]
        order = list(reversed(subscriptions)) if last_first else subscriptions

        async def act() -> None:
            tasks = [asyncio.create_task(take(subscription, 10)) for subscription in order]
            for number in range(10):
                await stream.publish(number)
            await asyncio.gather(*tasks)

        return act

    return scenario


async def draining_a_backlog(size: int) -> Callable[[], Awaitable[None]]:
    stream = ChangeStream[int](buffer=size)
    subscription = stream.subscribe()

    async def act() -> None:
        for number in range(size):
            stream.publish_nowait(number)
        await take(subscription, size)

    return act


def lagging(on_lag: OnLag) -> Scenario:
    async def scenario(size: int) -> Callable[[], Awaitable[None]]:
        stream = ChangeStream[int](buffer=10, on_lag=on_lag)
        subscription = stream.subscribe()

        async def act() -> None:
            for number in range(size):
                stream.publish_nowait(number)
            assert subscription.dropped

        return act

    return scenario


async def publishers_in_line(size: int) -> Callable[[], Awaitable[None]]:
    stream = ChangeStream[int](buffer=1, on_lag="block")
    subscription = stream.subscribe()

    async def act() -> None:
        publishers = [asyncio.create_task(stream.publish(number)) for number in range(size)]
        await take(subscription, size)
        await asyncio.gather(*publishers)

    return act


async def closing_the_stream(size: int) -> Callable[[], Awaitable[None]]:
    stream = ChangeStream[int]()
    tasks = [asyncio.create_task(take(stream.subscribe(), 1)) for _ in range(size)]
    await asyncio.sleep(0)

    async def act() -> None:
        stream.close()
        await asyncio.gather(*tasks)

    return act


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(subscribing, id="subscribing"),
        pytest.param(closing, id="closing"),
        pytest.param(coming_and_going_unpublished, id="coming and going while nothing is published"),
        pytest.param(publishing_to_many, id="publishing to many"),
        pytest.param(waiting_for_room(last_first=False), id="waiting for room, taken in turn"),
        pytest.param(waiting_for_room(last_first=True), id="waiting for room, taken by the last first"),
        pytest.param(draining_a_backlog, id="draining a backlog"),
        pytest.param(lagging("raise"), id="lagging, raise"),
        pytest.param(lagging("drop_newest"), id="lagging, drop_newest"),
        pytest.param(lagging("latest"), id="lagging, latest"),
        pytest.param(publishers_in_line, id="publishers in line"),
        pytest.param(closing_the_stream, id="closing the stream"),
    ],
)
def test_four_times_as_much_takes_four_times_the_lines(scenario: Scenario) -> None:
    some, more = lines_run(scenario, 50), lines_run(scenario, 200)
    assert 3 < more / some < 4.4


def turns_of_a_burst(items: int, subscribers: int) -> int:
    """How many turns the loop takes until all subscribers have received a burst."""

    async def main() -> int:
        stream = ChangeStream[int](buffer=items)
        tasks = [asyncio.create_task(take(stream.subscribe(), items)) for _ in range(subscribers)]
        for number in range(items):
            stream.publish_nowait(number)
        turns = 0
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0)
            turns += 1
        return turns

    return asyncio.run(main())


def test_the_turns_of_a_burst_do_not_grow_with_the_subscribers() -> None:
    assert turns_of_a_burst(1000, 1) == turns_of_a_burst(1000, 50)


def test_the_turns_of_a_burst_grow_as_its_items() -> None:
    assert turns_of_a_burst(12_800, 1) <= 10 * turns_of_a_burst(1280, 1)
