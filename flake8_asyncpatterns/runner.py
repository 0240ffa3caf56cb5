"""Many files at once: in batches, on all cores or wherever an Executor takes them, with the results in order.

What is done with a file must depend on nothing but what its job says, and the file's bytes; so it may be done anywhere,
and done again where a worker was lost.
"""

from __future__ import annotations

import gc
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self, TypeAlias, TypeVar

from .collector import paused
from .source import Unreadable, load

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

# So many bytes make a batch, whichever number of files that is, but no more files than that. A worker's memory grows
# with the trees of a batch; what is said to a worker and back costs little for so many.
BATCH_BYTES = 300_000
BATCH_FILES = 100
# So many objects more than when it last looked are worth the collector's time.
LEFT_OVER = 300_000
# Fewer files than this are done before a pool has started.
FEW = 24
# Seconds after which an Executor is asked whether it is still there.
PATIENCE = 2
# So many batches are on their way for each worker, so that none waits; more would only take memory.
AHEAD = 4


class Job(Protocol):
    """What is to be done with a file. `data` None: it is read where the work is done."""

    @property
    def name(self) -> str:
        """Its path."""

    @property
    def data(self) -> bytes | None:
        """Its bytes."""

    def _replace(self, *, data: bytes | None) -> Self: ...


JobT = TypeVar("JobT", bound=Job)
OutcomeT = TypeVar("OutcomeT")
# Makes an outcome of each of some jobs.
Work: TypeAlias = "Callable[[Sequence[JobT]], list[OutcomeT]]"


def done(work: Work[JobT, OutcomeT], jobs: Sequence[JobT]) -> list[OutcomeT]:
    """What comes of a batch."""
    with without_collector():
        return work(jobs)


@contextmanager
def without_collector() -> Iterator[None]:
    """Leave trees alone while they grow: they go as a whole (see Module.release), but for a little that adds up."""
    with paused():
        try:
            yield
        finally:
            if gc.get_count()[0] > LEFT_OVER:
                gc.collect()


class Runner:
    """Does work, in this process or in others.

    `jobs` is the number of processes; `executor` takes their place: anything that takes functions and arguments that
    can be pickled, on this machine or on others (`ships`: which have not this one's files, so that they are sent the
    bytes). `alive` tells whether it still is: some wait for ever for one that has gone. `lost` is called with a
    reason, once, where workers are lost; their work is then done here.
    """

    def __init__(
        self,
        jobs: int,
        executor: Executor | None = None,
        *,
        ships: bool = False,
        alive: Callable[[], bool] = lambda: True,
        lost: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self.jobs = jobs
        self.executor = executor
        self.ships = ships
        self.alive = alive
        self.lost = lost
        self._is_lost = False
        self._own: Executor | None = None

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_: object) -> None:
        if self._own is not None:
            # Only what was begun is waited for; without that, a pool complains when Python ends.
            self._own.shutdown(cancel_futures=True)

    def run(self, work: Work[JobT, OutcomeT], jobs: Sequence[JobT], effort: int = 1) -> Iterator[OutcomeT]:
        """The outcome of each job, in their order, as soon as it and those before it are there.

        `effort`: so many times as much is done with a file as where it is only looked at.
        """
        executor = self._workers(len(jobs) * effort)
        if executor is None:
            if len(jobs) * effort >= FEW:
                gc.enable()  # a check of few files does without (see `__main__`), but many leave much behind
            for batch in _batches(jobs, effort):
                yield from done(work, batch)
            return
        waiting: deque[tuple[list[JobT], Future[list[OutcomeT]] | None]] = deque()
        for batch in _batches(jobs, effort):
            waiting.append((batch, self._submit(executor, work, batch)))
            if len(waiting) > AHEAD * self.jobs:
                yield from self._result(work, *waiting.popleft())
        while waiting:
            yield from self._result(work, *waiting.popleft())

    def _workers(self, files: int) -> Executor | None:
        """Who does the work; None: this process."""
        if self._is_lost:
            return None
        if self.executor is not None:
            return self.executor
        if self._own is None and self.jobs > 1 and files >= FEW:
            try:
                self._own = _pool(min(self.jobs, files // FEW + 1))
            except (OSError, RuntimeError, ImportError) as error:  # a system without room, or without semaphores
                self._lose(error)
        return self._own

    def _submit(
        self, executor: Executor, work: Work[JobT, OutcomeT], batch: list[JobT]
    ) -> Future[list[OutcomeT]] | None:
        if self._is_lost:
            return None
        sent = [job._replace(data=_read(job)) if self.ships and job.data is None else job for job in batch]
        try:
            return executor.submit(done, work, sent)
        except (OSError, RuntimeError) as error:  # a pool that broke, or was shut down
            self._lose(error)
            return None

    def _result(
        self, work: Work[JobT, OutcomeT], batch: list[JobT], future: Future[list[OutcomeT]] | None
    ) -> list[OutcomeT]:
        if future is not None:
            try:
                return self._waited_for(future)
            except Exception as error:  # each library has its own; if it is ours, it comes again below
                self._lose(error)
        return done(work, batch)

    def _waited_for(self, future: Future[list[OutcomeT]]) -> list[OutcomeT]:
        while True:
            try:
                return future.result(timeout=PATIENCE)
            except TimeoutError:
                if future.done():
                    raise
                if not self.alive():
                    raise ConnectionError("it does not answer any more") from None

    def _lose(self, error: Exception) -> None:
        if not self._is_lost:
            self._is_lost = True
            self.lost(str(error).partition("\n")[0] or type(error).__name__)


def _read(job: Job) -> bytes | None:
    """The bytes of a file; None: whoever does the work, on this machine, is to say why they cannot be had."""
    try:
        return load(Path(job.name))
    except Unreadable:
        return None


def _batches(jobs: Sequence[JobT], effort: int = 1) -> Iterator[list[JobT]]:
    batch: list[JobT] = []
    total = 0
    for job in jobs:
        batch.append(job)
        total += len(job.data) if job.data is not None else _size(job.name)
        if total * effort >= BATCH_BYTES or len(batch) * effort >= BATCH_FILES:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch


def _size(name: str) -> int:
    try:
        return os.stat(name).st_size  # noqa: PTH116  # of each of many files
    except OSError:
        return 0


def _pool(workers: int) -> Executor:
    from concurrent.futures import ProcessPoolExecutor  # late: where all is known, none is started
    from multiprocessing import get_context

    from .interrupts import held_back  # late, as the pool

    # Where it is safe, workers begin with all that has been imported here.
    context = get_context("fork" if sys.platform == "linux" else None)
    pool = ProcessPoolExecutor(workers, context, _begin)
    with held_back():  # until a worker has begun as one, a signal would do there what it does here
        pool.submit(_begun)
    return pool


def _begun() -> None:
    """The first work of a pool, for which its processes are started."""


def _begin() -> None:
    """Begin as a worker: Ctrl-C is for the process that hands out the work, and what is there now stays."""
    import signal  # late, as the pool
    from threading import Thread

    from .interrupts import ENDING

    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as it was when all began (nohup)
            signal.signal(number, signal.SIG_IGN if number == signal.SIGINT else signal.SIG_DFL)
    Thread(target=_end_with_parent, daemon=True).start()
    gc.freeze()
    gc.enable()


def _end_with_parent() -> None:
    """A worker that nobody waits for any more would wait for work for ever."""
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def cores() -> int:
    """The number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
