"""A `return`, `break` or `continue` that leaves an `asyncio.TaskGroup` waits for all of its tasks.

The jump looks as if it ended the work at once. But a TaskGroup that is left without an exception waits until the last
of its tasks is done, however long that takes: a listener that never ends keeps the `return` waiting for ever.

```python run
import asyncio

async def slow():
    await asyncio.sleep(0.05)
    print("slow is done")

async def first_answer():
    async with asyncio.TaskGroup() as group:
        group.create_task(slow())
        for answer in ["an answer", "another"]:
            print("returning")
            return answer

async def main():
    print(await first_answer())

asyncio.run(main())
```

```text
returning
slow is done
an answer
```

```python bad
import asyncio

async def answer(question, servers, ask, known):
    async with asyncio.TaskGroup() as group:
        for server in servers:
            group.create_task(ask(server, question))
        if question in known:
            return known[question]
        await asyncio.sleep(1)
    return None
```

```python good
import asyncio

async def answer(question, servers, ask, known):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(server, question)) for server in servers]
        if question in known:
            for task in tasks:
                task.cancel()
            return known[question]
        await asyncio.sleep(1)
    return None
```

## Fix

By hand: cancel the tasks before the jump, if their work is not needed any more; else let the block come to its end, and
jump behind it. The library reference shows how to end a group by an exception of your own ("Terminating a Task Group").

## When to ignore

Where waiting for the tasks is what you want, and you know that the jump does. Not reported: a jump before the first
task is made; one whose loop lies inside of the group; a `return` that the block would end with anyway; one in a
function that cancels something before.

## Other tools

flake8-async reports it as ASYNC121, and SonarQube as S7514.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeAlias

from ..analysis.cancellation import name_of
from ..flow import LOOPS, within
from ..knowledge.task_scopes import TASK_GROUP
from ..module import Module
from ..needs import calls
from ..rule import Related, Report, rule
from ..signs import ASYNC

Jump: TypeAlias = ast.Return | ast.Break | ast.Continue


@rule("AIO211", "jump-out-of-task-group", ast.Return, ast.Break, ast.Continue, needs=calls({TASK_GROUP}, ASYNC))
def jump_out_of_task_group(jump: ast.AST, module: Module) -> Iterator[Report]:
    """Report a jump out of a TaskGroup that may have work to do by then."""
    assert isinstance(jump, (ast.Return, ast.Break, ast.Continue))
    group = _left(jump, module)
    if group is None or _is_its_end(jump, group, module):
        return
    uses = [node for node in _before(jump, group) if _is_group(node, group, module)]
    if not uses or all(_is_awaited(use, jump, group, module) for use in uses) or _cancels(jump, group):
        return
    word = type(jump).__name__.lower()
    message = f"this `{word}` waits for all tasks of the group first; cancel those that are not needed any more"
    yield Report(jump, message, related=(Related(uses[0], "the first of them is started here"),))


def _left(jump: Jump, module: Module) -> ast.AsyncWith | None:
    """The inmost TaskGroup that a jump leaves."""
    if module.coroutine(jump) is None:
        return None
    inner: ast.AST = jump
    for around in module.ancestors(jump):
        if isinstance(around, ast.AsyncFunctionDef):
            break
        if isinstance(around, LOOPS) and not isinstance(jump, ast.Return) and inner not in around.orelse:
            break
        if isinstance(around, ast.AsyncWith) and any(_makes_group(item, module) for item in around.items):
            return around
        inner = around
    return None


def _makes_group(item: ast.withitem, module: Module) -> bool:
    return isinstance(item.context_expr, ast.Call) and module.callee(item.context_expr) == TASK_GROUP


def _is_its_end(jump: Jump, group: ast.AsyncWith, module: Module) -> bool:
    """Would the block end here without the jump, too?"""
    node: ast.AST = jump
    while node is not group:
        parent = module.parents[node]
        if isinstance(parent, LOOPS) or (isinstance(node, ast.stmt) and module.block(node)[-1] is not node):
            return False
        node = parent
    return True


def _before(jump: Jump, group: ast.AsyncWith) -> Iterator[ast.AST]:
    """The code of the group that stands in front of a jump."""
    return (
        node
        for node in within(*group.body)
        if (getattr(node, "lineno", jump.lineno), getattr(node, "col_offset", 0)) < (jump.lineno, jump.col_offset)
    )


def _is_group(node: ast.AST, group: ast.AsyncWith, module: Module) -> bool:
    """Is this the group, put to use: `group.create_task(…)`, `start(group)`?"""
    if not isinstance(node, (ast.Name, ast.Attribute)) or not isinstance(node.ctx, ast.Load):
        return False
    return any(
        item.optional_vars is not None
        and _makes_group(item, module)
        and ast.unparse(item.optional_vars) == ast.unparse(node)
        for item in group.items
    )


def _is_awaited(use: ast.AST, jump: Jump, group: ast.AsyncWith, module: Module) -> bool:
    """Is the task that is made here awaited before the jump?"""
    match module.statement(use):
        case ast.Assign(targets=[ast.Name(id=name)]):
            awaited = (node for node in _before(jump, group) if isinstance(node, ast.Await))
            return any(isinstance(part, ast.Name) and part.id == name for node in awaited for part in ast.walk(node))
    return False


def _cancels(jump: Jump, group: ast.AsyncWith) -> bool:
    return any("cancel" in name_of(node.func).lower() for node in _before(jump, group) if isinstance(node, ast.Call))
