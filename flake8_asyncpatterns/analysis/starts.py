"""Where code runs as seen from the event loop: under it, surely before it, and where a file starts it by hand."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..flow import LOOPS
from ..knowledge.loops import SETS_THE_LOOP
from ..tuples import NamedTuple
from .coroutines import runs_on_the_loop

if TYPE_CHECKING:
    from ..module import Module

GET, NEW, SET = "asyncio.get_event_loop", "asyncio.new_event_loop", "asyncio.set_event_loop"
NAMES = frozenset(name.rpartition(".")[2] for name in (GET, NEW, SET))
RUNS = frozenset({"run_until_complete", "run_forever"})
# Coroutines by which a loop is wound up before it is closed; `asyncio.run` does so, too.
WINDS_UP = frozenset({"shutdown_asyncgens", "shutdown_default_executor"})
FIXTURES = frozenset({"pytest.fixture", "pytest.yield_fixture"})
UNKNOWN = "?"


def in_coroutine(node: ast.AST, module: Module) -> bool:
    """Does `node` run in a coroutine, be it a generator of old, and so under a running loop?"""
    return runs_on_the_loop(module.function(node), module)


class Start(NamedTuple):
    """A loop that one run is all that it is there for.

    `made` is the call that gives it, `run` that of `run_until_complete`, and `needless` are the statements that
    `asyncio.run` does without.
    """

    made: ast.Call
    run: ast.Call
    needless: list[ast.stmt]


class Starts:
    """All that a Module does to start an event loop: `module.analysis(Starts)`."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.by_hand: dict[ast.Call, Start] = {}
        self._outside: dict[ast.AST, bool] = {}
        self._called: dict[str, list[ast.expr]] | None = None
        # Somebody in the file sees to it that `get_event_loop` has one to give.
        self.sets_a_loop = bool(module.packages() & SETS_THE_LOOP)
        self._runs: list[ast.Call] = []
        self.asked: list[ast.Call] = []  # calls of `get_event_loop`
        made = []
        for call in module.nodes(ast.Call):
            match call.func:
                case ast.Name(id=name) | ast.Attribute(attr=name):
                    if name in RUNS:
                        self._runs.append(call)
                    elif name in NAMES or isinstance(call.func, ast.Name):
                        qualified = module.callee(call)
                        if qualified in (GET, NEW):
                            made.append(call)
                            self.asked += [call] if qualified == GET else []
                        elif qualified == SET and not _is_none(call):
                            self.sets_a_loop = True
        for call in made:
            start = self._start(call)
            if start:
                self.by_hand[call] = start

    def before(self, call: ast.Call) -> bool:
        """Does no loop run yet, and is none set, where this call of `get_event_loop` is made?"""
        if self.sets_a_loop or self._is_ready_for_none(call) or self._is_anothers(call):
            return False
        function = self.module.function(call)
        if function is None:
            return True
        if (
            isinstance(function, ast.Lambda)
            or in_coroutine(call, self.module)
            or _takes_fixtures(function, self.module)
        ):
            return False
        return self._is_run(call) or self._is_outside(function)

    def _is_ready_for_none(self, call: ast.Call) -> bool:
        """Is what `get_event_loop` raises handled right there?"""
        inner: ast.AST = call
        for around in self.module.ancestors(call):
            match around:
                case ast.Try(body=body, handlers=handlers) if any(inner is statement for statement in body):
                    names = {name for handler in handlers for name in self._caught(handler)}
                    if names & {"builtins.RuntimeError", UNKNOWN} or (
                        names & {"builtins.Exception", ""} and len(body) == 1
                    ):
                        return True
                case ast.With(items=items) if any(
                    isinstance(item.context_expr, ast.Call)
                    and self.module.callee(item.context_expr) in ("contextlib.suppress", "pytest.raises")
                    for item in items
                ):
                    return True
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                    return False
            inner = around
        return False

    def _caught(self, handler: ast.ExceptHandler) -> Iterator[str]:
        caught = handler.type
        for one in caught.elts if isinstance(caught, ast.Tuple) else [caught]:
            yield (self.module.name(one) or UNKNOWN) if one else ""

    def _is_anothers(self, call: ast.Call) -> bool:
        """Does what is run at once need a loop already, so that code of another file must have made and set one?

        A loop that runs for ever does so for what was put on it before, a future belongs to a loop from the start.
        """
        run = self._run_at_once(call)
        return run is not None and (_method(run) == "run_forever" or self._runs_future(run))

    def _runs_future(self, run: ast.Call) -> bool:
        """Is what is run no coroutine that is called here or handed in, but was there before?"""
        match run.args:
            case [ast.Name() as given]:
                return not any(
                    isinstance(bound, ast.arg) or isinstance(self.module.value(bound), ast.Call)
                    for bound in self.module.bindings(given) or ()
                )
            case [ast.Attribute() | ast.Subscript()]:
                return True
        return False

    def _run_at_once(self, call: ast.Call) -> ast.Call | None:
        """The run of the loop that a call gives, if nothing comes in between."""
        match self.module.parent(call):
            case ast.Attribute(attr=attr) as method if attr in RUNS:
                run = self.module.parent(method)
                return run if isinstance(run, ast.Call) else None
            case ast.Assign(targets=[ast.Name(id=name)]) as statement:
                block = self.module.block(statement)
                rest = block[block.index(statement) + 1 :]
                first = rest[0].body[0] if rest and isinstance(rest[0], ast.Try) else rest[0] if rest else None
                match first:
                    case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=runs), attr=attr)) as run):
                        return run if runs == name and attr in RUNS else None
        return None

    def _is_run(self, call: ast.Call) -> bool:
        """Is the loop that a call gives run in the same function, which nobody could do under a running loop?"""
        around = self.module.parent(call)
        if isinstance(around, ast.Attribute):
            return around.attr in RUNS
        while isinstance(around, (ast.BoolOp, ast.IfExp)):
            around = self.module.parent(around)
        match around:
            case (
                ast.Assign(targets=[ast.Name() | ast.Attribute() as target])
                | ast.AnnAssign(target=ast.Name() | ast.Attribute() as target)
            ):
                function, written = self.module.function(call), ast.unparse(target)
                return any(
                    isinstance(run.func, ast.Attribute)
                    and run.func.attr in RUNS
                    and self.module.function(run) is function
                    and ast.unparse(run.func.value) == written
                    for run in self._runs
                )
        return False

    def _is_outside(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        """Is this called by nobody but what runs when the file is run as a program?"""
        if isinstance(function, ast.AsyncFunctionDef) or function.decorator_list:
            return False
        if function not in self._outside:
            self._outside[function] = False  # while it is worked out: recursion by itself starts nothing
            self._outside[function] = self._is_called_outside(function)
        return self._outside[function]

    def _is_called_outside(self, function: ast.FunctionDef) -> bool:
        mentions = [name for name in self._named(function.name) if self.module.definition(name) is function]
        return bool(mentions) and all(self._is_call_outside(mention) for mention in mentions)

    def _is_call_outside(self, mention: ast.expr) -> bool:
        call = self.module.parent(mention)
        if not isinstance(call, ast.Call) or call.func is not mention:
            return False
        caller = self.module.function(call)
        if caller is None:
            return any(
                isinstance(around, ast.If) and _is_main_test(around.test) for around in self.module.ancestors(call)
            )
        return not isinstance(caller, ast.Lambda) and self._is_outside(caller)

    def _named(self, name: str) -> list[ast.expr]:
        if self._called is None:
            self._called = {}
            for node in self.module.nodes(ast.Name, ast.Attribute):
                called = node.id if isinstance(node, ast.Name) else node.attr
                self._called.setdefault(called, []).append(node)
        return self._called.get(name, [])

    def _start(self, made: ast.Call) -> Start | None:
        """The one run that a loop is there for, if that is all."""
        if in_coroutine(made, self.module) or self._is_ready_for_none(made):
            return None
        match self.module.parent(made):
            case ast.Attribute(attr="run_until_complete") as method:
                run = self.module.parent(method)
                if isinstance(run, ast.Call) and _is_run(run, method) and not self._runs_future(run):
                    start = Start(made, run, [])
                    return start if self._is_private(start, known=False) else None
            case ast.Assign(targets=[ast.Name() as loop]) | ast.AnnAssign(target=ast.Name() as loop) as statement:
                if self.module.bindings(loop) == [loop] and not self.module.declarations(loop):
                    return self._only_run(made, loop, statement)
        return None

    def _only_run(self, made: ast.Call, loop: ast.Name, statement: ast.stmt) -> Start | None:
        needless, runs = [statement], list[ast.Call]()
        closed = known = False
        for use in self.module.uses(loop):
            if use is loop:
                continue
            if self.module.function(use) is not self.module.function(made):
                return None
            kind, call = self._use(use)
            if kind == "run" and call:
                runs.append(call)
            elif kind and call:
                around = self.module.parent(call)
                if not isinstance(around, ast.Expr):
                    return None
                closed |= kind == "close"
                known |= kind == "set"
                needless.append(around)
            elif kind != "wind up":
                return None
        if len(runs) != 1 or self._repeats(runs[0], statement):
            return None
        if self._runs_future(runs[0]):
            return None
        start = Start(made, runs[0], needless)
        return start if closed or self._is_private(start, known=known) else None

    def _use(self, use: ast.Name) -> tuple[str, ast.Call | None]:
        """What a mention of the loop is there for, and the call that it is a part of; empty: for something else."""
        method = self.module.parent(use)
        if isinstance(method, ast.Call) and self.module.callee(method) == SET and method.args == [use]:
            return "set", method
        call = self.module.parent(method) if isinstance(method, ast.Attribute) else None
        if not isinstance(method, ast.Attribute) or not isinstance(call, ast.Call) or call.func is not method:
            return "", None
        if method.attr == "close":
            return "close", call
        if method.attr in WINDS_UP:
            return "wind up", None  # it is counted where the loop runs it
        if not _is_run(call, method):
            return "", None
        match call.args:
            case [ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attribute))]:
                if name == use.id and attribute in WINDS_UP:
                    return "wound up", call
        return "run", call

    def _repeats(self, run: ast.Call, statement: ast.stmt) -> bool:
        """May the loop run more than once, because only the run of it stands in a `for` or `while`?"""
        outer = set(self.module.ancestors(statement))
        return any(isinstance(around, LOOPS) and around not in outer for around in self.module.ancestors(run))

    def _is_private(self, start: Start, *, known: bool) -> bool:
        """Can nobody but this run have a loop that is not closed? `known`: it was set for others to ask for."""
        if self.module.callee(start.made) == NEW:
            return not known or self._ends(start)
        asked = self.module.function(start.made) is None and len(self._runs) == 1 and not self.sets_a_loop
        return asked and self._ends(start)

    def _ends(self, start: Start) -> bool:
        """Does nothing follow on a run that could count on the loop?"""
        inner: ast.AST = self.module.statement(start.run)
        while not isinstance(inner, ast.Module):
            around = self.module.parents[inner]
            for field in ("body", "orelse", "finalbody"):
                block = [one for one in getattr(around, field, ()) if one not in start.needless]
                if inner in block[:-1]:
                    return False
            inner = around
        return True


def _is_run(call: ast.AST | None, method: ast.Attribute) -> bool:
    match call:
        case ast.Call(args=[argument], keywords=[]):
            return call.func is method and method.attr == "run_until_complete" and not isinstance(argument, ast.Starred)
    return False


def _method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _is_none(call: ast.Call) -> bool:
    match call.args:
        case [ast.Constant(value=None)]:
            return True
    return False


def _is_main_test(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def _takes_fixtures(function: ast.FunctionDef | ast.AsyncFunctionDef, module: Module) -> bool:
    """Is this a test, or a fixture itself, whose fixtures may have set a loop?"""
    decorators = (d.func if isinstance(d, ast.Call) else d for d in function.decorator_list)
    tests = function.name.startswith("test") or any(module.name(decorator) in FIXTURES for decorator in decorators)
    return tests and bool({a.arg for a in function.args.args} - {"self"})
