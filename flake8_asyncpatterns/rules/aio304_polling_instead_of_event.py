"""A loop sleeps until something of this program has changed, instead of being woken by the change.

`while not self.ready: await asyncio.sleep(0.1)` looks at the state ten times a second. Each time it wakes the event
loop for nothing, and when the change comes, nobody notices until the sleep is over. A change that is undone between
two looks is never seen. An `asyncio.Event` wakes everyone who waits in the very turn in which it is set.

```python run
import asyncio

LOOKS = 0


class Connection:
    def __init__(self):
        self.ready = False
        self.opened = asyncio.Event()

    def connected(self):
        self.ready = True
        self.opened.set()

    def disconnected(self):
        self.ready = False


async def poll(connection):
    global LOOKS
    while not connection.ready:
        LOOKS += 1
        await asyncio.sleep(0.02)
    print("the polling loop is through")


async def wait(connection):
    await connection.opened.wait()
    print("the waiting one is through")


async def main():
    connection = Connection()
    polling = asyncio.create_task(poll(connection))
    waiting = asyncio.create_task(wait(connection))
    await asyncio.sleep(0.11)
    connection.connected()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    connection.disconnected()
    await asyncio.sleep(0.05)
    print("looked several times in vain:", LOOKS > 2)
    print("still polling:", not polling.done())
    polling.cancel()
    await waiting


asyncio.run(main())
```

```text
the waiting one is through
looked several times in vain: True
still polling: True
```

```python bad
import asyncio

class Client:
    def __init__(self):
        self.connected = False

    def on_connect(self):
        self.connected = True

    async def send(self, message):
        while not self.connected:
            await asyncio.sleep(0.1)
        await self.write(message)
```

```python good
import asyncio

class Client:
    def __init__(self):
        self._connected = asyncio.Event()

    def on_connect(self):
        self._connected.set()

    async def send(self, message):
        await self._connected.wait()
        await self.write(message)
```

What goes back and forth is asked again after each wait:

```python bad
import asyncio

class Player:
    def __init__(self):
        self._paused = False

    def pause(self):
        self._paused = True

    def resume(self):
        self._paused = False

    async def next_frame(self):
        while self._paused:
            await asyncio.sleep(0.05)
        return self.frame()
```

```python good
import asyncio

class Player:
    def __init__(self):
        self._not_paused = asyncio.Event()
        self._not_paused.set()

    def pause(self):
        self._not_paused.clear()

    def resume(self):
        self._not_paused.set()

    async def next_frame(self):
        while not self._not_paused.is_set():
            await self._not_paused.wait()
        return self.frame()
```

And an Event that is there already is awaited:

```python bad
import asyncio

async def serve(server, started: asyncio.Event):
    while not started.is_set():
        await asyncio.sleep(0.5)
    await server.run()
```

```python good
import asyncio

async def serve(server, started: asyncio.Event):
    await started.wait()
    await server.run()
```

Reported are loops that do nothing but sleep, count and log, and whose conditions do nothing but read: attributes,
variables that others change, `len()` and `in`, `Event.is_set()`, `Task.done()`, methods of the class that only read.
Any other call may ask the world outside, and keeps the rule silent.

## Fix

Unsafe: a flag that is only ever switched between True and False becomes an `asyncio.Event`, and the loop a wait for
it; all uses of the flag in the file change together, and the Event must be set on the thread of the event loop.
Nothing is changed where another file of the project may use the flag (`fix` asks them all, `check` does not). Nothing
is offered where the loop has another way out (a number of tries, a deadline, a second condition): there,
`async with asyncio.timeout(…)` around the wait, or one Event for both conditions, is what a person would write; and
where the state is more than a flag. Await a task rather than ask whether it is `done()`, `queue.join()` rather than ask
whether it is `empty()`, and use an `asyncio.Condition` with `wait_for(lambda: …)` where several things decide.

## When to ignore

Where the object belongs to a library that offers nothing to wait for, as far as the rule does not see that itself, and
where the attribute is a property that asks something outside of the process. Not reported are what only a library can
set, as far as the project's files tell, flags that a handler of `signal.signal()` or a thread changes, loops that watch
the time of the last sign of life, loops that hold what they look at against what they saw of it before (they may wait
until nothing changes any more), loops that log how much there is of something else (`len(jobs)`), `sleep(0)`, loops
that AIO303 reports, and tests.

## Other tools

flake8-async and ruff (ASYNC110) report each `while` whose body is one sleep, and SonarQube (S7484) much the same,
whatever the condition asks: a file, a process and a remote job are reported, too, and a condition in the
body of the loop, or a counter beside the sleep, is not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeAlias

from ..analysis.calls import Calls
from ..analysis.flags import Conversion, NotUnderstood, flag, identifiers, required
from ..analysis.freenames import free
from ..analysis.testcode import is_test
from ..flow import always_true, within
from ..knowledge.loops import ASKS_THE_LOOP, CLOCKS, HARMLESS, LOGGING
from ..knowledge.names import SLEEPS
from ..module import Module
from ..needs import calls, words
from ..reference import reference
from ..rule import Fix, Related, Report, replace, rule
from ..signs import ON_THE_LOOP
from ..source import lines
from .aio303_shutdown_waits_for_sleep import LATCHES, LateLoops

Polling: TypeAlias = ast.While | ast.For | ast.If

PAUSES = frozenset({"asyncio.sleep", *SLEEPS.values()})
POLLING = calls(PAUSES, ON_THE_LOOP, words("while", "for"))
READS = HARMLESS - {"builtins.print"} | {"builtins.isinstance", "builtins.hasattr", "builtins.getattr"}
TRIES = frozenset({"builtins.range", "itertools.count"})
CONTAINERS = frozenset(
    {"builtins.list", "builtins.dict", "builtins.set", "collections.deque", "collections.defaultdict"}
)
# In a loop that has other work, a longer sleep may be its pace, and no wait for anything.
SHORT = 1
# Methods that call methods are followed so far.
DEPTH = 3
# What a process has when it has ended: no code of this program sets it.
OF_A_PROCESS = frozenset({"exitcode", "returncode"})


class _Unclear(Exception):
    """There is more to the loop than to look at what this program itself keeps in memory."""


@rule("AIO304", "polling-instead-of-event", ast.Await, ast.YieldFrom, needs=POLLING)
def polling_instead_of_event(pause: ast.expr, module: Module) -> Iterator[Report]:
    """Report loops that sleep until the program's own state has changed."""
    seconds = _seconds(pause, module)
    statement = module.parent(pause)
    if seconds is None or not isinstance(statement, ast.Expr):
        return
    if isinstance(seconds, ast.Constant) and not seconds.value:
        return
    loop = _loop_of(statement, seconds, module)
    if loop is None:
        return
    try:
        states = [*_Conditions(loop, statement, module)]
    except _Unclear:
        return
    if not states or loop in module.analysis(LateLoops).loops or is_test(loop, module):
        return
    if any(isinstance(state, ast.Attribute) and state.attr in OF_A_PROCESS for state in states):
        return
    setters = [*_setters(states, module)]
    if _from_outside(setters, module) or any(_is_a_librarys(state, module) for state in states):
        return
    name = ast.unparse(states[0])
    often = f"{ast.unparse(seconds)} s" if isinstance(seconds, ast.Constant) else f"`{ast.unparse(seconds)}` seconds"
    message = (
        f"`{name}` is looked at every {often} until it changes; let what changes it set an Event, and wait for that"
    )
    related = tuple(Related(place, f"`{name}` changes here") for place in setters if module.function(place))[:3]
    fix, refusal = _fix(loop, statement, states, module)
    yield Report(loop, message, fix, refusal, related)


