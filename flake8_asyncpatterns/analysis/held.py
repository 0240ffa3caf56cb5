"""Which block of code holds a lock, as far as the lock's type is known; and which may hold one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from ..flow import body, within
from ..knowledge.locks import ASYNC_LOCKS, NO_LOCKS, THREAD_LOCKS

if TYPE_CHECKING:
    from ..module import Module

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
    """The lock of `await lock.acquire()`, `try: … finally: lock.release()`; the first may also stand in the `try`."""
    before = module.above(guarded)[-1:]
    for last in guarded.finalbody:
        lock = _given_back(last)
        if lock is None:
            continue
        for first in (*before, *guarded.body[:1]):
            taking = first.value if isinstance(first, ast.Expr) else None
            awaited = isinstance(taking, ast.Await)
            taken = taken_by(taking.value if isinstance(taking, ast.Await) else taking)
            if taken is not None and ast.dump(taken) == ast.dump(lock):
                return lock if module.type_of(lock) in (ASYNC_LOCKS if awaited else THREAD_LOCKS) else None
    return None


def taken_by(call: ast.expr | None) -> ast.expr | None:
    """The lock that a call waits for, `lock.acquire()`; None: it is no such call, or gives up at once."""
    match call:
        case ast.Call(func=ast.Attribute(value=lock, attr="acquire")):
            blocking = [*call.args[:1], *(k.value for k in call.keywords if k.arg == "blocking")]
            at_once = any(isinstance(value, ast.Constant) and not value.value for value in blocking)
            return None if at_once else lock
    return None


def taken(call: ast.Call, module: Module) -> list[ast.stmt]:
    """The statements that run while the lock is held that a statement of its own, `lock.acquire()`, takes."""
    lock, statement = taken_by(call), module.parent(call)
    if lock is None or not isinstance(statement, ast.Expr):
        return []
    block = module.block(statement)
    after = block[block.index(statement) + 1 :]
    match module.parent(statement):
        case ast.Try(finalbody=final) as around if block is around.body and any(_is_release(s, lock) for s in final):
            return after
    for number, later in enumerate(after):
        if _is_release(later, lock):
            return after[:number]
        if isinstance(later, ast.Try) and any(_is_release(s, lock) for s in later.finalbody):
            return [*after[:number], *later.body, *later.orelse]
    return []


def _given_back(statement: ast.stmt) -> ast.expr | None:
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=lock, attr="release"), args=[], keywords=[])):
            return lock
    return None


def _is_release(statement: ast.stmt, lock: ast.expr) -> bool:
    found = _given_back(statement)
    return found is not None and ast.dump(found) == ast.dump(lock)


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


def maybe_held(node: ast.AST, module: Module) -> Iterator[ast.expr]:
    """What the function holds where `node` stands that is, or may be, a lock: for rules that stay silent under one."""
    function = module.function(node)
    inner = node
    for around in module.ancestors(node):
        yield from _taken_before(inner, module)
        if around is function:
            return
        if isinstance(around, (ast.With, ast.AsyncWith)) and inner in around.body:
            yield from (item.context_expr for item in around.items if _may_be_lock(item, around, module))
        elif isinstance(around, ast.Try) and inner not in around.finalbody:
            yield from filter(None, map(_given_back, around.finalbody))
        inner = around


def _taken_before(statement: ast.AST, module: Module) -> list[ast.expr]:
    """What statements before this one, in its block, acquire and do not release."""
    held: dict[str, ast.expr] = {}
    for earlier in module.above(statement):
        for node in within(earlier) if held else ():
            match node:
                case ast.Call(func=ast.Attribute(value=lock, attr="release")):
                    held.pop(ast.dump(lock), None)
        taking = earlier.value if isinstance(earlier, ast.Expr) else None
        lock_taken = taken_by(taking.value if isinstance(taking, ast.Await) else taking)
        if lock_taken is not None:
            held[ast.dump(lock_taken)] = lock_taken
    return [*held.values()]


def _may_be_lock(item: ast.withitem, block: ast.With | ast.AsyncWith, module: Module) -> bool:
    """Does a `with` keep other tasks out, as far as can be told? What gives something to work with (`as`) does not."""
    manager = item.context_expr
    kind = module.type_of(manager)
    if isinstance(block, ast.With):
        return kind in THREAD_LOCKS or isinstance(manager, (ast.Await, ast.YieldFrom))  # `with await lock:`
    known = module.callee(manager) if isinstance(manager, ast.Call) else kind
    return kind in ASYNC_LOCKS or (item.optional_vars is None and known not in NO_LOCKS)
