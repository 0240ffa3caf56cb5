"""A handler set by `signal.signal()` touches the event loop, which does not wake up for it.

Python runs such a handler between any two instructions of the main thread. A loop that is asleep, waiting for its next
timer, runs it and goes on sleeping: the event that the handler set, the task that it cancelled, the `stop()` are seen
when the loop wakes for another reason. `loop.add_signal_handler()` wakes it, and runs the handler as a callback.

```python run
import asyncio
import signal
import threading

async def main():
    stop = asyncio.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: (stop.set(), print("the handler has set it")))
    threading.Timer(0.05, signal.pthread_kill, [threading.get_ident(), signal.SIGTERM]).start()
    threading.Timer(0.15, print, ["time goes by"]).start()
    asyncio.get_running_loop().call_later(0.3, int)  # something happens to wake the loop
    await stop.wait()
    print("main sees it at last")

asyncio.run(main())
```

```text
the handler has set it
time goes by
main sees it at last
```

```python bad
import asyncio
import signal

async def main(serve):
    stop = asyncio.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    serving = asyncio.create_task(serve())
    await stop.wait()
    serving.cancel()
```

```python good
import asyncio
import signal

async def main(serve):
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    serving = asyncio.create_task(serve())
    await stop.wait()
    serving.cancel()
```

The handler, and what it calls in the same file, must be seen to touch the loop, a task, a future, an event or a queue
of asyncio.

## Fix

Unsafe: Windows' event loops have no `add_signal_handler()`. The handler is called with the same arguments, the frame
being None, and by the loop: what it raises is logged. Fixed is a statement in a coroutine, or one where the loop that
the handler touches is at hand. Elsewhere move it into the coroutine, or have the handler do nothing but
`loop.call_soon_threadsafe(…)`. The runtime's `asyncpatterns.run()` and `shutdown_signals()` do all of this.

## When to ignore

Where the loop wakes often enough anyway. Nothing is reported in branches for Windows and where `add_signal_handler()`
is not implemented; of handlers that raise, exit, or wake the loop by `call_soon_threadsafe()`; and in files that use
`add_signal_handler()` or uvloop, since a loop that handles one signal wakes up for all of them.

## Other tools

None reports it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.callbacks import is_path
from ..analysis.threads import Run, Started, Threads
from ..flow import body
from ..knowledge.threads import LOOP
from ..module import Module
from ..needs import calls
from ..rule import Fix, Hole, Related, Report, Symbol, replace, rule

# What wakes the loop from a handler, or ends the program by it. Modules/signalmodule.c: whatever sets a wakeup file
# descriptor has it written to for every signal.
WAKE = frozenset({"add_signal_handler", "call_soon_threadsafe", "run_coroutine_threadsafe", "set_wakeup_fd"})
ENDS = frozenset({
    "sys.exit", "os._exit", "os.kill", "os.abort", "builtins.exit", "builtins.quit", "signal.raise_signal",
    "signal.default_int_handler",
})  # fmt: skip
WAKES_FOR_ALL = WAKE - {"call_soon_threadsafe", "run_coroutine_threadsafe"}
# What code compares the platform with that it runs on. Source: the documentation of sys.platform and os.name.
WINDOWS = frozenset({"win32", "nt", "win", "Windows", "cygwin"})
UNSAFE = "Windows' event loops have no `add_signal_handler()`; what the handler raises is logged by the loop"


@rule("AIO302", "signal-handler-outside-loop", ast.Call, plain=True, needs=calls({"signal.signal"}))
def signal_handler_outside_loop(call: ast.Call, module: Module) -> Iterator[Report]:
    """Report `signal.signal(…, handler)` where the handler touches an event loop."""
    if module.callee(call) != "signal.signal" or len(call.args) != 2 or call.keywords:
        return
    threads = module.analysis(Threads)
    for function, given in threads.behind(call.args[1], [], []):
        runs = list(threads.runs(Started(function, call, given)))
        touch = next((run for run in runs if threads.touched(run)), None)
        if touch is None or _ends_or_wakes(runs, module) or _is_another_way(call, module):
            return
        touched = ast.unparse(touch.call.func)
        related = (Related(touch.call, "here"),)
        message = f"the event loop does not wake up for `{touched}()` in this handler; use `loop.add_signal_handler()`"
        made = _fix(call, touch, threads, module)
        if isinstance(made, Fix):
            yield Report(call, message, made, related=related)
        else:
            yield Report(call, message, refusal=made, related=related)


def _ends_or_wakes(runs: list[Run], module: Module) -> bool:
    """Does a handler end the program, or see to it that the loop wakes up?"""
    for run in runs:
        if getattr(run.call.func, "attr", getattr(run.call.func, "id", None)) in WAKE:
            return True
        if module.callee(run.call) in ENDS:
            return True
    functions = {run.function for run in runs}
    return any(isinstance(node, ast.Raise) for function in functions for node in body(function))


def _is_another_way(call: ast.Call, module: Module) -> bool:
    """Is this for where loops handle no signals; or does the loop wake up for all of them?"""
    if "uvloop" in module.packages() or any(a.attr in WAKES_FOR_ALL for a in module.nodes(ast.Attribute)):
        return True
    if call.args and isinstance(call.args[0], ast.Attribute) and call.args[0].attr in ("SIGBREAK", "CTRL_C_EVENT"):
        return True
    inner: ast.AST = call
    for around in module.ancestors(call):
        match around:
            case ast.ExceptHandler():
                return True
            case ast.If() if inner is not around.test and _asks_for_windows(around.test, module):
                return True
        inner = around
    return False


def _asks_for_windows(test: ast.expr, module: Module) -> bool:
    """Does a branch belong to a platform: `sys.platform == "win32"`, `os.name == "nt"`?"""
    return any(isinstance(n, ast.Constant) and n.value in WINDOWS for n in ast.walk(test)) or any(
        isinstance(n, (ast.Name, ast.Attribute)) and "windows" in ast.unparse(n).lower() for n in ast.walk(test)
    )


def _fix(call: ast.Call, touch: Run, threads: Threads, module: Module) -> Fix | str:
    """The loop's own way, where the loop is at hand; else why there is none."""
    number, handler = call.args
    if not isinstance(module.parent(call), ast.Expr):
        return "what `signal.signal()` gives is used"
    if not is_path(number):
        return f"the signal, `{ast.unparse(number)}`, is worked out here"
    if _uses_the_frame(touch.started, module):
        return "the handler looks at the frame, which a loop does not know"
    function = module.function(call)
    if any(module.callee(c) == "signal.getsignal" and module.function(c) is function for c in module.nodes(ast.Call)):
        return "what was set before is asked for, and perhaps put back by `signal.signal()`"
    found = _loop(call, touch, threads, module)
    if found is None:
        return "no running loop is at hand: `asyncio.get_running_loop().add_signal_handler()` belongs in a coroutine"
    given = "" if _is_all(handler) else f", {ast.unparse(number)}, None"
    does = handler.body.func if isinstance(handler, ast.Lambda) and _is_all(handler) else handler  # type: ignore[attr-defined]  # a call
    holes: dict[str, Hole] = {"number": number, "does": does}
    if found:
        edit = replace(call, f"{found}.add_signal_handler({{number}}, {{does}}{given})", **holes)
    else:
        holes["get"] = Symbol("asyncio.get_running_loop")
        edit = replace(call, f"{{get}}().add_signal_handler({{number}}, {{does}}{given})", **holes)
    return Fix(edit, unsafe=UNSAFE, supersedes=("signal.signal",))


