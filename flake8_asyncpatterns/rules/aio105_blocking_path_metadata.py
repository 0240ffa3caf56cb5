"""Asking the file system about a path in a coroutine stops the event loop until it has answered.

`os.path.exists()`, `Path.stat()`, `os.listdir()` and their like mostly take microseconds, from a local disk. From a
network drive, a sleeping disk or a folder of a hundred thousand files they take seconds, and no other task runs then.

```python run
import asyncio
import os
import tempfile


async def tick(ticks):
    while True:
        ticks.append("tick")
        await asyncio.sleep(0)


async def main(folder):
    ticks = []
    ticking = asyncio.create_task(tick(ticks))
    for number in range(1000):
        os.makedirs(f"{folder}/{number % 10}/{number}")
    print("a thousand folders, others had a turn:", bool(ticks))
    await asyncio.to_thread(os.listdir, folder)
    print("a list of them, others had a turn:", bool(ticks))
    ticking.cancel()


with tempfile.TemporaryDirectory() as folder:
    asyncio.run(main(folder))
```

```text
a thousand folders, others had a turn: False
a list of them, others had a turn: True
```

```python bad
from pathlib import Path

class Cache:
    def __init__(self, folder):
        self.folder = Path(folder)

    async def forget(self, key):
        path = self.folder / key
        if path.exists():
            path.unlink()
```

```python good
import asyncio
from pathlib import Path

class Cache:
    def __init__(self, folder):
        self.folder = Path(folder)

    async def forget(self, key):
        path = self.folder / key
        if await asyncio.to_thread(path.exists):
            await asyncio.to_thread(path.unlink)
```

This rule is off by default: on a local disk, handing such a question to a thread takes longer than its answer. Select
it where files are on a network drive. It leaves tests alone.

## Fix

Unsafe: `await asyncio.to_thread(…)` lets other tasks run in the meantime, so that the answer may be out of date when it
is there. What gives its answer bit by bit (`Path.glob()`, `os.walk()`) is left to you. Several questions in a row are
better put into one function, and that handed to a thread.

## When to ignore

Where the files are on a local disk, and few.

## Other tools

flake8-async reports `os.path` functions as ASYNC240, ruff methods of `pathlib.Path`, too; in tests, and also where
no file system is asked (`os.path.normpath()`, `Path.absolute()`). Sonar reports calls of `os` as S7489. Here a path is
one by its inferred type, on attributes, too, and `anyio.Path` is none.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.blocking import blocking, report
from ..module import Module
from ..rule import Report, rule


@rule("AIO105", "blocking-path-metadata", ast.Module, default=False, needs=blocking("AIO105"))
def blocking_path_metadata(_: ast.Module, module: Module) -> Iterator[Report]:
    """Report calls in a coroutine that ask the file system about a path, or change what it says."""
    yield from report("AIO105", module)
