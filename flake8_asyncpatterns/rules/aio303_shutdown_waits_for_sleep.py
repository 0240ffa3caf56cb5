"""A loop that is ended by a flag goes on sleeping after the flag was cleared.

`while running: …; await asyncio.sleep(60)` looks at the flag once a minute. A signal handler or a `stop()` that
clears the flag wakes nobody: whoever waits for the loop waits for the rest of the sleep, up to a minute here. A
container is killed after 10 or 30 seconds, in the middle of whatever comes then, and none of its cleanup runs.

```python run
import asyncio

class Poller:
    running = True

    def stop(self):
        self.running = False

    async def run(self):
        while self.running:
            print("at work")
            await asyncio.sleep(0.2)

async def main():
    loop = asyncio.get_running_loop()
    poller = Poller()
    task = asyncio.create_task(poller.run())
    await asyncio.sleep(0.01)
    poller.stop()
    stopped = loop.time()
    await task
    print("woken by stop():", loop.time() - stopped < 0.1)

asyncio.run(main())
```

```text
at work
woken by stop(): False
```

```python bad
import asyncio
import signal

async def main():
    running = True

    def shutdown():
        nonlocal running
        running = False

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, shutdown)
    while running:
        await work()
        await asyncio.sleep(60)
```

```python good
import asyncio
import contextlib
import signal

async def main():
    stopped = asyncio.Event()

    def shutdown():
        stopped.set()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, shutdown)
    while not stopped.is_set():
        await work()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stopped.wait(), 60)
```

The same for a flag that is an attribute, cleared by another method:

```python bad
import asyncio

class Poller:
    def __init__(self):
        self._stop = False

    def stop(self):
        self._stop = True

    async def run(self):
        while True:
            if self._stop:
                break
            await self.poll()
            await asyncio.sleep(30)
```

```python good
import asyncio
import contextlib

class Poller:
    def __init__(self):
        self._stop = asyncio.Event()

    def stop(self):
        self._stop.set()

    async def run(self):
        while True:
            if self._stop.is_set():
                break
            await self.poll()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stop.wait(), 30)
```

Where the flag is an `asyncio.Event` already, and the loop only asks whether it is set, the sleep becomes a wait.

The runtime's `Stop` has such a sleep:

```toml
[tool.asyncfix]
runtime = true
```

```python bad
import asyncio

class Poller:
    def __init__(self):
        self._running = True

    def stop(self):
        self._running = False

    async def run(self):
        while self._running:
            await self.poll()
            await asyncio.sleep(30)
```

```python good
import asyncpatterns

class Poller:
    def __init__(self):
        self._stop = asyncpatterns.Stop()

    def stop(self):
        self._stop.set()

    async def run(self):
        while not self._stop.is_set():
            await self.poll()
            await self._stop.sleep(30)
```

## Fix

Unsafe: the flag becomes an `asyncio.Event`, and the sleeps of its loops become waits on it with a timeout. All uses
of the flag in the file change together. Nothing is changed where another file of the project may use the flag, by
`service.running = False` (`fix` asks them all, `check` does not), where a use of it is not understood, and where it is
cleared in a handler of `signal.signal()` or in a file that starts threads: setting an Event there does not wake the
loop, which `loop.add_signal_handler()` or `loop.call_soon_threadsafe()` would. Before Python 3.10 an Event belongs to
the event loop that is current when it is made: there, make it in the coroutine.

With `runtime = true` in `[tool.asyncfix]` the flag, or the Event, becomes an `asyncpatterns.Stop`, which has to be
added to the dependencies. It cannot be cleared: where a flag goes back, another Stop takes its place. Its
`set_threadsafe()` wakes the loop from a handler of `signal.signal()` and from another thread as well, so that there is
a fix for these, too. A file that uses a Stop already gets `stop.sleep()` either way.

Two flaws that often come with such a loop are left to you: `loop.add_signal_handler()` raises NotImplementedError on
Windows, and once it handles Ctrl-C, a second one cannot cancel work that hangs. The runtime's `run()` does both, and
its `Stop.sleep()` says in one line what the fix says in two.

## When to ignore

Where the pause must not be cut short. A plain `while True: …; await asyncio.sleep(60)` is not reported: its task can
be cancelled. Nor is a loop whose task is cancelled by the code that clears the flag, a sleep of less than a second,
a loop that does nothing but wait, or a flag that goes back and forth as a state (`available`) does.

## Other tools

flake8-async and ruff report short sleeps in a loop as polling (ASYNC110), whoever changes the condition; the long
ones that delay a shutdown are reported by none.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterable, Iterator

from ..analysis.calls import Calls
from ..analysis.flags import (
    EVENT,
    STOP,
    Conversion,
    Flag,
    Latch,
    NotUnderstood,
    Use,
    event_to_stop,
    flag,
    identifiers,
    required,
)
from ..analysis.freenames import free
from ..flow import LOOPS, always_true, within
from ..knowledge.loops import LOGGING
from ..module import Module
from ..needs import calls
from ..rule import Fix, FunctionDef, Related, Remove, Replace, Report, Symbol, replace, rule
from ..signs import ASYNC
from ..signs.loops import WHILE
from ..source import lines
from ..tuples import NamedTuple

# A shorter sleep delays nobody's shutdown; it is polling, which another rule is about.
LONG = 1.0
LATCHES = frozenset({EVENT.made, STOP.made})
# The names behind a delay are followed so far.
NAME_DEPTH = 3
UNSAFE = "the loop no longer sleeps to the end when it is told to stop"
SUPERSEDED = ("asyncio.sleep",)
NEEDS = "add `asyncpatterns` to your dependencies"
# What the latch of a flag that lets loops go on may be called: set, it says that they are to end.
ENDS = {EVENT.made: ("stopped",), STOP.made: ("stop", "stopped")}


class Waiting(NamedTuple):
    """A loop that looks at a flag and sleeps."""

    loop: ast.While
    coroutine: ast.AsyncFunctionDef
    test: Use
    going: bool  # what the flag is while the loop goes on
    event: bool  # is the flag an Event or a Stop already?
    sleeps: list[ast.Await]


class Cleared(NamedTuple):
    """A place that gives a flag the value at which its loops end."""

    place: ast.AST
    function: FunctionDef | None  # the one that does so; None: the place hands it on, to be done by whoever calls


@rule("AIO303", "shutdown-waits-for-sleep", ast.Module, needs=calls({"asyncio.sleep"}, ASYNC, WHILE))
def shutdown_waits_for_sleep(tree: ast.Module, module: Module) -> Iterator[Report]:
    """Report loops that sleep long between two looks at the flag which ends them."""
    taken: set[str] | None = None
    for the_flag, found in module.analysis(LateLoops).by_flag:
        taken = identifiers(module) if taken is None else taken
        fix, refusal = _fix(the_flag, [w for w, _ in found], [c for _, cs in found for c in cs], taken, module)
        for waiting, cleared in found:
            yield _report(waiting, cleared, fix, refusal, module)


class LateLoops:
    """The loops of a file that this rule reports, each once, put together by the flag that ends them."""

    def __init__(self, module: Module) -> None:
        self.by_flag: list[tuple[Flag, list[tuple[Waiting, list[Cleared]]]]] = []
        self.loops: set[ast.While] = set()
        for the_flag, loops in _by_flag(_candidates(module), module):
            ours = [waiting for waiting in loops if waiting.loop not in self.loops]
            found = [(waiting, cleared) for waiting in ours if (cleared := _clears(waiting, the_flag, module))]
            if found:
                self.loops.update(waiting.loop for waiting, _ in found)
                self.by_flag.append((the_flag, found))


def _report(waiting: Waiting, cleared: list[Cleared], fix: Fix | None, refusal: str, module: Module) -> Report:
    late = _longest([delay for sleep in waiting.sleeps if (delay := _delay(sleep))])
    name = ast.unparse(waiting.test)
    related = (
        *(Related(c.place, f"`{name}` changes here, and wakes nobody") for c in cleared),
        *(Related(sleep, "the loop sleeps here all the same") for sleep in waiting.sleeps),
    )
    message = f"this loop ends up to {late} after `{name}` tells it to; wait for an Event instead of sleeping"
    return Report(waiting.loop.test, message, fix, refusal, related)


def _longest(delays: list[ast.expr]) -> str:
    numbers = [
        delay.value for delay in delays if isinstance(delay, ast.Constant) and isinstance(delay.value, (int, float))
    ]
    unknown = [delay for delay in delays if not isinstance(delay, ast.Constant)]
    return f"`{ast.unparse(unknown[0])}` seconds" if unknown else f"{max(numbers)} s"


def _candidates(module: Module) -> Iterator[Waiting]:
    """Every loop with a long sleep of its own, with each flag that may end it."""
    for loop in sorted(module.nodes(ast.While), key=lambda loop: loop.lineno):
        coroutine = module.coroutine(loop)
        if coroutine is None:
            continue
        sleeps = [sleep for sleep in _sleeps(loop, module) if _is_long(sleep, module)]
        if sleeps and not _waits_for_event(loop, module):
            for test, going in _tested(loop):
                event = isinstance(module.parent(test), ast.Attribute)
                if not event or (not going and module.type_of(test) in LATCHES):
                    yield Waiting(loop, coroutine, test, going, event, sleeps)


def _sleeps(loop: ast.While, module: Module) -> Iterator[ast.Await]:
    """The sleeps after which this loop is the first to go on."""
    for node in within(*loop.body):
        match node:
            case ast.Await(value=ast.Call() as call) if _delay(node) and module.callee(call) == "asyncio.sleep":
                if next(around for around in module.ancestors(node) if isinstance(around, LOOPS)) is loop:
                    yield node


def _delay(sleep: ast.Await) -> ast.expr | None:
    match sleep.value:
        case ast.Call(args=[delay, *_]) if not isinstance(delay, ast.Starred):
            return delay
        case ast.Call(args=[], keywords=[ast.keyword(arg="delay", value=delay)]):
            return delay
    return None


def _is_long(sleep: ast.Await, module: Module) -> bool:
    """Is it a second or more, or as long as somebody chose to configure?"""
    delay = _delay(sleep)
    seconds = _seconds(delay, module)
    return seconds >= LONG if seconds is not None else not _keeps_time(delay, module)


def _keeps_time(delay: ast.expr | None, module: Module, depth: int = 0) -> bool:
    """Is this what is left of a turn, the difference of two moments (which may be any fraction of a second)?"""
    match delay:
        case ast.Name():
            values = [module.value(binding) for binding in module.bindings(delay) or ()]
            return depth <= NAME_DEPTH and any(
                isinstance(value, (ast.BinOp, ast.Call)) and _keeps_time(value, module, depth + 1) for value in values
            )
        case ast.Call(func=ast.Name(id="max" | "min"), args=arguments):
            return any(_keeps_time(argument, module, depth) for argument in arguments)
        case ast.BinOp(left=ast.Name() as left, op=ast.Sub()):
            bound = module.bindings(left) or ()
            return any(module.value(b) is not None and _seconds(module.value(b), module) is None for b in bound)
        case ast.BinOp(left=ast.Call(), op=ast.Sub()):
            return True
    return False


def _seconds(delay: ast.expr | None, module: Module, depth: int = 0) -> float | None:
    """How long a delay is at most, as far as constants say; None: unknown."""
    if depth > NAME_DEPTH:
        return None
    match delay:
        case ast.Constant(value=int() | float() as seconds):
            return float(seconds)
        case ast.BinOp(left=left, op=ast.Sub()):
            return _seconds(left, module, depth + 1)  # at most
        case ast.IfExp(body=one, orelse=other):
            return _most([_seconds(one, module, depth + 1), _seconds(other, module, depth + 1)])
        case ast.Call(func=ast.Name(id="min" | "max" as name), args=arguments, keywords=[]):
            found = [_seconds(argument, module, depth + 1) for argument in arguments]
            if name == "max":
                return _most(found)
            return min((seconds for seconds in found if seconds is not None), default=None)  # no longer than that
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div() as operator, right=right):
            a, b = _seconds(left, module, depth + 1), _seconds(right, module, depth + 1)
            if a is None or b is None or (b == 0 and isinstance(operator, ast.Div)):
                return None
            return a * b if isinstance(operator, ast.Mult) else a / b
        case ast.Name():
            return _common(module.bindings(delay) or [], module, depth)
        case ast.Attribute():
            return _common(module.bindings(delay) or [], module, depth)
    return None


def _common(bindings: Iterable[ast.AST], module: Module, depth: int) -> float | None:
    """The longest of the values that these bindings give, if all are known."""
    return _most([_given(binding, module, depth) for binding in bindings])


def _most(found: list[float | None]) -> float | None:
    """The longest of some delays, if all are known."""
    known = [seconds for seconds in found if seconds is not None]
    return max(known) if known and len(known) == len(found) else None


def _given(binding: ast.AST, module: Module, depth: int) -> float | None:
    value = module.default(binding) if isinstance(binding, ast.arg) else module.value(binding)
    return _seconds(value, module, depth + 1)


def _waits_for_event(loop: ast.While, module: Module) -> bool:
    """Does something else in this loop end its pause early: a wait with a timeout?"""
    for node in within(*loop.body):
        match node:
            case ast.Call(args=[ast.Call(func=ast.Attribute(attr="wait")), *_]):
                if module.callee(node) == "asyncio.wait_for":
                    return True
    return False


def _tested(loop: ast.While) -> Iterator[tuple[Use, bool]]:
    """The flags that every turn of the loop looks at, each with the value that lets it go on."""
    yield from required(loop.test, True)
    for statement in loop.body:
        match statement:
            case ast.If(test=test, body=[*_, ast.Break() | ast.Return()], orelse=[]):
                yield from required(test, False)
        if any(isinstance(node, ast.Continue) for node in within(statement)):
            return  # what comes after it may be left out


def _by_flag(candidates: Iterable[Waiting], module: Module) -> Iterator[tuple[Flag, list[Waiting]]]:
    """The loops, each once, put together by the flag that ends them and its sense."""
    flags: dict[tuple[ast.AST, bool], tuple[Flag, list[Waiting]]] = {}
    for waiting in candidates:
        known = flag(waiting.test, module)
        if known is not None:
            _, loops = flags.setdefault((known.uses[0], waiting.going), (known, []))
            if not any(other.loop is waiting.loop for other in loops):
                loops.append(waiting)
    yield from flags.values()


def _clears(waiting: Waiting, the_flag: Flag, module: Module) -> list[Cleared]:
    """Where somebody else ends the loop by the flag alone; nowhere: it is no flag that delays a shutdown."""
    calls = module.analysis(Calls)
    if calls.cancelled(waiting.coroutine) or _is_state(waiting, the_flag, calls, module):
        return []
    ends = list(_ends(waiting, the_flag, module))
    # A handler only begins what a method that also cancels brings to its end.
    stopped = any(cleared.function is not None and calls.ends_at_once(cleared.function) for cleared in ends)
    found = [
        cleared
        for cleared in ends
        if (cleared.function is None and not stopped)
        or (
            cleared.function is not None
            and cleared.function is not waiting.coroutine
            and cleared.function.name not in ("__init__", "__post_init__", "__new__")
            and not calls.only_from(waiting.loop, cleared.function)
            and not _runs_instead(cleared.function, waiting.coroutine, calls, module)
            and not calls.ends_at_once(cleared.function)
        )
    ]
    if _works(waiting, module) or _starts(waiting, the_flag, module):
        return found
    return found if any(_handlers(cleared, calls, module) for cleared in found) else []


def _runs_instead(function: FunctionDef, coroutine: FunctionDef, calls: Calls, module: Module) -> bool:
    """Is this called in the other branch of the `if` that calls a coroutine, and nowhere else?"""
    match [*calls.mentions(function)], [*calls.mentions(coroutine)]:
        case [one], [other]:
            its, ours = {*module.ancestors(one)}, {*module.ancestors(other)}
            return any(
                isinstance(fork, ast.If)
                and any(
                    not its.isdisjoint(this) and not ours.isdisjoint(that)
                    for this, that in itertools.permutations((fork.body, fork.orelse))
                )
                for fork in its & ours
            )
    return False


def _ends(waiting: Waiting, the_flag: Flag, module: Module) -> Iterator[Cleared]:
    """The places that give the flag the value at which the loop ends."""
    if not waiting.event:
        for assignment in the_flag.assignments(module):
            function = module.function(assignment.statement)
            if assignment.value is not waiting.going and isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield Cleared(assignment.statement, function)
        return
    for use in the_flag.uses:
        method = module.parent(use)
        if isinstance(method, ast.Attribute) and method.attr == "set":
            function = module.function(use)
            called = isinstance(call := module.parent(method), ast.Call) and call.func is method
            if not called or isinstance(function, ast.Lambda):
                yield Cleared(method, None)
            elif function is not None:
                yield Cleared(method, function)


def _handlers(cleared: Cleared, calls: Calls, module: Module) -> list[ast.Call]:
    """The calls that make a signal change the flag here."""
    if cleared.function is not None:
        return calls.handlers(cleared.function)
    return [call for call in module.ancestors(cleared.place) if isinstance(call, ast.Call) and calls.registers(call)]


def _starts(waiting: Waiting, the_flag: Flag, module: Module) -> bool:
    """Does the loop's own function begin by setting the flag, which so means nothing but that the loop runs?"""
    return not waiting.event and any(
        assignment.value is waiting.going and module.function(assignment.statement) is waiting.coroutine
        for assignment in the_flag.assignments(module)
    )


