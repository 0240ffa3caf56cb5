"""`time.sleep()` in a coroutine stops the whole event loop.

While it sleeps no other task runs, no timer fires, no signal handler and no cancellation arrives: a server stops
answering everybody. `asyncio.sleep()` suspends this task only.

```python run
import asyncio
import time


async def tick(ticks):
    while True:
        ticks.append("tick")
        await asyncio.sleep(0.01)


async def main():
    ticks = []
    ticking = asyncio.create_task(tick(ticks))
    time.sleep(0.1)
    print("time.sleep, others had a turn:", bool(ticks))
    await asyncio.sleep(0.1)
    print("asyncio.sleep, others had a turn:", bool(ticks))
    ticking.cancel()


asyncio.run(main())
```

```text
time.sleep, others had a turn: False
asyncio.sleep, others had a turn: True
```

```python bad
import time

async def poll(delay):
    time.sleep(delay)
```

```python good
import asyncio
import time

async def poll(delay):
    await asyncio.sleep(delay)
```

Where the file imports anyio, trio or curio, or marks tests as theirs, it is theirs that is awaited:

```python bad
import time

import trio

async def poll(channel, delay):
    time.sleep(delay)
    return await trio.to_thread.run_sync(channel.poll)
```

```python good
import time

import trio

async def poll(channel, delay):
    await trio.sleep(delay)
    return await trio.to_thread.run_sync(channel.poll)
```

## Fix

Safe: `await asyncio.sleep(…)` takes the same number of seconds. Unsafe where a thread's lock is held, or what
may be one: another task that wants it would stop the event loop for good. Unsafe in a block with a time limit, too: the
limit can end an awaited sleep, and what comes after it in the block is left out. And unsafe in tests, where stopping
the loop may be the point. A `time.sleep()` inside a plain function that the coroutine hands to a thread is right where
it is, and is not reported.

## When to ignore

Where stopping everything is meant: a test that wants to show a blocked loop.

## Other tools

flake8-async and ruff report it as ASYNC251, and leave the fix to you. Here, and by ruff, names are resolved: imports
inside a function are seen, shadowed names (`async def f(time): time.sleep(1)`) are not mistaken for the module.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.blocking import NEEDS_ASYNC, is_awaited, is_dead, library, stands_in
from ..analysis.callbacks import is_callback
from ..analysis.coroutines import runs_by_hand, runs_on_the_loop
from ..analysis.testcode import is_test
from ..knowledge.names import SLEEPS
from ..module import Module
from ..needs import calls
from ..rule import Edit, Fix, Report, Symbol, replace, rule
from ..signs.callers import made_by_coroutines

IN_A_TEST = "a test may stop the event loop on purpose"
SLEEPS_IN_COROUTINES = made_by_coroutines(calls({"time.sleep"}), awaited=True)


@rule("AIO101", "blocking-sleep", ast.Call, needs=SLEEPS_IN_COROUTINES)
def blocking_sleep(call: ast.Call, module: Module) -> Iterator[Report]:
    """Report `time.sleep()` that a coroutine calls itself."""
    if isinstance(call.func, ast.Attribute) and call.func.attr != "sleep":
        return
    if module.callee(call) != "time.sleep" or not runs_on_the_loop(module.function(call), module):
        return
    if is_callback(call, module):
        return  # `to_thread(time.sleep(1))`: AIO201 says what is wrong, and how it is meant
    if is_dead(call, module) or module.analysis(runs_by_hand):
        return
    sleep = SLEEPS.get(library(module))
    if sleep is None:
        refusal = f"this file runs under {module.other_loop()}, which has no such coroutine"
        yield Report(call, "`time.sleep()` blocks the event loop", refusal=refusal)
        return
    message = f"`time.sleep()` blocks the event loop; await `{sleep}()`"
    match call:
        case ast.Call() if module.coroutine(call) is None:
            yield Report(call, message, refusal=NEEDS_ASYNC)
        case ast.Call(args=[ast.expr() as delay], keywords=[]) if not isinstance(delay, ast.Starred):
            edits: list[Edit] = [] if is_awaited(call, module) else [replace(call, "await {call}", call=call)]
            edits.append(replace(call.func, "{sleep}", sleep=Symbol(sleep)))
            reasons = (stands_in(call, module), IN_A_TEST if is_test(call, module) else "")
            yield Report(call, message, Fix(*edits, unsafe="; ".join(filter(None, reasons))))
        case _:
            yield Report(call, message, refusal="`time.sleep()` takes one argument")
