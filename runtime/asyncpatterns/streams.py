"""A stream of changes: every subscriber gets every item, in order, or is told how many it missed."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import sys
import weakref
from asyncio import _get_running_loop
from collections import deque
from collections.abc import AsyncIterator
from threading import get_ident
from typing import TYPE_CHECKING, Any, Generic, Literal, NoReturn, TypeVar, get_args

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["ChangeStream", "Lagged", "OnLag", "StreamClosed", "StreamFailed", "Subscription"]

T = TypeVar("T")

OnLag = Literal["raise", "drop_oldest", "drop_newest", "latest", "block"]
"""What happens to a subscription whose buffer is full when an item is published.

raise: the oldest item is dropped, and the subscriber's next step raises `Lagged` (the default).
drop_oldest, drop_newest: an item is dropped and counted in `Subscription.dropped`.
latest: as drop_oldest with a buffer of one, for subscribers that only want the present state.
block: the publisher waits until there is room.
"""

# Where we are is asked at every step. The running loop is the whole answer, but in Python 3.11 asking for it is a
# system call, which took as long as all the rest of publishing. There the thread has to do; of its loops one runs.
_BY_THREAD = sys.version_info < (3, 12)
_here: Callable[[], object] = get_ident if _BY_THREAD else _get_running_loop

# A subscriber with a backlog lets the other tasks run once in so many items.
_ITEMS_PER_TURN = 128


class Lagged(Exception):
    """The subscriber was too slow and lost items; it may go on, with the oldest item kept for it.

    `missed` is their number, since the last time it was told.
    """

    def __init__(self, missed: int) -> None:
        super().__init__(missed)
        self.missed = missed

    def __str__(self) -> str:
        return f"{self.missed} items were dropped because the subscriber did not keep up"


class StreamClosed(Exception):
    """Nothing can be published any more: the stream was closed."""


class StreamFailed(StreamClosed):
    """The stream was closed with an error, which is this exception's `__cause__`."""


