"""What type an annotation names."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .knowledge.containers import ITERABLES, MAPPINGS, SEQUENCES, TUPLES
from .knowledge.names import same_type
from .scopes import FUNCTIONS, Scopes
from .types import Type, instance

if TYPE_CHECKING:
    from .classes import Classes
    from .module import Module

# Annotations that only say something about the type inside their brackets.
WRAPPERS = frozenset(
    f"{module}.{name}"
    for module in ("typing", "typing_extensions")
    for name in ("Optional", "Annotated", "Final", "ClassVar", "Required", "NotRequired")
)
SELF = frozenset({"typing.Self", "typing_extensions.Self"})


class Annotations:
    """The answers for one Module."""

    def __init__(self, module: Module, scopes: Scopes, classes: Classes) -> None:
        self.module = module
        self.scopes = scopes
        self.classes = classes

    def type(self, annotation: ast.expr, at: ast.AST) -> Type | None:
        """The type that an annotation names, as seen from `at`; None: unknown, or more than one."""
        match annotation:
            case ast.Constant(value=str(text)):
                try:
                    return self.type(ast.parse(text.strip(), mode="eval").body, at)
                except (SyntaxError, ValueError):
                    return None
            case ast.BinOp(op=ast.BitOr(), left=left, right=right):
                return self._only([left, right], at)
            case ast.Subscript(value=value, slice=inner):
                arguments = inner.elts if isinstance(inner, ast.Tuple) else [inner]
                outer = self.module.name_at(value, at)
                if outer in WRAPPERS:
                    return self.type(arguments[0], at)
                if outer == "typing.Union":
                    return self._only(arguments, at)
                return self._held(outer, arguments, at) if outer else self._by_class(value, at)
        name = self.module.name_at(annotation, at)
        if name in SELF:
            method = at if isinstance(at, FUNCTIONS) else self.module.function(at)
            owner = self.module.class_of(method) if method else None
            return instance(owner, self.classes) if owner else None
        return Type(same_type(name)) if name else self._by_class(annotation, at)

    def _only(self, sides: Iterable[ast.expr], at: ast.AST) -> Type | None:
        known = [side for side in sides if not _is_none(side)]
        return self.type(known[0], at) if len(known) == 1 else None

    def _by_class(self, annotation: ast.expr, at: ast.AST) -> Type | None:
        """A class of this file, named in an annotation."""
        if isinstance(annotation, ast.Name):
            bindings = self.scopes.lookup(annotation.id, at) or []
            if len(bindings) == 1 and isinstance(bindings[0].node, ast.ClassDef):
                return instance(bindings[0].node, self.classes)
        return None

    def _held(self, outer: str, arguments: list[ast.expr], at: ast.AST) -> Type:
        """`list[Task]`, `dict[str, Task]`, `tuple[Task, int]`, or another subscripted type."""
        name = same_type(outer)
        if name in MAPPINGS and len(arguments) == 2:
            return Type(name, item=self.type(arguments[0], at), value=self.type(arguments[1], at))
        if name in SEQUENCES:
            item = self.type(arguments[0], at)
            return Type(name, item=item, value=item)
        if name in ITERABLES:
            return Type(name, item=self.type(arguments[0], at))
        if name in TUPLES:
            match arguments:
                case [first, ast.Constant(value=value)] if value is ...:
                    item = self.type(first, at)
                    return Type(name, item=item, value=item)
            return Type(name, parts=tuple(self.type(argument, at) for argument in arguments))
        return Type(name)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
