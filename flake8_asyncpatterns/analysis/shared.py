"""What several tasks may have hold of at once, and what keeps them from it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..knowledge.lifecycle import CLOSING_METHODS, CLOSING_VERBS, OPENING_METHODS, OPENING_VERBS, PREFIXES
from .calls import Calls
from .held import maybe_held

if TYPE_CHECKING:
    from ..module import Module
    from ..rule import FunctionDef


def is_shared(expression: ast.expr, module: Module) -> bool:
    """Is this state that outlives a call: of `self`, of the module, of the function around a nested one?

    An item of such state is a part of it. What a function makes itself, and what it is given, is not known to be.
    """
    while isinstance(expression, (ast.Attribute, ast.Subscript)):
        if isinstance(expression, ast.Attribute) and module.owner(expression) is not None:
            return True
        expression = expression.value
    if not isinstance(expression, ast.Name):
        return False
    here = module.function(expression)
    bound = module.bindings(expression) or []
    if not bound or any(not isinstance(node, ast.Name) for node in bound):
        return False
    homes = {module.function(node) for node in bound} - ({here} if module.declarations(expression) else set())
    return bool(homes) and here not in homes


class Guards:
    """Which code of a file runs under a lock, or may do so: `module.analysis(Guards)`."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.calls = module.analysis(Calls)
        self._guarded: dict[FunctionDef, bool] = {}

    def is_guarded(self, place: ast.AST) -> bool:
        """Is this done under a lock, here or where the function is called?"""
        if any(True for _ in maybe_held(place, self.module)):
            return True
        function = self.module.function(place)
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return False
        if function not in self._guarded:
            mentions = self.calls.mentions(function)
            self._guarded[function] = any(True for mention in mentions for _ in maybe_held(mention, self.module))
        return self._guarded[function]


def is_opening(function: FunctionDef) -> bool:
    """Does this function, by its name, run before there is anybody to disturb?"""
    return function.name in OPENING_METHODS or _words(function)[0] in OPENING_VERBS


def is_closing(function: FunctionDef) -> bool:
    """Does this function, by its name, run when nobody is left to disturb?"""
    return function.name in CLOSING_METHODS or not CLOSING_VERBS.isdisjoint(_words(function))


def _words(function: FunctionDef) -> list[str]:
    """The words of a name that say what is done: `_async_start_servers` → `start`, `servers`."""
    return [word for word in function.name.lower().split("_") if word not in PREFIXES] or [""]
