"""A change of something the whole process shares is held across an `await`.

`redirect_stdout()` and its kin change a global for the length of a block. While the block awaits, other tasks run with
the change: their output goes to the wrong place, their relative paths lead elsewhere. Two such blocks in two tasks do
not nest: the first to end puts the old value back under the other's feet, and the last puts back the change of the
first, which then stays for good.

```python run
import asyncio
import contextlib
import io
import sys

async def report(delay):
    with contextlib.redirect_stdout(io.StringIO()) as text:
        await asyncio.sleep(delay)
        print("for", delay)
    return text.getvalue()

async def main():
    console = sys.stdout
    found = await asyncio.gather(report(0.01), report(0.02))
    print(found, file=console)
    print("restored:", sys.stdout is console, file=console)

asyncio.run(main())
```

```text
for 0.02
['', 'for 0.01\\n']
restored: False
```

```python bad
import contextlib
import io

async def output_of(command, reader):
    with contextlib.redirect_stdout(io.StringIO()) as text:
        line = await reader.readline()
        command(line)
    return text.getvalue()
```

```python good
import contextlib
import io

async def output_of(command, reader):
    line = await reader.readline()
    with contextlib.redirect_stdout(io.StringIO()) as text:
        command(line)
    return text.getvalue()
```

Reported are `redirect_stdout()`, `redirect_stderr()` and `chdir()` of contextlib, `warnings.catch_warnings()`,
`mock.patch()` of what is not an object at hand, and `os.chdir()`, `os.umask()`, `locale.setlocale()`, `sys.stdout` and
its kin where a `finally` puts them back.

## Fix

By hand: await before the block or behind it. What cannot be parted needs no global: give `print()` a `file=`, a
subprocess a `cwd=`, functions whole paths; keep a value per task in a `contextvars.ContextVar`.

## When to ignore

Where one task is all that ever runs, as in a script. Functions decorated as commands of a command line tool
(`@app.command()`) are not reported, nor are blocks in which a service runs for good (`while True`, `server.serve()`),
nor is `decimal.localcontext()`, which is each task's own.

Tests are left alone, as they mostly run one task: files in a folder named `tests`, `test`, `_tests`, `testing`,
`unit_tests` or `integration_tests`, files named `test_*`, `*_test` or `conftest`, files that import pytest,
classes that derive from `unittest.TestCase`, and functions that patch and `assert`.

## Other tools

None is known to report it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.cancellation import name_of
from ..analysis.testcode import is_test
from ..flow import always_true, body, suspends, within
from ..knowledge.process_state import CHANGES, PATCHES, SETTERS, VARIABLES
from ..module import Module
from ..needs import calls, either, words
from ..rule import Report, rule
from ..signs import ASYNC

HELD = either(calls({*CHANGES, *SETTERS}, ASYNC), calls(VARIABLES, ASYNC, words("finally")))


@rule("AIO507", "global-context-across-await", ast.With, ast.AsyncWith, ast.Try, needs=HELD)
def global_context_across_await(block: ast.AST, module: Module) -> Iterator[Report]:
    """Report a block that awaits while it has something changed that is the whole process's."""
    assert isinstance(block, (ast.With, ast.AsyncWith, ast.Try))
    if module.coroutine(block) is None:
        return
    changed = _put_back(block, module) if isinstance(block, ast.Try) else _changed(block, module)
    if changed is None or not suspends(*block.body) or is_test(block, module):
        return
    node, what = changed
    if _is_for_good(block) or _runs_alone(block, what, module):
        return
    yield Report(node, f"{what} is the whole process's: other tasks run with the change while this block awaits")


def _changed(block: ast.With | ast.AsyncWith, module: Module) -> tuple[ast.AST, str] | None:
    for item in block.items:
        call = item.context_expr
        what = CHANGES.get(module.callee(call) or "") if isinstance(call, ast.Call) else None
        if what and isinstance(call, ast.Call) and (what != PATCHES or _is_global(call, module)):
            return call, what
    return None


def _is_for_good(block: ast.With | ast.AsyncWith | ast.Try) -> bool:
    """Does the block run a service, for which the change is meant as a whole?"""
    return any(
        (isinstance(node, ast.While) and always_true(node.test))
        or (isinstance(node, ast.Await) and isinstance(node.value, ast.Call) and _serves(node.value))
        for node in within(*block.body)
    )


def _serves(call: ast.Call) -> bool:
    return any(word in name_of(call.func) for word in ("serve", "run_forever", "start_server"))


def _runs_alone(block: ast.AST, what: str, module: Module) -> bool:
    """Is this a command of a command line tool, or a script that puts something to the test?"""
    function = module.coroutine(block)
    assert function is not None
    commands = (d.func if isinstance(d, ast.Call) else d for d in function.decorator_list)
    if any(name_of(decorator) == "command" for decorator in commands):
        return True
    return what == PATCHES and any(isinstance(node, ast.Assert) for node in body(function))


def _is_global(call: ast.Call, module: Module) -> bool:
    """Does a patch change something that is imported, rather than an object at hand?"""
    match call.args:
        case [ast.Constant(value=str()), *_]:
            return True
        case [target, *_]:
            return module.name(target) is not None
    return False


def _put_back(guarded: ast.Try, module: Module) -> tuple[ast.AST, str] | None:
    """What a `finally` sets to what it was before."""
    for statement in guarded.finalbody:
        match statement:
            case ast.Expr(value=ast.Call() as call) if what := SETTERS.get(module.callee(call) or ""):
                return statement, what
            case ast.Assign(targets=[target]) if what := VARIABLES.get(module.name(target) or ""):
                return statement, what
    return None
