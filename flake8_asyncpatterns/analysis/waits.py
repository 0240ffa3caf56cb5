"""What `gather()` and `wait()` wait for: is it nobody else's, and can it fail?"""

from __future__ import annotations

import ast

from ..flow import within
from ..knowledge.tasks import ENDS_EARLY, MAKERS, NEVER_FAIL, WAIT
from ..module import Module
from ..tuples import NamedTuple
from .tasks import ALIAS_DEPTH, is_fresh, maker


def ends_early(wait: ast.Call, module: Module) -> str:
    """When `wait()` may return while tasks are pending; empty: never, or it is not known."""
    given = {keyword.arg: keyword.value for keyword in wait.keywords}
    when = given.get("return_when")
    name = when.value if isinstance(when, ast.Constant) else module.name(when) if when is not None else None
    if name in ENDS_EARLY:
        return "after the first"
    timeout = given.get("timeout")
    if timeout is not None and not (isinstance(timeout, ast.Constant) and timeout.value is None):
        return "after the timeout"
    return ""


def cannot_fail(node: ast.expr, module: Module) -> bool:
    """Is this the call of a coroutine function that lets no exception out, as far as can be seen?"""
    if not isinstance(node, ast.Call):
        return False
    if module.callee(node) in NEVER_FAIL or (isinstance(node.func, ast.Attribute) and node.func.attr == "put"):
        return True  # in doubt it is a queue's
    function = module.definition(node.func)
    return isinstance(function, ast.AsyncFunctionDef) and all(_is_guarded(s) for s in function.body)


def _is_guarded(statement: ast.stmt) -> bool:
    match statement:
        case ast.Try(handlers=handlers):
            return any(_catches_all(handler) for handler in handlers)
        case ast.If(body=body, orelse=orelse):
            return all(_is_guarded(s) for s in (*body, *orelse))
        case ast.With(items=items) if any(_takes_outcome(item.context_expr, statement) for item in items):
            return True
        case ast.While(body=body) | ast.For(body=body) | ast.With(body=body) | ast.AsyncWith(body=body):
            return all(_is_guarded(s) for s in body)
    return not any(isinstance(node, (ast.Await, ast.Raise, ast.AsyncFor, ast.AsyncWith)) for node in within(statement))


def _takes_outcome(manager: ast.expr, block: ast.With) -> bool:
    """Is this given a future that gets its result in the block, and so an exception if there is one?"""
    given = (
        {argument.id for argument in manager.args if isinstance(argument, ast.Name)}
        if isinstance(manager, ast.Call)
        else ()
    )
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == "set_result"
        and isinstance(node.value, ast.Name)
        and node.value.id in given
        for node in within(*block.body)
    )


def _catches_all(handler: ast.ExceptHandler) -> bool:
    if any(isinstance(node, ast.Raise) for node in within(*handler.body)):
        return False
    match handler.type:
        case None | ast.Name(id="Exception" | "BaseException"):
            return True
    return False


class _View(NamedTuple):
    """A call that waits, and whether a look at one task's result leaves it nobody's."""

    waits: ast.Call
    module: Module
    looked_at: bool


def gathered(call: ast.Call, module: Module, *, looked_at: bool = False) -> list[ast.Call]:
    """The calls that make what this call of `gather()` or `wait()` waits for, where nothing else uses what they make.

    Empty: something else may hold some of it, look at it (unless `looked_at`), cancel it. A call of what is not known
    makes a task where a task must be.
    """
    view, waits = _View(call, module, looked_at), module.callee(call) == WAIT
    found: list[ast.Call] = []
    for argument in call.args:
        inner = argument.value if isinstance(argument, ast.Starred) else argument
        several = waits or isinstance(argument, ast.Starred)
        made = _elements(inner, view) if several else _made(inner, view)
        if not made:
            return []
        found += made
    return found


