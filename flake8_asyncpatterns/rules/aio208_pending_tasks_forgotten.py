"""What is still pending after `asyncio.wait()` is neither awaited nor cancelled: it goes on, and nobody knows.

With a `timeout`, or `return_when=FIRST_COMPLETED`, `asyncio.wait()` returns before all tasks are done. Unlike
`wait_for()` it cancels none of them. Where the tasks have no other name, what is left goes on, takes an item from a
queue that nobody will see, holds a connection; and since nothing keeps it, it may also vanish in the middle.

```python run
import asyncio

async def next_order(queue):
    done, _ = await asyncio.wait([asyncio.create_task(queue.get())], timeout=0.01)
    return done.pop().result() if done else None

async def main():
    queue = asyncio.Queue()
    print("first:", await next_order(queue))
    await queue.put("tea")
    print("second:", await next_order(queue))

asyncio.run(main())
```

```text
first: None
second: None
```

The forgotten task of the first call has taken the tea.

```python bad
import asyncio

async def fastest(mirrors, path):
    done, _ = await asyncio.wait(
        [asyncio.create_task(mirror.fetch(path)) for mirror in mirrors],
        return_when=asyncio.FIRST_COMPLETED,
    )
    return done.pop().result()
```

```python good
import asyncio

async def fastest(mirrors, path):
    done, pending = await asyncio.wait(
        [asyncio.create_task(mirror.fetch(path)) for mirror in mirrors],
        return_when=asyncio.FIRST_COMPLETED,
    )
    for task in pending:
        task.cancel()
    return done.pop().result()
```

It is found where the tasks are made in the call, or bound to local names that nothing else uses (a look at
`result()` is none), and the second of the two sets has no name, is never read, or both are thrown away.

## Fix

None: whether the rest is to be cancelled, awaited, or kept is not known. To wait for one thing no longer than some
time, use `asyncio.timeout()` or `asyncio.wait_for()`, which cancel it. Wait for tasks after cancelling them, where
they have something to clean up.

## When to ignore

Where the rest is meant to go on: keep the tasks, then, and this rule is silent.

## Other tools

No other linter has it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.tasks import is_coroutine, is_moot, makes_task
from ..analysis.waits import ends_early, gathered
from ..knowledge.tasks import ENDS_EARLY, WAIT
from ..module import Module
from ..needs import calls, last, words
from ..rule import Report, rule
from ..signs import HAS_ARGUMENTS


@rule(
    "AIO208",
    "pending-tasks-forgotten",
    ast.Await,
    needs=calls({WAIT}, HAS_ARGUMENTS, last(ENDS_EARLY) | words("timeout")),
)
def pending_tasks_forgotten(awaited: ast.Await, module: Module) -> Iterator[Report]:
    """Report `done, _ = await asyncio.wait(…)` that may end early and forgets what is pending."""
    call = awaited.value
    if not isinstance(call, ast.Call) or module.callee(call) != WAIT:
        return
    why = ends_early(call, module)
    if not why or not _forgets(awaited, module) or is_moot(awaited, module):
        return
    made = gathered(call, module, looked_at=True)
    if not made or not all(_is_nobodys(one, module) for one in made):
        return
    yield Report(
        awaited, f"what is still pending {why} is neither awaited nor cancelled: it goes on, and nothing keeps it"
    )


def _forgets(awaited: ast.Await, module: Module) -> bool:
    """Does nobody get the second of the two sets?"""
    match module.parent(awaited):
        case ast.Expr():
            return True
        case ast.Subscript(slice=ast.Constant(value=0)):
            return True
        case ast.Assign(targets=[ast.Tuple(elts=[_, ast.Name() as pending])]):
            return _is_unread(pending, module)
        case ast.Assign(targets=[ast.Name() as both]):
            return _is_unread(both, module)
    return False


def _is_unread(name: ast.Name, module: Module) -> bool:
    if module.function(name) is None or module.declarations(name):
        return False
    return not any(isinstance(use.ctx, ast.Load) for use in module.uses(name))


def _is_nobodys(made: ast.Call, module: Module) -> bool:
    """Does what makes this task not keep it? What is imported, or a method of an object that is not known, may."""
    known = makes_task(made, module) is not None or is_coroutine(made, module)
    return known or (isinstance(made.func, ast.Name) and module.name(made.func) is None)
