"""A thread's lock is held across an `await`: two tasks that meet at it stop the event loop for good.

At the `await` other tasks run, and the lock stays held. The next task that wants it does not step aside, as it would at
an `asyncio.Lock`: it stops the only thread there is. The task that holds the lock can never go on to release it.

```python run
import asyncio
import os
import threading

lock = threading.Lock()

async def save(name):
    with lock:
        print(name, "has the lock")
        await asyncio.sleep(0.01)
    print(name, "is done")

async def main():
    watchdog = threading.Timer(0.2, lambda: (print("the event loop stands still", flush=True), os._exit(0)))
    watchdog.start()
    await asyncio.gather(save("first"), save("second"))
    watchdog.cancel()

asyncio.run(main())
```

```text
first has the lock
the event loop stands still
```

```python bad
import threading

class Client:
    def __init__(self, connect):
        self._connect = connect
        self._connection = None
        self._lock = threading.Lock()

    async def connection(self):
        with self._lock:
            if self._connection is None:
                self._connection = await self._connect()
        return self._connection
```

```python good
import asyncio

class Client:
    def __init__(self, connect):
        self._connect = connect
        self._connection = None
        self._lock = asyncio.Lock()

    async def connection(self):
        async with self._lock:
            if self._connection is None:
                self._connection = await self._connect()
        return self._connection
```

A reentrant lock (`threading.RLock`, and a `Condition` made without a lock of its own) fails the other way round. It
knows threads, not tasks: every task of the same thread comes in at once, and nothing is guarded.

## Fix

None: what is right depends on who else needs the lock.

- Only coroutines of one event loop: make it an `asyncio.Lock` and enter it with `async with`.
- Other threads, too: hold it for as long as it takes to read or change the state, and await before or after. Where
  tasks must also keep out of each other's way, take an `asyncio.Lock` around it.

## When to ignore

Where no two tasks of a thread can ever want the lock at the same time: each thread runs an event loop of its own with
one task in it. A file is left alone that imports no event loop, and runs its coroutines to their end by hand
(`coroutine.send(None)`).

## Other tools

None of the linters for asyncio reports it. The lock's type decides here, not a name with "lock" in it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from ..analysis.coroutines import runs_by_hand
from ..analysis.held import held_code, innermost_lock, lets_go, taken, taken_by
from ..flow import body, within, yields
from ..knowledge.locks import THREAD_LOCKS
from ..module import Module
from ..needs import things
from ..rule import Related, Report, rule
from ..signs import ASYNC

REENTRANT = frozenset({"threading.RLock", "threading.Condition"})
MANAGERS = frozenset({"contextlib.contextmanager"})


@rule("AIO503", "thread-lock-across-await", ast.With, ast.Call, needs=things(THREAD_LOCKS, ASYNC))
def thread_lock_across_await(node: ast.AST, module: Module) -> Iterator[Report]:
    """Report where a coroutine takes a thread's lock, and awaits before it gives it back."""
    if module.analysis(runs_by_hand):
        return
    match node:
        case ast.With() if module.coroutine(node) is not None:
            yield from _in_a_block(node, module)
        case ast.Call(func=ast.Attribute(attr="acquire")) if module.coroutine(node) is not None:
            yield from _by_hand(node, module)


def _by_hand(call: ast.Call, module: Module) -> Iterator[Report]:
    lock = taken_by(call)
    kind = module.type_of(lock) if lock is not None else None
    if lock is not None and kind in THREAD_LOCKS:
        suspended = _suspension(within(*taken(call, module)))
        if suspended is not None:
            yield _report(call, lock, kind, suspended)


def _in_a_block(block: ast.With, module: Module) -> Iterator[Report]:
    suspended = _suspension(held_code(block))
    if suspended is None:
        return
    for item in block.items:
        lock = _guard(item.context_expr, module)
        kind = module.type_of(lock) if lock is not None else None
        if lock is not None and kind in THREAD_LOCKS and not lets_go(block, lock):
            yield _report(item.context_expr, lock, kind, suspended)
            return


def _guard(manager: ast.expr, module: Module) -> ast.expr | None:
    """The lock that a `with` holds: the context manager itself, or what one of this file holds while it yields."""
    if not isinstance(manager, ast.Call) or module.callee(manager) is not None:
        return manager
    function = module.definition(manager.func)
    if not isinstance(function, ast.FunctionDef) or not any(
        module.name(d) in MANAGERS for d in function.decorator_list
    ):
        return None
    given = [node for node in body(function) if yields(node) and isinstance(node, (ast.Yield, ast.YieldFrom))]
    return innermost_lock(given[0], module)[1] if len(given) == 1 else None


def _suspension(code: Iterable[ast.AST]) -> ast.AST | None:
    """Where this code hands control to the event loop first."""
    for node in code:
        if isinstance(node, (ast.Await, ast.AsyncFor, ast.AsyncWith)):
            return node
        if isinstance(node, ast.comprehension) and node.is_async:
            return node.target
    return None


def _report(node: ast.AST, lock: ast.expr, kind: str | None, suspended: ast.AST) -> Report:
    name = ast.unparse(lock)
    if kind in REENTRANT:
        message = f"`{name}` is held across an `await`: it stops other threads, and lets every task of this one in"
    else:
        message = f"`{name}` is held across an `await`: the next task that wants it stops the event loop for good"
    return Report(node, message, related=(Related(suspended, "other tasks run here"),))
