"""Which generators are streams that a `for` iterates, and not something else in a generator's clothes."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..flow import LOOPS, body
from ..knowledge.locks import TRANSPARENT

if TYPE_CHECKING:
    from ..module import Module
    from ..rule import FunctionDef


def is_stream(function: FunctionDef, module: Module) -> bool:
    """Is this a generator that a `for` iterates, rather than a context manager, a fixture or a coroutine?"""
    if any(module.name(decorator) not in TRANSPARENT for decorator in function.decorator_list):
        return False
    own = [node for node in body(function) if isinstance(node, (ast.Yield, ast.YieldFrom))]
    if any(not isinstance(module.parent(node), ast.Expr) for node in own):
        return False  # driven by `send`, or by an event loop
    if not any(isinstance(node, ast.YieldFrom) or _in_loop(node, function, module) for node in own):
        return False  # yields once: a context manager that a framework drives, a dependency or a lifespan
    return not _is_handed_over(function, module)


def _in_loop(node: ast.AST, function: FunctionDef, module: Module) -> bool:
    for around in module.ancestors(node):
        if around is function:
            return False
        if isinstance(around, LOOPS):
            return True
    return False


def _is_handed_over(function: FunctionDef, module: Module) -> bool:
    """Is the function itself an argument somewhere: `asynccontextmanager(function)`, `Depends(function)`?"""
    return any(
        getattr(node, "id", getattr(node, "attr", None)) == function.name
        and isinstance(around := module.parent(node), (ast.Call, ast.keyword))
        and getattr(around, "func", None) is not node
        and module.definition(node) is function
        for node in module.nodes(ast.Name, ast.Attribute)
    )
