"""What was worked out before, on disk: objects by name, or nothing, and never an error.

A record is written beside its place and moved there in one step, so several runs at once get the old or the new one,
whole. What is damaged, of another version or somebody else's is taken not to be there; where there is no room, or no
right to write, nothing is kept.

The directory is the user's own, as the platform has it, and not the project's: a record is unpickled, so it must be
none that came with somebody else's project; and a project may lie where nothing can be written.
"""

from __future__ import annotations

import os
import pickle
import stat
import sys
from contextlib import suppress
from pathlib import Path

try:
    from _blake2 import blake2b as blake2b  # what hashlib has it from, without the libraries that that loads for others
except ImportError:
    from hashlib import blake2b as blake2b

VARIABLE = "ASYNCFIX_CACHE_DIR"
SUFFIX = ".asyncfix"
TAG = "CACHEDIR.TAG"
# What tools that make backups look for: https://bford.info/cachedir/
TAG_TEXT = b"Signature: 8a477f597d28d172789f06886806bc55\n# Made by asyncfix, and may be deleted at any time.\n"
DIGEST = 32
# All records together may take so many bytes; the ones that were not used for longest go first.
LIMIT = 500_000_000
# So often it is looked, while as many bytes are saved, whether they do.
OFTEN = 20
# Where they take more, so many tenths of that are left, so that not each further record has others go.
TENTHS = 9


def digest(data: bytes) -> bytes:
    """What stands for the content of a file."""
    return blake2b(data, digest_size=16).digest()


def directory(given: Path | None = None) -> Path | None:
    """Where records are kept: as given, as the environment says, or as the platform has it; None: nowhere."""
    if given is not None:
        return given
    if named := os.environ.get(VARIABLE):
        return Path(named)
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "asyncfix"


class Store:
    """The records in a directory, which is made when the first is saved."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self.folder = folder
        self.limit = limit
        self._room: int | None = None  # bytes that are left, as far as is known; None: nobody has looked

    def load(self, name: str) -> object | None:
        """The object that was saved under a name; None: there is none that can be had."""
        path = self.folder / (name + SUFFIX)
        try:
            with path.open("rb") as file:
                if not _is_ours(os.fstat(file.fileno())):
                    return None
                seal, data = file.read(DIGEST), file.read()
            if blake2b(data, digest_size=DIGEST).digest() != seal:
                return None
            with suppress(OSError):
                os.utime(path)  # it was of use: let others go first
            found: object = pickle.loads(data)  # our own, as was seen above
            return found
        except (OSError, EOFError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError, ImportError,
                pickle.UnpicklingError, MemoryError, RecursionError):  # fmt: skip
            return None

    def save(self, name: str, value: object) -> None:
        """Keep an object under a name, if that can be done."""
        temporary = self.folder / f".{name[:32]}.{os.urandom(6).hex()}"
        try:
            data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
            self._make_folder()
            try:
                with open(temporary, "xb", opener=_private) as file:  # Path.open takes no opener
                    file.write(blake2b(data, digest_size=DIGEST).digest())
                    file.write(data)
                before = _size(self.folder / (name + SUFFIX))
                temporary.replace(self.folder / (name + SUFFIX))
            finally:
                temporary.unlink(missing_ok=True)
            self._trim(DIGEST + len(data) - before)
        except (OSError, pickle.PicklingError, RecursionError, MemoryError):
            return

    def _make_folder(self) -> None:
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.folder / TAG).write_bytes(TAG_TEXT)
            (self.folder / ".gitignore").write_bytes(b"*\n")

    def _trim(self, more: int) -> None:
        """Where all, now with so many bytes more, take more than they may, delete what was not used for longest."""
        if self._room is None and not self._chance(max(more, 0)):
            return
        self._room = self._room - more if self._room is not None else self._measured()
        if self._room >= 0:
            return
        self._room = self.limit - self.limit * TENTHS // 10
        records = sorted(self.records(), key=lambda record: record[1].st_mtime, reverse=True)
        total = 0
        for path, found in records:
            total += found.st_size
            if total > self.limit * TENTHS // 10:
                with suppress(OSError):
                    path.unlink()

    def _chance(self, more: int) -> bool:
        """Is it time to look at all records, which takes longer than to save one? The more so, the more is saved."""
        return int.from_bytes(os.urandom(4)) < more * OFTEN * 2**32 // self.limit

    def _measured(self) -> int:
        return self.limit - sum(found.st_size for _, found in self.records())

    def records(self) -> list[tuple[Path, os.stat_result]]:
        """The records that are there, with what the system says of them."""
        found = []
        with suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                if entry.name.endswith(SUFFIX):
                    with suppress(OSError):
                        found.append((Path(entry.path), entry.stat(follow_symlinks=False)))
        return found

    def clear(self) -> int:
        """Delete all records, and the directory where nothing else is in it; returns the bytes that are free now.

        Raises OSError where that cannot be done.
        """
        freed = 0
        for path, found in self.records():
            path.unlink(missing_ok=True)
            freed += found.st_size
        if self.folder.is_dir():
            rest = {path.name for path in self.folder.iterdir()}
            if rest <= {TAG, ".gitignore"}:
                for name in rest:
                    (self.folder / name).unlink(missing_ok=True)
                with suppress(OSError):
                    self.folder.rmdir()
        return freed


def _size(path: Path) -> int:
    """The bytes of a file; of what is not there, none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _private(path: str, flags: int) -> int:
    """An opener: nobody else is to read what findings quote, and nobody to write."""
    return os.open(path, flags, 0o600)


def _is_ours(found: os.stat_result) -> bool:
    """Is this a plain file of this user's, which nobody else can have written?"""
    if not stat.S_ISREG(found.st_mode):
        return False
    if not hasattr(os, "getuid"):
        return True
    return found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
