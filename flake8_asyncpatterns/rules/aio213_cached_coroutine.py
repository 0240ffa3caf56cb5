"""A cache keeps a coroutine, which can be awaited only once.

A cache keeps what a function returns. Of a coroutine function that is the coroutine, and not its result: whoever asks
a second time gets the same one, and "cannot reuse already awaited coroutine" for awaiting it.

```python run
import asyncio
import functools


@functools.lru_cache(maxsize=None)
async def load(name):
    await asyncio.sleep(0)
    return name.upper()


async def main():
    print(await load("settings"))
    try:
        print(await load("settings"))
    except RuntimeError as error:
        print(error)


asyncio.run(main())
```

```text
SETTINGS
cannot reuse already awaited coroutine
```

```python bad
import functools

class Client:
    @functools.cached_property
    async def token(self):
        return await self.login()
```

```python good
import asyncio
import functools

class Client:
    @functools.cached_property
    def token(self):
        return asyncio.create_task(self.login())
```

So it is with an asynchronous generator, which is used up after the first time, with a plain function that returns the
coroutine of another, and where the cache is not a decorator: `load = functools.cache(load)`.

## Fix

None: a cache for coroutines has to decide what becomes of errors, of cancellation, and of those who ask while the
first is still being awaited. By hand: keep a task, as above, which any number may await (it keeps an exception, too;
and who awaits it should shield it, for a cancelled one cancels it for all), or take a cache made for it, such as
`async_lru.alru_cache`.

## When to ignore

Where what is kept is surely awaited no more than once for each set of arguments - but then nothing needs the cache.

## Other tools

flake8-bugbear's B019 and ruff's copy of it speak of caches on methods, for the memory they hold, coroutines or not.
Ruff and pylint have no rule for it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.coroutines import Coroutines, Kind
from ..knowledge.caches import CACHES, MAKE_CACHES
from ..module import Module
from ..needs import calls
from ..rule import Report, rule

KEPT: dict[Kind, str] = {
    "coroutine": "a coroutine, which can be awaited only once",
    "generator coroutine": "a coroutine, which can be awaited only once",
    "async generator": "an asynchronous generator, which can be iterated over only once",
}


@rule("AIO213", "cached-coroutine", ast.FunctionDef, ast.AsyncFunctionDef, ast.Call, needs=calls(CACHES | MAKE_CACHES))
def cached_coroutine(node: ast.AST, module: Module) -> Iterator[Report]:
    """Report `@functools.cache` on an `async def`."""
    if isinstance(node, ast.Call):
        yield from _called(node, module)
        return
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    for number, decorator in enumerate(node.decorator_list):
        cache = _cache(decorator, module)
        kept = (
            KEPT.get(module.analysis(Coroutines).below(node, node.decorator_list[number + 1 :]) or "generator")
            if cache
            else None
        )
        if kept:
            yield Report(decorator, f"`{cache}` keeps what `{node.name}` returns: {kept}")


def _called(call: ast.Call, module: Module) -> Iterator[Report]:
    """`functools.cache(load)`, `functools.lru_cache(maxsize=1)(load)`."""
    if len(call.args) != 1 or call.keywords or isinstance(call.args[0], ast.Call):
        return
    cache = _cache(call.func, module)
    kept = KEPT.get(module.analysis(Coroutines).of_expression(call.args[0]) or "generator") if cache else None
    if kept:
        yield Report(call, f"`{cache}` keeps what `{ast.unparse(call.args[0])}` returns: {kept}")


def _cache(decorator: ast.expr, module: Module) -> str:
    """The short name of the cache that an expression is; empty: it is none."""
    made = isinstance(decorator, ast.Call)
    name = module.decorator(decorator)
    return name.rpartition(".")[2] if name in (MAKE_CACHES if made else CACHES) else ""
