"""`asyncio.get_event_loop()` makes no loop any more where none runs.

It used to, outside of coroutines. That was deprecated in Python 3.12; since 3.14 it raises RuntimeError unless somebody
has set a loop before. Even earlier it only did so in the main thread, and once: not in other threads, and not after
`asyncio.run()`.

```python run
import asyncio
import threading


def ask(where):
    try:
        asyncio.get_event_loop()
        print(where, "there is one")
    except RuntimeError as error:
        print(where, type(error).__name__)


async def main():
    ask("in a coroutine")


asyncio.run(main())
ask("after asyncio.run()")
thread = threading.Thread(target=ask, args=["in a thread"])
thread.start()
thread.join()
```

```text
in a coroutine there is one
after asyncio.run() RuntimeError
in a thread RuntimeError
```

It is reported where surely no loop runs yet: at the top level of a module, in functions that are only called from there
under `if __name__ == "__main__":`, and in those that then run the loop.

```python bad
import asyncio

loop = asyncio.get_event_loop()


async def connect():
    return await loop.create_connection(asyncio.Protocol, "example.org", 80)
```

```python good
import asyncio

loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)


async def connect():
    return await loop.create_connection(asyncio.Protocol, "example.org", 80)
```

A function that may be called from a coroutine as well is not reported, nor is a file that sets a loop somewhere, nor a
loop that runs at once what needs one already: `run_forever()`, or a future that was there before. (Whoever made that,
in another file, either has set a loop, or has failed there.) A loop that is only there to run one coroutine is
AIO409's. In a coroutine there always is a loop, and `get_event_loop()` is only an old spelling (AIO410).

## Fix

Unsafe: `new_event_loop()` and `set_event_loop()` do by hand what was done before, but each time anew, and
whoever makes a loop has to close it. Better is what "What's New in Python 3.14" recommends:

- a coroutine that is run: `asyncio.run(main())`
- something that is started and then runs for ever: `asyncio.run(main())`, where `main` starts it and awaits
  `asyncio.Event().wait()`
- plain code between several runs: `with asyncio.Runner() as runner:` and `runner.run(…)` for each (Python 3.11)

There is no fix where a file asks for the loop in several such places: all must get the same one.

## When to ignore

Where something outside of the file has set a loop: a GUI toolkit, a notebook, a test fixture.

## Other tools

Python itself warns, from 3.12 on, where no loop is set. Ruff's rules for asyncio do not speak of it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.starts import GET, Starts
from ..analysis.versions import reaches
from ..knowledge.removed import MADE_LOOP
from ..module import Module
from ..needs import calls
from ..rule import Fix, Report, Symbol, replace, rule

MESSAGE = f"`{GET}()` where no loop runs raises RuntimeError since Python 3.14"
ANEW = "each call makes a new loop, which somebody has to close; `asyncio.run()` is better where it can be used"
SEVERAL = "the file asks for the loop in several places, and all must get the same one; start with `asyncio.run()`"
INSIDE = "it is no assignment by itself; start with `asyncio.run()`, or make a loop with `asyncio.new_event_loop()`"


@rule("AIO403", "get-event-loop", ast.Module, plain=True, needs=calls({GET}))
def get_event_loop(_: ast.Module, module: Module) -> Iterator[Report]:
    """Report `get_event_loop()` where there surely is none."""
    starts = module.analysis(Starts)
    outside = [call for call in starts.asked if call not in starts.by_hand and starts.before(call)]
    for call in outside:
        if reaches(call, module, MADE_LOOP.removed):
            fix, refusal = _made_anew(call, module) if len(outside) == 1 else (None, SEVERAL)
            yield Report(call, MESSAGE, fix, refusal)


def _made_anew(call: ast.Call, module: Module) -> tuple[Fix | None, str]:
    match module.parent(call):
        case ast.Assign(targets=[ast.Name() | ast.Attribute() as target]) as statement:
            new, put = Symbol("asyncio.new_event_loop"), Symbol("asyncio.set_event_loop")
            edit = replace(statement, "{target} = {new}()\n{put}({target})", target=target, new=new, put=put)
            return Fix(edit, unsafe=ANEW, supersedes=(GET,)), ""
    return None, INSIDE
