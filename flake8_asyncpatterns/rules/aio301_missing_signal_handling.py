'''A service that nothing but a signal can end does not handle SIGTERM: it dies without cleaning up.

`docker stop`, Kubernetes, systemd and a plain `kill` all end a program by SIGTERM. Python does nothing about it, nor
does `asyncio.run()`, which handles Ctrl-C only: the process is gone at once, with exit status 143. No `finally` runs,
no `async with` is left, buffers are not flushed, peers see their connections break.

```python run
import signal
import subprocess
import sys

SERVICE = """
import asyncio, os, signal

async def main():
    try:
        asyncio.get_running_loop().call_later(0.01, os.kill, os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()
    finally:
        print("cleaned up")

asyncio.run(main())
"""

done = subprocess.run([sys.executable, "-c", SERVICE], capture_output=True, text=True)
print("ended by", signal.Signals(-done.returncode).name, "and said", repr(done.stdout))
```

```text
ended by SIGTERM and said ''
```

```python bad
import asyncio

async def main():
    server = await asyncio.start_server(handle, port=8888)
    async with server:
        await server.serve_forever()

if __name__ == "__main__":
    asyncio.run(main())
```

```python good
import asyncio

import asyncpatterns

async def main():
    server = await asyncio.start_server(handle, port=8888)
    async with server:
        await server.serve_forever()

if __name__ == "__main__":
    asyncpatterns.run(main())
```

## Fix

Unsafe: `asyncpatterns.run()`, from the runtime that goes with this tool, takes the place of `asyncio.run()`. The first
SIGTERM or SIGINT cancels `main()`, so that its cleanup runs, and the process then ends by the signal, as its parent
expects; code behind the call runs no more after a SIGTERM. The package has to be added to the dependencies. A loop run
by hand is left to you: `asyncio.run()` first, then this.

Without the runtime, `loop.add_signal_handler(signal.SIGTERM, task.cancel)` at the start of `main()` does the most
important part, not on Windows.

## When to ignore

Where losing everything in progress is fine. Nothing is reported where this file, or any of the project's that it
imports, itself or by way of others, speaks of the process's signals or uses a framework that handles them.
Scripts that come to an end are left alone.

What a program starts with is code at the top of a file (under `if __name__ == "__main__"`), a function `main`, code
that catches KeyboardInterrupt, and the `[project.scripts]` of the nearest `pyproject.toml`. A project can name more of
them, and what runs its services and looks after their signals, a package, a module or a function:

```toml
[tool.asyncfix]
entry-points = ["mypkg.worker.start"]
runners = ["mypkg.service.run"]
```

## Other tools

None reports it.
'''

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from ..analysis.services import DEPTH, Endless, caught, leaves_them_to_another, speaks_of_signals
from ..facts import Named
from ..knowledge.services import RUN, RUN_FOREVER
from ..module import Module
from ..needs import calls
from ..rule import Fix, FunctionDef, Report, Symbol, replace, rule

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

# What `asyncpatterns.run()` takes as `asyncio.run()` does.
SAME_KEYWORDS = {"debug", "loop_factory"}


@rule("AIO301", "missing-signal-handling", ast.Module, plain=True, needs=calls(RUN | {RUN_FOREVER}))
def missing_signal_handling(tree: ast.Module, module: Module) -> Iterator[Report]:
    """Report where an entry point runs a service for ever, where nothing handles a signal."""
    runs = [call for call in module.nodes(ast.Call) if _runs_service(call, module)]
    if runs and not speaks_of_signals(module) and not leaves_them_to_another(module):
        entered = _entered(module)
        found = [call for call in runs if module.function(call) in entered or _ends_by_keyboard(call, module)]
        if found and not (module.project and module.project.handles_signals()):
            yield from (_report(call, module) for call in found)


def _ends_by_keyboard(call: ast.Call, module: Module) -> bool:
    """Is Ctrl-C thought of where this is run? Only a program's main thread gets that."""
    inner: ast.AST = call
    for around in module.ancestors(call):
        match around:
            case ast.Try(body=block, handlers=handlers) if inner in block:
                if any(module.name(kind) == "builtins.KeyboardInterrupt" for h in handlers for kind in caught(h)):
                    return True
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                return False
        inner = around
    return False


