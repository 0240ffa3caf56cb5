"""An `except` around an `await` swallows the cancellation of its own task.

`task.cancel()` raises CancelledError at the `await` where the task waits, once. A handler that catches it and goes on
makes the task deaf: `asyncio.timeout()` and `wait_for()` no longer end it, a TaskGroup waits for it, and the program
does not shut down. `except:` and `except BaseException:` catch it as well, where nothing but errors was meant. Whoever
awaits the coroutine goes on too, as if it had done its work.

```python run
import asyncio

async def ping():
    for number in range(3):
        try:
            print("ping", number)
            await asyncio.sleep(0.01)
        except:
            print("an error, ignored")

async def main():
    task = asyncio.create_task(ping())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    print("cancelled:", task.cancelled())

asyncio.run(main())
```

```text
ping 0
an error, ignored
ping 1
ping 2
cancelled: False
```

```python bad
async def send_all(sockets, message):
    for socket in sockets:
        try:
            await socket.send(message)
        except:
            print("cannot reach", socket)
```

```python good
async def send_all(sockets, message):
    for socket in sockets:
        try:
            await socket.send(message)
        except Exception:
            print("cannot reach", socket)
```

A handler for CancelledError itself is reported where the work goes on behind it, or where a result is returned that
looks like a whole one:

```python bad
import asyncio

async def read_pages(fetch):
    pages = []
    while True:
        try:
            page = await fetch(len(pages))
        except asyncio.CancelledError:
            print("interrupted")
            break
        if not page:
            break
        pages.append(page)
    return pages
```

```python good
import asyncio

async def read_pages(fetch):
    pages = []
    while True:
        try:
            page = await fetch(len(pages))
        except asyncio.CancelledError:
            print("interrupted")
            raise
        if not page:
            break
        pages.append(page)
    return pages
```

```python bad
import asyncio
import contextlib

async def refresh(caches):
    for cache in caches:
        with contextlib.suppress(asyncio.CancelledError):
            await cache.refresh()
```

```python good
import asyncio
import contextlib

async def refresh(caches):
    for cache in caches:
        await cache.refresh()
```

## Fix

Unsafe, because the coroutine then ends where it went on before: `except:` and `except BaseException:` become
`except Exception:`, which lets a cancellation pass (and KeyboardInterrupt, SystemExit and GeneratorExit, too); a
handler for CancelledError ends in `raise`; `contextlib.suppress()` loses it. Where the state has to be put in order
first, do so in a `finally`, or in `except BaseException:` with a `raise` at its end.

## When to ignore

Where a cancellation is to be ignored, and who cancels knows: call `asyncio.current_task().uncancel()` then, which
says so to `asyncio.timeout()` and to this rule.

Not reported: waiting for a task that was cancelled (`task.cancel()`, `try: await task`, `except CancelledError: pass`,
in whatever spelling), a handler for CancelledError with which the coroutine ends, a `while` whose own condition may end
it, a function that has its own task cancelled (`loop.call_later(5, asyncio.current_task().cancel)`), cleanup in a
`finally` or in front of a `raise`, `BaseException` by name where each of many is closed or a task is waited for, a
handler that raises on any way, and one that hands the exception on: into a future, a queue, a variable or a function.

## Other tools

flake8-async reports every `except:`, `except BaseException:` and `except CancelledError:` from which a way leads on
without that very exception (ASYNC103, ASYNC104), also where nothing waits in the `try`, in plain functions, too, and
SonarQube a CancelledError that is not raised again (S7497). Both do so where a task is awaited that was cancelled right
before, and where a task just ends. An exception that is turned into another one is left to them.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable, Iterator

from ..analysis.cancellation import (
    Path,
    behind,
    caught,
    hands_on,
    name_of,
    path,
    points,
    suppressed,
    waits_for_task,
)
from ..analysis.coroutines import runs_on_the_loop
from ..flow import LOOPS, always_true, body, suspends, within
from ..knowledge.cancellation import (
    CANCELLED,
    CANCELLED_CLASS,
    DELIBERATE,
    ENDING_WORDS,
    EVERYTHING,
    OUTCOMES,
    PASS_ON,
    STARTERS,
)
from ..knowledge.locks import TRANSPARENT
from ..module import Module
from ..needs import Need, last
from ..rule import CatchExceptions, Edit, Fix, FunctionDef, Hole, Report, Symbol, replace, rule
from ..signs import BARE_EXCEPT, ON_THE_LOOP
from ..tuples import NamedTuple

UNSAFE = "the coroutine ends where it went on before"
CATCHING = (Need((ON_THE_LOOP, last({CANCELLED, EVERYTHING}) | last(CANCELLED_CLASS) | BARE_EXCEPT)),)
COLLECTING = frozenset({"add", "append", "extend", "insert", "setdefault", "update"})


class Swallow(NamedTuple):
    """A block whose cancellations are caught, and what is done about them."""

    node: ast.ExceptHandler | ast.With
    names: list[ast.expr]  # what it names that lets no cancellation pass; none: a bare `except`
    everything: bool  # are errors and cancellations meant alike?
    block: list[ast.stmt]
    function: FunctionDef
    after: Path  # from where it was caught
    rest: Path  # the same without the handler, and the `finally` beside it

    @property
    def handling(self) -> list[ast.stmt]:
        """What runs when a cancellation is caught."""
        return self.node.body if isinstance(self.node, ast.ExceptHandler) else []


@rule("AIO305", "cancellation-swallowed", ast.ExceptHandler, ast.With, needs=CATCHING)
def cancellation_swallowed(node: ast.AST, module: Module) -> Iterator[Report]:
    """Report what catches the cancellation of its own task, and goes on."""
    assert isinstance(node, (ast.ExceptHandler, ast.With))
    swallow = _swallow(node, module)
    if swallow is None or module.other_loop() or _is_deliberate(swallow, module):
        return
    here = [point for point in points(swallow.block, module) if not _is_anothers(point, swallow.function, module)]
    if not here:
        return
    if swallow.everything:
        if not (
            _ends_another(here, swallow, module) or _ends_task(swallow, module) or _cleans_up(here, swallow, module)
        ):
            spelled = "except:" if isinstance(node, ast.ExceptHandler) and node.type is None else "BaseException"
            message = f"`{spelled}` swallows cancellation, too; catch `Exception`"
            yield _report(swallow, message, _catch_errors(swallow, module))
    elif not any(waits_for_task(point, module) for point in here) and not _was_cancelled_here(swallow):
        goes_on = _goes_on(swallow, here, module)
        if goes_on:
            yield _report(
                swallow, f"{goes_on} after this task was cancelled; let `CancelledError` pass", _let_pass(swallow)
            )


def _report(swallow: Swallow, message: str, mended: list[Edit] | str) -> Report:
    if isinstance(mended, str):
        return Report(swallow.node, message, refusal=mended)
    return Report(swallow.node, message, Fix(*mended, unsafe=UNSAFE))


def _swallow(node: ast.ExceptHandler | ast.With, module: Module) -> Swallow | None:
    if isinstance(node, ast.ExceptHandler):
        guarded = module.parents[node]
        if not isinstance(guarded, ast.Try) or caught(node.type, module) is None:
            return None
        earlier = [*itertools.takewhile(lambda handler: handler is not node, guarded.handlers)]
        if any(caught(handler.type, module) or _may_be_cancellation(handler.type, module) for handler in earlier):
            return None
        listed = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type] if node.type else []
        names = [name for name in listed if caught(name, module)]
        # Whoever has caught every `Exception` before means the rest.
        meant = any("builtins.Exception" in _named(handler.type, module) for handler in earlier)
        block, after = guarded.body, path(node.body, node, module)
        own = {*node.body, *guarded.finalbody}
        rest = after._replace(passed=[statement for statement in after.passed if statement not in own])
    else:
        names = [name for item in node.items for name in suppressed(item, module)]
        if not names:
            return None
        meant = False
        block, after = node.body, path(*behind(node, module), module)
        rest = after
    function = module.function(node)
    if not runs_on_the_loop(function, module):
        return None
    assert isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
    everything = not meant and (not names or any(caught(name, module) == EVERYTHING for name in names))
    return Swallow(node, names, everything, block, function, after, rest)


def _may_be_cancellation(exception: ast.expr | None, module: Module) -> bool:
    """Does an `except` name a `CancelledError` that may be asyncio's, from wherever it was brought?"""
    for one in exception.elts if isinstance(exception, ast.Tuple) else [exception]:
        match one:
            case ast.Name(id="CancelledError") | ast.Attribute(attr="CancelledError"):
                if module.name(one) != "concurrent.futures.CancelledError":  # another class since Python 3.8
                    return True
    return False


