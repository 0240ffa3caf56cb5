from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import gc
import threading
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import pytest
from asyncpatterns import ChangeStream, Lagged, OnLag, StreamClosed, StreamFailed, Subscription

Run = Callable[[Coroutine[Any, Any, Any]], Any]
DROPPING: list[OnLag] = ["raise", "drop_oldest", "drop_newest", "latest"]


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def buffered(subscription: Subscription[int]) -> list[int]:
    return list(subscription._mailbox.items)


class FlawedChangeStream:
    """One slot under a condition, held while the consumer's body runs."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._latest: Any = None

    async def add_change(self, item: Any) -> None:
        async with self._changed:
            self._latest = item
            self._changed.notify_all()

    async def __aiter__(self) -> AsyncIterator[Any]:
        async with self._changed:
            while True:
                await self._changed.wait()
                yield self._latest  # noqa: AIO501, AIO502  # the flaws that the tests show


async def received_of_a_burst(stream: Any) -> list[int]:
    got: list[int] = []

    async def consume() -> None:
        async for item in stream:
            got.append(item)

    consumer = asyncio.create_task(consume())
    await turns()
    for number in range(100):
        await stream.add_change(number)
    await turns()
    consumer.cancel()
    await asyncio.wait([consumer])
    return got


async def publish_from_the_body(stream: Any) -> list[int]:
    got: list[int] = []

    async def consume() -> None:
        async for item in stream:
            got.append(item)
            if item == 3:
                return
            await stream.add_change(item + 1)

    consumer = asyncio.create_task(consume())
    await turns()
    await stream.add_change(1)
    await consumer
    return got


async def time_to_publish_past_a_slow_subscriber(stream: Any) -> float:
    async def consume() -> None:
        async for _ in stream:
            await asyncio.sleep(30)

    consumer = asyncio.create_task(consume())
    await turns()
    await stream.add_change(1)
    await turns()
    await stream.add_change(2)
    consumer.cancel()
    return asyncio.get_running_loop().time()


def test_flawed_stream_loses_all_but_one_of_a_burst(in_virtual_time: Run) -> None:
    assert in_virtual_time(received_of_a_burst(FlawedChangeStream())) == [99]
    assert in_virtual_time(received_of_a_burst(ChangeStream())) == list(range(100))


def test_flawed_stream_deadlocks_when_a_consumer_publishes(in_virtual_time: Run, deadlock: type[Exception]) -> None:
    with pytest.raises(deadlock):
        in_virtual_time(publish_from_the_body(FlawedChangeStream()))
    assert in_virtual_time(publish_from_the_body(ChangeStream())) == [1, 2, 3]


def test_flawed_stream_lets_a_slow_subscriber_hold_up_the_publisher(in_virtual_time: Run) -> None:
    assert in_virtual_time(time_to_publish_past_a_slow_subscriber(FlawedChangeStream())) == pytest.approx(30)
    assert in_virtual_time(time_to_publish_past_a_slow_subscriber(ChangeStream())) == 0


@pytest.mark.asyncio
async def test_flawed_stream_ends_after_a_timeout() -> None:
    iterator = aiter(FlawedChangeStream())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await anext(iterator)
    with pytest.raises(StopAsyncIteration):
        await anext(iterator)


async def publishes_after_a_break_with_the_iterator_referenced(stream: Any) -> bool:
    iterator = aiter(stream)

    async def consume() -> None:
        async for _ in iterator:
            break

    consumer = asyncio.create_task(consume())
    await turns()
    await stream.add_change(1)
    await consumer
    publisher = asyncio.create_task(stream.add_change(2))
    await turns()
    done = publisher.done()
    publisher.cancel()
    await asyncio.wait([publisher])
    if isinstance(iterator, AsyncGenerator):
        await iterator.aclose()
    return done


@pytest.mark.asyncio
async def test_flawed_stream_stays_locked_after_a_break_with_the_iterator_referenced() -> None:
    assert not await publishes_after_a_break_with_the_iterator_referenced(FlawedChangeStream())
    assert await publishes_after_a_break_with_the_iterator_referenced(ChangeStream())


def test_flawed_stream_is_not_subscribed_to_until_the_first_step(
    in_virtual_time: Run, deadlock: type[Exception]
) -> None:
    async def main(stream: Any) -> int:
        iterator = aiter(stream)
        await stream.add_change(1)
        return await anext(iterator)

    with pytest.raises(deadlock):
        in_virtual_time(main(FlawedChangeStream()))
    assert in_virtual_time(main(ChangeStream())) == 1


def test_flawed_stream_lets_a_thread_publish_and_wakes_at_the_next_timer(in_virtual_time: Run) -> None:
    async def main(stream: Any, publish: Callable[[Any], Any]) -> float:
        loop: Any = asyncio.get_running_loop()
        loop.set_debug(False)  # else asyncio refuses what the flawed stream does
        iterator = aiter(stream)

        def publish_in_a_thread() -> None:
            thread = threading.Thread(target=publish, args=[stream])
            thread.start()
            thread.join()

        loop.selector.while_waiting = publish_in_a_thread
        loop.call_later(60, int)  # whatever else the loop will have to do
        assert await anext(iterator) == 1
        if isinstance(iterator, AsyncGenerator):
            await iterator.aclose()
        return loop.time()

    late = in_virtual_time(main(FlawedChangeStream(), lambda stream: asyncio.run(stream.add_change(1))))
    assert late == pytest.approx(60)
    assert in_virtual_time(main(ChangeStream(), lambda stream: stream.publish_threadsafe(1))) == 0


def test_flawed_stream_is_bound_to_whichever_loop_contends_for_its_lock_first() -> None:
    async def contend(stream: Any) -> None:
        holder = asyncio.create_task(anext(aiter(stream)))
        await turns()
        await stream.add_change(1)
        await holder

    def loops(stream: Any) -> Iterator[type[Exception] | None]:
        for main in (stream.add_change, contend, contend):
            try:
                asyncio.run(main(stream if main is contend else 0))
                yield None
            except RuntimeError as error:
                yield type(error)

    assert list(loops(FlawedChangeStream())) == [None, None, RuntimeError]
    # Ours belongs to the first loop that it is used in, contended for or not.
    assert list(loops(ChangeStream())) == [None, RuntimeError, RuntimeError]


# subscribing


@pytest.mark.asyncio
async def test_subscribed_at_the_call_before_any_await() -> None:
    stream = ChangeStream[int]()
    first, second = stream.subscribe(), aiter(stream)
    assert stream.subscribers == 2
    stream.publish_nowait(1)
    assert (await anext(first), await anext(second)) == (1, 1)


@pytest.mark.asyncio
async def test_every_subscriber_gets_everything_in_one_order() -> None:
    stream = ChangeStream[tuple[str, int]]()

    async def consume(subscription: Subscription[tuple[str, int]]) -> list[tuple[str, int]]:
        return [item async for item in subscription]

    async def produce(name: str) -> None:
        for number in range(200):
            await stream.publish((name, number))
            if number % 7 == 0:
                await asyncio.sleep(0)

    consumers = [asyncio.create_task(consume(stream.subscribe())) for _ in range(10)]
    await asyncio.gather(produce("a"), produce("b"), produce("c"))
    stream.close()
    orders = await asyncio.gather(*consumers)
    assert all(order == orders[0] for order in orders)
    for name in "abc":
        assert [number for who, number in orders[0] if who == name] == list(range(200))


@pytest.mark.asyncio
async def test_publishing_to_room_never_waits() -> None:
    stream = ChangeStream[int](buffer=100)
    subscription = stream.subscribe()
    for number in range(100):
        with pytest.raises(StopIteration):
            stream.publish(number).send(None)
    assert len(subscription) == 100
    assert bool(stream.subscribe())


@pytest.mark.asyncio
async def test_add_change_is_publish() -> None:
    stream = ChangeStream[int]()
    subscription = stream.subscribe()
    await stream.add_change(1)
    assert await anext(subscription) == 1


@pytest.mark.asyncio
async def test_publishing_to_nobody_is_fine() -> None:
    stream = ChangeStream[int]()
    await stream.publish(1)
    stream.publish_nowait(2)


@pytest.mark.parametrize("options", [{"buffer": 0}, {"replay": -1}, {"on_lag": "explode"}])
def test_wrong_options_are_value_errors(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        ChangeStream[int](**options)


@pytest.mark.asyncio
@pytest.mark.parametrize("options", [{"buffer": 0}, {"replay": -1}, {"replay": 3}, {"on_lag": "explode"}])
async def test_wrong_options_of_a_subscription_are_value_errors(options: dict[str, Any]) -> None:
    stream = ChangeStream[int](replay=2)
    with pytest.raises(ValueError, match=next(iter(options))):
        stream.subscribe(**options)
    assert stream.subscribers == 0


# lagging


@pytest.mark.asyncio
async def test_raise_drops_the_oldest_tells_how_many_and_goes_on() -> None:
    stream = ChangeStream[int](buffer=3)
    subscription = stream.subscribe()
    for number in range(10):
        stream.publish_nowait(number)
    with pytest.raises(Lagged, match="7 items were dropped") as caught:
        await anext(subscription)
    assert caught.value.missed == 7
    assert await anext(subscription) == 7
    stream.publish_nowait(10)
    stream.publish_nowait(11)
    with pytest.raises(Lagged) as caught:
        await anext(subscription)
    assert caught.value.missed == 1
    assert [await anext(subscription) for _ in range(3)] == [9, 10, 11]
    assert subscription.dropped == 8


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("on_lag", "kept", "dropped"),
    [("drop_oldest", [7, 8, 9], 7), ("drop_newest", [0, 1, 2], 7), ("latest", [9], 9)],
)
async def test_dropping_policies_keep_and_count(on_lag: OnLag, kept: list[int], dropped: int) -> None:
    stream = ChangeStream[int](buffer=3, on_lag=on_lag)
    subscription = stream.subscribe()
    for number in range(10):
        stream.publish_nowait(number)
    stream.close()
    assert [item async for item in subscription] == kept
    assert subscription.dropped == dropped


@pytest.mark.asyncio
async def test_a_subscription_can_differ_from_its_stream() -> None:
    stream = ChangeStream[int](buffer=2, on_lag="drop_newest")
    same, other = stream.subscribe(), stream.subscribe(buffer=3, on_lag="drop_oldest")
    for number in range(10):
        stream.publish_nowait(number)
    assert (buffered(same), buffered(other)) == ([0, 1], [7, 8, 9])


@pytest.mark.asyncio
@pytest.mark.parametrize("on_lag", DROPPING)
async def test_a_consumer_that_merely_had_no_turn_loses_nothing(on_lag: OnLag) -> None:
    stream = ChangeStream[int](buffer=10, on_lag=on_lag)
    subscription = stream.subscribe()
    got: list[int] = []

    async def consume() -> None:
        async for item in subscription:
            got.append(item)

    consumer = asyncio.create_task(consume())
    for number in range(1000):
        await stream.publish(number)
    stream.close()
    await consumer
    assert got == list(range(1000))
    assert subscription.dropped == 0


@pytest.mark.asyncio
async def test_a_stuck_subscriber_costs_one_turn_only_and_keeps_no_more_than_its_buffer() -> None:
    stream = ChangeStream[int](buffer=10)
    stuck = stream.subscribe()
    passed = 0

    def count() -> None:
        nonlocal passed
        passed += 1
        asyncio.get_running_loop().call_soon(count)

    asyncio.get_running_loop().call_soon(count)
    for number in range(1000):
        await stream.publish(number)
    assert passed <= 2
    assert (len(stuck), stuck.dropped) == (10, 990)


# block


@pytest.mark.asyncio
async def test_block_waits_for_room_first_come_first_served() -> None:
    stream = ChangeStream[int](buffer=2, on_lag="block")
    subscription = stream.subscribe()
    publishers = [asyncio.create_task(stream.publish(number)) for number in range(10)]
    await turns()
    assert [publisher.done() for publisher in publishers] == [True] * 2 + [False] * 8
    assert await anext(subscription) == 0
    await turns()
    assert [publisher.done() for publisher in publishers] == [True] * 3 + [False] * 7
    assert [await anext(subscription) for _ in range(9)] == list(range(1, 10))
    await asyncio.gather(*publishers)
    assert subscription.dropped == 0


@pytest.mark.asyncio
async def test_block_lets_nobody_overtake_a_woken_publisher() -> None:
    stream = ChangeStream[int](buffer=1, on_lag="block")
    subscription = stream.subscribe()
    stream.publish_nowait(1)
    waiting = asyncio.create_task(stream.publish(2))
    await turns()
    assert await anext(subscription) == 1
    with pytest.raises(asyncio.QueueFull):
        stream.publish_nowait(3)
    late = asyncio.create_task(stream.publish(3))
    await turns()
    assert [await anext(subscription) for _ in range(2)] == [2, 3]
    await asyncio.gather(waiting, late)


@pytest.mark.asyncio
async def test_block_publish_nowait_raises_queue_full_and_gives_it_to_nobody() -> None:
    stream = ChangeStream[int]()
    full = stream.subscribe(buffer=1, on_lag="block")
    other = stream.subscribe()
    stream.publish_nowait(1)
    with pytest.raises(asyncio.QueueFull):
        stream.publish_nowait(2)
    assert (buffered(full), buffered(other)) == ([1], [1])


@pytest.mark.asyncio
async def test_block_a_subscriber_that_closes_frees_the_publisher() -> None:
    stream = ChangeStream[int](buffer=1, on_lag="block")
    with stream.subscribe():
        await stream.publish(1)
        publisher = asyncio.create_task(stream.publish(2))
        await turns()
        assert not publisher.done()
    await asyncio.wait_for(publisher, 10)


@pytest.mark.asyncio
async def test_block_a_subscriber_that_dies_frees_the_publisher() -> None:
    stream = ChangeStream[int](buffer=1, on_lag="block")

    async def consume() -> None:
        async for item in stream:
            raise ValueError(item)

    consumer = asyncio.create_task(consume())
    await turns()
    async with asyncio.timeout(10):
        for number in range(10):
            await stream.publish(number)
    with pytest.raises(ValueError, match="0"):
        await consumer
    assert stream.subscribers == 0


@pytest.mark.asyncio
async def test_block_a_subscriber_that_is_collected_frees_the_publisher() -> None:
    stream = ChangeStream[int](buffer=1, on_lag="block")
    subscription = stream.subscribe()
    await stream.publish(1)
    publisher = asyncio.create_task(stream.publish(2))
    await turns()
    del subscription
    await asyncio.wait_for(publisher, 10)


@pytest.mark.asyncio
async def test_block_a_subscriber_that_is_cancelled_while_it_waits_frees_the_publisher_though_its_task_is_kept() -> (
    None
):
    stream = ChangeStream[int](buffer=1, on_lag="block")

    async def consume() -> None:
        async for _ in stream:
            pass

    consumer = asyncio.create_task(consume())
    await turns()
    consumer.cancel()
    await turns()
    async with asyncio.timeout(10):
        for number in range(10):
            await stream.publish(number)
    assert consumer.cancelled()
    assert stream.subscribers == 0


@pytest.mark.asyncio
async def test_block_a_subscriber_in_a_cycle_collected_in_another_thread_frees_the_publisher() -> None:
    stream = ChangeStream[int](buffer=1, on_lag="block")

    class Holder:
        def __init__(self) -> None:
            self.myself = self
            self.subscription = stream.subscribe()

    Holder()
    await stream.publish(1)
    publisher = asyncio.create_task(stream.publish(2))
    await turns()
    await asyncio.to_thread(gc.collect)
    await asyncio.wait_for(publisher, 10)
    assert stream.subscribers == 0


@pytest.mark.asyncio
@pytest.mark.parametrize("woken", [False, True])
async def test_block_a_cancelled_publisher_passes_its_turn_on_and_has_not_published(woken: bool) -> None:
    stream = ChangeStream[int](buffer=1, on_lag="block")
    subscription = stream.subscribe()
    await stream.publish(0)
    publishers = [asyncio.create_task(stream.publish(number)) for number in (1, 2)]
    await turns()
    if woken:
        assert await anext(subscription) == 0
    publishers[0].cancel()
    await turns()
    if not woken:
        assert await anext(subscription) == 0
    await asyncio.wait_for(publishers[1], 10)
    assert publishers[0].cancelled()
    assert await anext(subscription) == 2


@pytest.mark.asyncio
async def test_block_publishing_from_the_consuming_task_raises() -> None:
    stream = ChangeStream[int](buffer=1, on_lag="block")
    subscription = stream.subscribe()
    await stream.publish(1)
    async for _ in subscription:
        with pytest.raises(RuntimeError, match="wait for itself"):
            await stream.publish(2)
        stream.publish_nowait(2)
        break
    assert len(subscription) == 1
    subscription.close()
    await stream.publish(3)


@pytest.mark.asyncio
async def test_block_holds_up_the_publisher_for_the_other_subscribers_too() -> None:
    stream = ChangeStream[int]()
    blocking, other = stream.subscribe(buffer=1, on_lag="block"), stream.subscribe()
    await stream.publish(1)
    publisher = asyncio.create_task(stream.publish(2))
    await turns()
    assert buffered(other) == [1]
    assert await anext(blocking) == 1
    await publisher
    assert buffered(other) == [1, 2]


@pytest.mark.asyncio
async def test_block_a_woken_publisher_waits_again_for_a_new_subscriber_full_of_replays() -> None:
    stream = ChangeStream[int](buffer=1, on_lag="block", replay=1)
    first = stream.subscribe()
    await stream.publish(1)
    publisher = asyncio.create_task(stream.publish(2))
    await turns()
    assert await anext(first) == 1
    second = stream.subscribe()
    await turns()
    assert not publisher.done()
    assert await anext(second) == 1
    await asyncio.wait_for(publisher, 10)
    assert (await anext(first), await anext(second)) == (2, 2)


# replay


@pytest.mark.asyncio
async def test_replay_gives_new_subscribers_the_last_items_first() -> None:
    stream = ChangeStream[int](replay=3)
    for number in range(10):
        await stream.publish(number)
    subscription = stream.subscribe()
    await stream.publish(10)
    assert buffered(subscription) == [7, 8, 9, 10]
    assert buffered(stream.subscribe(replay=1)) == [10]
    assert buffered(stream.subscribe(replay=0)) == []
    assert buffered(stream.subscribe(buffer=2)) == [9, 10]
    assert buffered(stream.subscribe(on_lag="latest")) == [10]


# the end


@pytest.mark.asyncio
async def test_close_delivers_what_is_buffered_and_then_ends() -> None:
    stream = ChangeStream[int]()
    subscription = stream.subscribe()
    waiting = asyncio.create_task(anext(stream.subscribe(), None))
    await turns()
    stream.publish_nowait(1)
    stream.publish_nowait(2)
    stream.close()
    stream.close(ValueError("too late"))
    assert stream.closed
    assert stream.subscribers == 0
    assert [item async for item in subscription] == [1, 2]
    assert await waiting == 1
    with pytest.raises(StopAsyncIteration):
        await anext(subscription)


@pytest.mark.asyncio
async def test_close_ends_a_waiting_subscriber() -> None:
    stream = ChangeStream[int]()
    waiting = asyncio.create_task(anext(stream.subscribe(), None))
    await turns()
    stream.close()
    assert await asyncio.wait_for(waiting, 10) is None


@pytest.mark.asyncio
async def test_close_refuses_publishers_waiting_and_later() -> None:
    stream = ChangeStream[int](buffer=1, on_lag="block")
    subscription = stream.subscribe()
    await stream.publish(1)
    publishers = [asyncio.create_task(stream.publish(number)) for number in (2, 3)]
    await turns()
    stream.close()
    for publisher in publishers:
        with pytest.raises(StreamClosed):
            await asyncio.wait_for(publisher, 10)
    with pytest.raises(StreamClosed):
        await stream.publish(4)
    with pytest.raises(StreamClosed):
        stream.publish_nowait(4)
    with pytest.raises(StreamClosed):
        await asyncio.wrap_future(stream.publish_threadsafe(4))
    assert [item async for item in subscription] == [1]


@pytest.mark.asyncio
async def test_close_during_the_turn_before_the_first_drop_refuses_the_publisher() -> None:
    stream = ChangeStream[int](buffer=1)
    subscription = stream.subscribe()
    await stream.publish(1)
    asyncio.get_running_loop().call_soon(stream.close)
    with pytest.raises(StreamClosed):
        await stream.publish(2)
    assert [item async for item in subscription] == [1]


@pytest.mark.asyncio
async def test_a_closed_stream_replays_and_ends() -> None:
    stream = ChangeStream[int](replay=2)
    for number in range(5):
        await stream.publish(number)
    stream.close()
    assert [item async for item in stream] == [3, 4]
    assert stream.subscribers == 0


@pytest.mark.asyncio
async def test_close_with_an_error_gives_every_subscriber_an_exception_of_its_own_after_its_items() -> None:
    stream = ChangeStream[int]()
    subscriptions = [stream.subscribe() for _ in range(3)]
    await stream.publish(1)
    error = OSError("the source is gone")
    stream.close(error)
    failures = []
    for subscription in subscriptions:
        assert await anext(subscription) == 1
        with pytest.raises(StreamFailed) as caught:
            await anext(subscription)
        assert caught.value.__cause__ is error
        failures.append(caught.value)
    assert len(set(map(id, failures))) == 3
    with pytest.raises(StreamFailed):
        await stream.publish(2)


@pytest.mark.asyncio
async def test_nothing_comes_after_the_error() -> None:
    stream = ChangeStream[int]()
    subscription = stream.subscribe()
    arriving = stream.publish_threadsafe(1)
    stream.close(OSError("the source is gone"))
    await turns()
    with pytest.raises(StreamFailed):
        arriving.result(timeout=0)
    for _ in range(3):
        with pytest.raises(StreamFailed):
            await anext(subscription)


@pytest.mark.asyncio
async def test_a_body_that_raises_ends_only_its_subscriber() -> None:
    stream = ChangeStream[int]()
    other = stream.subscribe()

    async def consume() -> None:
        async for item in stream:
            raise ValueError(item)

    consumer = asyncio.create_task(consume())
    await turns()
    await stream.publish(1)
    with pytest.raises(ValueError, match="1"):
        await consumer
    await stream.publish(2)
    assert stream.subscribers == 1
    assert buffered(other) == [1, 2]


# leaving


@pytest.mark.asyncio
async def test_break_unregisters_at_once() -> None:
    stream = ChangeStream[int](replay=1)
    await stream.publish(1)
    async for _ in stream:
        assert stream.subscribers == 1
        break
    assert stream.subscribers == 0


@pytest.mark.asyncio
async def test_a_lost_reference_unregisters_at_once_and_its_items_go_at_the_next_publish() -> None:
    class Item:
        pass

    stream = ChangeStream[Item]()
    subscription = stream.subscribe()
    item = Item()
    reference = weakref.ref(item)
    stream.publish_nowait(item)
    del item, subscription
    assert stream.subscribers == 0
    stream.publish_nowait(Item())
    assert reference() is None


@pytest.mark.asyncio
async def test_a_cycle_is_unregistered_once_collected() -> None:
    stream = ChangeStream[int]()
    holder: list[Any] = [stream.subscribe()]
    holder.append(holder)
    del holder
    gc.collect()
    assert stream.subscribers == 0
    await stream.publish(1)
    assert not stream._mailboxes


@pytest.mark.asyncio
async def test_a_waiting_task_that_nobody_holds_is_not_collected() -> None:
    stream = ChangeStream[int]()
    got: list[int] = []

    async def consume() -> None:
        async for item in stream:
            got.append(item)

    asyncio.create_task(consume())  # noqa: RUF006, AIO205 - what is tested
    await turns()
    gc.collect()
    await stream.publish(1)
    await turns()
    assert got == [1]
    stream.close()
    await turns()


@pytest.mark.asyncio
async def test_a_closed_subscription_ends_and_lets_go_of_its_items() -> None:
    stream = ChangeStream[int]()
    with stream.subscribe() as subscription:
        await stream.publish(1)
    subscription.close()
    assert (len(subscription), stream.subscribers) == (0, 0)
    with pytest.raises(StopAsyncIteration):
        await anext(subscription)


@pytest.mark.asyncio
async def test_closing_a_subscription_ends_the_task_that_waits_in_it() -> None:
    subscription = ChangeStream[int]().subscribe()
    waiting = asyncio.create_task(anext(subscription, None))
    await turns()
    subscription.close()
    assert await asyncio.wait_for(waiting, 10) is None


@pytest.mark.asyncio
async def test_a_subscription_can_be_closed_in_another_thread() -> None:
    subscription = ChangeStream[int]().subscribe()
    waiting = asyncio.create_task(anext(subscription, None))
    await turns()
    await asyncio.to_thread(subscription.close)
    assert await asyncio.wait_for(waiting, 10) is None


# timeouts and cancellation


@pytest.mark.asyncio
@pytest.mark.parametrize("delay", range(5))
async def test_cancellation_loses_nothing_whenever_it_comes(delay: int) -> None:
    stream = ChangeStream[int]()
    subscription = stream.subscribe()
    got: list[int] = []

    async def consume() -> None:
        async for item in subscription:
            got.append(item)

    for number in range(200):
        consumer = asyncio.create_task(consume())
        await turns(delay)
        stream.publish_nowait(number)
        if number % 2:
            await asyncio.sleep(0)
        consumer.cancel()
        await asyncio.wait([consumer])
    stream.close()
    await consume()
    assert got == list(range(200))


@pytest.mark.asyncio
async def test_a_timeout_loses_nothing_and_the_iteration_goes_on() -> None:
    stream = ChangeStream[int]()
    subscription = stream.subscribe()
    for number in range(50):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(subscription), 0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await anext(subscription)
        await stream.publish(number)
        assert await asyncio.wait_for(anext(subscription), 10) == number


@pytest.mark.asyncio
async def test_cancellation_during_the_turn_for_others_loses_nothing() -> None:
    stream = ChangeStream[int]()
    subscription = stream.subscribe()
    for number in range(300):
        stream.publish_nowait(number)
    got: list[int] = []

    async def consume() -> None:
        async for item in subscription:
            got.append(item)

    consumer = asyncio.create_task(consume())
    await asyncio.sleep(0)
    consumer.cancel()
    await asyncio.wait([consumer])
    assert len(got) in (128, 256)  # a task that starts eagerly is one turn ahead
    stream.close()
    await consume()
    assert got == list(range(300))


@pytest.mark.asyncio
async def test_a_backlog_lets_other_tasks_run_once_in_128_items() -> None:
    stream = ChangeStream[int](buffer=1000)
    subscription = stream.subscribe()
    for number in range(1000):
        stream.publish_nowait(number)
    stream.close()
    passed: list[int] = []
    loop = asyncio.get_running_loop()

    def beat() -> None:
        passed.append(len(subscription))
        if passed[-1]:
            loop.call_soon(beat)

    loop.call_soon(beat)
    async for _ in subscription:
        pass
    assert passed == [1000 - 128 * n for n in range(1, 8)]
    loop.call_soon(passed.clear)
    await asyncio.sleep(0)


# who may


@pytest.mark.asyncio
async def test_two_tasks_on_one_subscription_raise_runtime_error() -> None:
    stream = ChangeStream[int]()
    subscription = stream.subscribe()
    waiting = asyncio.create_task(anext(subscription))
    await turns()
    with pytest.raises(RuntimeError, match="another task"):
        await anext(subscription)
    await stream.publish(1)
    assert await waiting == 1


def test_another_loop_raises_runtime_error() -> None:
    async def make() -> tuple[ChangeStream[int], Subscription[int]]:
        stream = ChangeStream[int]()
        return stream, stream.subscribe()

    stream, subscription = asyncio.run(make())

    async def use() -> None:
        with pytest.raises(RuntimeError, match="another event loop"):
            stream.subscribe()
        with pytest.raises(RuntimeError, match="another event loop"):
            await stream.publish(1)
        with pytest.raises(RuntimeError, match="another event loop"):
            await anext(subscription)

    asyncio.run(use())
    with pytest.raises(RuntimeError, match="closed"):
        stream.publish_threadsafe(1)
    stream.close()
    subscription.close()


def test_a_stream_may_be_made_before_its_loop() -> None:
    stream = ChangeStream[int]()
    with pytest.raises(RuntimeError, match="in no event loop yet"):
        stream.publish_threadsafe(1)
    with pytest.raises(RuntimeError, match="no running event loop"):
        stream.publish_nowait(1)

    async def main() -> int:
        subscription = stream.subscribe()
        stream.publish_nowait(1)
        return await anext(subscription)

    assert asyncio.run(main()) == 1


@pytest.mark.asyncio
async def test_publishing_in_another_thread_without_saying_so_raises() -> None:
    stream = ChangeStream[int]()
    stream.subscribe()
    with pytest.raises(RuntimeError, match="publish_threadsafe"):
        await asyncio.to_thread(stream.publish_nowait, 1)
    with pytest.raises(RuntimeError, match="thread"):
        await asyncio.to_thread(stream.close)
    assert not stream.closed


# threads


@pytest.mark.asyncio
async def test_threads_keep_their_order_and_everyone_sees_the_same() -> None:
    stream = ChangeStream[tuple[int, int]](buffer=100)

    def produce(thread: int) -> None:
        futures = [stream.publish_threadsafe((thread, number)) for number in range(500)]
        for future in futures:
            future.result(timeout=20)

    async def consume(subscription: Subscription[tuple[int, int]]) -> list[tuple[int, int]]:
        return [item async for item in subscription]

    consumers = [asyncio.create_task(consume(stream.subscribe(on_lag=on_lag))) for on_lag in ("raise", "block")]
    await asyncio.gather(*(asyncio.to_thread(produce, thread) for thread in range(4)))
    stream.close()
    first, second = await asyncio.gather(*consumers)
    assert first == second
    for thread in range(4):
        assert [number for who, number in first if who == thread] == list(range(500))


@pytest.mark.asyncio
async def test_a_thread_waits_for_room_in_its_turn() -> None:
    stream = ChangeStream[int](buffer=1, on_lag="block")
    subscription = stream.subscribe()
    futures = [stream.publish_threadsafe(number) for number in range(3)]
    await turns()
    assert [future.done() for future in futures] == [True, False, False]
    assert futures[2].cancel()
    assert [await anext(subscription) for _ in range(2)] == [0, 1]
    await turns()
    assert futures[1].done()
    assert len(subscription) == 0


@pytest.mark.asyncio
async def test_threads_do_not_wait_for_ever_when_the_loop_is_shut_down() -> None:
    stream = ChangeStream[int](buffer=1, on_lag="block")
    subscription = stream.subscribe()
    futures = [stream.publish_threadsafe(number) for number in range(3)]
    await turns()
    assert stream._pump is not None
    stream._pump.cancel()
    await turns()
    for future in futures[1:]:
        with pytest.raises(concurrent.futures.CancelledError):
            future.result(timeout=10)
    assert await anext(subscription) == 0


@pytest.mark.asyncio
async def test_publishing_from_a_thread_wakes_a_subscriber_of_an_idle_loop() -> None:
    stream = ChangeStream[int]()
    subscription = stream.subscribe()
    thread = threading.Timer(0.05, stream.publish_threadsafe, [1])
    thread.start()
    async with asyncio.timeout(10):
        assert await anext(subscription) == 1
    thread.join()


@pytest.mark.asyncio
async def test_collecting_a_dropped_item_may_subscribe_and_close() -> None:
    stream = ChangeStream[Any](buffer=1, on_lag="drop_oldest")
    opened: list[Subscription[Any]] = []

    class Item:
        def __del__(self) -> None:
            with contextlib.suppress(RuntimeError):
                opened.append(stream.subscribe())
                subscriptions[1].close()

    subscriptions = [stream.subscribe() for _ in range(3)]
    stream.publish_nowait(Item())
    stream.publish_nowait(1)
    stream.publish_nowait(2)
    assert [list(subscription._mailbox.items) for subscription in subscriptions] == [[2], [], [2]]
    assert [list(subscription._mailbox.items) for subscription in opened] == [[2]]
