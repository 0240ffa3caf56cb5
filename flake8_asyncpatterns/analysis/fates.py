"""What becomes of a value that nobody awaits, keeps, returns or hands on."""

from __future__ import annotations

import ast
from itertools import takewhile
from typing import TYPE_CHECKING, Literal, TypeAlias

from ..knowledge.coroutines import ASKS_KIND, ASSERTS, COROUTINE_ATTRIBUTES, EXPECTS_FAILURE, LOOKS_AT
from ..scopes import FUNCTIONS
from ..tuples import NamedTuple

if TYPE_CHECKING:
    from ..module import Module

# Thrown away; tested for truth or compared; used as a value of another kind; asked for its kind.
Fate: TypeAlias = Literal["dropped", "tested", "misused", "asked"]

# Words of names that say in which of two worlds code runs that is written, or generated, for both.
WORLDS = frozenset({"async", "asynchronous", "asyncio", "sync", "synchronous"})
FLAG_WORDS = WORLDS | {"enabled", "has", "in", "is", "mode", "not", "run", "running", "use"}

LOOK = frozenset(name.rpartition(".")[2] for name in LOOKS_AT | ASKS_KIND)
# What a value that stands right in it is awaited, returned or handed on by: most are.
RIGHT = frozenset({ast.Await, ast.Return, ast.keyword, ast.Dict, ast.Lambda, ast.Yield, ast.YieldFrom})

# A variable that is used more often is used in a way that is right.
MANY = 20


class End(NamedTuple):
    """Where a coroutine ends that nobody awaits: its fate, the node that decides it, and that in words."""

    fate: Fate
    node: ast.AST
    words: str


def end(value: ast.expr, module: Module, *, through_names: bool = True) -> End | None:
    """What becomes of a value, where that is not awaited, kept, returned or handed on; None: it may be."""
    parent = module.parent(value)
    if type(parent) in RIGHT:
        return None
    match parent:
        case ast.Expr():
            return End("dropped", parent, "is thrown away")
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) | ast.Assert(test=test) if test is value:
            return End("tested", parent, "is tested")
        case ast.UnaryOp(op=ast.Not()):
            return End("tested", parent, "is tested")
        case ast.comprehension(ifs=tests) if any(test is value for test in tests):
            return End("tested", parent, "is tested")
        case ast.BoolOp(op=operator, values=values) if values[-1] is not value:
            # What `or` finds true it gives on.
            given_on = isinstance(operator, ast.Or) and isinstance(module.parent(parent), ast.Await)
            return None if given_on else End("tested", parent, "is tested")
        case ast.BoolOp() | ast.IfExp():
            match module.parent(parent):
                case ast.BoolOp(op=ast.Or()):  # `a and b or c`
                    return None
            return end(parent, module, through_names=through_names)
        case ast.NamedExpr():
            around = end(parent, module, through_names=through_names)
            return around if around and around.fate == "tested" else None
        case ast.Compare():
            return End("tested", parent, "is compared")
        case ast.Tuple() | ast.List() | ast.Set() if isinstance(module.parent(parent), ast.Expr):
            return End("dropped", parent, "is thrown away")
        case ast.ListComp(elt=element) | ast.SetComp(elt=element) | ast.GeneratorExp(elt=element) if element is value:
            return _end_of_elements(parent, module)
        case ast.Call():
            return _end_of_argument(value, parent, module)
        case ast.Assign(targets=[ast.Name() as target]) | ast.AnnAssign(target=ast.Name() as target):
            return _end_of_variable(target, module) if through_names else None
    return _misused(value, parent)


def _misused(value: ast.expr, parent: ast.AST | None) -> End | None:
    words = ""
    match parent:
        case ast.Attribute(attr=name) if name not in COROUTINE_ATTRIBUTES and not name.startswith("__"):
            words = f"is asked for `.{name}`"
        case ast.Subscript(value=of) if of is value:
            words = "is subscripted"
        case ast.BinOp() | ast.AugAssign() | ast.UnaryOp():
            words = "is calculated with"
        case ast.FormattedValue():
            words = "is put into a string"
        case ast.For(iter=of) | ast.AsyncFor(iter=of) | ast.comprehension(iter=of) if of is value:
            words = "is iterated over"
        case ast.Starred():
            words = "is iterated over"
        case ast.Assign(targets=[ast.Tuple() | ast.List()]):
            words = "is unpacked"
        case ast.withitem():
            words = "is entered"
    return End("misused", parent, words) if parent and words else None


def _end_of_elements(elements: ast.ListComp | ast.SetComp | ast.GeneratorExp, module: Module) -> End | None:
    match module.parent(elements):
        case ast.Expr() as statement:
            return End("dropped", statement, "is thrown away")
        case ast.Call(args=[only]) as call if only is elements:
            if module.callee(call) in ("builtins.any", "builtins.all"):
                return End("tested", call, "is tested")
    return None


