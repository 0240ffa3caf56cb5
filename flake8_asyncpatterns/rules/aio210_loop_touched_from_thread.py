"""A thread touches the event loop, or what belongs to it: the loop does not wake up for it.

Almost nothing of asyncio is thread-safe. A loop that has nothing to do sleeps until the next timer, or until something
arrives. An event that a thread sets, an item that it puts, a callback that it schedules stays unseen until then; and
where both threads change the same list at the same time, it gets lost. `call_soon_threadsafe()` wakes the loop.

```python run
import asyncio
import threading
import time

def work(ready):
    time.sleep(0.05)
    ready.set()
    print("the thread has set it")
    time.sleep(0.05)
    print("the thread is done")

async def main():
    asyncio.get_running_loop().call_later(0.3, int)  # something happens to wake the loop
    ready = asyncio.Event()
    threading.Thread(target=work, args=(ready,)).start()
    await ready.wait()
    print("main sees it at last")

asyncio.run(main())
```

```text
the thread has set it
the thread is done
main sees it at last
```

```python bad
import asyncio
import threading

async def lines(stream):
    loop = asyncio.get_running_loop()
    queue = asyncio.Queue()

    def read():
        for line in stream:
            queue.put_nowait(line)
        queue.put_nowait(None)

    threading.Thread(target=read, daemon=True).start()
    while (line := await queue.get()) is not None:
        yield line
```

```python good
import asyncio
import threading

async def lines(stream):
    loop = asyncio.get_running_loop()
    queue = asyncio.Queue()

    def read():
        for line in stream:
            loop.call_soon_threadsafe(queue.put_nowait, line)
        loop.call_soon_threadsafe(queue.put_nowait, None)

    threading.Thread(target=read, daemon=True).start()
    while (line := await queue.get()) is not None:
        yield line
```

Followed are functions and lambdas of the same file that are handed to a thread or an executor, the `run` of a
`Thread`'s subclass, and what these call. What they touch must be known to be asyncio's: by the types of variables that
they share with the coroutine, of attributes, or of the arguments that the thread is given.

## Fix

Safe: the method is handed to `call_soon_threadsafe()` of a loop in reach: a variable or attribute that holds one, that
of the future itself, or the loop of the coroutine around the function, which gets a variable for it. Unsafe where the
thread catches exceptions around the call, or the function is called elsewhere, too: the method now runs a little later,
and what it raises is logged by the loop.

No fix where the result is used, and for tasks: `asyncio.run_coroutine_threadsafe(work(), loop)` gives a future that the
thread can wait for. Where no loop is in reach, hand `asyncio.get_running_loop()` to the thread.

## When to ignore

Where the event loop is known not to run while the thread does.

## Other tools

None of the linters for asyncio reports it. At run time asyncio's debug mode (`PYTHONASYNCIODEBUG=1`) raises
RuntimeError where `call_soon()` runs in the wrong thread.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.callbacks import arguments, is_path
from ..analysis.threads import STARTS, Run, Threads, catches
from ..knowledge.threads import LOOP, START_A_TASK, TOUCHES_THE_LOOP
from ..module import Module
from ..needs import calls
from ..rule import Edit, Fix, Related, Report, Symbol, insert, replace, rule
from ..tuples import NamedTuple

STARTS_A_TASK = START_A_TASK | {f"{LOOP}.create_task"}
METHODS = frozenset(name.rpartition(".")[2] for name in TOUCHES_THE_LOOP | START_A_TASK)
HAVE_THEIR_LOOP = frozenset({"asyncio.Future", "asyncio.Task"})
LATER = "it now runs a little later, on the event loop's thread, which logs what it raises"
LOOP_NAMES = ("loop", "running_loop", "event_loop")
OUT_OF_REACH = "no event loop is in reach: hand `asyncio.get_running_loop()` to the thread"


class Touch(NamedTuple):
    """A call in a thread that touches the loop. `name` is the method's, qualified."""

    run: Run
    name: str

    @property
    def call(self) -> ast.Call:
        """The call itself."""
        return self.run.call


