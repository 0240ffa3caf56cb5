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

Where losing everything in progress is fine, or the signal is handled in another file. Nothing is reported where this
file, or the one that the coroutine comes from, speaks of the process's signals or uses a framework that handles them.
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
from collections.abc import Iterator

from ..flow import exits, suspends, within
from ..knowledge.services import ENDLESS, RUN, RUN_FOREVER, RUNNERS, RUNNING, SERVERS, WAITS_FOR_ALL
from ..module import Module
from ..rule import Fix, FunctionDef, Report, Symbol, replace, rule

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

# Coroutines are followed so far from the one that is run.
DEPTH = 8
# Methods of a project's own whose name says that they never return.
SAY_SO = frozenset({"run_forever", "serve_forever"})
# What `asyncpatterns.run()` takes as `asyncio.run()` does.
SAME_KEYWORDS = {"debug", "loop_factory"}
# With "signal" in it, a name with one of these words speaks of the process's signals.
SIGNAL_WORDS = ("add", "catch", "exit", "graceful", "handl", "install", "kill", "listen", "regist", "setup", "set_up",
                "shut", "sighup", "signals", "stop", "term", "trap", "unix", "wait")  # fmt: skip
# Exceptions that end a service from outside: who catches them is not at the end of his work.
STOPPED = frozenset(
    {"builtins.KeyboardInterrupt", "builtins.SystemExit", "builtins.Exception", "builtins.BaseException",
     "builtins.GeneratorExit", "asyncio.CancelledError"}
)  # fmt: skip
# What ends the process from inside a loop, or makes it one that a person sits in front of.
LEAVES = frozenset({"sys.exit", "os._exit", "os.kill", "builtins.exit", "builtins.quit", "builtins.input",
                    "asyncio.AbstractEventLoop.stop", "asyncio.AbstractEventLoop.close"})  # fmt: skip


@rule("AIO301", "missing-signal-handling", ast.Module, plain=True)
def missing_signal_handling(tree: ast.Module, module: Module) -> Iterator[Report]:
    """Report where an entry point runs a service for ever, in a file that handles no signal."""
    runs = [call for call in module.nodes(ast.Call) if _runs_service(call, module)]
    if runs and not _speaks_of_signals(module) and not _leaves_them_to_another(module):
        entered = _entered(module)
        for call in runs:
            if module.function(call) in entered or _ends_by_keyboard(call, module):
                yield _report(call, module)


def _ends_by_keyboard(call: ast.Call, module: Module) -> bool:
    """Is Ctrl-C thought of where this is run? Only a program's main thread gets that."""
    inner: ast.AST = call
    for around in module.ancestors(call):
        match around:
            case ast.Try(body=block, handlers=handlers) if inner in block:
                if any(module.name(kind) == "builtins.KeyboardInterrupt" for h in handlers for kind in _kinds(h)):
                    return True
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                return False
        inner = around
    return False


def _kinds(handler: ast.ExceptHandler) -> list[ast.expr]:
    """The exceptions that a handler catches."""
    if isinstance(handler.type, ast.Tuple):
        return handler.type.elts
    return [handler.type] if handler.type else []


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
            return module.callee(call) in RUN and Endless(module).awaiting(call.args[0])
    return False


def _stops_loop(module: Module) -> bool:
    """Does something speak of a `stop` of the loop, which ends `run_forever()`?"""
    return any(
        attribute.attr == "stop"
        and (module.type_of(attribute.value) == "asyncio.AbstractEventLoop" or "loop" in ast.unparse(attribute.value))
        for attribute in module.nodes(ast.Attribute)
    )


def _speaks_of_signals(module: Module) -> bool:
    """Does anything in this file have to do with the process's signals? (A `Signal` of a user interface has not.)"""
    names = (
        *(node.id for node in module.nodes(ast.Name)),
        *(node.attr for node in module.nodes(ast.Attribute)),
        *(node.name for node in module.nodes(ast.alias)),
        *(node.arg or "" for node in module.nodes(ast.keyword)),
        *(node.module or "" for node in module.nodes(ast.ImportFrom)),
    )
    return any(map(_is_of_signals, names))


def _is_of_signals(name: str) -> bool:
    low = name.lower()
    return "sigterm" in low or (
        "signal" in low and (name.startswith("signal") or any(word in low for word in SIGNAL_WORDS))
    )


def _leaves_them_to_another(module: Module) -> bool:
    """Does this file use something that handles signals by itself?"""
    own = module.settings.runners
    if module.packages() & (RUNNERS | own):
        return True
    return any(
        name is not None and (name in RUNNING or any(_is_of(name, runner) for runner in own))
        for name in map(module.name, module.nodes(ast.Name, ast.Attribute))
    )