class ChangeStream(Generic[T]):
    """A publisher's side of a stream that any number of subscribers follow.

    buffer: how many items are kept for a subscriber that does not keep up, at least 1.
    on_lag: what happens when that is not enough, see `OnLag`.
    replay: how many of the last items a new subscriber gets first, 0 or more; they are kept also while
    nobody subscribes.

    Each subscriber gets every item published after it subscribed, in the one order in which they were
    published. Publishing never waits for subscribers, except for those that ask for it with "block". The
    stream belongs to the event loop it is first used in; in any other, and without one, its methods raise
    `RuntimeError`. Other threads publish with `publish_threadsafe`.

    >>> async def main() -> None:
    ...     stream = ChangeStream[str]()
    ...     subscription = stream.subscribe()
    ...     for change in "abc":
    ...         await stream.publish(change)
    ...     stream.close()
    ...     print([change async for change in subscription])
    >>> asyncio.run(main())
    ['a', 'b', 'c']
    """

    def __init__(self, *, buffer: int = 1024, on_lag: OnLag = "raise", replay: int = 0) -> None:
        _check_options(buffer, on_lag, replay)
        self._buffer = buffer
        self._on_lag: OnLag = on_lag
        self._replays = replay
        self._history: deque[T] = deque(maxlen=replay)
        self._mailboxes: list[_Mailbox[T]] = []
        # What publishing walks through: a copy, because collecting a dropped item can run code that subscribes
        # or closes meanwhile. Made anew at the next publishing, not at each coming or going of one of many.
        self._audience: tuple[_Mailbox[T], ...] = ()
        self._stale = False  # whether somebody came or went since
        self._most = 0  # how many mailboxes there may be before the closed ones are forgotten
        self._blocks = False  # whether any of them does
        self._roomy = 0  # how many of the first were found to have room for the next item
        # Publishers waiting for room, first come first served. Only the first is ever woken, and it leaves
        # when it has published or given up, so nobody overtakes it in between.
        self._queue: deque[asyncio.Future[None]] = deque()
        self._from_threads: deque[tuple[T, concurrent.futures.Future[None]]] = deque()
        self._pump: asyncio.Task[None] | None = None
        self._closed = False
        self._error: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = _get_running_loop()
        self._place: object = 0  # where the loop was last seen running
        self._runs: Callable[[], bool] = bool

    @property
    def subscribers(self) -> int:
        """How many subscriptions are open."""
        return sum(not mailbox.closed for mailbox in self._mailboxes)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def subscribe(
        self, *, buffer: int | None = None, on_lag: OnLag | None = None, replay: int | None = None
    ) -> Subscription[T]:
        """Subscribe: nothing published from now on is lost, also before the first step of the iteration.

        The options replace those of the stream for this subscriber. Of the items to replay no more are
        given than its buffer holds. A closed stream can still be subscribed to: what it keeps for replay
        comes, and then the end.

        Raises `ValueError` for a buffer below 1 or for more items to replay than the stream keeps.
        """
        return Subscription(self.open_mailbox(buffer, on_lag, replay))

    def __aiter__(self) -> Subscription[T]:
        return self.subscribe()

    async def publish(self, item: T) -> None:
        """Give an item to every subscriber.

        Waits only while a subscriber with on_lag="block" has no room, behind the publishers that wait
        already. Before an item is dropped for a subscriber that kept up so far, the other tasks run once,
        so that one which merely had no turn yet loses nothing. When this is cancelled the item has not been
        published.

        Raises `StreamClosed` when the stream is closed, also while waiting, and `RuntimeError` when the
        task itself consumes a "block" subscription to this stream: it could wait for itself for ever.
        """
        self._admit()
        for mailbox in self._mailboxes:
            if len(mailbox.items) >= mailbox.room and mailbox.about_to_lag():
                await asyncio.sleep(0)
                self._refuse_closed()
                break
        if self._blocks or self._queue:
            await self._publish_in_turn(item)
        else:
            self.deliver(item)

    add_change = publish
    """`publish` by the name it has in the well-known example of a change stream."""

    def publish_nowait(self, item: T) -> None:
        """Give an item to every subscriber, without ever waiting.

        Raises `asyncio.QueueFull`, and gives it to nobody, when a subscriber with on_lag="block" has no room
        or publishers wait for their turn; `StreamClosed` when the stream is closed.
        """
        self._admit()
        if self._queue or (self._blocks and not self._has_room()):
            raise asyncio.QueueFull
        self.deliver(item)

    def publish_threadsafe(self, item: T) -> concurrent.futures.Future[None]:
        """Publish from another thread. The items of each thread stay in their order.

        While a "block" subscriber has no room all threads together stand in one place of the line of waiting
        publishers, their items behind each other.

        The future is done when the item has been published, as by `publish`, and has its exception if that
        failed; cancelled before that, the item is not published. It is never done when the event loop
        stops first, so give its `result` a timeout, and do not wait for it in the loop's own thread.

        Raises `RuntimeError` when the stream has not been used in an event loop yet, or its loop is closed.
        """
        loop = self._loop
        if loop is None:
            raise RuntimeError("the stream is in no event loop yet: make it or subscribe to it there first")
        future: concurrent.futures.Future[None] = concurrent.futures.Future()
        loop.call_soon_threadsafe(self._arrive, item, future)
        return future

    def close(self, error: BaseException | None = None) -> None:
        """End the stream: subscribers get what is buffered for them, then the end.

        With an error each of them gets, instead of the end, a `StreamFailed` of its own with that error as
        its cause. Publishers that wait get `StreamClosed` (or `StreamFailed`). Closing again does nothing.

        Raises `RuntimeError` outside the thread of the stream's event loop while that runs; from there, use
        `loop.call_soon_threadsafe(stream.close)`.
        """
        loop = self._loop
        if loop is not None and loop.is_running() and _get_running_loop() is not loop:
            raise RuntimeError("ChangeStream.close() outside the thread of its event loop")
        if self._closed:
            return
        self._closed = True
        self._error = error
        mailboxes, self._mailboxes, self._audience = self._mailboxes, [], ()
        if loop is None or loop.is_closed():
            return  # nobody iterates, or ever will again
        for mailbox in mailboxes:
            mailbox.urgent = True
            mailbox.wake()
        for turn in self._queue:
            if not turn.done():
                turn.set_result(None)

    def open_mailbox(self, buffer: int | None, on_lag: OnLag | None, replay: int | None) -> _Mailbox[T]:
        """Register what a subscription reads from; closing that unregisters it."""
        buffer = self._buffer if buffer is None else buffer
        on_lag = self._on_lag if on_lag is None else on_lag
        replay = self._replays if replay is None else replay
        _check_options(buffer, on_lag, replay)
        if replay > self._replays:
            raise ValueError(f"cannot replay {replay} items: the stream keeps {self._replays}")
        mailbox = _Mailbox(self, self._enter(), 1 if on_lag == "latest" else buffer, on_lag)
        start = max(0, len(self._history) - min(replay, mailbox.room))
        mailbox.items.extend(item for position, item in enumerate(self._history) if position >= start)
        if not self._closed:
            if len(self._mailboxes) >= self._most:
                self._gather()
            self._mailboxes.append(mailbox)
            self._blocks = self._blocks or mailbox.blocks
            self._stale = True
        return mailbox

    def _enter(self) -> asyncio.AbstractEventLoop:
        loop = _get_running_loop()
        if loop is None:
            raise RuntimeError("no running event loop in this thread; use publish_threadsafe() to publish")
        if loop is not self._loop:
            if self._loop is not None:
                raise RuntimeError("this ChangeStream belongs to another event loop")
            self._loop = loop
        self._place = _here()
        self._runs = loop.is_running
        return loop

    def _admit(self) -> None:
        """Check whether anything can be published here and now."""
        if _here() != self._place or (_BY_THREAD and not self._runs()):
            self._enter()
        if self._closed:
            raise self._end()

    def _end(self) -> StreamClosed:
        # A fresh exception for everyone: a shared one would collect the tracebacks of all.
        if self._error is None:
            return StreamClosed("the stream is closed")
        failed = StreamFailed("the stream was closed with an error")
        failed.__cause__ = self._error
        return failed

    def _refuse_closed(self) -> None:
        if self._closed:
            raise self._end()

    def finish(self) -> NoReturn:
        """End the iteration of a subscriber that has got everything."""
        if self._error is None:
            raise StopAsyncIteration
        raise self._end()

    def note_closed(self) -> None:
        """Have the closed subscriptions forgotten at the next publishing."""
        self._stale = True

    def _gather(self) -> None:
        """Forget the subscriptions that were closed or collected, see those that are new."""
        self._stale = False  # first, because letting go of the closed ones can run code that subscribes or closes
        self._mailboxes = [mailbox for mailbox in self._mailboxes if not mailbox.closed]
        self._audience = tuple(self._mailboxes)
        self._roomy = 0
        self._most = 2 * len(self._mailboxes) + 32
        self._blocks = any(mailbox.blocks for mailbox in self._mailboxes)

    def deliver(self, item: T) -> None:
        """Give an item to every subscription, by its policy, whether there is room or not."""
        if self._stale:
            self._gather()
        if self._replays:
            self._history.append(item)
        for mailbox in self._audience:
            items = mailbox.items
            if len(items) >= mailbox.room and not mailbox.make_room():
                continue
            items.append(item)
            waiter = mailbox.waiter
            if waiter is not None:
                mailbox.waiter = None
                if not waiter.done():
                    waiter.set_result(None)

    def _has_room(self) -> bool:
        """Whether no blocking subscriber is full."""
        # Asked at each item taken while somebody waits. Between two items published nobody's room gets less, so
        # those that were found to have some are not looked at again.
        mailboxes = self._mailboxes
        while self._roomy < len(mailboxes):
            mailbox = mailboxes[self._roomy]
            if mailbox.blocks and len(mailbox.items) >= mailbox.room and not mailbox.closed:
                return False
            self._roomy += 1
        self._roomy = 0  # an item will be published
        return True

    async def _publish_in_turn(self, item: T) -> None:
        task = asyncio.current_task()
        if any(mailbox.consumed_by(task) for mailbox in self._mailboxes if mailbox.blocks):
            raise RuntimeError(
                'this task consumes a subscription with on_lag="block" to the stream it publishes to: '
                "it would wait for itself; publish from another task, or with publish_nowait()"
            )
        if not self._queue and self._has_room():
            self.deliver(item)
            return
        loop = self._enter()
        turn: asyncio.Future[None] = loop.create_future()
        self._queue.append(turn)
        try:
            await turn
            self._refuse_closed()
            while not self._has_room():  # a new subscriber came, full of replayed items
                turn = self._queue[0] = loop.create_future()
                await turn
                self._refuse_closed()
            self.deliver(item)
        finally:
            self._queue.remove(turn)
            self.pass_turn()

    def pass_turn(self) -> None:
        """Wake the first waiting publisher if there is room for its item."""
        if self._queue and not self._queue[0].done() and self._has_room():
            self._queue[0].set_result(None)

    def _arrive(self, item: T, future: concurrent.futures.Future[None]) -> None:
        self._from_threads.append((item, future))
        if self._pump is None or self._pump.done():
            self._pump = self._enter().create_task(self._publish_from_threads())

    async def _publish_from_threads(self) -> None:
        # One task for all threads, so that an item that has to wait is not overtaken by the next one.
        while self._from_threads:
            item, future = self._from_threads.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                await self.publish(item)
            except asyncio.CancelledError:  # the loop is shut down; the threads must not wait for ever
                future.set_exception(concurrent.futures.CancelledError())
                while self._from_threads:
                    self._from_threads.popleft()[1].cancel()
                raise
            except Exception as error:
                future.set_exception(error)
            else:
                future.set_result(None)


