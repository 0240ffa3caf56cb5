"""What is handed to whom to be called later, what is known of it, and how its call is written somewhere else."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from ..flow import LOOPS, says_nothing, within
from ..knowledge.callbacks import RECEIVERS, RESULTS, UNMISTAKABLE, Receiver
from ..knowledge.decorators import SAME_RESULT
from ..knowledge.tasks import TAKES_COROUTINES
from ..module import Module
from ..needs import Need, calls, either, words
from ..reference import reference
from ..rule import Hole
from ..scopes import COMPREHENSIONS
from ..tuples import NamedTuple
from .coroutines import Coroutines, given_by

METHODS = frozenset(name.rpartition(".")[2] for name in RECEIVERS)
# What stands in a file that hands a callback over.
HANDED = either(calls(RECEIVERS), (Need((words(*UNMISTAKABLE),)),))
COROUTINE = "a coroutine"
ALIAS_DEPTH = 4


class Handed(NamedTuple):
    """A call that hands a callback over: `loop.call_later(1, work, x)`."""

    call: ast.Call
    receiver: Receiver
    name: str  # of what is called, without its owner
    callback: ast.expr
    place: ast.expr | ast.keyword  # the argument that the callback is, or stands in
    rest: list[ast.expr]  # the positional arguments after it

    @property
    def owner(self) -> ast.expr | None:
        """What the callback is handed to: the loop, the future, the pool."""
        return self.call.func.value if isinstance(self.call.func, ast.Attribute) else None

    def keyword(self, name: str) -> ast.keyword | None:
        """The keyword argument of this name."""
        return next((k for k in self.call.keywords if k.arg == name), None)


def handed(call: ast.Call, module: Module) -> Handed | None:
    """The callback that a call hands over; None: it is no such call, or its arguments cannot be told apart."""
    name = _receiver(call, module)
    if name is None:
        return None
    receiver, short = RECEIVERS[name], name.rpartition(".")[2]
    at = receiver.position
    if any(isinstance(a, ast.Starred) for a in call.args[: at + 1]):
        return None
    if len(call.args) > at:
        return Handed(call, receiver, short, call.args[at], call.args[at], call.args[at + 1 :])
    found = next((k for k in call.keywords if k.arg == receiver.keyword), None) if receiver.keyword else None
    return Handed(call, receiver, short, found.value, found, []) if found else None


def _receiver(call: ast.Call, module: Module) -> str | None:
    function = call.func
    if isinstance(function, ast.Attribute) and function.attr not in METHODS:
        return None
    name = module.callee(call)
    if name in RECEIVERS:
        return name
    if name is None and isinstance(function, ast.Attribute) and function.attr in UNMISTAKABLE:
        own = any(f.name == function.attr for f in module.nodes(ast.FunctionDef, ast.AsyncFunctionDef))
        return None if own else UNMISTAKABLE[function.attr]
    return None


def is_callback(node: ast.expr, module: Module) -> bool:
    """Does this expression stand where a callback is handed over?"""
    around = module.parent(node)
    call = module.parent(around) if isinstance(around, ast.keyword) else around
    found = handed(call, module) if isinstance(call, ast.Call) else None
    return found is not None and found.callback is node


def result(call: ast.Call, module: Module) -> str | None:
    """What a call gives, if that surely is nothing that can be called; None: unknown."""
    if given_by(call, module) == "coroutine":
        return COROUTINE
    name = module.callee(call)
    if name in RESULTS:
        return RESULTS[name]
    function = module.definition(call.func) if name is None else None
    if function is None:
        named = reference(call.func, module) if module.project else None
        return "None" if named and module.project and module.project.gives_nothing(named) else None
    if not isinstance(function, ast.FunctionDef):
        return None
    plain = all(module.name(decorator) in SAME_RESULT for decorator in function.decorator_list)
    return "None" if plain and returns_nothing(function, module) else None


def returns_nothing(function: ast.FunctionDef, module: Module) -> bool:
    """Is what the code of a function returns surely None, whoever may replace it?"""
    if module.is_generator(function) or isinstance(function.body[-1], ast.Raise):
        return False
    if all(says_nothing(statement) for statement in function.body):
        return False
    if function.returns is not None and not _names_nothing(function.returns):
        return False
    returned = (node.value for node in module.returns(function))
    return all(value is None or (isinstance(value, ast.Constant) and value.value is None) for value in returned)


def _names_nothing(annotation: ast.expr) -> bool:
    match annotation:
        case ast.Constant(value=None | "None" | "NoReturn" | "Never"):
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in ("NoReturn", "Never")
    return False


def gives_coroutine(callback: ast.expr, module: Module, depth: int = 0) -> ast.expr | None:
    """The coroutine function behind a callback that surely gives a coroutine when it is called.

    Looks through `functools.partial`, lambdas and plain aliases.
    """
    if depth > ALIAS_DEPTH:
        return None
    match callback:
        case ast.Lambda(body=ast.Call() as call):
            return call.func if result(call, module) == COROUTINE else None
        case ast.Call(args=[ast.expr() as first, *_]) if is_partial(callback, module):
            return gives_coroutine(first, module, depth + 1)
        case ast.Name() | ast.Attribute():
            if module.analysis(Coroutines).of_expression(callback) == "coroutine":
                return callback
            value = module.only_value(callback)
            return gives_coroutine(value, module, depth + 1) if value is not None else None
    return None


def is_partial(call: ast.Call, module: Module) -> bool:
    """Is this `functools.partial(f, …)`?"""
    return module.callee(call) == "functools.partial"


def awaited_later(call: ast.Call, module: Module) -> bool:
    """Is what comes back from a thread awaited after all: `create_task(await to_thread(f))`, `x = await …; await x`?"""
    back = module.parent(call)
    if not isinstance(back, ast.Await):
        return False
    match module.parent(back):
        case ast.Assign(targets=[ast.Name() as target]) | ast.NamedExpr(target=target):
            return any(_is_run(use, module) for use in module.uses(target))
    return _is_run(back, module)


def _is_run(coroutine: ast.expr, module: Module) -> bool:
    """Is a coroutine awaited right where it stands, or handed to what runs it?"""
    around = module.parent(coroutine)
    if isinstance(around, ast.Call):
        return coroutine in around.args and module.callee(around) in TAKES_COROUTINES
    return isinstance(around, ast.Await)


def lasting(callback: ast.expr, module: Module, bound: Iterable[str] = ()) -> bool:
    """Does this callback, or this call of one, mean the same when it is evaluated later?

    It does with constants, names that are bound only once, and what a module or a class of the file defines.
    Other attributes may have another value by then; those that lead to the function itself are taken to be settled.
    `bound` are names that need not last.
    """
    settled = set(_path(_function(callback, module)))
    for part in within(callback):
        match part:
            case ast.Name(ctx=ast.Load()):
                if part.id not in bound and not _stays(part, callback, module):
                    return False
            case ast.Attribute() if part not in settled:
                if module.name(part) is None and module.definition(part) is None:
                    return False
            case ast.Await() | ast.Yield() | ast.YieldFrom() | ast.NamedExpr() | ast.Subscript():
                return False
            case ast.Call() if part is not callback:
                return False
    return True


def is_path(node: ast.expr) -> bool:
    """Is this a name, or an attribute of one?"""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _function(callback: ast.expr, module: Module) -> ast.expr:
    if not isinstance(callback, ast.Call):
        return callback
    return callback.args[0] if is_partial(callback, module) and callback.args else callback.func


def _path(node: ast.expr) -> Iterator[ast.expr]:
    while isinstance(node, ast.Attribute):
        yield node
        node = node.value


def _in_loop(binding: ast.AST, use: ast.AST, module: Module) -> bool:
    """May this binding be made again before a callback that uses it runs?"""
    around = set(module.ancestors(binding))
    if module.function(binding) is not module.function(use):
        return any(isinstance(a, LOOPS) for a in around)
    return any(a in around and isinstance(a, (*LOOPS, *COMPREHENSIONS)) for a in module.ancestors(use))


def changing(callback: ast.expr, module: Module) -> list[str]:
    """The variables in this code that may mean something else, or nothing any more, when it is evaluated later."""
    loaded = (part for part in within(callback) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load))
    return list(dict.fromkeys(name.id for name in loaded if not _stays(name, callback, module)))


def _stays(name: ast.Name, callback: ast.expr, module: Module) -> bool:
    """Does this name mean the same when the code around it is evaluated later?"""
    bindings = module.bindings(name) or []
    if not bindings or all(callback in module.ancestors(binding) for binding in bindings):
        return True
    return not (
        len(bindings) > 1
        or module.declarations(name)
        or _in_loop(bindings[0], name, module)
        or isinstance(bindings[0], ast.ExceptHandler)
        or any(isinstance(use.ctx, ast.Del) for use in module.uses(name))
        or (module.class_of(name) is not None and module.class_of(bindings[0]) is not None)
    )


class Template(NamedTuple):
    """A piece of a template, with what fills it."""

    text: str
    holes: dict[str, Hole]


def arguments(prefix: str, positional: Iterable[ast.expr], keywords: Iterable[ast.keyword] = ()) -> Template:
    """The template of a list of arguments, its holes named after `prefix`."""
    filled: dict[str, Hole] = {}
    texts = list(_arguments(prefix, positional, keywords, filled))
    return Template(", ".join(texts), filled)


def _arguments(
    prefix: str, positional: Iterable[ast.expr], keywords: Iterable[ast.keyword], filled: dict[str, Hole]
) -> Iterator[str]:
    for number, argument in enumerate(positional):
        name = f"{prefix}{number}"
        filled[name] = argument
        yield f"{{{name}}}"
    for number, keyword in enumerate(keywords):
        name = f"{prefix}k{number}"
        filled[name] = keyword.value
        yield f"{keyword.arg}={{{name}}}" if keyword.arg else f"**{{{name}}}"


def invocation(
    callback: ast.expr, positional: Iterable[ast.expr], keywords: Iterable[ast.keyword], module: Module
) -> Template:
    """The template of a call of this callback; a `functools.partial` right there is taken apart."""
    function, before, named = callback, [], []
    if isinstance(callback, ast.Call) and is_partial(callback, module):
        function, *before = callback.args
        named = callback.keywords
    inner = arguments("a", [*before, *positional], [*named, *keywords])
    return Template(f"{{f}}({inner.text})", {"f": function, **inner.holes})