def _is_of(name: str, runner: str) -> bool:
    """Is this qualified name a runner's, or in a package that is one? The dots of a relative import may lead there."""
    if not name.startswith("."):
        return f"{name}.".startswith(f"{runner}.")
    relative = name.lstrip(".")
    return any(f"{relative}.".startswith(f"{end}.") for end in _ends(runner))


def _ends(name: str) -> Iterator[str]:
    """`a.b.c`, `b.c`, `c`."""
    parts = name.split(".")
    return (".".join(parts[at:]) for at in range(len(parts)))


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


class Endless:
    """Which code of a file goes on until it is cancelled or the process ends."""

    def __init__(self, module: Module, depth: int = 0) -> None:
        self.module = module
        self._met: set[ast.AST] = set()
        self._depth = depth  # in files

    def awaiting(self, awaited: ast.expr) -> bool:
        """Does waiting for this never come to an end?"""
        module = self.module
        match awaited:
            case ast.Name():
                return self._kept(awaited)
            case ast.Starred(value=value):
                return self.awaiting(value)
            case ast.List(elts=items) | ast.Set(elts=items) | ast.Tuple(elts=items):
                return any(self.awaiting(item) for item in items)
            case ast.Call():
                pass
            case _:
                return False
        name = module.callee(awaited)
        if name in WAITS_FOR_ALL:
            all_of_them = not any(keyword.arg in ("timeout", "return_when") for keyword in awaited.keywords)
            return all_of_them and any(self.awaiting(argument) for argument in awaited.args)
        if name == "asyncio.sleep":
            return bool(awaited.args) and self._infinite(awaited.args[0])
        if name in ENDLESS or name in ("asyncio.Future", "asyncio.AbstractEventLoop.create_future"):
            return True
        match awaited.func:
            case ast.Attribute(value=ast.Call() as made, attr="wait"):
                return module.callee(made) == "asyncio.Event"
            case ast.Attribute(value=ast.Name() as variable, attr="wait"):
                return self._only_waited_for(variable, "asyncio.Event")
            case ast.Attribute(value=ast.Name() as variable, attr="serve_forever") if self._is_server(variable):
                return True
        function = self._definition(awaited)
        return self.running(function) if function is not None else self._elsewhere(awaited)

    def _elsewhere(self, call: ast.Call) -> bool:
        """Is this a coroutine function of another file that never returns, and handles no signals there?"""
        found = self.module.elsewhere(call.func)
        if found is None or not isinstance(found.node, ast.AsyncFunctionDef) or self._depth == DEPTH:
            return False
        if _speaks_of_signals(found.module) or _leaves_them_to_another(found.module):
            return False
        return found.node.name in SAY_SO or Endless(found.module, self._depth + 1).running(found.node)

    def running(self, function: ast.AsyncFunctionDef) -> bool:
        """Does a coroutine function of the file never return?"""
        if function in self._met or function.decorator_list or len(self._met) > DEPTH * DEPTH:
            return False
        self._met.add(function)
        return not any(isinstance(n, ast.Yield) for n in within(*function.body)) and self._block(function.body)

    def _block(self, statements: list[ast.stmt]) -> bool:
        """Is there no way past these statements? (That they may be left out, by a `return` before, is no end.)"""
        return any(map(self._statement, statements))

    def _goes_on(self, loop: ast.While) -> bool:
        """Does nothing in this loop end it, or the process?"""
        if not suspends(*loop.body) or any(isinstance(way, ast.Break | ast.Return) for way in exits(loop)):
            return False
        nodes = list(within(*loop.body))
        called = [self.module.definition(node.func) for node in nodes if isinstance(node, ast.Call)]
        bodies = [node for f in called if f is not None for node in within(*f.body)]
        return not any(map(self._ends_process, [*nodes, *bodies]))

    def _ends_process(self, node: ast.AST) -> bool:
        match node:
            case ast.Raise(exc=ast.Name() as raised) | ast.Raise(exc=ast.Call(func=ast.Name() as raised)):
                return self.module.name(raised) in ("builtins.SystemExit", "builtins.KeyboardInterrupt")
            case ast.Call():
                if any(self.module.name(argument) == "builtins.input" for argument in node.args):
                    return True  # handed to a thread
                return self.module.callee(node) in LEAVES
        return False

    def _statement(self, statement: ast.stmt) -> bool:
        match statement:
            case ast.While(test=ast.Constant(value=value)) if value:
                return self._goes_on(statement)
            case ast.With(body=body):
                return self._block(body)
            case ast.AsyncWith(body=body, items=items):
                return self._scope(items, body)
            case ast.Try(body=body, handlers=handlers, finalbody=final):
                return self._block(final) or (self._block(body) and all(map(self._stopped, handlers)))
            case ast.Expr(value=ast.Await(value=awaited)) | ast.Return(value=ast.Await(value=awaited)):
                return self.awaiting(awaited)
            case ast.Assign(value=ast.Await(value=awaited)) | ast.AnnAssign(value=ast.Await(value=awaited)):
                return self.awaiting(awaited)
        return False

    def _scope(self, items: list[ast.withitem], body: list[ast.stmt]) -> bool:
        for item in items:
            match item.context_expr:
                case ast.Call() as call:
                    name = self.module.callee(call) or ""
                    if name in ("asyncio.timeout", "asyncio.timeout_at", "async_timeout.timeout"):
                        return False
                    if name == "asyncio.TaskGroup" and any(self._started(statement) for statement in body):
                        return True
        return self._block(body)

    def _started(self, statement: ast.stmt) -> bool:
        """Does a task group's statement start a task that never ends?"""
        match statement:
            case ast.Expr(value=ast.Call() as call) | ast.Assign(value=ast.Call() as call):
                if self.module.callee(call) == "asyncio.TaskGroup.create_task" and call.args:
                    return not self._may_be_cancelled(statement) and self.awaiting(call.args[0])
        return False

    def _may_be_cancelled(self, statement: ast.stmt) -> bool:
        """Is the task kept, and so perhaps cancelled?"""
        match statement:
            case ast.Assign(targets=[ast.Name() as task]):
                return len(self.module.uses(task)) > 1
        return isinstance(statement, ast.Assign)

    def _stopped(self, handler: ast.ExceptHandler) -> bool:
        """Does a handler catch nothing that says the work is at its end?"""
        return all(self.module.name(kind) in STOPPED for kind in _kinds(handler))

    def _infinite(self, delay: ast.expr) -> bool:
        match delay:
            case ast.Call(args=[ast.Constant(value=str(text))]) if self.module.callee(delay) == "builtins.float":
                return text.lstrip("+").lower() in ("inf", "infinity")
        return self.module.name(delay) == "math.inf"

    def _kept(self, variable: ast.Name) -> bool:
        """Is this a variable for what never ends, and which is used for nothing but to wait for it?"""
        match self.module.bindings(variable):
            case [ast.Name() as only] if isinstance(made := self.module.value(only), ast.Call | ast.List | ast.Tuple):
                others = [use for use in self.module.uses(variable) if use is not only]
                return all(map(self._waited_for, others)) and self.awaiting(made)
        return False

    def _waited_for(self, use: ast.Name) -> bool:
        around = self.module.parent(use)
        if isinstance(around, ast.Call):
            return self.module.callee(around) in WAITS_FOR_ALL
        return isinstance(around, ast.Await | ast.Starred | ast.List | ast.Set | ast.Tuple)

    def _only_waited_for(self, variable: ast.Name, kind: str) -> bool:
        """Is this a variable of that type, made here, and used nowhere but where it is waited for?"""
        match self.module.bindings(variable):
            case [ast.Name() as only] if isinstance(self.module.value(only), ast.Call):
                return self.module.type_of(variable) == kind and len(self.module.uses(variable)) == 2
        return False

    def _is_server(self, variable: ast.Name) -> bool:
        for binding in self.module.bindings(variable) or ():
            match self.module.value(binding), self.module.parent(binding):
                case ast.Await(value=ast.Call() as made), _:
                    pass
                case None, ast.withitem(context_expr=ast.Await(value=ast.Call() as made)):
                    pass
                case _:
                    return False
            if self.module.callee(made) not in SERVERS:
                return False
        return bool(self.module.bindings(variable))

    def _definition(self, call: ast.Call) -> ast.AsyncFunctionDef | None:
        """The coroutine function that is called: by name, or as a method of something made by this file."""
        found = self.module.definition(call.func)
        if found is None and isinstance(call.func, ast.Attribute):
            cls = self._class(call.func.value)
            methods = [s for s in cls.body if isinstance(s, FUNCTIONS) and s.name == call.func.attr] if cls else []
            found = methods[0] if len(methods) == 1 else None
        return found if isinstance(found, ast.AsyncFunctionDef) else None

    def _class(self, instance: ast.expr) -> ast.ClassDef | None:
        if isinstance(instance, ast.Name):
            bindings = self.module.bindings(instance) or []
            value = self.module.value(bindings[0]) if len(bindings) == 1 else None
        else:
            value = instance
        made = self.module.definition(value.func) if isinstance(value, ast.Call) else None
        return made if isinstance(made, ast.ClassDef) else None