def _is_state(waiting: Waiting, the_flag: Flag, calls: Calls, module: Module) -> bool:
    """Does the flag go back and forth for reasons of its own (`available`), rather than tell a loop to end?

    Only what starts the loop has reason to let it go on.
    """
    for assignment in the_flag.assignments(module):
        function = module.function(assignment.statement)
        if assignment.value is waiting.going and isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            starters = (function, *calls.callers(function))
            starts = any(waiting.coroutine in (starter, *calls.reached(starter)) for starter in starters)
            if not starts and function.name != "__init__":
                return True
    return False


def _works(waiting: Waiting, module: Module) -> bool:
    """Does the loop do more than wait for the flag to change?"""
    for node in within(*waiting.loop.body):
        match node:
            case ast.Await() if node not in waiting.sleeps:
                return True
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                if name not in LOGGING and module.parent(node) not in waiting.sleeps:
                    return True
    return False


def _fix(
    the_flag: Flag, loops: list[Waiting], cleared: list[Cleared], taken: set[str], module: Module
) -> tuple[Fix | None, str]:
    """The rewrite that all findings of one flag share, or why there is none."""
    if not all(_is_statement(sleep, module) for waiting in loops for sleep in waiting.sleeps):
        return None, "the sleep's result is used, or its delay given by keyword"
    if module.type_of(loops[0].test) == STOP.made:
        return Fix(*_waits(loops, ast.unparse, STOP, module), unsafe=UNSAFE, supersedes=SUPERSEDED), ""
    outside = _set_outside(cleared, module)
    if module.settings.runtime:
        latch = STOP._replace(set="set_threadsafe") if outside else STOP
        if not loops[0].event:
            return _converted(the_flag, loops, latch, taken, module)
        edits = event_to_stop(the_flag, latch, module)
        if edits is not None:
            unsafe = f"{UNSAFE}; {NEEDS}{_seen_elsewhere(the_flag, module)}"
            waits = _waits(loops, ast.unparse, latch, module)
            return Fix(*edits, *waits, unsafe=unsafe, supersedes=SUPERSEDED), ""
    if outside:
        return None, outside
    if not loops[0].event:
        return _converted(the_flag, loops, EVENT, taken, module)
    return Fix(*_waits(loops, ast.unparse, EVENT, module), unsafe=UNSAFE, supersedes=SUPERSEDED), ""


