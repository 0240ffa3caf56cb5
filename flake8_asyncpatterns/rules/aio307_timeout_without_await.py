"""A block with a time limit has no `await` in it, so the limit can never strike.

`asyncio.timeout()` cancels the task at the `await` where it waits. Code that does not await cannot be interrupted: it
takes as long as it takes. A coroutine that is made inside of the block and awaited behind it has no limit either.

```python run
import asyncio
import time

async def main():
    async with asyncio.timeout(0.01):
        time.sleep(0.05)
    print("nobody was stopped")

asyncio.run(main())
```

```text
nobody was stopped
```

```python bad
import asyncio

async def fetch(client, url):
    async with asyncio.timeout(10):
        response = client.get(url)
    return await response
```

```python good
import asyncio

async def fetch(client, url):
    async with asyncio.timeout(10):
        response = client.get(url)
        return await response
```

The same is so with `asyncio.timeout_at()`, `async_timeout.timeout()`, and with `fail_after()` and `move_on_after()` of
anyio and trio.

## Fix

By hand: move what is awaited into the block, or take the block away. What blocks the event loop can be limited only in
a thread: `await asyncio.to_thread(f)` inside of the block; the thread itself then runs on.

## When to ignore

Where the block is there for what another version of the code awaits. A block that yields is not reported: the consumer
may be what is limited; nor is one that raises, or whose Timeout object the code looks at.

## Other tools

flake8-async and ruff report it as ASYNC100, SonarQube as S7490.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..flow import suspends, within, yields
from ..knowledge.task_scopes import TIME_LIMITS
from ..module import Module
from ..needs import calls, last
from ..rule import Report, rule
from ..signs import ASYNC
from ..signs.entered import under


@rule(
    "AIO307",
    "timeout-without-await",
    ast.With,
    ast.AsyncWith,
    needs=calls(TIME_LIMITS, ASYNC, under(last(TIME_LIMITS))),
)
def timeout_without_await(block: ast.AST, module: Module) -> Iterator[Report]:
    """Report a block with a time limit in which nothing awaits."""
    assert isinstance(block, (ast.With, ast.AsyncWith))
    limit = next((item.context_expr for item in block.items if _is_limit(item.context_expr, module)), None)
    if limit is None or module.coroutine(block) is None or suspends(*block.body) or yields(*block.body):
        return
    if any(isinstance(node, ast.Raise) for node in within(*block.body)) or _others_wait(block, limit):
        return
    if any(isinstance(item.optional_vars, ast.Name) and _is_used(item.optional_vars, module) for item in block.items):
        return  # somebody is interested in the limit itself
    name = ast.unparse(limit.func) if isinstance(limit, ast.Call) else ""
    yield Report(limit, f"nothing awaits inside of `{name}()`, so it never ends anything")


def _is_limit(manager: ast.expr, module: Module) -> bool:
    return isinstance(manager, ast.Call) and module.callee(manager) in TIME_LIMITS


def _is_used(name: ast.Name, module: Module) -> bool:
    return any(isinstance(use.ctx, ast.Load) for use in module.uses(name))


def _others_wait(block: ast.With | ast.AsyncWith, limit: ast.expr) -> bool:
    """Is another manager entered behind the limit, by the same `async with`?"""
    behind = False
    for item in block.items:
        if behind and (isinstance(block, ast.AsyncWith) or suspends(item.context_expr)):
            return True
        behind = behind or item.context_expr is limit
    return False
