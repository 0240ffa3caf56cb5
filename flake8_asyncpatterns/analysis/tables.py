"""Functions that are kept in a dictionary, by name or number, and the calls that look them up there."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from ..module import Module

Table: TypeAlias = ast.Name | ast.Attribute

LOOKS_UP = frozenset({"get", "pop"})
GOES_THROUGH = frozenset({"items", "values"})
# What is done with a table, or a function of it, that calls nothing.
HARMLESS_METHODS = frozenset({"clear", "copy", "keys"})
HARMLESS = frozenset({f"builtins.{name}" for name in ("callable", "len", "list", "repr", "set", "sorted", "str")})


def table(function: ast.expr, module: Module) -> Table | None:
    """The dictionary that this expression, a function's name, is put into; None: it is not, or who knows where."""
    around = module.parent(function)
    match around:
        case ast.Dict(values=values) if function in values:
            made = module.parent(around)
        case ast.Assign(targets=[ast.Subscript(value=ast.Name() | ast.Attribute() as kept)]):
            return kept
        case _:
            return None
    match made:
        case (
            ast.Assign(targets=[ast.Name() | ast.Attribute() as kept])
            | ast.AnnAssign(target=ast.Name() | ast.Attribute() as kept)
        ):
            return kept
    return None


def lookups(kept: Table, module: Module) -> list[ast.Call] | None:
    """The calls of what a dictionary holds; None: it is handed on, or what is in it, to whoever may call it."""
    found: list[ast.Call] = []
    uses = module.uses(kept) if isinstance(kept, ast.Name) else module.attributes(kept.attr)
    for use in uses:
        calls = _calls(use, module)
        if calls is None:
            return None
        found += calls
    return found


def _calls(use: Table, module: Module) -> list[ast.Call] | None:
    """What is called of a dictionary where it is spoken of; None: it is handed on."""
    around = module.parent(use)
    match around:
        case _ if not isinstance(use.ctx, ast.Load):
            return []
        case ast.Subscript(ctx=ctx) if around.value is use:
            return _calls_of(around, module) if isinstance(ctx, ast.Load) else []
        case ast.Attribute(attr=method):
            call = module.parent(around)
            if method in LOOKS_UP and isinstance(call, ast.Call):
                return _calls_of(call, module)
            if method in GOES_THROUGH and isinstance(call, ast.Call):
                return _calls_in_turn(call, module)
            return [] if method in HARMLESS_METHODS else None
    return [] if _is_harmless(around, module) else None


def _calls_in_turn(view: ast.Call, module: Module) -> list[ast.Call] | None:
    """What a loop through the values of the dictionary calls."""
    match module.parent(view):
        case (
            ast.For(target=ast.Name() as value)
            | ast.comprehension(target=ast.Name() as value)
            | ast.For(target=ast.Tuple(elts=[_, ast.Name() as value]))
            | ast.comprehension(target=ast.Tuple(elts=[_, ast.Name() as value]))
        ):
            return _calls_by_name(value, module)
    return None


def _calls_of(item: ast.expr, module: Module) -> list[ast.Call] | None:
    """Where an item of the dictionary is called, at once or by the name that it is given."""
    match module.parent(item):
        case ast.Call(func=func) as call if func is item:
            return [call]
        case ast.Assign(targets=[ast.Name() as name]) | ast.NamedExpr(target=name):
            return _calls_by_name(name, module)
        case around if _is_harmless(around, module):
            return []
    return None


def _calls_by_name(name: ast.Name, module: Module) -> list[ast.Call] | None:
    """Where what a variable stands for is called; None: it is handed on."""
    found: list[ast.Call] = []
    for use in module.uses(name):
        around = module.parent(use)
        if isinstance(around, ast.Call) and around.func is use:
            found.append(around)
        elif isinstance(use.ctx, ast.Load) and not _is_harmless(around, module):
            return None
    return found


def _is_harmless(around: ast.AST | None, module: Module) -> bool:
    """Does this only ask about a function or a dictionary, or show it?"""
    if isinstance(around, ast.Call):
        return module.likely_callee(around) in HARMLESS
    return isinstance(around, (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.If, ast.Attribute, ast.FormattedValue))
