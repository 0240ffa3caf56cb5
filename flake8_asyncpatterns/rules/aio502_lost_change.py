"""A condition without a predicate and one slot: of two quick changes the first is lost.

The notifier puts a value into an attribute and wakes the waiters. A waiter runs some time later: when a second
change was put there meanwhile, it sees only that one. A change made while nobody waits – before the first
`wait()`, or while a waiter is busy with the one before – wakes nobody, and is never seen.

A condition says "something may have changed", no more. It is right together with a predicate
(`await condition.wait_for(lambda: self.items)`) and state that keeps what was not yet seen; a stream of changes
needs a queue for each of its readers.

```python run
import asyncio


class Prices:
    def __init__(self):
        self.changed = asyncio.Condition()
        self.price = None

    async def update(self, price):
        async with self.changed:
            self.price = price
            self.changed.notify_all()


async def watch(prices):
    while True:
        async with prices.changed:
            await prices.changed.wait()
            print("saw", prices.price)


async def main():
    prices = Prices()
    await prices.update(1)  # before anybody waits
    watching = asyncio.create_task(watch(prices))
    await asyncio.sleep(0)
    await prices.update(2)  # two, before the watcher has its turn
    await prices.update(3)
    await asyncio.sleep(0.01)
    watching.cancel()


asyncio.run(main())
```

```text
saw 3
```

```python bad
import asyncio

class Prices:
    def __init__(self):
        self._condition = asyncio.Condition()
        self._price = None

    async def update(self, price):
        async with self._condition:
            self._price = price
            self._condition.notify_all()

    async def updates(self):
        while True:
            async with self._condition:
                await self._condition.wait()
                price = self._price
            yield price
```

```python good
import asyncpatterns

class Prices:
    def __init__(self):
        self._changes = asyncpatterns.ChangeStream()

    async def update(self, price):
        await self._changes.publish(price)

    def updates(self):
        return self._changes.subscribe()
```

## Fix

Unsafe: the runtime's `ChangeStream` takes the place of condition and slot (add `asyncpatterns` to your
dependencies). Every subscriber gets every change from the call on, and no lock is held while it works on one. The
method is no longer an async generator but returns an async iterator, without `aclose()`. A subscriber that falls
more than 1024 changes behind is told so by `asyncpatterns.Lagged`.

The fix is offered where condition and slot serve nothing else in the file.

## When to ignore

Where only the latest value matters, and missing one until the next comes does no harm. A method that waits once and
returns the value is not reported for that reason.

## Other tools

None known.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeGuard

from ..flow import LOOPS, always_true, body, within
from ..module import Module
from ..needs import things, words
from ..rule import Edit, Fix, FunctionDef, MakeSync, Related, Remove, Report, Symbol, replace, rule
from ..signs import ASYNC
from ..tuples import NamedTuple

UNSAFE = (
    "readers get every change from the call on, as an async iterator that is no generator; "
    "add `asyncpatterns` to your dependencies"
)
STREAM = Symbol("asyncpatterns.ChangeStream")
ITERATOR = Symbol("collections.abc.AsyncIterator")
SUPERSEDED = ("asyncio.Condition", "collections.abc.AsyncGenerator", "typing.AsyncGenerator")
# What the stream is called where that is free; else it keeps the condition's name.
ATTRIBUTE = "_changes"


@rule(
    "AIO502",
    "lost-change",
    ast.Await,
    needs=things({"asyncio.Condition"}, ASYNC, words("wait"), words("notify", "notify_all")),
)
def lost_change(awaited: ast.Await, module: Module) -> Iterator[Report]:
    """Report the read of a slot after a wait that had no predicate."""
    found = slot_read(awaited, module)
    if found is None:
        return
    slot = ast.unparse(found.read)
    message = (
        f"`{slot}` holds only the latest change: of two quick ones the first is lost, and so is one made while "
        "nobody waits; give each reader a queue, or wait with a predicate"
    )
    related = (
        Related(found.wait, "waits without a predicate"),
        *(Related(p.assignment, "each change takes the place of the one before") for p in found.publishers),
    )
    fix = stream_fix(found, module)
    if isinstance(fix, str):
        yield Report(found.read, message, refusal=fix, related=related)
    else:
        yield Report(found.read, message, fix, related=related)


class Publisher(NamedTuple):
    """`async with self.condition: self.slot = value; self.condition.notify_all()`."""

    block: ast.AsyncWith
    assignment: ast.Assign


class SlotRead(NamedTuple):
    """A wait for a condition, the read of a slot after it, and those who fill the slot."""

    cls: ast.ClassDef
    function: FunctionDef
    wait: ast.Expr
    condition: ast.Attribute
    read: ast.Attribute
    publishers: list[Publisher]


def slot_read(awaited: ast.Await, module: Module) -> SlotRead | None:
    """The slot that is read after this wait for a condition without a predicate; None: it is another thing."""
    wait = module.parent(awaited)
    condition = _condition_of(awaited)
    if condition is None or not isinstance(wait, ast.Expr) or module.type_of(condition) != "asyncio.Condition":
        return None
    function = module.coroutine(awaited)
    cls = module.class_of(function) if function else None
    if function is None or cls is None or not _is_self(condition, function) or not _goes_on(wait, function, module):
        return None
    block = module.block(wait)
    after = block[block.index(wait) + 1 :]
    if not after or not isinstance(after[0], (ast.Expr, ast.Assign, ast.AnnAssign, ast.Return)):
        return None
    for read in within(after[0]):
        if isinstance(read, ast.Attribute) and isinstance(read.ctx, ast.Load) and _is_self(read, function):
            publishers = list(_publishers(cls, condition.attr, read.attr, module))
            if publishers and _only_a_slot(read, function, cls, publishers, module):
                return SlotRead(cls, function, wait, condition, read, publishers)
    return None


def _goes_on(wait: ast.stmt, function: FunctionDef, module: Module) -> bool:
    """Does this code come back for the next change? Who waits once may well want no more than the latest state."""
    around = module.ancestors(wait, below=function)
    return function.name == "__anext__" or any(isinstance(node, LOOPS) for node in around)


def _condition_of(awaited: ast.Await) -> ast.Attribute | None:
    match awaited.value:
        case ast.Call(func=ast.Attribute(value=ast.Attribute() as condition, attr="wait"), args=[], keywords=[]):
            return condition
    return None


def _is_self(node: ast.expr, function: FunctionDef) -> bool:
    """Is this an attribute of the function's first parameter?"""
    match node, [*function.args.posonlyargs, *function.args.args]:
        case ast.Attribute(value=ast.Name(id=name)), [ast.arg(arg=first), *_]:
            return name == first
    return False


