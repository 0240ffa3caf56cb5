"""A loop that never ends and never awaits takes the event loop for itself.

A coroutine hands control back only where it awaits. A loop that nothing can end, and in which nothing is awaited,
runs for ever: no other task gets a turn, no timer fires, no signal handler and no cancellation arrives. Two kinds
are found: `while True` without a way out, and a loop that waits for a change that only another task can make. That
task never runs, so the change never comes.

```python run
import asyncio


class Feed:
    ready = False

    async def start(self):
        self.ready = True

    async def wait(self, rounds):
        while not self.ready and rounds:  # so that this program ends
            rounds -= 1
        return rounds


async def main():
    feed = Feed()
    task = asyncio.create_task(feed.start())
    print("rounds left:", await feed.wait(1_000_000), "- started:", task.done())
    await asyncio.sleep(0)
    print("after an await, started:", task.done())


asyncio.run(main())
```

```text
rounds left: 0 - started: False
after an await, started: True
```

```python bad
class Feed:
    def __init__(self):
        self.ready = False

    async def start(self, connect):
        self.connection = await connect()
        self.ready = True

    async def wait(self):
        while not self.ready:
            pass
```

```python good
import asyncio

class Feed:
    def __init__(self):
        self.ready = False

    async def start(self, connect):
        self.connection = await connect()
        self.ready = True

    async def wait(self):
        while not self.ready:
            await asyncio.sleep(0)
```

The loop that never ends:

```python bad
import asyncio

async def report(samples, show):
    while True:
        show(sum(samples) / len(samples))
```

```python good
import asyncio

async def report(samples, show):
    while True:
        await asyncio.sleep(0)
        show(sum(samples) / len(samples))
```

A loop that waits by a call that blocks (`time.sleep()`, `queue.get()`, a database) is left to the rule that tells of
the call: mended, it awaits. Nothing is said about a loop with a `break`, `return`, `raise` or `assert` of its own, one
that takes from something until that raises (`queue.get_nowait()`, `next(iterator)`), one inside a `try` that catches
what may come out of it, or one whose condition asks anything that may change by itself: the time, a thread, a process,
another object.

## Fix

Unsafe: `await asyncio.sleep(0)` gives every other task a turn in each round. Between two rounds the world may then
have changed, which it could not before; and the loop still keeps a processor busy. Where it waits for something,
an `asyncio.Event` is the better way, and where it does something now and then, a longer sleep.

## When to ignore

Where the coroutine has an event loop, and a thread, all to itself, and only an exception is meant to end it.

## Other tools

flake8-async asks for a checkpoint in every loop of a Trio or AnyIO program (ASYNC910 and its kin), and pylint has
`while-used` for all loops alike. Of 14 findings that "a `while` without an await" gave on released packages none was
right: they were short loops that drain something. Here a loop is reported only where nothing can end it.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from ..analysis.blocking import blocks
from ..analysis.chains import Chains
from ..analysis.loops import hands_over, may_be_left, may_raise_to_end
from ..flow import always_true, within
from ..knowledge.loops import (
    ASKS_THE_LOOP,
    CALLS_ON_THE_LOOP,
    HARMLESS,
    PROTOCOL_CALLBACKS,
    PROTOCOLS,
)
from ..module import Module
from ..needs import Need
from ..rule import Fix, Report, Symbol, insert, replace, rule
from ..signs import ASYNC
from ..signs.loops import ENDLESS

# Rules that are off by default leave a loop to this one.
OPT_IN = frozenset({"AIO105", "AIO113"})
REASON = "other tasks get a turn in every round of this loop, and may change what it works on"
# Values of these types never change by themselves.
SIMPLE = frozenset({"builtins.bool", "builtins.int", "builtins.float", "builtins.str"})


@rule("AIO111", "loop-without-await", ast.While, needs=(Need((ASYNC, ENDLESS)),))
def loop_without_await(loop: ast.While, module: Module) -> Iterator[Report]:
    """Report a `while` that nothing in its coroutine can end."""
    if module.coroutine(loop) is None or hands_over(loop) or may_be_left(loop, module):
        return
    if always_true(loop.test):
        # Of endless loops inside each other only the inmost runs for ever.
        inner = (node for node in within(*loop.body) if isinstance(node, ast.While))
        if _never_ends(loop, module) and not any(_never_ends(one, module) for one in inner):
            yield Report(loop, "nothing ends this loop, and it never lets another task run", _fix(loop))
    elif _waits_for_others(loop, module):
        yield Report(
            loop, "nothing in this loop changes its condition, and no other task gets a turn to do so", _fix(loop)
        )


def _fix(loop: ast.While) -> Fix:
    first, sleep = loop.body[0], Symbol("asyncio.sleep")
    hand_over = replace if loop.body == [first] and _is_nothing(first) else insert
    return Fix(hand_over(first, "await {sleep}(0)", sleep=sleep), unsafe=REASON)


def _is_nothing(statement: ast.stmt) -> bool:
    match statement:
        case ast.Pass() | ast.Continue() | ast.Expr(value=ast.Constant(value=builtins.Ellipsis)):
            return True
    return False


def _never_ends(loop: ast.While, module: Module) -> bool:
    return always_true(loop.test) and not (
        may_be_left(loop, module)
        or may_raise_to_end(loop, module)
        or any(isinstance(node, ast.Call) and _is_reported(node, module) for node in within(*loop.body))
    )


def _is_reported(call: ast.Call, module: Module) -> bool:
    """Does another rule tell of this call, so that the loop awaits when it is mended?"""
    blocking = blocks(call, module)
    return (blocking is not None and blocking.code not in OPT_IN) or call in module.analysis(Chains).real


def _waits_for_others(loop: ast.While, module: Module) -> bool:
    """Is the condition one that this loop cannot change, and that changes only while the event loop runs?"""
    return (
        any(isinstance(part, ast.Name) for part in within(loop.test))
        and all(_is_inert(statement, module) for statement in loop.body)
        and _is_fixed(loop.test, loop, module)
    )


def _is_inert(statement: ast.stmt, module: Module) -> bool:
    """Does a statement change nothing but variables and plain attributes of `self`?"""
    match statement:
        case ast.Pass() | ast.Continue():
            return True
        case ast.Expr(value=value):
            return _is_harmless(value, module)
        case ast.Assign(targets=targets, value=value):
            return all(_is_plain(target, module) for target in targets) and _is_harmless(value, module)
        case ast.AugAssign(target=target, value=value):
            return _is_plain(target, module) and _is_harmless(value, module)
        case ast.If(test=test, body=body, orelse=orelse):
            return _is_harmless(test, module) and all(_is_inert(inner, module) for inner in (*body, *orelse))
    return False


def _is_harmless(expression: ast.expr, module: Module) -> bool:
    for node in within(expression):
        match node:
            case ast.Call():
                if module.callee(node) not in HARMLESS:
                    return False
            case ast.Attribute():
                if not _is_plain(node, module):
                    return False
            case ast.Subscript() | ast.NamedExpr() | ast.Lambda():
                return False
    return True


def _is_plain(target: ast.expr, module: Module) -> bool:
    """Is this a variable, or an attribute of `self` behind which no code stands?"""
    return isinstance(target, ast.Name) or (isinstance(target, ast.Attribute) and bool(module.assignments(target)))


def _is_fixed(test: ast.expr, loop: ast.While, module: Module) -> bool:
    """Does this part of a condition stay as it is for as long as no other task runs?"""
    match test:
        case ast.Constant():
            return True
        case ast.UnaryOp(operand=operand):
            return _is_fixed(operand, loop, module)
        case ast.BoolOp(values=parts):
            return all(_is_fixed(part, loop, module) for part in parts)
        case ast.BinOp(left=left, right=right):
            return _is_fixed(left, loop, module) and _is_fixed(right, loop, module)
        case ast.Compare(left=left, ops=operators, comparators=others):
            identity = all(isinstance(op, (ast.Is, ast.IsNot)) for op in operators)
            return all(
                _is_fixed(part, loop, module) or (identity and _stays(part, loop, module)) for part in (left, *others)
            )
        case ast.Call(func=ast.Attribute(value=receiver), args=[], keywords=[]):
            return module.callee(test) in ASKS_THE_LOOP and _stays(receiver, loop, module, of_the_loop=True)
        case ast.Name() | ast.Attribute():
            stores = _stores(test, module)
            return bool(stores) and all(_is_simple(s, module) for s in stores or ()) and _stays(test, loop, module)
    return False


def _stores(variable: ast.Name | ast.Attribute, module: Module) -> list[ast.AST] | None:
    return module.bindings(variable) if isinstance(variable, ast.Name) else module.assignments(variable)


def _is_simple(store: ast.AST, module: Module) -> bool:
    """Does this give a variable a value that never changes by itself, as a list or an event would?"""
    match store, module.parent(store):
        case ast.arg(annotation=ast.expr() as annotation), _:
            return module.name(annotation) in SIMPLE
        case _, ast.AugAssign(value=changed):
            return _is_simple_value(changed)
        case _, ast.AnnAssign(value=None):
            return True
    value = module.value(store)
    return value is not None and _is_simple_value(value)


def _is_simple_value(value: ast.expr) -> bool:
    match value:
        case ast.Constant() | ast.Compare() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.BinOp(left=left, right=right):
            return _is_simple_value(left) and _is_simple_value(right)
        case ast.UnaryOp(operand=operand):
            return _is_simple_value(operand)
    return False


def _stays(variable: ast.expr, loop: ast.While, module: Module, *, of_the_loop: bool = False) -> bool:
    """Is this variable bound outside of the loop only, and by nothing but code that the event loop runs?

    What other files can reach they may change from a thread, unless it is an object that belongs to the event loop:
    there must be somebody here who does it as it should be done.
    """
    if isinstance(variable, ast.Constant):
        return True
    if not isinstance(variable, (ast.Name, ast.Attribute)):
        return False
    stores = _stores(variable, module)
    if not stores or any(loop in module.ancestors(store) for store in stores):
        return False
    here = module.function(loop)
    elsewhere = [store for store in stores if _home(store, module) is not here]
    first = [store for store in elsewhere if _is_start(store, variable, loop, module)]
    writers = [
        _home(store, module) for store in (*elsewhere, *_foreign(variable, stores, module)) if store not in first
    ]
    if not all(_runs_on_the_loop(writer, module) for writer in writers):
        return False
    if isinstance(variable, ast.Attribute):
        return of_the_loop or bool(writers)
    return len(first) <= 1 and (bool(writers) or all(_home(store, module) is not None for store in stores))


def _foreign(variable: ast.expr, stores: list[ast.AST], module: Module) -> list[ast.AST]:
    """Where something of unknown type gets an attribute of the same name: it may be the same object."""
    name = variable.attr if isinstance(variable, ast.Attribute) else ""
    return [
        node
        for node in module.nodes(ast.Attribute)
        if node.attr == name and not isinstance(node.ctx, ast.Load) and node not in stores
    ]


def _home(store: ast.AST, module: Module) -> ast.AST | None:
    """The function that binds a variable here; a parameter belongs to its own."""
    return module.parents[module.parents[store]] if isinstance(store, ast.arg) else module.function(store)


def _is_start(store: ast.AST, variable: ast.expr, loop: ast.While, module: Module) -> bool:
    """Does this give a variable its first value, before there are tasks?"""
    function = _home(store, module)
    if isinstance(variable, ast.Attribute):
        return isinstance(store, ast.Name) or (isinstance(function, ast.FunctionDef) and function.name == "__init__")
    return function is None or function in module.ancestors(loop)


def _runs_on_the_loop(function: ast.AST | None, module: Module) -> bool:
    """Is this function a coroutine, or one that only the event loop calls?"""
    if isinstance(function, ast.AsyncFunctionDef):
        return True
    if not isinstance(function, ast.FunctionDef):
        return False
    owner = module.class_of(function)
    if isinstance(owner, ast.ClassDef) and function.name in PROTOCOL_CALLBACKS:
        return any(module.name(base) in PROTOCOLS for base in owner.bases)
    mentions = [
        node
        for node in module.nodes(ast.Name, ast.Attribute)
        if function.name == (node.id if isinstance(node, ast.Name) else node.attr)
    ]
    return bool(mentions) and all(
        module.definition(mention) is function and _is_called_by_the_loop(mention, module) for mention in mentions
    )


def _is_called_by_the_loop(callback: ast.expr, module: Module) -> bool:
    call = module.parent(callback)
    return isinstance(call, ast.Call) and callback in call.args and module.callee(call) in CALLS_ON_THE_LOOP
