"""The stages of a pipeline that have tasks of their own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Collection, Generator, Iterable, Iterator
from time import monotonic
from typing import TYPE_CHECKING, Any

from asyncpatterns._chains import Reader
from asyncpatterns._stages import (
    CUT,
    EMPTY,
    MAX_SECONDS,
    NOTHING,
    WAIT,
    Stage,
    add_note,
    is_awaitable,
    is_coroutine_function,
)

if TYPE_CHECKING:
    from asyncpatterns._running import Run


class Worker:
    """A stage with tasks of its own, and the room behind it."""

    def __init__(self, run: Run, stage: Stage, reader: Reader, below: Reader) -> None:
        self.run = run
        self.stage = stage
        self.reader = reader
        self.below = below
        self.ready: deque[Any] = deque()
        self.slots: deque[Slot] = deque()  # calls in work, or waiting for earlier ones, in the order of the items
        self.held = 0  # items that wait in slots
        self.working: set[asyncio.Task[None]] = set()
        reader.working = self.working
        self.input_ended = False
        self.input_error: BaseException | None = None
        self.finished = False
        self.error: BaseException | None = None
        self.blocked: deque[asyncio.Future[None]] = deque()
        self.batch: list[Any] = []
        self.overdue = False

    def start(self) -> None:
        for _ in range(self.stage.concurrency):
            self.run.spawn(self._work())

    def outputs(self) -> Iterator[Any]:
        """What the next stage reads."""
        ready, reader, limit = self.ready, self.reader, self.stage.limit
        while True:
            while ready:
                item = ready.popleft()
                if self.blocked:
                    self._unblock()
                if self.overdue:
                    self._hand_on()
                if reader.idle and not reader.waking and self._outstanding() == limit - 1:
                    reader.wake()
                yield item
            if self.finished:
                if self.error is not None:
                    raise self.error
                return
            yield WAIT

    def _outstanding(self) -> int:
        return len(self.ready) + (len(self.slots) if self.stage.ordered else len(self.working))

    async def _work(self) -> None:
        kind = self.stage.kind
        if kind == "map" or kind == "filter":
            await self._call_each()
        elif kind == "flat_map":
            await self._expand_each()
        elif kind == "batch":
            await self._batch()
        else:
            await self._pump()

    async def _call_each(self) -> None:
        stage, reader, below, ready = self.stage, self.reader, self.below, self.ready
        function, ordered, keep, limit = stage.function, stage.ordered, stage.kind == "filter", stage.limit
        assert function is not None
        asynchronous = is_coroutine_function(function)
        working, task = self.working, this_task()
        counted: Collection[object] = self.slots if ordered else working
        slot = Slot(task)
        plain: set[type] = set()
        while True:
            item = EMPTY
            busy = reader.idle or reader.busy or self.input_ended or self.finished
            if not busy and len(ready) + len(counted) < limit:
                # What `_take` does, without its cost where there is no need to wait.
                try:
                    item = next(reader.items, EMPTY)
                except BaseException as error:
                    self._lose_input(error)
                    return
            if item is EMPTY or item is WAIT:
                item = await self._take(item is WAIT)
                if item is EMPTY:
                    return
            if ordered:
                slot = Slot(task)
                self.slots.append(slot)
            working.add(task)
            try:
                value = function(item)
                if asynchronous or (type(value) not in plain and is_awaitable(value, plain)):
                    value = await value
                if keep:
                    value = item if value else NOTHING
            except BaseException as error:
                self._fail(slot, error, item)
                if isinstance(error, KeyboardInterrupt | SystemExit):
                    raise
                return
            working.discard(task)
            if ordered:
                if slot.result is CUT:
                    return
                slot.result = value
                if self.slots[0] is slot:
                    self._advance()
            elif self.finished:
                return
            else:
                if value is not NOTHING:
                    ready.append(value)
                    if below.idle:
                        self._tell_below()
                if self.input_ended and not working:
                    self._finish(self.input_error)

    async def _expand_each(self) -> None:
        stage, task = self.stage, this_task()
        assert stage.function is not None
        plain: set[type] = set()
        while (item := await self._take()) is not EMPTY:
            slot = Slot(task)
            if stage.ordered:
                self.slots.append(slot)
            self.working.add(task)
            try:
                values = stage.function(item)
                if is_awaitable(values, plain):
                    values = await values
                await self._emit_all(values, slot)
            except BaseException as error:
                self._fail(slot, error, item)
                if isinstance(error, KeyboardInterrupt | SystemExit):
                    raise
                return
            self.working.discard(task)
            if stage.ordered:
                if slot.result is CUT:
                    return
                slot.result = NOTHING
                if self.slots[0] is slot:
                    self._advance()
            elif self.finished:
                return
            elif self.input_ended and not self.working:
                self._finish(self.input_error)

    async def _take(self, waits: bool = False) -> Any:
        """Wait for room and an item; `EMPTY` at the end. `waits`: whether the chain gave `WAIT` already."""
        reader, limit = self.reader, self.stage.limit
        while not (self.input_ended or self.finished):
            try:
                if waits:
                    await reader.wait()
                    waits = False
                    continue
                if reader.busy or self._outstanding() >= limit:
                    await reader.rest()
                    continue
                item = next(reader.items, EMPTY)
            except BaseException as error:
                self._lose_input(error)
                return EMPTY
            if item is WAIT:
                waits = True
                continue
            if item is EMPTY:
                self._end_input(None)
            elif reader.idle:
                self._share_work()
            return item
        return EMPTY

    def _lose_input(self, error: BaseException) -> None:
        """There is an exception in the place of an item."""
        if self.run.closing:
            self.run.note_error(error)
        else:
            self._end_input(error)
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise error

    def _share_work(self) -> None:
        """Wake more workers, all there is work for if calls are known to wait; else one, to find that out."""
        reader = self.reader
        wanted = 1
        if self.working:
            wanted = min(len(reader.idle), self.stage.limit - self._outstanding() - 1)
            if reader.supply is not None:
                wanted = min(wanted, reader.supply())
        for _ in range(wanted - reader.waking):
            reader.wake()

    def _tell_below(self) -> None:
        """Wake a reader for an item that is ready; more of them only if calls there are known to wait."""
        below = self.below
        if not below.waking or below.working:
            below.wake()

    def _end_input(self, error: BaseException | None) -> None:
        if not self.input_ended:
            self.input_ended = True
            self.input_error = error
        if not self.working and not self.slots:
            self._finish(self.input_error)

    def _finish(self, error: BaseException | None) -> None:
        if not self.finished:
            self.finished = True
            self.error = error
            self.below.wake()

    def _fail(self, slot: Slot, error: BaseException, item: Any = NOTHING) -> None:
        """A call failed: what comes after it is no longer wanted."""
        self.working.discard(slot.task)
        unwanted = self.run.closing or self.finished or slot.result is CUT
        if unwanted:
            if not isinstance(error, asyncio.CancelledError):
                add_note(error, self.stage, item)
                self.run.note_error(error)
            return
        add_note(error, self.stage, item)
        self.input_ended = True
        if not self.stage.ordered:
            self._finish(error)
            for task in self.working:
                self.run.cancel(task)
            return
        while self.slots[-1] is not slot:
            later = self.slots.pop()
            if later.result is EMPTY:
                self.run.cancel(later.task)
            later.result = CUT
            self.held -= len(later.held)
        slot.result = Failure(error)
        if self.slots[0] is slot:
            self._advance()

    def _advance(self) -> None:
        """Let go of the results that no earlier call holds back."""
        slots, ready, below = self.slots, self.ready, self.below
        while slots:
            slot = slots[0]
            if slot.held:
                self.held -= len(slot.held)
                ready.extend(slot.held)
                slot.held.clear()
            value = slot.result
            if value is EMPTY:
                break
            slots.popleft()
            if type(value) is Failure:
                self._finish(value.error)
                return
            if value is not NOTHING:
                ready.append(value)
                if below.idle:
                    self._tell_below()
        if ready and below.idle:
            self._tell_below()
        if self.blocked:
            self._unblock()
        if self.reader.idle and not self.reader.waking and self._outstanding() < self.stage.limit:
            self.reader.wake()
        if self.input_ended and not slots:
            self._finish(self.input_error)

    async def _emit_all(self, values: Any, slot: Slot) -> None:
        iterator: Any = aiter(values) if isinstance(values, AsyncIterable) else iter(values)
        try:
            if isinstance(values, AsyncIterable):
                async for value in iterator:
                    await self._emit(value, slot)
            else:
                started = monotonic()
                for value in iterator:
                    await self._emit(value, slot)
                    if monotonic() > started + MAX_SECONDS:
                        await asyncio.sleep(0)
                        started = monotonic()
        except BaseException as error:
            await self._close(iterator, error)
            raise
        await self._close(iterator, None)

    async def _close(self, values: Any, error: BaseException | None) -> None:
        """Close a generator after an error; what that raises does not take the place of the error."""
        try:
            if isinstance(values, AsyncGenerator):
                await values.aclose()
            elif isinstance(values, Generator):
                values.close()
        except BaseException as another:
            if error is None or another is error or isinstance(error, GeneratorExit):
                raise
            self.run.note_error(another)

    async def _emit(self, value: Any, slot: Slot) -> None:
        if self.finished or self.run.closing or slot.result is CUT:
            return  # nobody wants it any more
        if self.stage.ordered and self.slots[0] is not slot:
            slot.held.append(value)
            self.held += 1
        else:
            self.ready.append(value)
            if self.below.idle:
                self._tell_below()
        while len(self.ready) + self.held >= self.stage.limit:
            if self.stage.ordered and not self.ready and self.slots[0] is slot:
                return  # later ones have taken all the room, and wait for this one
            waiter: asyncio.Future[None] = self.run.loop.create_future()
            self.blocked.append(waiter)
            await waiter

    def _unblock(self) -> None:
        blocked, self.blocked = self.blocked, deque()
        for waiter in blocked:
            if not waiter.done():
                waiter.set_result(None)

    async def _pump(self) -> None:
        slot = Slot(this_task())
        self.working.add(slot.task)
        try:
            function = self.stage.function
            assert function is not None
            values = function(self.reader)
            if not isinstance(values, AsyncIterable | Iterable):
                raise TypeError(f"the function must give an iterable or async iterable, not {type(values).__name__!r}")
            await self._emit_all(values, slot)
        except BaseException as error:
            known = error is self.reader.error or self.stage.name == "source"
            self._fail(slot, error, EMPTY if known else NOTHING)
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
        else:
            self.working.clear()
            self._end_input(None)

    async def _batch(self) -> None:
        slot = Slot(this_task())
        timer: asyncio.TimerHandle | None = None
        assert self.stage.within is not None
        try:
            async for item in self.reader:
                self.batch.append(item)
                if len(self.batch) == 1:
                    timer = self.run.loop.call_later(self.stage.within, self._hand_on)
                if len(self.batch) >= self.stage.size:
                    if timer is not None:
                        timer.cancel()
                    batch, self.batch = self.batch, []
                    self.overdue = False
                    await self._emit(batch, slot)
        except BaseException as error:
            if self.run.closing:
                if not isinstance(error, asyncio.CancelledError):
                    self.run.note_error(error)
            else:
                self._last_batch()
                self._finish(error)
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
        else:
            self._last_batch()
            self._finish(None)
        finally:
            if timer is not None:
                timer.cancel()

    def _hand_on(self) -> None:
        """Hand on a batch that is not full as soon as there is room."""
        self.overdue = len(self.ready) >= self.stage.limit
        if not self.overdue:
            self._last_batch()

    def _last_batch(self) -> None:
        if self.batch:
            self.ready.append(self.batch)
            self.batch = []
            self.below.wake()


class Slot:
    """A call whose results have to wait for those of earlier items."""

    __slots__ = ("held", "result", "task")

    def __init__(self, task: asyncio.Task[None]) -> None:
        self.task = task
        self.result = EMPTY
        self.held: deque[Any] = deque()


class Failure:
    """An exception in the place of a result."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error


def this_task() -> asyncio.Task[None]:
    task: asyncio.Task[None] | None = asyncio.current_task()
    assert task is not None
    return task
