"""The outcomes of `gather(…, return_exceptions=True)` or `asyncio.wait()` are thrown away: what failed is never seen.

`gather()` with `return_exceptions=True` gives exceptions back like results, and `asyncio.wait()` leaves them in the
tasks. Where nobody looks at them, a failure is no more than a missing effect. After `gather()` not even the log has a
word of it; after `wait()` it says "Task exception was never retrieved" when the task is collected, at the earliest.

```python run
import asyncio

async def deliver(letter):
    if "@" not in letter:
        raise ValueError(letter)
    print("delivered", letter)

async def main():
    await asyncio.gather(deliver("a@example.org"), deliver("nobody"), return_exceptions=True)
    print("all done")

asyncio.run(main())
```

```text
delivered a@example.org
all done
```

Look at what comes back:

```python bad
import asyncio

async def send(letters, server):
    await asyncio.gather(*(server.deliver(letter) for letter in letters), return_exceptions=True)
```

```python good
import asyncio
import logging

async def send(letters, server):
    outcomes = await asyncio.gather(*(server.deliver(letter) for letter in letters), return_exceptions=True)
    for letter, outcome in zip(letters, outcomes):
        if isinstance(outcome, Exception):
            logging.error("%s was not delivered", letter, exc_info=outcome)
```

It is found where the coroutines or tasks are made in the call, or in the same function for this call alone. The
rule is silent where the function has cancelled what it waits for, where the tasks can be looked at elsewhere, where
the coroutines are functions of the file that catch everything themselves, and where `gather()` only closes, stops or
disconnects things. An `asyncio.wait()` that may end early is AIO208's.

## Fix

None. Where one failure should end the others, use an `asyncio.TaskGroup`; where the first failure should be raised,
leave `return_exceptions` out.

## When to ignore

Where failures do not matter, as when a program closes what it can before it ends. That is what many such calls are
for, so the rule is off by default.

## Other tools

No other linter has it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.tasks import is_coroutine, is_moot
from ..analysis.waits import cannot_fail, coroutine_of, ends_early, gathered
from ..flow import body, within
from ..knowledge.tasks import GATHER, WAIT
from ..module import Module
from ..needs import calls, either, words
from ..rule import Report, rule
from ..signs import HAS_ARGUMENTS

# Methods that end something. Who asks for exceptions there, and lets them lie, means it.
CLOSING = ("close", "disconnect", "join", "release", "shutdown", "stop", "terminate", "wait")


@rule(
    "AIO215",
    "discarded-outcomes",
    ast.Await,
    default=False,
    needs=either(calls({GATHER}, words("return_exceptions")), calls({WAIT}, HAS_ARGUMENTS)),
)
def discarded_outcomes(awaited: ast.Await, module: Module) -> Iterator[Report]:
    """Report `await gather(…, return_exceptions=True)` and `await wait(…)` as statements."""
    call = awaited.value
    if not isinstance(call, ast.Call) or not isinstance(module.parent(awaited), ast.Expr):
        return
    name = module.callee(call)
    if name == GATHER and _gives_exceptions(call):
        message = "what goes wrong in `gather(…, return_exceptions=True)` is given back, and nobody looks at it"
    elif name == WAIT and not ends_early(call, module):
        message = "`asyncio.wait()` raises nothing: what goes wrong stays in the tasks, and nobody looks at them"
    else:
        return
    found = gathered(call, module)
    if name == WAIT and any(is_coroutine(one, module) for one in found):
        return  # it takes no coroutines: another matter
    made = [coroutine_of(one, module) for one in found]
    if not made or all(_may_be_ignored(one, name, module) for one in made):
        return
    if not _cancels_before(awaited, made, module) and not is_moot(awaited, module):
        yield Report(awaited, message)


def _may_be_ignored(coroutine: ast.expr, by: str, module: Module) -> bool:
    """Is there nothing to be seen here: a coroutine that cannot fail, or one of a closing program?"""
    if cannot_fail(coroutine, module):
        return True
    match coroutine:
        case ast.Call(func=ast.Attribute(attr=method)) if by == GATHER:
            return any(word in method for word in CLOSING)
    return False


def _gives_exceptions(gather: ast.Call) -> bool:
    return any(
        k.arg == "return_exceptions" and isinstance(k.value, ast.Constant) and k.value.value is True
        for k in gather.keywords
    )


def _cancels_before(awaited: ast.Await, made: list[ast.expr], module: Module) -> bool:
    """Does the function cancel something that has to do with what is waited for?"""
    function = module.function(awaited)
    if function is None:
        return True
    waited = _words(awaited, *(module.statement(one) for one in made))
    for node in body(function):
        match node:
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if node.lineno <= awaited.lineno:
                if "cancel" in name.lower() and name != "cancelled":
                    loops = [a.iter for a in module.ancestors(node) if isinstance(a, ast.For)]
                    if waited & _words(node, *loops):
                        return True
    return False


def _words(*nodes: ast.AST) -> set[str]:
    """The names of variables and attributes in some code, without those that everything has to do with."""
    found = (node for code in nodes for node in within(code))
    names = {n.id if isinstance(n, ast.Name) else n.attr for n in found if isinstance(n, (ast.Name, ast.Attribute))}
    return names - {"self", "cls", "asyncio"}