class Way(NamedTuple):
    """How a thread reaches the loop: an expression, or a variable that is to be made `before` a statement."""

    loop: str
    before: ast.stmt | None = None


@rule(
    "AIO210", "loop-touched-from-thread", ast.Module, plain=True, needs=calls(TOUCHES_THE_LOOP | START_A_TASK, STARTS)
)
def loop_touched_from_thread(tree: ast.Module, module: Module) -> Iterator[Report]:
    """Report what a thread does to an event loop that runs in another."""
    if not any(attribute.attr in METHODS for attribute in module.nodes(ast.Attribute)):
        return
    touches = _touches(module)
    together = _together(touches, module)
    for touch in touches:
        related = (Related(touch.run.started.at, "a thread runs it from here"),)
        message = f"`{ast.unparse(touch.call.func)}()` runs in a thread; the event loop does not wake up for it"
        if touch.name in START_A_TASK:
            message = f"`{ast.unparse(touch.call.func)}()` runs in a thread that has no event loop: it raises"
        made = together.get(touch.call) or _alone(touch, module)
        if isinstance(made, Fix):
            yield Report(touch.call, message, made, related=related)
        else:
            yield Report(touch.call, message, refusal=made, related=related)


def _touches(module: Module) -> list[Touch]:
    """What the threads of a file do to a loop that is not their own; each call once."""
    threads = module.analysis(Threads)
    found: dict[ast.Call, Touch] = {}
    for started in threads.started:
        for run in threads.runs(started):
            name = threads.touched(run)
            if name is None or run.call in found or threads.asks_for_the_thread(started):
                continue
            if any(_called_by_coroutines(function, module) for function in run.path[1:]):
                continue  # it serves both worlds, each with objects of its own
            if not threads.has_its_own_loop(started) or _of_a_coroutine(run, module):
                found[run.call] = Touch(run, name)
    return list(found.values())


def _of_a_coroutine(run: Run, module: Module) -> bool:
    """Is this a variable of a coroutine, which lives in another loop than the thread's own?"""
    touched = run.call.func.value if isinstance(run.call.func, ast.Attribute) else None
    return isinstance(touched, ast.Name) and any(
        module.coroutine(binding) is not None for binding in module.bindings(touched) or () if binding is not touched
    )


def _alone(touch: Touch, module: Module) -> Fix | str:
    """The fix where the loop can be reached as things are; else why there is none."""
    way = _way(touch, module)
    if isinstance(way, str):
        return way
    return Fix(_threadsafe(touch, way.loop), unsafe=_doubt(touch, module))


def _together(touches: list[Touch], module: Module) -> dict[ast.Call, Fix]:
    """The fixes of those that need a variable for the coroutine's loop: they share it."""
    shared: dict[tuple[ast.stmt, str], list[Touch]] = {}
    for touch in touches:
        way = _way(touch, module)
        if isinstance(way, Way) and way.before is not None:
            shared.setdefault((way.before, way.loop), []).append(touch)
    found: dict[ast.Call, Fix] = {}
    for (before, loop), those in shared.items():
        made = insert(before, f"{loop} = {{get}}()", get=Symbol("asyncio.get_running_loop"))
        unsafe = next(filter(None, (_doubt(touch, module) for touch in those)), "")
        fix = Fix(made, *(_threadsafe(touch, loop) for touch in those), unsafe=unsafe)
        found |= {touch.call: fix for touch in those}
    return found


def _threadsafe(touch: Touch, loop: str) -> Edit:
    call = touch.call
    if touch.name == f"{LOOP}.call_soon":
        return replace(call.func, f"{loop}.call_soon_threadsafe")
    given = arguments("a", call.args)
    inside = ", ".join(filter(None, ("{method}", given.text)))
    return replace(call, f"{loop}.call_soon_threadsafe({inside})", method=call.func, **given.holes)


