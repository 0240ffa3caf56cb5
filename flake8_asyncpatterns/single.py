"""One file at a time, as flake8 hands them over, in several processes and in any order.

Handed ─┬─ Said      where its text is the same as before, and the other files answer the same
        └─ rules that may speak → Module → findings → Said
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from .cache import Store, digest
from .facts import Answer, Facts, Question
from .project import Project
from .roots import Roots
from .settings import Settings
from .shelf import Shelf, seen_from_here
from .source import Unreadable, characters, decode, load

if TYPE_CHECKING:
    import ast

    from .module import Module

# Line, column in characters from 0, and code with message.
Report: TypeAlias = tuple[int, int, str]


class Said(NamedTuple):
    """What came of a file, all that it asked of the others, and what they answered."""

    reports: tuple[Report, ...] = ()
    asked: tuple[Question, ...] = ()
    answers: Mapping[Question, Answer] = {}


class Handed:
    """A file as it is handed over: its tree, its name, its lines with their ends."""

    def __init__(self, tree: ast.Module, name: str, lines: Sequence[str], settings: Settings) -> None:
        self.tree = tree
        self.name = name
        self.lines = lines
        self.settings = settings
        self.data = "".join(lines).encode(errors="surrogatepass")
        self.content = digest(self.data)

    @cached_property
    def module(self) -> Module:
        """The file, to be asked."""
        from .facts import View  # late, as all that looks into a file: of most it is known what comes of them
        from .module import Module

        return Module(self.tree, "".join(self.lines), self.name, self.settings, View())

    def release(self) -> None:
        """Let go of what was worked out."""
        if "module" in vars(self):
            self.module.release()


class Desk:
    """Where files are handed over, one by one.

    `codes` are the rules that they are looked at with. What is found out about a file is kept in the store, and taken
    from there, whichever process has found it out; None: it is kept nowhere.
    """

    def __init__(self, codes: tuple[str, ...], settings: Settings, store: Store | None) -> None:
        self.codes = codes
        self.settings = settings
        self.project = Project(self._load, Roots(settings.src))
        self._shelf = Shelf(store, settings)
        self._known: dict[tuple[str, bytes], Facts] = {}

    def reports(self, tree: ast.Module, name: str, lines: Sequence[str]) -> tuple[Report, ...]:
        """What there is to say of a file. Of one nested too deeply that is nothing: flake8's own checks give up."""
        file = Handed(tree, name, lines, self.settings)
        with _quick():
            try:
                return self._reports(file)
            finally:
                file.release()

    def _reports(self, file: Handed) -> tuple[Report, ...]:
        about, name = ("said", self.codes, file.name), file.name
        try:
            said = self._shelf.get(about, name, file.content)
            if isinstance(said, Said) and self._holds(said, file):
                return said.reports
            said = self._look(file)
        except (RecursionError, Unreadable):
            return ()
        self._shelf.put(about, name, file.content, said)
        return said.reports

    def _holds(self, said: Said, file: Handed) -> bool:
        """Do the other files answer what they answered before?"""
        return not said.asked or self.project.answers(file.name, self._own(file), said.asked) == said.answers

    def _look(self, file: Handed) -> Said:
        from .check import settle  # late, as above
        from .engine import check
        from .runner import Order, speaking

        rules = speaking(Order(self.codes, self.settings, project=True), self.codes, file.data)
        if not rules:
            return Said()
        found = settle(file.module, lambda module: check(module, rules), self.project, self._own(file))
        places = ((one, getattr(one.node, "col_offset", 0), file.lines[one.line - 1]) for one in found.what)
        reports = [
            (one.line, characters(line, offset), f"{one.rule.code} {one.message}") for one, offset, line in places
        ]
        return Said(tuple(reports), tuple(found.asked), found.answers)

    def _own(self, file: Handed) -> Callable[[], Facts]:
        """What a file tells, which may be another text than is on disk."""

        def work_out() -> Facts:
            from .check import told_by  # late, as above

            return told_by(file.module)

        return lambda: self._facts(os.path.normpath(file.name), file.content, work_out)

    def _load(self, path: str) -> Facts | None:
        """The Facts of a file on disk; None: it cannot be read."""
        name = seen_from_here(path)
        try:
            data = load(Path(path))

            def work_out() -> Facts:
                from .check import facts  # late, as above

                return facts(decode(data), name, self.settings)

            return self._facts(name, digest(data), work_out)
        except Unreadable:
            return None

    def _facts(self, name: str, content: bytes, work_out: Callable[[], Facts]) -> Facts:
        """The Facts of a file of this content: as they are at hand, or on the shelf, or worked out."""
        at = (name, content)
        if at not in self._known:
            kept = self._shelf.facts(*at)
            self._known[at] = kept if kept is not None else work_out()
            if kept is None:
                self._shelf.keep_facts(*at, self._known[at])
        return self._known[at]


@contextmanager
def _quick() -> Iterator[None]:
    """Let no collector come by meanwhile: with all that flake8 has at hand, it takes long, and finds nothing."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