def _set_outside(cleared: list[Cleared], module: Module) -> str:
    """Why setting an Event where the flag is cleared may wake nobody; empty: it does."""
    calls = module.analysis(Calls)
    if any(module.callee(call) == "signal.signal" for c in cleared for call in _handlers(c, calls, module)):
        handler = "a handler of `signal.signal()` runs outside of the event loop, where setting an Event wakes nobody"
        return f"{handler}: install it by `loop.add_signal_handler()` first"
    if calls.has_threads() or any(calls.in_thread(c.function) for c in cleared if c.function):
        return "this file uses threads: an Event set in another thread does not wake the loop"
    return ""


def _converted(
    the_flag: Flag, loops: list[Waiting], latch: Latch, taken: set[str], module: Module
) -> tuple[Fix | None, str]:
    """The rewrite of a flag that becomes a latch, or why there is none."""
    going = loops[0].going
    name = free(_names(the_flag, going, latch), taken - {the_flag.name})
    taken.add(name)
    try:
        conversion = Conversion(the_flag, name, module, going=going, latch=latch)
    except NotUnderstood as reason:
        return None, str(reason)
    unsafe = UNSAFE if latch is EVENT else f"{UNSAFE}; {NEEDS}"
    waits = list(_waits(loops, conversion.spelled, latch, module, the_flag))
    gone = {inner for edit in waits if not isinstance(edit.node, ast.Call) for inner in ast.walk(edit.node)}
    kept = (edit for edit in conversion.edits() if edit.node not in gone)
    unsafe += _seen_elsewhere(the_flag, module)
    return Fix(*kept, *waits, unsafe=unsafe, supersedes=SUPERSEDED), ""


