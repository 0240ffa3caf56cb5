"""Who makes a task or a future, and does anybody keep it?"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..flow import LOOPS, is_generator, suspends, within, yields
from ..knowledge.tasks import (
    COROUTINE_TYPES,
    EMITTERS,
    FROM_ANYTHING,
    FROM_COROUTINE,
    FUTURES,
    GIVE_NOTHING,
    HELD,
    LOOP_CREATE_TASK,
    MAKERS,
    RUNS_ON,
)  # fmt: skip
from ..module import Module
from ..reference import reference
from ..tuples import NamedTuple
from .callbacks import COROUTINE, result
from .fates import expects_failure, is_ruled_out

ATTRIBUTES = frozenset(name.rpartition(".")[2] for name in MAKERS)
ALIAS_DEPTH = 4


def maker(function: ast.expr, module: Module) -> str | None:
    """The qualified name of a function that makes tasks: `"asyncio.create_task"`; None: it is no such function."""
    if not isinstance(function, ast.Attribute):
        name = module.name(function)
        return name if name in MAKERS else _bound_method(function, module)
    if function.attr not in ATTRIBUTES:
        return None
    name = module.name(function)
    if name is None:
        owner = module.type_of(function.value)
        name = f"{owner}.{function.attr}" if owner else _loops(function, module)
    return name if name in MAKERS else None


def _bound_method(function: ast.expr, module: Module) -> str | None:
    """`spawn = loop.create_task`, called later."""
    value = module.only_value(function)
    is_method = isinstance(value, ast.Attribute) and value.attr == "create_task"
    return maker(value, module) if is_method and value is not None else None


def _loops(method: ast.Attribute, module: Module) -> str | None:
    """The method of an event loop whose type is not known: of all loops only asyncio's have a `create_task`."""
    receiver = method.value
    named = receiver.func if isinstance(receiver, ast.Call) else receiver
    name = named.id if isinstance(named, ast.Name) else named.attr if isinstance(named, ast.Attribute) else ""
    if method.attr != "create_task" or not name.lower().rstrip("_").endswith("loop"):
        return None
    if "create_task" in module.analysis(function_names):
        return None
    return LOOP_CREATE_TASK if module.other_loop() is None else None


def function_names(module: Module) -> frozenset[str]:
    """The names of all functions that the file defines."""
    return frozenset(function.name for function in module.nodes(ast.FunctionDef, ast.AsyncFunctionDef))


def makes_task(call: ast.Call, module: Module) -> str | None:
    """The qualified name of what makes a new task here: `asyncio.create_task`; None: nothing does, as far as is known.

    `ensure_future(task)` makes none.
    """
    name = maker(call.func, module)
    if name in FROM_COROUTINE:
        return name
    if name in FROM_ANYTHING and any(is_fresh(argument, module) for argument in call.args):
        return name
    return None


def is_coroutine(node: ast.expr, module: Module, depth: int = 0) -> bool:
    """Is this surely a coroutine that no task runs yet?"""
    match node:
        case ast.Call():
            return result(node, module) == COROUTINE
        case ast.Name() if depth < ALIAS_DEPTH:
            bindings = module.bindings(node) or []
            values = [module.value(binding) for binding in bindings]
            if values and all(value is not None and is_coroutine(value, module, depth + 1) for value in values):
                return True
            return len(bindings) == 1 and module.type_of(node) in COROUTINE_TYPES
    return False


def is_fresh(node: ast.expr, module: Module) -> bool:
    """Is this a coroutine that no task runs yet, or a task that was just made?

    A call of what is not known is taken to give a coroutine: it stands where one belongs.
    """
    match node:
        case ast.Call() if maker(node.func, module):
            return makes_task(node, module) is not None
        case ast.Call():
            name = module.callee(node)
            return name not in HELD and module.type_of(node) not in FUTURES and not _is_plain(node, module)
        case ast.Starred(value=ast.GeneratorExp(elt=elt) | ast.ListComp(elt=elt)):
            return is_fresh(elt, module)
        case ast.Starred(value=ast.List(elts=elts) | ast.Tuple(elts=elts)):
            return any(is_fresh(elt, module) for elt in elts)
        case ast.Starred(value=ast.Name() as name):
            made = module.only_value(name)
            comprehended = isinstance(made, (ast.GeneratorExp, ast.ListComp)) and not isinstance(made.elt, ast.Name)
            return comprehended and is_fresh(ast.Starred(value=made), module)  # type: ignore[arg-type]  # one of both
    return is_coroutine(node, module)


def _is_plain(call: ast.Call, module: Module) -> bool:
    """Is this the call of a plain function of the project, which may give a future that somebody keeps?"""
    function = module.definition(call.func)
    if function is None:
        named = reference(call.func, module) if module.project else None
        return named is not None and module.project is not None and module.project.is_plain(named)
    if not isinstance(function, ast.FunctionDef) or is_generator(function):
        return False
    return function.returns is None or module.type_of(call) not in COROUTINE_TYPES


