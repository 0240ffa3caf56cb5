"""A generator-based coroutine, of the time before `async def`.

`asyncio.coroutine` was deprecated in Python 3.8 and is gone since 3.11: a module that uses it does not even import
there. `types.coroutine` still exists; a generator that does nothing but drive awaitables has no need of it.

```python run
import asyncio
import types


def fetch():
    yield from asyncio.sleep(0)
    return "fetched"


async def main():
    try:
        print(await asyncio.coroutine(fetch)())
    except AttributeError as error:
        print("asyncio.coroutine:", type(error).__name__)
    try:
        await fetch()
    except TypeError as error:
        print("without a decorator:", type(error).__name__)
    print("types.coroutine:", await types.coroutine(fetch)())


asyncio.run(main())
```

```text
asyncio.coroutine: AttributeError
without a decorator: TypeError
types.coroutine: fetched
```

```python bad
import asyncio
import json

lock = asyncio.Lock()


@asyncio.coroutine
def fetch(reader):
    with (yield from lock):
        line = yield from reader.readline()
    return json.loads(line)
```

```python good
import asyncio
import json

lock = asyncio.Lock()


async def fetch(reader):
    async with lock:
        line = await reader.readline()
    return json.loads(line)
```

The decorator also awaited what a function without any `yield` returned:

```python bad
import asyncio


@asyncio.coroutine
def pause(seconds):
    return asyncio.sleep(seconds)
```

```python good
import asyncio


async def pause(seconds):
    return await asyncio.sleep(seconds)
```

What comes from elsewhere can only be taken for a lock, so that this needs `--unsafe`:

```python bad
import asyncio


@asyncio.coroutine
def pause(lock):
    with (yield from lock):
        yield from asyncio.sleep(1)
```

```python good
import asyncio


async def pause(lock):
    async with lock:
        await asyncio.sleep(1)
```

## Fix

The decorator goes, `def` becomes `async def`, `yield from` becomes `await`, `with (yield from lock)` becomes
`async with lock`, and a bare `yield` becomes `await asyncio.sleep(0)`. Functions that only work when they change
together are changed together, or not at all: overrides of one method in a class hierarchy, and generators without a
decorator that drive each other, because such a generator can neither drive a native coroutine nor be awaited.

The fix is safe where the file shows what is driven. It is unsafe where something must be taken for a lock, or where a
generator without a decorator has to change as well and drives what is not known to be awaitable.

There is no fix, and the reason is said, where a `yield` hands out a value, where a function without a `yield` returns
what may be a future, where the generator is driven by hand or another decorator may look at it, and for methods such
as `__iter__` that must stay generators. Other files are not looked at: a plain generator elsewhere that drives the
function, or a mock in a test that stands for it, has to be changed by hand. `asyncfix migrate` brings a whole program
over, and looks at all its files.

## When to ignore

In code that must still run on Python 3.4.

## Other tools

pyupgrade and ruff know nothing of generator-based coroutines; the interpreter said so with a DeprecationWarning from
3.8 to 3.10.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from ..analysis.generators import Generators
from ..knowledge.awaitables import COROUTINE, GENERATOR_COROUTINES
from ..module import Module
from ..needs import calls
from ..rule import Fix, FunctionDef, RemoveDecorator, Report, rule

DECORATED = calls(
    GENERATOR_COROUTINES, frozenset({re.compile(rb"coroutine(?<=[.,( \t]coroutine)[ \t]*(?:[,()\r\n#;]|as\b|$)")})
)
REMOVED = "`asyncio.coroutine` is gone since Python 3.11"


@rule(
    "AIO401",
    "generator-coroutine",
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.Call,
    plain=True,
    needs=DECORATED,
)
def generator_coroutine(node: ast.AST, module: Module) -> Iterator[Report]:
    """Report functions that a decorator makes coroutines."""
    if not module.analysis(_speaks_of_coroutines):
        return
    match node:
        case ast.Call(args=[_], keywords=[]) if module.name(node.func) == COROUTINE:
            refusal = "the decorator is called, so that what it makes a coroutine may be anything"
            yield Report(node, f"{REMOVED}; write `async def`", refusal=refusal)
        case ast.AsyncFunctionDef():
            for decorator in _coroutine_decorators(node, module):
                fix = Fix(RemoveDecorator(node, decorator), supersedes=(COROUTINE,))
                yield Report(node, f"{REMOVED}; `{node.name}` is a coroutine without it", fix)
        case ast.FunctionDef(decorator_list=[_, *_]):
            generators = module.analysis(Generators)
            conversion = generators.conversions.get(node)
            if conversion and conversion.decorators:
                old = any(True for _ in _coroutine_decorators(node, module))
                why = REMOVED if old else f"`{node.name}` only awaits"
                yield Report(node, f"{why}; write `async def`", generators.fixes.get(conversion), conversion.reason)


def _speaks_of_coroutines(module: Module) -> bool:
    """Does the word stand anywhere in the file? Whatever the decorator is called there, it was imported by its name."""
    return not module.text or "coroutine" in module.text


def _coroutine_decorators(function: FunctionDef, module: Module) -> Iterator[ast.expr]:
    return (decorator for decorator in function.decorator_list if module.name(decorator) == COROUTINE)
