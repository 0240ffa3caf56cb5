"""Where the files of a project lie: which file of one's own an import means.

A project reaches up to the directory with its configuration; above, nothing is its own. What is part of Python is no
first-party module, whatever its name.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

# Directories above which a project does not reach.
ENDS_AT = ("pyproject.toml", "setup.py", "setup.cfg")


class Roots:
    """The answers, each worked out once. `folders` are the directories that were looked into.

    `more` are directories, besides those around a file, in which packages of the project lie.
    """

    def __init__(self, more: tuple[str, ...] = ()) -> None:
        self._more = more
        self.folders: dict[str, frozenset[str]] = {}
        self._search: dict[str, tuple[str, ...]] = {}
        self._found: dict[tuple[str, str], tuple[str, tuple[str, ...]] | None] = {}

    def file(self, importer: str, qualified: str) -> tuple[str, tuple[str, ...]] | None:
        """The file that a qualified name leads to from an importing file (both absolute), and what is left of the name.

        None: it is no file of the project.
        """
        at = (os.path.dirname(importer), qualified)  # noqa: PTH120  # asked very often, where Path takes long
        if at not in self._found:
            self._found[at] = self._file(*at)
        return self._found[at]

    def home(self, path: str) -> str | None:
        """The directory that the project of a file reaches up to; None: nothing tells."""
        *_, top = self._up(os.path.dirname(path))  # noqa: PTH120  # as above
        return top if self._ends(top) else None

    def _file(self, folder: str, qualified: str) -> tuple[str, tuple[str, ...]] | None:
        rest = qualified.lstrip(".")
        names = rest.split(".") if rest else []
        dots = len(qualified) - len(rest)
        if dots:
            above = [folder, *map(str, Path(folder).parents)]
            return self._longest(above[dots - 1], names) if dots <= len(above) else None
        if not names or names[0] in sys.stdlib_module_names:
            return None
        found = (self._longest(root, names) for root in self._roots(folder) if self._holds(root, names[0]))
        return next((one for one in found if one), None)

    def _holds(self, folder: str, name: str) -> bool:
        """Is there a module or a package of this name right in a directory?"""
        inside = self._inside(folder)
        return name in inside or f"{name}.py" in inside

    def _longest(self, root: str, names: list[str]) -> tuple[str, tuple[str, ...]] | None:
        """The file that the most of these names lead to, and the names that are left."""
        folder = root
        found: tuple[str, tuple[str, ...]] | None = None
        for count, name in enumerate([*names, ""]):
            inside = self._inside(folder)
            if "__init__.py" in inside:
                found = os.path.join(folder, "__init__.py"), tuple(names[count:])  # noqa: PTH118  # as above
            deeper = os.path.join(folder, name)  # noqa: PTH118  # as above
            is_package = name in inside and "__init__.py" in self._inside(deeper)
            if f"{name}.py" in inside and not is_package:
                return f"{deeper}.py", tuple(names[count + 1 :])
            if name not in inside:
                return found
            folder = deeper
        return found

    def _inside(self, folder: str) -> frozenset[str]:
        """The names of what is right in a directory."""
        if folder not in self.folders:
            try:
                self.folders[folder] = frozenset(os.listdir(folder))  # noqa: PTH208  # as above
            except OSError:
                self.folders[folder] = frozenset()
        return self.folders[folder]

    def _roots(self, folder: str) -> tuple[str, ...]:
        """Where an absolute import in this folder may find a first-party package."""
        if folder not in self._search:
            self._search[folder] = tuple(dict.fromkeys((*self._above(folder), *self._more)))
        return self._search[folder]

    def _above(self, folder: str) -> Iterator[str]:
        for above in self._up(folder):
            inside = self._inside(above)
            if "__init__.py" not in inside:
                yield above
                if "src" in inside:
                    yield os.path.join(above, "src")  # noqa: PTH118  # as above

    def _up(self, folder: str) -> Iterator[str]:
        """A directory and those above it, up to the one at which a project ends."""
        for above in (folder, *map(str, Path(folder).parents)):
            yield above
            if self._ends(above):
                return

    def _ends(self, folder: str) -> bool:
        """Is the configuration of a project here?"""
        return not self._inside(folder).isdisjoint(ENDS_AT)
