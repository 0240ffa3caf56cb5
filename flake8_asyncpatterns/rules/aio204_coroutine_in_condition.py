"""A coroutine is tested or compared, in place of its result: it is always true, and equal to nothing.

The condition is decided before anything has been asked. A coroutine is an object like others, so `if` takes it for
true, `not` for false, and every comparison with it is false; its code never runs.

```python run
import asyncio


class Door:
    async def is_locked(self):
        await asyncio.sleep(0)
        return False


async def main():
    door = Door()
    if door.is_locked():
        print("locked, says the coroutine")
    if not await door.is_locked():
        print("open, says its result")


asyncio.run(main())
```

```text
locked, says the coroutine
open, says its result
```

```python bad
import asyncio

class Worker:
    def __init__(self):
        self.stopped = asyncio.Event()
        self.jobs = asyncio.Queue()

    async def has_work(self):
        return await self.store.count() > 0

    async def run(self):
        while self.has_work() and not self.stopped.is_set():
            job = await self.jobs.get()
            if job.finish() == "done" or self.stopped.wait():
                return
```

```python good
import asyncio

class Worker:
    def __init__(self):
        self.stopped = asyncio.Event()
        self.jobs = asyncio.Queue()

    async def has_work(self):
        return await self.store.count() > 0

    async def run(self):
        while await self.has_work() and not self.stopped.is_set():
            job = await self.jobs.get()
            if job.finish() == "done" or await self.stopped.wait():
                return
```

Reported are conditions of every kind: `if`, `while`, `assert`, `not`, `and`, `or`, `x if … else y`, a comprehension's
`if`, `bool()`, `any()` and `all()`, unittest's `assertTrue` and `assertEqual`, and all comparisons. Which calls give a
coroutine, is known as for AIO203.

## Fix

Unsafe, because code begins to run that never did, and the condition may turn out the other way: `await`. No fix in a
plain function, which cannot await, nor in a generator expression, which `any` and `all` could not take any more. Where
these have to await, write a list: `any([await check(x) for x in xs])`.

## When to ignore

Never in a condition. A test may compare coroutines for their own sake.

## Other tools

mypy's `truthy-function` finds functions that are not called at all, and its opt-in `truthy-bool` coroutines in
conditions; Pyright has `reportUnnecessaryComparison`. Both need types for it. They do not mend it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.coroutines import IDLE, await_it, given_by, may_give
from ..analysis.fates import end, is_deliberate
from ..module import Module
from ..rule import Fix, Report, rule


@rule("AIO204", "coroutine-in-condition", ast.Call, plain=True, needs=IDLE)
def coroutine_in_condition(call: ast.Call, module: Module) -> Iterator[Report]:
    """Report `if fetch():` where `fetch` is a coroutine function."""
    found = end(call, module, through_names=False) if may_give(call, module) else None
    if found is None or found.fate != "tested":
        return
    if given_by(call, module) not in ("coroutine", "generator coroutine") or is_deliberate(call, module):
        return
    called = ast.unparse(call.func)
    message = f"`{called}(…)` gives a coroutine, and that {found.words}, not its result"
    made = await_it(call, module)
    yield Report(call, message, made) if isinstance(made, Fix) else Report(call, message, refusal=made)
