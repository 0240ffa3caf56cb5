"""Under which Pythons code runs, as far as the conditions around it say: `if sys.version_info >= (3, 9): …`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..flow import within
from ..knowledge.removed import OLDEST, Version
from ..scopes import FUNCTIONS

if TYPE_CHECKING:
    from ..module import Module

NEWEST = 20  # no condition in any file tells a minor version after this from it
SIZE = 3  # how many numbers of a version are looked at
ALIAS_DEPTH = 4
# What is raised where something is not there, or takes no such argument.
MISSING = frozenset(
    f"builtins.{name}" for name in ("AttributeError", "ImportError", "ModuleNotFoundError", "TypeError")
)
# A constant of another file that says which Python this is, as everybody spells it: `PY_37`, `PY3_10_PLUS`.
CONSTANT = re.compile(r"_*(IS_)?(AT_LEAST_)?PY(THON)?_?3")
LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)
FLIPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.GtE: ast.LtE,
    ast.Gt: ast.Lt,
    ast.LtE: ast.GtE,
    ast.Lt: ast.Gt,
}


def reaches(node: ast.AST, module: Module, since: Version, *, if_there: bool = False) -> bool:
    """May `node` run under the Python `since` or a later one, for all that the code around it says?

    Not where the file sees first whether something is there: under `hasattr`, or in a small `try` that handles
    its absence. `if_there`: also then.
    """
    return (if_there or not _tries(node, module)) and any(python >= since for python in _pythons(node, module))


def is_over(node: ast.AST, module: Module) -> bool:
    """Does `node` run only under Pythons so old that none of them counts any more?"""
    return not _tries(node, module) and not _pythons(node, module)


def _pythons(node: ast.AST, module: Module) -> list[Version]:
    conditions = list(_conditions(node, module))
    pythons: list[Version] = [(3, minor) for minor in range(OLDEST[1], NEWEST + 1)]
    return [
        python
        for python in pythons
        if all(_truth(test, python, module) in (wanted, None) for test, wanted in conditions)
    ]


def _conditions(node: ast.AST, module: Module) -> Iterator[tuple[ast.expr, bool]]:
    """The conditions around a node, and whether they hold where it runs."""
    inner = node
    for around in module.ancestors(node):
        yield from ((test, False) for test in _left_before(inner, module))
        match around:
            case ast.If(test=test, body=body) if inner is not test:
                yield test, any(inner is statement for statement in body)
            case ast.IfExp(test=test, body=chosen) if inner is not test:
                yield test, inner is chosen
            case ast.BoolOp(op=operator, values=values):
                for value in values:
                    if value is inner:
                        break
                    yield value, isinstance(operator, ast.And)
        inner = around


def _left_before(statement: ast.AST, module: Module) -> Iterator[ast.expr]:
    """The conditions under which the block that a statement stands in was left already."""
    for earlier in module.above(statement):
        if isinstance(earlier, ast.If) and not earlier.orelse and isinstance(earlier.body[-1], LEAVES):
            yield earlier.test


def _truth(test: ast.expr, python: Version, module: Module, depth: int = ALIAS_DEPTH) -> bool | None:
    """Whether a condition holds under a Python; None: that depends on something else."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            found = _truth(operand, python, module, depth)
            return None if found is None else not found
        case ast.BoolOp(op=operator, values=values):
            answers = [_truth(value, python, module, depth) for value in values]
            decisive = isinstance(operator, ast.Or)
            return decisive if decisive in answers else None if None in answers else not decisive
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            if _numbers(left, python, module) is not None:
                return _compared(left, type(operator), right, python, module)
            return _compared(right, FLIPPED.get(type(operator), type(operator)), left, python, module)
        case ast.Name() if depth:
            match module.bindings(test):
                case [ast.Name() as bound] if (value := module.value(bound)) is not None:
                    return _truth(value, python, module, depth - 1)
    return None


def _compared(
    left: ast.expr, operator: type[ast.cmpop], right: ast.expr, python: Version, module: Module
) -> bool | None:
    ours = _numbers(left, python, module)
    try:
        theirs = ast.literal_eval(right)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return None
    if isinstance(theirs, int):
        theirs = (theirs,)
    if ours is None or not isinstance(theirs, tuple) or not all(isinstance(part, int) for part in theirs):
        return None
    if operator is ast.GtE:
        return ours >= theirs
    if operator is ast.Gt:
        return ours > theirs
    if operator is ast.LtE:
        return ours <= theirs
    if operator is ast.Lt:
        return ours < theirs
    return ours == theirs if operator is ast.Eq else ours != theirs if operator is ast.NotEq else None


def _numbers(node: ast.expr, python: Version, module: Module) -> tuple[int, ...] | None:
    """What an expression made of `sys.version_info` is under a Python; None: it is something else."""
    match node:
        case ast.Attribute(value=value, attr="major") | ast.Subscript(value=value, slice=ast.Constant(value=0)):
            found = _numbers(value, python, module)
            return found and found[:1]
        case ast.Attribute(value=value, attr="minor") | ast.Subscript(value=value, slice=ast.Constant(value=1)):
            found = _numbers(value, python, module)
            return found and found[1:2]
        case ast.Subscript(value=value, slice=ast.Slice(lower=None, upper=ast.Constant(value=int(upper)), step=None)):
            found = _numbers(value, python, module)
            return found and found[:upper]
    # Some micro version, neither the first nor the last.
    return (*python, 1) if module.name(node) == "sys.version_info" else None


def _tries(node: ast.AST, module: Module) -> bool:
    """Does this function see first whether something is there?"""
    inner = node
    for around in module.ancestors(node):
        match around:
            case ast.Try(handlers=handlers, body=[only]) if inner is only:
                if any(handles_absence(handler, module) for handler in handlers):
                    return True
            case ast.ExceptHandler() if handles_absence(around, module):
                return True
            case ast.If(test=test) | ast.IfExp(test=test) if inner is not test and _looks_first(test, module):
                return True
        if isinstance(around, FUNCTIONS):
            return False
        inner = around
    return False


def handles_absence(handler: ast.ExceptHandler, module: Module) -> bool:
    """Does this run where something is not there?"""
    caught = handler.type
    named = caught.elts if isinstance(caught, ast.Tuple) else [caught] if caught else []
    return any(module.likely(one) in MISSING for one in named)


def _looks_first(test: ast.expr, module: Module) -> bool:
    for part in within(test):
        match part:
            case ast.Call(func=asked) if module.likely(asked) == "builtins.hasattr":
                return True
            case ast.Name(id=name) | ast.Attribute(attr=name) if CONSTANT.match(name):
                if not isinstance(part, ast.Name) or not any(
                    isinstance(bound, ast.Name) for bound in module.bindings(part) or ()
                ):
                    return True
    return False
