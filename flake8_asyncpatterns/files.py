"""Which files are meant: directories are searched, and what is named is taken as it is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

SUFFIXES = (".py", ".pyw")

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
                inside = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            yield real, folder  # reading it will say why
            continue
        if not first and any(entry.name == "pyvenv.cfg" for entry in inside):
            continue
        first = False
        start = "" if folder == "." else folder if folder.endswith(os.sep) else folder + os.sep
        for entry in inside:
            # A link to a directory may lead out of the tree, or back into it.
            is_folder = entry.is_dir(follow_symlinks=False)
            name = start + entry.name
            if not _taken(entry, is_folder) or _excluded(name, exclude, root):
                continue
            if is_folder:
                todo.append((entry.path, name))
            else:
                yield os.path.realpath(entry.path) if entry.is_symlink() else entry.path, name


def _taken(entry: os.DirEntry[str], is_folder: bool) -> bool:
    if is_folder:
        return not entry.name.startswith(".") and entry.name not in SKIPPED
    # Emacs marks a file that is being edited with a link named .#file that leads nowhere.
    return entry.name.endswith(SUFFIXES) and not entry.name.startswith(".#") and not _is_folder(entry)


def _is_folder(entry: os.DirEntry[str] | Path) -> bool:
    """Is this, or does it link to, a directory? No: reading it will say why not."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _excluded(name: str, exclude: Sequence[str], root: Path) -> bool:
    if not exclude:
        return False
    from .selection import within  # late: most projects exclude nothing

    path = Path(name)
    return any(within(path if "/" in glob.rstrip("/") else Path(path.name), glob, root) for glob in exclude)
