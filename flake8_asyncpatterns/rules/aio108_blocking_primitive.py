"""Waiting for a thread's lock, event, queue or future in a coroutine stops the whole event loop.

`threading.Event.wait()`, `queue.Queue.get()`, `Thread.join()` and `Future.result()` of `concurrent.futures` wait in the
thread that calls them, and a coroutine runs in the event loop's. No other task runs until another thread has done its
part. If that part needs the event loop (`call_soon_threadsafe`, `run_coroutine_threadsafe`), both wait for ever.

```python run
import asyncio
import queue
import threading
import time


def produce(items):
    time.sleep(0.1)
    items.put("item")


async def tick(ticks):
    while True:
        ticks.append("tick")
        await asyncio.sleep(0.01)


async def main():
    ticks = []
    ticking = asyncio.create_task(tick(ticks))
    items = queue.Queue()
    threading.Thread(target=produce, args=[items]).start()
    print(items.get(), "taken, others had a turn:", bool(ticks))
    threading.Thread(target=produce, args=[items]).start()
    print(await asyncio.to_thread(items.get), "taken, others had a turn:", bool(ticks))
    ticking.cancel()


asyncio.run(main())
```

```text
item taken, others had a turn: False
item taken, others had a turn: True
```

```python bad
import threading

class Worker:
    def __init__(self, run):
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=run, args=[self.stopped])

    async def close(self):
        self.stopped.set()
        self.thread.join()
```

```python good
import asyncio
import threading

class Worker:
    def __init__(self, run):
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=run, args=[self.stopped])

    async def close(self):
        self.stopped.set()
        await asyncio.to_thread(self.thread.join)
```

A future of an executor can be awaited, without another thread that waits for it:

```python bad
from concurrent.futures import ProcessPoolExecutor

class Solver:
    def __init__(self):
        self.pool = ProcessPoolExecutor()

    async def solve(self, puzzle, search):
        future = self.pool.submit(search, puzzle)
        return future.result(timeout=60)
```

```python good
import asyncio
from concurrent.futures import ProcessPoolExecutor

class Solver:
    def __init__(self):
        self.pool = ProcessPoolExecutor()

    async def solve(self, puzzle, search):
        future = self.pool.submit(search, puzzle)
        return await asyncio.wait_for(asyncio.wrap_future(future), 60)
```

The type decides, not the name: asyncio's own locks, events and queues are no finding. Nothing is said where there is
nothing to wait for: `block=False`, `timeout=0`, `put()` on a queue without a size, `get()` after `empty()` was asked,
`result()` of a future that was awaited or asked before, `acquire()` of a lock that was made on the line before. A
`with lock:` is no finding either: most are short (AIO503 speaks of those that are held across an `await`). Tests are
left alone: one that waits holds up nobody but itself.

## Fix

Unsafe: with `await asyncio.to_thread(…)` a thread waits, and other tasks run in the meantime; a task that is cancelled
leaves that thread waiting, and an item that it gets then is lost. `Future.result()` becomes `asyncio.wrap_future()`;
cancelling that cancels the future, too. Locks are left to you: `to_thread(lock.acquire)` would leave one acquired for
ever where the task is cancelled. Where only coroutines use it, have an `asyncio` lock instead.

## When to ignore

Where the other thread is known to be through, and waiting for it takes no time.

## Other tools

None known.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.blocking import blocking, library, report
from ..analysis.circumstances import passed
from ..knowledge.blocking.entry import Argument
from ..module import Module
from ..rule import Fix, Report, Symbol, replace, rule

FUTURE = "other tasks will run in the meantime, and cancelling this one cancels the future"


@rule("AIO108", "blocking-primitive", ast.Module, needs=blocking("AIO108"))
def blocking_primitive(_: ast.Module, module: Module) -> Iterator[Report]:
    """Report calls in a coroutine that wait for another thread or process."""
    for found in report("AIO108", module):
        better = _awaited(found.node, module) if found.fix else None
        yield found._replace(fix=better) if better else found


def _awaited(call: ast.AST, module: Module) -> Fix | None:
    """The fix `future.result()` → `await asyncio.wrap_future(future)`."""
    match call:
        case ast.Call(func=ast.Attribute(value=future, attr="result")):
            if module.callee(call) == "concurrent.futures.Future.result" and library(module) == "asyncio":
                timeout, wrap = passed(Argument(0, "timeout"), call), Symbol("asyncio.wrap_future")
                if timeout is None:
                    return Fix(replace(call, "await {wrap}({future})", wrap=wrap, future=future), unsafe=FUTURE)
                wait = Symbol("asyncio.wait_for")
                template = "await {wait}({wrap}({future}), {timeout})"
                edit = replace(call, template, wait=wait, wrap=wrap, future=future, timeout=timeout)
                return Fix(edit, unsafe=FUTURE)
    return None
