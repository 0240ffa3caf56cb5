"""`asyncio.iscoroutinefunction()` is deprecated since Python 3.14 and goes with 3.16.

`inspect.iscoroutinefunction()` has the same answer for everything that `async def` makes, `functools.partial` of it and
methods included. Only two things of old are different: a generator under `@asyncio.coroutine`, which is gone since
Python 3.11, and an object that was marked with `_is_coroutine`. What marks functions today is
`inspect.markcoroutinefunction()` (Python 3.12). Mocks were marked, too: `inspect` knows an `AsyncMock` from Python 3.10
on, and what `create_autospec()` makes of a coroutine function from 3.13 on.

```python run
import asyncio
import functools
import inspect
import unittest.mock


async def fetch(url): ...


class Marked:
    _is_coroutine = asyncio.coroutines._is_coroutine

    def __call__(self, url):
        return fetch(url)


for name, function in [
    ("async def", fetch),
    ("partial", functools.partial(fetch, "/")),
    ("AsyncMock", unittest.mock.AsyncMock()),
    ("marked", Marked()),
]:
    print(name, asyncio.iscoroutinefunction(function), inspect.iscoroutinefunction(function))
```

```text
async def True True
partial True True
AsyncMock True True
marked True False
```

```python bad
import asyncio


async def call(handler, request):
    if asyncio.iscoroutinefunction(handler):
        return await handler(request)
    return handler(request)
```

```python good
import inspect


async def call(handler, request):
    if inspect.iscoroutinefunction(handler):
        return await handler(request)
    return handler(request)
```

Where the file itself marks what is to count as a coroutine function, it needs `--unsafe`:

```python bad
import asyncio


class Command:
    def __init__(self, function):
        self.function = function
        if asyncio.iscoroutinefunction(function):
            self._is_coroutine = asyncio.coroutines._is_coroutine
```

```python good
import asyncio
import inspect


class Command:
    def __init__(self, function):
        self.function = function
        if inspect.iscoroutinefunction(function):
            self._is_coroutine = asyncio.coroutines._is_coroutine
```

## Fix

Safe: `inspect` is imported, and an import that served nothing else goes. Unsafe where the file speaks of
`_is_coroutine` or `asyncio.coroutine`, because there the two may differ.

A test that hands over an object marked with `_is_coroutine`, as old libraries for mocks do (`CoroutineMock`), has to
take `unittest.mock.AsyncMock`, and Python 3.10.

## When to ignore

Where objects come from a library that still marks them with `_is_coroutine`; the old answer is then kept by asking for
both.

## Other tools

None that we know of reports this; Python itself does from 3.14 on.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.mentions import Mentions
from ..analysis.versions import reaches
from ..knowledge.awaitables import COROUTINE
from ..knowledge.removed import ISCOROUTINEFUNCTION, ISCOROUTINEFUNCTION_NAME
from ..module import Module
from ..needs import calls
from ..rule import Fix, Report, Symbol, replace, rule

MESSAGE = "`asyncio.iscoroutinefunction` is deprecated since Python 3.14; use `inspect.iscoroutinefunction`"
MARKED = "the file also marks coroutine functions in a way that only asyncio's function knows"


@rule("AIO406", "asyncio-iscoroutinefunction", ast.Module, plain=True, needs=calls({ISCOROUTINEFUNCTION_NAME}))
def asyncio_iscoroutinefunction(_: ast.Module, module: Module) -> Iterator[Report]:
    """Report each mention of asyncio's function."""
    for node, name in module.analysis(Mentions).of({ISCOROUTINEFUNCTION_NAME}):
        if not reaches(node, module, ISCOROUTINEFUNCTION.deprecated):
            continue
        if isinstance(node, ast.expr):
            edit = replace(node, "{asks}", asks=Symbol(ISCOROUTINEFUNCTION.successor))
            yield Report(node, MESSAGE, Fix(edit, unsafe=_marks(module), supersedes=(name,)))
        else:
            yield Report(node, MESSAGE, refusal="who imports it from here is not known")


def _marks(module: Module) -> str:
    generators = any(module.name(d) == COROUTINE for f in module.nodes(ast.FunctionDef) for d in f.decorator_list)
    return MARKED if generators or "_is_coroutine" in module.text else ""
