"""A result comes for a future that a timeout has cancelled: `set_result()` raises InvalidStateError.

`asyncio.wait_for(future, 5)` cancels the future when the time is over, and so does any cancellation of the task that
awaits it. An answer that comes too late then meets a future that is done already. The exception is raised where the
answer is handed in, in a protocol's callback or a reader's loop, whose work for everybody else may end with it.

```python run
import asyncio


class Client:
    def __init__(self):
        self.waiting = {}

    async def ask(self, key, timeout):
        self.waiting[key] = asyncio.get_running_loop().create_future()
        return await asyncio.wait_for(self.waiting[key], timeout)

    def answer(self, key, value):
        self.waiting.pop(key).set_result(value)

    def answer_well(self, key, value):
        future = self.waiting.pop(key)
        if not future.done():
            future.set_result(value)


async def main():
    for answer in (Client.answer, Client.answer_well):
        client = Client()
        try:
            await client.ask("a", 0.01)
        except asyncio.TimeoutError:
            print("nobody answered in time")
        try:
            answer(client, "a", 1)
            print(answer.__name__, "went well")
        except asyncio.InvalidStateError as error:
            print(answer.__name__, "raised InvalidStateError:", error)


asyncio.run(main())
```

```text
nobody answered in time
answer raised InvalidStateError: invalid state
nobody answered in time
answer_well went well
```

```python bad
import asyncio

class Client:
    def __init__(self):
        self.waiting = {}

    async def ask(self, key):
        future = asyncio.get_running_loop().create_future()
        self.waiting[key] = future
        return await asyncio.wait_for(future, 5)

    def answered(self, key, value):
        future = self.waiting[key]
        future.set_result(value)
```

```python good
import asyncio

class Client:
    def __init__(self):
        self.waiting = {}

    async def ask(self, key):
        future = asyncio.get_running_loop().create_future()
        self.waiting[key] = future
        return await asyncio.wait_for(future, 5)

    def answered(self, key, value):
        future = self.waiting[key]
        if not future.done():
            future.set_result(value)
```

Reported are futures of asyncio that the file awaits somewhere under a timeout, by `asyncio.wait_for()` or inside
`asyncio.timeout()`. Nothing is said where the function asks whether the future is `done()` or `cancelled()`, catches
InvalidStateError, or made the future itself, nor where the timeout takes the future out of where it is kept.

## Fix

Safe: the late result is left out, as there is nobody to take it. None where the future is not held by a name or an
attribute of one: give it a name first.

## When to ignore

Where a result that comes too late is to be an error.

## Other tools

None known.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..flow import within
from ..module import Module
from ..needs import things, words
from ..rule import Fix, Related, Report, replace, rule

FUTURE = "asyncio.Future"
MAKERS = frozenset({FUTURE, "asyncio.AbstractEventLoop.create_future"})
SETTERS = frozenset({"set_result", "set_exception"})
ASKING = frozenset({"done", "cancelled"})
TIMEOUTS = frozenset({
    "asyncio.timeout", "asyncio.timeout_at", "async_timeout.timeout", "async_timeout.timeout_at",
    "asyncio.timeouts.timeout",
})  # fmt: skip
CATCHING = frozenset({
    "asyncio.InvalidStateError", "builtins.Exception", "builtins.BaseException",
    "concurrent.futures.InvalidStateError",
})  # fmt: skip
TAKING_OUT = frozenset({"pop", "remove", "discard", "clear", "popleft", "popitem"})


class Timed:
    """The futures of a file that are awaited under a timeout, by what holds them."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.waits: list[tuple[ast.expr, set[ast.AST | str]]] = []
        for call in module.nodes(ast.Call):
            match call.args:
                case [awaited, *_] if module.callee(call) == "asyncio.wait_for":
                    if module.coroutine(call) or isinstance(module.parent(call), ast.YieldFrom):
                        self._note(awaited, call)
        for wait in module.nodes(ast.Await):
            if isinstance(wait.value, (ast.Name, ast.Attribute, ast.Subscript)) and self._is_timed(wait):
                self._note(wait.value, wait)

    def _note(self, awaited: ast.expr, wait: ast.expr) -> None:
        if self.module.type_of(awaited) == FUTURE:
            kept = holders(awaited, self.module)
            if not self._is_taken_out(wait, kept):
                self.waits.append((wait, kept))

    def _is_timed(self, wait: ast.Await) -> bool:
        function = self.module.function(wait)
        for around in self.module.ancestors(wait):
            if around is function:
                return False
            if isinstance(around, ast.AsyncWith) and any(
                isinstance(item.context_expr, ast.Call) and self.module.callee(item.context_expr) in TIMEOUTS
                for item in around.items
            ):
                return True
        return False

    def _is_taken_out(self, wait: ast.expr, kept: set[ast.AST | str]) -> bool:
        """Does the code that handles the timeout see to it that nobody finds the future any more?"""
        function = self.module.function(wait)
        for around in self.module.ancestors(wait):
            if around is function:
                return False
            if isinstance(around, ast.Try):
                for node in within(*around.finalbody, *around.handlers):
                    match node:
                        case ast.Call(func=ast.Attribute(value=holder, attr=method)) if method in TAKING_OUT:
                            pass
                        case ast.Subscript(value=holder, ctx=ast.Del()):
                            pass
                        case ast.Name(ctx=ast.Store() | ast.Del()) | ast.Attribute(ctx=ast.Store() | ast.Del()):
                            holder = node
                        case _:
                            continue
                    if kept & holders(holder, self.module):
                        return True
        return False

    def of(self, future: ast.expr) -> ast.expr | None:
        """Where this future, or one that is kept in the same place, is awaited under a timeout."""
        kept = holders(future, self.module)
        return next((wait for wait, others in self.waits if kept & others), None)


