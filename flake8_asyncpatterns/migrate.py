"""`asyncfix migrate`: the files of a program are read, brought over together, and written all or none."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import report
from .check import parse
from .elsewhere import rewriting
from .examined import TOO_DEEP
from .fix import Fixed, diff
from .keywords import original
from .knowledge.removed import Version
from .migration import Note, migrate
from .misuse import Misuse
from .module import Module
from .progress import Progress
from .report import count
from .rewrite import Unsettled
from .roots import Roots
from .runner import Runner
from .settings import Settings
from .source import Source, Unreadable, encode, read, reason, write
from .tuples import NamedTuple

# `async def` came with the first of these.
FIRST, LAST = (3, 5), (3, 14)


class Done(NamedTuple):
    """What became of a program; `diff` as `patch` reads it, `failures` by path and reason."""

    files: int
    changed: Sequence[str]
    turned: Sequence[Note]
    fixed: Sequence[Note]
    left: Sequence[Note]
    looks: Sequence[Note]
    failures: Sequence[tuple[str, str]]
    diff: bytes = b""


def version(text: str) -> Version:
    """A version as people write it. Raises Misuse."""
    found = re.fullmatch(r"3\.(\d+)(?:\.\d+)?", text)
    if not found:
        raise Misuse(f"--to {text!r} is no version such as 3.11")
    wanted = (3, int(found[1]))
    if not FIRST <= wanted <= LAST:
        first, last = (".".join(map(str, known)) for known in (FIRST, LAST))
        raise Misuse(f"--to {text}: known are {first} (which has no `async def` before it) to {last}")
    return wanted


def run(
    paths: Sequence[Path], to: Version, settings: Settings, runner: Runner, progress: Progress, *, write: bool
) -> Done:
    """Bring over what the files at these paths hold; written only when asked for, and then all or none."""
    sources: dict[str, Source] = {}
    modules: dict[str, Module] = {}
    failures: list[tuple[str, str]] = []

    def parsed(text: str, path: str) -> Module:
        return parse(text, path, settings)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "\d" and its like are the business of others
        progress.begin("read", len(paths))
        for path in paths:
            try:
                source = read(path)
                modules[str(path)] = parsed(source.text, str(path))
                sources[str(path)] = source
            except Unreadable as error:
                failures.append((str(path), str(error)))
            progress.count()
        texts = {path: module.text for path, module in modules.items()}
        try:
            result = migrate(modules, to, parsed, Roots(settings.src).file, rewriting(runner), progress)
            after = {path: _after(sources[path], texts[path], text) for path, text in result.texts.items()}
        except (Unsettled, Unreadable) as error:
            return Done(len(texts), (), (), (), (), (), [*failures, (".", str(error))])
        except (RecursionError, MemoryError):
            return Done(len(texts), (), (), (), (), (), [*failures, (".", TOO_DEEP)])
    changed = [path for path in sorted(after) if after[path] != sources[path].data]
    made = b"".join(diff(Fixed(path, sources[path].data, after[path])) for path in changed)
    if write:
        refused = [(path, why) for path in changed if (why := _unwritable(path))]
        failures += refused or _written({path: (sources[path].data, after[path]) for path in changed})
        changed = [] if refused else changed
    return Done(len(texts), changed, result.turned, result.fixed, result.left, result.looks, failures, made)


def _after(source: Source, parsable: str, text: str) -> bytes:
    """The bytes of a new text, with the names again for which others stand in."""
    return encode(source, text if parsable == source.text else original(text))


def _unwritable(path: str) -> str:
    """Why a file cannot be replaced, as far as can be seen without trying; empty: it can."""
    target = Path(path).resolve()
    if not os.access(target, os.W_OK) or not target.stat().st_mode & 0o222:
        return "read-only; no file was changed"
    if not os.access(target.parent, os.W_OK):
        return "its directory is read-only; no file was changed"
    return ""


def _written(files: dict[str, tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """Write new contents, given old and new; gives what could not be written, after which all are as before."""
    done: list[str] = []
    for path, (before, after) in files.items():
        try:
            write(Path(path), after, was=before)
            done.append(path)
        except (Unreadable, OSError) as error:
            why = str(error) if isinstance(error, Unreadable) else reason(error)
            failures = [(path, f"{why}; the other files are as they were")]
            for other in done:
                try:
                    write(Path(other), files[other][0], was=files[other][1])
                except (Unreadable, OSError):
                    failures.append((other, "was changed already, and cannot be changed back"))
            return failures
    return []


def told(done: Done, *, written: bool) -> Iterator[str]:
    """What people are told: each place, then a summary."""
    verb = "" if written else "would be "
    for note in sorted([*done.turned, *done.fixed]):
        yield f"{_place(note)}: {verb}migrated: {report.one_line(original(note.text))}"
    for note in done.left:
        yield f"{_place(note)}: left: {report.one_line(original(note.text))}"
    for note in done.looks:
        yield f"{_place(note)}: look: {report.one_line(note.text)}"
    yield _summary(done, written=written)


def _place(note: Note) -> str:
    return f"{report.shown(note.path)}:{note.line}"


def _summary(done: Done, *, written: bool) -> str:
    if not done.changed and not done.left:
        return f"Found nothing to migrate in {count(done.files, 'file')}."
    verb = "Turned" if written else "Would turn"
    said = (
        f"{verb} {count(len(done.turned), 'function')} into coroutines and mend {count(len(done.fixed), 'other place')}"
    )
    if written:
        said = said.replace(" mend ", " mended ")
    said += f", in {len(done.changed)} of {count(done.files, 'file')}; left {len(done.left)}"
    return said + (f"; {count(len(done.looks), 'check')} to look at." if done.looks else ".")
