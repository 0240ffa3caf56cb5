"""All files of a run: what is known of them, what has to be looked at, what they say to each other, and the results.

names → jobs → outcomes ─┬─ Checked, file by file                           each on its own
                         └─ Project.answers → jobs with answers → Checked   with the others
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from . import memory
from .cache import digest
from .collector import paused
from .examined import ROUNDS, TOO_DEEP, Examined
from .ledger import Before, Known, Ledger
from .looking import Job, Order, Outcome, look
from .memory import Checked, Record, Seen, Stamp
from .runner import Runner
from .shelf import Shelf, seen_from_here
from .source import Unreadable, decode, load

if TYPE_CHECKING:
    from .facts import Answer, Facts, Question
    from .project import Project


class Survey:
    """One run over some files: `results` once, in the files' order; `keep` afterwards.

    `seen` are the files; `codes` the rules for each, `given` the bytes of those that are not on disk, or why there are
    none. `tell` is called for each file that was looked at by itself.
    """

    def __init__(
        self,
        seen: Seen,
        codes: Mapping[str, tuple[str, ...]],
        order: Order,
        runner: Runner,
        ledger: Ledger,
        *,
        given: Mapping[str, bytes | Unreadable],
        tell: Callable[[], None] = lambda: None,
    ) -> None:
        self.names = [*seen.stamps]
        self.seen = seen
        self.codes = codes
        self.order = order
        self.runner = runner
        self.ledger = ledger
        self.given = given
        self.tell = tell
        self.before = ledger.before()
        self.shelf = Shelf(ledger.store, order.settings)
        # What is known of files anew; what an earlier run knew is taken from the ledger.
        self.known: dict[str, Known] = {}
        self.new_facts: dict[str, Facts | Unreadable] = {}
        self.digests: dict[str, bytes] = {}
        self.project: Project | None = None  # made where somebody asks the other files
        self.said: list[Checked] = []

    @cached_property
    def paths(self) -> dict[str, str]:
        """The files, by absolute path."""
        return {os.path.abspath(name): name for name in self.names}  # noqa: PTH100  # of each of many

    def _of_all(self) -> Project:
        from .project import Project  # late: a small file mostly asks nothing
        from .roots import Roots

        return Project(self._load, Roots(self.order.settings.src))

    def results(self) -> Iterator[Checked]:
        """What came of the files of which there is something to say, in order."""
        looked_at = self._looked_at()
        if self.order.project:
            for _ in looked_at:
                pass
            with paused():  # all that comes of the files is there, and stays
                if names := self._asking():
                    self.project = self._of_all()
                    self._link(names, self.project)
            looked_at = iter(self.names)
        for name in looked_at:
            if name in self.known or name in self.before.said:
                checked = self._checked(name)
                if checked.problems or checked.failure:
                    self.said.append(checked)
                    yield checked

    def _checked(self, name: str) -> Checked:
        known = self.known.get(name)
        if known is None:
            return self.before.said.get(name, Checked(name))
        return Checked(name, known.final.problems, known.outcome.failure)

    def _looked_at(self) -> Iterator[str]:
        """Each file, in order, as soon as what it says by itself is known."""
        old = self._still_known()
        for name, error in self.given.items():
            if isinstance(error, Unreadable):
                self.known[name] = Known(Outcome(failure=str(error)), {}, Examined())
        jobs = [self._job(name) for name in self.names if name not in old and name not in self.known]
        outcomes = self._run(jobs)
        for name in self.names:
            if name not in old and name not in self.known:
                self._note(name, next(outcomes))
            self.tell()
            yield name

    def _run(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        return self.runner.run(partial(look, self.order), jobs)

    def _note(self, name: str, outcome: Outcome) -> None:
        """Note what a file says by itself."""
        if outcome.examined.facts is not None:
            self.new_facts[name] = outcome.examined.facts
        by_itself = outcome._replace(examined=outcome.examined._replace(facts=None))
        self.known[name] = Known(by_itself, {}, by_itself.examined)

    def _job(self, name: str, answers: Mapping[Question, Answer] | None = None) -> Job:
        data = self.given.get(name)
        return Job(name, self.codes[name], data if isinstance(data, bytes) else None, answers)

    def _still_known(self) -> set[str]:
        """The files that are as they were when an earlier run looked at them."""
        stamps, before, contents = self.seen.stamps, self.before.stamps, self.before.contents
        proven = stamps.keys() - self.seen.young()
        # What could not be read is asked again; what was written anew has perhaps the same in it.
        return {
            name
            for name, stamp in stamps.items()
            if contents.get(name)
            and ((stamp is not None and stamp == before[name] and name in proven) or self._has_same_content(name))
        }

    def _has_same_content(self, name: str) -> bool:
        try:
            return digest(load(Path(name))) == self.before.contents[name]
        except Unreadable:
            return False

    def _load(self, path: str) -> Facts | None:
        """The Facts of a file of the project, by its absolute path."""
        return self._told(self.paths.get(path) or seen_from_here(path))

    def _told(self, name: str) -> Facts | None:
        """What a file tells the others; None: it cannot be read."""
        if name not in self.new_facts:
            try:
                data = self.given[name] if name in self.given else load(Path(name))
            except Unreadable:
                return None
            if isinstance(data, Unreadable):
                return None
            self.digests[name] = digest(data)
            kept = self.shelf.facts(name, self.digests[name])
            if kept is not None:
                return None if isinstance(kept, Unreadable) else kept
            self.new_facts[name] = self._work_out(name, data)
        told = self.new_facts[name]
        return None if isinstance(told, Unreadable) else told

    def _work_out(self, name: str, data: bytes) -> Facts | Unreadable:
        from .check import facts  # late: most files say nothing that anybody asks for

        try:
            return facts(decode(data), name, self.order.settings)
        except Unreadable as error:
            return error

    def _link(self, names: Sequence[str], project: Project) -> None:
        """Have these files ask the others, round by round, until nothing more is answered."""
        asking = [name for name in names if not self._is_answered(name, project)]
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
            outcomes = self._run([self._job(name, answered[name]) for name in again])
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

    def _asking(self) -> list[str]:
        """The files that ask others, and for which something has changed; all that is known of them is at hand then."""
        names: Iterable[str] = self.names
        if self._is_around:
            changed = {name for name in self.known if not self._tells_the_same(name)}
            names = [name for name in self.names if name in self.known]
            if changed:
                reached = self.before.reaches(path for path, name in self.paths.items() if name in changed)
                names = [name for path, name in self.paths.items() if path in reached or name in self.known]
        asking = [name for name in names if self._asks(name)]
        for name in asking:
            if name not in self.known and (known := self._old(name)):
                self.known[name] = known
        lost = [name for name in asking if name not in self.known]
        for name, outcome in zip(lost, self._run([*map(self._job, lost)]), strict=True):
            self._note(name, outcome)
        return asking

    def _asks(self, name: str) -> bool:
        known = self.known.get(name)
        return bool(known.outcome.examined.asked) if known is not None else name in self.before.asking

    def _old(self, name: str) -> Known | None:
        content = self.before.contents.get(name)
        return self.ledger.known(name, content) if content is not None else None

    def _own(self, name: str) -> Facts:
        found = self._load(os.path.abspath(name))  # noqa: PTH100  # as above
        if found is None:
            from .check import facts  # late, as above

            return facts(decode(b""), name, self.order.settings)
        return found

    def _is_answered(self, name: str, project: Project) -> bool:
        """Was this file looked at before with just the answers that there are now?"""
        known = self.known[name]
        if known is not self._old(name):
            return False
        questions = dict.fromkeys((*known.outcome.examined.asked, *known.final.asked))
        return project.answers(name, lambda: self._own(name), questions) == known.answers

    @cached_property
    def _is_around(self) -> bool:
        """Are the same files there as before, and around them all as it was?"""
        return (
            self.before.stamps.keys() == self.seen.stamps.keys()
            and all(memory.stamp(path) == before for path, before in self.before.around.items())
            and all(memory.holds(path, *before) for path, before in self.before.folders.items())
        )

    def _tells_the_same(self, name: str) -> bool:
        """Does a file that has changed tell the others what it told before?"""
        before = self.shelf.facts(name, self.before.contents[name])
        if isinstance(before, Unreadable):
            return self._told(name) is None
        return before is not None and before == self._told(name)

    def keep(self, exclude: Iterable[str], root: Path) -> None:
        """Leave what the next run can use."""
        store = self.ledger.store
        if store is None or self.given:
            return
        left = self._left()
        if self.order.project:
            self._keep_facts(left)
        self.ledger.keep(left, self.known)
        young = {name: left.contents[name] for name in self.seen.young()}
        if all(young.values()):  # what could not be read may be there the next time
            files, seal = len(self.names), self.seen.seal
            record = Record((*exclude,), str(root), files, seal, young, left.around, left.folders, self.said)
            store.save(self.ledger.key, record)

    def _left(self) -> Before:
        contents = self.before.contents
        around: dict[str, Stamp] = {}
        folders: dict[str, tuple[Stamp, bytes]] = {}
        links: dict[str, tuple[str, ...]] = {}
        if self.project is not None:
            around = {path: memory.stamp(path) for path in self.project.consulted if path not in self.paths}
            folders = {path: memory.listing(path) for path in self.project.folders}
            links = {path: tuple(targets) for path, targets in self.project.links.items()}
        before = self.before if self._is_around else Before()
        more = {path: tuple(dict.fromkeys((*before.links.get(path, ()), *targets))) for path, targets in links.items()}
        asking = {name for name, known in self.known.items() if known.outcome.examined.asked}
        return Before(
            self.seen.stamps,
            {name: known.outcome.digest if (known := self.known.get(name)) else contents[name] for name in self.names},
            asking | (self.before.asking - self.known.keys()),
            {checked.path: checked for checked in self.said},
            {**before.around, **around},
            {**before.folders, **folders},
            {**before.links, **more},
        )

    def _keep_facts(self, left: Before) -> None:
        """Leave what files tell for all that may ask, runs of other kinds and flake8 among them."""
        for name, told in self.new_facts.items():
            if isinstance(told, Unreadable) and str(told) == TOO_DEEP:
                continue  # how deep is too deep depends on who asks
            content = self.digests.get(name) or left.contents[name]
            self.shelf.keep_facts(name, content, told)
