"""Many files at once: in batches, on all cores or wherever an Executor takes them, with the results in order.

What is done with a file depends on nothing but its bytes, its name and what is said here; so it may be done anywhere,
and done again where a worker was lost.
"""

from __future__ import annotations

import gc
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .cache import digest
from .check import TOO_DEEP, Examined, examine
from .facts import Answer, Question
from .needs import Scan
from .rules import RULES
from .settings import Settings
from .source import Unreadable, decode, load

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

    from .rule import Rule

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


class Order(NamedTuple):
    """What is said once for all files: the rules that any of them is looked at with, and whether with the others."""

    codes: tuple[str, ...]
    settings: Settings
    project: bool


class Job(NamedTuple):
    """A file to be looked at, with these rules. `data` None: it is read where the work is done."""

    name: str
    codes: tuple[str, ...]
    data: bytes | None = None
    answers: Mapping[Question, Answer] | None = None


class Outcome(NamedTuple):
    """What came of a file, or why nothing did. `digest` is that of its bytes; empty: it was not read."""

    examined: Examined = Examined()
    failure: str = ""
    digest: bytes = b""


def work(order: Order, jobs: Sequence[Job]) -> list[Outcome]:
    """What comes of some files. The same in every process."""
    with _without_collector():
        return [_outcome(order, job) for job in jobs]


def _outcome(order: Order, job: Job) -> Outcome:
    try:
        data = load(Path(job.name)) if job.data is None else job.data
    except Unreadable as error:
        return Outcome(failure=str(error))
    try:
        rules = speaking(order, job.codes, data)
        if not rules:
            return Outcome(digest=digest(data))
        examined = examine(decode(data), job.name, rules, order.settings, job.answers, alone=not order.project)
    except Unreadable as error:
        return Outcome(failure=str(error), digest=digest(data))
    except RecursionError:
        return Outcome(failure=TOO_DEEP, digest=digest(data))
    return Outcome(examined, digest=digest(data))


def speaking(order: Order, codes: Sequence[str], data: bytes) -> list[Rule]:
    """Those of a file's rules that may have something to say of this content."""
    speakers = _scan(order).speakers(data)
    return [RULES[code] for code in codes if code in speakers]


@lru_cache(maxsize=4)
def _scan(order: Order) -> Scan:
    return Scan([RULES[code] for code in order.codes], order.settings, project=order.project)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Leave trees alone while they grow: they go as a whole (see Module.release), but for a little that adds up."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if gc.get_count()[0] > LEFT_OVER:
            gc.collect()
        if was_on:
            gc.enable()


class Runner:
    """Runs jobs, in this process or in others.

    `jobs` is the number of processes; `executor` takes their place: anything that takes functions and arguments that
    can be pickled, on this machine or on others (`ships`: which have not this one's files, so that they are sent the
    bytes). `alive` tells whether it still is: some wait for ever for one that has gone. `lost` is called with a
    reason, once, where workers are lost; their work is then done here.
    """

    def __init__(
        self,
        order: Order,
        jobs: int,
        executor: Executor | None = None,
        *,
        ships: bool = False,
        alive: Callable[[], bool] = lambda: True,
        lost: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self.order = order
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

    def run(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """The outcome of each job, in their order, as soon as it and those before it are there."""
        executor = self._workers(len(jobs))
        if executor is None:
            for batch in _batches(jobs):
                yield from work(self.order, batch)
            return
        waiting: deque[tuple[list[Job], Future[list[Outcome]] | None]] = deque()
        for batch in _batches(jobs):
            waiting.append((batch, self._submit(executor, batch)))
            if len(waiting) > AHEAD * self.jobs:
                yield from self._result(*waiting.popleft())
        while waiting:
            yield from self._result(*waiting.popleft())

    def _workers(self, files: int) -> Executor | None:
        """Who does the work; None: this process."""
        if self._is_lost:
            return None
        if self.executor is not None:
            return self.executor
        if self._own is None and self.jobs > 1 and files >= FEW:
            self._own = _pool(min(self.jobs, files // FEW + 1))
        return self._own

    def _submit(self, executor: Executor, batch: list[Job]) -> Future[list[Outcome]] | None:
        if self._is_lost:
            return None
        sent = [job._replace(data=_read(job)) if self.ships and job.data is None else job for job in batch]
        try:
            return executor.submit(work, self.order, sent)
        except (OSError, RuntimeError) as error:  # a pool that broke, or was shut down
            self._lose(error)
            return None

    def _result(self, batch: list[Job], future: Future[list[Outcome]] | None) -> list[Outcome]:
        if future is not None:
            try:
                return self._waited_for(future)
            except Exception as error:  # each library has its own; if it is ours, it comes again below
                self._lose(error)
        return work(self.order, batch)

    def _waited_for(self, future: Future[list[Outcome]]) -> list[Outcome]:
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


def _batches(jobs: Sequence[Job]) -> Iterator[list[Job]]:
    batch: list[Job] = []
    total = 0
    for job in jobs:
        batch.append(job)
        total += len(job.data) if job.data is not None else _size(job.name)
        if total >= BATCH_BYTES or len(batch) >= BATCH_FILES:
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

    # Where it is safe, workers begin with all that has been imported here.
    context = get_context("fork" if sys.platform == "linux" else None)
    return ProcessPoolExecutor(workers, context, _begin)


def _begin() -> None:
    """Begin as a worker: Ctrl-C is for the process that hands out the work, and what is there now stays."""
    import signal  # late, as the pool

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()


def cores() -> int:
    """The number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
