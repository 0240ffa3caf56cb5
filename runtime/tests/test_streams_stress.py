"""Random schedules of everything that can happen to a change stream, against what always holds."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, get_args

import pytest
from asyncpatterns import ChangeStream, Lagged, OnLag, StreamClosed, StreamFailed, Subscription
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

# Anything: a loop that is run step by step, see conftest.
Loop = Any

# Blocking thrice, because waiting publishers have most that can go wrong.
POLICIES: tuple[OnLag, ...] = (*get_args(OnLag), "block", "block")
WHICH = st.integers(0, 7)  # taken modulo the number of those there are
ENDINGS = ("drain", "close", "close with an error", "close the subscriptions", "lose the subscriptions", "shut down")


@dataclass
class Published:
    """One item on its way."""

    item: int
    since: int  # the number of settlements before it set out
    publisher: str  # whose own order must be kept
    outcome: str = "pending"
    task: asyncio.Task[Any] | None = None
    waited_at: int = sys.maxsize  # the number of the first settlement that it was pending at


@dataclass
class Subscriber:
    """One subscription and what its consumers saw of it."""

    subscription: Subscription[int] | None
    start: int  # where in the order its first item lies
    room: int
    on_lag: OnLag
    log: list[int] = field(default_factory=list)  # items; what Lagged said, as a negative number
    inside: int = 0  # how many consumers wait for its next step
    left: bool = False  # closed, or lost on purpose
    ended: bool = False
    failures: list[StreamFailed] = field(default_factory=list)

    def __post_init__(self) -> None:
        assert self.subscription is not None
        self.mailbox = self.subscription._mailbox  # outlives the subscription


class Schedule(RuleBasedStateMachine):
    """A stream with publishers and subscribers, whose steps are taken in any order.

    Rules only schedule what happens; how far the loop gets in between is a matter of chance as well. An
    additional subscriber, the witness, has room for everything, and so the one order of all items.
    """

    def __init__(self, loop: Loop, thread: concurrent.futures.Executor) -> None:
        super().__init__()
        self.loop = loop
        self.thread = thread
        self.subscribers: list[Subscriber] = []
        self.published: list[Published] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.futures: list[tuple[Published, concurrent.futures.Future[None]]] = []
        self.settlements = 0
        self.error: Exception | None = None

    @initialize(
        buffer=st.integers(1, 3), replay=st.integers(0, 2), ending=st.sampled_from(ENDINGS), eager=st.booleans()
    )
    def begin(self, buffer: int, replay: int, ending: str, eager: bool) -> None:
        self.loop.set_task_factory(getattr(asyncio, "eager_task_factory", None) if eager else None)
        self.replay = replay
        self.ending = ending
        gc.freeze()  # what is there already need not be looked through by the collections below
        self.stream = ChangeStream[int](buffer=buffer, replay=replay)
        self.soon(self.begin_witness)
        self.loop.turn()

    def begin_witness(self) -> None:
        self.witness = self.stream.subscribe(buffer=sys.maxsize)
        self.order = self.witness._mailbox.items

    def soon(self, action: Callable[..., object], *args: Any) -> None:
        self.loop.call_soon(action, *args)

    def spawn(self, coroutine: Any) -> None:
        self.tasks.append(self.loop.create_task(coroutine))

    # subscribing

    # One choice for all options: hypothesis takes longer to choose than the stream to do it.
    @rule(options=st.sampled_from(list(itertools.product(POLICIES, (1, 2, 3, 4), (0, 1, 2)))))
    def subscribe(self, options: tuple[OnLag, int, int]) -> None:
        on_lag, room, replay = options
        self.soon(self.do_subscribe, on_lag, room, min(replay, self.replay))

    def do_subscribe(self, on_lag: OnLag, room: int, replay: int) -> None:
        room = 1 if on_lag == "latest" else room
        start = max(0, len(self.order) - min(replay, room))
        subscription = self.stream.subscribe(buffer=room, on_lag=on_lag, replay=replay)
        self.subscribers.append(Subscriber(subscription, start, room, on_lag))

    @precondition(lambda self: self.subscribers)
    @rule(which=WHICH, options=st.sampled_from(list(itertools.product((0, 1, 2, 3), (0, 1, 2), (None, None, 0, 1)))))
    def consume(self, which: int, options: tuple[int, int, float | None]) -> None:
        subscriber = self.subscribers[which % len(self.subscribers)]
        if subscriber.subscription is not None:
            self.spawn(self.do_consume(subscriber, subscriber.subscription, *options))

    async def do_consume(
        self,
        subscriber: Subscriber,
        subscription: Subscription[int],
        limit: int = 0,
        pause: int = 0,
        patience: float | None = None,
    ) -> None:
        steps = 0
        while not limit or steps < limit:
            steps += 1
            try:
                async with asyncio.timeout(patience):
                    await self.step(subscriber, subscription)
            except TimeoutError:
                return
            except RuntimeError:
                assert subscriber.inside  # another task
                return
            except StopAsyncIteration:
                subscriber.ended = True
                return
            except StreamFailed as failed:
                subscriber.ended = True
                subscriber.failures.append(failed.with_traceback(None))
                return
            for _ in range(pause):
                await asyncio.sleep(0)

    async def step(self, subscriber: Subscriber, subscription: Subscription[int]) -> None:
        subscriber.inside += 1
        try:
            subscriber.log.append(await anext(subscription))
        except Lagged as lagged:
            subscriber.log.append(-lagged.missed)
        finally:
            subscriber.inside -= 1

    @precondition(lambda self: self.subscribers)
    @rule(which=WHICH)
    def answer(self, which: int) -> None:
        """Publish from within a consumer."""
        subscriber = self.subscribers[which % len(self.subscribers)]
        if subscriber.subscription is not None:
            self.spawn(self.do_answer(subscriber, subscriber.subscription))

    async def do_answer(self, subscriber: Subscriber, subscription: Subscription[int]) -> None:
        await self.do_consume(subscriber, subscription, 1)
        published = self.new("consumer")
        if (refusal := await self.attempt(published)) is not None and not isinstance(refusal, StreamClosed):
            assert "wait for itself" in str(refusal)
            assert subscriber.on_lag == "block"

    # leaving

    @precondition(lambda self: self.subscribers)
    @rule(which=WHICH, elsewhere=st.booleans())
    def leave(self, which: int, elsewhere: bool) -> None:
        subscriber = self.subscribers[which % len(self.subscribers)]
        if subscriber.subscription is not None:
            subscriber.left = True
            if elsewhere:
                self.thread.submit(subscriber.subscription.close).result()
            else:
                self.soon(subscriber.subscription.close)

    @precondition(lambda self: self.subscribers)
    @rule(which=WHICH, how=st.sampled_from(("here", "cycle", "cycle elsewhere")))
    def lose(self, which: int, how: str) -> None:
        subscriber = self.subscribers[which % len(self.subscribers)]
        holder: list[Any] = [subscriber.subscription]
        subscriber.subscription = None
        subscriber.left = True
        if how != "here":
            holder.append(holder)
        del holder
        if how == "cycle":
            gc.collect()
        elif how == "cycle elsewhere":
            self.thread.submit(gc.collect).result()

    # publishing

    def new(self, publisher: str) -> Published:
        published = Published(len(self.published) + 1, self.settlements, publisher)
        self.published.append(published)
        return published

    @rule(count=st.integers(1, 4))
    def publish(self, count: int) -> None:
        self.spawn(self.do_publish(f"task {len(self.tasks)}", count))

    async def do_publish(self, publisher: str, count: int) -> None:
        for _ in range(count):
            if (refusal := await self.attempt(self.new(publisher))) is not None:
                assert isinstance(refusal, StreamFailed if self.error else StreamClosed)
                return

    async def attempt(self, published: Published) -> RuntimeError | StreamClosed | None:
        """Publish, and return what that was refused with."""
        published.task = asyncio.current_task()
        try:
            await self.stream.publish(published.item)
        except (RuntimeError, StreamClosed) as refusal:
            published.outcome = "refused"
            return refusal.with_traceback(None)
        except asyncio.CancelledError:
            published.outcome = "refused"
            raise
        published.outcome = "published"
        return None

    @rule(count=st.integers(1, 5))
    def publish_nowait(self, count: int) -> None:
        for _ in range(count):
            self.soon(self.do_publish_nowait)

    def do_publish_nowait(self) -> None:
        published = self.new("nowait")
        published.outcome = "refused"
        try:
            self.stream.publish_nowait(published.item)
        except asyncio.QueueFull:
            assert self.full() or self.stream._queue
        except StreamClosed:
            assert self.stream.closed
        else:
            published.outcome = "published"

    @rule(count=st.integers(1, 3), real=st.booleans())
    def publish_threadsafe(self, count: int, real: bool) -> None:
        for _ in range(count):
            published = self.new("thread")
            publish = self.stream.publish_threadsafe
            future = self.thread.submit(publish, published.item).result() if real else publish(published.item)
            self.futures.append((published, future))

    # chance

    @precondition(lambda self: self.tasks)
    @rule(which=WHICH, soon=st.booleans())
    def cancel(self, which: int, soon: bool) -> None:
        task = self.tasks[-1 - which % len(self.tasks)]
        if soon:
            self.soon(task.cancel)
        else:
            task.cancel()

    @precondition(lambda self: any(self.pending()))
    @rule()
    def cancel_first(self) -> None:
        """Cancel the publisher that is first in line, which may have its turn just then."""
        self.soon(self.do_cancel_first)

    def do_cancel_first(self) -> None:
        first = next((published.task for published in self.pending() if published.task is not None), None)
        if first is not None:
            first.cancel()

    @precondition(lambda self: self.futures)
    @rule(which=WHICH)
    def cancel_future(self, which: int) -> None:
        self.futures[-1 - which % len(self.futures)][1].cancel()

    @rule(fail=st.booleans())
    def close(self, fail: bool) -> None:
        self.soon(self.do_close, fail)

    def do_close(self, fail: bool) -> None:
        if fail and not self.stream.closed:
            self.error = ValueError("the source is gone")
        self.stream.close(self.error)

    @rule(count=st.integers(1, 4))
    def turn(self, count: int) -> None:
        for _ in range(count):
            self.loop.turn()
            self.check_accounts()

    @rule()
    def wait(self) -> None:
        self.loop.advance(1)
        self.loop.turn()
        self.check_accounts()

    @rule()
    def settle(self) -> None:
        self.loop.settle()
        self.settlements += 1
        self.check_accounts()
        self.check_nobody_waits_in_vain()

    # what always holds

    def full(self) -> bool:
        """Whether there is a blocking subscriber without room."""
        return any(
            subscriber.on_lag == "block"
            and not subscriber.mailbox.closed
            and len(subscriber.mailbox.items) >= subscriber.room
            for subscriber in self.subscribers
        )

    def pending(self) -> Iterator[Published]:
        return (published for published in self.published if published.outcome == "pending")

    def check_accounts(self) -> None:
        """Every item is delivered, buffered or counted, and no buffer is larger than it may be."""
        order = list(self.order)
        for subscriber in self.subscribers:
            mailbox = subscriber.mailbox
            items = list(mailbox.items)
            assert len(items) <= subscriber.room
            if mailbox.closed:
                continue
            received = sum(item > 0 for item in subscriber.log)
            assert received + len(items) + mailbox.dropped == len(order) - subscriber.start
            if subscriber.on_lag != "drop_newest":
                assert items == order[len(order) - len(items) :]
            if subscriber.on_lag == "block":
                assert not mailbox.dropped

    def check_nobody_waits_in_vain(self) -> None:
        """For when nothing is ready: whoever waits has a reason to."""
        for published, future in self.futures:
            if future.done() and published.outcome == "pending":
                published.outcome = "refused" if future.cancelled() or future.exception() else "published"
        # Of the threads' items only the first is in line, the others are behind it.
        threads = [published for published in self.pending() if published.publisher == "thread"]
        for published in self.pending():
            assert self.full()
            if published not in threads[1:]:
                published.waited_at = min(published.waited_at, self.settlements)
        for subscriber in self.subscribers:
            if subscriber.mailbox.busy:
                assert not subscriber.mailbox.items
                assert not subscriber.mailbox.closed
                assert not subscriber.mailbox.missed
                assert not self.stream.closed
        assert not self.loop.reported, self.loop.reported

    def check_order(self) -> None:
        """One total order, each publisher's own order in it, and first come first served."""
        order = list(self.order)
        position = {item: index for index, item in enumerate(order)}
        assert len(position) == len(order)
        assert set(position) == {published.item for published in self.published if published.outcome == "published"}
        last: dict[str, int] = {}
        latest = 0
        for item in order:
            published = self.published[item - 1]
            assert item > last.get(published.publisher, 0)
            if published.publisher != "consumer":
                last[published.publisher] = item
            assert latest < published.waited_at, "overtaken"
            latest = max(latest, published.since)
        for subscriber in self.subscribers:
            self.check_log(subscriber, order, position)

    def check_log(self, subscriber: Subscriber, order: list[int], position: dict[int, int]) -> None:
        """What was delivered is the order from its start on, with the gaps that were announced."""
        here, gaps, told = subscriber.start, 0, 0
        for item in subscriber.log:
            if item <= 0:
                assert item
                assert subscriber.on_lag == "raise"
                told -= item
                here -= item
            elif subscriber.on_lag in ("raise", "block"):
                assert order[here] == item
                here += 1
            else:
                assert position[item] >= here
                gaps += position[item] - here
                here = position[item] + 1
        if subscriber.ended and not subscriber.left:
            assert told + gaps + len(order) - here == subscriber.mailbox.dropped
            assert bool(subscriber.failures) == (self.error is not None)

    def teardown(self) -> None:
        """End it in one of the ways there are, and see what is left."""
        if hasattr(self, "stream"):
            try:
                self.end()
            finally:
                for task in asyncio.all_tasks(self.loop):  # of a schedule that failed: the next one has the same loop
                    task.cancel()
                self.loop.settle()
                gc.unfreeze()

    def end(self) -> None:
        self.settle()
        self.let_go()
        getattr(self, f"end_by_{self.ending.replace(' ', '_')}", self.end_by_closing)()
        self.settle()
        assert not list(self.pending())
        self.loop.call_soon(self.stream.close)
        self.finish_consumers()
        self.check_order()
        failures = [id(failed) for subscriber in self.subscribers for failed in subscriber.failures]
        assert len(failures) == len(set(failures))
        self.check_nothing_is_left()

    def finish_consumers(self) -> None:
        """Let everyone who still can get everything there is, also behind one that was there for one item only."""
        for _ in range(len(self.tasks) + 1):
            idle = [each for each in self.subscribers if each.subscription and not each.inside and not each.ended]
            for subscriber in idle:
                assert subscriber.subscription is not None
                self.spawn(self.do_consume(subscriber, subscriber.subscription))
            self.settle()
            if not idle:
                break

    def end_by_closing(self) -> None:
        self.soon(self.do_close, self.ending == "close with an error")

    def end_by_drain(self) -> None:
        self.finish_consumers()

    def end_by_close_the_subscriptions(self) -> None:
        for subscriber in self.subscribers:
            if subscriber.subscription is not None:
                subscriber.left = True
                self.soon(subscriber.subscription.close)

    def end_by_lose_the_subscriptions(self) -> None:
        self.cancel_consumers()
        for subscriber in self.subscribers:
            subscriber.subscription = None
            subscriber.left = True
        self.let_go()

    def cancel_consumers(self) -> None:
        # In a function of its own, whose variables are gone when the tasks are let go of.
        for task in self.tasks:
            if "consume" in repr(task.get_coro()) or "answer" in repr(task.get_coro()):
                task.cancel()

    def let_go(self) -> None:
        """Have what was lost collected: the tracebacks of cancelled tasks have it in variables of ours."""
        self.loop.settle()
        self.tasks = [task for task in self.tasks if not task.cancelled()]
        for published in self.published:
            published.task = None
        gc.collect()

    def end_by_shut_down(self) -> None:
        for task in asyncio.all_tasks(self.loop):
            task.cancel()

    def check_nothing_is_left(self) -> None:
        assert not asyncio.all_tasks(self.loop)
        for task in self.tasks:
            if not task.cancelled():
                task.result()  # raises what failed in there
        stream = self.stream
        assert not stream._mailboxes
        assert not stream._queue
        assert not stream._from_threads
        for subscriber in self.subscribers:
            assert not subscriber.mailbox.busy
            assert subscriber.mailbox.waiter is None
        assert all(future.done() for _, future in self.futures)


@pytest.mark.stress
def test_random_schedules_keep_every_promise(stepped_loop: Loop) -> None:
    numbers = itertools.count(1)
    with concurrent.futures.ThreadPoolExecutor(1) as thread:

        def schedule() -> Schedule:
            if next(numbers) % 500 == 0:
                gc.collect()  # what is frozen once is not collected by itself
            return Schedule(stepped_loop, thread)

        run_state_machine_as_test(schedule, settings=settings(stateful_step_count=30))
