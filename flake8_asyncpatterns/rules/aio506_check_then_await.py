"""What was missing when it was looked for is put in its place after an await: several tasks do so at once.

`if self._client is None: self._client = await connect()` is meant to connect once. While the first task waits for its
connection, a second one comes along, finds that there is still none, and connects as well. What the first has made is
overwritten, and never closed; and those who got hold of it go on with another than the rest.

```python run
import asyncio


class Service:
    def __init__(self):
        self.client = None
        self.lock = asyncio.Lock()
        self.connected = 0

    async def connect(self):
        await asyncio.sleep(0.01)
        self.connected += 1
        return object()

    async def get(self):
        if self.client is None:
            self.client = await self.connect()
        return self.client

    async def get_well(self):
        async with self.lock:
            if self.client is None:
                self.client = await self.connect()
            return self.client


async def main():
    for get in (Service.get, Service.get_well):
        service = Service()
        clients = await asyncio.gather(*(get(service) for _ in range(3)))
        print(get.__name__, "connected", service.connected, "times:", len(set(clients)), "clients are in use")


asyncio.run(main())
```

```text
get connected 3 times: 3 clients are in use
get_well connected 1 times: 1 clients are in use
```

```python bad
class Service:
    def __init__(self):
        self._client = None

    async def client(self):
        if self._client is None:
            self._client = await self.connect()
        return self._client
```

```python good
import asyncio

class Service:
    def __init__(self):
        self._client = None
        self._connecting = asyncio.Lock()

    async def client(self):
        async with self._connecting:
            if self._client is None:
                self._client = await self.connect()
        return self._client
```

Caches are the same; there, keep the task rather than its result, and all who come later await the same one:

```python bad
class Loader:
    def __init__(self):
        self.cache = {}

    async def get(self, key):
        if key not in self.cache:
            self.cache[key] = await self.load(key)
        return self.cache[key]
```

```python good
import asyncio

class Loader:
    def __init__(self):
        self.cache = {}

    async def get(self, key):
        if key not in self.cache:
            self.cache[key] = asyncio.create_task(self.load(key))
        return await self.cache[key]
```

Nothing is said under a lock, where something is put in place before the await, where it is looked for again after it,
in functions that by their name start or end something, and where the file starts only one task that comes here.

## Fix

None: whether a lock, a task that all share, or nothing at all is right depends on what it costs to do the work twice.

## When to ignore

Where only one task comes here, or where it does no harm that two do the same: that cannot be told from the code, which
is why the rule is off by default.

## Other tools

None known for Python. ESLint's `require-atomic-updates` reports the like in JavaScript.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.origins import Origins
from ..analysis.shared import Guards, is_closing, is_opening, is_shared
from ..flow import position, within
from ..module import Module
from ..needs import Need, words
from ..rule import Related, Report, rule
from ..signs import ASYNC
from ..tuples import NamedTuple


class Looked(NamedTuple):
    """What a condition looks for: a variable or an attribute, or, with `key`, an item of it."""

    stored: ast.expr
    key: ast.expr | None = None

    def names(self, node: ast.AST) -> bool:
        """Is this what was looked for?"""
        if self.key is not None:
            match node:
                case ast.Subscript(value=value, slice=key):
                    return _same(value, self.stored) and _same(key, self.key)
            return False
        return isinstance(node, ast.expr) and _same(node, self.stored)


@rule("AIO506", "check-then-await", ast.If, default=False, needs=(Need((ASYNC, words("if"))),))
def check_then_await(check: ast.If, module: Module) -> Iterator[Report]:
    """Report what is looked for before an await, and put in place after it."""
    function = module.coroutine(check)
    if function is None or is_opening(function) or is_closing(function):
        return
    for looked, region in _missing(check, module):
        if not is_shared(looked.stored, module) or module.analysis(Guards).is_guarded(check):
            continue
        if _is_one_tasks(looked.stored, function, module) or _is_set_before(looked, check, function, module):
            continue
        found = _set_late(looked, region, module)
        if found is not None and not module.analysis(Guards).is_guarded(found):
            what = ast.unparse(found)
            message = f"`{what}` is looked for before the await and set after it: tasks that come at once all do so"
            yield Report(check.test, message, related=(Related(found, "it is set here, after an await"),))
            return


def _is_one_tasks(stored: ast.expr, function: ast.AsyncFunctionDef, module: Module) -> bool:
    """Does one task alone come here, or is this a variable of the function around, which runs this in no other task?"""
    origins, around = module.analysis(Origins), module.function(function)
    if isinstance(stored, ast.Name) and isinstance(around, ast.AsyncFunctionDef):
        return origins.has_a_task(function) or origins.is_part_of(function, around)
    return origins.has_a_task(function)


def _is_set_before(looked: Looked, check: ast.If, function: ast.AsyncFunctionDef, module: Module) -> bool:
    """Has each call just set this in any case, so that the condition asks how that went?"""
    statement: ast.AST | None = check
    while isinstance(statement, ast.stmt) and statement is not function:
        for earlier in module.above(statement):
            if isinstance(earlier, ast.Assign) and any(looked.names(target) for target in earlier.targets):
                return True
        statement = module.parent(statement)
    return False


def _missing(check: ast.If, module: Module) -> Iterator[tuple[Looked, list[ast.stmt]]]:
    """What a condition finds missing, and the statements that run then."""
    for looked in _absent(check.test):
        yield looked, check.body
    match check.body:
        case [*_, ast.Return(value=ast.expr() as given)]:
            block = module.block(check)
            rest = check.orelse or block[block.index(check) + 1 :]
            for looked in _present(check.test):
                if any(looked.names(node) for node in ast.walk(given)):
                    yield looked, rest


def _absent(test: ast.expr) -> Iterator[Looked]:
    """What may be missing where this condition holds."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from _present(operand)
        case ast.BoolOp(values=values):
            for value in values:
                yield from _absent(value)
        case ast.Compare(left=left, ops=[ast.Is() | ast.Eq()], comparators=[ast.Constant(value=None)]):
            yield from _present(left)
        case ast.Compare(left=key, ops=[ast.NotIn()], comparators=[ast.Name() | ast.Attribute() as stored]):
            yield Looked(stored, key)