def _named(exception: ast.expr | None, module: Module) -> list[str | None]:
    listed = exception.elts if isinstance(exception, ast.Tuple) else [exception] if exception else []
    return [module.name(one) for one in listed]


def _is_deliberate(swallow: Swallow, module: Module) -> bool:
    """Is the exception handed on, does the function end with one anyway, or is this but cleaning up?"""
    if isinstance(swallow.node, ast.ExceptHandler) and hands_on(swallow.node, module):
        return True
    if _raises_anyway(swallow.after, module) or any(_cancels(node) for node in within(*swallow.handling)):
        return True
    inner: ast.AST = swallow.node
    for around in module.ancestors(swallow.node):
        if around is swallow.function:
            break
        if isinstance(around, (ast.Try, ast.TryStar)) and any(statement is inner for statement in around.finalbody):
            return True
        inner = around
    if _has_itself_cancelled(swallow.function, module):
        return True
    return any(isinstance(node, ast.Attribute) and node.attr in DELIBERATE for node in body(swallow.function))


def _raises_anyway(after: Path, module: Module) -> bool:
    """Does every way on come to a `raise`, perhaps after the rounds of a loop?"""
    while isinstance(after.ending, (ast.For, ast.AsyncFor)):
        after = path(*behind(after.ending, module), module)
    return isinstance(after.ending, ast.Raise)