def _end_of_argument(value: ast.expr, call: ast.Call, module: Module) -> End | None:
    if call.func is value:
        return End("misused", call, "is called")
    match call.func:
        case ast.Attribute(value=ast.Constant(value=str()), attr="format" | "join"):
            return End("misused", call, "is put into a string")
        case ast.Attribute(attr=method) if method in ASSERTS:
            given = module.owner(call.func) and any(value is argument for argument in call.args[: ASSERTS[method]])
            return End("tested", call, f"is given to `{method}`") if given else None
        case ast.Attribute(attr=method) if method not in LOOK:
            return None  # (of what type its receiver is would take longer to find out)
    name = module.callee(call)
    if name is None or name == "builtins.bool":
        return End("tested", call, "is tested") if name else None
    words = f"is only given to `{name.rpartition('.')[2]}`"
    if name in ASKS_KIND:
        return End("asked", call, words)
    return End("misused", call, words) if name in LOOKS_AT else None


def _end_of_variable(target: ast.Name, module: Module) -> End | None:
    """What becomes of a local variable, where all of its uses are as wrong."""
    uses = [use for use in module.uses(target) if not isinstance(use.ctx, ast.Store)]
    if len(uses) > MANY:
        return None
    wrong = [*takewhile(_is_wrong, (end(use, module, through_names=False) for use in uses))]
    if len(wrong) < len(uses):
        return None
    function = module.function(target)
    if function is None or module.class_of(target) or module.declarations(target) or _reads_locals(function, module):
        return None
    if not uses:
        return End("dropped", target, f"is put into `{target.id}`, which nobody reads")
    if len(module.bindings(target) or ()) != 1 or any(isinstance(use.ctx, ast.Del) for use in uses):
        return None
    first = min(filter(None, wrong), key=lambda e: getattr(e.node, "lineno", target.lineno))
    return End("misused", first.node, f"is put into `{target.id}`, which {first.words}")


def _is_wrong(found: End | None) -> bool:
    return found is not None and found.fate in ("tested", "misused")


def _reads_locals(function: ast.AST, module: Module) -> bool:
    """May this function read its variables by other ways than their names?"""
    return any(
        module.function(n) is function for name in ("locals", "vars", "exec", "eval") for n in module.spelled(name)
    )


def is_deliberate(node: ast.AST, module: Module) -> bool:
    """Is this code in which a coroutine may rightly stay without an `await`?

    So is what is expected to go wrong, and what runs only in the other one of two worlds: where code is written, or
    generated, for coroutines and plain functions alike.
    """
    inner, same_function = node, True
    for around in module.ancestors(node):
        match around:
            case ast.With() | ast.AsyncWith() if same_function:
                if any(expects_failure(item.context_expr) for item in around.items):
                    return True
            case ast.If(test=test) | ast.IfExp(test=test) if inner is not test:
                if _asks_which_world(test) or is_ruled_out(inner, around, module):
                    return True
            case ast.BoolOp(values=values):
                if any(_asks_which_world(value) for value in values):
                    return True
            case ast.FunctionDef():
                if _enters_both_ways(around, module):
                    return True
        if any(map(_leaves_one_world, module.above(inner))):
            return True
        same_function = same_function and not isinstance(around, FUNCTIONS)
        inner = around
    return False


def _enters_both_ways(method: ast.FunctionDef, module: Module) -> bool:
    """Is this the plain half of a class for both worlds, whose methods are made plain ones where there is no loop?"""
    cls = module.class_of(method) if method.name in ("__enter__", "__exit__") else None
    return cls is not None and any(isinstance(f, ast.AsyncFunctionDef) and f.name == "__aenter__" for f in cls.body)


def expects_failure(manager: ast.expr) -> bool:
    """Does this context manager expect what is in it to raise, or to warn?"""
    match manager:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in EXPECTS_FAILURE
    return False


def _asks_which_world(test: ast.expr) -> bool:
    """Does a condition ask whether it runs in asyncio, or whether a function is a coroutine function?"""
    for node in ast.walk(test):
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        lowered = name.lower().strip("_")
        words = set(lowered.split("_"))
        if (words & WORLDS and words <= FLAG_WORDS) or "coroutine" in lowered or "awaitable" in lowered:
            return True
        if name == "TYPE_CHECKING" or name.startswith(("Async", "Sync")):
            return True
    return False


def is_ruled_out(branch: ast.AST, around: ast.If | ast.IfExp, module: Module) -> bool:
    """Is this a branch that a constant of the file rules out?"""
    constant = _constant(around.test, module)
    if constant is None:
        return False
    never = around.orelse if constant else around.body
    return any(s is branch for s in never) if isinstance(never, list) else never is branch


def _constant(test: ast.expr, module: Module) -> bool | None:
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            constant = _constant(operand, module)
            return None if constant is None else not constant
        case ast.Name():
            value = module.only_value(test)
            return value.value if isinstance(value, ast.Constant) and isinstance(value.value, bool) else None
        case ast.Constant(value=bool(value)):
            return value
    return None


def _leaves_one_world(statement: ast.stmt) -> bool:
    """`if is_sync: …; return`: what follows runs in the other world."""
    return (
        isinstance(statement, ast.If)
        and isinstance(statement.body[-1], (ast.Return, ast.Raise, ast.Continue, ast.Break))
        and _asks_which_world(statement.test)
    )
