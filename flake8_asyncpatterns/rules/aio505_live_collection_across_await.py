"""A loop over a collection awaits, and other code changes the collection meanwhile.

Each await lets other tasks run. One of them adds a connection or removes one, as it does whenever somebody comes or
goes, and the loop that was on its way through the dictionary, set or deque ends with `RuntimeError: dictionary
changed size during iteration`; the connections after that are never reached.

```python run
import asyncio


class Hub:
    def __init__(self):
        self.by_name = {name: [] for name in ("ann", "bob", "eve")}

    def leave(self, name):
        del self.by_name[name]

    async def send(self, name):
        await asyncio.sleep(0.01)
        print("sent to", name)

    async def broadcast(self):
        for name in self.by_name:
            await self.send(name)

    async def broadcast_well(self):
        for name in list(self.by_name):
            await self.send(name)


async def main():
    for broadcast in (Hub.broadcast, Hub.broadcast_well):
        print(broadcast.__name__)
        hub = Hub()
        sending = asyncio.create_task(broadcast(hub))
        await asyncio.sleep(0.005)
        hub.leave("ann")
        try:
            await sending
        except RuntimeError as error:
            print("RuntimeError:", error)


asyncio.run(main())
```

```text
broadcast
sent to ann
RuntimeError: dictionary changed size during iteration
broadcast_well
sent to ann
sent to bob
sent to eve
```

```python bad
class Server:
    def __init__(self):
        self.connections = {}

    def connection_lost(self, key):
        self.connections.pop(key)

    async def close(self):
        for connection in self.connections.values():
            await connection.close()
```

```python good
class Server:
    def __init__(self):
        self.connections = {}

    def connection_lost(self, key):
        self.connections.pop(key)

    async def close(self):
        for connection in list(self.connections.values()):
            await connection.close()
```

Reported are collections that belong to `self`, to the module or to the function around, where another function of the
file takes single items out, or a coroutine puts some in. What is done under a lock is left alone, and so is what
happens on starting up, and a loop that ends right after its await. A list raises nothing, and is not reported: what is
added is met, too, and what is left out when an item is removed is often of no matter.

Nothing is said either where loop and change are steps of one task, as far as the file shows: both are reached only from
one coroutine, which is started in one place and kept there (`self._task = asyncio.create_task(self._run())`), or the
change is over before that task starts, or made in a task that has ended. An await that surely does not wait – of a
coroutine of the file that waits for nothing itself, of `put()` on a queue without a size – lets nobody in between.
Where only other files come to both loop and change, by private methods, the change must take something out.

## Fix

Safe: the loop goes over a copy. It still meets what was removed meanwhile: where that matters, ask again after the
await (`if key in self.connections`), or gather the awaits (`await asyncio.gather(*(c.close() for c in …))`), which
makes the list before anything is awaited.

## When to ignore

Where the two never run at the same time, for a reason that only other files show: a base class that calls one method
after the other, a program that adds all there is before it starts.

## Other tools

flake8-bugbear (B909) and pylint (`modified-iterating-list` and its kin) report loops that change the collection in
their own body. What other tasks do during an await is reported by none.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeAlias

from ..analysis.origins import Origins, State
from ..analysis.pauses import is_pause
from ..analysis.shared import Guards, is_closing, is_opening
from ..flow import LOOPS, within, yields
from ..knowledge.containers import MAPPINGS
from ..module import Module
from ..needs import Need, words
from ..rule import Fix, FunctionDef, Related, Report, Symbol, replace, rule
from ..signs import ASYNC, FOR
from ..signs.live import changing
from ..tuples import NamedTuple

Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp
Stored: TypeAlias = ast.Name | ast.Attribute

VIEWS = frozenset({"items", "keys", "values"})
WALKS = frozenset({"builtins.enumerate", "builtins.iter", "builtins.zip", "builtins.map", "builtins.filter"})
# Their iterators raise when the size has changed.
NOTICING = MAPPINGS | {"builtins.set", "collections.deque", "collections.Counter", "typing.Set", "typing.Deque"}
# Not a deque, which is filled for somebody to empty it: often the very loop.
GROWING_BY_KEY = MAPPINGS | {"builtins.set", "typing.Set"}
PUTTING_IN = frozenset({"add", "setdefault", "update"})
TAKING_OUT = frozenset({"discard", "pop", "remove"})
CHANGING = (Need((ASYNC, FOR, changing(words(*PUTTING_IN, *TAKING_OUT)))),)


class Collection(NamedTuple):
    """What a loop goes through: `whole` as it stands there, and the variable that holds it, or holds what holds it."""

    whole: ast.expr
    stored: Stored
    item: str | None  # of an item of `stored`: which one, empty if that is not known
    kind: str | None


class Change(NamedTuple):
    """A place that puts something into a collection, or takes one item out."""

    place: ast.expr
    stored: Stored
    item: str | None
    method: str
    takes: bool


class Changes:
    """Where a file changes the size of collections, by the names that hold them."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self._by_name: dict[str, list[Change]] = {}
        for call in module.nodes(ast.Call):
            match call.func:
                case ast.Attribute(value=changed, attr=method) if method in PUTTING_IN:
                    self._note(changed, call, method, takes=False)
                case ast.Attribute(value=changed, attr=method) if method in TAKING_OUT:
                    if call.args and not isinstance(call.args[0], ast.Constant):
                        self._note(changed, call, method, takes=True)
        for item in module.nodes(ast.Subscript):
            if not isinstance(item.ctx, ast.Load) and not isinstance(item.slice, ast.Constant):
                takes = isinstance(item.ctx, ast.Del)
                if takes or not isinstance(module.parent(item), ast.AugAssign):
                    self._note(item.value, item, "del" if takes else "=", takes=takes)

    def _note(self, changed: ast.expr, place: ast.expr, method: str, *, takes: bool) -> None:
        stored, item = _stored(changed)
        if stored is not None:
            self._by_name.setdefault(_name(stored), []).append(Change(place, stored, item, method, takes))

    def of(self, collection: Collection) -> Iterator[Change]:
        """The changes of one collection, made in functions that others run, at any time and without a lock."""
        here = self.module.function(collection.whole)
        for change in self._by_name.get(_name(collection.stored), ()):
            function = self.module.function(change.place)
            if (
                _may_be_same_item(change.item, collection.item)
                and isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
                and function is not here
                and not is_opening(function)
                and self._same(collection.stored, change.stored)
                and not self.module.analysis(Guards).is_guarded(change.place)
            ):
                yield change

    def _same(self, one: Stored, other: Stored) -> bool:
        if isinstance(one, ast.Name) or isinstance(other, ast.Name):
            bound = self.module.bindings(one)
            return type(one) is type(other) and bool(bound) and bound == self.module.bindings(other)
        mine, its = self.module.owner(one), self.module.owner(other)
        if mine is None or its is None:
            return False
        return mine in self.module.bases(its) or its in self.module.bases(mine)


