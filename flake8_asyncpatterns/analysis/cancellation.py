"""Where cancellation is caught, what raises it there, and where control goes afterwards."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..flow import LOOPS
from ..knowledge.cancellation import (
    CANCELLED,
    CANCELLED_CLASS,
    EVERYTHING,
    EXCEPTION_READERS,
    PASS_ON,
    TELLING,
    TELLING_WORDS,
)
from ..scopes import FUNCTIONS, children
from ..tuples import NamedTuple
from .loops import leaves

if TYPE_CHECKING:
    from ..module import Module


def caught(exception: ast.expr | None, module: Module) -> str | None:
    """Which of CANCELLED and EVERYTHING an `except` (None: a bare one) or `suppress()` names; None: neither."""
    match exception:
        case None:
            return EVERYTHING
        case ast.Tuple(elts=several):
            found = [caught(one, module) for one in several]
            return EVERYTHING if EVERYTHING in found else CANCELLED if CANCELLED in found else None
        case ast.Call():
            return CANCELLED if module.callee(exception) in CANCELLED_CLASS else None
    name = module.name(exception)
    return name if name in (CANCELLED, EVERYTHING) else None


def suppressed(item: ast.withitem, module: Module) -> list[ast.expr]:
    """The exceptions of `with contextlib.suppress(…)` that let no cancellation pass."""
    call = item.context_expr
    if not isinstance(call, ast.Call) or module.callee(call) != "contextlib.suppress":
        return []
    return [argument for argument in call.args if caught(argument, module)]


def points(block: list[ast.stmt], module: Module) -> Iterator[ast.AST]:
    """Where a cancellation may come out of a block: its awaits and yields that no handler inside of it guards."""
    todo: list[ast.AST] = list(reversed(block))
    while todo:
        node = todo.pop()
        match node:
            case ast.Await() | ast.AsyncFor() | ast.AsyncWith() | ast.Yield() | ast.YieldFrom():
                yield node
            case ast.comprehension() if node.is_async:
                yield node
            case ast.Try() if any(caught(handler.type, module) for handler in node.handlers):
                todo += reversed([*node.handlers, *node.orelse, *node.finalbody])
                continue
            case ast.With() if any(suppressed(item, module) for item in node.items):
                continue
        if not isinstance(node, FUNCTIONS):
            todo += reversed([*children(node)])


def waits_for_task(node: ast.AST, module: Module) -> bool:
    """Is this an await of something that exists already, which may have been cancelled by itself?"""
    return isinstance(node, (ast.Await, ast.YieldFrom)) and _is_task(node.value, module)


def _is_task(value: ast.expr, module: Module) -> bool:
    match value:
        case ast.Name() | ast.Attribute() | ast.Subscript():
            return True
        case ast.Starred(value=inner):
            return _is_task(inner, module)
        case ast.List(elts=several) | ast.Tuple(elts=several) | ast.Set(elts=several):
            return any(_is_task(one, module) for one in several)
        case ast.ListComp() | ast.GeneratorExp() | ast.SetComp():
            return _is_task(value.elt, module)
        case ast.Call(args=[_, *_]):
            # Whoever shields something knows that the cancellation is none of its.
            name = module.callee(value)
            return name == "asyncio.shield" or (name in PASS_ON and any(_is_task(one, module) for one in value.args))
    return False


def tells(call: ast.Call) -> bool:
    """Does this call tell people of something, and nothing else?"""
    name = name_of(call.func).lower()
    return name in TELLING or any(word in name for word in TELLING_WORDS)


def name_of(node: ast.AST) -> str:
    """The last part of a dotted expression's name; empty: it has none."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value):
            return name_of(value)
    return ""


def hands_on(handler: ast.ExceptHandler, module: Module) -> bool:
    """Does a handler do anything with its exception but tell people of it: raise, store or forward it?"""
    todo: list[ast.AST] = list(handler.body)
    while todo:
        node = todo.pop()
        match node:
            case ast.Raise() | ast.Assert():
                return True
            case ast.Call() if tells(node):
                if leaves(node, module):
                    return True
                continue
            case ast.Call() if module.callee(node) in EXCEPTION_READERS or leaves(node, module):
                return True
            case ast.Name(id=name) if name == handler.name:
                return True
        if not isinstance(node, FUNCTIONS):
            todo += children(node)
    return False


class Path(NamedTuple):
    """Where control goes from a place on, when nothing is raised and no condition leads it away.

    `ending` is the loop that goes into its next round, the `return` or `raise` that ends the function, or the function
    itself, which comes to its end.
    """

    passed: list[ast.stmt]
    ending: ast.AST


def path(block: list[ast.stmt], owner: ast.AST, module: Module) -> Path:
    """The path through statements at the end of a block of `owner`."""
    passed: list[ast.stmt] = []
    while True:
        jump = next((s for s in block if isinstance(s, (ast.Return, ast.Raise, ast.Break, ast.Continue))), None)
        passed += block[: block.index(jump)] if jump else block
        if isinstance(jump, (ast.Return, ast.Raise)):
            return Path(passed, jump)
        if jump:
            while not isinstance(owner, LOOPS):
                owner = module.parents[owner]
            if isinstance(jump, ast.Continue):
                return Path(passed, owner)
        elif isinstance(owner, (*LOOPS, *FUNCTIONS, ast.Module)):
            return Path(passed, owner)
        block, owner = behind(owner, module)


def behind(node: ast.AST, module: Module) -> tuple[list[ast.stmt], ast.AST]:
    """What runs after a statement, handler or case in the block around it, and what that block belongs to."""
    parent = module.parents[node]
    if isinstance(node, ast.ExceptHandler):
        assert isinstance(parent, (ast.Try, ast.TryStar))
        rest, owner = behind(parent, module)
        return [*parent.finalbody, *rest], owner
    if isinstance(node, ast.match_case):
        return behind(parent, module)
    assert isinstance(node, ast.stmt)
    block = module.block(node)
    rest = block[block.index(node) + 1 :]
    match parent:
        case ast.Try() | ast.TryStar():
            later = [parent.body, parent.orelse, parent.finalbody]
            at = next(n for n, part in enumerate(later) if part is block)
            return [*rest, *(statement for part in later[at + 1 :] for statement in part)], parent
        case ast.While() | ast.For() | ast.AsyncFor() if block is parent.orelse:
            more, owner = behind(parent, module)
            return [*rest, *more], owner
    return rest, parent
