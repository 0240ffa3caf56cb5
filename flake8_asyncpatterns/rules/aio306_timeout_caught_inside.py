"""A TimeoutError is caught inside of the `asyncio.timeout()` block that raises it only outside.

When the time is up, `asyncio.timeout()` cancels the task: what comes out of the `await` is a CancelledError, and it
becomes a TimeoutError only where the block is left. A handler inside of the block never sees it, and the one outside
of it that would is missing.

```python run
import asyncio

async def inside():
    async with asyncio.timeout(0.01):
        try:
            await asyncio.sleep(1)
        except TimeoutError:
            return "caught"

async def outside():
    try:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(1)
    except TimeoutError:
        return "caught"

async def main():
    for attempt in inside, outside:
        try:
            print(attempt.__name__, await attempt())
        except TimeoutError:
            print(attempt.__name__, "not caught")

asyncio.run(main())
```

```text
inside not caught
outside caught
```

```python bad
import asyncio

async def login(api):
    async with asyncio.timeout(10):
        try:
            await api.login()
            await api.update()
        except (TimeoutError, ValueError) as error:
            print("cannot log in:", error)
```

```python good
import asyncio

async def login(api):
    try:
        async with asyncio.timeout(10):
            await api.login()
            await api.update()
    except (TimeoutError, ValueError) as error:
        print("cannot log in:", error)
```

```python bad
import asyncio
import contextlib

async def warm_up(cache):
    async with asyncio.timeout(1):
        with contextlib.suppress(TimeoutError):
            await cache.load()
```

```python good
import asyncio
import contextlib

async def warm_up(cache):
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1):
            await cache.load()
```

The same is so with `asyncio.timeout_at()`, `async_timeout.timeout()` and `anyio.fail_after()`.

## Fix

Safe where the `try` is all that the block holds: they change places. Not offered where a handler awaits, which the
block still limits, or catches a CancelledError, which a timeout still is inside of it; where the `try` has an `else`
or `finally`, or where other statements stand beside it: put the handler around the block.

## When to ignore

Where the handler is for a TimeoutError that what is awaited raises by itself. It is not reported where that can be
seen: a `timeout=` argument, `asyncio.wait_for()`, another block with a time limit, a task, a connection that is opened,
or where the block's own TimeoutError is caught around it.

## Other tools

None is known to report it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TypeAlias

from ..analysis.cancellation import caught, name_of, suppressed
from ..flow import suspends, within
from ..knowledge.cancellation import PASS_ON
from ..knowledge.task_scopes import OWN_TIMEOUTS, RAISES_TIMEOUT, TIME_LIMITS, TIMEOUT_ERRORS
from ..module import Module
from ..needs import calls, last
from ..rule import Fix, Hole, Related, Report, replace, rule
from ..scopes import FUNCTIONS
from ..signs import ASYNC
from ..signs.entered import under

Limited: TypeAlias = ast.With | ast.AsyncWith
# A block with such a limit, and a handler in it.
CAUGHT = under(last(RAISES_TIMEOUT), re.compile(rb"\b(?:except|suppress)\b"))
INSIDE = "inside of the block a timeout is a CancelledError, which is caught there, too"
BROAD = frozenset({"builtins.Exception", "builtins.BaseException", "builtins.OSError"})


@rule(
    "AIO306",
    "timeout-caught-inside",
    ast.ExceptHandler,
    ast.With,
    needs=calls(RAISES_TIMEOUT, ASYNC, last(TIMEOUT_ERRORS), CAUGHT),
)
def timeout_caught_inside(catching: ast.AST, module: Module) -> Iterator[Report]:
    """Report what catches a TimeoutError inside of the block that raises it outside."""
    assert isinstance(catching, (ast.ExceptHandler, ast.With))
    if not _catches(catching, module):
        return
    guarding = catching if isinstance(catching, ast.With) else module.parents[catching]
    if not isinstance(guarding, (ast.Try, ast.With)):
        return
    block = _limited(guarding, module)
    if block is None or _raises_itself(guarding.body, module) or _is_caught_outside(block, module):
        return
    limit = next(item.context_expr for item in block.items if _is_limit(item.context_expr, RAISES_TIMEOUT, module))
    assert isinstance(limit, ast.Call)
    name = ast.unparse(limit.func)
    message = f"`{name}()` raises TimeoutError where its block is left, so it is not caught here"
    related = (Related(limit, "this block is left by a TimeoutError"),)
    fix = _swapped(guarding, block, module)
    if isinstance(fix, str):
        yield Report(catching, message, refusal=fix, related=related)
    else:
        yield Report(catching, message, fix, related=related)


def _catches(catching: ast.ExceptHandler | ast.With, module: Module) -> bool:
    if isinstance(catching, ast.ExceptHandler):
        listed = catching.type.elts if isinstance(catching.type, ast.Tuple) else [catching.type]
        return any(name is not None and module.name(name) in TIMEOUT_ERRORS for name in listed)
    match catching.items:
        case [ast.withitem(context_expr=ast.Call(args=[*names]) as call)]:
            return module.callee(call) == "contextlib.suppress" and any(module.name(n) in TIMEOUT_ERRORS for n in names)
    return False


def _is_limit(manager: ast.expr, limits: frozenset[str], module: Module) -> bool:
    return isinstance(manager, ast.Call) and module.callee(manager) in limits


def _limited(guarding: ast.Try | ast.With, module: Module) -> Limited | None:
    """The block with a time limit right around a `try`; None: there is none, or somebody else catches in between."""
    inner: ast.AST = guarding
    for around in module.ancestors(guarding):
        if isinstance(around, (ast.With, ast.AsyncWith)):
            return around if any(_is_limit(i.context_expr, RAISES_TIMEOUT, module) for i in around.items) else None
        if isinstance(around, (*FUNCTIONS, ast.ClassDef)) or (isinstance(around, ast.Try) and inner not in around.body):
            return None
        inner = around
    return None


def _raises_itself(block: list[ast.stmt], module: Module) -> bool:
    """May the guarded code raise a TimeoutError of its own, as far as its looks tell?"""
    nodes = [*within(*block)]
    if not suspends(*block) or any(isinstance(node, ast.Raise) for node in nodes):
        return True
    for node in nodes:
        match node:
            case ast.Call():
                named = (name_of(node.func), *(keyword.arg or "" for keyword in node.keywords))
                if any(part in name.lower() for name in named for part in OWN_TIMEOUTS):
                    return True
                if module.callee(node) in PASS_ON:
                    return True
            case ast.Await(value=ast.Name() | ast.Attribute() | ast.Subscript()):
                return True
            case ast.With() | ast.AsyncWith():
                if any(_is_limit(item.context_expr, TIME_LIMITS, module) for item in node.items):
                    return True
    return False


def _is_caught_outside(block: Limited, module: Module) -> bool:
    inner: ast.AST = block
    for around in module.ancestors(block):
        if isinstance(around, (*FUNCTIONS, ast.ClassDef)):
            return False
        if isinstance(around, ast.Try) and inner in around.body:
            for handler in around.handlers:
                listed = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
                if any(name is None or module.name(name) in TIMEOUT_ERRORS | BROAD for name in listed):
                    return True
        if isinstance(around, ast.With):
            names = [n for i in around.items if isinstance(i.context_expr, ast.Call) for n in i.context_expr.args]
            if any(module.name(name) in TIMEOUT_ERRORS | BROAD for name in names):
                return True
        inner = around
    return False


def _swapped(guarding: ast.Try | ast.With, block: Limited, module: Module) -> Fix | str:
    """The handler around the block; or why that is not offered."""
    if len(block.body) != 1 or block.body[0] is not guarding:
        return "the block holds more than what is guarded"
    if len(block.items) > 1:
        return "the `with` does more than to set a limit"
    holes: dict[str, Hole] = {"limit": block.items[0].context_expr, "body": guarding.body}
    target = block.items[0].optional_vars
    if target is not None:
        holes["target"] = target
    opened = "async with" if isinstance(block, ast.AsyncWith) else "with"
    inner = [f"    {opened} {{limit}}{' as {target}' if target else ''}:", "        {body}"]
    if isinstance(guarding, ast.With):
        if guarding.items[0].optional_vars is not None:
            return "what `suppress()` gives has a name"
        if suppressed(guarding.items[0], module):
            return INSIDE
        holes["suppress"] = guarding.items[0].context_expr
        return Fix(replace(block, "\n".join(["with {suppress}:", *inner]), **holes))
    if guarding.orelse or guarding.finalbody:
        return "the `try` has more branches, which the limit is for as well"
    lines = ["try:", *inner]
    for number, handler in enumerate(guarding.handlers):
        if suspends(*handler.body):
            return "a handler awaits, which the limit is for as well"
        if caught(handler.type, module) and not _only_raises(handler):
            return INSIDE
        if handler.type:
            holes[f"type{number}"] = handler.type
        holes[f"handle{number}"] = handler.body
        classes = f" {{type{number}}}" if handler.type else ""
        lines += [f"except{classes}{f' as {handler.name}' if handler.name else ''}:", f"    {{handle{number}}}"]
    return Fix(replace(block, "\n".join(lines), **holes))


def _only_raises(handler: ast.ExceptHandler) -> bool:
    match handler.body:
        case [ast.Raise(exc=None)]:
            return True
    return False
