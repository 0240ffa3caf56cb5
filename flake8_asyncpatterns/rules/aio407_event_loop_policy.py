"""Event loop policies are on their way out, and child watchers are gone.

A policy says for the whole process which loop everybody gets, so that a library that sets one changes it for the
program around it. Policies are deprecated since Python 3.14 and go with 3.16. Child watchers were deprecated in 3.12
and are gone since 3.14: loops look after their child processes themselves. What is left is to say which loop one run
gets: `asyncio.run(main(), loop_factory=…)` (Python 3.12) or `asyncio.Runner(loop_factory=…)` (Python 3.11).

```python run
import asyncio


class Loop(asyncio.SelectorEventLoop):
    pass


class Policy(asyncio.DefaultEventLoopPolicy):
    _loop_factory = Loop


async def which():
    return type(asyncio.get_running_loop()).__name__


with asyncio.Runner(loop_factory=Loop) as runner:
    print("a factory, for one run:", runner.run(which()))
print("the next run:", "Loop" if asyncio.run(which()) == "Loop" else "asyncio's own")
asyncio.set_event_loop_policy(Policy())
print("a policy, for one run:", asyncio.run(which()))
print("the next run:", asyncio.run(which()))
```

```text
a factory, for one run: Loop
the next run: asyncio's own
a policy, for one run: Loop
the next run: Loop
```

```python bad
import asyncio

import uvloop


async def main():
    await asyncio.sleep(1)


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(main())
```

```python good
import asyncio

import uvloop


async def main():
    await asyncio.sleep(1)


if __name__ == "__main__":
    asyncio.run(main(), loop_factory=uvloop.new_event_loop)
```

`uvloop.install()` and `winloop.install()` set a policy, too, and are deprecated for that. There is one finding a
statement.

## Fix

Unsafe, and only where a policy that is known is set right before `asyncio.run()` in the same block: the run gets the
loop from a `loop_factory`, which needs Python 3.12. Other runs in the process then no longer get it. Elsewhere:

- a library leaves the choice to the program
- `WindowsSelectorEventLoopPolicy` → `loop_factory=asyncio.SelectorEventLoop`, `WindowsProactorEventLoopPolicy` →
  `loop_factory=asyncio.ProactorEventLoop`; where that depends on the platform, put it into a variable, `None` being
  the default
- a policy of one's own → the function that makes the loop, as `loop_factory`
- a child watcher → nothing: take it out, which is right from Python 3.8 on for all but exotic cases

## When to ignore

In a program that must run on Python 3.10, which has no `loop_factory`; in a framework that offers policies to its own
users until Python 3.16.

## Other tools

Ruff and pylint do not report these; Python itself does from 3.14 on.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.mentions import Mentions
from ..analysis.versions import reaches
from ..flow import position, within
from ..knowledge.removed import LOOP_FACTORIES, POLICIES, Gone
from ..module import Module
from ..needs import calls
from ..rule import Fix, Remove, Report, Symbol, replace_argument, rule

SETS = "asyncio.set_event_loop_policy"
RUN = "asyncio.run"
UNSAFE = "needs Python 3.12, and other runs in the process no longer get this loop"
ELSEWHERE = "the policy is not set right before an `asyncio.run()`; hand that a `loop_factory`"
NO_LONGER = "loops look after child processes themselves; take it out"


@rule("AIO407", "event-loop-policy", ast.Module, plain=True, needs=calls(POLICIES))
def event_loop_policy(_: ast.Module, module: Module) -> Iterator[Report]:
    """Report each statement that speaks of policies or child watchers."""
    told = set()
    found = sorted(module.analysis(Mentions).of(POLICIES), key=lambda mention: position(mention[0]))
    for node, name in found:
        statement = module.statement(node)
        gone = POLICIES[name]
        # A deprecated thing is deprecated also where the file looks first whether it is there.
        if statement not in told and reaches(node, module, gone.deprecated, if_there=True):
            told.add(statement)
            whole = _call(statement)
            fix, refusal = _fix(statement, whole, module) if whole else (None, "")
            if not refusal and not fix:
                refusal = NO_LONGER if gone.removed == (3, 14) else ELSEWHERE
            yield Report(whole or node, _message(name, gone), fix, refusal)


def _message(name: str, gone: Gone) -> str:
    since, until = (".".join(map(str, version)) for version in (gone.deprecated, gone.removed))
    if "atcher" in name:
        return f"`{name}` is gone since Python {until}: loops look after child processes themselves"
    return f"`{name}`: policies are deprecated since Python {since} and go with {until}; use `loop_factory=`"


def _call(statement: ast.stmt) -> ast.Call | None:
    """The call that is the whole statement."""
    match statement:
        case ast.Expr(value=ast.Call() as call):
            return call
    return None


def _fix(statement: ast.stmt, call: ast.Call, module: Module) -> tuple[Fix | None, str]:
    policy = _policy(call, module)
    factory = LOOP_FACTORIES.get(policy) if policy else None
    if factory is None:
        return None, ""
    block = module.block(statement)
    rest = block[block.index(statement) + 1 :]
    runs = [
        node
        for node in within(*rest)
        if isinstance(node, ast.Call) and module.callee(node) in (RUN, "asyncio.new_event_loop", "asyncio.Runner")
    ]
    match runs:
        case [ast.Call(args=[main], keywords=keywords) as run] if module.callee(run) == RUN and not any(
            k.arg in (None, "loop_factory") for k in keywords
        ):
            edit = replace_argument(main, "{main}, loop_factory={factory}", main=main, factory=Symbol(factory))
            superseded = (SETS, *(name for name in (policy,) if name))
            return Fix(Remove(statement), edit, unsafe=UNSAFE, supersedes=superseded), ""
    return None, ""


def _policy(call: ast.Call, module: Module) -> str | None:
    """The name of the policy that a call sets, or of the function that sets it."""
    name = module.callee(call)
    match call:
        case ast.Call(args=[ast.Call(args=[], keywords=[]) as made], keywords=[]) if name == SETS:
            return module.callee(made)
        case ast.Call(args=[], keywords=[]):
            return name
    return None
