"""Which block of code holds a lock, as far as the lock's type is known."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeAlias

from .flow import body, within
from .knowledge.locks import ASYNC_LOCKS, THREAD_LOCKS

if TYPE_CHECKING:
    from .module import Module

Held: TypeAlias = ast.With | ast.AsyncWith | ast.Try


def innermost_lock(node: ast.AST, module: Module) -> tuple[Held | None, ast.expr | None]:
    """The block around `node` that holds a lock, and the lock."""
    function = module.function(node)
    inner = node
    for around in module.ancestors(node):
        if around is function:
            break
        if isinstance(around, (ast.With, ast.AsyncWith)) and inner in around.body:
            kinds = ASYNC_LOCKS if isinstance(around, ast.AsyncWith) else THREAD_LOCKS
            for item in reversed(around.items):
                if module.type_of(item.context_expr) in kinds:
                    return around, item.context_expr
        elif isinstance(around, ast.Try) and inner not in around.finalbody:
            lock = released(around, module)
            if lock is not None:
                return around, lock
        inner = around
    return None, None


def released(guarded: ast.Try, module: Module) -> ast.expr | None:
    """The lock of `await lock.acquire()`, `try: … finally: lock.release()`."""
    block = module.block(guarded)
    before = block[: block.index(guarded)][-1:]
    match before, guarded.finalbody:
        case (
            [ast.Expr(value=taking)],
            [ast.Expr(value=ast.Call(func=ast.Attribute(value=lock, attr="release"), args=[], keywords=[]))],
        ):
            awaited = isinstance(taking, ast.Await)
            call = taking.value if isinstance(taking, ast.Await) else taking
            match call:
                case ast.Call(func=ast.Attribute(value=same, attr="acquire"), args=[], keywords=[]) if ast.dump(
                    same
                ) == ast.dump(lock):
                    return lock if module.type_of(lock) in (ASYNC_LOCKS if awaited else THREAD_LOCKS) else None
    return None


def held_code(held: Held) -> list[ast.AST]:
    """The nodes that run while the lock is held, in order."""
    if isinstance(held, ast.Try):
        return list(within(*held.body, *held.handlers, *held.orelse))
    return list(body(held))


def lets_go(held: Held, lock: ast.expr) -> bool:
    """Is the lock released inside the block, perhaps just for the yield?"""
    return any(
        isinstance(node, ast.Attribute) and node.attr == "release" and ast.dump(node.value) == ast.dump(lock)
        for node in held_code(held)
    )