def _seen_elsewhere(the_flag: Flag, module: Module) -> str:
    """What to say of other files."""
    if the_flag.name.startswith("_") or not the_flag.is_seen_outside(module):
        return ""
    return f"; other files that use `{the_flag.name}` have to be changed, too"


def _waits(
    loops: list[Waiting], spelled: Callable[[Use], str], latch: Latch, module: Module, the_flag: Flag | None = None
) -> Iterator[Replace | Remove]:
    """The edits by which the loops sleep no longer than until the latch is set."""
    for waiting in loops:
        name = spelled(waiting.test)
        if latch.made == EVENT.made:
            yield from (_wait(sleep, name, module) for sleep in waiting.sleeps)
            continue
        leaving = _asks_after_sleep(waiting, the_flag, module) if the_flag else None
        for sleep in waiting.sleeps:
            delay = _delay(sleep)
            assert delay is not None
            if leaving and module.statement(sleep) is waiting.loop.body[0]:
                yield replace(waiting.loop.test, f"await {name}.sleep({{delay}})", delay=delay)
                yield Remove(waiting.loop.body[0])
                yield Remove(leaving)
            else:
                yield replace(sleep.value, f"{name}.sleep({{delay}})", delay=delay)


def _asks_after_sleep(waiting: Waiting, the_flag: Flag, module: Module) -> ast.If | None:
    """The `if stopped: break` right behind the sleep that begins each turn of a loop: `while await stop.sleep(60)`."""
    loop, going = waiting.loop, waiting.going
    if loop.orelse or not (always_true(loop.test) or _only_asks(loop.test, True, going, the_flag)):
        return None
    match loop.body:
        case [ast.Expr(value=ast.Await() as sleep), ast.If(test=test, body=[ast.Break()], orelse=[]) as leaving, _, *_]:
            text = lines(module.text)[sleep.lineno - 1 : leaving.end_lineno]
            if sleep in waiting.sleeps and _only_asks(test, False, going, the_flag) and "#" not in "".join(text):
                return leaving
    return None


