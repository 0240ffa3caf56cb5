"""What an expression may name in another file of the project: its name there, and the way from it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .classes import EMPTY_BASES
from .facts import AWAITED, CALLED, UNSURE, Named

if TYPE_CHECKING:
    from .module import Module

# Expressions are followed over so many steps.
DEPTH = 6


def reference(node: ast.expr, module: Module) -> Named | None:
    """What an expression may name in another file; None: it is of this one, of Python or built in, or unknown.

    `imported`, `package.imported`, a method that `self.method` inherits, `instance.method` of an imported class, and
    what an imported function gives.
    """
    known = module.analysis(_Known).references
    if node not in known:
        known[node] = _reference(node, module, DEPTH)
    return known[node]


class _Known:
    """What expressions of one Module name in other files, as far as that was asked."""

    def __init__(self, _: Module) -> None:
        self.references: dict[ast.expr, Named | None] = {}


def _reference(node: ast.expr, module: Module, depth: int) -> Named | None:
    match node:
        case ast.Name() | ast.Attribute():
            name = module.name(node)
            if name is not None:
                return Named((name,)) if is_foreign(name) else None
            if isinstance(node, ast.Attribute):
                return _attribute(node, module, depth)
            return _variable(node, module, depth - 1) if depth else None
        case ast.Call(func=function):
            return _further(_reference(function, module, depth - 1), CALLED) if depth else None
        case ast.Await(value=ast.Call(func=function)):
            return _further(_reference(function, module, depth - 1), AWAITED) if depth else None
    return None


def is_foreign(name: str) -> bool:
    """May this qualified name be of another file of the project?"""
    package = name.partition(".")[0]
    return package != "builtins" and package not in sys.stdlib_module_names


def _attribute(node: ast.Attribute, module: Module, depth: int) -> Named | None:
    owner = module.owner(node)
    cls = owner or module.instance_of(node.value)
    if cls is not None:
        return inherited(cls, node.attr, module)
    of = module.type_of(node.value)
    if of is not None:
        return Named((of,), (node.attr,)) if is_foreign(of) else None
    return _further(_reference(node.value, module, depth - 1), node.attr) if depth else None


def _variable(name: ast.Name, module: Module, depth: int) -> Named | None:
    """What a variable was given, where that was once."""
    value = module.only_value(name)
    return _reference(value, module, depth) if value is not None else None


def _further(named: Named | None, step: str) -> Named | None:
    return named._replace(path=(*named.path, step)) if named else None


def inherited(cls: ast.ClassDef, name: str, module: Module) -> Named | None:
    """What instances of a class of this file have under this name from another file; None: it is from this one."""
    if any(module.member(derived, name) for derived in module.subclasses(cls)):
        return None
    starts = tuple(_starts(cls, name, module))
    return Named(starts, (name,)) if starts and starts[0] != UNSURE else None


def _starts(cls: ast.ClassDef, name: str, module: Module) -> Iterator[str]:
    """The bases from other files that may have the name, in the order in which they are asked."""
    todo: list[ast.ClassDef | str | None] = [cls]
    seen: set[ast.AST | str | None] = set()
    for own in todo:
        if own in seen:
            continue
        seen.add(own)
        if isinstance(own, str):
            yield own
        elif own is None or module.member(own, name) or module.sets(own, name):
            yield UNSURE  # the file has its own idea of it
            return
        else:
            todo += written_bases(own, module)


def written_bases(cls: ast.ClassDef, module: Module) -> Iterator[ast.ClassDef | str | None]:
    """The bases of a class as they are written: one of this file, or its qualified name; None: unknown."""
    for base in cls.bases:
        named = base.value if isinstance(base, ast.Subscript) else base
        local = module.definition(named)
        if local is not None:
            yield local if isinstance(local, ast.ClassDef) else None
            continue
        qualified = module.name(named)
        if qualified not in EMPTY_BASES:
            yield qualified
