"""A plain function that blocks stops the whole event loop when a coroutine calls it, however many calls deep.

`requests.get()` in a helper, a `time.sleep()` in a method that a method calls: nothing in the coroutine shows it. The
event loop waits all the same, and every other task with it. What is reported is the call that the coroutine makes; the
message names the whole way to what blocks, with its lines.

```python run
import asyncio
import time


def retry():
    time.sleep(0.1)


def connect():
    retry()


async def tick(ticks):
    while True:
        ticks.append("tick")
        await asyncio.sleep(0.01)


async def main():
    ticks = []
    ticking = asyncio.create_task(tick(ticks))
    connect()
    print("connect(), others had a turn:", bool(ticks))
    await asyncio.to_thread(connect)
    print("in a thread, others had a turn:", bool(ticks))
    ticking.cancel()


asyncio.run(main())
```

```text
connect(), others had a turn: False
in a thread, others had a turn: True
```

```python bad
import requests

class Bot:
    def __init__(self, url):
        self.url = url

    def _post(self, payload):
        return requests.post(self.url, json=payload, timeout=10)

    def _post_text(self, channel, text):
        return self._post({"channel": channel, "text": text})

    async def send(self, channel, text):
        self._post_text(channel, text)
```

```python good
import asyncio

import requests

class Bot:
    def __init__(self, url):
        self.url = url

    def _post(self, payload):
        return requests.post(self.url, json=payload, timeout=10)

    def _post_text(self, channel, text):
        return self._post({"channel": channel, "text": text})

    async def send(self, channel, text):
        await asyncio.to_thread(self._post_text, channel, text)
```

Followed are functions, methods, properties of the same file, and what making an instance runs, through any number of
calls and of the project's files, where it is certain which one is called: by imports and what packages hand on, by
`self` and base classes, and by the types of variables, attributes, and of what functions return. Not followed is a
method that a subclass beside it defines anew, and nothing under a decorator that is not known. Nothing
is said of a function that is handed to a thread or an executor anywhere on the way, of a generator that is only made,
of a branch that the arguments in the call rule out (`fetch(wait=False)`), or what is known of `self` from a condition
before, and of code that has asked whether an event loop runs, or whether it is to work asynchronously. The way must end
in a sleep, the network, a process, a database, somebody who types, or another thread; where it ends in work on files
only, that is AIO114's. A sleep of less than ten milliseconds is none, and a lock is mostly held for no longer.

Tests are left alone, and so are commands (`cli.py`, and files in `cli`, `cmds` and `scripts` or a folder in these):
nobody waits for one but who has called it. So is what a coroutine that is only there for `asyncio.run()` does before it
awaits anything or starts a task.

Of all ways from a call the message names the surest, and of these the shortest. One that leads through two files may
have two steps that are taken only under a condition; one through more files must have none, and no more than one that a
`return` may come before: what is many calls away, behind several conditions, is mostly never come to. Another file's
sleep under a condition, a pause before the next try, is none either, and nothing is that it does after an error. Within
the file itself conditions do not matter.

`asyncfix graph MODULE:FUNCTION` shows all that a coroutine reaches so, as a tree or to be drawn. `--no-project` has
`asyncfix` look at each file on its own.

## Fix

Unsafe: `await asyncio.to_thread(f, …)` runs the whole function in another thread, and other tasks in the meantime;
both may touch what it works on. There is no fix where the function, or what it calls, works on the event loop itself,
and none for generators and properties. Where nothing on any way from the call does more than sleep, the fix says so:
a coroutine with `asyncio.sleep()` is better then. By hand, it is often better to make the function a coroutine, from
what blocks upwards.

## When to ignore

Where the way is known not to be gone while the event loop has anything else to do.

## Other tools

None known that follows calls. Those of flake8-async, ruff (ASYNC210, ASYNC220, ASYNC251 and their kin) and Sonar look
at the body of the coroutine alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.chains import Chains, needs, report
from ..module import Module
from ..rule import Report, rule
from ..ways import FOR_REAL


@rule("AIO110", "blocking-through-calls", ast.Module, needs=needs(FOR_REAL))
def blocking_through_calls(_: ast.Module, module: Module) -> Iterator[Report]:
    """Report calls by which a coroutine runs a plain function that blocks."""
    yield from report(module.analysis(Chains).real, module)
