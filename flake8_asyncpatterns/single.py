"""One file at a time, as flake8 hands them over, in several processes and in any order.

Handed ─┬─ Said      where its text is the same as before, and all that it asked is, too
        ├─ Said      where its text is, and the other files answer the same
        └─ rules that may speak → Module → findings → Said
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from .cache import Store, digest
from .collector import paused
from .facts import Answer, Facts, Question
from .memory import leads
from .project import Project
from .roots import Roots
from .settings import Settings
from .shelf import Shelf, seen_from_here
from .source import Unreadable, characters, decode, load
from .source import lines as split
from .tuples import NamedTuple

if TYPE_CHECKING:
    import ast

    from .module import Module

# Line, column in characters from 0, and code with message.
Report: TypeAlias = tuple[int, int, str]


class Said(NamedTuple):
    """What came of a file, all that it asked of the others, and what they answered; `around` is a link of the chain
    that tells all there was (see Around)."""

    reports: tuple[Report, ...] = ()
    asked: tuple[Question, ...] = ()
    answers: Mapping[Question, Answer] = {}
    around: bytes = b""


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


class Around(NamedTuple):
    """What a process had asked by some time, as one link of a chain: the link before, and what came to that since.

    Files go with the digests of their contents, directories with those of the modules in them.
    """

    before: bytes
    files: tuple[tuple[str, bytes], ...]
    folders: tuple[tuple[str, bytes], ...]


class Surroundings:
    """Tells whether all is still there that was asked; nothing is parsed, unpickled or linked for that.

    A chain grows by what is new, however many files refer to its links. What has changed since is in all links behind
    it; whoever refers to these has to ask the others what they answer now. `contents` are the digests of the files
    that were asked.
    """

    def __init__(self, shelf: Shelf) -> None:
        self.contents: dict[str, bytes] = {}
        self._shelf = shelf
        self._last = b""
        self._linked: set[str] = set()
        self._held = {b"": True}
        self._now: dict[str, bytes] = {}

    def link(self, files: Iterable[str], folders: Mapping[str, Iterable[str]]) -> bytes:
        """The link that tells of these, and of all before."""
        new_files = tuple((path, self.contents.get(path, b"")) for path in files if path not in self._linked)
        new_folders = tuple((path, _modules(names)) for path, names in folders.items() if path not in self._linked)
        if new_files or new_folders:
            link = Around(self._last, new_files, new_folders)
            self._last = digest(repr(link).encode(errors="surrogateescape"))
            self._linked.update(path for path, _ in (*new_files, *new_folders))
            self._shelf.put("around", self._last.hex(), self._last, link)
        return self._last

    def holds(self, last: bytes) -> bool:
        """Is all that a chain tells of, up to this link, as it was?"""
        links: list[tuple[bytes, Around]] = []
        while last not in self._held:
            link = self._shelf.get("around", last.hex(), last)
            if not isinstance(link, Around):
                self._held[last] = False
                break
            links.append((last, link))
            last = link.before
        held = self._held[last]
        for name, link in reversed(links):
            held = held and all(self._content(path) == before for path, before in link.files)
            held = held and all(self._listing(path) == before for path, before in link.folders)
            self._held[name] = held
        return held

    def _content(self, path: str) -> bytes:
        if path not in self._now:
            try:
                self._now[path] = digest(load(Path(path)))
            except Unreadable:
                self._now[path] = b""
        return self._now[path]

    def _listing(self, folder: str) -> bytes:
        if folder not in self._now:
            try:
                self._now[folder] = _modules(os.listdir(folder))  # noqa: PTH208  # as Roots
            except OSError:
                self._now[folder] = _modules(())
        return self._now[folder]


def _modules(names: Iterable[str]) -> bytes:
    """What stands for the names in a directory, as far as an import may depend on them."""
    return digest(repr(sorted(filter(leads, names))).encode(errors="surrogateescape"))


def _on_disk(file: Handed) -> bytes:
    """The digest of a file's bytes; where these are not what was handed over, of that."""
    try:
        source = decode(load(Path(file.name)))
    except Unreadable:
        return file.content
    is_same = source.data == file.data or "\n".join(split(source.text.removeprefix("\ufeff"))) == "".join(file.lines)
    return digest(source.data) if is_same else file.content


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
        self._around = Surroundings(self._shelf)
        self._known: dict[tuple[str, bytes], Facts] = {}

    def reports(self, tree: ast.Module, name: str, lines: Sequence[str]) -> tuple[Report, ...]:
        """What there is to say of a file. Of one nested too deeply that is nothing: flake8's own checks give up."""
        file = Handed(tree, name, lines, self.settings)
        with paused():  # with all that flake8 has at hand, it would take long, and find nothing
            try:
                return self._reports(file)
            finally:
                file.release()

    def _reports(self, file: Handed) -> tuple[Report, ...]:
        about, name = ("said", self.codes, file.name), file.name
        try:
            before = self._shelf.get(about, name, file.content)
            if isinstance(before, Said) and (not before.asked or self._around.holds(before.around)):
                return before.reports
            said = before if isinstance(before, Said) and self._is_answered(before, file) else self._look(file)
        except (RecursionError, Unreadable):
            return ()
        around = self._around.link(self.project.consulted, self.project.folders) if said.asked else b""
        self._shelf.put(about, name, file.content, said._replace(around=around))
        return said.reports

    def _is_answered(self, said: Said, file: Handed) -> bool:
        """Do the other files answer what they answered before?"""
        return self.project.answers(file.name, self._own(file), said.asked) == said.answers

    def _look(self, file: Handed) -> Said:
        from .check import settle  # late, as above
        from .engine import check
        from .looking import Order, speaking
        from .rules import RULES

        codes = speaking(Order(self.codes, self.settings, project=True), self.codes, file.data)
        if not codes:
            return Said()
        rules = [RULES[code] for code in codes]
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

        def own() -> Facts:
            self._around.contents[os.path.abspath(file.name)] = _on_disk(file)  # noqa: PTH100  # keeps no `..`
            return self._facts(os.path.normpath(file.name), file.content, work_out)

        return own

    def _load(self, path: str) -> Facts | None:
        """The Facts of a file on disk; None: it cannot be read."""
        name = seen_from_here(path)
        try:
            data = load(Path(path))

            def work_out() -> Facts:
                from .check import facts  # late, as above

                return facts(decode(data), name, self.settings)

            self._around.contents[path] = digest(data)
            return self._facts(name, digest(data), work_out)
        except Unreadable:
            return None

    def _facts(self, name: str, content: bytes, work_out: Callable[[], Facts]) -> Facts:
        """The Facts of a file of this content: as they are at hand, or on the shelf, or worked out."""
        at = (name, content)
        if at not in self._known:
            self._known[at] = self._shelf.told(*at, work_out)
        return self._known[at]
