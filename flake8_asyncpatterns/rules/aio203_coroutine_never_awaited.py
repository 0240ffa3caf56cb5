"""A coroutine is made, and nothing awaits it: not one line of it runs.

Calling a coroutine function runs nothing. It gives a coroutine, and that runs when it is awaited or made a task.
One that is thrown away never runs at all; all there is to see is the warning "coroutine … was never awaited", printed
when the garbage collector comes by, if anybody reads it.

```python run
import asyncio


class Account:
    balance = 0

    async def deposit(self, amount):
        await asyncio.sleep(0)
        self.balance += amount


async def main():
    account = Account()
    account.deposit(100)
    print("balance:", account.balance)
    await account.deposit(20)
    print("balance:", account.balance)


asyncio.run(main())
```

```text
balance: 0
balance: 20
```

```python bad
import asyncio

class Session:
    async def close(self):
        await self.flush()
        self.connection.close()

    async def restart(self):
        self.close()
        asyncio.sleep(1)
        await self.open()
```

```python good
import asyncio

class Session:
    async def close(self):
        await self.flush()
        self.connection.close()

    async def restart(self):
        await self.close()
        await asyncio.sleep(1)
        await self.open()
```

So is a coroutine that is kept in a variable which nobody reads, or that is used as if it were its result. What a
program then does with it raises TypeError or AttributeError at best; printed, it is `<coroutine object …>`:

```python bad
async def fetch_user(db, number):
    return await db.get(number)

async def greet(db, number):
    user = fetch_user(db, number)
    return f"Hello {user['name']}"
```

```python good
async def fetch_user(db, number):
    return await db.get(number)

async def greet(db, number):
    user = await fetch_user(db, number)
    return f"Hello {user['name']}"
```

Reported are functions and methods of the same project, without decorators or with some that leave a coroutine function
what it is; asyncio's own, also on the streams that a server hands to its callback; those of well-known libraries where
the type is known (`httpx.AsyncClient`, aiohttp's sessions and responses, asyncpg, `redis.asyncio`, anyio, trio …); and
calls of which mypy has been told to say nothing (`# type: ignore[unused-coroutine]`). Likewise generators that were
written to drive coroutines, and asynchronous generators, of which nothing runs either until somebody iterates over
them.

A plain function is no better place: there a coroutine is lost just as well.

## Fix

Unsafe, because code begins to run that never did: `await`. At the top level of a module the call becomes
`asyncio.run(…)`, unless the file runs a loop of its own.

No fix in a plain function, which cannot await. Make the function a coroutine, and await it where it is called; or
make a task of the coroutine where a loop is running, and keep the task. An asynchronous generator is iterated over,
with `async for`.

## When to ignore

In a test of the warning itself. Code that runs only where the function is a plain one (`if _IS_SYNC:`), and what is
expected to fail (`with pytest.raises(…)`), is not reported.

## Other tools

mypy's `unused-coroutine` and Pyright's `reportUnusedCoroutine` find call statements, also of functions of other
packages; mypy leaves out functions without annotations. Neither mends them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from ..analysis.coroutines import IDLE, STARTS, Kind, await_it, given_by, may_give
from ..analysis.fates import End, Fate, end, is_deliberate
from ..module import Module
from ..needs import Need, either
from ..rule import Fix, Report, Symbol, replace, rule

GIVES: dict[Kind, str] = {
    "coroutine": "a coroutine that nothing awaits",
    "generator coroutine": "a generator coroutine that nothing runs",
    "generator": "a generator that nothing runs",
    "async generator": "an asynchronous generator that nothing iterates over",
    "request": "something to await or to enter, which nothing does",
}
WRONG: dict[Kind, frozenset[Fate]] = {
    "coroutine": frozenset({"dropped", "misused", "asked"}),
    "generator coroutine": frozenset({"dropped", "asked"}),
    "generator": frozenset({"dropped"}),
    "async generator": frozenset({"dropped"}),
    "request": frozenset({"dropped"}),
}
REFUSED: dict[Kind, str] = {
    "generator": "a plain generator cannot be awaited; make it a coroutine first",
    "async generator": "it is to be iterated over, with `async for`",
    "request": "what it gives has to be closed: enter it with `async with`",
}
# How a loop is run that the file has made itself.
BY_HAND = frozenset({"run_forever", "run_until_complete"})
TOLD = "type: ignore[unused-coroutine"
UNAWAITED = either(IDLE, (Need((frozenset({re.compile(re.escape(TOLD.encode()))}),)),))


@rule("AIO203", "coroutine-never-awaited", ast.Call, plain=True, needs=UNAWAITED)
def coroutine_never_awaited(call: ast.Call, module: Module) -> Iterator[Report]:
    """Report a coroutine that is thrown away, or used as if it were its result."""
    if not may_give(call, module) and not module.analysis(_told):
        return
    found = end(call, module)
    if found is None or found.fate == "tested":
        return
    kind = given_by(call, module) or _known_to_mypy(found, module)
    if kind is None or found.fate not in WRONG[kind] or is_deliberate(call, module):
        return
    message = f"`{ast.unparse(call.func)}(…)` gives {GIVES[kind]}: it {found.words}"
    made = _fix(call, kind, found, module)
    yield Report(call, message, made) if isinstance(made, Fix) else Report(call, message, refusal=made)


def _known_to_mypy(found: End, module: Module) -> Kind | None:
    """Has mypy been told to keep silent of a coroutine here? It knows what other files define."""
    if not isinstance(found.node, ast.Expr):
        return None
    told = module.analysis(_told)
    lines = range(found.node.lineno, (found.node.end_lineno or found.node.lineno) + 1)
    return "coroutine" if told and not told.isdisjoint(lines) else None


def _told(module: Module) -> frozenset[int]:
    """The lines on which mypy is told to keep silent of a coroutine."""
    if TOLD not in module.text:
        return frozenset()
    return frozenset(number for number, line in enumerate(module.text.split("\n"), 1) if TOLD in line)


def _fix(call: ast.Call, kind: Kind, found: End, module: Module) -> Fix | str:
    if kind in REFUSED:
        return REFUSED[kind]
    if found.fate == "asked":
        return "what is asked of the coroutine would be asked of its result"
    top = module.function(call) is None and isinstance(module.parent(call), ast.Expr)
    if top and not module.other_loop() and not any(isinstance(a, ast.ClassDef) for a in module.ancestors(call)):
        if any(attribute.attr in BY_HAND for attribute in module.nodes(ast.Attribute)):
            return "`asyncio.run()` would take another loop than the one that this file runs by hand"
        return Fix(replace(call, "{run}({call})", run=Symbol("asyncio.run"), call=call), unsafe=STARTS)
    return await_it(call, module)
