"""What the other files of a project say: the functions and classes behind its own imports.

Files are found beside the one that imports them, and parsed when something is asked of them; nothing is ever run.
What is installed, or part of Python, is no first-party file, whatever its name.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .classes import EMPTY_BASES, defines, members
from .inference import Type
from .scopes import FUNCTIONS, Definition, imports
from .source import Unreadable, read

if TYPE_CHECKING:
    from .module import Module
    from .settings import Settings

# Directories above which a project does not reach.
ENDS_AT = ("pyproject.toml", "setup.py", "setup.cfg")
# Re-exports are followed so far.
HOPS = 8
# Trees that are kept at a time; they are large, and who imports a file is mostly near.
KEPT = 256


class Elsewhere(NamedTuple):
    """A definition, and the module that it stands in."""

    module: Module
    node: Definition


class Project:
    """The first-party files around those that are checked."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._modules: dict[Path, Module | None] = {}
        self._roots: dict[Path, list[Path]] = {}
        self._names: dict[Path, frozenset[str]] = {}
        self._files: dict[tuple[Path, str], tuple[Path | None, list[str]]] = {}

    def find(self, module: Module, qualified: str) -> Elsewhere | None:
        """The function or class that a qualified name means in a module; None: it is not of this project, or unsure."""
        return self._find(module, qualified, HOPS)

    def _find(self, module: Module, qualified: str, hops: int) -> Elsewhere | None:
        if not module.path or hops == 0:
            return None
        path, rest = self._file(Path(module.path).absolute(), qualified)
        found = self._load(path) if path and rest else None
        return self._member(found, rest, hops) if found is not None else None

    def _member(self, module: Module, names: list[str], hops: int) -> Elsewhere | None:
        """What dotted names mean at the top of a module."""
        bindings = module.top_level(names[0])
        if len(bindings) != 1:
            return self._starred(module, names, hops) if not bindings else None
        node, qualified = bindings[0]
        if qualified is not None:
            return self._find(module, ".".join([qualified, *names[1:]]), hops - 1)
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef)) or isinstance(node, ast.Lambda):
            return None
        found = Elsewhere(module, node)
        if len(names) == 1:
            return found
        return self.method(found, names[1]) if len(names) == 2 and isinstance(node, ast.ClassDef) else None

    def _starred(self, module: Module, names: list[str], hops: int) -> Elsewhere | None:
        """What `from x import *` brings."""
        found = (
            self._find(module, ".".join([qualified.removesuffix("*").rstrip(".") or ".", *names]), hops - 1)
            for statement in module.nodes(ast.ImportFrom)
            for local, _, qualified in imports(statement)
            if local == "*"
        )
        return next((one for one in found if one), None)

    def inherited(self, module: Module, cls: ast.ClassDef, name: str) -> Elsewhere | None:
        """What a class of a module has from another file under this name; None: it has its own, or unsure."""
        if any(defines(derived, name) for derived in module.subclasses(cls)):
            return None
        found = self.method(Elsewhere(module, cls), name)
        return found if found and found.module is not module else None

    def method(self, of: Elsewhere, name: str) -> Elsewhere | None:
        """What `name` of an instance of a class is, as its bases, in whatever file, say; None: unsure."""
        todo: list[Elsewhere | None] = [of]
        seen: set[ast.AST] = set()
        while todo:
            own = todo.pop(0)
            if own is None or not isinstance(own.node, ast.ClassDef):
                return None
            if own.node in seen:
                continue
            seen.add(own.node)
            if own.module.sets(own.node, name):
                return None
            match list(members(own.node, name)):
                case [ast.FunctionDef() | ast.AsyncFunctionDef() as found] if found in own.node.body:
                    return Elsewhere(own.module, found)
                case [_, *_]:
                    return None
            todo += self._bases(own)
        return None

    def attribute(self, module: Module, cls: ast.ClassDef, name: str) -> Type | None:
        """What an attribute is that the instances of a class of a module have from the first base of another file that
        sets it; None: unsure. Only what has a name outside of its file is told."""
        todo: list[Elsewhere | None] = [Elsewhere(module, cls)]
        seen: set[ast.AST] = set()
        while todo:
            own = todo.pop(0)
            if own is None or not isinstance(own.node, ast.ClassDef):
                return None
            if own.node in seen:
                continue
            seen.add(own.node)
            if own.module.sets(own.node, name) or defines(own.node, name):
                return _told(own.module.attribute(own.node, name)) if own.module is not module else None
            todo += self._bases(own)
        return None

    def _bases(self, of: Elsewhere) -> Iterator[Elsewhere | None]:
        assert isinstance(of.node, ast.ClassDef)
        for base in of.node.bases:
            named = base.value if isinstance(base, ast.Subscript) else base
            local = of.module.definition(named)
            if local is not None:
                yield Elsewhere(of.module, local)
                continue
            qualified = of.module.name(named)
            if qualified not in EMPTY_BASES:
                yield self.find(of.module, qualified) if qualified else None

    def _load(self, path: Path) -> Module | None:
        from .check import parse  # late: that is made of modules

        if path in self._modules:
            self._modules[path] = self._modules.pop(path)  # the last to be forgotten
        else:
            while len(self._modules) >= KEPT:
                del self._modules[next(iter(self._modules))]
            try:
                self._modules[path] = parse(read(path).text, str(path), self.settings, self)
            except Unreadable:
                self._modules[path] = None
        return self._modules[path]

    def _file(self, importer: Path, qualified: str) -> tuple[Path | None, list[str]]:
        """The file that a qualified name is in, and what is left of the name; None: none."""
        names = qualified.lstrip(".").split(".")
        dots = len(qualified) - len(qualified.lstrip("."))
        if dots:
            above = [importer.parent, *importer.parent.parents]
            return _longest(above[dots - 1], names) if dots <= len(above) else (None, [])
        if names[0] in sys.stdlib_module_names:
            return None, []
        at = (importer.parent, qualified)
        if at not in self._files:
            roots = (root for root in self._search(importer.parent) if self._holds(root, names[0]))
            found = (_longest(root, names) for root in roots)
            self._files[at] = next(((path, rest) for path, rest in found if path), (None, []))
        return self._files[at]

    def _holds(self, root: Path, name: str) -> bool:
        """Is there a module or a package of this name right in a directory?"""
        if root not in self._names:
            try:
                self._names[root] = frozenset(path.name for path in root.iterdir())
            except OSError:
                self._names[root] = frozenset()
        return name in self._names[root] or f"{name}.py" in self._names[root]

    def _search(self, folder: Path) -> list[Path]:
        """Where an absolute import in this folder may find a first-party package."""
        if folder not in self._roots:
            self._roots[folder] = list(_roots(folder))
        return self._roots[folder]


def _told(found: Type | None) -> Type | None:
    """What is known of a thing, as other files may know it: without classes and names of its own file."""
    if found is None or found.cls is not None or (found.name or ".").startswith("."):
        return None
    item, value = _told(found.item), _told(found.value)
    return Type(found.name, None, item, value, tuple(_told(part) for part in found.parts))


def _roots(folder: Path) -> Iterator[Path]:
    for above in (folder, *folder.parents):
        if not _is(above / "__init__.py"):
            yield above
            yield above / "src"
        if any(_is(above / name) for name in ENDS_AT):
            return


def _longest(root: Path, names: list[str]) -> tuple[Path | None, list[str]]:
    """The file that the most of these names lead to, and the names that are left."""
    for count in range(len(names), -1, -1):
        base = root.joinpath(*names[:count])
        for path in (base.with_name(f"{base.name}.py"), base / "__init__.py") if count else (base / "__init__.py",):
            if _is(path):
                return path, names[count:]
    return None, []


def _is(path: Path) -> bool:
    """Is this a file, and one that may be looked at?"""
    try:
        return path.is_file()
    except OSError:
        return False