def _cancels(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = name_of(node.func).lower()
    return "cancel" in name and name not in ("cancelled", "is_cancelled")


def _is_anothers(point: ast.AST, function: FunctionDef, module: Module) -> bool:
    """Is this a `yield` that hands over to who knows whom: that of a context manager, a fixture, a plain generator?"""
    if not isinstance(point, ast.Yield):
        return False
    around = module.ancestors(point, below=function)
    return (
        isinstance(function, ast.FunctionDef)
        or any(module.name(decorator) not in TRANSPARENT for decorator in function.decorator_list)
        or not any(isinstance(node, LOOPS) for node in around)
    )


def _was_cancelled_here(swallow: Swallow) -> bool:
    """Did this function cancel something before, so that a CancelledError may be that one's?"""
    return any(_cancels(node) and node.lineno <= swallow.node.lineno for node in body(swallow.function))  # type: ignore[attr-defined]  # a Call


def _has_itself_cancelled(function: FunctionDef, module: Module) -> bool:
    """Does this function hand on its own task's `cancel`: `loop.call_later(5, asyncio.current_task().cancel)`?"""
    return any(
        isinstance(node, ast.Attribute) and node.attr == "cancel" and _is_own_task(node.value, module)
        for node in body(function)
    )


def _is_own_task(task: ast.expr, module: Module) -> bool:
    """Is this the task that runs the code?"""
    made = module.only_value(task) or task
    return isinstance(made, ast.Call) and module.callee(made) == "asyncio.current_task"


def _ends_another(here: list[ast.AST], swallow: Swallow, module: Module) -> bool:
    """Does the block but wait for what was cancelled, or is cancelled by what it calls?"""
    if all(waits_for_task(point, module) for point in here):
        return _was_cancelled_here(swallow) or any(_is_cancelled(point, module) for point in here)
    return _was_cancelled_here(swallow) and all(waits_for_task(p, module) or _is_ending(p, module) for p in here)


def _cleans_up(here: list[ast.AST], swallow: Swallow, module: Module) -> bool:
    """Does somebody who says `BaseException` mean it: that all others are ended, too, whatever comes of this one?"""
    if not swallow.names:
        return False
    around = module.ancestors(swallow.node, below=swallow.function)
    one_of_many = any(isinstance(node, LOOPS) for node in around)
    return all(waits_for_task(p, module) or (one_of_many and _is_ending(p, module)) for p in here)


def _is_cancelled(point: ast.AST, module: Module) -> bool:
    """Does this file cancel anything of the name that is awaited here?"""
    awaited = {name_of(node) for node in ast.walk(point)} - {""}
    return any(
        _cancels(call) and isinstance(call.func, ast.Attribute) and name_of(call.func.value) in awaited
        for call in module.nodes(ast.Call)
    )


def _is_ending(point: ast.AST, module: Module) -> bool:
    """Is this an await of something that ends or cleans up?"""
    value = point.value if isinstance(point, (ast.Await, ast.YieldFrom)) else None
    if isinstance(value, ast.Call) and module.callee(value) in PASS_ON and value.args:
        value = value.args[0]
    return isinstance(value, ast.Call) and any(word in name_of(value.func).lower() for word in ENDING_WORDS)


def _ends_task(swallow: Swallow, module: Module) -> bool:
    """Does a task end here that nobody waits for, and which knows what it catches, or hands its outcome on?"""
    ending = swallow.after.ending
    if any(name_of(node.func) in OUTCOMES for node in within(*swallow.rest.passed) if isinstance(node, ast.Call)):
        return True
    if not swallow.names:
        return False
    over = ending is swallow.function or (isinstance(ending, ast.Return) and ending.value is None)
    return over and not suspends(*swallow.rest.passed) and _is_started(swallow.function, module)


def _is_started(function: FunctionDef, module: Module) -> bool:
    """Does this file make a task of the coroutine, or run it by itself?"""
    return any(
        name_of(node) == function.name
        and any(
            isinstance(around, ast.Call) and name_of(around.func) in STARTERS and around.func is not node
            for around in itertools.takewhile(lambda n: not isinstance(n, ast.stmt), module.ancestors(node))
        )
        for node in module.nodes(ast.Name, ast.Attribute)
    )


def _goes_on(swallow: Swallow, here: list[ast.AST], module: Module) -> str:
    """What goes on as if nobody had cancelled the task, in words; empty: nothing does, or it may well be meant."""
    if all(_is_ending(point, module) for point in here) or _takes_note(swallow.handling):
        return ""
    ending = swallow.after.ending
    if isinstance(ending, LOOPS):
        return "the loop goes on" if not isinstance(ending, ast.While) or always_true(ending.test) else ""
    if any(not _is_ending(point, module) for point in points(swallow.rest.passed, module)):
        over = ending is swallow.function and _is_started(swallow.function, module)
        return "" if over else "the coroutine goes on"
    if isinstance(ending, ast.Return) and ending.value and _is_collected(ending.value, swallow, module):
        return "what was got so far is returned as the whole"
    nothing = ending is swallow.function or (isinstance(ending, ast.Return) and ending.value is None)
    if nothing and _alone_is_silent(swallow, module):
        return "the caller goes on"
    return ""


def _takes_note(handling: Iterable[ast.stmt]) -> bool:
    """Does the handler decide for itself, or change what others look at?"""
    for node in within(*handling):
        match node:
            case ast.If() | ast.Match() | ast.IfExp() | ast.Assign() | ast.AugAssign() | ast.AnnAssign() | ast.Delete():
                return True
    return False


def _is_collected(value: ast.expr, swallow: Swallow, module: Module) -> bool:
    """Is this what the guarded code, or a loop around it, works at?"""
    if any(value is node for statement in swallow.handling for node in ast.walk(statement)):
        return False  # a result of its own for the case
    work: list[ast.AST] = [*swallow.block]
    for around in module.ancestors(swallow.node):
        if around is swallow.function:
            break
        if isinstance(around, LOOPS):
            work += around.body
    made: set[str] = set()
    for node in within(*work):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                made.add(name)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if method in COLLECTING:
                made.add(name)
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()):
                made.add(name)
    return any(isinstance(node, ast.Name) and node.id in made for node in ast.walk(value))


