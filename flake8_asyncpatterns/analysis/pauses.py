"""Where a coroutine lets others run, and which awaits go on at once: `await` alone does not make anybody wait."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..flow import body, says_nothing
from ..knowledge.blocking.primitives import MAXSIZE
from ..knowledge.decorators import SAME_RESULT
from ..knowledge.tasks import QUEUES
from .circumstances import passed

if TYPE_CHECKING:
    from ..module import Module

# Coroutines that await others are followed so far.
DEPTH = 3


def is_pause(node: ast.AST, module: Module, depth: int = DEPTH) -> bool:
    """May others run while the function stands at this node?

    No: where it awaits a coroutine of the file that itself waits for nothing, or puts something into a queue that is
    never full.
    """
    match node:
        case ast.Await(value=ast.Call() as call):
            return not _goes_on(call, module, depth)
        case ast.Await() | ast.AsyncFor() | ast.AsyncWith():
            return True
        case ast.comprehension(is_async=is_async):
            return bool(is_async)
    return False


def _goes_on(call: ast.Call, module: Module, depth: int) -> bool:
    """Is what this call gives over as soon as it is awaited?"""
    function = module.definition(call.func)
    if isinstance(function, ast.AsyncFunctionDef):
        kept = all(module.decorator(decorator) in SAME_RESULT for decorator in function.decorator_list)
        known = depth and kept and not module.is_generator(function) and not _is_hook(function)
        return bool(known) and not any(is_pause(node, module, depth - 1) for node in body(function))
    kind, _, method = (module.callee(call) or "").rpartition(".")
    return method == "put" and kind in QUEUES and _is_never_full(kind, module)


def _is_hook(function: ast.AsyncFunctionDef) -> bool:
    """Does this do nothing, so that a subclass may do more?"""
    return all(
        says_nothing(statement)
        or isinstance(statement, ast.Raise)
        or (isinstance(statement, ast.Return) and isinstance(statement.value, ast.Constant | None))
        for statement in function.body
    )


def _is_never_full(kind: str, module: Module) -> bool:
    """Does the file make queues of this kind, and all of them without a size?"""
    made = [call for call in module.nodes(ast.Call) if module.callee(call) == kind]
    return bool(made) and all(map(_is_boundless, made))


def _is_boundless(made: ast.Call) -> bool:
    size = passed(MAXSIZE, made)
    if size is None:
        return not made.args and all(keyword.arg == "loop" for keyword in made.keywords)
    return isinstance(size, ast.Constant) and not size.value
