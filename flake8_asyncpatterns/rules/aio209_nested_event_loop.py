"""A coroutine runs an event loop inside of the one that runs it: that raises RuntimeError, or waits for itself.

A thread has one running event loop. `asyncio.run()` and `run_until_complete()` refuse to start a second one, whichever
loop it is; the coroutine they were given never starts. `run_coroutine_threadsafe(work(), loop).result()` with the loop
that is running does not refuse: it waits for what only this loop could do, and nothing runs any more.

```python run
import asyncio

async def fetch():
    return "data"

def load():
    return asyncio.run(fetch())

async def main():
    try:
        print(load())
    except RuntimeError as error:
        print(error)

asyncio.run(main())
```

```text
asyncio.run() cannot be called from a running event loop
```

```python bad
import asyncio

async def refresh(cache, fetch):
    for key in cache:
        cache[key] = asyncio.run(fetch(key))
```

```python good
async def refresh(cache, fetch):
    for key in cache:
        cache[key] = await fetch(key)
```

Plain functions of the project, in this file or in others, are followed where they run a loop in any case, and are
reported where the coroutine calls them.

## Fix

Unsafe, because code begins to run that never did: what was to be run is awaited. Where a plain function in between runs
the loop, make it a coroutine function, too, or hand it to a thread: `await asyncio.to_thread(load)`.

## When to ignore

Where `nest_asyncio` patches the loop, which the file would have to import to be left alone. Nothing is reported where
the code asks whether a loop is running, catches RuntimeError, or expects it in a test.

## Other tools

None of the linters for asyncio reports it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.blocking import is_awaited
from ..analysis.nested import NESTED, UNMISTAKABLE, Helpers, is_prepared, may_run, runs_a_loop
from ..knowledge import runtime
from ..module import Module
from ..needs import Need, calls, either, words
from ..problem import Place, shown_path
from ..reference import reference
from ..rule import Fix, Related, Report, Symbol, replace, rule
from ..signs import ASYNC

OWN_LOOP = frozenset({"asyncio.get_running_loop", "asyncio.get_event_loop"})
NESTING = either(
    calls(NESTED, ASYNC),
    calls({"asyncio.run_coroutine_threadsafe"}, ASYNC, words("result")),
    (Need((ASYNC, words(*UNMISTAKABLE))), Need((ASYNC,), abroad=True)),
)
STARTS = "the coroutine starts to run, which it never did before"


@rule("AIO209", "nested-event-loop", ast.Call, needs=NESTING)
def nested_event_loop(call: ast.Call, module: Module) -> Iterator[Report]:
    """Report where a coroutine runs an event loop, or waits for its own from outside."""
    function = module.coroutine(call)
    if function is None:
        return
    if may_run(call) and runs_a_loop(call, module):
        if not is_prepared(call, function, module):
            yield _report(call, module)
    elif isinstance(call.func, ast.Attribute) and call.func.attr == "result":
        yield from _waits_for_its_own_loop(call, module)
    else:
        yield from _in_between(call, function, module)


def _report(call: ast.Call, module: Module) -> Report:
    called = ast.unparse(call.func)
    message = f"`{called}()` raises RuntimeError in a coroutine, whose event loop is running; await instead"
    match call:
        case ast.Call(args=[awaited], keywords=keywords) if {k.arg for k in keywords} <= {"debug"} and not isinstance(
            awaited, ast.Starred
        ):
            if module.callee(call) == "anyio.run":
                return Report(call, message, refusal="`anyio.run()` takes a coroutine function")
            if module.callee(call) == runtime.RUN and not isinstance(awaited, ast.Call):
                return Report(call, message, refusal=f"`{called}()` takes a coroutine function, too")
            if any(isinstance(around, (ast.GeneratorExp, ast.Lambda)) for around in module.ancestors(call)):
                return Report(call, message, refusal="a generator expression with `await` is another kind of thing")
            template = "{awaited}" if isinstance(module.parent(call), ast.Await) else "await {awaited}"
            fix = Fix(replace(call, template, awaited=awaited), unsafe=STARTS, supersedes=("asyncio.run", runtime.RUN))
            return Report(call, message, fix)
    return Report(call, message, refusal="it is not called with one coroutine by position")


def _waits_for_its_own_loop(call: ast.Call, module: Module) -> Iterator[Report]:
    """Report `run_coroutine_threadsafe(work(), asyncio.get_running_loop()).result()`."""
    assert isinstance(call.func, ast.Attribute)  # as the caller saw
    made = _only_value(call.func.value, module)
    if not isinstance(made, ast.Call) or module.callee(made) != "asyncio.run_coroutine_threadsafe":
        return
    loops = [*made.args[1:2], *(keyword.value for keyword in made.keywords if keyword.arg == "loop")]
    loop = _only_value(loops[0], module) if loops else None
    if not isinstance(loop, ast.Call) or module.callee(loop) not in OWN_LOOP:
        return
    if {module.function(loop), module.function(made)} != {module.function(call)}:
        return
    message = "the event loop waits for itself here, for ever; await the coroutine instead"
    if call.args or call.keywords:
        yield Report(call, message, refusal="a timeout needs `asyncio.timeout()` or `asyncio.wait_for()`")
    elif made is call.func.value and made.args:
        yield Report(call, message, Fix(replace(call, "await {work}", work=made.args[0]), unsafe=STARTS))
    else:
        wrap = Symbol("asyncio.wrap_future")
        edit = replace(call, "await {wrap}({future})", wrap=wrap, future=call.func.value)
        yield Report(call, message, Fix(edit, unsafe=STARTS))


def _only_value(value: ast.expr, module: Module) -> ast.expr | None:
    return module.only_value(value) if isinstance(value, ast.Name) else value


def _in_between(call: ast.Call, function: ast.AsyncFunctionDef, module: Module) -> Iterator[Report]:
    """Report the call of a plain function that runs a loop."""
    found = _run_behind(call, module)
    if found is not None and not is_prepared(call, function, module):
        run, place = found
        called = ast.unparse(call.func)
        message = f"`{called}()` runs an event loop with `{run}()`, which raises RuntimeError in a coroutine"
        related = (Related(place, "the loop is run here"),)
        yield Report(call, message, refusal=f"make `{called}()` a coroutine, or hand it to a thread", related=related)


def _run_behind(call: ast.Call, module: Module) -> tuple[str, ast.AST | Place] | None:
    """What runs a loop in the function that is called here, and where."""
    run = module.analysis(Helpers).runs(call)
    if run is not None:
        return ast.unparse(run.func), run
    named = reference(call.func, module) if module.project and not is_awaited(call, module) else None
    step = module.project.runs_a_loop(named) if named and module.project else None
    return (step.called, Place(shown_path(step.path, module.path), *step.span)) if step else None
