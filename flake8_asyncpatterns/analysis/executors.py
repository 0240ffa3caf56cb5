"""How work that is handed to an executor is written as `asyncio.to_thread()`."""

from __future__ import annotations

import ast
from collections.abc import Collection
from typing import TypeGuard

from ..module import Module
from ..rule import Hole, Replace, Symbol, replace

LOOP_GETTERS = ("asyncio.get_running_loop", "asyncio.get_event_loop")
# Names that `to_thread` does without: an import that served nothing else goes with them.
SUPERSEDES = ("functools.partial", *LOOP_GETTERS)
# A call of several lines goes onto one where that is no longer than every style guide allows.
SHORT_LINE = 79


def in_a_thread(call: ast.Call, module: Module) -> Replace:
    """Edit: `loop.run_in_executor(pool, partial(f, a), b)` → `asyncio.to_thread(f, a, b)`."""
    arguments, keywords = call.args[1:], list[ast.keyword]()
    match arguments:
        case [ast.Call(args=[ast.expr() as function, *_]) as partial, *rest] if not isinstance(function, ast.Starred):
            if module.callee(partial) == "functools.partial":
                arguments, keywords = [*partial.args, *rest], partial.keywords
    filling: dict[str, Hole] = {"to_thread": Symbol("asyncio.to_thread")}
    filling |= {f"argument{index}": argument for index, argument in enumerate(arguments)}
    filling |= {f"keyword{index}": keyword.value for index, keyword in enumerate(keywords)}
    parts = [f"{{argument{index}}}" for index in range(len(arguments))]
    parts += [f"{k.arg}={{keyword{i}}}" if k.arg else f"**{{keyword{i}}}" for i, k in enumerate(keywords)]
    if _fits_on_a_line(call, arguments, keywords):
        return replace(call, f"{{to_thread}}({', '.join(parts)})", **filling)
    return replace(call, "{to_thread}(\n" + "".join(f"    {part},\n" for part in parts) + ")", **filling)


def _fits_on_a_line(call: ast.Call, arguments: list[ast.expr], keywords: list[ast.keyword]) -> bool:
    """Was the call on one line, or is it short enough now?"""
    shape = ast.Call(ast.Name("asyncio.to_thread"), arguments, keywords)
    return call.lineno == call.end_lineno or call.col_offset + len(ast.unparse(shape)) < SHORT_LINE


def needless_loop(call: ast.Call, calls: Collection[ast.Call], module: Module) -> ast.stmt | None:
    """The statement `loop = asyncio.get_running_loop()` that is there for nothing but this call and others of these."""
    match call.func:
        case ast.Attribute(value=ast.Name() as loop):
            receivers = {one.func.value for one in calls if isinstance(one.func, ast.Attribute)}
            match module.bindings(loop):
                case [ast.Name() as bound]:
                    others = [use for use in module.uses(loop) if use is not bound and use not in receivers]
                    statement = module.parent(bound)
                    if not others and module.function(bound) is module.function(call):
                        return statement if _gets_the_loop(statement, module) else None
    return None


def _gets_the_loop(statement: ast.AST | None, module: Module) -> TypeGuard[ast.stmt]:
    match statement:
        case ast.Assign(targets=[_], value=ast.Call() as getter) | ast.AnnAssign(value=ast.Call() as getter):
            return module.callee(getter) in LOOP_GETTERS
    return False
