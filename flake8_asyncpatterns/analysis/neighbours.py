"""What a name in one file means in others, where all of them are looked at together.

Here every possibility counts, as in `meanings.py`; what a name surely is, `Project` says.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ..scopes import Definition, imports
from .meanings import DEFINITIONS, Called, Meanings
from .summary import modules

if TYPE_CHECKING:
    from ..module import Module
    from ..rule import FunctionDef

# Which file a qualified name leads to from a file that imports it, and what is left of the name; None: to none.
Find: TypeAlias = Callable[[str, str], tuple[str, Sequence[str]] | None]
# Re-exports are followed so far.
HOPS = 8


class Neighbours:
    """The files, by their absolute paths, and what leads from one to another."""

    def __init__(self, files: Sequence[Module], find: Find) -> None:
        self.meanings = {module: Meanings(module, self) for module in files}
        self.hops = 0
        self._find = find
        self._modules = {str(Path(module.path).absolute()): module for module in files}
        self._paths = {module: path for path, module in self._modules.items()}
        self._homes: dict[ast.AST, Meanings] = {
            node: meanings
            for module, meanings in self.meanings.items()
            for node in module.nodes(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        }
        self._named: dict[ast.AST, list[Definition]] = {}
        self._above: dict[ast.ClassDef, list[ast.ClassDef]] | None = None
        self._below: dict[ast.ClassDef, list[ast.ClassDef]] = {}
        self._families: dict[ast.ClassDef, list[ast.ClassDef]] = {}
        self._stored: dict[str, list[tuple[Module, ast.Attribute]]] | None = None
        self._decorated: dict[ast.AST, list[FunctionDef]] | None = None
        self._calls: dict[str, list[Called]] = {}
        self._imported: set[Module] | None = None
        self._defined: dict[str, list[tuple[Meanings, FunctionDef]]] | None = None

    def home(self, node: ast.AST) -> Meanings | None:
        """See Others."""
        return self._homes.get(node)

    def named(self, module: Module, node: ast.Name | ast.Attribute) -> list[Definition]:
        """See Others."""
        if node not in self._named:
            self._named[node] = []  # while it is worked out
            self._named[node] = list(dict.fromkeys(self._follow(module, node)))
        return self._named[node]

    def _follow(self, module: Module, node: ast.Name | ast.Attribute) -> Iterator[Definition]:
        qualified = module.name(node)
        if qualified is not None:
            if not qualified.startswith("builtins."):
                yield from self._qualified(module, qualified, HOPS)
            return
        kind = module.type_of(node.value) if isinstance(node, ast.Attribute) else None
        for cls in self._qualified(module, kind, HOPS) if kind and not kind.startswith("builtins.") else ():
            if isinstance(cls, ast.ClassDef) and isinstance(node, ast.Attribute):
                for own in self.family(cls):
                    yield from self._members(own, node.attr)

    def _members(self, cls: ast.ClassDef, name: str) -> Iterator[Definition]:
        members = self._homes[cls].member(cls, name)
        yield from (member for member in members if isinstance(member, DEFINITIONS))

    def _qualified(self, module: Module, qualified: str, hops: int) -> Iterator[Definition]:
        """The definitions that a qualified name means, seen from a module."""
        found = self._find(self._paths[module], qualified) if hops else None
        other = self._modules.get(found[0]) if found else None
        if found and other and found[1]:
            yield from self._at_top(other, found[1], hops)

    def _at_top(self, module: Module, names: Sequence[str], hops: int) -> Iterator[Definition]:
        """What dotted names mean at the top of a module."""
        bindings = module.top_level(names[0])
        for node, qualified in bindings:
            if qualified is not None:
                yield from self._qualified(module, ".".join([qualified, *names[1:]]), hops - 1)
            elif isinstance(node, DEFINITIONS):
                if len(names) == 1:
                    yield node
                elif len(names) == 2 and isinstance(node, ast.ClassDef):
                    for cls in self.family(node):
                        yield from self._members(cls, names[1])
            elif len(names) == 1 and isinstance(value := module.value(node), (ast.Name, ast.Attribute)):
                yield from (one for one in self.meanings[module].of(value) if isinstance(one, DEFINITIONS))
        if not bindings:
            for statement in module.nodes(ast.ImportFrom):
                for local, _, star in imports(statement):
                    if local == "*":
                        within = ".".join([star.removesuffix("*").rstrip(".") or ".", *names])
                        yield from self._qualified(module, within, hops - 1)

    def family(self, cls: ast.ClassDef) -> list[ast.ClassDef]:
        """See Others."""
        if self._above is None:
            self._above = {}
            for module in self.meanings:
                for one in module.nodes(ast.ClassDef):
                    self._above[one] = list(self._bases(module, one))
                    for base in self._above[one]:
                        self._below.setdefault(base, []).append(one)
        if cls not in self._families:
            above, below = _reached(cls, self._above), _reached(cls, self._below)
            self._families[cls] = list(dict.fromkeys([cls, *above, *below]))
        return self._families[cls]

    def _bases(self, module: Module, cls: ast.ClassDef) -> Iterator[ast.ClassDef]:
        for base in cls.bases:
            named = base.value if isinstance(base, ast.Subscript) else base
            local = module.definition(named)
            qualified = module.name(named) if local is None else None
            found = self._qualified(module, qualified, HOPS) if qualified else [local] if local else []
            yield from (one for one in found if isinstance(one, ast.ClassDef))

    def stored(self, name: str) -> list[tuple[Module, ast.Attribute]]:
        """See Others."""
        if self._stored is None:
            self._stored = {}
            for module in self.meanings:
                for node in module.nodes(ast.Attribute):
                    if isinstance(node.ctx, ast.Store):
                        self._stored.setdefault(node.attr, []).append((module, node))
        return self._stored.get(name, [])

    def decorated_by(self, decorator: FunctionDef) -> list[FunctionDef]:
        """See Others."""
        if self._decorated is None:
            self._decorated = {}
            for module, meanings in self.meanings.items():
                for function in module.nodes(ast.FunctionDef, ast.AsyncFunctionDef):
                    for expression in function.decorator_list:
                        if isinstance(expression, (ast.Name, ast.Attribute)):
                            for definition in self._decorators(meanings, expression):
                                self._decorated.setdefault(definition, []).append(function)
        return self._decorated.get(decorator, [])

    def defined(self, name: str) -> list[tuple[Meanings, FunctionDef]]:
        """See Others."""
        if self._defined is None:
            self._defined = {}
            for module, meanings in self.meanings.items():
                for function in module.nodes(ast.FunctionDef, ast.AsyncFunctionDef):
                    self._defined.setdefault(function.name, []).append((meanings, function))
        return self._defined.get(name, [])

    def calls(self, name: str) -> list[Called]:
        """See Others."""
        if name not in self._calls:
            self._calls[name] = [one.called(call) for one in self.meanings.values() for call in one.calls(name)]
        return self._calls[name]

    def is_imported(self, module: Module) -> bool:
        """Does another of the files import this one, or something from it?"""
        if self._imported is None:
            self._imported = {other for importer in self.meanings for other in self._taken(importer)}
        return module in self._imported

    def _taken(self, importer: Module) -> Iterator[Module]:
        for qualified in modules(importer):
            found = self._find(self._paths[importer], qualified)
            other = self._modules.get(found[0]) if found else None
            if other and other is not importer:
                yield other

    def _decorators(self, meanings: Meanings, expression: ast.Name | ast.Attribute) -> list[Definition]:
        local = meanings.module.definition(expression)
        return [local] if local else self.named(meanings.module, expression)


def _reached(cls: ast.ClassDef, steps: dict[ast.ClassDef, list[ast.ClassDef]]) -> list[ast.ClassDef]:
    """The classes that steps lead to from a class."""
    found: dict[ast.ClassDef, None] = {}
    todo = [*steps.get(cls, ())]
    while todo:
        one = todo.pop(0)
        if one not in found:
            found[one] = None
            todo += steps.get(one, ())
    return [*found]
