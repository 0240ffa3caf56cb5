"""What blocks: which calls hold up whoever makes them, which of those a coroutine makes, and how they are handed on.

`blocks` speaks of any call. `report` is the check of all rules that tell of blocking calls in coroutines.
"""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator
from pathlib import PurePath

from ..knowledge.blocking import CALLS, NEVER, WAITS_FOR, Argument, Blocking, Named
from ..knowledge.locks import THREAD_LOCKS
from ..knowledge.names import THREADS
from ..knowledge.task_scopes import CANCEL_SCOPES
from ..knowledge.tasks import AWAITING
from ..module import Module
from ..needs import Needs, calls
from ..rule import Edit, Fix, Hole, Report, Symbol, replace, replace_argument
from ..scopes import FUNCTIONS
from ..signs.callers import made_by_coroutines
from ..tuples import NamedTuple
from .callbacks import is_callback
from .circumstances import CIRCUMSTANCES, passed
from .coroutines import runs_by_hand, runs_on_the_loop
from .possible import Possible
from .testcode import is_test

CONFIGURED = Blocking("AIO115")
# What is told of tests, too: it is as easily awaited. All else holds up nobody but the test that waits for it.
IN_TESTS = frozenset({"AIO101", "AIO107", "AIO115"})
NEEDS_ASYNC = "`await` needs an `async def` around it (see AIO401)"
TABLE = calls(CALLS)
IN_A_THREAD = "it will run in another thread, and other tasks in the meantime"


def blocking(*codes: str) -> Needs:
    """The needs of a rule that speaks of the calls that the tables have under these codes, made by coroutines."""
    return made_by_coroutines(blocking_calls(codes))


def blocking_calls(codes: Container[str]) -> Needs:
    """The needs of calls that the tables have under these codes, whoever makes them."""
    return calls(name for name, entry in CALLS.items() if entry.code in codes)


class Blocks(NamedTuple):
    """A call that holds up whoever makes it: the qualified name of what is called, and what the tables say of it."""

    name: str
    entry: Blocking

    @property
    def code(self) -> str:
        """The code of the rule that speaks of such calls."""
        return self.entry.code

    @property
    def called(self) -> str:
        """What is called, as people write it."""
        return f"`{self.name.removeprefix('builtins.')}()`"


def blocks(call: ast.Call, module: Module) -> Blocks | None:
    """What a call blocks on; None: it does not, or nobody knows. Asked of calls in plain functions, too.

    A call that is awaited gives something to await, and does not block.
    """
    known = module.analysis(_Known).blocks
    if call not in known:
        known[call] = _blocks(call, module)
    return known[call]


def candidates(module: Module) -> list[ast.Call]:
    """The calls that may block, by the name of what is called."""
    return module.analysis(_Known).candidates


class _Known:
    """What the calls of one Module block on, as far as that was asked."""

    def __init__(self, module: Module) -> None:
        self.blocks: dict[ast.Call, Blocks | None] = {}
        self.candidates = [call for call in module.nodes(ast.Call) if _may_block(call, module)]


def _may_block(call: ast.Call, module: Module) -> bool:
    return not isinstance(call.func, ast.Attribute) or call.func.attr in module.analysis(_Words).possible


def _blocks(call: ast.Call, module: Module) -> Blocks | None:
    if not _may_block(call, module) or is_awaited(call, module):
        return None
    settings = module.settings
    if settings.blocking or settings.not_blocking:
        name = _qualified(call, module)
        if name and _listed(name, settings.not_blocking):
            return None
        if name and (listed := _listed(name, settings.blocking)):
            return Blocks(listed, CONFIGURED)
    name = module.callee(call)
    if name is None:
        return None
    entry = CALLS.get(name)
    if entry is None and name not in NEVER:
        entry = CALLS.get(f"{name.rpartition('.')[0]}.*")
    if entry is None or not _applies(entry, call, module):
        return None
    asked = CIRCUMSTANCES.get(entry.code)
    return Blocks(name, entry) if asked is None or asked(call, name, module) else None


