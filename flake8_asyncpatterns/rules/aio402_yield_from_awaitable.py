"""A generator that drives coroutines, without being a coroutine.

`yield from` was how coroutines were awaited before Python 3.5. In a generator without a decorator it still looks
right, but nothing can run such a function: `await` of it is a TypeError, and `yield from` of a native coroutine inside
it is another one.

```python run
import asyncio


async def answer():
    return 42


def ask():
    return (yield from answer())


async def main():
    try:
        await ask()
    except TypeError as error:
        print("awaited:", type(error).__name__)
    try:
        list(ask())
    except TypeError as error:
        print("iterated:", type(error).__name__)
    print("async def:", await answer())


asyncio.run(main())
```

```text
awaited: TypeError
iterated: TypeError
async def: 42
```

```python bad
import asyncio


def tick(queue):
    yield from asyncio.sleep(1)
    return (yield from asyncio.wait_for(queue.get(), 5))
```

```python good
import asyncio


async def tick(queue):
    await asyncio.sleep(1)
    return await asyncio.wait_for(queue.get(), 5)
```

What is driven may also come from the callers in the file:

```python bad
async def increment(x):
    return x + 1


def connect(functions):
    def connected(x):
        for function in functions:
            x = yield from function(x)
        return x

    return connected


add_two = connect([increment, increment])
```

```python good
async def increment(x):
    return x + 1


def connect(functions):
    async def connected(x):
        for function in functions:
            x = await function(x)
        return x

    return connected


add_two = connect([increment, increment])
```

With the runtime a function that connects functions needs no coroutine of its own:

```toml
[tool.asyncfix]
runtime = true
```

```python bad
async def increment(x):
    return x + 1


def connect(functions):
    def connected(*args, **kwargs):
        result = yield from functions[0](*args, **kwargs)
        for function in functions[1:]:
            result = yield from function(result)
        return result

    return connected


add_two = connect([increment, increment])
```

```python good
import asyncpatterns

async def increment(x):
    return x + 1


def connect(functions):
    return asyncpatterns.connect(*functions)


add_two = connect([increment, increment])
```

Only what is known to be awaitable counts: `yield from` over things to iterate is what plain generators are for.

## Fix

`def` becomes `async def`, `yield from` becomes `await`, in all functions at once that drive each other. The fix is safe
where every `yield from` drives what is known to be awaitable, or where a coroutine or the event loop drives the
function. It is unsafe where some are unknown, such as calls of functions that are parameters: there, whoever calls this
from another file may hand over something that can only be iterated.

With `runtime = true` in `[tool.asyncfix]`, a generator that hands what it is called with to the first of some functions
and each result to the next gives way to `asyncpatterns.connect(*functions)`, which takes plain functions as well and
has no use for an empty list: it says so at once. That is unsafe, because the functions are taken when they are
connected, and the package has to be added to the dependencies. A comment inside of the generator keeps it.

There is no fix, and the reason is said, where the generator is handed to something that may iterate it.

## When to ignore

Where the generator is driven by a framework that is not asyncio, which knows what to do with futures.

## Other tools

None reports this.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.generators import Generators
from ..module import Module
from ..needs import Need, words
from ..rule import Report, rule
from ..signs import ASYNC, YIELD_FROM


@rule("AIO402", "yield-from-awaitable", ast.Module, plain=True, needs=(Need((ASYNC | words("asyncio"), YIELD_FROM)),))
def yield_from_awaitable(_: ast.Module, module: Module) -> Iterator[Report]:
    """Report plain generators that drive coroutines."""
    if not module.nodes(ast.YieldFrom):
        return
    generators = module.analysis(Generators)
    for conversion in generators.drivers():
        name = conversion.function.name
        message = f"`{name}` drives coroutines, but is a plain generator; write `async def` and `await`"
        yield Report(conversion.function, message, generators.fixes.get(conversion), conversion.reason)
