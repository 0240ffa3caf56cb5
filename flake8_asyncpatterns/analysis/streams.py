"""Which generators are streams that a `for` iterates, and not something else in a generator's clothes."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..flow import LOOPS, body, exits
from ..knowledge.locks import TRANSPARENT

if TYPE_CHECKING:
    from ..module import Module
    from ..rule import FunctionDef


def is_stream(function: FunctionDef, module: Module, *, decorated: bool = False) -> bool:
    """Is this a generator that a `for` iterates, rather than a context manager, a fixture or a coroutine?

    `decorated`: an unknown decorator, too, leaves an async generator that yields for each of many items what it is.
    """
    own = [node for node in body(function) if isinstance(node, (ast.Yield, ast.YieldFrom))]
    # What a decorator makes a context manager or a fixture of yields once.
    if isinstance(function, ast.FunctionDef) or not any(_yields_each(node, function, module) for node in own):
        decorated = False
    if not decorated and any(module.name(decorator) not in TRANSPARENT for decorator in function.decorator_list):
        return False
    if any(not isinstance(module.parent(node), ast.Expr) for node in own):
        return False  # driven by `send`, or by an event loop
    if not any(isinstance(node, ast.YieldFrom) or _in_loop(node, function, module) for node in own):
        return False  # yields once: a context manager that a framework drives, a dependency or a lifespan
    return not _is_handed_over(function, module)


def _yields_each(node: ast.AST, function: FunctionDef, module: Module) -> bool:
    """Is something yielded for every item that there is?"""
    loop = next((a for a in module.ancestors(node) if a is function or isinstance(a, LOOPS)), function)
    return isinstance(loop, (ast.For, ast.AsyncFor)) and not any(True for _ in exits(loop))


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
