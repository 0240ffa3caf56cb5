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

Plain functions of the same file are followed where they run a loop in any case, and are reported where the coroutine
calls them.

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

from ..flow import body, is_generator, within
from ..knowledge import runtime
from ..knowledge.names import OTHER_LOOPS
from ..knowledge.services import RUN, RUN_FOREVER
from ..module import Module
from ..rule import Fix, Related, Report, Symbol, replace, rule

NESTED = RUN | {RUN_FOREVER, "anyio.run", runtime.RUN}
METHODS = frozenset({"run", "run_until_complete", "run_forever"})
# Only event loops have methods of these names.
UNMISTAKABLE = frozenset({"run_until_complete"})
# Who speaks of these has thought of a loop that may be running, or makes another one possible.
THINKS_OF_IT = frozenset({"is_running", "_get_running_loop", "nest_asyncio", "set_running_loop", "_set_running_loop"})
# In the child process no loop is running.
FORKS = frozenset({"os.fork", "os.forkpty", "pty.fork"})
OWN_LOOP = frozenset({"asyncio.get_running_loop", "asyncio.get_event_loop"})
# Functions in between are followed so far.
DEPTH = 3
STARTS = "the coroutine starts to run, which it never did before"


@rule("AIO209", "nested-event-loop", ast.Call)
def nested_event_loop(call: ast.Call, module: Module) -> Iterator[Report]:
    """Report where a coroutine runs an event loop, or waits for its own from outside."""
    function = module.coroutine(call)
    if function is None:
        return
    if _may_run(call) and _runs(call, module):
        if not _is_prepared(call, function, module):
            yield _report(call, module)
    elif isinstance(call.func, ast.Attribute) and call.func.attr == "result":
        yield from _waits_for_its_own_loop(call, module)
    else:
        yield from _in_between(call, function, module)


def _may_run(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) or (isinstance(call.func, ast.Attribute) and call.func.attr in METHODS)


def _runs(call: ast.Call, module: Module) -> bool:
    name = module.callee(call)
    if name is None and isinstance(call.func, ast.Attribute) and call.func.attr in UNMISTAKABLE:
        return not any(f.name == call.func.attr for f in module.nodes(ast.FunctionDef, ast.AsyncFunctionDef))
    return name in NESTED


def _is_prepared(call: ast.Call, function: ast.AST, module: Module) -> bool:
    """Does the code around a call know that a loop may be running, or is it another library's?"""
    if module.packages() & (OTHER_LOOPS | {"nest_asyncio"}):
        return True
    for node in ast.walk(function):
        if isinstance(node, (ast.Attribute, ast.Name)):
            if (node.attr if isinstance(node, ast.Attribute) else node.id) in THINKS_OF_IT:
                return True
        elif isinstance(node, ast.Call):
            if module.name(node.func) in FORKS:
                return True
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.endswith("asyncio.run"):
            return True  # replaced for a test
    return _expects_the_error(call, function, module) or _is_told_to_fail(function, module)


def _is_told_to_fail(function: ast.AST, module: Module) -> bool:
    """Is this the coroutine of a test that runs it and expects the error?"""
    around = module.function(function)
    return around is not None and any(
        isinstance(node, ast.withitem) and "raises" in ast.unparse(node.context_expr).lower() for node in body(around)
    )


def _expects_the_error(call: ast.Call, function: ast.AST, module: Module) -> bool:
    inner: ast.AST = call
    for around in module.ancestors(call):
        if around is function:
            return False
        match around:
            case ast.Try() if inner in around.body:
                if any(_names(handler.type, module) & {"builtins.RuntimeError"} for handler in around.handlers):
                    return True
            case ast.ExceptHandler():
                if _names(around.type, module) & {"builtins.RuntimeError"}:
                    return True
            case ast.With() | ast.AsyncWith() if inner in around.body:
                if any("raises" in ast.unparse(item.context_expr).lower() for item in around.items):
                    return True
                if any("suppress" in ast.unparse(item.context_expr) for item in around.items):
                    return True
        inner = around
    return False


def _names(caught: ast.expr | None, module: Module) -> set[str | None]:
    return {module.name(kind) for kind in (caught.elts if isinstance(caught, ast.Tuple) else [caught]) if kind}


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
    if not isinstance(value, ast.Name):
        return value
    bindings = module.bindings(value)
    return module.value(bindings[0]) if bindings and len(bindings) == 1 else None


def _in_between(call: ast.Call, function: ast.AsyncFunctionDef, module: Module) -> Iterator[Report]:
    """Report the call of a plain function that runs a loop."""
    helpers = module.analysis(Helpers)
    found = helpers.runs(call)
    if found is not None and not _is_prepared(call, function, module):
        called, run = ast.unparse(call.func), ast.unparse(found.func)
        message = f"`{called}()` runs an event loop with `{run}()`, which raises RuntimeError in a coroutine"
        related = (Related(found, "the loop is run here"),)
        yield Report(call, message, refusal=f"make `{called}()` a coroutine, or hand it to a thread", related=related)


class Helpers:
    """The plain functions of a Module that run an event loop whenever they run: `module.analysis(Helpers)`."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.found: dict[ast.AST, ast.Call] = {}
        self.names: set[str] = set()
        calls = module.nodes(ast.Call)
        for call in calls:
            if _may_run(call) and _runs(call, module):
                self._add(call, call)
        for _ in range(DEPTH - 1 if self.found else 0):
            for call in calls:
                run = self.runs(call)
                if run is not None:
                    self._add(call, run)

    def _add(self, call: ast.Call, run: ast.Call) -> None:
        function = self.module.function(call)
        if (
            isinstance(function, ast.FunctionDef)
            and not function.decorator_list
            and not is_generator(function)
            and _always(call, function.body)
            and not _is_prepared(call, function, self.module)
        ):
            self.found.setdefault(function, run)
            self.names.add(function.name)

    def runs(self, call: ast.Call) -> ast.Call | None:
        """Where the function that is called here runs a loop."""
        if getattr(call.func, "id", getattr(call.func, "attr", None)) not in self.names:
            return None
        function = self.module.definition(call.func)
        return self.found.get(function) if function is not None else None


def _always(call: ast.Call, block: list[ast.stmt]) -> bool:
    """Does a block come to this call in any case, unless it ends before?"""
    for statement in block:
        match statement:
            case ast.With() | ast.Try():
                if _always(call, statement.body):
                    return True
            case ast.Expr(value=value) | ast.Return(value=value) | ast.Assign(value=value) | ast.AnnAssign(value=value):
                if value is not None and any(node is call for node in within(value)):
                    return True
    return False