def _applies(entry: Blocking, call: ast.Call, module: Module) -> bool:
    """Does this call of it block, with the arguments that it has?"""
    if any(_is(unless, call, module) or _has_flag(unless, call, module) for unless in entry.unless):
        return False
    if entry.given is not None and not _is(entry.given, call, module):
        return False
    return not (entry.hints and module.analysis(_Words).hint(entry.hints))


def _is(wanted: Argument, call: ast.Call, module: Module) -> bool:
    """Does a call have this argument (with one of the wanted values, if there are any)?"""
    value = passed(wanted, call)
    match value:
        case None:
            return False
        case ast.Constant(value=constant):
            if wanted.values:
                return any(type(constant) is type(v) and constant == v for v in wanted.values)
            return constant is not None
    if not wanted.values:
        return True
    name = module.name(value)
    return name is not None and any(isinstance(v, Named) and v == name for v in wanted.values)


def _has_flag(wanted: Argument, call: ast.Call, module: Module) -> bool:
    """Is one of the wanted values among those that an argument is made of: `A | B`?"""
    todo = [passed(wanted, call)]
    while todo:
        match todo.pop():
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                todo += [left, right]
            case ast.expr() as flag:
                if any(isinstance(v, Named) and v == module.name(flag) for v in wanted.values):
                    return True
    return False


class _Words:
    """The words of one Module, as far as they tell what may block at all."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.possible = Possible(TABLE, module, (name.rpartition(".")[2] for name in module.settings.blocking))
        self._said: set[str] | None = None

    def hint(self, hints: tuple[str, ...]) -> bool:
        """Does the file have one of these names, or a string that begins so?"""
        if self._said is None:
            self._said = set(self._words())
        return not self._said.isdisjoint(hints)

    def _words(self) -> Iterator[str]:
        for name in self.module.nodes(ast.Name):
            yield name.id
        for attribute in self.module.nodes(ast.Attribute):
            match attribute.attr, self.module.parent(attribute):
                case "settimeout", ast.Call(args=[ast.Constant(value=int(seconds) | float(seconds))]) if seconds > 0:
                    pass  # it blocks for so long
                case attr, _:
                    yield attr
        for constant in self.module.nodes(ast.Constant):
            if isinstance(constant.value, str):
                beginning, colon, _ = constant.value.partition(":")
                yield beginning + colon


def _qualified(call: ast.Call, module: Module) -> str | None:
    """The name of what is called as others would import it, from a file that may be anywhere in its package."""
    name = module.callee(call)
    if name is not None and not name.startswith("."):
        return name
    path = PurePath(module.path)
    if name is not None:
        level = len(name) - len(name.lstrip("."))
        return ".".join((*path.parts[: len(path.parts) - level], name.lstrip(".")))
    definition = module.definition(call.func)
    if definition is None:
        return None
    owner = module.class_of(definition)
    inner = [owner.name, definition.name] if owner else [definition.name]
    if module.function(owner or definition) is not None:
        return None
    return ".".join((*path.parts[:-1], *([] if path.stem == "__init__" else [path.stem]), *inner))


def _listed(name: str, names: frozenset[str]) -> str | None:
    """The one among these names that a file's own idea of a name, which may begin with folders, stands for."""
    return next((listed for listed in names if name == listed or name.endswith(f".{listed}")), None)


def is_awaited(call: ast.Call, module: Module) -> bool:
    """Is what this call gives awaited, so that it gives something to await (or is meant to)?"""
    node: ast.AST = call
    around = module.parent(node)
    while isinstance(around, (ast.IfExp, ast.BoolOp, ast.NamedExpr)):
        node, around = around, module.parent(around)
    if isinstance(around, (ast.Await, ast.YieldFrom)):
        return True
    return (
        isinstance(around, ast.Call)
        and (node in around.args)
        and module.callee(around) in AWAITING
        and (node is around.args[0] or module.callee(around) == "asyncio.gather")
    )


