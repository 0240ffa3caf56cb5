"""`with` or `for` where only `async with` or `async for` works.

A lock of asyncio, a client session, an asynchronous generator: to enter or to iterate over them means to wait, so
they have no `__enter__` and no `__iter__`. `with` and `for` raise when they are reached, which may be late: in the one
branch that no test runs.

```python run
import asyncio


async def numbers():
    for number in range(3):
        await asyncio.sleep(0)
        yield number


async def main():
    try:
        for number in numbers():
            print(number)
    except TypeError as error:
        print(error)
    async for number in numbers():
        print(number)


asyncio.run(main())
```

```text
'async_generator' object is not iterable
0
1
2
```

```python bad
import asyncio

class Cache:
    def __init__(self):
        self.lock = asyncio.Lock()

    async def pages(self):
        while page := await self.read():
            yield page

    async def fill(self):
        with self.lock:
            for page in self.pages():
                self.keep(page)
        return [page.title for page in self.pages()]
```

```python good
import asyncio

class Cache:
    def __init__(self):
        self.lock = asyncio.Lock()

    async def pages(self):
        while page := await self.read():
            yield page

    async def fill(self):
        async with self.lock:
            async for page in self.pages():
                self.keep(page)
        return [page.title async for page in self.pages()]
```

Reported, in coroutines: asyncio's locks, `asyncio.timeout`, `asyncio.TaskGroup`, `StreamReader`; what
`@contextlib.asynccontextmanager`, asynchronous generators and classes of the same file make; and those of well-known
libraries, such as `aiohttp.ClientSession` and `httpx.AsyncClient`. `with await lock`, which Python had up to 3.8, is
AIO408's.

## Fix

Safe, because the old code could only raise: `async with`, `async for`. No fix where one `with` has managers of both
kinds: write two.

## When to ignore

In code for a Python before 3.9, or for old versions of a library, whose objects supported both.

## Other tools

Type checkers report it, where they know the type.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.callbacks import arguments
from ..analysis.coroutines import given_by
from ..analysis.fates import is_deliberate
from ..knowledge.asynchronous import ITERABLES, MAKE_ITERATORS, MAKE_MANAGERS, MANAGERS
from ..module import Module
from ..needs import Need, calls, either, things, words
from ..rule import Fix, MakeAsync, Report, replace, rule
from ..signs import ASYNC, FOR, WITH, YIELD, idle

ASYNCHRONOUS = either(
    things(MANAGERS, ASYNC, WITH),
    calls(MAKE_MANAGERS, ASYNC, WITH),
    things(ITERABLES, ASYNC, FOR),
    calls(MAKE_ITERATORS, ASYNC, FOR),
    (
        Need((ASYNC, WITH, words("asynccontextmanager", "__aenter__"))),
        Need((ASYNC, FOR, YIELD, frozenset({idle.own}))),
        Need((ASYNC, FOR, words("__aiter__"))),
        Need((ASYNC, FOR), abroad=True),
    ),
)


@rule("AIO214", "sync-with-on-async", ast.With, ast.For, ast.ListComp, ast.SetComp, ast.DictComp, needs=ASYNCHRONOUS)
def sync_with_on_async(node: ast.AST, module: Module) -> Iterator[Report]:
    """Report `with` and `for` on what takes only `async with` and `async for`."""
    if module.coroutine(node) is None:
        return
    match node:
        case ast.With():
            yield from _with(node, module)
        case ast.For(iter=values) if _is_async_iterable(values, module) and not is_deliberate(node, module):
            yield Report(values, _iterated(values), Fix(MakeAsync(node)))
        case ast.ListComp() | ast.SetComp() | ast.DictComp():
            for generator in node.generators:
                wrong = not generator.is_async and _is_async_iterable(generator.iter, module)
                if wrong and not is_deliberate(node, module):
                    yield _comprehension(node, generator, module)


def _with(node: ast.With, module: Module) -> Iterator[Report]:
    wrong = [item.context_expr for item in node.items if _is_async_manager(item.context_expr, module)]
    if not wrong or is_deliberate(node.body[0], module):
        return
    fix = Fix(MakeAsync(node)) if len(wrong) == len(node.items) else None
    for manager in wrong:
        message = f"`{ast.unparse(manager)}` can be entered with `async with` only"
        yield Report(manager, message, fix, "" if fix else "there are plain managers in the same `with`")


def _comprehension(
    node: ast.ListComp | ast.SetComp | ast.DictComp, generator: ast.comprehension, module: Module
) -> Report:
    message = _iterated(generator.iter)
    if len(node.generators) > 1 or generator.ifs or not isinstance(node, ast.ListComp):
        return Report(generator.iter, message, refusal="write `async for` in the comprehension")
    target = generator.target
    targets = target.elts if isinstance(target, ast.Tuple) and len(target.elts) > 1 else [target]
    if any(isinstance(t, ast.Starred) for t in targets):
        return Report(generator.iter, message, refusal="write `async for` in the comprehension")
    names = arguments("t", targets)
    template = f"[{{element}} async for {names.text} in {{values}}]"
    edit = replace(node, template, element=node.elt, values=generator.iter, **names.holes)
    return Report(generator.iter, message, Fix(edit))


def _iterated(values: ast.expr) -> str:
    return f"`{ast.unparse(values)}` can be iterated over with `async for` only"


def _is_async_manager(manager: ast.expr, module: Module) -> bool:
    if isinstance(manager, ast.Call):
        if module.callee(manager) in MAKE_MANAGERS:
            return True
        definition = module.definition(manager.func)
        if isinstance(definition, (ast.FunctionDef, ast.AsyncFunctionDef)):
            outermost = definition.decorator_list[:1]
            return any(module.name(d) == "contextlib.asynccontextmanager" for d in outermost)
        if isinstance(definition, ast.ClassDef):
            return _has_only(definition, "__aenter__", ("__enter__",), module)
    return module.type_of(manager) in MANAGERS


def _is_async_iterable(values: ast.expr, module: Module) -> bool:
    if isinstance(values, ast.Call):
        if module.callee(values) in MAKE_ITERATORS or given_by(values, module) == "async generator":
            return True
        definition = module.definition(values.func)
        if isinstance(definition, ast.ClassDef):
            return _has_only(definition, "__aiter__", ("__iter__", "__getitem__"), module)
    return module.type_of(values) in ITERABLES


def _has_only(cls: ast.ClassDef, wanted: str, others: tuple[str, ...], module: Module) -> bool:
    """Does a class of this file, whose bases are all known, have this method and none of those?"""
    bases = module.bases(cls)
    if any(base is None or base.decorator_list or base.keywords for base in bases):
        return False
    names = {
        bound
        for base in bases
        if base
        for statement in ast.walk(base)
        for bound in (getattr(statement, "name", None), getattr(statement, "id", None))
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Name))
    }
    return wanted in names and not names.intersection(others)
