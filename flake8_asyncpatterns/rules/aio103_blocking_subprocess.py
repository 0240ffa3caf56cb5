"""Waiting for a process in a coroutine stops the whole event loop until that process has ended.

A compiler that runs for a minute keeps every other task waiting for a minute, timeouts and signal handlers among them.
Starting a process (`subprocess.Popen(…)`) takes a moment; waiting for it is what blocks.

```python run
import asyncio
import subprocess
import sys

NAP = [sys.executable, "-c", "import time; time.sleep(0.1)"]


async def tick(ticks):
    while True:
        ticks.append("tick")
        await asyncio.sleep(0.01)


async def main():
    ticks = []
    ticking = asyncio.create_task(tick(ticks))
    subprocess.run(NAP)
    print("subprocess.run, others had a turn:", bool(ticks))
    process = await asyncio.create_subprocess_exec(*NAP)
    await process.wait()
    print("asyncio's own, others had a turn:", bool(ticks))
    ticking.cancel()


asyncio.run(main())
```

```text
subprocess.run, others had a turn: False
asyncio's own, others had a turn: True
```

```python bad
import subprocess

async def revision(folder):
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"],
        cwd=folder,
        capture_output=True,  # not for our own output
        check=True,
    )
    return done.stdout.decode().strip()
```

```python good
import asyncio
import subprocess

async def revision(folder):
    done = await asyncio.to_thread(
        subprocess.run,
        ["git", "rev-parse", "HEAD"],
        cwd=folder,
        capture_output=True,  # not for our own output
        check=True,
    )
    return done.stdout.decode().strip()
```

A process that was only started may be waited for elsewhere:

```python bad
import asyncio
from subprocess import PIPE, Popen

async def render(text):
    process = Popen(["dot", "-Tsvg"], stdin=PIPE, stdout=PIPE)
    await asyncio.sleep(0)
    svg, _ = process.communicate(text)
    return svg
```

```python good
import asyncio
from subprocess import PIPE, Popen

async def render(text):
    process = Popen(["dot", "-Tsvg"], stdin=PIPE, stdout=PIPE)
    await asyncio.sleep(0)
    svg, _ = await asyncio.to_thread(process.communicate, text)
    return svg
```

Nothing is said of a process that has been asked whether it has ended. Tests are left alone: one that waits holds up
nobody but itself.

## Fix

Unsafe: `await asyncio.to_thread(…)` waits in a thread, where cancelling the task does not reach it. By hand,
`asyncio.create_subprocess_exec()` needs no thread, and its process can be killed when the task is cancelled.
`os.popen()` is left to you: what it gives waits when it is read.

## When to ignore

Where nothing else is to run: a command line that starts one program and ends with it.

## Other tools

flake8-async and ruff report `subprocess` and `os.system()` (ASYNC220, ASYNC221, ASYNC222), starting a process included.
Sonar reports them as S7487.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.blocking import blocking, report
from ..module import Module
from ..rule import Report, rule


@rule("AIO103", "blocking-subprocess", ast.Module, needs=blocking("AIO103"))
def blocking_subprocess(_: ast.Module, module: Module) -> Iterator[Report]:
    """Report calls in a coroutine that wait for another process."""
    yield from report("AIO103", module)
