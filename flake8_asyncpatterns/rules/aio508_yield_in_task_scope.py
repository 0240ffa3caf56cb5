"""A `yield` inside of a TaskGroup or a timeout lets them strike at whoever iterates.

`asyncio.timeout()`, a TaskGroup and a cancel scope cancel the task that entered them, at the `await` where it waits.
While an async generator stands at its `yield`, that is an `await` of the consumer: the time limit cuts the consumer's
body short, a failing child task cancels it, and nothing there turns the cancellation into a TimeoutError or an
exception group. A consumer that leaves its loop early leaves the block entered, until the generator is closed, perhaps
by another task, where leaving the block fails.

```python run
import asyncio

async def prices():
    async with asyncio.timeout(0.01):
        for price in range(3):
            yield price

async def main():
    try:
        async for price in prices():
            print("got", price)
            await asyncio.sleep(0.05)
            print("used", price)
    except asyncio.CancelledError:
        print("the consumer is cancelled, by nobody it knows")

asyncio.run(main())
```

```text
got 0
the consumer is cancelled, by nobody it knows
```

```python bad
import asyncio

async def lines(reader):
    async with asyncio.timeout(60):
        while line := await reader.readline():
            yield line
```

```python good
import asyncio

async def lines(reader):
    deadline = asyncio.get_running_loop().time() + 60
    while True:
        async with asyncio.timeout_at(deadline):
            line = await reader.readline()
        if not line:
            break
        yield line
```

## Fix

By hand: await inside of the block and yield outside of it, as above. A generator that needs child tasks for as long as
it is iterated becomes a context manager that gives the iterator (`@contextlib.asynccontextmanager`, and
`async with merged(a, b) as items: async for item in items: …`), so that whoever enters the group leaves it in the same
task. In a TaskGroup, a queue between the tasks and a loop of its own does the same.

## When to ignore

Where one task alone drives the generator, to its end, and the limit is meant for the consumer's code, too. Context
managers and fixtures (any generator with a decorator that is not known to leave it alone) are not reported, nor are
generators that yield outside of any loop.

## Other tools

flake8-async reports a `yield` inside of a task group or cancel scope as ASYNC101, and, as ruff does, inside of any
context manager as ASYNC119. PEP 789 describes the flaw.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.streams import is_stream
from ..flow import body
from ..knowledge.task_scopes import TASK_SCOPES
from ..module import Module
from ..needs import calls
from ..rule import Related, Report, rule
from ..signs import ASYNC, YIELD


@rule("AIO508", "yield-in-task-scope", ast.Yield, needs=calls(TASK_SCOPES, ASYNC, YIELD))
def yield_in_task_scope(given: ast.Yield, module: Module) -> Iterator[Report]:
    """Report the first `yield` of an async generator inside of each block that may cancel its task."""
    function = module.coroutine(given)
    if function is None:
        return
    scope = _scope(given, module)
    if scope is None or not is_stream(function, module):
        return
    inside = (node for node in body(scope) if isinstance(node, ast.Yield) and _scope(node, module) is scope)
    if next(inside) is not given:
        return
    manager = next(item.context_expr for item in scope.items if _is_scope(item, module))
    assert isinstance(manager, ast.Call)
    name = ast.unparse(manager.func)
    message = f"the consumer's body runs inside of `{name}()`, which may cancel it; yield outside"
    yield Report(given, message, related=(Related(manager, f"`{name}()` is entered here"),))


def _scope(node: ast.AST, module: Module) -> ast.With | ast.AsyncWith | None:
    """The inmost block around a node, in its function, that may cancel the task."""
    for around in module.ancestors(node):
        if isinstance(around, (ast.With, ast.AsyncWith)) and any(_is_scope(item, module) for item in around.items):
            return around
        if isinstance(around, ast.AsyncFunctionDef):
            break
    return None


def _is_scope(item: ast.withitem, module: Module) -> bool:
    return isinstance(item.context_expr, ast.Call) and module.callee(item.context_expr) in TASK_SCOPES
