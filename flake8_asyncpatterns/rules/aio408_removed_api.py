"""A name that asyncio had once, and has no more.

| gone | since | instead |
| --- | --- | --- |
| `asyncio.async()` | 3.7 | `asyncio.ensure_future()` |
| `asyncio.Task.all_tasks()`, `asyncio.Task.current_task()` | 3.9 | `asyncio.all_tasks()`, `asyncio.current_task()` |
| `asyncio.JoinableQueue` | 3.5 | `asyncio.Queue` |
| `with await lock:` | 3.9 | `async with lock:` |
| `asyncio.coroutines.CoroWrapper`, `debug_wrapper` | 3.11, 3.7 | the loop's debug mode |
| `asyncio.futures.CancelledError`, `.InvalidStateError`, `.TimeoutError` | 3.8 | `asyncio.CancelledError` … |
| `asyncio.streams.IncompleteReadError`, `.LimitOverrunError` | 3.8 | `asyncio.IncompleteReadError` … |
| `asyncio.compat`, `asyncio.test_utils`, `asyncio.selectors` | 3.7 | `sys.version_info`, –, `selectors` |

Most of them are an AttributeError or an ImportError, which comes late: when the line is reached.

```python run
import asyncio


async def main():
    for owner, name in [(asyncio.Task, "current_task"), (asyncio.Task, "all_tasks"), (asyncio, "JoinableQueue")]:
        try:
            getattr(owner, name)
        except AttributeError as error:
            print(name, type(error).__name__)
    print(asyncio.current_task() in asyncio.all_tasks())
    try:
        with await asyncio.Lock():
            print("locked")
    except TypeError as error:
        print("with await lock", type(error).__name__)


asyncio.run(main())
try:
    compile("task = asyncio.async(fetch())", "old.py", "exec")
except SyntaxError as error:
    print("asyncio.async", type(error).__name__)
```

```text
current_task AttributeError
all_tasks AttributeError
JoinableQueue AttributeError
True
with await lock TypeError
asyncio.async SyntaxError
```

```python bad
import asyncio


class Jobs:
    def __init__(self):
        self.waiting = asyncio.JoinableQueue()

    async def cancel_others(self, loop):
        me = asyncio.Task.current_task(loop=loop)
        for task in asyncio.Task.all_tasks(loop=loop):
            if task is not me:
                task.cancel()
```

```python good
import asyncio


class Jobs:
    def __init__(self):
        self.waiting = asyncio.Queue()

    async def cancel_others(self, loop):
        me = asyncio.current_task(loop=loop)
        for task in asyncio.all_tasks(loop=loop):
            if task is not me:
                task.cancel()
```

```python bad
import asyncio

lock = asyncio.Lock()


async def write(stream, line):
    with await lock:
        stream.write(line)
        await stream.drain()
```

```python good
import asyncio

lock = asyncio.Lock()


async def write(stream, line):
    async with lock:
        stream.write(line)
        await stream.drain()
```

Since `async` and `await` are keywords (Python 3.7), a file that has them as names does not even parse.
`asyncfix` reads such files nevertheless: `asyncio.async(…)` is mended like the others, all other uses as a name are
reported, and all other rules speak of these files, too. (flake8 stops at the syntax error.)

## Fix

Safe where there is a successor that takes the same arguments. `asyncio.all_tasks()` leaves out tasks that have ended,
which `Task.all_tasks()` did not. The fix is unsafe outside of a coroutine where no loop is given: there the old
functions took the current loop, and the new ones need a running one.

A name `async` or `await` of your own needs another name, which is for you to find; users of it may be in other files.

## When to ignore

Never: branches for Pythons that have it (`if sys.version_info < (3, 9)`, `except AttributeError`, `hasattr`) are not
reported. Branches for Pythons before 3.8 are, as dead code.

## Other tools

None that we know of looks for these names. pyupgrade takes dead branches out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.mentions import Mentions, own_names
from ..analysis.starts import in_coroutine
from ..analysis.versions import is_over, reaches
from ..keywords import STAND_INS, stands_in
from ..knowledge.locks import ASYNC_LOCKS
from ..knowledge.removed import AWAITED_LOCK, MOVED, REMOVED, REMOVED_MODULES, Gone, Version
from ..module import Module
from ..needs import Need, calls, either, words
from ..rule import Fix, MakeAsync, Replace, Report, Symbol, replace, rule
from ..signs import AWAIT, KEYWORD_AS_NAME, WITH_AWAIT

ASYNC = "asyncio.async"
STAND_IN = f"asyncio.{STAND_INS['async']}"
# They ask for the running loop unless they are given one.
NEEDS_A_LOOP = frozenset({"asyncio.all_tasks", "asyncio.current_task"})
MOVED_NAMES = frozenset(name.rpartition(".")[2] for name in MOVED)
GONE = either(
    calls({*REMOVED, *REMOVED_MODULES, *MOVED} - {ASYNC}),
    (Need((words("async", "await"), KEYWORD_AS_NAME)), Need((AWAIT, WITH_AWAIT))),
)
DEAD = "this branch is for Pythons before 3.8, and may go as a whole"
OWN_NAME = "a name of your own; find it another one, here and wherever it is used"


@rule("AIO408", "removed-api", ast.Module, plain=True, needs=GONE)
def removed_api(_: ast.Module, module: Module) -> Iterator[Report]:
    """Report what asyncio has no more, and `async` and `await` as names."""
    mentions = module.analysis(Mentions)
    for node, name in mentions.of(REMOVED):
        yield from _removed(node, name, REMOVED[name], module)
    for node, name in mentions.of(REMOVED_MODULES):
        yield from _removed(node, name, REMOVED_MODULES[name], module)
    for node, name in _moved(module):
        yield from _removed(node, name, MOVED[name], module)
    for manager in module.nodes(ast.With):
        yield from _awaited_lock(manager, module)
    if module.analysis(stands_in):
        yield from (_keyword(node, word) for node, word in own_names(module))


def _moved(module: Module) -> Iterator[tuple[ast.AST, str]]:
    """Each mention of an exception by a module of asyncio that no longer has it, and its name."""
    for node in module.nodes(ast.Attribute):
        if node.attr in MOVED_NAMES and (name := f"{module.name(node.value)}.{node.attr}") in MOVED:
            yield node, name
    for statement in module.nodes(ast.ImportFrom):
        if not statement.level:
            for alias in statement.names:
                if (name := f"{statement.module}.{alias.name}") in MOVED:
                    yield alias, name


def _removed(node: ast.AST, name: str, gone: Gone, module: Module) -> Iterator[Report]:
    message = f"`{name}` is gone since Python {_said(gone.removed)}"
    if gone.successor:
        message += f"; use `{gone.successor}`"
    if reaches(node, module, gone.removed):
        yield Report(node, message, _successor(node, name, gone.successor, module))
    elif name == ASYNC and module.analysis(stands_in):
        yield Report(node, f"{message}, and no longer parses", _by_getattr(node, module))
    elif is_over(node, module):
        yield Report(node, message, refusal=DEAD)


def _by_getattr(node: ast.AST, module: Module) -> Fix | None:
    """The same without the keyword, where the file sees first whether there is anything newer."""
    if isinstance(node, ast.Attribute):
        return Fix(replace(node, 'getattr({module}, "async")', module=node.value))
    statement = module.parent(node)
    alone = isinstance(statement, ast.ImportFrom) and len(statement.names) == 1
    if isinstance(node, ast.alias) and isinstance(statement, ast.ImportFrom) and alone and node.asname:
        # Whatever is to run this has it: Python 3.4.4 came with both.
        return Fix(Replace(statement, f"{node.asname} = {{new}}", {"new": Symbol(REMOVED[ASYNC].successor)}))
    return None


def _said(version: Version) -> str:
    return ".".join(map(str, version))


def _successor(node: ast.AST, name: str, successor: str, module: Module) -> Fix | None:
    if not successor or not isinstance(node, ast.expr):
        return None
    around = module.parent(node)
    if name in REMOVED_MODULES:  # another module of the same content
        if isinstance(around, ast.Attribute):
            return Fix(replace(around, "{new}", new=Symbol(f"{successor}.{around.attr}")), supersedes=(name,))
        return None
    unsafe = ""
    if successor in NEEDS_A_LOOP and not in_coroutine(node, module):
        given = isinstance(around, ast.Call) and around.func is node and (around.args or around.keywords)
        unsafe = "" if given else f"`{successor}()` needs a running loop, or to be given one"
    superseded = (name, *((STAND_IN,) if name == ASYNC else ()))
    return Fix(replace(node, "{new}", new=Symbol(successor)), unsafe=unsafe, supersedes=superseded)


def _awaited_lock(manager: ast.With, module: Module) -> Iterator[Report]:
    """Report `with await lock:`."""
    for item in manager.items:
        match item.context_expr:
            case ast.Await(value=lock) as awaited if module.type_of(lock) in ASYNC_LOCKS:
                if reaches(awaited, module, AWAITED_LOCK.removed):
                    alone = len(manager.items) == 1 and item.optional_vars is None
                    fix = Fix(MakeAsync(manager), replace(awaited, "{lock}", lock=lock)) if alone else None
                    message = "locks cannot be awaited since Python 3.9; write `async with`"
                    yield Report(awaited, message, fix, "" if fix else "the `with` has more than this lock")


def _keyword(node: ast.AST, word: str) -> Report:
    return Report(node, f"`{word}` is a keyword since Python 3.7, so that this file does not parse", refusal=OWN_NAME)