@rule(
    "AIO505",
    "live-collection-across-await",
    ast.For,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    needs=CHANGING,
)
def live_collection_across_await(loop: ast.AST, module: Module) -> Iterator[Report]:
    """Report loops that await between two items of a collection which others change."""
    function = module.coroutine(loop)
    if function is None or not isinstance(loop, (ast.For, ast.ListComp, ast.SetComp, ast.DictComp)):
        return
    if not _waits(loop, module, _hands_over) or is_opening(function):
        return
    for iterable in [loop.iter] if isinstance(loop, ast.For) else [g.iter for g in loop.generators if not g.is_async]:
        collection = _collection(iterable, module)
        if collection is None:
            continue
        if module.analysis(Guards).is_guarded(loop):
            return
        found = [
            change
            for change in module.analysis(Changes).of(collection)
            if _hurts(change, collection, function, loop, module) and _may_come(change, collection, loop, module)
        ]
        if found and _waits(loop, module, partial(_lets_others_run, module=module)):
            yield _report(collection, found, module)


def _report(collection: Collection, found: list[Change], module: Module) -> Report:
    name = ast.unparse(collection.whole)
    message = f"`{name}` may change while the loop awaits, which ends the loop with a RuntimeError; go over a copy"
    related = tuple(Related(change.place, "it changes here") for change in found[:3])
    fix = Fix(replace(collection.whole, "{list}({whole})", list=Symbol("builtins.list"), whole=collection.whole))
    return Report(collection.whole, message, fix, related=related)


def _waits(loop: ast.For | Comprehension, module: Module, waits: Callable[[ast.AST], bool]) -> bool:
    """Do others get their turn between two items, where these nodes wait?"""
    if not isinstance(loop, ast.For):
        return any(map(waits, within(loop)))
    return any(waits(node) and not _ends_after(node, loop, module) for node in within(*loop.body))


def _hands_over(node: ast.AST) -> bool:
    return isinstance(node, (ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Yield)) or (
        isinstance(node, ast.comprehension) and bool(node.is_async)
    )


def _lets_others_run(node: ast.AST, module: Module) -> bool:
    return isinstance(node, ast.Yield) or is_pause(node, module)


