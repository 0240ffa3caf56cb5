"""What containers hold: by their types, and by what the file puts into them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .knowledge.containers import (
    GIVES_ITEM,
    GIVES_SAME,
    GIVES_VALUE,
    MAPPINGS,
    PUTS_IN,
    PUTS_IN_UNKNOWN,
    SAME_ITEMS,
    SEQUENCES,
)
from .scopes import Scopes
from .types import HOLDS, Type

if TYPE_CHECKING:
    from .classes import Classes
    from .inference import Inference
    from .module import Module


class Containers:
    """The answers for one Module, of which `inference` knows the types."""

    def __init__(self, module: Module, scopes: Scopes, classes: Classes, inference: Inference) -> None:
        self.module = module
        self.scopes = scopes
        self.classes = classes
        self.inference = inference
        self._put: dict[tuple[ast.AST, str], list[ast.expr | None]] | None = None

    def made(self, call: ast.Call) -> Type | None:
        """What a call makes of a container, or takes out of it."""
        match call:
            case ast.Call(func=ast.Attribute(value=container, attr=method)):
                return self._given(container, method)
            case ast.Call(func=ast.Name(id=name), args=[first, *_]) if not isinstance(first, ast.Starred):
                qualified = self.module.name(call.func)
                if qualified in SAME_ITEMS:
                    item = self.item(first)
                    indexed = name in ("list", "sorted", "tuple", "deque")
                    made = None if name in ("iter", "reversed", "filter") else qualified
                    return Type(
                        "builtins.list" if name == "sorted" else made, item=item, value=item if indexed else None
                    )
                if qualified == "builtins.next":
                    return self.item(first)
                if qualified == "builtins.enumerate":
                    return Type(item=Type(parts=(Type("builtins.int"), self.item(first))))
                if qualified == "builtins.zip":
                    return Type(item=Type(parts=tuple(self.item(a) for a in call.args)))
        return None

    def _given(self, container: ast.expr, method: str) -> Type | None:
        if method in ("values", "items", "keys") or method in GIVES_VALUE or method in GIVES_ITEM | GIVES_SAME:
            of = self.inference.type(container)
            if of is None or of.name not in HOLDS:
                return None
            value = of.value or self._put_in(container) if of.name in MAPPINGS else None
            if method == "values":
                return Type(item=value)
            if method == "items":
                return Type(item=Type(parts=(of.item, value)))
            if method == "keys":
                return Type(item=of.item)
            if method in GIVES_SAME:
                return of
            if of.name in MAPPINGS:
                return value if method in GIVES_VALUE else None
            return self.item(container) if method in GIVES_ITEM else None
        return None

    def item(self, node: ast.expr) -> Type | None:
        """What iterating over an expression gives."""
        of = self.inference.type(node)
        if of is None:
            return None
        if of.item is None and of.name in HOLDS and of.name not in MAPPINGS:
            return self._put_in(node)
        return of.item

    def subscripted(self, value: ast.expr, index: ast.expr) -> Type | None:
        """What an item, or a slice, of an expression is."""
        of = self.inference.type(value)
        if of is None:
            return None
        if isinstance(index, ast.Slice):
            return of
        if of.parts:
            at = index.value if isinstance(index, ast.Constant) else None
            return of.parts[at] if isinstance(at, int) and 0 <= at < len(of.parts) else None
        if of.name in MAPPINGS:
            return of.value or self._put_in(value)
        return of.value or (self._put_in(value) if of.name in SEQUENCES else self.inference.part(of, "[]"))

    def _put_in(self, container: ast.expr) -> Type | None:
        """What this file puts into a container of its own, one by one."""
        if self._put is None:
            self._put = {}
            for key, value in self._puts():
                self._put.setdefault(key, []).append(value)
        keys = self._keys(container)
        return self.inference.all_alike(value for key in keys for value in self._put.get(key, ()))

    def _puts(self) -> Iterator[tuple[tuple[ast.AST, str], ast.expr | None]]:
        for call in self.module.nodes(ast.Call):
            match call.func:
                case ast.Attribute(value=container, attr=method) if method in PUTS_IN:
                    at = PUTS_IN[method]
                    for key in self._keys(container)[:1]:
                        yield key, call.args[at] if len(call.args) > at else None
                case ast.Attribute(value=container, attr=method) if method in PUTS_IN_UNKNOWN:
                    for key in self._keys(container)[:1]:
                        yield key, None
        for subscript in self.module.nodes(ast.Subscript):
            if isinstance(subscript.ctx, ast.Store):
                for key in self._keys(subscript.value)[:1]:
                    yield key, self._assigned(subscript)

    def _assigned(self, target: ast.AST) -> ast.expr | None:
        match self.module.parent(target):
            case ast.Assign(targets=targets, value=value) if target in targets:
                return value
        return None

    def _keys(self, container: ast.expr) -> list[tuple[ast.AST, str]]:
        """What stands for a variable, or for an attribute of a class and its bases."""
        match container:
            case ast.Name(id=name):
                home = self.scopes.home(name, container)
                return [(home.node, name)] if home else []
            case ast.Attribute(attr=name):
                owner = self.classes.owner(container)
                return [(cls, name) for cls in self.classes.bases(owner) if cls] if owner else []
        return []
