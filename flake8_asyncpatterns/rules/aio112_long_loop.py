"""A loop of a million steps and more without an await stops everything else for as long as it runs.

A coroutine hands control back only where it awaits. Where it counts to ten million in one go, every other task, timer
and signal handler waits until it is through: connections time out, and a cancellation arrives when nothing is left to
cancel. Only what is certain is reported: the rounds are known from the code (`range` with known numbers, nested loops
multiplied, comprehensions) and come to a million or more, or there is no end at all (`itertools.count()`).

```python run
import asyncio


async def total(numbers, every=0):
    result = 0
    for number in range(numbers):
        if every and number % every == 0:
            await asyncio.sleep(0)
        result += number
    return result


async def main():
    ticks = []
    asyncio.get_running_loop().call_soon(ticks.append, "tick")
    print(await total(1_000_000), "- others had a turn:", bool(ticks))
    print(await total(1_000_000, every=10_000), "- others had a turn:", bool(ticks))


asyncio.run(main())
```

```text
499999500000 - others had a turn: False
499999500000 - others had a turn: True
```

```python bad
async def checksum(table):
    total = 0
    for index in range(10**7):
        total += table[index % 256]
    return total
```

```python good
import asyncio

async def checksum(table):
    total = 0
    for index in range(10**7):
        if index % 10_000 == 0:
            await asyncio.sleep(0)
        total += table[index % 256]
    return total
```

Loops inside each other count together, and the hand-over goes where about 10,000 steps lie between two of them:

```python bad
import asyncio

SIZE = 2_000

async def blur(image):
    for y in range(SIZE):
        for x in range(SIZE):
            image[y][x] //= 2
```

```python good
import asyncio

SIZE = 2_000

async def blur(image):
    for y in range(SIZE):
        if y % 5 == 0:
            await asyncio.sleep(0)
        for x in range(SIZE):
            image[y][x] //= 2
```

With the runtime, the time since others last had a turn decides, whatever a round takes, and no counter is needed:

```toml
[tool.asyncfix]
runtime = true
```

```python bad
import itertools

async def play(display, frames):
    for frame in itertools.cycle(frames):
        display.show(frame)
```

```python good
import itertools

import asyncpatterns

async def play(display, frames):
    async for frame in asyncpatterns.cooperative(itertools.cycle(frames)):
        display.show(frame)
```

Nothing is said where the rounds are not certain: a loop with a `break`, `return` or `raise`, or one inside a `try`
that catches what may come out of it.

## Fix

Unsafe: with `await asyncio.sleep(0)` now and then, other tasks get to run in the middle of the loop, and may change
what it works on. A comprehension has no place for it, and is left to you: write a loop, or move the work to a thread
(`asyncio.to_thread`) or, where it is pure Python, to a process.

With `runtime = true` in `[tool.asyncfix]` the loop goes over `asyncpatterns.cooperative(…)`, which lets others run
whenever they have not for 5 ms; where each round is a long one, it gets an `await asyncpatterns.checkpoint()`, which
does the same. The package has to be added to the dependencies.

## When to ignore

Where nothing else runs on the loop at that time: a script that computes first and serves afterwards.

## Other tools

None known that counts the steps of a loop.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator

from ..analysis.loops import Nest, nest, span, whole
from ..module import Module
from ..needs import Need, calls, either
from ..rule import Edit, Fix, MakeAsync, Report, Symbol, insert, replace, rule
from ..scopes import COMPREHENSIONS, FUNCTIONS
from ..signs import ASYNC, FOR
from ..signs.loops import LONG_LOOP

LONG = 1_000_000
# About so many steps lie between two hand-overs: a millisecond or less where the steps are simple ones.
PERIOD = 10_000
LONG_LOOPS = either(
    (Need((ASYNC, FOR, LONG_LOOP)),), calls({"itertools.count", "itertools.cycle", "itertools.repeat"}, ASYNC, FOR)
)
NEEDS = "add `asyncpatterns` to your dependencies"
REASON = "other tasks get to run in the middle of this loop, and may change what it works on"
NO_PLACE = "a comprehension has no place for an `await`; write a loop, or move the work to a thread"
NO_COUNTER = "nothing in this loop counts its rounds; count them, and `await asyncio.sleep(0)` every so often"


@rule("AIO112", "long-loop", ast.For, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, needs=LONG_LOOPS)
def long_loop(loop: ast.AST, module: Module) -> Iterator[Report]:
    """Report the outmost of loops that together surely take a million steps without an await."""
    assert isinstance(loop, (ast.For, *COMPREHENSIONS))
    found = nest(loop, module) if module.coroutine(loop) else None
    if found is None or found.steps < LONG or _is_in_a_long_one(loop, module):
        return
    kind = "loop" if isinstance(loop, ast.For) else "comprehension"
    if found.steps == math.inf:
        message = f"nothing ends this {kind}, and it never lets another task run"
    else:
        message = f"this {kind} takes {found.steps:,} steps without letting another task run"
    edits = [*_hand_overs(found, module)]
    refusals = [edit for edit in edits if isinstance(edit, str)]
    if refusals:
        yield Report(loop, message, refusal=refusals[0])
    else:
        unsafe = f"{REASON}; {NEEDS}" if module.settings.runtime else REASON
        yield Report(loop, message, Fix(*(edit for edit in edits if not isinstance(edit, str)), unsafe=unsafe))


def _is_in_a_long_one(loop: ast.AST, module: Module) -> bool:
    """Does the nest of a loop further out count this one already?"""
    for around in module.ancestors(loop):
        if isinstance(around, FUNCTIONS):
            return False
        if isinstance(around, (ast.For, *COMPREHENSIONS)):
            further_out = nest(around, module)
            if further_out is not None and further_out.steps >= LONG:
                return True
    return False


def _hand_overs(found: Nest, module: Module) -> Iterator[Edit | str]:
    """Where a nest is to hand over, or why it cannot."""
    if not isinstance(found.loop, ast.For):
        yield NO_PLACE
        return
    heavy = [inner for inner in found.inner if inner.steps > 10 * PERIOD]
    if any(inner.steps >= LONG for inner in heavy) or (heavy and all(isinstance(i.loop, ast.For) for i in heavy)):
        for inner in heavy:
            yield from _hand_overs(inner, module)
    elif module.settings.runtime:
        yield from _by_the_clock(found, found.loop)
    else:
        yield _hand_over(found, found.loop, module)


def _by_the_clock(found: Nest, loop: ast.For) -> Iterator[Edit]:
    """The same with the runtime, which looks at the time."""
    if found.steps_a_round >= PERIOD:
        yield insert(loop.body[0], "await {checkpoint}()", checkpoint=Symbol("asyncpatterns.checkpoint"))
    else:
        cooperative = Symbol("asyncpatterns.cooperative")
        yield MakeAsync(loop)
        yield replace(loop.iter, "{cooperative}({iterable})", cooperative=cooperative, iterable=loop.iter)


def _hand_over(found: Nest, loop: ast.For, module: Module) -> Edit | str:
    first, sleep = loop.body[0], Symbol("asyncio.sleep")
    every = int(PERIOD // found.steps_a_round)
    if every <= 1:
        return insert(first, "await {sleep}(0)", sleep=sleep)
    counter = _counter(loop, module)
    if counter is None:
        # An endless loop is worth a hand-over in every round, as `while True` is.
        return insert(first, "await {sleep}(0)", sleep=sleep) if found.rounds == math.inf else NO_COUNTER
    name, step, start = counter
    modulus = every * abs(step)
    template = f"if {{counter}} % {modulus:_} == {start % abs(step):_}:\n    await {{sleep}}(0)"
    return insert(first, template, counter=name, sleep=sleep)


def _counter(loop: ast.For, module: Module) -> tuple[ast.Name, int, int] | None:
    """The variable that counts a loop's rounds, the step it counts by, and where it starts."""
    match loop.target, loop.iter:
        case ast.Name() as name, ast.Call() as call:
            if numbers := span(call, module):
                return name, numbers.step, numbers.start
            if module.callee(call) == "itertools.count":
                return _counted(name, call, module)
        case ast.Tuple(elts=[ast.Name() as name, *_]), ast.Call(args=[_], keywords=[]) as call:
            if module.callee(call) == "builtins.enumerate":
                return name, 1, 0
    return None


def _counted(name: ast.Name, count: ast.Call, module: Module) -> tuple[ast.Name, int, int] | None:
    """The same for `itertools.count(start, step)`."""
    given = dict(zip(("start", "step"), count.args, strict=False))
    given |= {keyword.arg: keyword.value for keyword in count.keywords if keyword.arg}
    start = whole(given["start"], module) if "start" in given else 0
    step = whole(given["step"], module) if "step" in given else 1
    return (name, step, start) if start is not None and step else None