def holders(future: ast.expr, module: Module) -> set[ast.AST | str]:
    """What holds a future: variables, by their first binding, and attributes."""
    found: set[ast.AST | str] = set()
    for node in ast.walk(future):
        if isinstance(node, ast.Attribute):
            found |= _attribute(node, module)
        elif isinstance(node, ast.Name) and (bound := module.bindings(node)):
            if isinstance(bound[0], ast.arg) and node is not future:
                continue
            found.add(bound[0])
            found |= _passed_on(node, bound, module)
    return found


def _passed_on(name: ast.Name, bound: list[ast.AST], module: Module) -> set[ast.AST | str]:
    """The attributes that a variable's value came from, and those it is put into."""
    values = [module.value(node) for node in bound]
    values += [loop.iter for node in bound if isinstance(loop := module.parent(node), ast.For)]
    for use in module.uses(name):
        match module.parent(use):
            case ast.Assign(targets=targets, value=value) if value is use:
                values += targets
            case ast.Call(func=ast.Attribute(value=kept), args=arguments) if use in arguments:
                values.append(kept)
    known = (value for value in values if value is not None and not _is_new(value, module))
    inside = (node for value in known for node in ast.walk(value))
    return set().union(*(_attribute(node, module) for node in inside if isinstance(node, ast.Attribute)))


def _is_new(value: ast.expr, module: Module) -> bool:
    """Is this a call that makes a future, which nothing holds yet?"""
    return isinstance(value, ast.Call) and module.callee(value) in MAKERS


def _attribute(node: ast.Attribute, module: Module) -> set[ast.AST | str]:
    """An attribute's name, with its class where that is known; nothing where it is a method of what nobody knows.

    `loop.create_future()` and `kept.pop(key)` hold no futures: methods of that name give others each time.
    """
    owner = module.owner(node)
    if owner:
        return {f"{owner.name}.{node.attr}"}
    around = module.parent(node)
    return set() if isinstance(around, ast.Call) and around.func is node else {node.attr}


@rule("AIO212", "unguarded-future-result", ast.Call, default=False, needs=things({FUTURE}, words(*SETTERS)))
def unguarded_future_result(call: ast.Call, module: Module) -> Iterator[Report]:
    """Report results set on futures that may be cancelled, without a look."""
    match call.func:
        case ast.Attribute(value=future, attr=method) if method in SETTERS:
            if module.type_of(future) != FUTURE or _is_guarded(call, future, module):
                return
        case _:
            return
    wait = module.analysis(Timed).of(future)
    if wait is None:
        return
    name = ast.unparse(future)
    message = f"`{name}` may have been cancelled by a timeout, and `{method}()` raise; ask `done()` first"
    related = (Related(wait, "its timeout cancels it"),)
    statement = module.parent(call)
    if not isinstance(statement, ast.Expr) or any(isinstance(node, ast.Call) for node in ast.walk(future)):
        yield Report(call, message, refusal="give the future a name first", related=related)
    else:
        fix = Fix(replace(statement, f"if not {name}.done():\n    {{call}}", call=call))
        yield Report(call, message, fix, related=related)


def _is_guarded(call: ast.Call, future: ast.expr, module: Module) -> bool:
    """Does the function look at the future, catch the exception, or know the future to be its own?"""
    function = module.function(call)
    name = ast.unparse(future)
    own = function.body if function is not None else [call]
    code = within(*own) if isinstance(own, list) else within(own)
    for node in code:
        if isinstance(node, ast.Attribute) and node.attr in ASKING and ast.unparse(node.value) == name:
            return True
    if isinstance(future, ast.Name):
        for bound in module.bindings(future) or ():
            made = module.value(bound)
            if made is not None and _is_new(made, module) and module.function(bound) is function:
                return True
    for around in module.ancestors(call):
        if around is function:
            return False
        if isinstance(around, ast.Try) and any(_catches(handler.type, module) for handler in around.handlers):
            return True
        if isinstance(around, (ast.With, ast.AsyncWith)) and any(
            isinstance(item.context_expr, ast.Call)
            and module.callee(item.context_expr) == "contextlib.suppress"
            and any(_catches(kind, module) for kind in item.context_expr.args)
            for item in around.items
        ):
            return True
    return False


def _catches(kind: ast.expr | None, module: Module) -> bool:
    if isinstance(kind, ast.Tuple):
        return any(_catches(one, module) for one in kind.elts)
    return kind is None or module.name(kind) in CATCHING
