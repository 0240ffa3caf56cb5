"""`self.total += await f()` reads the old value, waits, and then writes over what others have written meanwhile.

Python takes the value of the left side first. Then the coroutine waits, and other tasks run, which change the same
state. When it goes on, it adds to the value of long ago, and what the others did is lost: of many increments that run
at once one is left. That a program has only one thread does not help: each `await` is a place where tasks take turns.

```python run
import asyncio


class Visits:
    def __init__(self):
        self.total = 0

    async def count(self, page):
        self.total += await page()

    async def count_well(self, page):
        seen = await page()
        self.total += seen


async def page():
    await asyncio.sleep(0.01)
    return 1


async def main():
    visits = Visits()
    await asyncio.gather(*(visits.count(page) for _ in range(10)))
    print("ten visits, counted:", visits.total)
    visits = Visits()
    await asyncio.gather(*(visits.count_well(page) for _ in range(10)))
    print("awaited first:", visits.total)


asyncio.run(main())
```

```text
ten visits, counted: 1
awaited first: 10
```

```python bad
class Visits:
    def __init__(self):
        self.total = 0

    async def count(self, page):
        self.total += await page.visits()
```

```python good
class Visits:
    def __init__(self):
        self.total = 0

    async def count(self, page):
        value = await page.visits()
        self.total += value
```

Written in full it is the same:

```python bad
class Basket:
    async def add(self, item):
        self.items = self.items + await item.parts()
```

```python good
class Basket:
    async def add(self, item):
        value = await item.parts()
        self.items = self.items + value
```

And so it is where the old value is kept by hand:

```python bad
import asyncio

class Counter:
    async def add(self):
        count = self.count
        await asyncio.sleep(0)
        self.count = count + 1
```

```python good
import asyncio

class Counter:
    async def add(self):
        await asyncio.sleep(0)
        self.count += 1
```

Reported are attributes of `self`, variables of the module and of the function around, and items of those, where the
value is known to be a number, a text or the like. A list, set or dict that is extended by `+=` or `|=` loses nothing.
Nothing is said under an asyncio lock, nor where the file starts only one task that comes here, and nobody else changes
the attribute.

## Fix

Safe: what is awaited gets a name, and the update happens in one step after it, in which no other task can come
between. No fix is offered where a call stands to the left of the await, which would then run after it, and where the
old value was taken in a statement of its own.

## When to ignore

Where no two tasks ever run this code at the same time.

## Other tools

None known for Python. ESLint's `require-atomic-updates` reports the like in JavaScript.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.freenames import unused
from ..analysis.origins import Origins, State
from ..analysis.shared import Guards, is_opening, is_shared
from ..flow import suspends
from ..knowledge.containers import VALUES
from ..module import Module
from ..needs import Need
from ..rule import Fix, Related, Report, replace, rule
from ..signs import AWAIT
from ..signs.updates import UPDATE

OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.BitOr: "|", ast.BitAnd: "&", ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>",
}  # fmt: skip
# Values that `+=` replaces by another, rather than to change them.
REPLACED = VALUES - {"builtins.bytearray"} | {
    "builtins.tuple", "builtins.frozenset", "decimal.Decimal", "fractions.Fraction", "datetime.timedelta",
    "datetime.datetime",
}  # fmt: skip
# What these give is a number.
NUMBERS = frozenset(f"builtins.{name}" for name in ("len", "int", "float", "round", "abs", "bool"))
MESSAGE = "`{}` is read before the await and written after it: what others do to it meanwhile is lost"


@rule("AIO504", "stale-update", ast.AugAssign, ast.Assign, needs=(Need((AWAIT, UPDATE)),))
def stale_update(update: ast.stmt, module: Module) -> Iterator[Report]:
    """Report updates of shared state that wait between reading and writing it."""
    match update:
        case ast.AugAssign(target=target, op=op, value=late) if suspends(late):
            before: ast.expr | None = None
            lost = _is_replaced(target, late, module)
        case ast.Assign(targets=[target], value=ast.BinOp(left=before, op=op, right=late)) if suspends(late):
            lost = not suspends(before) and any(_same(node, target) for node in ast.walk(before))
        case ast.Assign(targets=[target], value=ast.BinOp() as total):
            yield from _taken_earlier(update, target, total, module)
            return
        case _:
            return
    if not lost or not _may_be_changed(target, update, module):
        return
    message = MESSAGE.format(ast.unparse(target))
    if any(
        isinstance(node, (ast.Call, ast.Await, ast.NamedExpr))
        for part in (target, before)
        if part
        for node in ast.walk(part)
    ):
        yield Report(update, message, refusal="what stands to the left of the await would run after it")
        return
    value = unused("value", module.function(update) or module.tree)
    sign = OPERATORS[type(op)]
    if before is None:
        edit = replace(update, f"{value} = {{late}}\n{{target}} {sign}= {value}", late=late, target=target)
    else:
        edit = replace(
            update,
            f"{value} = {{late}}\n{{target}} = {{before}} {sign} {value}",
            late=late,
            target=target,
            before=before,
        )
    yield Report(update, message, Fix(edit))


def _may_be_changed(target: ast.expr, update: ast.stmt, module: Module) -> bool:
    """May another task change this, too, and at any time?"""
    function = module.function(update)
    if function is None or not is_shared(target, module) or module.analysis(Guards).is_guarded(update):
        return False
    return not isinstance(function, ast.AsyncFunctionDef) or not _is_one_tasks(target, update, function, module)


def _is_one_tasks(target: ast.expr, update: ast.stmt, function: ast.AsyncFunctionDef, module: Module) -> bool:
    """Is all that changes this attribute of `self` done by one task, in turn?"""
    origins = module.analysis(Origins)
    if not isinstance(target, ast.Attribute) or not origins.has_a_task(function):
        return False
    stores = module.assignments(target) or ()
    late = (store for store in stores if not _is_made_first(store, module))
    return bool(stores) and not any(origins.may_meet(update, store, State(of_self=True)) for store in late)


def _is_made_first(store: ast.AST, module: Module) -> bool:
    """Is this where an object, or its class, begins?"""
    function = module.function(store)
    return function is None or (isinstance(function, ast.FunctionDef) and is_opening(function))


def _taken_earlier(update: ast.stmt, target: ast.expr, value: ast.BinOp, module: Module) -> Iterator[Report]:
    """`n = self.total`, an await, and then `self.total = n + 1`."""
    for operand in (value.left, value.right):
        match module.bindings(operand) if isinstance(operand, ast.Name) else None:
            case [ast.Name() as bound] if (read := module.value(bound)) is not None and _same(read, target):
                block = module.block(update)
                taken = module.statement(bound)
                between = block[block.index(taken) + 1 : block.index(update)] if taken in block else []
                if suspends(*between) and _may_be_changed(target, update, module):
                    refusal = "whether to read it anew after the await, or to lock it, is yours to decide"
                    related = (Related(taken, "its value is taken here"),)
                    yield Report(update, MESSAGE.format(ast.unparse(target)), refusal=refusal, related=related)
                return


def _same(node: ast.AST, target: ast.expr) -> bool:
    """Does this read what is written to?"""
    return type(node) is type(target) and ast.unparse(node) == ast.unparse(target)


def _is_replaced(target: ast.expr, value: ast.expr, module: Module) -> bool:
    """Does the operator make a new value of the old one, and not add to a collection that stays the same?"""
    if module.type_of(target) in REPLACED or _is_number(value, module) or _begins_replaced(target, module):
        return True
    match target:
        case ast.Subscript(value=ast.Name() | ast.Attribute() as collection):
            made = [module.value(node) for node in module.bindings(collection) or ()]
            return bool(made) and all(_counts(call, module) for call in made)
    return False


def _begins_replaced(target: ast.expr, module: Module) -> bool:
    """Is every plain value that a variable is given one that is replaced?"""
    if not isinstance(target, (ast.Name, ast.Attribute)):
        return False
    given = [node for node in module.bindings(target) or () if not isinstance(module.parent(node), ast.AugAssign)]
    values = [module.value(node) for node in given]
    return bool(values) and all(value is not None and module.type_of(value) in REPLACED for value in values)


def _is_number(value: ast.expr, module: Module) -> bool:
    match value:
        case ast.Call():
            return module.callee(value) in NUMBERS
        case ast.BinOp(left=left, op=op, right=right):
            plain = not isinstance(op, (ast.Mult, ast.Mod))  # of which one side may be a list or a text
            return plain and (_is_number(left, module) or _is_number(right, module))
        case ast.IfExp(body=body, orelse=orelse):
            return _is_number(body, module) and _is_number(orelse, module)
    return module.type_of(value) in REPLACED


def _counts(made: ast.expr | None, module: Module) -> bool:
    """Is this a collection whose items begin as numbers: a Counter, a `defaultdict(int)`?"""
    if not isinstance(made, ast.Call):
        return False
    name = module.callee(made)
    return name == "collections.Counter" or (
        name == "collections.defaultdict"
        and any(module.name(a) in ("builtins.int", "builtins.float") for a in made.args[:1])
    )
