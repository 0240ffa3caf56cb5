"""Where a file speaks of what asyncio had: names and attributes that mean it, and imports that fail without it."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator
from typing import TYPE_CHECKING

from ..keywords import ORIGINALS, STAND_INS, original
from ..knowledge.names import canonical
from ..knowledge.removed import ISCOROUTINEFUNCTION_NAME, POLICIES, REMOVED, REMOVED_MODULES
from ..scopes import imports

if TYPE_CHECKING:
    from ..module import Module

NAMES = frozenset({*REMOVED, *REMOVED_MODULES, *POLICIES, ISCOROUTINEFUNCTION_NAME})
ASYNC = "asyncio.async"
LAST = frozenset(name.rpartition(".")[2] for name in NAMES) | {*STAND_INS.values()}


class Mentions:
    """The mentions in one Module: `module.analysis(Mentions)`."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self._found: list[tuple[ast.AST, str]] = []
        imported = [
            (statement, local, alias, qualified)
            for statement in module.nodes(ast.ImportFrom, ast.Import)
            if any(alias.name.rpartition(".")[2] in LAST for alias in statement.names)  # few have
            for local, alias, qualified in imports(statement)
        ]
        brought = {
            local
            for statement, local, _, qualified in imported
            if isinstance(statement, ast.ImportFrom) and original(canonical(qualified)) in NAMES
        }
        used = set()
        for attribute in module.nodes(ast.Attribute):
            # `asyncio.Task.all_tasks = asyncio.all_tasks` brings it back
            if attribute.attr in LAST and isinstance(attribute.ctx, ast.Load):
                self._note(attribute, module.name(attribute))
        for name in module.nodes(ast.Name) if brought else ():
            if name.id in brought and isinstance(name.ctx, ast.Load) and (means := module.name(name)) is not None:
                used.add(name.id)
                self._note(name, means)
        for taking in module.nodes(ast.ImportFrom):
            if not taking.level and taking.module in REMOVED_MODULES:
                self._found.append((taking, taking.module))
        for statement, local, alias, qualified in imported:
            if isinstance(statement, ast.Import):
                self._note(alias, alias.name if alias.name in REMOVED_MODULES else None)
            elif (statement.level or statement.module not in REMOVED_MODULES) and local not in used:
                self._note(alias, canonical(qualified))  # where it is used, that place says more

    def of(self, names: Container[str]) -> Iterator[tuple[ast.AST, str]]:
        """Each place that speaks of one of these names: an expression, an import's name or an import; and the name."""
        return ((node, name) for node, name in self._found if name in names)

    def _note(self, node: ast.AST, name: str | None) -> None:
        name = original(name) if name else None
        if name in NAMES:
            self._found.append((node, name))


def own_names(module: Module) -> Iterator[tuple[ast.AST, str]]:
    """Each use of `async` or `await` as a name that is none of asyncio's, and which of the two."""
    spoken_of = {node for node, _ in module.analysis(Mentions).of({ASYNC})}
    return ((node, word) for node, word in _named(module) if node not in spoken_of)


def _named(module: Module) -> Iterator[tuple[ast.AST, str]]:
    for name in module.nodes(ast.Name):
        if name.id in ORIGINALS:
            yield name, ORIGINALS[name.id]
    for attribute in module.nodes(ast.Attribute):
        if attribute.attr in ORIGINALS:
            yield attribute, ORIGINALS[attribute.attr]
    for argument in module.nodes(ast.arg, ast.keyword):
        if argument.arg in ORIGINALS:
            yield argument, ORIGINALS[argument.arg]
    for defined in module.nodes(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler):
        if defined.name in ORIGINALS:
            yield defined, ORIGINALS[defined.name]
    for declaration in module.nodes(ast.Global, ast.Nonlocal):
        yield from ((declaration, ORIGINALS[name]) for name in declaration.names if name in ORIGINALS)
    for statement in module.nodes(ast.Import, ast.ImportFrom):
        if isinstance(statement, ast.ImportFrom) and statement.module == "asyncio":
            continue  # what is imported from there is a mention
        names = [statement.module or ""] if isinstance(statement, ast.ImportFrom) else []
        names += [part for alias in statement.names for part in (alias.name, alias.asname or "")]
        words = [word for name in names for word in name.split(".") if word in ORIGINALS]
        if words:
            yield statement, ORIGINALS[words[0]]
