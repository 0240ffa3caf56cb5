"""`asyncio.wait()` takes tasks and futures, and no coroutines.

It made tasks of coroutines until Python 3.10, and gave back these tasks, which nobody had ever seen before: to look for
the coroutine in `done` never worked. It is a TypeError since Python 3.11.

```python run
import asyncio


async def answer(number):
    return number


async def main():
    first, second = answer(1), answer(2)
    try:
        await asyncio.wait([first, second])
    except TypeError as error:
        print(type(error).__name__)
    done, pending = await asyncio.wait([asyncio.create_task(first), asyncio.create_task(second)])
    print(sorted(task.result() for task in done), len(pending))


asyncio.run(main())
```

```text
TypeError
[1, 2] 0
```

```python bad
import asyncio


async def fetch(url):
    await asyncio.sleep(1)
    return url


async def first_of(url, other, timeout):
    done, pending = await asyncio.wait(
        [fetch(url), fetch(other)],
        timeout=timeout,
        return_when=asyncio.FIRST_COMPLETED,
    )
    for task in pending:
        task.cancel()
    return [task.result() for task in done]
```

```python good
import asyncio


async def fetch(url):
    await asyncio.sleep(1)
    return url


async def first_of(url, other, timeout):
    done, pending = await asyncio.wait(
        [asyncio.create_task(fetch(url)), asyncio.create_task(fetch(other))],
        timeout=timeout,
        return_when=asyncio.FIRST_COMPLETED,
    )
    for task in pending:
        task.cancel()
    return [task.result() for task in done]
```

Coroutines are also found where a list of them is built first:

```python bad
import asyncio


async def fetch(url):
    await asyncio.sleep(1)
    return url


async def fetch_all(urls, limit):
    jobs = []
    for url in urls:
        jobs.append(fetch(url))
    done, late = await asyncio.wait(jobs, timeout=limit)
    for job in late:
        job.cancel()
    return [job.result() for job in done]
```

```python good
import asyncio


async def fetch(url):
    await asyncio.sleep(1)
    return url


async def fetch_all(urls, limit):
    jobs = []
    for url in urls:
        jobs.append(asyncio.create_task(fetch(url)))
    done, late = await asyncio.wait(jobs, timeout=limit)
    for job in late:
        job.cancel()
    return [job.result() for job in done]
```

## Fix

Safe: each coroutine becomes `asyncio.create_task(…)` where it is made. That needs a running loop. Outside of a
coroutine it is `loop.create_task(…)` if `loop.run_until_complete(asyncio.wait(…))` says which loop; otherwise there is
no fix.

Calls beside them of which nothing is known become `asyncio.ensure_future(…)`, as `asyncio.wait()` itself made them
before Python 3.11: that leaves tasks and futures as they are.

Where all results are wanted, `asyncio.gather()` or `asyncio.TaskGroup` (Python 3.11) say so in fewer words.

## When to ignore

Never, if the code is to run on Python 3.11.

## Other tools

None that we know of looks for it; type checkers report the type of the argument.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.callbacks import COROUTINE, result
from ..analysis.starts import in_coroutine
from ..analysis.tasks import is_fresh, maker
from ..analysis.versions import reaches
from ..knowledge.awaitables import COROUTINE as DECORATOR
from ..knowledge.coroutines import COROUTINES
from ..knowledge.decorators import SAME_RESULT
from ..knowledge.removed import COROUTINES_TO_WAIT, WAIT
from ..module import Module
from ..needs import calls
from ..rule import Edit, Fix, Replace, Report, Symbol, replace, rule
from ..signs import HAS_ARGUMENTS

MESSAGE = "`asyncio.wait()` takes no coroutines since Python 3.11; make tasks of them"
NO_LOOP = "tasks need a running loop; call `asyncio.wait()` in a coroutine"
SAME_ITEMS = frozenset({"builtins.list", "builtins.tuple", "builtins.set", "builtins.frozenset", "builtins.sorted"})
ADDS_ONE, ADDS_MORE = frozenset({"append", "add", "insert", "appendleft"}), frozenset({"extend", "update"})
ALIAS_DEPTH = 4


@rule("AIO405", "wait-on-coroutines", ast.Call, plain=True, needs=calls({WAIT}, HAS_ARGUMENTS))
def wait_on_coroutines(call: ast.Call, module: Module) -> Iterator[Report]:
    """Report calls of `asyncio.wait` that are given coroutines."""
    if isinstance(call.func, ast.Attribute) and call.func.attr != "wait":
        return
    given = call.args[0] if call.args else next((k.value for k in call.keywords if k.arg == "fs"), None)
    if given is None or module.callee(call) != WAIT or not reaches(call, module, COROUTINES_TO_WAIT.removed):
        return
    coroutines = list(dict.fromkeys(_coroutines(given, module)))
    if not coroutines:
        return
    if in_coroutine(call, module):
        unknown = (_as_future(item) for item in _unknown_beside(coroutines, module))
        yield Report(call, MESSAGE, Fix(*(_as_task(coroutine) for coroutine in coroutines), *unknown))
        return
    loop = _loop(call, module)
    edits: list[Edit] = [
        replace(c, "{loop}.create_task({coroutine})", loop=loop, coroutine=c) for c in coroutines if loop
    ]
    yield Report(call, MESSAGE, Fix(*edits) if edits else None, "" if edits else NO_LOOP)


def _as_task(coroutine: ast.expr) -> Replace:
    return replace(
        coroutine, "{create_task}({coroutine})", create_task=Symbol("asyncio.create_task"), coroutine=coroutine
    )


def _as_future(item: ast.expr) -> Replace:
    """What `asyncio.wait` did by itself before Python 3.11, whatever this is."""
    return replace(item, "{ensure_future}({item})", ensure_future=Symbol("asyncio.ensure_future"), item=item)


def _unknown_beside(coroutines: list[ast.expr], module: Module) -> Iterator[ast.expr]:
    """The calls in the same lists that may give coroutines, too: mended by halves, the mistake would only be hidden."""
    lists = dict.fromkeys(map(module.parent, coroutines))
    items = (item for one in lists if isinstance(one, (ast.List, ast.Tuple, ast.Set)) for item in one.elts)
    for item in items:
        unknown = isinstance(item, ast.Call) and item not in coroutines and maker(item.func, module) is None
        if unknown and is_fresh(item, module):
            yield item


def _loop(call: ast.Call, module: Module) -> ast.expr | None:
    """The loop that runs `asyncio.wait` outside of a coroutine, where it has a name."""
    match module.parent(call):
        case ast.Call(func=ast.Attribute(value=ast.Name() | ast.Attribute() as loop, attr="run_until_complete")):
            return loop
    return None


def _coroutines(given: ast.expr, module: Module, depth: int = ALIAS_DEPTH) -> Iterator[ast.expr]:
    """The expressions by which coroutines come into a collection."""
    match given:
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            for item in items:
                if isinstance(item, ast.Starred):
                    yield from _coroutines(item.value, module, depth)
                elif _is_coroutine(item, module):
                    yield item
        case ast.ListComp(elt=item) | ast.SetComp(elt=item) | ast.GeneratorExp(elt=item):
            if _is_coroutine(item, module):
                yield item
        case ast.BinOp(op=ast.Add() | ast.BitOr(), left=left, right=right):
            yield from _coroutines(left, module, depth)
            yield from _coroutines(right, module, depth)
        case ast.Call(args=[items], keywords=[]) if module.callee(given) in SAME_ITEMS:
            yield from _coroutines(items, module, depth)
        case ast.Name() if depth:
            yield from _kept(given, module, depth - 1)


def _is_coroutine(item: ast.expr, module: Module) -> bool:
    if isinstance(item, ast.Name):
        match module.bindings(item):
            case [ast.Name() as bound] if isinstance(value := module.value(bound), ast.Call):
                return module.function(bound) is module.function(item) and _is_coroutine(value, module)
        return False
    if not isinstance(item, ast.Call):
        return False
    made = module.definition(item.func)
    if isinstance(made, ast.FunctionDef) and made.decorator_list:
        names = {module.name(decorator) for decorator in made.decorator_list}
        return DECORATOR in names and names <= SAME_RESULT | {DECORATOR}
    return result(item, module) == COROUTINE or _is_method_of_all(item.func, module)


def _is_method_of_all(method: ast.expr, module: Module) -> bool:
    """Is this `x.ready.wait`, where all that the file ever puts into an attribute `ready` is an `asyncio.Event`?"""
    match method:
        case ast.Attribute(value=ast.Attribute(attr=name)):
            stored = [node for node in module.attributes(name) if isinstance(node.ctx, ast.Store)]
            kinds = {module.type_of(node) for node in stored}
            return len(kinds) == 1 and f"{kinds.pop()}.{method.attr}" in COROUTINES
    return False


def _kept(name: ast.Name, module: Module, depth: int) -> Iterator[ast.expr]:
    """The coroutines in a collection that this function builds; none where it may hold something else by then."""
    found: list[ast.expr] = []
    for bound in module.bindings(name) or ():
        if module.function(bound) is not module.function(name) or isinstance(bound, ast.arg):
            return
        value, around = module.value(bound), module.parent(bound)
        if value is not None:
            inside = list(_coroutines(value, module, depth))
            if not inside and not _is_empty(value, module):
                return
            found += inside
        elif isinstance(around, ast.AugAssign):
            found += _coroutines(around.value, module, depth)
        elif not isinstance(around, ast.Tuple):  # `done, pending = await asyncio.wait(pending)`
            return
    for use in module.uses(name):
        match module.parent(use):
            case ast.Attribute(attr=method) as attribute:
                call = module.parent(attribute)
                if isinstance(call, ast.Call) and call.func is attribute and call.args:
                    if method in ADDS_ONE and _is_coroutine(call.args[-1], module):
                        found.append(call.args[-1])
                    elif method in ADDS_MORE:
                        found += _coroutines(call.args[0], module, depth)
    yield from found


def _is_empty(value: ast.expr, module: Module) -> bool:
    match value:
        case ast.List(elts=[]) | ast.Tuple(elts=[]):
            return True
        case ast.Call(args=[], keywords=[]):
            return module.callee(value) in SAME_ITEMS
    return False