class Subscription(AsyncIterator[T]):
    """A subscriber's side of a stream: iterate over it with `async for`, in one task at a time.

    Made by `ChangeStream.subscribe` or by `async for item in stream`. It ends when the stream is closed, when
    it is closed itself or leaves its `with` block, and when nothing refers to it any more; leaving an
    `async for` over the stream is enough. A timeout or cancellation while waiting loses nothing, and the
    iteration can go on.

    Its step raises `Lagged` with on_lag="raise", `StreamFailed` when the stream was closed with an error, and
    `RuntimeError` while another task waits in it or in another event loop.

    >>> async def main() -> None:
    ...     stream = ChangeStream[int](buffer=2, on_lag="drop_oldest")
    ...     with stream.subscribe() as subscription:
    ...         for number in range(5):
    ...             stream.publish_nowait(number)
    ...         print(await anext(subscription), len(subscription), subscription.dropped)
    ...     print(stream.subscribers)
    >>> asyncio.run(main())
    3 1 3
    0
    """

    def __init__(self, mailbox: _Mailbox[T]) -> None:
        self._mailbox = mailbox
        self._items = mailbox.items

    def __enter__(self) -> Subscription[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._mailbox.items)

    def __bool__(self) -> bool:
        return True  # an empty buffer makes no false subscription

    def __del__(self) -> None:
        # Collection of a cycle runs this in any thread, in the midst of anything: it only leaves word.
        mailbox = self._mailbox
        if not mailbox.closed:
            mailbox.mark_closed()
            if mailbox.blocks:
                mailbox.unregister_soon()

    @property
    def dropped(self) -> int:
        """How many items were dropped for this subscriber so far, by any policy."""
        return self._mailbox.dropped

    def close(self) -> None:
        """End the subscription and let go of what is buffered; a task that waits in it gets the end."""
        mailbox = self._mailbox
        if mailbox.closed:
            return
        mailbox.mark_closed()
        if _get_running_loop() is mailbox.loop:
            mailbox.unregister()
        else:
            mailbox.unregister_soon()

    async def __anext__(self) -> T:
        mailbox = self._mailbox
        credit = mailbox.credit
        if credit and self._items and _here() == mailbox.place:
            mailbox.credit = credit - 1
            return self._items.popleft()
        if _here() != mailbox.place or (_BY_THREAD and not mailbox.loop.is_running()):
            mailbox.enter()
        if mailbox.busy:
            raise RuntimeError("another task waits in this Subscription already; give each its own")
        if mailbox.blocks:
            mailbox.note_consumer()
        mailbox.suspend_credit()
        if not mailbox.left or not (self._items or mailbox.urgent):
            mailbox.busy = True
            try:
                if not mailbox.left:
                    await asyncio.sleep(0)
                mailbox.left = _ITEMS_PER_TURN
                while not (self._items or mailbox.urgent):
                    mailbox.waiter = mailbox.loop.create_future()
                    await mailbox.waiter
            except BaseException:
                del self  # the traceback, which a cancelled task keeps as long as it is kept, must not keep it too
                raise
            finally:
                mailbox.waiter = None
                mailbox.busy = False
        # From here on nothing suspends: what is taken out below reaches the caller, whatever gets cancelled.
        if mailbox.closed:
            raise StopAsyncIteration
        mailbox.lagging = False
        if mailbox.missed:
            missed, mailbox.missed = mailbox.missed, 0
            mailbox.urgent = mailbox.stream.closed
            raise Lagged(missed)
        if not self._items:
            mailbox.stream.finish()
        mailbox.left -= 1
        item = self._items.popleft()
        if mailbox.blocks:
            mailbox.stream.pass_turn()
        else:
            mailbox.credit, mailbox.left = mailbox.left, 0
        return item


