"""Leaving `with ThreadPoolExecutor()` waits for the pool's threads, and the whole event loop waits with it.

The `await` inside of the block does not block. Its end does: an executor's `__exit__` joins every thread (or process)
that still has work, on the thread that the event loop runs on. As long as all goes well there is nothing left to wait
for. When the task is cancelled, a timeout runs out or one of several calls fails, there is: a timeout of 0.05 seconds
takes as long as the work does, and no other task runs meanwhile.

```python run
import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

async def pooled():
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor() as pool:
        await loop.run_in_executor(pool, time.sleep, 0.2)

async def threaded():
    await asyncio.to_thread(time.sleep, 0.2)

async def main():
    for work in (pooled, threaded):
        start = time.monotonic()
        try:
            await asyncio.wait_for(work(), timeout=0.02)
        except TimeoutError:
            late = time.monotonic() - start > 0.15
            print(work.__name__, "timed out", "far too late" if late else "in time")

asyncio.run(main())
```

```text
pooled timed out far too late
threaded timed out in time
```

```python bad
import asyncio
from concurrent.futures import ThreadPoolExecutor

async def resize(image, size):
    with ThreadPoolExecutor() as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, image.resize, size)
```

```python good
import asyncio

async def resize(image, size):
    return await asyncio.to_thread(image.resize, size)
```

Where several calls run at once, or the pool has a size for a reason, it belongs to the program and not to the call:

```python bad
import asyncio
from concurrent.futures import ProcessPoolExecutor

class Studio:
    async def render(self, frames, draw):
        loop = asyncio.get_running_loop()
        with ProcessPoolExecutor(4) as pool:
            return await asyncio.gather(*[loop.run_in_executor(pool, draw, frame) for frame in frames])
```

```python good
import asyncio
from concurrent.futures import ProcessPoolExecutor

class Studio:
    def __init__(self):
        self.pool = ProcessPoolExecutor(4)

    async def render(self, frames, draw):
        loop = asyncio.get_running_loop()
        return await asyncio.gather(*[loop.run_in_executor(self.pool, draw, frame) for frame in frames])
```

## Fix

Unsafe, where a pool of threads serves nothing but calls that are each awaited at once: `asyncio.to_thread()` runs them
in the event loop's own pool, which nobody joins before the program ends. But that pool is everybody's: where all of its
threads are busy, a call waits for one to be free, and for good where it is what they wait for. Everything else is left
to you: keep one executor for as long as the program runs, and shut it down when the event loop is through. `to_thread`
is no substitute for processes, nor for a pool whose size is a limit.

## When to ignore

Where the work must be over before anything else may happen, and nothing else runs on the event loop.

## Other tools

None known.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.executors import SUPERSEDES, in_a_thread, needless_loop
from ..flow import suspends, within, yields
from ..knowledge.blocking.primitives import EXECUTORS, PROCESSES, THREADS
from ..module import Module
from ..needs import things
from ..rule import Edit, Fix, Remove, Report, replace, rule
from ..signs import ASYNC, WITH

HANDS_OVER = frozenset({"submit", "map", "run_in_executor"})
# Arguments of a pool that make no difference to calls that are awaited one after the other.
INDIFFERENT = frozenset({"max_workers", "thread_name_prefix"})
SHARED = "it then shares the event loop's own threads, which may all be busy"
KEEP_ONE = "keep one executor for as long as the program runs, and shut it down after the event loop"


@rule("AIO109", "executor-joined-on-exit", ast.With, needs=things(EXECUTORS, ASYNC, WITH))
def executor_joined_on_exit(block: ast.With, module: Module) -> Iterator[Report]:
    """Report executors that a coroutine leaves by the end of a `with` block."""
    for item in block.items:
        kind = module.type_of(item.context_expr)
        if kind in EXECUTORS and module.coroutine(block) is not None and _may_have_work(block):
            workers = "threads" if kind in THREADS else "processes" if kind == PROCESSES else "workers"
            message = f"the end of this `with` waits for the pool's {workers}, and blocks the event loop meanwhile"
            fix = _fix(block, item, module) if kind in THREADS else None
            yield Report(item.context_expr, message, fix, refusal="" if fix else KEEP_ONE)


def _may_have_work(block: ast.With) -> bool:
    """May the pool have something to do when the block ends?"""
    if suspends(*block.body):
        return True
    handed = any(isinstance(node, ast.Attribute) and node.attr in HANDS_OVER for node in within(*block.body))
    return handed and not yields(*block.body)


def _fix(block: ast.With, item: ast.withitem, module: Module) -> Fix | None:
    match block.items, item:
        case [_], ast.withitem(context_expr=ast.Call() as made, optional_vars=ast.Name() as pool):
            calls = _calls(block, pool, module) if _is_indifferent(made, module) else []
            if not calls:
                return None
            edits: list[Edit] = [replace(block, "{body}", body=block.body)]
            edits += [in_a_thread(call, module) for call in calls]
            loops = dict.fromkeys(needless_loop(call, calls, module) for call in calls)
            edits += [Remove(statement) for statement in loops if statement]
            return Fix(*edits, unsafe=SHARED, supersedes=(module.callee(made) or "", *SUPERSEDES))
    return None


def _is_indifferent(made: ast.Call, module: Module) -> bool:
    given = [*made.args, *(keyword.value for keyword in made.keywords)]
    return (
        module.callee(made) in EXECUTORS
        and len(made.args) <= len(INDIFFERENT)
        and all(keyword.arg in INDIFFERENT for keyword in made.keywords)
        and all(isinstance(value, ast.Constant) for value in given)
    )


def _calls(block: ast.With, pool: ast.Name, module: Module) -> list[ast.Call]:
    """The calls that the pool serves; none if it has another use than such that are awaited at once."""
    uses = [use for use in module.uses(pool) if use is not pool]
    calls = [call for use in uses if isinstance(call := module.parent(use), ast.Call) and _hands_over(call, use)]
    plain = len(calls) == len(uses) and all(
        isinstance(module.parent(call), ast.Await)
        and module.function(call) is module.function(block)
        and block in module.ancestors(call)
        for call in calls
    )
    return calls if plain else []


def _hands_over(call: ast.Call, pool: ast.Name) -> bool:
    """Is this `….run_in_executor(pool, function, …)`?"""
    match call:
        case ast.Call(func=ast.Attribute(attr="run_in_executor"), args=[first, function, *_], keywords=[]):
            return first is pool and not isinstance(function, ast.Starred)
    return False