def _report(call: ast.Call, module: Module) -> Report:
    what = "`main()`"
    match call.args:
        case [ast.Call(func=function), *_]:
            what = f"`{ast.unparse(function)}()`"
    if module.callee(call) == RUN_FOREVER:
        what = "the program"
    message = f"SIGTERM ends {what} without any cleanup, and nothing else ends it; handle signals"
    match module.callee(call), call:
        case "asyncio.run", ast.Call(args=[_], keywords=keywords) if {k.arg for k in keywords} <= SAME_KEYWORDS:
            unsafe = f"SIGTERM now cancels {what}, so its cleanup runs; add `asyncpatterns` to your dependencies"
            fix = Fix(
                replace(call.func, "{run}", run=Symbol("asyncpatterns.run")),
                unsafe=unsafe,
                supersedes=("asyncio.run",),
            )
            return Report(call, message, fix)
        case "asyncio.run", _:
            return Report(call, message, refusal="it is not called with one coroutine by position")
        case "uvloop.run", _:
            how = "`asyncpatterns.run(…, loop_factory=uvloop.new_event_loop)`"
            return Report(call, message, refusal=f"`uvloop.run()` has options of its own; {how} is close to it")
    return Report(call, message, refusal="the loop is run by hand: start with `asyncio.run()`")


def _runs_service(call: ast.Call, module: Module) -> bool:
    match call.func:
        case ast.Attribute(attr="run_forever"):
            return module.callee(call) == RUN_FOREVER and not _stops_loop(module)
        case ast.Name() | ast.Attribute(attr="run" | "run_until_complete") if call.args:
            return module.callee(call) in RUN and Endless(module, _is_endless(module)).awaiting(call.args[0])
    return False


def _is_endless(module: Module) -> Callable[[Named], bool]:
    return module.project.is_endless if module.project else lambda _: False


def _stops_loop(module: Module) -> bool:
    """Does something speak of a `stop` of the loop, which ends `run_forever()`?"""
    return any(
        attribute.attr == "stop"
        and (module.type_of(attribute.value) == "asyncio.AbstractEventLoop" or "loop" in ast.unparse(attribute.value))
        for attribute in module.nodes(ast.Attribute)
    )


def _entered(module: Module) -> set[ast.AST | None]:
    """The functions that run when the file is run as a program; None is the file's own top level."""
    entered: set[ast.AST | None] = {None, *_entry_points(module)}
    fresh = set(entered)
    for _ in range(DEPTH):
        fresh = {function for function in _called_from(fresh, module) if function not in entered}
        entered |= fresh
    return entered


def _entry_points(module: Module) -> Iterator[FunctionDef]:
    """The functions of this file that a program starts with: `main`, and those that the project names."""
    yield from (f for f in module.tree.body if isinstance(f, ast.FunctionDef) and f.name == "main")
    path = module.path.replace("\\", "/").removesuffix(".py").removesuffix("/__init__")
    for entry in module.settings.entry_points:
        names = entry.split(".")
        for at in range(1, len(names)):
            if f"/{path}".endswith(f"/{'/'.join(names[:at])}"):
                yield from _defined(names[at:], module)


def _defined(names: list[str], module: Module) -> Iterator[FunctionDef]:
    """The function of this name in a file, or in a class of it; or the commands of an application of this name."""
    block: list[ast.stmt] = module.tree.body
    for name in names:
        found = [s for s in block if isinstance(s, (*FUNCTIONS, ast.ClassDef)) and s.name == name]
        if not found:
            uses = (use for use in module.nodes(ast.Name) if use.id == names[-1] and module.function(use) is None)
            yield from (command for use in list(uses)[:1] for command in _commands(use, module))
            return
        block = found[-1].body
    if isinstance(found[-1], FUNCTIONS):
        yield found[-1]


def _called_from(callers: set[ast.AST | None], module: Module) -> Iterator[FunctionDef]:
    for call in module.nodes(ast.Call):
        if module.function(call) in callers:
            called = module.definition(call.func)
            if isinstance(called, ast.FunctionDef):
                yield called
            elif isinstance(call.func, ast.Name):
                yield from _commands(call.func, module)


def _commands(application: ast.Name, module: Module) -> Iterator[FunctionDef]:
    """The functions registered with a command line application, `@app.command()`, which is called as `app()`."""
    for use in module.uses(application):
        node: ast.AST = use
        while isinstance(parent := module.parent(node), ast.Attribute | ast.Call):
            if isinstance(parent, ast.Call) and parent.func is not node:
                break
            node = parent
        if node is not use and isinstance(parent, ast.FunctionDef) and node in parent.decorator_list:
            yield parent