class _InCoroutines:
    """The blocking calls that the coroutines of one Module make themselves, by the code of the rule for them."""

    def __init__(self, module: Module) -> None:
        self.found: dict[str, list[tuple[ast.Call, Blocks]]] = {}
        generators = any(f.decorator_list and runs_on_the_loop(f, module) for f in module.nodes(ast.FunctionDef))
        if not generators and not module.nodes(ast.AsyncFunctionDef):
            return
        if module.analysis(runs_by_hand):
            return
        for call in candidates(module):
            function = module.function(call)
            if not isinstance(function, ast.AsyncFunctionDef) and not (
                generators and runs_on_the_loop(function, module)
            ):
                continue
            blocking = blocks(call, module)
            if blocking and not is_callback(call, module) and not is_dead(call, module):
                self.found.setdefault(blocking.code, []).append((call, blocking))


def is_dead(node: ast.AST, module: Module) -> bool:
    """Does this code stand under a condition that is a constant, or one of the file, and false (`if IS_SYNC:`)?"""
    for around in module.ancestors(node):
        if isinstance(around, ast.If) and node is not around.test:
            test, runs = around.test, node in around.body
            while isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
                test, runs = test.operand, not runs
            value = module.only_value(test) or test
            if isinstance(value, ast.Constant) and bool(value.value) is not runs:
                return True
        node = around
    return False


def report(code: str, module: Module, *, unsafe: str = IN_A_THREAD) -> Iterator[Report]:
    """The check of the rule `code`: each such call that a coroutine makes itself, and how a thread can make it.

    `unsafe` is why somebody should look at the fix; empty: it is safe.
    """
    for call, blocking in module.analysis(_InCoroutines).found.get(code, ()):
        if code not in IN_TESTS and is_test(call, module):
            continue
        refused = refusal(call, blocking.entry.bound, module)
        fix = None if refused else in_a_thread(call, module, unsafe=unsafe)
        yield Report(call, _message(blocking), fix, refused)


def _message(blocking: Blocks) -> str:
    if blocking.entry is CONFIGURED:
        return f"{blocking.called} blocks the event loop, as the configuration says"
    message = f"{blocking.called} blocks the event loop, waiting for {WAITS_FOR[blocking.code]}"
    instead = blocking.entry.instead
    shown = instead if "`" in instead else f"`{instead}`"
    return f"{message}; {shown} does not" if instead else message


def refusal(call: ast.Call, bound: str, module: Module) -> str:
    """Why a coroutine cannot have a thread make this call; empty: it can."""
    if bound:
        return bound
    if module.coroutine(call) is None:
        return NEEDS_ASYNC
    if library(module) not in THREADS:
        return f"{library(module)} has its own way to run things in threads"
    for around in module.ancestors(call):
        if isinstance(around, FUNCTIONS):
            break
        if isinstance(around, ast.ClassDef):
            return "an `await` cannot stand in the body of a class"
        if isinstance(around, ast.GeneratorExp):
            return "an `await` would make a generator expression asynchronous, which not everything can iterate"
    return ""


def library(module: Module) -> str:
    """The library whose event loop the file runs under. anyio's functions work under asyncio and trio alike."""
    return "anyio" if "anyio" in module.packages() else module.other_loop() or "asyncio"


def in_a_thread(call: ast.Call, module: Module, *, unsafe: str = IN_A_THREAD) -> Fix:
    """The fix `f(x)` → `await asyncio.to_thread(f, x)`, or what the file's library has for it."""
    run = THREADS[library(module)]
    keywords = bool(call.keywords) and run != THREADS["asyncio"]
    whole: Edit
    if keywords:  # `run_sync(functools.partial(f, x, y=z))`
        whole = replace(call, "await {run}({call})", run=Symbol(run), call=call)
        run = "functools.partial"
    else:
        whole = replace(call, "await {call}", call=call)
    reasons = "; ".join(filter(None, (unsafe, stands_in(call, module))))
    if (call.args or call.keywords) and (function := _dotted(call.func)):
        edits = [whole, replace(call.func, "{run}", run=Symbol(run)), _with_first(function, call)]
        return Fix(*edits, unsafe=reasons)
    return Fix(_rewritten(call, run, keywords, THREADS[library(module)]), unsafe=reasons)


