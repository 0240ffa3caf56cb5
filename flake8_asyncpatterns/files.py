"""Which files are meant: directories are searched, and what is named is taken as it is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

SUFFIXES = (".py", ".pyw")
FOLDER, FILE, LINK = "folder", "file", "link"
# What is in a virtual environment.
ENVIRONMENT = "pyvenv.cfg"

# Other people's code, and code that tools have made. What is hidden is left out as well.
SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages", "build", "dist", "__pypackages__"})


def find(paths: Iterable[Path], exclude: Sequence[str], root: Path) -> list[str]:
    """The names of the files that these paths mean, sorted, each file once however it is reached.

    `exclude` are globs, read from `root` on, for what is found in directories.
    """
    found: dict[str, str] = {}
    for path in paths:
        # A name given is a name kept; a file is then known by where it really is.
        for real, name in _walk(path, exclude, root) if _is_folder(path) else [(os.path.realpath(path), str(path))]:
            found.setdefault(real, name)
    return sorted(found.values())


def _walk(top: Path, exclude: Sequence[str], root: Path) -> Iterator[tuple[str, str]]:
    """Where each file really is, and its name."""
    todo = [(os.path.realpath(top), str(top))]
    first = True
    while todo:
        real, folder = todo.pop()
        try:
            with os.scandir(real) as entries:
                inside = sorted(_taken(entries))
        except OSError:
            yield real, folder  # reading it will say why
            continue
        if not first and any(kind == ENVIRONMENT for _, kind, _ in inside):
            continue
        first = False
        start = "" if folder == "." else folder if folder.endswith(os.sep) else folder + os.sep
        for last, kind, path in inside:
            name = start + last
            if exclude and _excluded(name, exclude, root):
                continue
            if kind == FOLDER:
                todo.append((path, name))
            elif kind != ENVIRONMENT:
                yield os.path.realpath(path) if kind == LINK else path, name


def _taken(entries: Iterable[os.DirEntry[str]]) -> Iterator[tuple[str, str, str]]:
    """What is to be looked at of what is in a directory: its name, what it is, and where."""
    for entry in entries:  # (this is where the time goes: most are nothing to us)
        name = entry.name
        # A link to a directory may lead out of the tree, or back into it.
        if entry.is_dir(follow_symlinks=False):
            if not name.startswith(".") and name not in SKIPPED:
                yield name, FOLDER, entry.path
        elif name.endswith(SUFFIXES):
            if name.startswith(".#"):  # so Emacs marks a file that is being edited, with a link that leads nowhere
                continue
            if not entry.is_symlink():
                yield name, FILE, entry.path
            elif not _is_folder(entry):
                yield name, LINK, entry.path
        elif name == ENVIRONMENT:
            yield name, ENVIRONMENT, entry.path


def _is_folder(entry: os.DirEntry[str] | Path) -> bool:
    """Is this, or does it link to, a directory? No: reading it will say why not."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _excluded(name: str, exclude: Sequence[str], root: Path) -> bool:
    from .selection import within  # late: most projects exclude nothing

    path = Path(name)
    return any(within(path if "/" in glob.rstrip("/") else Path(path.name), glob, root) for glob in exclude)
