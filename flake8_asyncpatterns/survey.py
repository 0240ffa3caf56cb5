"""All files of a run: what is known of them, what has to be looked at, what they say to each other, and the results.

names → jobs → outcomes ─┬─ Checked, file by file                           each on its own
                         └─ Project.answers → jobs with answers → Checked   with the others
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from . import memory
from .cache import Store, digest
from .check import ROUNDS, Examined, facts
from .facts import Answer, Facts, Question
from .memory import Checked, Record, Stamp
from .project import Project
from .roots import Roots
from .runner import Job, Outcome, Runner
from .settings import Settings
from .shelf import Shelf, seen_from_here
from .source import Unreadable, decode, load


class Known(NamedTuple):
    """What is known of a file: what came of it by itself, what was answered to it, and what came of it then."""

    stamp: Stamp
    outcome: Outcome  # without its Facts
    answers: Mapping[Question, Answer]
    final: Examined


class Before(NamedTuple):
    """What an earlier run left: what it knew of each file, by name, and what there was around them."""

    known: Mapping[str, Known] = {}
    around: Mapping[str, Stamp] = {}
    folders: Mapping[str, tuple[Stamp, bytes]] = {}


class Memory:
    """What is kept between runs of one kind, under one key; without a Store nothing is."""

    def __init__(self, store: Store | None, key: str) -> None:
        self.store = store
        self.key = key

    def before(self) -> Before:
        """What an earlier run left."""
        found = self.store.load(f"{self.key}-files") if self.store else None
        return found if isinstance(found, Before) else Before()


class Survey:
    """One run over some files: `results` once, in the files' order; `keep` afterwards.

    `codes` are the rules for each file; `given` the bytes of those that are not on disk, or why there are none.
    `project`: are they looked at together?
    """

    def __init__(
        self,
        names: Sequence[str],
        codes: Mapping[str, tuple[str, ...]],
        runner: Runner,
        memory_of: Memory,
        settings: Settings,
        *,
        given: Mapping[str, bytes | Unreadable],
        project: bool,
    ) -> None:
        self.names = names
        self.codes = codes
        self.runner = runner
        self.memory = memory_of
        self.settings = settings
        self.given = given
        self.taken = memory.now()
        self.stamps = {name: None if name in given else memory.stamp(name) for name in names}
        self.before = memory_of.before()
        self.shelf = Shelf(memory_of.store, settings)
        self.known: dict[str, Known] = {}
        self.new_facts: dict[str, Facts] = {}
        self.paths = {os.path.abspath(name): name for name in names}  # noqa: PTH100  # of each of many
        self.digests: dict[str, bytes] = {}
        self.project = Project(self._load, Roots(settings.src)) if project else None
        self.said: list[Checked] = []

    def results(self) -> Iterator[Checked]:
        """What came of each file, in order."""
        looked_at = self._looked_at()
        if self.project is not None:
            for _ in looked_at:
                pass
            self._link(self.project)
            looked_at = iter(self.names)
        for name in looked_at:
            known = self.known[name]
            checked = Checked(name, known.final.problems, known.outcome.failure)
            if checked.problems or checked.failure:
                self.said.append(checked)
            yield checked

    def _looked_at(self) -> Iterator[str]:
        """Each file as it is known by itself, in order."""
        old = {name: known for name in self.names if (known := self._still_known(name)) is not None}
        for name, error in self.given.items():
            if isinstance(error, Unreadable):
                old[name] = Known(None, Outcome(failure=str(error)), {}, Examined())
        jobs = [self._job(name) for name in self.names if name not in old]
        outcomes = self.runner.run(jobs)
        for name in self.names:
            if name in old:
                self.known[name] = old[name]
            else:
                outcome = next(outcomes)
                if outcome.examined.facts is not None:
                    self.new_facts[name] = outcome.examined.facts
                by_itself = outcome._replace(examined=outcome.examined._replace(facts=None))
                self.known[name] = Known(self.stamps[name], by_itself, {}, by_itself.examined)
            yield name

    def _job(self, name: str, answers: Mapping[Question, Answer] | None = None) -> Job:
        data = self.given.get(name)
        return Job(name, self.codes[name], data if isinstance(data, bytes) else None, answers)

    def _still_known(self, name: str) -> Known | None:
        known = self.before.known.get(name)
        if known is None or name in self.given or not known.outcome.digest:
            return None
        now = self.stamps[name]
        if now == known.stamp and not memory.is_young(now, self.taken):
            return known
        try:  # it was written anew, perhaps with the same in it
            return known._replace(stamp=now) if digest(load(Path(name))) == known.outcome.digest else None
        except Unreadable:
            return None

    def _load(self, path: str) -> Facts | None:
        """The Facts of a file of the project, by its absolute path."""
        name = self.paths.get(path) or seen_from_here(path)
        if name in self.new_facts:
            return self.new_facts[name]
        try:
            data = self.given[name] if name in self.given else load(Path(path))
            if isinstance(data, Unreadable):
                return None
            self.digests[name] = digest(data)
            kept = self.shelf.facts(name, self.digests[name])
            if kept is None:
                kept = facts(decode(data), name, self.settings)
                self.new_facts[name] = kept
        except Unreadable:
            return None
        return kept

    def _link(self, project: Project) -> None:
        """Have the files ask each other, round by round, until nothing more is answered."""
        asking = [name for name in self.names if self.known[name].outcome.examined.asked]
        if self._is_as_before():
            asking = [name for name in asking if self.known[name] != self._old(name)]
        asking = [name for name in asking if not self._is_answered(name, project)]
        answered: dict[str, dict[Question, Answer]] = {name: {} for name in asking}
        asked = {name: self.known[name].outcome.examined.asked for name in asking}
        for _ in range(ROUNDS):
            again = []
            for name in asking:
                questions = [question for question in asked[name] if question not in answered[name]]
                more = project.answers(name, lambda name=name: self._own(name), questions) if questions else {}  # type: ignore[misc]
                if more:
                    answered[name] |= more
                    again.append(name)
            outcomes = self.runner.run([self._job(name, answered[name]) for name in again])
            for name, outcome in zip(again, outcomes, strict=True):
                known = self.known[name]
                by_itself = known.outcome._replace(failure=outcome.failure)
                self.known[name] = known._replace(outcome=by_itself, answers=answered[name], final=outcome.examined)
                asked[name] = outcome.examined.asked
            asking = again
        for name, answers in answered.items():
            if not answers and self.known[name].answers:  # nobody answers any more
                known = self.known[name]
                self.known[name] = known._replace(answers={}, final=known.outcome.examined)

    def _old(self, name: str) -> Known | None:
        return self.before.known.get(name)

    def _own(self, name: str) -> Facts:
        found = self._load(os.path.abspath(name))  # noqa: PTH100  # as above
        return found if found is not None else facts(decode(b""), name, self.settings)

    def _is_answered(self, name: str, project: Project) -> bool:
        """Was this file looked at before with just the answers that there are now?"""
        known = self.known[name]
        if known.outcome != getattr(self._old(name), "outcome", None):
            return False
        questions = dict.fromkeys((*known.outcome.examined.asked, *known.final.asked))
        return project.answers(name, lambda: self._own(name), questions) == known.answers

    def _is_as_before(self) -> bool:
        """Do all files tell what they told before, so that all answers are the same?"""
        if self.before.known.keys() != {*self.names}:
            return False
        if not all(memory.stamp(path) == before for path, before in self.before.around.items()):
            return False
        if not all(memory.holds(path, *before) for path, before in self.before.folders.items()):
            return False
        return all(
            self.shelf.facts(name, self.before.known[name].outcome.digest) == self._load(path)
            for path, name in self.paths.items()
            if self.known[name].outcome.digest != self.before.known[name].outcome.digest
        )

    def keep(self, exclude: Iterable[str], root: Path) -> None:
        """Leave what the next run can use."""
        store = self.memory.store
        if store is None or self.given:
            return
        consulted = self.project.consulted if self.project else {}
        around = {path: memory.stamp(path) for path in consulted if path not in self.paths}
        folders = {path: memory.listing(path) for path in (self.project.folders if self.project else ())}
        if self.before.known and self.project and self._is_as_before():
            around, folders = {**self.before.around, **around}, {**self.before.folders, **folders}
        store.save(f"{self.memory.key}-files", Before(self.known, around, folders))
        if self.project is not None:
            self._keep_facts()
        young = [name for name in self.names if memory.is_young(self.stamps[name], self.taken)]
        digests = {name: self.known[name].outcome.digest for name in young}
        seal = memory.seal(self.names, (self.stamps[name] for name in self.names))
        record = Record((*exclude,), str(root), len(self.names), seal, digests, around, folders, self.said)
        if all(digests.values()):  # what could not be read may be there the next time
            store.save(self.memory.key, record)

    def _keep_facts(self) -> None:
        """Leave what files tell for all that may ask, runs of other kinds and flake8 among them."""
        contents = {name: self.known[name].outcome.digest for name in self.names} | self.digests
        for name, told in self.new_facts.items():
            self.shelf.keep_facts(name, contents[name], told)
