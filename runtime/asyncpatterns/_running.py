"""One run of a pipeline: its tasks, its results, and its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Coroutine, Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from asyncpatterns._chains import Reader, batched, filtered, flattened, mapped
from asyncpatterns._stages import BUFFER, WAIT, Stage
from asyncpatterns._workers import Worker

if TYPE_CHECKING:
    from types import TracebackType


class Run(AsyncIterator[Any]):
    """A pipeline that runs: its tasks, and the results as the user iterates over them."""

    def __init__(self, source: AsyncIterable[Any] | Iterable[Any], stages: tuple[Stage, ...]) -> None:
        self._source = source
        self._stages = stages
        self.closing = True
        self.loop: asyncio.AbstractEventLoop
        self._reader: Reader
        self._workers: list[Worker] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._chains: list[Generator[Any, None, None]] = []
        self.open: dict[int, AsyncGenerator[Any, Any]] = {}  # async generators that chains iterate over
        self._errors: list[BaseException] = []
        self._waiting = False
        self._iterated = False
        self._iterator: Iterator[Any] = iter(())
        self._inline: AsyncGenerator[Any, None] | None = None

    async def __aenter__(self) -> Run:
        self.loop = asyncio.get_running_loop()
        self._build()
        self.closing = False
        try:
            for worker in self._workers:
                worker.start()
        except BaseException as error:
            await self._close(error)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close(error)

    def __aiter__(self) -> AsyncIterator[Any]:
        self._admit()
        if self._iterated:
            raise RuntimeError("the results of a pipeline are iterated over only once; keep the iterator to go on")
        self._iterated = True
        if self._workers:
            return Results(self)
        # Without tasks nothing is lost when it is abandoned, and its steps cost half those of a class.
        self._inline = self._step_inline()
        return self._inline

    async def __anext__(self) -> Any:
        if self.closing:
            self._admit()
        if self._waiting:
            raise RuntimeError("another task waits for a result of this pipeline already")
        reader = self._reader
        for item in reader.items:
            if item is not WAIT:
                return item
            break
        else:
            raise StopAsyncIteration
        self._waiting = True
        try:
            await reader.wait()
            return await reader.__anext__()
        finally:
            self._waiting = False

    async def _step_inline(self) -> AsyncGenerator[Any, None]:
        reader, wait = self._reader, WAIT
        for item in reader.items:
            if item is not wait:
                yield item
            else:
                await reader.wait()

    def _admit(self) -> None:
        if self.closing:
            raise RuntimeError("the results of a pipeline are only there inside its `async with` block")

    def _build(self) -> None:
        source = self._source
        reader = Reader(self.loop)
        if isinstance(source, AsyncIterable):
            reading = Stage("through", "source", "source", lambda _: source, 1, False, BUFFER, 1, None, True)
            below = Reader(self.loop)
            reader = self._add_worker(reading, reader, below)
        else:
            reader.items = self._iterator = iter(source)
            if not self._stages or self._stages[0].own_tasks or self._stages[0].kind != "map":
                self._chain(reader, mapped(reader, reader.items, ()))
        position = 0
        while position < len(self._stages):
            stage = self._stages[position]
            position += 1
            if stage.own_tasks:
                reader = self._add_worker(stage, reader, Reader(self.loop))
            elif stage.kind == "filter":
                self._chain(reader, filtered(reader, reader.items, stage))
            elif stage.kind == "flat_map":
                self._chain(reader, flattened(self.open, reader, reader.items, stage))
            elif stage.kind == "batch":
                self._chain(reader, batched(reader.items, stage.size))
            else:
                together = [stage]
                while position < len(self._stages) and is_plain_map(self._stages[position]):
                    together.append(self._stages[position])
                    position += 1
                self._chain(reader, mapped(reader, reader.items, tuple((s.function, s) for s in together)))
        self._reader = reader

    def _chain(self, reader: Reader, chain: Generator[Any, None, None]) -> None:
        self._chains.append(chain)
        reader.items = chain

    def _add_worker(self, stage: Stage, reader: Reader, below: Reader) -> Reader:
        worker = Worker(self, stage, reader, below)
        self._workers.append(worker)
        below.items = worker.outputs()
        below.supply = worker.ready.__len__
        return below

    def spawn(self, work: Any) -> None:
        self._tasks.append(self.loop.create_task(work))

    def note_error(self, error: BaseException) -> None:
        """Keep an exception that came up while closing."""
        if not isinstance(error, asyncio.CancelledError):
            self._errors.append(error)

    def cancel(self, task: asyncio.Task[None]) -> None:
        """Cancel a task unless that was done: a second time would interrupt its cleanup."""
        if not task.done() and not task.cancelling():
            task.cancel()

    async def _close(self, primary: BaseException | None) -> None:
        self.closing = True
        for task in self._tasks:
            self.cancel(task)
        interruption = await self._outwait(self._tasks)
        for task in self._tasks:
            if not task.cancelled():
                task.exception()  # seen: what ended a task has been told already, or has ended the loop
        for chain in reversed(self._chains):
            try:
                chain.close()
            except BaseException as error:
                self.note_error(error)
        if isinstance(self._iterator, Generator):
            try:
                self._iterator.close()
            except BaseException as error:
                self.note_error(error)
        left = [*self.open.values()]
        if self._inline is not None:
            left.append(self._inline)
        if isinstance(self._source, AsyncGenerator):
            left.append(self._source)
        for generator in left:
            closing = self.loop.create_task(_aclose(generator))
            interruption = await self._outwait([closing]) or interruption
            if not closing.cancelled() and (failure := closing.exception()) is not None:
                self.note_error(failure)
        errors = [error for error in self._errors if error is not primary]
        if interruption is not None and isinstance(primary, asyncio.CancelledError):
            interruption = None
        first = [error for error in (primary, interruption) if error is not None]
        if errors:
            if not first and len(errors) == 1:
                raise errors[0]
            raise BaseExceptionGroup("errors while a pipeline was closed", [*first, *errors]) from None
        if interruption is not None:
            raise interruption

    async def _outwait(self, tasks: list[asyncio.Task[None]]) -> asyncio.CancelledError | None:
        """Wait for tasks to end, however often this one is cancelled meanwhile; give the cancellation."""
        interruption = None
        while pending := [task for task in tasks if not task.done()]:
            try:
                await asyncio.wait(pending)
            except asyncio.CancelledError as error:
                interruption = error
        return interruption


class Results(AsyncIterator[Any]):
    """The one iteration over a run; apart from it, so that a second one is noticed."""

    __slots__ = ("_run",)

    def __init__(self, run: Run) -> None:
        self._run = run

    def __anext__(self) -> Coroutine[Any, Any, Any]:
        return self._run.__anext__()


async def _aclose(generator: AsyncGenerator[Any, Any]) -> None:
    await generator.aclose()


def is_plain_map(stage: Stage) -> bool:
    return stage.kind == "map" and not stage.own_tasks