def _present(test: ast.expr) -> Iterator[Looked]:
    """What may be there where this condition holds."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from _absent(operand)
        case ast.BoolOp(values=values):
            for value in values:
                yield from _present(value)
        case ast.Compare(left=left, ops=[ast.IsNot() | ast.NotEq()], comparators=[ast.Constant(value=None)]):
            yield from _present(left)
        case ast.Compare(left=key, ops=[ast.In()], comparators=[ast.Name() | ast.Attribute() as stored]):
            yield Looked(stored, key)
        case ast.Call(func=ast.Attribute(value=ast.Name() | ast.Attribute() as stored, attr="get"), args=[key, *_]):
            yield Looked(stored, key)
        case ast.Call(func=ast.Name(id="hasattr"), args=[ast.Name() as owner, ast.Constant(value=str(name))]):
            yield Looked(ast.Attribute(owner, name, ast.Load()))
        case ast.Name() | ast.Attribute():
            yield Looked(test)


def _set_late(looked: Looked, region: list[ast.stmt], module: Module) -> ast.expr | None:
    """Where what was looked for is first set, if that is after an await, and it was not looked for again."""
    inside = list(within(*region))
    stored = [n for n in inside if isinstance(getattr(n, "ctx", None), ast.Store) and looked.names(n)]
    if not stored:
        return None
    target = min((node for node in stored if isinstance(node, ast.expr)), key=position)
    setting = module.statement(target)
    waits = [n for n in inside if _is_wait(n) and (position(n) < position(setting) or n in {*ast.walk(setting)})]
    waits = [wait for wait in waits if not _leaves_out(module.statement(wait), target, module)]
    made = setting.value if isinstance(setting, (ast.Assign, ast.AnnAssign)) else None
    if not waits or made is None or isinstance(made, ast.Constant):
        return None
    first = min(position(wait) for wait in waits)
    again = (
        n for n in inside if isinstance(n, (ast.If, ast.While, ast.Assert)) and first < position(n) < position(setting)
    )
    return None if any(looked.names(inner) for node in again for inner in ast.walk(node.test)) else target


def _is_wait(node: ast.AST) -> bool:
    return isinstance(node, (ast.Await, ast.AsyncFor, ast.AsyncWith))


def _leaves_out(statement: ast.stmt, target: ast.expr, module: Module) -> bool:
    """Does the branch that a statement stands in end without coming to the target?"""
    around = {*module.ancestors(target)}
    while module.parent(statement) not in around:
        block = module.block(statement) if isinstance(module.parent(statement), ast.stmt) else [statement]
        if isinstance(block[-1], (ast.Return, ast.Raise, ast.Break, ast.Continue)):
            return True
        parent = module.parent(statement)
        if parent is None:
            return False
        statement = module.statement(parent)
    return False


def _same(one: ast.expr, other: ast.expr) -> bool:
    return ast.unparse(one) == ast.unparse(other)