def _dotted(function: ast.expr) -> str | None:
    """A name or an attribute of one, as text on one line."""
    node = function
    while isinstance(node, ast.Attribute):
        node = node.value
    single = function.lineno == function.end_lineno
    return ast.unparse(function) if isinstance(node, ast.Name) and single else None


def _with_first(function: str, call: ast.Call) -> Edit:
    """Put the function in front of a call's first argument, on a line of its own where that has one."""
    places: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    first = min(places, key=lambda argument: (argument.lineno, argument.col_offset))
    gap = ",\n" if first.lineno > (call.func.end_lineno or call.func.lineno) else ", "
    match first:
        case ast.keyword(arg=str(name), value=value):
            return replace_argument(first, f"{function}{gap}{name}={{value}}", value=value)
        case ast.keyword(value=value):
            return replace_argument(first, f"{function}{gap}**{{value}}", value=value)
        case ast.Starred(value=value):
            return replace_argument(first, f"{function}{gap}*{{value}}", value=value)
        case ast.expr():
            return replace_argument(first, f"{function}{gap}{{value}}", value=first)


def _rewritten(call: ast.Call, run: str, partial: bool, outer: str) -> Edit:
    """The whole call anew, where its function is not just a name, or it has no arguments."""
    filling: dict[str, Hole] = {"run": Symbol(run), "outer": Symbol(outer), "function": call.func}
    parts = ["{function}"]
    for number, argument in enumerate(call.args):
        star = "*" if isinstance(argument, ast.Starred) else ""
        filling[f"a{number}"] = argument.value if isinstance(argument, ast.Starred) else argument
        parts.append(f"{star}{{a{number}}}")
    for number, keyword in enumerate(call.keywords):
        filling[f"k{number}"] = keyword.value
        parts.append(f"{keyword.arg}={{k{number}}}" if keyword.arg else f"**{{k{number}}}")
    inner = f"{{run}}({', '.join(parts)})"
    if not partial:
        del filling["outer"]
        return replace(call, f"await {inner}", **filling)
    return replace(call, f"await {{outer}}({inner})", **filling)


def stands_in(call: ast.Call, module: Module) -> str:
    """Why it matters that the task would await here: what this call stands in; empty: it does not."""
    return _lock_around(call, module) or _limit_around(call, module)


def _limit_around(call: ast.Call, module: Module) -> str:
    """Why the task must not be cancelled at this call: the block around it may, and what follows would be left out."""
    function = module.function(call)
    for block in module.ancestors(call, below=function):
        for item in block.items if isinstance(block, (ast.With, ast.AsyncWith)) else ():
            limit = item.context_expr
            if isinstance(limit, ast.Call) and module.callee(limit) in CANCEL_SCOPES:
                return f"`{ast.unparse(limit.func)}()` could end it, and what comes after it in the block would not run"
    return ""


def _lock_around(call: ast.Call, module: Module) -> str:
    """Why another task must not run during this call: what is held around it may be a thread's lock."""
    function = module.function(call)
    for around in module.ancestors(call, below=function):
        for held in (*_taken_before(around, module), *_held(around)):
            kind = module.type_of(held)
            if kind in THREAD_LOCKS or (kind is None and isinstance(held, (ast.Name, ast.Attribute))):
                return f"`{ast.unparse(held)}` would be held while other tasks run, and whoever waits for it stops them"
    return ""


def _taken_before(statement: ast.AST, module: Module) -> Iterator[ast.expr]:
    """What was taken by hand before a statement of the same block, and not let go of: `lock.acquire()`."""
    taken: dict[str, ast.expr] = {}
    for before in module.above(statement):
        match before:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=held, attr="acquire"))):
                taken[ast.unparse(held)] = held
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=held, attr="release"))):
                taken.pop(ast.unparse(held), None)
    yield from taken.values()


def _held(around: ast.AST) -> Iterator[ast.expr]:
    """What a statement holds that may be a lock: `with x:`, `try: … finally: x.release()`."""
    match around:
        case ast.With(items=items):
            yield from (item.context_expr for item in items)
        case ast.Try(finalbody=statements):
            for statement in statements:
                match statement:
                    case ast.Expr(value=ast.Call(func=ast.Attribute(value=held, attr="release"))):
                        yield held
