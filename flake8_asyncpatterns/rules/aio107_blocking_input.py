r"""`input()` in a coroutine stops the whole event loop until somebody presses Enter.

A chat that waits for a line receives none; a server with an operator's prompt answers nobody.

```python run
import asyncio
import os
import sys
import threading


async def receive(messages):
    while True:
        messages.append("hello")
        await asyncio.sleep(0.01)


def type_slowly(line):
    read, write = os.pipe()
    sys.stdin = os.fdopen(read)
    threading.Timer(0.1, os.write, (write, line)).start()


async def main():
    messages = []
    receiving = asyncio.create_task(receive(messages))
    type_slowly(b"bye\n")
    print(input(), "typed; messages meanwhile:", len(messages))
    type_slowly(b"bye\n")
    print(await asyncio.to_thread(input), "typed; some messages meanwhile:", bool(messages))
    receiving.cancel()


asyncio.run(main())
```

```text
bye typed; messages meanwhile: 0
bye typed; some messages meanwhile: True
```

```python bad
import asyncio

async def chat(send):
    while line := input("> "):
        await send(line)

async def main(send):
    await asyncio.gather(chat(send), asyncio.sleep(60))
```

```python good
import asyncio

async def chat(send):
    while line := await asyncio.to_thread(input, "> "):
        await send(line)

async def main(send):
    await asyncio.gather(chat(send), asyncio.sleep(60))
```

```python bad
from getpass import getpass

async def log_in(client, user):
    await client.log_in(user, getpass())
```

```python good
import asyncio
from getpass import getpass

async def log_in(client, user):
    await client.log_in(user, await asyncio.to_thread(getpass))
```

## Fix

Safe: `await asyncio.to_thread(input, …)` reads the same line. (Unsafe where a thread's lock is held around it, and in a
`try` with `except KeyboardInterrupt`: Ctrl+C interrupts the main thread, not the one that waits for a line.)
A thread that waits for a line cannot be stopped: when the task is cancelled, the program still ends only after Enter.

## When to ignore

Where nothing else is to happen before the answer: a script that asks for a password first. A plain function that asks
before `asyncio.run()` says it better.

## Other tools

flake8-async and ruff report `input()` as ASYNC250, Sonar as S7501; none has a fix.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.blocking import blocking, report
from ..module import Module
from ..rule import Fix, Report, rule
from ..scopes import FUNCTIONS

INTERRUPT = "Ctrl+C would not interrupt the thread that waits, and `except KeyboardInterrupt` not run"


@rule("AIO107", "blocking-input", ast.Module, needs=blocking("AIO107"))
def blocking_input(_: ast.Module, module: Module) -> Iterator[Report]:
    """Report calls in a coroutine that wait for somebody to type."""
    for found in report("AIO107", module, unsafe=""):
        if found.fix is not None and _may_be_interrupted(found.node, module):
            reasons = "; ".join(filter(None, (found.fix.unsafe, INTERRUPT)))
            yield found._replace(fix=Fix(*found.fix.edits, unsafe=reasons))
        else:
            yield found


def _may_be_interrupted(node: ast.AST, module: Module) -> bool:
    """Is somebody who presses Ctrl+C at the prompt answered by the coroutine itself?"""
    for around in module.ancestors(node):
        if isinstance(around, FUNCTIONS):
            break
        if isinstance(around, ast.Try) and node in around.body:
            named = (name for handler in around.handlers if handler.type for name in ast.walk(handler.type))
            if any(
                isinstance(name, (ast.Name, ast.Attribute)) and module.name(name) == "builtins.KeyboardInterrupt"
                for name in named
            ):
                return True
        node = around
    return False
