"""Nobody looks at the future of `asyncio.run_coroutine_threadsafe()`: when the coroutine fails, nobody is told.

What goes wrong in a task is at least logged when the task is collected. Here the exception is handed on to a
`concurrent.futures.Future`, and so counts as seen; and such a future logs nothing when it is thrown away.

```python run
import asyncio
import threading

async def save(row):
    raise OSError("disk full")

def worker(loop):
    asyncio.run_coroutine_threadsafe(save({"id": 1}), loop)
    print("saved")

async def main():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: print("the loop says:", context["message"]))
    thread = threading.Thread(target=worker, args=(loop,))
    thread.start()
    await asyncio.sleep(0.1)
    print("no error was seen")

asyncio.run(main())
```

```text
saved
no error was seen
```

Wait for the result, or add a callback that looks at it:

```python bad
import asyncio

def on_message(message, loop, queue):
    asyncio.run_coroutine_threadsafe(forward(message, queue), loop)

async def forward(message, queue):
    await queue.send(message)
```

```python good
import asyncio
import logging

def on_message(message, loop, queue):
    future = asyncio.run_coroutine_threadsafe(forward(message, queue), loop)
    future.add_done_callback(log_failure)

def log_failure(future):
    if not future.cancelled() and (error := future.exception()):
        logging.error("message not sent", exc_info=error)

async def forward(message, queue):
    await queue.send(message)
```

It is also found as the last part of a condition, in a list that nobody keeps, and bound to a local name that nothing
reads. It is not reported where the coroutine is a function of the file that catches every exception itself or hands
its outcome to another future, where it puts something into an asyncio queue, and where it stops the loop: then the
future is never done.

## Fix

None: whether the thread may wait for the result (`future.result(timeout)`), or what is to be done about an error,
is not known. In the event loop's own thread `result()` would wait for ever: there, use `asyncio.create_task()`.

## When to ignore

Where the coroutine cannot fail, or tells of its errors itself.

## Other tools

SonarQube (S7502) speaks of tasks only, as does ruff (RUF006). No other linter has it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.tasks import dropped, is_moot
from ..analysis.waits import cannot_fail
from ..flow import body
from ..knowledge.tasks import THREADSAFE
from ..module import Module
from ..needs import calls
from ..rule import Report, rule

STOP = "asyncio.AbstractEventLoop.stop"


@rule("AIO206", "dropped-threadsafe-future", ast.Call, plain=True, needs=calls({THREADSAFE}))
def dropped_threadsafe_future(call: ast.Call, module: Module) -> Iterator[Report]:
    """Report `run_coroutine_threadsafe()` whose future nobody looks at."""
    if module.callee(call) != THREADSAFE or dropped(call, module, chained=False, framed=False) is None:
        return
    if is_moot(call, module) or any(cannot_fail(c, module) or _stops_the_loop(c, module) for c in call.args[:1]):
        return
    message = "nobody looks at the future of `run_coroutine_threadsafe()`: an exception of the coroutine is lost"
    yield Report(call, message)


def _stops_the_loop(coroutine: ast.expr, module: Module) -> bool:
    """Is this the coroutine of a function that stops an event loop, which then tells nobody that it is done?"""
    function = module.definition(coroutine.func) if isinstance(coroutine, ast.Call) else None
    return isinstance(function, ast.AsyncFunctionDef) and any(
        isinstance(node, ast.Call) and module.callee(node) == STOP for node in body(function)
    )
