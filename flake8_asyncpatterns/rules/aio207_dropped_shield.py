"""The task behind `asyncio.shield()` has no reference, so nothing shields it from the garbage collector.

`shield(work())` makes a task of the coroutine. While somebody awaits the shield, that holds the task. When the
awaiting task is cancelled, which is what the shield is there for, only the event loop's weak reference is left, and
the work that was to be finished in any case may vanish in the middle.

```python run
import asyncio
import gc
import weakref

answers = weakref.WeakSet()

async def commit():
    answer = asyncio.get_running_loop().create_future()
    answers.add(answer)
    print("commits")
    await answer
    print("committed")

async def request():
    await asyncio.shield(commit())

async def main():
    task = asyncio.create_task(request())
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    del task
    gc.collect()  # Python does this by itself now and then
    for answer in answers:
        answer.set_result(None)
    await asyncio.sleep(0.01)
    print("waits for an answer:", len(answers))

asyncio.run(main())
```

```text
commits
waits for an answer: 0
```

A local variable would be gone with the function that is cancelled. Keep the task where it can stay:

```python bad
import asyncio


class Account:
    async def withdraw(self, amount):
        await asyncio.shield(self.commit(amount))

    async def commit(self, amount):
        await self.ledger.write(-amount)
```

```python good
import asyncio


background_tasks: set[asyncio.Task] = set()


class Account:
    async def withdraw(self, amount):
        task = asyncio.create_task(self.commit(amount))
        background_tasks.add(task)
        task.add_done_callback(background_tasks.discard)
        await asyncio.shield(task)

    async def commit(self, amount):
        await self.ledger.write(-amount)
```

It is also found inside `asyncio.wait_for()`, in a `return`, and where the coroutine was bound to a name first. A
call of what is not known is taken to give a coroutine, which is why the rule is off by default.

## Fix

Unsafe: the task is made one statement earlier, lives until it is done, and so does all that it holds.

## When to ignore

Where the work is held by what it waits for (a socket, a timer), and where it may as well be lost.

## Other tools

No other linter has it. anyio's documentation names it as one of the reasons for cancel scopes
(`CancelScope(shield=True)`), which need no task.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.keeping import hoisted
from ..analysis.tasks import dropped, is_fresh, is_moot, makes_task
from ..knowledge.tasks import SHIELD, STARTERS
from ..module import Module
from ..needs import calls
from ..rule import Fix, Report, rule

OUTLIVES = "the task is made one statement earlier, and lives until it is done"


@rule("AIO207", "dropped-shield", ast.Call, default=False, plain=True, needs=calls({SHIELD}))
def dropped_shield(call: ast.Call, module: Module) -> Iterator[Report]:
    """Report `shield(coroutine())`: nothing keeps the task once the shield is cancelled."""
    if not call.args or module.callee(call) != SHIELD or not is_fresh(call.args[0], module):
        return
    if _is_kept_by_its_maker(call.args[0], module) or dropped(call, module) is not None or is_moot(call, module):
        return
    message = "nothing keeps the task behind this `shield()`: once its waiter is cancelled, it may vanish unfinished"
    made = hoisted(call.args[0], OUTLIVES, module)
    if isinstance(made, Fix):
        yield Report(call, message, made)
    else:
        yield Report(call, message, refusal=made)


def _is_kept_by_its_maker(node: ast.expr, module: Module) -> bool:
    """Is this `group.create_task(…)` or the like, which keeps what it starts?"""
    match node:
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return any(part in name for part in STARTERS) and makes_task(node, module) is None
    return False
