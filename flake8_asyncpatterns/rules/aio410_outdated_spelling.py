"""`ensure_future(coro())`, `run_in_executor(None, f)` and `get_event_loop()` have had clearer successors for years.

`asyncio.create_task()` (Python 3.7) takes a coroutine and gives a task; `asyncio.ensure_future()` takes anything that
can be awaited, so a reader has to find out what it is given. `asyncio.to_thread()` (Python 3.9) needs no loop, takes
keyword arguments without `functools.partial`, and hands the caller's context variables to the thread.
`asyncio.get_running_loop()` (Python 3.7) is what `asyncio.get_event_loop()` gives in a coroutine; it says so, and it
never had a second meaning (see AIO403).

```python run
import asyncio
import contextvars

user = contextvars.ContextVar("user", default="nobody")


async def main():
    user.set("alice")
    loop = asyncio.get_running_loop()
    print("run_in_executor:", await loop.run_in_executor(None, user.get))
    print("to_thread:", await asyncio.to_thread(user.get))
    for spawn in (asyncio.ensure_future, asyncio.create_task):
        future = loop.create_future()
        try:
            print(spawn.__name__, "gives back what it got:", spawn(future) is future)
        except TypeError as error:
            print(spawn.__name__, "of a future:", type(error).__name__)
    print(asyncio.get_event_loop() is loop)


asyncio.run(main())
```

```text
run_in_executor: nobody
to_thread: alice
ensure_future gives back what it got: True
create_task of a future: TypeError
True
```

```python bad
import asyncio

async def refresh(cache):
    await cache.load()

async def serve(cache, read):
    task = asyncio.ensure_future(refresh(cache))
    loop = asyncio.get_running_loop()
    text = await loop.run_in_executor(None, read, "banner.txt")
    await task
    return text
```

```python good
import asyncio

async def refresh(cache):
    await cache.load()

async def serve(cache, read):
    task = asyncio.create_task(refresh(cache))
    text = await asyncio.to_thread(read, "banner.txt")
    await task
    return text
```

```python bad
import asyncio

async def resolve(host):
    loop = asyncio.get_event_loop()
    return await loop.getaddrinfo(host, 443)
```

```python good
import asyncio

async def resolve(host):
    loop = asyncio.get_running_loop()
    return await loop.getaddrinfo(host, 443)
```

Only calls in a coroutine are reported: elsewhere there may be no running loop, and the successors need one.
`ensure_future` is reported where it is given a coroutine function of the same file, `run_in_executor` where its result
is awaited at once.

## Fix

Unsafe: tests that replace the old function, `mock.patch("asyncio.get_event_loop")`, no longer meet a call of it; and a
function in `to_thread` sees a copy of the caller's context variables, which `run_in_executor` does not give it. A
variable that held the loop and is needed for nothing else is removed.

## When to ignore

Where Python 3.8 must still run the code, and in libraries whose `loop` is not always asyncio's.

## Other tools

ruff has UP rules for other old spellings, and none for these.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.executors import SUPERSEDES, in_a_thread, needless_loop
from ..analysis.starts import GET
from ..flow import is_generator, within
from ..module import Module
from ..needs import calls
from ..rule import Edit, Fix, Remove, Report, Symbol, replace, rule
from ..signs import ASYNC

CREATE_TASK = "tests that replace `asyncio.ensure_future` no longer meet a call of it"
TO_THREAD = "the function gets a copy of the context variables, and tests that replace `run_in_executor` miss it"
RUNNING = "asyncio.get_running_loop"
GET_RUNNING = f"tests that replace `{GET}` no longer meet a call of it"


@rule(
    "AIO410",
    "outdated-spelling",
    ast.AsyncFunctionDef,
    default=False,
    plain=True,
    needs=calls({"asyncio.ensure_future", "asyncio.AbstractEventLoop.run_in_executor", GET}, ASYNC),
)
def outdated_spelling(function: ast.AsyncFunctionDef, module: Module) -> Iterator[Report]:
    """Report the calls that `create_task`, `to_thread` and `get_running_loop` have replaced."""
    calls = [node for node in within(*function.body) if isinstance(node, ast.Call)]
    for call in calls:
        if _makes_a_task(call, module):
            fix = Fix(
                replace(call.func, "{create_task}", create_task=Symbol("asyncio.create_task")),
                unsafe=CREATE_TASK,
                supersedes=("asyncio.ensure_future",),
            )
            yield Report(call, "`asyncio.ensure_future()` of a coroutine is `asyncio.create_task()` now", fix)
    threads = list(_threads([call for call in calls if _runs_in_a_thread(call, module)], module))
    yield from threads
    removed = {edit.node for report in threads if report.fix for edit in report.fix.edits if isinstance(edit, Remove)}
    for call in calls:
        if _gets_the_running_loop(call, module) and module.statement(call) not in removed:
            running = replace(call.func, "{running}", running=Symbol(RUNNING))
            fix = Fix(running, unsafe=GET_RUNNING, supersedes=(GET,))
            yield Report(call, f"`{GET}()` in a coroutine is `{RUNNING}()` now", fix)


def _makes_a_task(call: ast.Call, module: Module) -> bool:
    match call:
        case ast.Call(args=[ast.Call() as coroutine], keywords=[]):
            if module.callee(call) != "asyncio.ensure_future":
                return False
            made = module.definition(coroutine.func)
            return isinstance(made, ast.AsyncFunctionDef) and not made.decorator_list and not is_generator(made)
    return False


def _gets_the_running_loop(call: ast.Call, module: Module) -> bool:
    named = isinstance(call.func, ast.Name) or (
        isinstance(call.func, ast.Attribute) and call.func.attr == "get_event_loop"
    )
    return named and not call.args and not call.keywords and module.callee(call) == GET


def _runs_in_a_thread(call: ast.Call, module: Module) -> bool:
    match call:
        case ast.Call(args=[ast.Constant(value=None), ast.expr() as function, *_], keywords=[]):
            return (
                not isinstance(function, ast.Starred)
                and isinstance(module.parent(call), ast.Await)
                and module.callee(call) == "asyncio.AbstractEventLoop.run_in_executor"
            )
    return False


def _threads(calls: list[ast.Call], module: Module) -> Iterator[Report]:
    """One finding a call; calls by a variable that serves nothing else share their fix, which removes it too."""
    groups: dict[ast.stmt | ast.Call, list[ast.Call]] = {}
    for call in calls:
        groups.setdefault(needless_loop(call, calls, module) or call, []).append(call)
    for needless, group in groups.items():
        edits: list[Edit] = [in_a_thread(call, module) for call in group]
        if isinstance(needless, ast.stmt):
            edits.append(Remove(needless))
        fix = Fix(*edits, unsafe=TO_THREAD, supersedes=SUPERSEDES)
        for call in group:
            yield Report(call, "`run_in_executor(None, …)` is `asyncio.to_thread(…)` now", fix)
