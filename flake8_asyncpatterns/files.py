"""Which files are meant: directories are searched, and what is named is taken as it is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from .selection import within

SUFFIXES = (".py", ".pyw")

# Other people's code, and code that tools have made. What is hidden is left out as well.
SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages", "build", "dist", "__pypackages__"})


def find(paths: Iterable[Path], exclude: Sequence[str], root: Path) -> list[Path]:
    """The files that these paths mean, sorted, each once however it is reached.

    `exclude` are globs, read from `root` on, for what is found in directories.
    """
    found: dict[str, Path] = {}
    for path in paths:
        # A name given is a name kept; a file is then known by where it really is.
        for file in _walk(path, exclude, root) if _is_folder(path) else [path]:
            found.setdefault(os.path.realpath(file), file)
    return sorted(found.values(), key=str)


def _walk(top: Path, exclude: Sequence[str], root: Path) -> Iterator[Path]:
    todo = [top]
    while todo:
        folder = todo.pop()
        try:
            with os.scandir(folder) as entries:
                inside = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            yield folder  # reading it will say why
            continue
        if folder is not top and any(entry.name == "pyvenv.cfg" for entry in inside):
            continue
        for entry in inside:
            # A link to a directory may lead out of the tree, or back into it.
            is_folder = entry.is_dir(follow_symlinks=False)
            if _taken(entry, is_folder) and not _excluded(path := folder / entry.name, exclude, root):
                if is_folder:
                    todo.append(path)
                else:
                    yield path


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


def _excluded(path: Path, exclude: Sequence[str], root: Path) -> bool:
    return any(within(path if "/" in glob.rstrip("/") else Path(path.name), glob, root) for glob in exclude)