def _ends_after(node: ast.AST, loop: ast.For, module: Module) -> bool:
    """Is the loop left for certain once this await is over?"""
    statement = module.statement(node)
    while statement is not loop:
        if isinstance(statement, (ast.Return, ast.Raise)):
            return True
        around = module.parent(statement)
        if isinstance(around, (ast.Try, ast.TryStar, *LOOPS)) and around is not loop:
            return False
        if isinstance(around, ast.stmt):
            last = module.block(statement)[-1]
            if isinstance(last, (ast.Return, ast.Raise, ast.Break)):
                return True
        if around is None:
            return False
        statement = module.statement(around)
    return False


def _collection(iterable: ast.expr, module: Module) -> Collection | None:
    """The collection that a `for` goes through as it is, and not a copy of it."""
    match iterable:
        case ast.Call(func=ast.Attribute(value=mapping, attr=view), args=[], keywords=[]) if view in VIEWS:
            stored, item = _stored(mapping)
            if stored is None or module.instance_of(mapping) is not None:
                return None  # what a class of the file gives may be a copy
            return Collection(iterable, stored, item, "builtins.dict")
        case ast.Call(args=arguments) if module.callee(iterable) in WALKS:
            found = (_collection(argument, module) for argument in arguments)
            return next((collection for collection in found if collection), None)
    stored, item = _stored(iterable)
    return Collection(iterable, stored, item, module.type_of(iterable)) if stored is not None else None


def _stored(expression: ast.expr) -> tuple[Stored | None, str | None]:
    """The variable or attribute that an expression is, or is an item of; and which item."""
    match expression:
        case ast.Name() | ast.Attribute():
            return expression, None
        case ast.Subscript(value=ast.Name() | ast.Attribute() as outer, slice=key):
            return outer, _constant(key)
        case ast.Call(
            func=ast.Attribute(value=ast.Name() | ast.Attribute() as outer, attr="get" | "setdefault"), args=[key, *_]
        ):
            return outer, _constant(key)
    return None, None


def _constant(key: ast.expr) -> str:
    """What stands for the same item each time, as far as that can be seen; else nothing."""
    named = isinstance(key, ast.Constant) or (isinstance(key, ast.Name) and key.id.isupper())
    return ast.unparse(key) if named else ""


def _may_be_same_item(one: str | None, other: str | None) -> bool:
    return one == other or (one is not None and other is not None and "" in (one, other))


def _name(stored: Stored) -> str:
    return stored.id if isinstance(stored, ast.Name) else stored.attr


def _hurts(
    change: Change, collection: Collection, function: ast.AsyncFunctionDef, loop: ast.AST, module: Module
) -> bool:
    """Does this change spoil a loop through a collection of this kind, and may it come at any time?"""
    changing = module.function(change.place)
    assert isinstance(changing, (ast.FunctionDef, ast.AsyncFunctionDef))  # as in Changes.of
    coroutine = isinstance(changing, ast.AsyncFunctionDef)
    if is_closing(function) and coroutine and not (change.takes and _mentions(loop, changing.name)):
        return False  # when all is closed, no task is left that would run it
    if not change.takes:
        return collection.kind in GROWING_BY_KEY and coroutine
    if collection.kind is None:
        return change.method == "discard"
    return collection.kind in NOTICING


def _may_come(change: Change, collection: Collection, loop: ast.For | Comprehension, module: Module) -> bool:
    """May this change be made while the loop waits?"""
    state = _state(collection.stored, module)
    if isinstance(loop, ast.For) and yields(*loop.body) and state.home is None:
        return True  # who takes the items may do so
    origins = module.analysis(Origins)
    if not change.takes and all(map(origins.has_only_friends, _functions(loop, change.place, module=module))):
        return False  # who fills it, and goes over it, knows in which order
    return origins.may_meet(loop, change.place, state)


def _functions(*nodes: ast.AST, module: Module) -> Iterator[FunctionDef]:
    around = (module.function(node) for node in nodes)
    return (function for function in around if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)))


def _state(stored: Stored, module: Module) -> State:
    """Whose a collection is that is held by this."""
    if isinstance(stored, ast.Attribute):
        return State(of_self=True)
    homes = {module.function(bound) for bound in module.bindings(stored) or ()}
    home = homes.pop() if len(homes) == 1 else None
    return State(home if isinstance(home, (ast.FunctionDef, ast.AsyncFunctionDef)) else None)


def _mentions(loop: ast.AST, name: str) -> bool:
    return any(name == getattr(node, "attr", getattr(node, "id", None)) for node in ast.walk(loop))