class _Mailbox(Generic[T]):
    """What the stream holds of a subscription.

    Not the subscription itself, whose collection is how an abandoned one is noticed. And not a weak reference
    to it: a task waiting in it is then held by nothing and collected, although the stream will wake it.
    """

    __slots__ = (
        "blocks",
        "busy",
        "closed",
        "consumer",
        "credit",
        "dropped",
        "items",
        "lagging",
        "left",
        "loop",
        "missed",
        "on_lag",
        "place",
        "room",
        "stream",
        "urgent",
        "waiter",
    )

    def __init__(self, stream: ChangeStream[T], loop: asyncio.AbstractEventLoop, room: int, on_lag: OnLag) -> None:
        self.stream: ChangeStream[T] = stream
        self.loop: asyncio.AbstractEventLoop = loop
        self.room: int = room
        self.on_lag: OnLag = on_lag
        self.blocks: bool = on_lag == "block"
        self.items: deque[T] = deque()
        self.waiter: asyncio.Future[None] | None = None
        self.busy: bool = False
        self.closed: bool = False
        self.urgent: bool = stream.closed  # whether there is something to tell the subscriber other than an item
        self.lagging: bool = False
        self.dropped: int = 0
        self.missed: int = 0
        # How many items may be taken before the other tasks run. As credit they are taken without looking at
        # anything else, so whatever needs a look turns it into `left`.
        self.credit: int = 0
        self.place: object = 0  # where the credit was given
        self.left: int = _ITEMS_PER_TURN
        # Weak: a task that failed holds, by its traceback, the subscription whose collection is waited for.
        self.consumer: weakref.ref[asyncio.Task[Any]] | None = None

    def enter(self) -> None:
        if _get_running_loop() is not self.loop:
            raise RuntimeError("this Subscription belongs to another event loop")
        self.place = _here()

    def note_consumer(self) -> None:
        task = asyncio.current_task()
        if task is not None and (self.consumer is None or self.consumer() is not task):
            self.consumer = weakref.ref(task)

    def consumed_by(self, task: asyncio.Task[Any] | None) -> bool:
        return not self.closed and self.consumer is not None and self.consumer() is task

    def suspend_credit(self) -> None:
        self.left += self.credit
        self.credit = 0

    def mark_closed(self) -> None:
        self.closed = self.urgent = True
        self.room = self.credit = 0

    def wake(self) -> None:
        waiter, self.waiter = self.waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def about_to_lag(self) -> bool:
        return not (self.blocks or self.lagging or self.closed)

    def make_room(self) -> bool:
        """Drop an item as the policy says; False when that is the new one, or nobody is there any more."""
        if self.closed:
            self.items.clear()
            self.stream.note_closed()
            return False
        self.lagging = True
        self.suspend_credit()
        self.dropped += 1
        if self.on_lag == "drop_newest":
            return False
        if self.on_lag == "raise":
            self.missed += 1
            self.urgent = True
        self.items.popleft()
        return True

    def unregister(self) -> None:
        self.items.clear()
        self.wake()
        self.stream.note_closed()
        self.stream.pass_turn()

    def unregister_soon(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, so nobody waits
            self.loop.call_soon_threadsafe(self.unregister)


def _check_options(buffer: int, on_lag: str, replay: int) -> None:
    if buffer < 1:
        raise ValueError(f"buffer must be at least 1, not {buffer}")
    if replay < 0:
        raise ValueError(f"replay must be at least 0, not {replay}")
    if on_lag not in get_args(OnLag):
        raise ValueError(f"on_lag must be one of {', '.join(get_args(OnLag))}, not {on_lag!r}")
