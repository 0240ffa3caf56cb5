"""The callback is called on the spot, and what it returned is scheduled in its place.

`call_soon(f(x))` calls `f` now and schedules its result. Where that is None, the loop later tries to call None and
logs "'NoneType' object is not callable"; a function that schedules itself so runs into RecursionError; a handler
runs when it is registered and not when it is due. Where the result is a coroutine, nothing ever awaits it.

```python run
import asyncio

def greet(name):
    print("hello,", name)

async def main():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: print(context["exception"]))
    loop.call_soon(greet("world"))
    print("scheduled")
    await asyncio.sleep(0)

asyncio.run(main())
```

```text
hello, world
scheduled
'NoneType' object is not callable
```

```python bad
import asyncio

def heartbeat(connection, beats):
    connection.send(b"ping")
    if beats:
        asyncio.get_running_loop().call_later(5, heartbeat(connection, beats - 1))
```

```python good
import asyncio

def heartbeat(connection, beats):
    connection.send(b"ping")
    if beats:
        asyncio.get_running_loop().call_later(5, heartbeat, connection, beats - 1)
```

A coroutine becomes a task when it is due:

```python bad
import asyncio

class Client:
    def __init__(self):
        self.loop = asyncio.get_event_loop()

    async def close(self, reason=""):
        await self.connection.goodbye(reason)

    def start_timer(self):
        self.timer = self.loop.call_later(30, self.close(reason="too slow"))
```

```python good
import asyncio

class Client:
    def __init__(self):
        self.loop = asyncio.get_event_loop()

    async def close(self, reason=""):
        await self.connection.goodbye(reason)

    def start_timer(self):
        self.timer = self.loop.call_later(30, lambda: asyncio.create_task(self.close(reason="too slow")))
```

Reported are calls whose result is known: functions and methods of the project that return nothing, coroutine
functions, and methods such as `Event.set`, `Task.cancel`, `loop.stop`. A function that may return a callable is left
in peace, and so is everything that is handed to other libraries' loops.

## Fix

Safe where the function returns nothing: function and arguments are handed over apart (`call_soon(f, x)`), with
keywords as a `functools.partial`. The arguments are still evaluated at the same time. A receiver that has arguments
of its own for the callback gets a `lambda` that ignores them, and keeps variables that may change as its defaults;
that is unsafe if it may see other values by then all the same.

Unsafe for coroutines, because code begins to run that never did: `call_soon` becomes `create_task`, which is the
same with a coroutine; a later call makes the task when it is due. A loop keeps only weak references to its tasks:
keep the task where it must not vanish. In place of an executor the coroutine is awaited, and a thread gets a loop
of its own.

## When to ignore

Where a function that seems to return nothing is replaced at run time by one that returns a callable.

## Other tools

Pyright and mypy report the wrong argument type in annotated code, and do not mend it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.callbacks import COROUTINE, HANDED, Handed, arguments, changing, handed, lasting, result
from ..analysis.freenames import unused
from ..flow import suspends, yields
from ..module import Module
from ..rule import Fix, Report, Symbol, replace, replace_argument, rule

STARTS = "the coroutine starts to run, which it never did before"
LATER = "its arguments are evaluated when the callback runs"


@rule("AIO201", "called-result-as-callback", ast.Call, plain=True, needs=HANDED)
def called_result_as_callback(call: ast.Call, module: Module) -> Iterator[Report]:
    """Report `call_soon(f(x))` where what `f(x)` gives cannot be called."""
    found = handed(call, module)
    if found is None or not isinstance(found.callback, ast.Call):
        return
    given = result(found.callback, module)
    if given is None:
        return
    called = ast.unparse(found.callback.func)
    message = f"`{called}(…)` is called now; its result, {given}, is {found.receiver.done}"
    made = _coroutine(found, found.callback, module) if given == COROUTINE else _plain(found, found.callback, module)
    if isinstance(made, Fix):
        yield Report(found.callback, message, made)
    else:
        yield Report(found.callback, message, refusal=made)


def _has_arguments(found: Handed) -> bool:
    """Does the call have arguments for the callback already?"""
    taken = ("args", "kwargs") if found.receiver.keyword in ("target", "function") else ()
    more = (
        found.call.keywords if found.receiver.keywords else [k for k in found.call.keywords if k.arg in (None, *taken)]
    )
    return bool(found.rest or more)


def _plain(found: Handed, call: ast.Call, module: Module) -> Fix | str:
    """Function and arguments apart."""
    receiver = found.receiver
    if _has_arguments(found):
        return f"it is not clear what the further arguments of `{found.name}()` are for"
    if receiver.given:
        return _ignoring(found, call, module)
    if not call.args and not call.keywords:
        return Fix(replace(call, "{f}", f=call.func))
    if call.keywords and not receiver.keywords:
        inner = arguments("a", call.args, call.keywords)
        partial = Symbol("functools.partial")
        return Fix(replace(call, f"{{partial}}({{f}}, {inner.text})", partial=partial, f=call.func, **inner.holes))
    inner = arguments("a", call.args, call.keywords)
    if receiver.rest and found.place is call:
        return Fix(replace_argument(call, f"{{f}}, {inner.text}", f=call.func, **inner.holes))
    if receiver.rest:
        partial = Symbol("functools.partial")
        return Fix(replace(call, f"{{partial}}({{f}}, {inner.text})", partial=partial, f=call.func, **inner.holes))
    name = f"{receiver.keyword}=" if isinstance(found.place, ast.keyword) else ""
    comma = "," if len(call.args) == 1 else ""
    template = f"{name}{{f}}, args=({inner.text}{comma})"
    return Fix(replace_argument(found.place, template, f=call.func, **inner.holes))


def _ignoring(found: Handed, call: ast.Call, module: Module) -> Fix | str:
    """A lambda that does not look at what the receiver hands the callback."""
    match call:
        case ast.Call(args=[only], keywords=[]) if found.owner is not None and found.receiver.given == 1:
            if ast.dump(only) == ast.dump(found.owner):
                return Fix(replace(call, "{f}", f=call.func))  # `task.add_done_callback(f(task))`
    if suspends(call) or yields(call):
        return "a lambda can neither await nor yield"
    star, names = "" if found.receiver.given == 1 else "*", changing(call, module)
    parameters = ", ".join([star + unused("_", call), *(f"{name}={name}" for name in names)])
    unsafe = "" if lasting(call, module, names) else LATER
    return Fix(replace(call, f"lambda {parameters}: {{call}}", call=call), unsafe=unsafe)


def _coroutine(found: Handed, call: ast.Call, module: Module) -> Fix | str:
    """The coroutine as a task, or where it can be run else."""
    if _has_arguments(found):
        return f"it is not clear what the further arguments of `{found.name}()` are for"
    match found.receiver.where:
        case "loop":
            return _task(found, call, module)
        case "loop from outside" if found.owner is not None and not found.call.keywords:
            run = Symbol("asyncio.run_coroutine_threadsafe")
            edit = replace(found.call, "{run}({call}, {loop})", run=run, call=call, loop=found.owner)
            return Fix(edit, unsafe=STARTS)
        case "loop repeatedly":
            return f"`{found.name}()` calls it as long as there is something to read or write; a task comes too late"
        case "awaited thread":
            return _awaited(found, call, module)
        case "thread" if found.receiver.rest:
            run = Symbol("asyncio.run")
            return Fix(replace_argument(call, "{run}, {call}", run=run, call=call), unsafe=f"{STARTS}, in its own loop")
        case "thread":
            name = f"{found.receiver.keyword}=" if isinstance(found.place, ast.keyword) else ""
            template = f"{name}{{run}}, args=({{call}},)"
            run = Symbol("asyncio.run")
            return Fix(replace_argument(found.place, template, run=run, call=call), unsafe=f"{STARTS}, in its own loop")
        case "exit" if lasting(call, module):
            edit = replace(call, "lambda: {run}({call})", run=Symbol("asyncio.run"), call=call)
            return Fix(edit, unsafe=f"{STARTS}, in a loop of its own when the program exits")
        case "leaving" if found.name == "callback" and _is_async_stack(found, module) and found.owner is not None:
            inner = arguments("a", call.args, call.keywords)
            return Fix(
                replace(found.call.func, "{stack}.push_async_callback", stack=found.owner),
                replace_argument(call, ", ".join(filter(None, ("{f}", inner.text))), f=call.func, **inner.holes),
                unsafe=STARTS,
            )
    return f"what `{found.name}()` calls cannot await a coroutine"


def _task(found: Handed, call: ast.Call, module: Module) -> Fix | str:
    if found.name == "call_soon" and found.owner is not None and not found.call.keywords:
        edit = replace(found.call, "{loop}.create_task({call})", loop=found.owner, call=call)
        return Fix(edit, unsafe=STARTS)
    make = Symbol("asyncio.create_task")
    ignored = unused("_", call) if found.receiver.given else ""
    if lasting(call, module):
        template = f"lambda {ignored}: {{make}}({{call}})" if ignored else "lambda: {make}({call})"
        return Fix(replace(call, template, make=make, call=call), unsafe=STARTS)
    if call.keywords or not call.args or not found.receiver.rest or found.place is not call:
        return "in a lambda its arguments would be evaluated later, when they may be others"
    if not lasting(call.func, module):
        return f"`{ast.unparse(call.func)}` may be another when it is called"
    inner, every = arguments("a", call.args), unused("args", call.func)
    template = f"lambda *{every}: {{make}}({{f}}(*{every})), {inner.text}"
    return Fix(replace_argument(call, template, make=make, f=call.func, **inner.holes), unsafe=STARTS)


def _awaited(found: Handed, call: ast.Call, module: Module) -> Fix | str:
    unsafe = "the coroutine runs on the event loop, and not in a thread"
    if found.name == "to_thread" or isinstance(module.parent(found.call), ast.Await):
        return Fix(replace(found.call, "{call}", call=call), unsafe=unsafe)
    if found.owner is None:
        return "it is not known which loop would run the coroutine"
    return Fix(replace(found.call, "{loop}.create_task({call})", loop=found.owner, call=call), unsafe=unsafe)


def _is_async_stack(found: Handed, module: Module) -> bool:
    return module.callee(found.call) == "contextlib.AsyncExitStack.callback"
