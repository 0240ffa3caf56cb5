"""What a run of `asyncfix check` leaves for the next: enough to say the same again where nothing has changed.

Nothing here knows a rule or parses a file: where a record holds, that is all that is imported.
"""

from __future__ import annotations

import marshal
import os
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import TypeAlias

from .cache import blake2b, digest
from .problem import Problem
from .tuples import NamedTuple

# Size, time of the last change, and number of a file; None: it cannot be asked.
Stamp: TypeAlias = "tuple[int, int, int] | None"

# Within so many nanoseconds a file may change twice and have the same stamp: a clock of a file system is that coarse.
COARSE = 2_000_000_000
# What may lead to a module, and what ends a project.
LEADS = (".py", ".toml", ".cfg")


class Checked(NamedTuple):
    """What came of a file: its problems, or the reason why it could not be checked."""

    path: str
    problems: Sequence[Problem] = ()
    failure: str = ""


class Seen:
    """Files as they are now: `stamps` by their names.

    `begun` is when it was begun to look at them, in nanoseconds since 1970.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.begun = time.time_ns()
        self.stamps = {name: stamp(name) for name in names}

    def young(self) -> list[str]:
        """Those that had just changed, so that their stamps prove nothing."""
        before = self.begun - COARSE
        return [name for name, stamp in self.stamps.items() if stamp is not None and stamp[1] > before]

    @cached_property
    def seal(self) -> bytes:
        """What stands for the names and stamps of all."""
        # (In this version, marshal writes the same for what is equal; `repr` takes four times as long.)
        return blake2b(marshal.dumps([*self.stamps.items()], 2), digest_size=20).digest()


class Record(NamedTuple):
    """A run: which files it looked at, as they were, and what it had to say.

    `seal` stands for the names and stamps of all files; `young` are those that had just changed, so that their stamps
    prove nothing, with the digests of their bytes. `around` are other files that were asked, and `folders` what was
    in the directories that imports were followed through.
    """

    exclude: tuple[str, ...]
    root: str
    files: int
    seal: bytes
    young: Mapping[str, bytes]
    around: Mapping[str, Stamp]
    folders: Mapping[str, tuple[Stamp, bytes]]
    said: Sequence[Checked]

    def holds(self, seen: Seen) -> bool:
        """Is all as it was, if these are the files that are meant now?"""
        return (
            len(seen.stamps) == self.files
            and seen.seal == self.seal
            and all(stamp(path) == before for path, before in self.around.items())
            and all(holds(path, *before) for path, before in self.folders.items())
            and all(_digest(name) == before for name, before in self.young.items())
        )


def key(*parts: object) -> str:
    """A name for the record of what was asked for, by this tool as it is installed, on this Python."""
    seen = blake2b(repr((parts, sys.version, sys.platform, _tool())).encode(errors="surrogateescape"), digest_size=20)
    return seen.hexdigest()


@cache
def _tool() -> list[tuple[str, Stamp]]:
    """The files of this package: an edited one is another tool."""
    return sorted(_sources(os.path.dirname(__file__)))  # noqa: PTH120  # as for what follows: of many, at every start


def _sources(folder: str) -> Iterator[tuple[str, Stamp]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                yield entry.path, _stamp(entry.stat())
            elif entry.is_dir() and entry.name != "__pycache__":
                yield from _sources(entry.path)


def stamp(path: str) -> Stamp:
    """What tells a file from what it was before."""
    try:
        return _stamp(os.stat(path))  # noqa: PTH116  # of each of many files
    except OSError:
        return None


def _stamp(found: os.stat_result) -> Stamp:
    return (found.st_size, found.st_mtime_ns, found.st_ino) if stat.S_ISREG(found.st_mode) else None


def listing(path: str) -> tuple[Stamp, bytes]:
    """What tells the modules in a directory from those that were there before."""
    try:
        found = os.stat(path)  # noqa: PTH116  # of each of many
        names = sorted(filter(leads, os.listdir(path)))  # noqa: PTH208
    except OSError:
        return None, b""
    return (0, found.st_mtime_ns, found.st_ino), blake2b(repr(names).encode(errors="surrogateescape")).digest()


def leads(name: str) -> bool:
    """May an import depend on something of this name in a directory?"""
    return (name.endswith(LEADS) or "." not in name) and name != "__pycache__"


def holds(path: str, before: Stamp, names: bytes) -> bool:
    """Has a directory the modules that it had?"""
    try:
        found = os.stat(path)  # noqa: PTH116  # as above
    except OSError:
        return before is None
    return (0, found.st_mtime_ns, found.st_ino) == before or listing(path)[1] == names


def _digest(name: str) -> bytes:
    try:
        return digest(Path(name).read_bytes())
    except OSError:
        return b""