def _alone_is_silent(swallow: Swallow, module: Module) -> bool:
    """Do callers hear of everything but a cancellation: does a handler beside this one raise, in a public coroutine?"""
    function = swallow.function
    beside = getattr(module.parent(swallow.node), "handlers", ())
    return (
        any(isinstance(handler.body[-1], ast.Raise) for handler in beside)
        and not function.name.startswith("_")
        and not function.decorator_list
        and not isinstance(module.function(function), (ast.FunctionDef, ast.AsyncFunctionDef))
        and not _is_started(function, module)
    )


def _catch_errors(swallow: Swallow, module: Module) -> list[Edit] | str:
    """Edits after which errors alone are caught; or why there are none."""
    if not swallow.names:
        assert isinstance(swallow.node, ast.ExceptHandler)
        if module.visible("Exception", swallow.node):
            return "`Exception` is something else here"
        return [CatchExceptions(swallow.node)]
    place = swallow.node.type if isinstance(swallow.node, ast.ExceptHandler) else None
    return [replace(place or name, "{exception}", exception=Symbol("builtins.Exception")) for name in swallow.names[:1]]


def _let_pass(swallow: Swallow) -> list[Edit] | str:
    """Edits after which CancelledError passes; or why there are none."""
    if isinstance(swallow.node, ast.With):
        return _not_suppressed(swallow.node, swallow.names)
    if isinstance(swallow.node.type, ast.Tuple):
        others = [name for name in swallow.node.type.elts if all(name is not one for one in swallow.names)]
        if others:
            holes: dict[str, Hole] = {f"e{number}": other for number, other in enumerate(others)}
            listed = ", ".join(f"{{{name}}}" for name in holes)
            return [replace(swallow.node.type, listed if len(others) == 1 else f"({listed})", **holes)]
    last = swallow.node.body[-1]
    if isinstance(last, (ast.Pass, ast.Break, ast.Continue, ast.Return)):
        return [replace(last, "raise")]
    return [replace(last, "{last}\nraise", last=[last])]


def _not_suppressed(node: ast.With, names: list[ast.expr]) -> list[Edit] | str:
    item = next(item for item in node.items if any(name is one for name in names for one in ast.walk(item)))
    call = item.context_expr
    assert isinstance(call, ast.Call)
    others = [name for name in call.args if all(name is not one for one in names)]
    if others:
        holes: dict[str, Hole] = {"suppress": call.func}
        holes |= {f"e{number}": other for number, other in enumerate(others)}
        listed = ", ".join(f"{{e{number}}}" for number in range(len(others)))
        return [replace(call, f"{{suppress}}({listed})", **holes)]
    if len(node.items) > 1 or item.optional_vars:
        return "the `with` does more than that"
    return [replace(node, "{body}", body=node.body)]
