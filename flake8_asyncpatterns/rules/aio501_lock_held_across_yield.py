"""A `yield` under a lock hands the lock to whoever iterates.

Between two steps a generator stands still where it yielded, and a `with` around that place stays entered. So the
body of the consumer's `for` runs under the lock, for as long as it likes: one slow consumer stops everybody who
needs the lock; a consumer that calls a method which takes the same lock waits for itself for ever; and one that
leaves its loop with `break` keeps the lock until the generator is closed or collected.

```python run
import asyncio

class Orders:
    def __init__(self):
        self.lock = asyncio.Lock()
        self.open = ["a", "b"]

    async def add(self, order):
        async with self.lock:
            self.open.append(order)

    async def take_all(self):
        while self.open:
            async with self.lock:
                yield self.open.pop()

async def main():
    orders = Orders()
    async for order in orders.take_all():
        print("got", order)
        try:
            await asyncio.wait_for(orders.add("c"), 0.05)
        except asyncio.TimeoutError:
            print("this loop has the lock, and waits for it")
            break

asyncio.run(main())
```

```text
got b
this loop has the lock, and waits for it
```

```python bad
import asyncio

class Orders:
    def __init__(self):
        self._lock = asyncio.Lock()
        self._open = []

    async def take_all(self):
        while self._open:
            async with self._lock:
                self._open.sort()
                yield self._open.pop()
```

```python good
import asyncio

class Orders:
    def __init__(self):
        self._lock = asyncio.Lock()
        self._open = []

    async def take_all(self):
        while self._open:
            async with self._lock:
                self._open.sort()
                value = self._open.pop()
            yield value
```

The same with a thread's lock in a plain generator: every thread waits for the consumer's body.

```python bad
import threading

LOCK = threading.Lock()
LISTENERS = []

def listeners():
    with LOCK:
        for listener in LISTENERS:
            yield listener
```

```python good
import threading

LOCK = threading.Lock()
LISTENERS = []

def listeners():
    with LOCK:
        items = list(LISTENERS)
    for listener in items:
        yield listener
```

## Fix

Unsafe, because what the consumer does is no longer guarded, and the state may change between two yields: the value
is taken under the lock and yielded outside, a loop over a collection goes over a copy, and of an endless loop each
round takes the lock anew. Where more than that happens under the lock the decision is yours. A loop that waits for
a condition without a predicate and yields what it finds in an attribute is AIO502's to mend.

## When to ignore

A semaphore that is meant to count running consumers, or a generator that only a `with` of your own iterates.
Generators that are turned into context managers or fixtures by a decorator are not reported, nor are those that
yield outside of any loop: a framework that runs code around a request has them yield once.

## Other tools

flake8-async and ruff report every `yield` inside of any context manager (ASYNC119). Here the context manager must be
known to be a lock.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.freenames import free, like, names_in
from ..analysis.held import Held, held_code, innermost_lock, lets_go
from ..analysis.streams import is_stream
from ..flow import always_true
from ..knowledge.locks import ASYNC_LOCKS, THREAD_LOCKS
from ..module import Module
from ..needs import things
from ..rule import Fix, FunctionDef, Hole, Related, Report, Symbol, replace, rule
from ..signs import YIELD
from .aio502_lost_change import slot_read, stream_fix

UNSAFE = "the consumer's body no longer runs under the lock, and the state may change between two yields"
# Calls that give a collection, or walk through one, and come to an end.
VIEWS = ("copy", "items", "keys", "values")
COPIES = frozenset(f"builtins.{name}" for name in ("dict", "list", "set", "sorted", "tuple"))
WALKS = COPIES | {"builtins.enumerate", "builtins.reversed"}


@rule(
    "AIO501",
    "lock-held-across-yield",
    ast.Yield,
    ast.YieldFrom,
    plain=True,
    needs=things(ASYNC_LOCKS | THREAD_LOCKS, YIELD),
)
def lock_held_across_yield(given: ast.expr, module: Module) -> Iterator[Report]:
    """Report the first `yield` inside a block that holds a lock."""
    function = module.function(given)
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return
    held, lock = innermost_lock(given, module)
    if held is None or lock is None or lets_go(held, lock) or not is_stream(function, module, decorated=True):
        return
    if next(node for node in _yields_in(held) if innermost_lock(node, module)[0] is held) is not given:
        return
    name = ast.unparse(lock)
    message = f"the consumer's body runs while `{name}` is held; take the value under the lock and yield outside"
    related = (Related(held, f"`{name}` is held from here"),)
    fix = _fix(held, lock, function, module)
    if isinstance(fix, str):
        yield Report(given, message, refusal=fix, related=related)
    elif fix is None:
        yield Report(given, f"{message} (AIO502 mends both)", related=related)
    else:
        yield Report(given, message, fix, related=related)


def _yields_in(held: Held) -> list[ast.expr]:
    return [node for node in held_code(held) if isinstance(node, (ast.Yield, ast.YieldFrom))]


def _fix(held: Held, lock: ast.expr, function: FunctionDef, module: Module) -> Fix | str | None:
    """The fix, or why there is none; None: it is AIO502's."""
    waits = [found for node in held_code(held) if isinstance(node, ast.Await) and (found := slot_read(node, module))]
    if waits:
        return None if isinstance(stream_fix(waits[0], module), Fix) else "it waits for changes without a predicate"
    if isinstance(held, ast.Try):
        return "the lock is taken and released by hand"
    if len(held.items) > 1 or held.items[0].optional_vars:
        return "the `with` does more than to hold the lock"
    if not isinstance(lock, (ast.Name, ast.Attribute)):
        return "the lock is made here"
    if _waits_without_predicate(held, module):
        return "a change that comes while the consumer works would be lost: it waits without a predicate"
    if len(_yields_in(held)) > 1:
        return "the block yields in several places"
    return _moved_out(held, lock, function, module)