def _only_asks(test: ast.expr, outcome: bool, going: bool, the_flag: Flag) -> bool:
    """Does this condition come out so for one reason only: that the flag lets the loop go on?"""
    found = [(use, value) for use, value in required(test, outcome) if use in the_flag.uses]
    return [value for _, value in found] == [going] and not any(isinstance(n, ast.BoolOp) for n in ast.walk(test))


def _names(the_flag: Flag, going: bool, latch: Latch) -> Iterator[str]:
    """What the latch may be called: set, it says that the loop is to end."""
    private = "_" if the_flag.classes or the_flag.name.startswith("_") else ""
    words = ENDS[latch.made] if going else (the_flag.name.lstrip("_"),)
    yield from (f"{private}{word}" for word in words)
    base = f"{private}{words[-1]}_{latch.noun}"
    yield base
    yield from (f"{base}_{number}" for number in range(2, 1000))


def _is_statement(sleep: ast.Await, module: Module) -> bool:
    match module.parent(sleep), sleep.value:
        case ast.Expr(), ast.Call(args=[ast.expr() as delay], keywords=[]):
            return not isinstance(delay, ast.Starred)
    return False


def _wait(sleep: ast.Await, event: str, module: Module) -> Replace:
    delay = _delay(sleep)
    assert delay is not None
    return replace(
        module.statement(sleep),
        f"with {{suppress}}({{timeout}}):\n    await {{wait_for}}({event}.wait(), {{delay}})",
        suppress=Symbol("contextlib.suppress"),
        timeout=Symbol("asyncio.TimeoutError"),
        wait_for=Symbol("asyncio.wait_for"),
        delay=delay,
    )