def _is_all(handler: ast.expr) -> bool:
    """Is this a lambda that only calls something, without arguments?"""
    match handler:
        case ast.Lambda(body=ast.Call(func=called, args=[], keywords=[])):
            own = {a.arg for a in ast.walk(handler.args) if isinstance(a, ast.arg)}
            return is_path(called) and not any(isinstance(n, ast.Name) and n.id in own for n in ast.walk(called))
    return False


def _uses_the_frame(handler: Started, module: Module) -> bool:
    function = handler.function
    own = [a for a in (*function.args.posonlyargs, *function.args.args) if a not in handler.given]
    at = 2 if module.class_of(function) is not None else 1
    frame = own[at].arg if len(own) > at else None
    return any(isinstance(node, ast.Name) and node.id == frame for node in body(function))


def _loop(call: ast.Call, touch: Run, threads: Threads, module: Module) -> str | None:
    """The loop that the handler touches, where `signal.signal()` is called; empty: that of the coroutine around."""
    match touch.call.func:
        case ast.Attribute(value=touched) if is_path(touched) and threads.type_of(touched, touch.given) == LOOP:
            base: ast.expr = touched
            while isinstance(base, ast.Attribute):
                base = base.value
            if isinstance(base, ast.Name) and module.reaches(base, call):
                return ast.unparse(touched)
    return "" if module.coroutine(call) is not None else None
