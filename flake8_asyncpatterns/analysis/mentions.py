"""Where a file speaks of what asyncio had: names and attributes that mean it, and imports that fail without it."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator
from typing import TYPE_CHECKING

from ..keywords import STAND_INS, original
from ..knowledge.names import canonical
from ..knowledge.removed import ISCOROUTINEFUNCTION_NAME, POLICIES, REMOVED, REMOVED_MODULES
from ..scopes import imports

if TYPE_CHECKING:
    from ..module import Module

NAMES = frozenset({*REMOVED, *REMOVED_MODULES, *POLICIES, ISCOROUTINEFUNCTION_NAME})
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