def _seconds(pause: ast.expr, module: Module) -> ast.expr | None:
    """How long this sleeps; None: it is no sleep."""
    call = pause.value if isinstance(pause, (ast.Await, ast.YieldFrom)) else None
    if not isinstance(call, ast.Call) or module.callee(call) not in PAUSES:
        return None
    return call.args[0] if call.args else next((k.value for k in call.keywords if k.arg in ("delay", "seconds")), None)


def _loop_of(pause: ast.Expr, seconds: ast.expr, module: Module) -> Polling | None:
    """The loop that this sleep belongs to, or the `if` that goes back to the loop's start right after it."""
    match module.parent(pause):
        case ast.While() | ast.For() as loop if pause in loop.body:
            return loop
        case ast.If(body=[*_, last, ast.Continue()], orelse=[]) as again if last is pause:
            short = (
                isinstance(seconds, ast.Constant) and isinstance(seconds.value, (int, float)) and seconds.value <= SHORT
            )
            if short and isinstance(module.parent(again), ast.While):
                return again
    return None


class _Conditions:
    """What decides whether a loop goes on: iterating gives the state it looks at, and raises _Unclear if in doubt."""

    def __init__(self, loop: Polling, pause: ast.Expr, module: Module) -> None:
        self.loop = loop
        self.pause = pause
        self.module = module
        # The names that the loop itself gives a value, each with the values that are known.
        self.own: dict[str, list[ast.expr]] = {}
        around = module.parent(loop) if isinstance(loop, ast.If) else loop
        for node in within(around or loop):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                value = module.value(node)
                self.own.setdefault(node.id, []).extend([value] if value else [])

    def __iter__(self) -> Iterator[ast.expr]:
        if isinstance(self.loop, ast.For):
            self._tries(self.loop.iter)
        elif self._is_at_its_end():
            raise _Unclear
        else:
            yield from self._asked(self.loop.test)
        if any(self._watches_the_clock(node) for node in within(self.loop)):
            raise _Unclear
        last = isinstance(self.loop, ast.If)
        for statement in self.loop.body[:-1] if last else self.loop.body:
            yield from self._idle(statement)

    def _tries(self, iterable: ast.expr) -> None:
        counted = isinstance(iterable, ast.Call) and self.module.callee(iterable) in TRIES
        if not counted and not isinstance(iterable, (ast.Tuple, ast.List)):
            raise _Unclear

    def _is_at_its_end(self) -> bool:
        """Is an Event set that nothing in this file clears, so that the loop around this waits for something else?"""
        return isinstance(self.loop, ast.If) and any(
            wanted and self.module.type_of(event) in LATCHES and not _is_cleared(event, self.module)
            for event, wanted in required(self.loop.test, True)
        )

    def _idle(self, statement: ast.stmt) -> Iterator[ast.expr]:
        """What a statement asks, if it is one that does nothing else while the loop waits."""
        match statement:
            case _ if statement is self.pause:
                pass
            case ast.Pass() | ast.Continue() | ast.Expr(value=ast.Constant()):
                pass
            case ast.Expr(value=ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) as call) if name in LOGGING:
                if self._reports(call):
                    raise _Unclear
            case (
                ast.Assign(targets=[ast.Name()], value=value)
                | ast.AnnAssign(target=ast.Name(), value=ast.expr() as value)
                | ast.AugAssign(target=ast.Name(), value=value)
            ):
                yield from self._asked(value)
            case ast.If(test=test, body=body, orelse=orelse):
                yield from self._asked(test)
                for block in (body, orelse):
                    if not block or not isinstance(block[-1], (ast.Break, ast.Return, ast.Raise)):
                        for inner in block:
                            yield from self._idle(inner)
            case _:
                raise _Unclear

    def _reports(self, call: ast.Call) -> bool:
        """Does this log how much there is of something that the loop does not ask for? That is its work, then."""
        counts = (node for node in ast.walk(call) if isinstance(node, ast.Call) and len(node.args) == 1)
        counted = {ast.unparse(count.args[0]) for count in counts if self.module.likely(count.func) == "builtins.len"}
        branches = (node for node in ast.walk(self.loop) if isinstance(node, (ast.If, ast.While)))
        asked = {ast.unparse(node) for branch in branches for node in ast.walk(branch.test)}
        return bool(counted) and not counted & asked

    def _asked(self, node: ast.expr, depth: int = 0) -> Iterator[ast.expr]:
        """The state that an expression looks at."""
        match node:
            case ast.Constant():
                pass
            case ast.Name():
                if node.id not in self.own and self._is_changed_by_others(node):
                    yield node
            case ast.Attribute():
                yield from self._attribute(node, depth)
            case ast.Subscript(value=value, slice=key):
                yield from self._asked(value, depth)
                yield from self._asked(key, depth)
            case ast.NamedExpr(value=value) | ast.UnaryOp(operand=value):
                yield from self._asked(value, depth)
            case ast.BoolOp(values=values) | ast.Tuple(elts=values) | ast.List(elts=values) | ast.Set(elts=values):
                for value in values:
                    yield from self._asked(value, depth)
            case ast.BinOp(left=left, right=right):
                yield from self._asked(left, depth)
                yield from self._asked(right, depth)
            case ast.Compare(left=left, comparators=others):
                if self._is_held_against_before(left, *others):
                    raise _Unclear
                found = [state for side in (left, *others) for state in self._asked(side, depth)]
                if not any(self._is_moment(inner) for side in (left, *others) for inner in ast.walk(side)):
                    yield from found
            case ast.Call():
                yield from self._called(node, depth)
            case _:
                raise _Unclear

    def _attribute(self, node: ast.Attribute, depth: int) -> Iterator[ast.expr]:
        chain: ast.expr = node
        while isinstance(chain, (ast.Attribute, ast.Subscript)):
            chain = chain.value
        if not isinstance(chain, ast.Name):
            raise _Unclear
        if chain.id in self.own:
            return
        definition = self.module.definition(node)
        if isinstance(definition, ast.FunctionDef):
            yield from self._returned(definition, node, depth)
        elif not node.attr.isupper() and self.module.type_of(node) not in CLOCKS:
            yield node

    def _called(self, call: ast.Call, depth: int) -> Iterator[ast.expr]:
        name = self.module.callee(call)
        if name in CLOCKS:
            return
        if name in ASKS_THE_LOOP:
            yield call
        elif name in READS:
            for argument in call.args:
                yield from self._asked(argument, depth)
            if name in ("builtins.hasattr", "builtins.getattr"):
                yield call
        elif (
            not call.args
            and not call.keywords
            and isinstance(found := self.module.definition(call.func), ast.FunctionDef)
        ):
            yield from self._returned(found, call, depth)
        else:
            raise _Unclear

    def _returned(self, function: ast.FunctionDef, at: ast.expr, depth: int) -> Iterator[ast.expr]:
        """What a method or a property of this file looks at, if it does nothing else."""
        match _code(function):
            case [ast.Return(value=ast.expr() as value)] if depth < DEPTH:
                if [*self._asked(value, depth + 1)]:
                    yield at
            case _:
                raise _Unclear

    def _is_changed_by_others(self, name: ast.Name) -> bool:
        here = self.module.function(name)
        setters = (b for b in self.module.bindings(name) or () if isinstance(b, ast.Name))
        return any(self.module.function(b) not in (here, None) for b in setters) or (
            self.module.type_of(name) in CONTAINERS
        )

    def _is_held_against_before(self, *sides: ast.expr) -> bool:
        """Is something held against what this loop saw of it before? It may wait until nothing changes any more."""
        names = (side.id for side in sides if isinstance(side, ast.Name))
        seen = {ast.unparse(value) for name in names for value in self.own.get(name, ())}
        return any(ast.unparse(side) in seen for side in sides)

    def _is_moment(self, node: ast.AST) -> bool:
        """Is this the time as the clock says it now?"""
        if isinstance(node, ast.Call):
            return self.module.callee(node) in CLOCKS or self._reads_a_clock(node)
        return isinstance(node, ast.Name) and any(
            isinstance(value, ast.Call) and self._is_moment(value) for value in self.own.get(node.id, ())
        )

    def _reads_a_clock(self, call: ast.Call) -> bool:
        """Is this a function of the file that does nothing but ask a clock?"""
        function = self.module.definition(call.func)
        match _code(function) if isinstance(function, ast.FunctionDef) else []:
            case [ast.Return(value=ast.Call() as asked)]:
                return self.module.callee(asked) in CLOCKS
        return False

    def _watches_the_clock(self, node: ast.AST) -> bool:
        """Is the time held against something that others move on: the last sign of life, a deadline put off?"""
        match node:
            case ast.BinOp(left=left, right=right):
                sides = [left, right]
            case ast.Compare(left=left, comparators=others):
                sides = [left, *others]
            case _:
                return False
        return any(self._is_moment(side) for side in sides) and any(self._is_kept(side) for side in sides)

    def _is_kept(self, side: ast.expr) -> bool:
        return not self._is_moment(side) and any(
            isinstance(node, ast.Attribute)
            or (
                isinstance(node, ast.Name)
                and (
                    any(isinstance(v, ast.BinOp) and self._is_kept(v) for v in self.own.get(node.id, ()))
                    or self._is_moved_on(node)
                )
            )
            for node in ast.walk(side)
        )

    def _is_moved_on(self, name: ast.Name) -> bool:
        """Do other functions than those around the loop give this variable a value?"""
        around = {None, *self.module.ancestors(name)}
        return any(
            isinstance(binding, ast.Name) and self.module.function(binding) not in around
            for binding in self.module.bindings(name) or ()
        )


