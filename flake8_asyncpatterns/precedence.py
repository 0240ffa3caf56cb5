"""When an expression needs parentheses."""

from __future__ import annotations

import ast

# How tightly an expression binds, as far as parentheses around what fixes write are concerned.
LOOSE, CONDITION, OPERAND, PRIMARY = 0, 1, 2, 3
ATOMS = (
    ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Constant, ast.JoinedStr, ast.List, ast.Dict, ast.Set,
    ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp, ast.Tuple,
)  # fmt: skip


def needs(parent: ast.AST | None, field: str) -> int:
    """How tightly an expression in this place must bind to need no parentheses."""
    match parent, field:
        case (ast.Attribute() | ast.Subscript(), "value") | (ast.Call(), "func") | (ast.Await() | ast.YieldFrom(), _):
            return PRIMARY
        case (ast.BoolOp(), _) | (ast.UnaryOp(op=ast.Not()), _):
            return CONDITION
        case (ast.BinOp() | ast.UnaryOp() | ast.Compare() | ast.IfExp() | ast.Starred(), _):
            return OPERAND
        case ast.comprehension(), _:
            return OPERAND
    return LOOSE


def binds(node: ast.AST) -> int:
    """How tightly an expression binds."""
    if isinstance(node, ATOMS):
        return PRIMARY
    if isinstance(node, ast.Compare) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)):
        return CONDITION
    return OPERAND if isinstance(node, ast.Await) else LOOSE


def field_of(node: ast.AST, parent: ast.AST | None) -> str:
    """The field of its parent that a node stands in."""
    for field, value in ast.iter_fields(parent) if parent else ():
        if value is node or (isinstance(value, list) and any(item is node for item in value)):
            return field
    return ""