def _publishers(cls: ast.ClassDef, condition: str, slot: str, module: Module) -> Iterator[Publisher]:
    """The blocks of a class's methods that assign the slot and notify, all under the condition."""
    for function in cls.body:
        if not isinstance(function, ast.AsyncFunctionDef):
            continue
        for block in body(function):
            if not isinstance(block, ast.AsyncWith) or not _holds(block, condition, function):
                continue
            inner = list(within(*block.body))
            assigned = [
                node
                for node in inner
                if isinstance(node, ast.Assign) and any(_is(t, slot, function) for t in node.targets)
            ]
            if assigned and any(_call(node, condition, function) in ("notify", "notify_all") for node in inner):
                yield from (Publisher(block, node) for node in assigned)


def _is(node: ast.AST, attribute: str, function: FunctionDef) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == attribute and _is_self(node, function)


def _holds(block: ast.AsyncWith, condition: str, function: FunctionDef) -> bool:
    return len(block.items) == 1 and _is(block.items[0].context_expr, condition, function)


def _call(node: ast.AST, condition: str, function: FunctionDef) -> str:
    """The method of the condition that is called here; empty: none."""
    match node:
        case ast.Call(func=ast.Attribute(value=receiver, attr=method)) if _is(receiver, condition, function):
            return method
    return ""


def _only_a_slot(
    read: ast.Attribute, reader: FunctionDef, cls: ast.ClassDef, publishers: list[Publisher], module: Module
) -> bool:
    """Is each change put in the place of the one before, with nobody able to tell whether that was seen?"""
    values = [p.assignment.value for p in publishers]
    if all(isinstance(value, ast.Constant) for value in values):
        return False  # a state that is reached, not a change that is passed on
    if any(isinstance(n, ast.Attribute) and n.attr == read.attr for value in values for n in ast.walk(value)):
        return False  # a counter, or a collection that grows
    if any(_keeps_or_tells(node, reader, module) for node in _uses(cls, read.attr, module=module) if node is not read):
        return False
    publishing = [f for p in publishers if isinstance(f := module.function(p.block), ast.AsyncFunctionDef)]
    condition = publishers[0].block.items[0].context_expr
    assert isinstance(condition, ast.Attribute)
    if reader in publishing or any(
        _call(node, condition.attr, f) in ("wait", "wait_for") for f in publishing for node in body(f)
    ):
        return False  # the publisher waits as well: the two take turns
    beside = {node.attr for p in publishers for node in within(*p.block.body) if _is_self_attribute(node)}
    return not any(
        _is_self_attribute(node) and node.attr in beside - {condition.attr, read.attr} for node in body(reader)
    )


