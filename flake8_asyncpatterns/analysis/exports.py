"""What a program's own files only hand on: `from .compat import Queue` means `asyncio.Queue` if `compat` imports that.

Only where all files are looked at together. What is defined there, or may be one thing or another, is left alone.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ..knowledge.names import canonical
from ..knowledge.removed import OLDEST, REMOVED
from ..knowledge.since import SINCE
from ..scopes import imports
from .versions import handles_absence

if TYPE_CHECKING:
    from ..module import Module
    from .neighbours import Find


class Exports:
    """The answers for the files of a program, by their paths, each worked out once."""

    def __init__(self, modules: Mapping[str, Module], find: Find) -> None:
        self._modules = {os.path.abspath(path): module for path, module in modules.items()}  # noqa: PTH100  # keeps links
        self._find = find
        self._meanings: dict[tuple[str, str], str | None] = {}

    def provide(self) -> None:
        """Let each file know what its names mean."""
        for path, module in self._modules.items():
            module.look_through(self._seen_from(path))

    def _seen_from(self, path: str) -> Callable[[str], str]:
        return lambda qualified: self._meaning(path, qualified) or qualified

    def _meaning(self, path: str, qualified: str) -> str | None:
        """The name outside of the program that a qualified name in a file stands for; None: it stands for itself."""
        asked = (path, qualified)
        if asked not in self._meanings:
            self._meanings[asked] = None  # while it is worked out
            found = self._find(path, qualified)
            other = self._modules.get(found[0]) if found else None
            if found and found[1] and other:
                self._meanings[asked] = self._handed_on(found[0], other, found[1])
        return self._meanings[asked]

    def _handed_on(self, path: str, module: Module, names: Sequence[str]) -> str | None:
        """What dotted names at the top of a file stand for, if all that binds the first of them is imports."""
        found = set()
        for imported in _imported(module, names[0]):
            if imported is None:
                return None
            name = canonical(".".join([imported, *names[1:]]))
            meaning = self._meaning(path, name)
            if meaning is None and self._is_own(path, name):
                return None
            found.add(meaning or name)
        return found.pop() if len(found) == 1 else None

    def _is_own(self, path: str, qualified: str) -> bool:
        return qualified.startswith(".") or self._find(path, qualified) is not None


def _imported(module: Module, name: str) -> Iterator[str | None]:
    """The qualified names that the imports of a name bring; None: something else binds it.

    Not what is there for where an import fails that never does.
    """
    for node, imported in module.top_level(name):
        if not any(_never_runs(around, module) for around in module.ancestors(node)):
            yield imported


def _never_runs(handler: ast.AST, module: Module) -> bool:
    """Does this handle that something is not there, of an attempt to import only what asyncio has in every Python?"""
    tried = module.parent(handler)
    return (
        isinstance(handler, ast.ExceptHandler)
        and handles_absence(handler, module)
        and isinstance(tried, ast.Try)
        and all(
            isinstance(statement, (ast.Import, ast.ImportFrom))
            and all(_is_there(name) for _, _, name in imports(statement))
            for statement in tried.body
        )
    )


def _is_there(qualified: str) -> bool:
    """Is this of asyncio, in every Python that counts, as far as is known?"""
    known = qualified not in REMOVED and SINCE.get(qualified, OLDEST) <= OLDEST
    return known and qualified.partition(".")[0] == "asyncio"
