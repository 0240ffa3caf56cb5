"""A task that nothing keeps may vanish before it is done.

The event loop holds its tasks by weak references only. While a task waits, what it waits for holds it; where nothing
else holds that, the garbage collector takes them all away, in the middle, at a time of its own. All there is to see
is "Task was destroyed but it is pending!" in the log. And when such a task fails, nobody is told until it is
collected.

```python run
import asyncio
import gc
import weakref

subscriptions = weakref.WeakSet()

async def follow():
    news = asyncio.Queue()
    subscriptions.add(news)
    print("follows the news")
    print("heard:", await news.get())

async def main():
    asyncio.create_task(follow())
    await asyncio.sleep(0)
    gc.collect()  # Python does this by itself now and then
    for news in subscriptions:
        news.put_nowait("it rains")
    await asyncio.sleep(0)
    print("followers:", len(subscriptions))

asyncio.run(main())
```

```text
follows the news
followers: 0
```

Keep the task in a variable that lives as long as it does, until it is done:

```python bad
import asyncio


async def order(cart, mailer):
    await cart.checkout()
    asyncio.create_task(mailer.confirm(cart))
```

```python good
import asyncio


background_tasks: set[asyncio.Task] = set()


async def order(cart, mailer):
    await cart.checkout()
    task = asyncio.create_task(mailer.confirm(cart))
    background_tasks.add(task)
    task.add_done_callback(background_tasks.discard)
```

A local variable that nothing reads keeps the task no longer than the function runs:

```python bad
import asyncio


class Player:
    def __init__(self):
        self.tasks = set()

    def play(self, song):
        task = asyncio.create_task(self.stream(song))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def skip(self):
        _ = asyncio.create_task(self.fade_out())

    async def stream(self, song):
        await song.stream()

    async def fade_out(self):
        await asyncio.sleep(1)
```

```python good
import asyncio


class Player:
    def __init__(self):
        self.tasks = set()

    def play(self, song):
        task = asyncio.create_task(self.stream(song))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def skip(self):
        task = asyncio.create_task(self.fade_out())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def stream(self, song):
        await song.stream()

    async def fade_out(self):
        await asyncio.sleep(1)
```

`asyncio.gather()` without `await` starts what it is given, and waits for none of it:

```python bad
import asyncio

async def close_all(connections):
    asyncio.gather(*(connection.close() for connection in connections))
    print("closed")
```

```python good
import asyncio

async def close_all(connections):
    await asyncio.gather(*(connection.close() for connection in connections))
    print("closed")
```

Found are `asyncio.create_task()`, `ensure_future()`, `Task()`, `shield()`, `gather()` and a loop's `create_task()`,
however imported, where the result is a statement of its own, the last part of a condition that is a statement, an
item of a list that nobody keeps; where only `add_done_callback()` is called on it; where it is bound to a local name
that nothing reads, and nothing is awaited while the function lasts; and where the loop makes it
(`loop.call_later(1, asyncio.create_task, work())`).

A lambda gives the task to whoever calls it, and is left alone, but for listeners of an event emitter
(`emitter.on("close", lambda: asyncio.create_task(…))`), which have no use for it. Tasks of a `TaskGroup`, and of other
objects with a `create_task()`, are kept by these. An object whose type is not known is taken for an event loop only
where it is called one (`client.loop`), in a file that has no `create_task()` of its own and no other library's loop.

## Fix

Unsafe: the task outlives what it was made in, as it was meant to, and so does all that it holds. It is put in a set
that keeps it until it is done: one that the class or the file has for this already, or a new one at the top of the
file. In a coroutine, `gather()` is awaited, so what follows waits for it.

By hand: await the task where its result matters, or start it in an `asyncio.TaskGroup`, which also tells of
errors. The set does not: add a callback that logs them.

## When to ignore

Where the task is kept by what it waits for, such as a timer or a socket, and it never waits for anything else: a task
that only sleeps is safe. Mind that this is true of all code it will ever call.

## Other tools

ruff (RUF006) and SonarQube (S7502) report `create_task()` and `ensure_future()` as a statement; ruff also knows loops
that were assigned from `asyncio.get_running_loop()` and the like, and names that are never used. It does not see
loops on attributes (`self._loop.create_task(…)`), conditions, lists, listeners,
`create_task(…).add_done_callback(…)` and `gather()`, and has no fix. flake8-async (ASYNC300) looks for
`asyncio.create_task()` alone, and sees it in conditions and lists. Ruff reports a name that is never used also where
the function keeps it alive (`_ = loop.create_task(…)` followed by `loop.run_forever()`), and `ensure_future(task)` of
a task that is kept elsewhere.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.callbacks import handed
from ..analysis.keeping import kept
from ..analysis.tasks import dropped, is_coroutine, is_fresh, is_moot, maker, makes_task
from ..knowledge.tasks import FROM_COROUTINE, GATHER, MAKERS
from ..module import Module
from ..needs import Need, last, words
from ..rule import Fix, Report, replace, rule
from ..signs import idle

# A loose call of what makes tasks, or its name handed over or given to another.
DROPPED = (
    Need((last(MAKERS), frozenset({idle.of(last(MAKERS))}))),
    Need((last(MAKERS), words("call_soon", "call_soon_threadsafe", "call_later", "call_at"))),
)
OUTLIVES = "the task lives until it is done, and with it all that it holds"
WAITS = "what follows waits for all of them"
REFUSALS = {
    "listener": "a lambda has no place for what keeps it: write a function",
    "callback": "a function of its own has to make the task and to keep it",
}


@rule("AIO205", "dropped-task", ast.Call, plain=True, needs=DROPPED)
def dropped_task(call: ast.Call, module: Module) -> Iterator[Report]:
    """Report tasks that nothing keeps."""
    name = makes_task(call, module)
    if name is None:
        yield from _made_by_the_loop(call, module)
        return
    where = dropped(call, module)
    if where is None or is_moot(call, module):
        return
    if name == GATHER:
        if module.coroutine(call) is None and not any(is_coroutine(argument, module) for argument in call.args):
            return
        message = "nobody awaits this `asyncio.gather()`, and nothing keeps its tasks: they may vanish unfinished"
        if where.how == "statement" and module.coroutine(call) is not None:
            yield Report(call, message, Fix(replace(call, "await {call}", call=call), unsafe=WAITS))
        else:
            yield Report(call, message, refusal="await it in a coroutine, or keep it until it is done")
        return
    message = (
        f"nothing keeps the task of `{_short(call)}()`: the event loop holds it weakly, and it may vanish unfinished"
    )
    made = REFUSALS.get(where.how) or kept(call, where.statement, where.how, OUTLIVES, module)
    if isinstance(made, Fix):
        yield Report(call, message, made)
    else:
        yield Report(call, message, refusal=made)


def _made_by_the_loop(call: ast.Call, module: Module) -> Iterator[Report]:
    """`call_soon(asyncio.create_task, work())`: the loop throws the task away."""
    found = handed(call, module)
    if found is None or found.receiver.where not in ("loop", "loop from outside") or len(found.rest) != 1:
        return
    [argument] = found.rest
    name = maker(found.callback, module)
    if name in FROM_COROUTINE or (name is not None and is_fresh(argument, module)):
        message = f"`{found.name}()` throws the task away: the event loop holds it weakly, and it may vanish unfinished"
        yield Report(call, message, refusal=REFUSALS["callback"])


def _short(call: ast.Call) -> str:
    text = ast.unparse(call.func)
    return text if len(text) <= 40 else f"….{text.rpartition('.')[2]}"
