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
        brought = {
            local
            for statement in module.nodes(ast.ImportFrom)
            for local, alias, qualified in imports(statement)
            if original(canonical(qualified)) in NAMES
        }
        used = set()
        for node in module.nodes(ast.Attribute, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                continue  # `asyncio.Task.all_tasks = asyncio.all_tasks` brings it back
            if isinstance(node, ast.Name):
                if node.id not in brought:
                    continue
                if module.name(node) is not None:
                    used.add(node.id)
            elif node.attr not in LAST:
                continue
            self._note(node, module.name(node))
        for statement in module.nodes(ast.ImportFrom, ast.Import):
            self._note_import(statement, used)

    def of(self, names: Container[str]) -> Iterator[tuple[ast.AST, str]]:
        """Each place that speaks of one of these names: an expression, an import's name or an import; and the name."""
        return ((node, name) for node, name in self._found if name in names)

    def _note(self, node: ast.AST, name: str | None) -> None:
        name = original(name) if name else None
        if name in NAMES:
            self._found.append((node, name))

    def _note_import(self, statement: ast.Import | ast.ImportFrom, used: set[str]) -> None:
        if isinstance(statement, ast.ImportFrom) and not statement.level and statement.module in REMOVED_MODULES:
            self._found.append((statement, statement.module))
            return
        for local, alias, qualified in imports(statement):
            if isinstance(statement, ast.Import):
                self._note(alias, alias.name if alias.name in REMOVED_MODULES else None)
            elif local not in used:  # where it is used, that place says more
                self._note(alias, canonical(qualified))


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
