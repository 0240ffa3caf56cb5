"""Small questions of control flow, answered for one function's own code."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from .scopes import FUNCTIONS, children

Loop: TypeAlias = ast.While | ast.For | ast.AsyncFor
LOOPS = (ast.While, ast.For, ast.AsyncFor)


def within(*nodes: ast.AST) -> Iterator[ast.AST]:
    """These nodes and all below that run as a part of the same function, in source order.

    Bodies of nested functions and lambdas are left out; their decorators and defaults are not.
    """
    todo = list(reversed(nodes))
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, FUNCTIONS):
            inner: list[ast.AST] = [node.args]
            if not isinstance(node, ast.Lambda):
                inner += [*node.decorator_list, *([node.returns] if node.returns else ())]
            todo += reversed(inner)
        else:
            todo += reversed(list(children(node)))


def position(node: ast.AST) -> tuple[int, int]:
    """Where a statement or an expression begins: its line, and the bytes of that before it."""
    return node.lineno, node.col_offset  # type: ignore[attr-defined]  # placed nodes only


def says_nothing(statement: ast.stmt) -> bool:
    """Is this what stands in a function that others are to define: `...`, `pass`, a docstring?"""
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def body(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run when this function, class or module runs, without nested functions' bodies."""
    own = function.body  # type: ignore[attr-defined]  # all of these have one
    return within(*own) if isinstance(own, list) else within(own)


def suspends(*nodes: ast.AST) -> bool:
    """May any of this code hand control to the event loop?"""
    return any(
        isinstance(node, (ast.Await, ast.AsyncFor, ast.AsyncWith))
        or (isinstance(node, ast.comprehension) and node.is_async)
        for node in within(*nodes)
    )


def yields(*nodes: ast.AST) -> bool:
    """Does any of this code yield, that is: hand control to whoever iterates?"""
    return any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in within(*nodes))


def is_generator(function: ast.AST) -> bool:
    """Is this function a generator (plain or async)?"""
    return yields(*function.body) if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) else False


def exits(loop: Loop) -> Iterator[ast.stmt]:
    """The statements by which a loop's body may leave the loop: its own `break`s, `return`, `raise`."""
    yield from _exits(loop.body, own_breaks=True)


def _exits(block: Iterable[ast.AST], *, own_breaks: bool) -> Iterator[ast.stmt]:
    for node in block:
        match node:
            case ast.Return() | ast.Raise():
                yield node
            case ast.Break():
                if own_breaks:
                    yield node
            case ast.While() | ast.For() | ast.AsyncFor():
                yield from _exits(node.body, own_breaks=False)
                yield from _exits(node.orelse, own_breaks=own_breaks)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.expr():
                pass
            case _:
                yield from _exits(children(node), own_breaks=own_breaks)


def always_true(test: ast.expr) -> bool:
    """Is this condition a constant that is true (`while True`, `while 1`)?"""
    return isinstance(test, ast.Constant) and bool(test.value)


def ends(block: list[ast.stmt]) -> bool:
    """Does a block surely leave the code around it: by `return`, `raise`, `continue` or `break` at its end?"""
    return bool(block) and isinstance(block[-1], (ast.Return, ast.Raise, ast.Continue, ast.Break))