def _waits_without_predicate(held: Held, module: Module) -> bool:
    for node in held_code(held):
        match node:
            case ast.Call(func=ast.Attribute(value=condition, attr="wait")) if module.type_of(condition) in (
                "asyncio.Condition",
                "threading.Condition",
            ):
                loop = module.parent(module.statement(node))
                if not isinstance(loop, ast.While) or always_true(loop.test):
                    return True
    return False


def _moved_out(held: ast.With | ast.AsyncWith, lock: ast.expr, function: FunctionDef, module: Module) -> Fix | str:
    before, last = held.body[:-1], held.body[-1]
    enter = "async with {lock}:" if isinstance(held, ast.AsyncWith) else "with {lock}:"
    holes: dict[str, Hole] = {"lock": lock}
    lines = [enter]
    if before:
        holes["before"] = before
        lines.append("    {before}")
    match last:
        case ast.Expr(value=ast.Yield(value=ast.expr() as value)):
            taking, giving = _two_steps(value, function, module)
            if not before and not taking:
                return "nothing but the yield is under the lock"
            holes["value"] = value
            lines += [*_indented(taking), giving]
        case ast.Expr(value=ast.YieldFrom(value=many)) if _is_collection(many, module):
            items = _free("items", function, module)
            lines += [*_indented(_copied(items, many, holes, module)), f"yield from {items}"]
        case ast.For(
            target=ast.Name(id=item), iter=many, body=[ast.Expr(value=ast.Yield(value=ast.Name(id=same)))]
        ) if item == same and not last.orelse and _is_collection(many, module):
            items = _free("items", function, module)
            holes["item"] = last.target
            lines += [*_indented(_copied(items, many, holes, module)), f"for {{item}} in {items}:", "    yield {item}"]
        case ast.While(test=test, body=[*steps, ast.Expr(value=ast.Yield(value=ast.expr() as value))], orelse=[]) if (
            always_true(test) and steps
        ):
            taking, giving = _two_steps(value, function, module)
            holes |= {"test": test, "steps": steps, "value": value}
            each_round = [enter, "    {steps}", *_indented(taking), giving]
            lines = [*(lines if before else ()), "while {test}:", *_indented(each_round)]
        case _:
            return "more is done under the lock than to take what is yielded"
    return Fix(replace(held, "\n".join(lines), **holes), unsafe=UNSAFE)


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _two_steps(value: ast.expr, function: FunctionDef, module: Module) -> tuple[list[str], str]:
    """How a value is taken (no line when it is a variable already), and how it is then yielded."""
    if isinstance(value, ast.Name) and _is_local(value, function, module):
        return [], "yield {value}"
    name = _free("value", function, module)
    return [f"{name} = {{value}}"], f"yield {name}"


def _copied(name: str, many: ast.expr, holes: dict[str, Hole], module: Module) -> list[str]:
    """The line that takes a copy of a collection; it may be one already."""
    holes["many"] = many
    if isinstance(many, ast.Call) and module.callee(many) in COPIES:
        return [f"{name} = {{many}}"]
    holes["list"] = Symbol("builtins.list")
    return [f"{name} = {{list}}({{many}})"]


def _is_local(name: ast.Name, function: FunctionDef, module: Module) -> bool:
    """Is this a variable that nothing but the function itself binds?"""
    bindings = module.bindings(name)
    return bool(bindings) and all(
        module.parent(module.parents[node]) is function
        if isinstance(node, ast.arg)
        else module.function(node) is function
        for node in bindings or ()
    )


def _free(base: str, function: FunctionDef, module: Module) -> str:
    """A name like `base` that means nothing to the function yet."""
    return free((name for name in like(base) if not module.visible(name, function.body[0])), names_in(function))


def _is_collection(many: ast.expr, module: Module) -> bool:
    """Is this something that can be copied at once, rather than a generator that may never end?"""
    match many:
        case ast.Call(func=ast.Attribute(attr=method), args=[], keywords=[]):
            return method in VIEWS
        case ast.Call():
            return module.callee(many) in WALKS
    return isinstance(many, (ast.Name, ast.Attribute, ast.Subscript, ast.List, ast.Tuple))
