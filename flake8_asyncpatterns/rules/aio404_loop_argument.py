"""The parameter `loop` is gone from asyncio's locks, queues, streams and most functions.

It was deprecated in Python 3.8 and is gone since 3.10: whoever still passes it gets a TypeError, also with
`loop=None`. What it was given is known without it: a coroutine runs on one loop, and since 3.10 a lock or a queue takes
the loop that runs when it is first waited for.

```python run
import asyncio


async def main():
    loop = asyncio.get_running_loop()
    for make in (asyncio.Lock, asyncio.Queue, asyncio.Event):
        try:
            make(loop=loop)
        except TypeError as error:
            print(make.__name__, type(error).__name__)
    try:
        await asyncio.sleep(0, loop=loop)
    except TypeError as error:
        print("sleep", type(error).__name__)
    print(asyncio.Future(loop=loop).done())


asyncio.run(main())
```

```text
Lock TypeError
Queue TypeError
Event TypeError
sleep TypeError
False
```

```python bad
import asyncio


class Mailbox:
    def __init__(self, loop):
        self._loop = loop
        self._letters = asyncio.Queue(100, loop=loop)

    async def take(self):
        await asyncio.sleep(1, loop=self._loop)
        return await asyncio.wait_for(self._letters.get(), timeout=5, loop=self._loop)
```

```python good
import asyncio


class Mailbox:
    def __init__(self, loop):
        self._loop = loop
        self._letters = asyncio.Queue(100)

    async def take(self):
        await asyncio.sleep(1)
        return await asyncio.wait_for(self._letters.get(), timeout=5)
```

A class that is built on one of asyncio's hands it on:

```python bad
import asyncio


class Signal(asyncio.Event):
    def __init__(self, name, *, loop=None):
        super().__init__(loop=loop)
        self.name = name
```

```python good
import asyncio


class Signal(asyncio.Event):
    def __init__(self, name, *, loop=None):
        super().__init__()
        self.name = name
```

`Future`, `Task`, `StreamReader`, `ensure_future`, `wrap_future` and `run_coroutine_threadsafe` have kept theirs.

## Fix

Safe: the argument goes. What was put into it stays where it is: a parameter `loop` belongs to your callers, and a
variable that nothing uses any more is for other tools to find. The fix is unsafe where the argument is itself a call
that does something, and for `gather` and `shield` outside of a coroutine: they need a loop at once, and without
`loop=` they have to be called where one runs.

Under Python 3.8 and 3.9 an object made before the loop runs takes what `asyncio.get_event_loop()` gives then: there,
make locks and queues in the coroutine that uses them if the loop is one of your own.

## When to ignore

Never, if the code is to run on Python 3.10. A branch that is only for older ones (`if sys.version_info < (3, 10)`) is
not reported, and neither is one that makes the same call as the other branch, but for the loop.

## Other tools

None that we know of looks for it; type checkers report it as an unknown argument, if they are told of a Python that
has none.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.starts import in_coroutine
from ..analysis.versions import LEAVES, reaches
from ..classes import EMPTY_BASES
from ..flow import within
from ..knowledge.removed import LOOP_ARGUMENT, LOST_LOOP_CLASSES, LOST_LOOP_FUNCTIONS
from ..module import Module
from ..needs import calls
from ..rule import Fix, RemoveArgument, Report, rule
from ..signs import LOOP_KEYWORD

LOST_LOOP = LOST_LOOP_CLASSES | LOST_LOOP_FUNCTIONS
# They are no coroutines: they take a loop at once.
NEEDS_A_LOOP = frozenset({"asyncio.gather", "asyncio.shield"})
# Calls that do nothing that anybody would miss.
GETTERS = frozenset({"asyncio.get_event_loop", "asyncio.get_running_loop"})


@rule("AIO404", "loop-argument", ast.keyword, plain=True, needs=calls(LOST_LOOP, LOOP_KEYWORD))
def loop_argument(argument: ast.keyword, module: Module) -> Iterator[Report]:
    """Report `loop=` where nothing takes it any more."""
    if argument.arg != "loop":
        return
    call = module.parent(argument)
    if not isinstance(call, ast.Call):
        return
    name = _without_loop(call, module)
    if name and reaches(argument, module, LOOP_ARGUMENT.removed) and not _has_a_twin(call, argument, module):
        message = f"`{name}()` takes no `loop` since Python 3.10; leave it out"
        unsafe = _does_something(argument.value, module) or _needs_a_loop(name, call, module)
        yield Report(argument, message, Fix(RemoveArgument(argument), unsafe=unsafe))


def _without_loop(call: ast.Call, module: Module) -> str | None:
    """The name of what is called, if that is something of asyncio that lost the parameter."""
    name = module.callee(call)
    if name == "functools.partial" and call.args:
        name = module.name(call.args[0])
    if name is not None:
        name = name.removesuffix(".__init__")
        return name if name in LOST_LOOP else None
    match call.func:
        case ast.Attribute(value=ast.Call(func=ast.Name(id="super"), args=[]), attr="__init__"):
            function = module.function(call)
            cls = module.class_of(function) if function else None
            return _above(cls, module) if cls else None
    made = module.definition(call.func)
    return _builder(made, module) if isinstance(made, ast.ClassDef) else None


def _builder(cls: ast.ClassDef, module: Module) -> str | None:
    """The class of asyncio whose `__init__` a class of this file has."""
    own = any(isinstance(member, ast.FunctionDef) and member.name in ("__init__", "__new__") for member in cls.body)
    return None if own or cls.keywords or cls.decorator_list else _above(cls, module)


def _above(cls: ast.ClassDef, module: Module) -> str | None:
    """The class of asyncio whose `__init__` comes after that of a class of this file."""
    for base in cls.bases:
        outer = base.value if isinstance(base, ast.Subscript) else base
        name = module.name(outer)
        if name in EMPTY_BASES:
            continue
        if name in LOST_LOOP_CLASSES:
            return name
        found = module.definition(outer)
        return _builder(found, module) if isinstance(found, ast.ClassDef) and found is not cls else None
    return None


def _has_a_twin(call: ast.Call, argument: ast.keyword, module: Module) -> bool:
    """Is the same call made without the argument where a condition is otherwise: `Lock() if NEW else Lock(loop=loop)`?

    Such a condition tells Pythons apart, unless it asks whether there is a loop.
    """
    wanted, given = _without(call, argument), _mentioned(argument.value, module)
    return any(
        isinstance(node, ast.Call) and _without(node) == wanted
        for test, other in _otherwise(call, module)
        if given.isdisjoint(_mentioned(test, module))
        for node in within(*other)
    )


def _otherwise(node: ast.AST, module: Module) -> Iterator[tuple[ast.expr, list[ast.AST]]]:
    """Each condition that leads to a node in its function, and the code for when it is otherwise."""
    for inner in (node, *module.ancestors(node, below=module.function(node))):
        for before in module.above(inner):
            if isinstance(before, ast.If) and not before.orelse and isinstance(before.body[-1], LEAVES):
                yield before.test, [*before.body]
        match module.parent(inner):
            case ast.If(test=test, body=body, orelse=orelse) if inner is not test:
                yield test, [*(orelse if inner in body else body)]
            case ast.IfExp(test=test, body=chosen, orelse=other) if inner is not test:
                yield test, [other if inner is chosen else chosen]


def _without(call: ast.Call, argument: ast.keyword | None = None) -> str:
    """A call as text, without this argument."""
    keywords = [keyword for keyword in call.keywords if keyword is not argument]
    return ast.unparse(ast.Call(call.func, call.args, keywords))


def _mentioned(node: ast.expr, module: Module) -> set[str]:
    """The variables in an expression, each as a whole: `self.loop`."""
    names = (part for part in ast.walk(node) if isinstance(part, (ast.Name, ast.Attribute)))
    return {ast.unparse(name) for name in names if not isinstance(module.parent(name), ast.Attribute)}


def _does_something(value: ast.expr, module: Module) -> str:
    calls = (node for node in ast.walk(value) if isinstance(node, (ast.Call, ast.Await, ast.NamedExpr)))
    if any(not isinstance(call, ast.Call) or module.callee(call) not in GETTERS for call in calls):
        return f"`{ast.unparse(value)}` is no longer called"
    return ""


def _needs_a_loop(name: str, call: ast.Call, module: Module) -> str:
    if name in NEEDS_A_LOOP and not in_coroutine(call, module):
        return f"`{name}()` outside a coroutine has no other way to learn of the loop; call it in one"
    return ""