def _code(function: ast.FunctionDef) -> list[ast.stmt]:
    """The statements of a function that do anything."""
    return [s for s in function.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]


def _setters(states: list[ast.expr], module: Module) -> Iterator[ast.Name | ast.Attribute]:
    """Where this file sets what is looked at, or something of the same name."""
    asked = [node for state in states for node in ast.walk(state) if isinstance(node, ast.Attribute)]
    attributes = dict.fromkeys(node.attr for node in asked if not isinstance(module.parent(node), ast.Attribute))
    for name in attributes:
        yield from module.analysis(_stored).get(name, ())
    for state in states:
        if isinstance(state, ast.Name):
            yield from (name for name in module.uses(state) if isinstance(name.ctx, ast.Store))


def _stored(module: Module) -> dict[str, list[ast.Attribute]]:
    """The attributes that a file sets, by name."""
    found: dict[str, list[ast.Attribute]] = {}
    for attribute in module.nodes(ast.Attribute):
        if isinstance(attribute.ctx, ast.Store):
            found.setdefault(attribute.attr, []).append(attribute)
    return found


def _from_outside(setters: list[ast.Name | ast.Attribute], module: Module) -> bool:
    """Is the state set where no Event can be: in a handler of `signal.signal()`, in a thread?"""
    calls = module.analysis(Calls)
    functions = {
        f for place in setters if isinstance(f := module.function(place), (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    return any(
        calls.in_thread(function) or any(module.callee(call) == "signal.signal" for call in calls.handlers(function))
        for function in functions
    )


def _is_a_librarys(state: ast.expr, module: Module) -> bool:
    """Is this an attribute that only a library sets, as far as the files of the project tell?"""
    if module.project is None or not isinstance(state, ast.Attribute) or state.attr in module.analysis(_stored):
        return False
    named = reference(_entered(state.value, module) or state, module)
    return named is not None and module.project.is_a_librarys(named)


def _entered(name: ast.expr, module: Module) -> ast.expr | None:
    """What a `with` enters that gives a name its value."""
    bindings = module.bindings(name) or () if isinstance(name, ast.Name) else ()
    match [module.parent(binding) for binding in bindings]:
        case [ast.withitem(context_expr=made)]:
            return made
    return None


def _fix(loop: Polling, pause: ast.Expr, states: list[ast.expr], module: Module) -> tuple[Fix | None, str]:
    """The wait in the place of the loop, or why there is none."""
    only = [*required(loop.test, True)] if isinstance(loop, ast.While) else []
    if not isinstance(loop, ast.While) or loop.orelse or len(states) != 1 or always_true(loop.test):
        return None, "the loop may end for other reasons, too"
    if len(only) != 1 or loop.body != [pause] or not isinstance(pause.value, ast.Await):
        return None, "the loop does more than to sleep until one flag changes"
    [(use, going)] = only
    if isinstance(module.parent(use), ast.Attribute):
        return _await_event(loop, pause, use, going, module)
    known = flag(use, module)
    if known is None or not known.assignments(module):
        return None, "only a flag that this file switches between True and False can become an Event"
    if module.analysis(Calls).has_threads():
        return None, "this file uses threads: an Event set in another thread does not wake the loop"
    name = known.name.lstrip("_")
    private = "_" if known.classes or known.name.startswith("_") else ""
    base = f"{private}not_{name}" if going else f"{private}{name}"
    event = free(
        (base, *(f"{base}_event{number}" for number in ("", *range(2, 1000)))), identifiers(module) - {known.name}
    )
    try:
        conversion = Conversion(known, event, module, going=going)
    except NotUnderstood as reason:
        return None, str(reason)
    spelled = conversion.spelled(use)
    if conversion.goes_back() or _has_comments(loop, module):
        edits = [*conversion.edits(), replace(pause, f"await {spelled}.wait()")]
    else:
        inside = {*ast.walk(loop.test)}
        edits = [e for e in conversion.edits() if getattr(e, "node", None) not in inside]
        edits.append(replace(loop, f"await {spelled}.wait()"))
    public = "" if known.name.startswith("_") else f"; other files that use `{known.name}` have to be changed, too"
    return Fix(
        *edits, unsafe=f"`{known.name}` becomes an Event, which must be set on the event loop's thread{public}"
    ), ""


def _await_event(
    loop: ast.While, pause: ast.Expr, use: ast.expr, going: bool, module: Module
) -> tuple[Fix | None, str]:
    if going or module.type_of(use) not in LATCHES:
        return None, "an Event can be awaited until it is set, and not until it is cleared"
    name = ast.unparse(use)
    unsafe = f"`{name}` must be set on the event loop's thread"
    replaced = pause if _is_cleared(use, module) or _has_comments(loop, module) else loop
    return Fix(replace(replaced, f"await {name}.wait()"), unsafe=unsafe), ""


def _is_cleared(event: ast.expr, module: Module) -> bool:
    name = ast.unparse(event)
    return any(ast.unparse(clear.value) == name for clear in module.attributes("clear"))


def _has_comments(loop: ast.While, module: Module) -> bool:
    """May there be comments in a loop, which could not stay where there is no loop?"""
    return not module.analysis(_commented).isdisjoint(range(loop.lineno, (loop.end_lineno or loop.lineno) + 1))


def _commented(module: Module) -> frozenset[int]:
    """The lines that have a hash sign in them."""
    return frozenset(number for number, line in enumerate(lines(module.text), 1) if "#" in line)
