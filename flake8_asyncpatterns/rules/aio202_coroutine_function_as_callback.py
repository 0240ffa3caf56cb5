"""A coroutine function is handed over as a plain callback: it is called, and nothing awaits the coroutine.

Event loops, futures, threads, executors, `atexit` and `signal` call what they are given and throw the result away.
Of a coroutine function that result is a coroutine: not one line of it runs, and all there is to see is the warning
"coroutine … was never awaited", if anybody reads it.

```python run
import asyncio
import warnings

async def expire():
    print("expired")

async def main():
    asyncio.get_running_loop().call_soon(expire)
    await asyncio.sleep(0.01)
    print("ten milliseconds later")

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    asyncio.run(main())
    print(caught[0].message)
```

```text
ten milliseconds later
coroutine 'expire' was never awaited
```

```python bad
import asyncio

class Session:
    async def expire(self):
        await self.store.forget(self.key)

    async def touch(self, seconds):
        self.timer = asyncio.get_running_loop().call_later(seconds, self.expire)
```

```python good
import asyncio

class Session:
    async def expire(self):
        await self.store.forget(self.key)

    async def touch(self, seconds):
        self.timer = asyncio.get_running_loop().call_later(seconds, lambda: asyncio.create_task(self.expire()))
```

The same in a thread:

```python bad
import asyncio
import threading

async def listen(port):
    await asyncio.start_server(print, port=port)

threading.Thread(target=listen, args=(8080,), daemon=True).start()
```

```python good
import asyncio
import threading

async def listen(port):
    await asyncio.start_server(print, port=port)

threading.Thread(target=asyncio.run, args=(listen(8080),), daemon=True).start()
```

The coroutine function is one of the same project without decorators (a decorator may make it a plain function), or one
of asyncio's own, such as a queue's `put`. `functools.partial` and lambdas are looked through. The receiver's type
must be known: many other libraries have a `call_later` or `add_done_callback` that does accept coroutine functions.
Nothing is said where the coroutine that comes back from a thread is awaited after all, or handed to what runs it
(`create_task(await to_thread(work))`).

## Fix

Unsafe: code begins to run that never did.

- `call_soon(work, x)` becomes `create_task(work(x))`, which is the same with a coroutine. The Task has the `cancel()`
  of the Handle.
- `call_later`, `call_at`, `add_signal_handler`, `add_done_callback` get a `lambda` that makes the task when it is
  due. A loop keeps only weak references to its tasks: keep the task where it must not vanish.
- `call_soon_threadsafe` becomes `run_coroutine_threadsafe`.
- `to_thread` and `run_in_executor` give way to the coroutine itself, which then runs on the event loop.
- A thread, and `atexit`, run it with `asyncio.run`, in a loop of its own.
- `AsyncExitStack.callback` becomes `push_async_callback`.

No fix: signal handlers of `signal.signal`, `add_reader` and `add_writer`, other processes; and where the file takes the
callback back (`atexit.unregister`, `remove_done_callback`), which would not find the lambda.

## When to ignore

Where the receiver is a subclass of your own that awaits what its callbacks return.

## Other tools

Type checkers are silent, since a callback may return anything. No linter has it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.callbacks import HANDED, Handed, awaited_later, gives_coroutine, handed, invocation, lasting
from ..analysis.freenames import unused
from ..module import Module
from ..rule import Edit, Fix, Report, Symbol, replace, replace_argument, rule

STARTS = "the coroutine starts to run, which it never did before"
TAKING_BACK = frozenset({"unregister", "remove_done_callback"})
OWN_LOOP = f"{STARTS}, in a loop of its own"


@rule("AIO202", "coroutine-function-as-callback", ast.Call, needs=HANDED)
def coroutine_function_as_callback(call: ast.Call, module: Module) -> Iterator[Report]:
    """Report `call_soon(work)` where `work` is an `async def`."""
    found = handed(call, module)
    if found is None:
        return
    function = gives_coroutine(found.callback, module)
    if function is None or (found.receiver.where == "awaited thread" and awaited_later(call, module)):
        return
    message = (
        f"`{ast.unparse(function)}` is a coroutine function; `{found.name}()` has it called, and nothing awaits it"
    )
    made = _fix(found, module)
    if isinstance(made, Fix):
        yield Report(found.callback, message, made)
    else:
        yield Report(found.callback, message, refusal=made)


def _fix(found: Handed, module: Module) -> Fix | str:
    match found.receiver.where:
        case "loop" | "loop from outside" if isinstance(found.callback, ast.Lambda):
            return Fix(_wrapped(found.callback.body, "asyncio.create_task"), unsafe=STARTS)
        case "thread" | "awaited thread" | "exit" if isinstance(found.callback, ast.Lambda):
            return Fix(_wrapped(found.callback.body, "asyncio.run"), unsafe=OWN_LOOP)
        case "loop" if found.name == "call_soon" and found.owner is not None and not found.call.keywords:
            return Fix(_instead(found, "{loop}.create_task({call})", module), unsafe=STARTS)
        case "loop":
            return _when_due(found, "asyncio.create_task", STARTS, module)
        case "loop from outside" if found.owner is not None and not found.call.keywords:
            return Fix(_instead(found, "{run}({call}, {loop})", module), unsafe=STARTS)
        case "awaited thread":
            return _awaited(found, module)
        case "thread" if found.receiver.rest:
            return Fix(_instead(found, "{receiver}({asyncio_run}, {call})", module), unsafe=OWN_LOOP)
        case "thread":
            return _in_a_thread(found, module)
        case "exit":
            return _when_due(found, "asyncio.run", f"{OWN_LOOP} when the program exits", module)
        case "loop repeatedly":
            return f"`{found.name}()` calls it as long as there is something to read or write; a task comes too late"
        case "process":
            return "a coroutine cannot be sent to another process"
        case "leaving" if module.callee(found.call) == "contextlib.AsyncExitStack.callback" and found.owner is not None:
            return Fix(replace(found.call.func, "{stack}.push_async_callback", stack=found.owner), unsafe=STARTS)
    return f"what `{found.name}()` calls cannot await a coroutine"


def _wrapped(body: ast.expr, by: str) -> Edit:
    return replace(body, "{wrapper}({body})", wrapper=Symbol(by), body=body)


def _instead(found: Handed, template: str, module: Module) -> Edit:
    """An edit of the whole call, in which `{call}` is the call of the callback with its arguments."""
    keywords = found.call.keywords if found.receiver.keywords else []
    inner = invocation(found.callback, found.rest, keywords, module)
    holes = {
        "loop": found.owner,
        "receiver": found.call.func,
        "run": Symbol("asyncio.run_coroutine_threadsafe"),
        "asyncio_run": Symbol("asyncio.run"),
    }
    used = {name: hole for name, hole in holes.items() if hole is not None and f"{{{name}}}" in template}
    return replace(found.call, template.replace("{call}", inner.text), **used, **inner.holes)


def _when_due(found: Handed, wrapper: str, unsafe: str, module: Module) -> Fix | str:
    taken = ["done"] if found.receiver.given else ["*args"] if found.rest else []
    if found.receiver.keywords and found.call.keywords:
        taken.append("**kwargs")
    return _handing_on(found.callback, taken, wrapper, unsafe, module)


def _handing_on(callback: ast.expr, taken: list[str], wrapper: str, unsafe: str, module: Module) -> Fix | str:
    """A lambda in place of the callback, which takes these parameters and hands them on to it."""
    if not lasting(callback, module):
        return f"`{ast.unparse(callback)}` may be another when it is called"
    if _is_taken_back(callback, module):
        return f"`{ast.unparse(callback)}` is taken back by itself, which a lambda in its place would not be"
    parameters = [unused(name, callback) for name in taken]
    inner = invocation(callback, [], [], module)
    passed = ", ".join([*([inner.text[len("{f}(") : -1]] if len(inner.holes) > 1 else []), *parameters])
    head = f"lambda {', '.join(parameters)}" if parameters else "lambda"
    edit = replace(callback, f"{head}: {{wrapper}}({{f}}({passed}))", wrapper=Symbol(wrapper), **inner.holes)
    return Fix(edit, unsafe=unsafe)


def _is_taken_back(callback: ast.expr, module: Module) -> bool:
    """Does this file hand the same over to what forgets a callback that was handed over before?"""
    wanted = ast.unparse(callback)
    return any(
        isinstance(call.func, ast.Attribute)
        and call.func.attr in TAKING_BACK
        and any(ast.unparse(argument) == wanted for argument in call.args)
        for call in module.nodes(ast.Call)
    )


def _awaited(found: Handed, module: Module) -> Fix | str:
    unsafe = "the coroutine runs on the event loop, and not in a thread"
    if found.name == "to_thread" or isinstance(module.parent(found.call), ast.Await):
        return Fix(_instead(found, "{call}", module), unsafe=unsafe)
    if found.owner is None:
        return "it is not known which loop would run the coroutine"
    return Fix(_instead(found, "{loop}.create_task({call})", module), unsafe=unsafe)


def _in_a_thread(found: Handed, module: Module) -> Fix | str:
    """`asyncio.run` as the thread's target and the coroutine as its argument, where that can be written down."""
    given, run = found.keyword("args"), Symbol("asyncio.run")
    certain = not found.rest and not any(k.arg in ("kwargs", None) for k in found.call.keywords)
    if certain and given and isinstance(found.place, ast.keyword) and isinstance(given.value, (ast.Tuple, ast.List)):
        inner = invocation(found.callback, given.value.elts, [], module)
        return Fix(
            replace_argument(found.place, f"{found.place.arg}={{run}}", run=run),
            replace(given.value, f"({inner.text},)", **inner.holes),
            unsafe=OWN_LOOP,
        )
    taken = [] if certain and given is None else ["*args"] if certain else ["*args", "**kwargs"]
    return _handing_on(found.callback, taken, "asyncio.run", OWN_LOOP, module)