def _uses(cls: ast.ClassDef, *attributes: str, module: Module) -> Iterator[ast.Attribute]:
    """Where attributes of these names are spoken of, other than by the methods of another class on its `self`."""
    for node in module.nodes(ast.Attribute):
        if node.attr in attributes:
            function = module.function(node)
            owner = module.class_of(function) if function else None
            if (
                owner is None
                or owner is cls
                or not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
                or not _is_self(node, function)
            ):
                yield node


def _is_self_attribute(node: ast.AST) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)


def _keeps_or_tells(use: ast.Attribute, reader: FunctionDef, module: Module) -> bool:
    """Does this use of the slot say that it may hold several changes, or that somebody checks before acting?"""
    parent = module.parent(use)
    if isinstance(parent, ast.AugAssign) or (
        isinstance(parent, (ast.Attribute, ast.Subscript)) and parent.value is use
    ):
        return True
    if isinstance(use.ctx, ast.Load):
        return _tested(use, module)
    return isinstance(use.ctx, ast.Del) or module.function(use) is reader


def _tested(node: ast.AST, module: Module) -> bool:
    """Does a condition of control flow hang on this expression?"""
    for around in module.ancestors(node):
        if isinstance(around, (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.Lambda)):
            return True
        if isinstance(around, ast.stmt):
            return isinstance(around, (ast.If, ast.While, ast.Assert, ast.Match))
    return False


def stream_fix(found: SlotRead, module: Module) -> Fix | str:
    """The edits that put a ChangeStream in the place of condition and slot, or why there are none."""
    edits = _Rewriting(found, module)
    try:
        return Fix(*edits.all(), unsafe=edits.unsafe(), supersedes=SUPERSEDED)
    except _OtherUse as reason:
        return str(reason)


class _OtherUse(Exception):
    """Condition or slot serve for something that a ChangeStream does not do; the text says what."""


