"""An event loop that is made, run once and closed by hand.

`asyncio.run()` does the same in one line, and what is usually forgotten: it cancels the tasks that are left and waits
for them, closes asynchronous generators, and shuts the pool of threads down. Since Python 3.11 it also turns Ctrl-C
into a cancellation. Without, the `finally` blocks of what still runs are never reached.

```python run
import asyncio


async def keep_connection():
    try:
        await asyncio.sleep(3600)
    finally:
        await asyncio.sleep(0)
        print("connection closed")


async def main():
    task = asyncio.create_task(keep_connection())
    await asyncio.sleep(0)
    return task


loop = asyncio.new_event_loop()
task = loop.run_until_complete(main())
loop.close()
print("by hand:", "done" if task.done() else "left behind")
other = asyncio.run(main())
print("asyncio.run:", "done" if other.done() else "left behind")
```

```text
by hand: left behind
connection closed
asyncio.run: done
```

```python bad
import asyncio


async def main():
    await asyncio.sleep(1)


loop = asyncio.get_event_loop()
try:
    loop.run_until_complete(main())
finally:
    loop.close()
```

```python good
import asyncio


async def main():
    await asyncio.sleep(1)


asyncio.run(main())
```

```python bad
import asyncio


async def fetch(url):
    return await asyncio.sleep(1, url)


if __name__ == "__main__":
    print(asyncio.get_event_loop().run_until_complete(fetch("https://example.org")))
```

```python good
import asyncio


async def fetch(url):
    return await asyncio.sleep(1, url)


if __name__ == "__main__":
    print(asyncio.run(fetch("https://example.org")))
```

It is reported where the loop serves nothing but this one run. A loop that runs twice, runs for ever, has handlers or an
executor of its own, runs a future that was there before, or is handed on to others, needs more thought (see AIO403).

## Fix

Unsafe. `asyncio.run()` makes a new loop each time, and cancels what is left at the end: what was made for the old loop
before (a client, a session) would now belong to another one. It takes a coroutine only, and so there is no fix where
what is run is not known to be one.

## When to ignore

Where the loop must outlive the run for a reason that the file does not show.

## Other tools

None that we know of reports this.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.callbacks import COROUTINE, result
from ..analysis.starts import GET, NEW, Start, Starts
from ..analysis.versions import reaches
from ..flow import within
from ..knowledge.removed import OLDEST
from ..module import Module
from ..needs import calls
from ..rule import Edit, Fix, Hole, Related, Remove, Replace, Report, Symbol, replace, rule

RUN = "asyncio.run"
UNSAFE = "`asyncio.run()` makes a loop of its own, and cancels the tasks that are left when it ends"
UNKNOWN = "`asyncio.run()` takes a coroutine, and what is run here may be something else"
BEFORE = "what is made for the loop before it runs has to be made in the coroutine first"


@rule("AIO409", "hand-run-loop", ast.Module, plain=True, needs=calls({GET, NEW}))
def hand_run_loop(_: ast.Module, module: Module) -> Iterator[Report]:
    """Report loops that are there for one run only."""
    for made, start in module.analysis(Starts).by_hand.items():
        if reaches(made, module, OLDEST):
            fix, refusal = _fix(start, module)
            message = "a loop that is run by hand, once; `asyncio.run()` also ends what it leaves behind"
            related = (Related(start.run, "the one run"),) if start.run.lineno != made.lineno else ()
            yield Report(made, message, fix, refusal, related)


def _fix(start: Start, module: Module) -> tuple[Fix | None, str]:
    main = start.run.args[0]
    if not isinstance(main, ast.Call) or result(main, module) != COROUTINE:
        return None, UNKNOWN
    if any(
        isinstance(node, ast.Call) and (module.callee(node) or "").startswith("asyncio.") for node in within(*main.args)
    ):
        return None, BEFORE
    edits: list[Edit] = [replace(start.run, "{run}({main})", run=Symbol(RUN), main=main)]
    edits += [Remove(statement) for statement in start.needless]
    for emptied in dict.fromkeys(_emptied(start.needless, module)):
        edits = [edit for edit in edits if not isinstance(edit, Remove) or edit.node not in emptied.finalbody]
        edits.append(_without_finally(emptied))
    superseded = ("asyncio.get_event_loop", "asyncio.new_event_loop", "asyncio.set_event_loop")
    return Fix(*edits, unsafe=UNSAFE, supersedes=superseded), ""


def _emptied(needless: list[ast.stmt], module: Module) -> Iterator[ast.Try]:
    """The `try` statements of whose `finally` nothing is left."""
    for statement in needless:
        around = module.parent(statement)
        if isinstance(around, ast.Try) and statement in around.finalbody and set(around.finalbody) <= set(needless):
            yield around


def _without_finally(statement: ast.Try) -> Replace:
    """`try: … finally: …` → what stands in it, with its handlers."""
    if not statement.handlers:
        return replace(statement, "{body}", body=statement.body)
    template, holes = "try:\n    {body}\n", dict[str, Hole](body=statement.body)
    for number, handler in enumerate(statement.handlers):
        caught = f" {{type{number}}}" if handler.type else ""
        named = f" as {handler.name}" if handler.name else ""
        template += f"except{caught}{named}:\n    {{handler{number}}}\n"
        holes[f"handler{number}"] = handler.body
        if handler.type:
            holes[f"type{number}"] = handler.type
    if statement.orelse:
        template += "else:\n    {orelse}\n"
        holes["orelse"] = statement.orelse
    return Replace(statement, template, holes)
