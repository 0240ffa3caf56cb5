"""A service that nothing but a signal can end does not handle SIGTERM: it dies without cleaning up.

`docker stop`, Kubernetes, systemd and a plain `kill` all end a program by SIGTERM. Python does nothing about it, nor
does `asyncio.run()`, which handles Ctrl-C only: the process is gone at once, with exit status 143. No `finally` runs,
no `async with` is left, buffers are not flushed, peers see their connections break.

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
file speaks of signals at all, uses a framework that handles them, or where the coroutine that runs for ever is not
in this file. Scripts that come to an end are left alone.

## Other tools

None reports it.
"""

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
# What `asyncpatterns.run()` takes as `asyncio.run()` does.
SAME_KEYWORDS = {"debug", "loop_factory"}
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
            if module.function(call) in entered:
                yield _report(call, module)


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
    names = (
        *(node.id for node in module.nodes(ast.Name)),
        *(node.attr for node in module.nodes(ast.Attribute)),
        *(node.name for node in module.nodes(ast.alias)),
        *(node.arg or "" for node in module.nodes(ast.keyword)),
        *(node.module or "" for node in module.nodes(ast.ImportFrom)),
    )
    return any("signal" in name.lower() or "sigterm" in name.lower() for name in names)


def _leaves_them_to_another(module: Module) -> bool:
    """Does this file use something that handles signals by itself?"""
    if module.packages() & RUNNERS:
        return True
    return any(module.name(node) in RUNNING for node in module.nodes(ast.Name, ast.Attribute))


def _entered(module: Module) -> set[ast.AST | None]:
    """The functions that run when the file is run as a program; None is the file's own top level."""
    entered: set[ast.AST | None] = {None}
    fresh: set[ast.AST | None] = {None}
    for _ in range(DEPTH):
        fresh = {function for function in _called_from(fresh, module) if function not in entered}
        entered |= fresh
    return entered


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

    def __init__(self, module: Module) -> None:
        self.module = module
        self._met: set[ast.AST] = set()

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
            case ast.Attribute(value=ast.Name() as variable, attr="serve_forever"):
                return self._is_server(variable)
        function = self._definition(awaited)
        return function is not None and self.running(function)

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
        match handler.type:
            case None:
                return True
            case ast.Tuple(elts=kinds):
                return all(self.module.name(kind) in STOPPED for kind in kinds)
        return self.module.name(handler.type) in STOPPED

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