class _Rewriting:
    """The edits for one class; each method raises _OtherUse where the code is of another shape."""

    def __init__(self, found: SlotRead, module: Module) -> None:
        self.found = found
        self.module = module
        self.condition, self.slot = found.condition.attr, found.read.attr
        taken = {node.attr for node in module.nodes(ast.Attribute)} | set(_words(module))
        self.name = self.condition if ATTRIBUTE in taken else ATTRIBUTE
        self.known: set[ast.AST] = set()

    def all(self) -> list[Edit]:
        for name in (self.condition, self.slot):
            if name in _words(self.module):
                raise _OtherUse(f"`{name}` is also named in a string or a class body")
        if any(True for _ in self._relatives()):
            raise _OtherUse("other classes of the file inherit from this one")
        edits = [*self._set_up(), *self._published(), *self._iterators()]
        for node in self._uses():
            if node not in self.known:
                raise _OtherUse(f"`{ast.unparse(node)}` serves for something else in line {node.lineno}")
        return edits

    def _uses(self) -> Iterator[ast.Attribute]:
        return _uses(self.found.cls, self.condition, self.slot, module=self.module)

    def unsafe(self) -> str:
        public = [f"`{name}`" for name in (self.condition, self.slot) if not name.startswith("_")]
        return UNSAFE + (f"; {' and '.join(public)} may be used by other files" if public else "")

    def _relatives(self) -> Iterator[ast.ClassDef]:
        for other in self.module.nodes(ast.ClassDef):
            if any(self.module.definition(base) is self.found.cls for base in other.bases):
                yield other

    def _set_up(self) -> Iterator[Edit]:
        stored = [
            node
            for node in self._uses()
            if isinstance(node.ctx, ast.Store) and getattr(self.module.function(node), "name", "") == "__init__"
        ]
        for target in stored:
            statement = self.module.parent(target)
            value = self.module.value(target)
            if (
                not isinstance(statement, (ast.Assign, ast.AnnAssign))
                or (isinstance(statement, ast.Assign) and len(statement.targets) > 1)
                or self.module.parent(statement) is not self.module.function(target)
            ):
                raise _OtherUse(f"`{ast.unparse(target)}` is set up in a way of its own in line {target.lineno}")
            self.known.add(target)
            if target.attr == self.condition:
                if not isinstance(value, ast.Call) or value.args or value.keywords:
                    raise _OtherUse("the condition is not made here, or shares its lock")
                yield replace(statement, f"{{self}}.{self.name} = {{stream}}()", self=target.value, stream=STREAM)
            elif isinstance(value, ast.Constant):
                yield Remove(statement)
            else:
                raise _OtherUse(f"`{ast.unparse(target)}` begins with a value of its own")
        if [target.attr for target in stored].count(self.condition) != 1:
            raise _OtherUse("the condition is not made in `__init__`")

    def _published(self) -> Iterator[Edit]:
        for publisher in self.found.publishers:
            block, function = publisher.block, self.module.function(publisher.block)
            assert isinstance(function, ast.AsyncFunctionDef)
            statements = sorted(block.body, key=lambda s: isinstance(s, ast.Expr))
            match statements:
                case [
                    ast.Assign(targets=[ast.Attribute() as slot], value=value),
                    ast.Expr(value=ast.Call() as call),
                ] if not call.args and not call.keywords:
                    method = _call(call, self.condition, function)
                case _:
                    raise _OtherUse(f"more is done under the condition in line {block.lineno}")
            if method != "notify_all":
                raise _OtherUse("`notify()` gives each change to one of the waiters")
            self.known |= {slot, block.items[0].context_expr, call.func.value}  # type: ignore[attr-defined]  # _call saw it
            yield replace(block, f"await {{self}}.{self.name}.publish({{value}})", self=slot.value, value=value)

    def _iterators(self) -> Iterator[Edit]:
        for awaited in self.module.nodes(ast.Await):
            found = slot_read(awaited, self.module)
            if found is None or found.cls is not self.found.cls or found.condition.attr != self.condition:
                continue
            function = found.function
            if not isinstance(function, ast.AsyncFunctionDef) or function.decorator_list:
                raise _OtherUse(f"`{function.name}` is decorated")
            statements = [s for s in function.body if not _is_docstring(s)]
            held = self._endless(statements, found)
            if held is None:
                raise _OtherUse(f"`{function.name}` is more than a loop that waits and yields")
            self.known |= {found.condition, found.read, held.items[0].context_expr}
            yield from self._annotated(function)
            yield MakeSync(function)
            yield replace(statements[0], f"return {{self}}.{self.name}.subscribe()", self=found.read.value)

    def _annotated(self, function: ast.AsyncFunctionDef) -> Iterator[Edit]:
        """What is returned is an iterator, and no generator any more."""
        returns = function.returns
        if returns is None:
            return
        outer = returns.value if isinstance(returns, ast.Subscript) else returns
        kind = (self.module.name(outer) or "").rpartition(".")[2]
        if kind == "AsyncGenerator" and isinstance(returns, ast.Subscript):
            item = returns.slice.elts[0] if isinstance(returns.slice, ast.Tuple) else returns.slice
            yield replace(returns, "{iterator}[{item}]", iterator=ITERATOR, item=item)
        elif kind not in ("AsyncIterator", "AsyncIterable"):
            raise _OtherUse(f"`{function.name}` is annotated as something other than an async iterator")

    def _endless(self, statements: list[ast.stmt], found: SlotRead) -> ast.AsyncWith | None:
        """The `async with` of a loop that does nothing but wait for a change and yield it."""
        match statements:
            case [ast.AsyncWith(body=[ast.While(body=inner, orelse=[]) as loop]) as held]:
                steps = inner
            case [ast.While(body=[ast.AsyncWith(body=inner) as held, *rest], orelse=[]) as loop]:
                steps = [*inner, *rest]
            case _:
                return None
        if not always_true(loop.test) or not _holds(held, self.condition, found.function):
            return None
        match steps:
            case [wait, ast.Expr(value=ast.Yield(value=read))] if wait is found.wait and read is found.read:
                return held
            case [
                wait,
                ast.Assign(targets=[ast.Name(id=kept)], value=read),
                ast.Expr(value=ast.Yield(value=ast.Name(id=given))),
            ] if wait is found.wait and read is found.read and kept == given:
                return held
        return None


def _words(module: Module) -> Iterator[str]:
    """The words by which an attribute may be meant without an attribute expression: strings, class bodies."""
    yield from (node.value for node in module.nodes(ast.Constant) if isinstance(node.value, str))
    for cls in module.nodes(ast.ClassDef):
        yield from (n.id for n in body(cls) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
        yield from (n.name for n in cls.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)))


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