def _doubt(touch: Touch, module: Module) -> str:
    """Why the call had better happen where it does."""
    return LATER if catches(touch.call, module) or _called_by_coroutines(touch.run.function, module) else ""


def _called_by_coroutines(function: ast.FunctionDef | ast.Lambda, module: Module) -> bool:
    """Does a coroutine call what may be this function?"""
    return isinstance(function, ast.FunctionDef) and any(
        function.name in (getattr(call.func, "id", None), getattr(call.func, "attr", None))
        and module.coroutine(call) is not None
        for call in module.nodes(ast.Call)
    )


def _way(touch: Touch, module: Module) -> Way | str:
    """How to reach the loop from a thread; else why that does not help."""
    call, around = touch.call, module.parent(touch.call)
    if touch.name in STARTS_A_TASK:
        return "`asyncio.run_coroutine_threadsafe()` starts a task from a thread, and gives a future to wait for"
    if touch.name == f"{LOOP}.call_soon" and isinstance(call.func, ast.Attribute) and is_path(call.func.value):
        return Way(ast.unparse(call.func.value))
    if not isinstance(around, (ast.Expr, ast.Lambda)):
        return "what the call gives is used"
    if call.keywords or not isinstance(call.func, ast.Attribute):
        return "`call_soon_threadsafe()` takes no keyword arguments"
    touched, kind = call.func.value, touch.name.rpartition(".")[0]
    if kind == LOOP:
        return Way(ast.unparse(touched)) if is_path(touched) else OUT_OF_REACH
    if kind in HAVE_THEIR_LOOP:
        return Way(f"{ast.unparse(touched)}.get_loop()") if is_path(touched) else OUT_OF_REACH
    in_reach = _variable(touch, module) or _attribute(touched, module)
    return Way(in_reach) if in_reach else _coroutines(touch, module)


def _variable(touch: Touch, module: Module) -> str | None:
    """A variable or parameter with the loop in it that the thread sees."""
    run = touch.run
    for parameter, value in run.given.items():
        if module.type_of(value) == LOOP:
            return parameter.arg
    around = {run.function, *module.ancestors(run.function)}
    for candidate in module.nodes(ast.Name):
        bindings = module.bindings(candidate) or []
        if len(bindings) == 1 and module.type_of(candidate) == LOOP and module.reaches(candidate, run.call):
            made, home = bindings[0], module.function(bindings[0])
            if isinstance(made, ast.arg):
                return candidate.id
            if home in around and home is not run.function and made.lineno < run.started.at.lineno:  # type: ignore[attr-defined]  # a Name
                return candidate.id
    return None


def _attribute(touched: ast.expr, module: Module) -> str | None:
    """An attribute with the loop in it, of the same instance that has what is touched."""
    while isinstance(touched, ast.Attribute) and not isinstance(touched.value, ast.Name):
        touched = touched.value
    owner = module.owner(touched) if isinstance(touched, ast.Attribute) else None
    if owner is None or not isinstance(touched, ast.Attribute):
        return None
    family = module.bases(owner)
    for other in module.nodes(ast.Attribute):
        if isinstance(other.ctx, ast.Store) and module.owner(other) in family and module.type_of(other) == LOOP:
            return f"{ast.unparse(touched.value)}.{other.attr}"
    return None


def _coroutines(touch: Touch, module: Module) -> Way | str:
    """The loop of the coroutine in which the function is defined that the thread runs."""
    started = touch.run.started
    home = module.coroutine(started.function)
    if touch.run.function is not started.function or home is None or module.coroutine(started.at) is not home:
        return OUT_OF_REACH
    free = (name for name in LOOP_NAMES if not module.visible(name, touch.call))
    once = len([other for other in module.analysis(Threads).started if other.function is started.function]) == 1
    before = module.statement(started.at if once else started.function)
    return next((Way(name, before) for name in free), OUT_OF_REACH)
