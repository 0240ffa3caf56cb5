"""A plain function that works on files stops the event loop when a coroutine calls it, however many calls deep.

It is AIO110 for calls that come to nothing worse than opening, reading, writing, copying or removing files.

```python run
import asyncio
import tempfile
from pathlib import Path


def write(path):
    path.write_bytes(bytes(1_000_000))


def save(folder):
    for number in range(10):
        write(folder / str(number))


async def tick(ticks):
    while True:
        ticks.append("tick")
        await asyncio.sleep(0)


async def main(folder):
    ticks = []
    ticking = asyncio.create_task(tick(ticks))
    save(folder)
    print("save(), others had a turn:", bool(ticks))
    await asyncio.to_thread(save, folder)
    print("in a thread, others had a turn:", bool(ticks))
    ticking.cancel()


with tempfile.TemporaryDirectory() as folder:
    asyncio.run(main(Path(folder)))
```

```text
save(), others had a turn: False
in a thread, others had a turn: True
```

```python bad
import json

class Settings:
    def __init__(self, path):
        self.path = path
        self.values = {}

    def _save(self):
        with open(self.path, "w") as file:
            json.dump(self.values, file)

    async def change(self, name, value):
        self.values[name] = value
        self._save()
```

```python good
import asyncio
import json

class Settings:
    def __init__(self, path):
        self.path = path
        self.values = {}

    def _save(self):
        with open(self.path, "w") as file:
            json.dump(self.values, file)

    async def change(self, name, value):
        self.values[name] = value
        await asyncio.to_thread(self._save)
```

This rule is off by default: most of what it finds are small files on a local disk, which take less time than a thread
does. It leaves tests alone.

## Fix

Unsafe: `await asyncio.to_thread(f, …)` runs the whole function in another thread, and other tasks in the meantime: two
of them may now write the same file at once, for which an `asyncio.Lock` is right.

## When to ignore

Where the files are small, and on a local disk.

## Other tools

None known that follows calls.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.chains import Chains, needs, report
from ..module import Module
from ..rule import Report, rule
from ..ways import FILES


@rule("AIO114", "file-io-through-calls", ast.Module, default=False, needs=needs(FILES))
def file_io_through_calls(_: ast.Module, module: Module) -> Iterator[Report]:
    """Report calls by which a coroutine runs a plain function that works on files."""
    yield from report(module.analysis(Chains).files, module)