class Dropped(NamedTuple):
    """Where a value falls to the ground.

    `statement` is the inmost one around it. `how`: "statement" is the value by itself; "chained" a method is called
    on it that gives nothing; "name" a variable that is never read; "condition" the last part of `x and value`;
    "listener" a lambda that an event emitter calls; "callback" what a loop calls; "inside" a larger expression.
    """

    statement: ast.stmt
    how: str


def dropped(value: ast.expr, module: Module, *, chained: bool = True, framed: bool = True) -> Dropped | None:
    """Where nobody keeps this value; None: somebody does, or may.

    `chained`: does it count when a method like `add_done_callback` is called on it? `framed`: is it kept by a local
    variable that nobody reads, while the function goes on?
    """
    node: ast.AST = value
    while True:
        around = module.parent(node)
        match around:
            case ast.Expr():
                return Dropped(around, _shape(node, value))
            case ast.Attribute(attr=method) if chained and node is value and method in GIVE_NOTHING:
                call = module.parent(around)
                if not isinstance(call, ast.Call) or call.func is not around:
                    return None
                return Dropped(module.statement(node), "chained" if _is_statement(call, module) else "inside")
            case ast.Assign(targets=[ast.Name() as name]) | ast.AnnAssign(target=ast.Name() as name):
                return Dropped(around, "name") if node is value and _unread(name, around, module, framed) else None
            case ast.NamedExpr(target=name) if node is around.value:
                if not _unread(name, module.statement(around), module, framed):
                    return None
            case ast.BoolOp() | ast.List() | ast.Tuple() | ast.Set():
                pass
            case ast.IfExp() if node is not around.test:
                pass
            case ast.ListComp() | ast.SetComp() if node is around.elt:
                pass
            case ast.Lambda():
                return Dropped(module.statement(node), "listener") if _is_listener(around, module) else None
            case _:
                return None
        node = around


def is_moot(node: ast.AST, module: Module) -> bool:
    """Is this in a branch that a constant of the file rules out, or in a test that expects it to raise?

    The former (`IS_SYNC = True` … `if not IS_SYNC:`) is in code that was generated for both worlds.
    """
    for around in module.ancestors(node):
        if isinstance(around, (ast.With, ast.AsyncWith)):
            if any(expects_failure(item.context_expr) for item in around.items):
                return True
        elif isinstance(around, (ast.If, ast.IfExp)) and is_ruled_out(node, around, module):
            return True
        node = around
    return False


def _shape(whole: ast.AST, value: ast.expr) -> str:
    if whole is value:
        return "statement"
    if isinstance(whole, ast.BoolOp) and len(whole.values) == 2 and whole.values[1] is value:
        return "condition"
    return "name" if isinstance(whole, ast.NamedExpr) and whole.value is value else "inside"


def _is_statement(node: ast.AST, module: Module) -> bool:
    return isinstance(module.parent(node), ast.Expr)


def _is_listener(function: ast.Lambda, module: Module) -> bool:
    """Is this lambda the listener in `emitter.on("event", lambda: …)`?"""
    match module.parent(function):
        case ast.Call(func=ast.Attribute(attr=method), args=[*_, event, listener], keywords=[]):
            return method in EMITTERS and listener is function and isinstance(event, (ast.Constant, ast.Attribute))
    return False


def _unread(name: ast.Name, statement: ast.stmt, module: Module, framed: bool) -> bool:
    """Is this a local variable that nothing ever reads (and, if `framed`, that ends at once)?"""
    function = module.function(name)
    bindings = module.bindings(name) or []
    if function is None or any(module.function(b) is not function or module.class_of(b) for b in bindings):
        return False
    if module.declarations(name) or any(isinstance(use.ctx, ast.Load) for use in module.uses(name)):
        return False
    return not framed or not goes_on(statement, function, module)


def goes_on(statement: ast.stmt, function: ast.AST, module: Module) -> bool:
    """May the event loop run other code while the function is still at what follows this statement?

    Or at what follows in the same turn of the loop around it: the next turn gives a variable another value.
    """
    plain = not isinstance(function, ast.AsyncFunctionDef)
    node: ast.AST = statement
    while node is not function:
        around = module.parents[node]
        if isinstance(around, ast.AsyncWith):
            return True
        following = list(_following(node, around))
        if suspends(*following) or yields(*following):
            return True
        if plain and any(_runs_on(n) for n in within(*following)):
            return True
        if isinstance(around, LOOPS):
            return False
        node = around
    return False


def _following(node: ast.AST, around: ast.AST) -> Iterator[ast.stmt]:
    """The statements that may run after `node` inside the statement (or function) around it."""
    seen = False
    for field in ("body", "handlers", "orelse", "finalbody"):
        block = getattr(around, field, None)
        if not isinstance(block, list):
            continue
        mine = next((i for i, statement in enumerate(block) if statement is node), None)
        if mine is not None:
            seen = True
            yield from block[mine + 1 :]
        elif seen and not isinstance(around, ast.If):
            yield from block


def _runs_on(node: ast.AST) -> bool:
    """May this call run the event loop in a plain function, or wait while another thread does?"""
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return any(word in name.lower() for word in RUNS_ON)
    return False