def _made(node: ast.expr, view: _View, depth: int = 0) -> list[ast.Call]:
    """The call that makes one task or coroutine, as a list; empty: it may be more than that."""
    match node:
        case ast.Call():
            return [node] if is_fresh(node, view.module) else []
        case ast.Name() if depth < ALIAS_DEPTH:
            return _made_before(node, view, depth, several=False)
    return []


def _elements(node: ast.expr, view: _View, depth: int = 0) -> list[ast.Call]:
    """The calls that make the elements of a collection."""
    match node:
        case ast.Call(func=ast.Name(id="list" | "set" | "tuple"), args=[argument]):
            return _elements(argument, view, depth)
        case ast.List(elts=elts) | ast.Tuple(elts=elts) | ast.Set(elts=elts):
            made = [_made(elt, view, depth) for elt in elts]
            return [call for calls in made for call in calls] if all(made) else []
        case ast.ListComp(elt=elt) | ast.SetComp(elt=elt) | ast.GeneratorExp(elt=elt):
            return _made(elt, view, depth) if isinstance(elt, ast.Call) else []
        case ast.Name() if depth < ALIAS_DEPTH:
            return _made_before(node, view, depth, several=True)
    return []


def _made_before(name: ast.Name, view: _View, depth: int, *, several: bool) -> list[ast.Call]:
    """The same for a local variable, where nothing but this call, and what fills it, reads it."""
    module = view.module
    function, bindings = module.function(name), module.bindings(name) or []
    if function is None or module.declarations(name) or any(module.function(b) is not function for b in bindings):
        return []
    parts: list[list[ast.Call]] = []
    for binding in bindings:
        value = module.value(binding)
        if value is None:
            return []
        if not (several and _is_empty(value, module)):
            parts.append((_elements if several else _made)(value, view, depth + 1))
    for use in module.uses(name):
        if isinstance(use.ctx, ast.Store) or any(around is view.waits for around in module.ancestors(use)):
            continue
        added = _added(use, module) if several else None
        if added is not None:
            one = added.attr in ("add", "append")
            call = module.parent(added)
            assert isinstance(call, ast.Call)
            parts.append((_made if one else _elements)(call.args[0], view, depth + 1))
        elif not _only_tested(use, module) and not (view.looked_at and _looks(use, module)):
            return []
    return [call for part in parts for call in part] if all(parts) else []


def _is_empty(value: ast.expr, module: Module) -> bool:
    match value:
        case ast.List(elts=[]):
            return True
        case ast.Call(func=function, args=[], keywords=[]):
            return module.name(function) in ("builtins.list", "builtins.set")
    return False


def _added(use: ast.Name, module: Module) -> ast.Attribute | None:
    """The method in `tasks.append(x)`."""
    method = module.parent(use)
    match module.parent(method) if isinstance(method, ast.Attribute) else None:
        case ast.Call(func=function, args=[_]) if function is method and isinstance(method, ast.Attribute):
            return method if method.attr in ("add", "append", "extend", "update") else None
    return None


def _only_tested(use: ast.Name, module: Module) -> bool:
    """Is this variable only asked for its truth or its length, or a task whether it is among others?"""
    match module.parent(use):
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            return test is use
        case ast.UnaryOp(op=ast.Not()):
            return True
        case ast.Call(func=ast.Name(id="len")):
            return True
        case ast.Compare(left=left, ops=[ast.In() | ast.NotIn()]):
            return left is use
        case ast.Attribute(attr=method):
            return method in ("done", "get_name")
    return False


def _looks(use: ast.Name, module: Module) -> bool:
    """Is this `task.result()`, which neither keeps nor ends the task?"""
    around = module.parent(use)
    return isinstance(around, ast.Attribute) and around.attr in ("result", "exception", "cancelled")


def coroutine_of(made: ast.Call, module: Module) -> ast.expr:
    """The coroutine in `create_task(coroutine)`, or what was given."""
    return made.args[0] if made.args and maker(made.func, module) in MAKERS else made
