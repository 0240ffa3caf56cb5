"""Many files from bytes to mended bytes, on all cores: as if each were alone, and again where others have an answer.

names → jobs ─mend→ Came ─Project.answers→ jobs ─mend→ Came → … → Fixed

What the files tell each other is what they told before any of them was mended, whichever is written first. Nothing is
written here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path

from . import looking
from .cache import digest
from .check import facts
from .facts import Facts
from .files import find
from .fix import Begun, Came, Fixed, advance
from .project import Project
from .roots import Roots
from .rules import RULES
from .runner import Runner
from .shelf import Shelf, seen_from_here
from .source import Unreadable, decode, load
from .tuples import NamedTuple

# Mending a file takes about so many times as long as looking at it.
EFFORT = 4
# So many files are mended again before the first of them is handed out: enough for all cores, and soon done.
TOGETHER = 64


class Order(NamedTuple):
    """What is said once for all files: what is said to whoever looks at them, and whether unsafe fixes are wanted."""

    looking: looking.Order
    unsafe: bool


class Job(NamedTuple):
    """A file to be mended with these rules. `data` None: it is read where the work is done, for the first time."""

    name: str
    codes: tuple[str, ...]
    data: bytes | None = None
    begun: Begun = Begun()


def mend(order: Order, jobs: Sequence[Job]) -> list[Came]:
    """What comes of some files. The same in every process."""
    return [_came(order, job) for job in jobs]


def _came(order: Order, job: Job) -> Came:
    try:
        data = load(Path(job.name)) if job.data is None else job.data
    except Unreadable as error:
        return Came(Fixed(job.name, failure=str(error)))
    try:
        # All rules or none: one may speak of what the fix of another makes.
        if not looking.speaking(order.looking, job.codes, data):
            return Came(Fixed(job.name, data, data))
        rules = [RULES[code] for code in job.codes]
        _, settings, project = order.looking
        source = decode(data)
        return advance(source, job.name, rules, settings, job.begun, unsafe=order.unsafe, alone=not project)
    except Unreadable as error:
        return Came(Fixed(job.name, data, data, failure=str(error)))


class Mending:
    """One run over some files, of which each has its rules: `results` once, in their order.

    What other files tell is taken from the `shelf` where it is known. `given` are the bytes of those that are not on
    disk, or why there are none. `tell` is called with what came of each whenever that is known.
    """

    def __init__(
        self,
        codes: Mapping[str, tuple[str, ...]],
        order: Order,
        runner: Runner,
        shelf: Shelf,
        given: Mapping[str, bytes | Unreadable],
        tell: Callable[[Fixed], None],
    ) -> None:
        self.order = order
        self.runner = runner
        self.shelf = shelf
        self.given = given
        self.tell = tell
        self.jobs = {name: self._job(name, chosen) for name, chosen in codes.items()}
        self.facts: dict[str, Facts] = {}
        self.roots = Roots(order.looking.settings.src)
        self.project = Project(self._load, self.roots, self._texts) if order.looking.project else None
        # What was in those that have been handed out, where that is not what they are to be.
        self.before: dict[str, bytes] = {}
        self._nearby: dict[str | None, list[str]] = {}

    def _job(self, name: str, codes: tuple[str, ...]) -> Job:
        data = self.given.get(name)
        return Job(name, codes, data if isinstance(data, bytes) else None)

    def _load(self, path: str) -> Facts | None:
        """The Facts of a file of the project, by its absolute path. What has none yet is not one that is mended."""
        if path in self.facts:
            return self.facts[path]
        name = seen_from_here(path)
        try:
            data = load(Path(path))
            return self.shelf.told(name, digest(data), partial(self._work_out, data, name))
        except Unreadable:
            return None

    def _work_out(self, data: bytes, name: str) -> Facts:
        return facts(decode(data), name, self.order.looking.settings)

    def _texts(self, path: str) -> Iterator[tuple[str, bytes]]:
        """The files of the run, and all that lie in a file's project, as they were before any was mended."""
        home = self.roots.home(path)
        if home not in self._nearby:  # a run asks for each of its flags
            self._nearby[home] = find(map(Path, [*self.paths, *([home] if home else [])]), (), Path())
        for at in self._nearby[home]:
            with suppress(Unreadable):
                data = self.before.get(at) or self.given.get(self.paths.get(at, "")) or load(Path(at))
                if isinstance(data, bytes):
                    yield at, data

    @cached_property
    def paths(self) -> dict[str, str]:
        """The files of the run, by absolute path."""
        return {os.path.abspath(name): name for name in self.jobs}  # noqa: PTH100  # of each of many

    def results(self) -> Iterator[Fixed]:
        """What came of each file."""
        came = self._first()
        stretch: list[str] = []
        again: dict[str, Begun] = {}
        for name in self.jobs:
            stretch.append(name)
            begun = came[name].again(name, self.project) if self.project is not None else None
            if begun is not None:
                again[name] = begun
            if len(again) >= TOGETHER or not again:
                yield from self._stretch(stretch, again, came)
                stretch, again = [], {}
        yield from self._stretch(stretch, again, came)

    def _first(self) -> dict[str, Came]:
        """What came of each file as if it were alone."""
        came = {}
        for name, why in self.given.items():
            if isinstance(why, Unreadable):
                came[name] = Came(Fixed(name, failure=str(why)))
        jobs = [job for name, job in self.jobs.items() if name not in came]
        for job, one in zip(jobs, self._run(jobs), strict=True):
            came[job.name] = one._replace(facts=None)
            if one.facts is not None:
                self.facts[os.path.abspath(job.name)] = one.facts  # noqa: PTH100  # of each of many
                if job.name not in self.given:
                    self.shelf.keep_facts(job.name, digest(one.data), one.facts)
            if one.fixed is not None:
                self.tell(one.fixed)
        return came

    def _stretch(self, names: Sequence[str], again: Mapping[str, Begun], came: dict[str, Came]) -> Iterator[Fixed]:
        """What came of some files, of which these are to be mended again."""
        while again:
            assert self.project is not None  # nobody else has answered
            # With the bytes that they began with: what is on disk by now may be something else.
            jobs = [self.jobs[name]._replace(data=came[name].data, begun=begun) for name, begun in again.items()]
            for name, one in zip(again, self._run(jobs), strict=True):
                came[name] = one
            todo = ((name, came[name].again(name, self.project)) for name in again)
            again = {name: begun for name, begun in todo if begun is not None}
        for name in names:
            fixed = came.pop(name).fixed
            assert fixed is not None  # else it would have been mended again
            if fixed.after != fixed.before:
                self.before[os.path.abspath(name)] = fixed.before  # noqa: PTH100  # as above
            yield fixed

    def _run(self, jobs: Sequence[Job]) -> Iterator[Came]:
        return self.runner.run(partial(mend, self.order), jobs, EFFORT)
