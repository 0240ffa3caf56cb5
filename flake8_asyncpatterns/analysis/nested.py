"""Which calls run an event loop, and which plain functions do so whenever they run."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from ..flow import body, within
from ..knowledge import runtime
from ..knowledge.names import OTHER_LOOPS
from ..knowledge.services import RUN, RUN_FOREVER
from ..module import Module

NESTED = RUN | {RUN_FOREVER, "anyio.run", runtime.RUN}
METHODS = frozenset({"run", "run_until_complete", "run_forever"})
# Only event loops have methods of these names.
UNMISTAKABLE = frozenset({"run_until_complete"})
# Who speaks of these has thought of a loop that may be running, or makes another one possible.
THINKS_OF_IT = frozenset({"is_running", "_get_running_loop", "nest_asyncio", "set_running_loop", "_set_running_loop"})
# In the child process no loop is running.
FORKS = frozenset({"os.fork", "os.forkpty", "pty.fork"})
FORKING = frozenset(name.partition(".")[0] for name in FORKS)
# Functions in between are followed so far.
DEPTH = 3


def may_run(call: ast.Call) -> bool:
    """Is this spelled as a call that runs an event loop is?"""
    return isinstance(call.func, ast.Name) or (isinstance(call.func, ast.Attribute) and call.func.attr in METHODS)


def runs_a_loop(call: ast.Call, module: Module) -> bool:
    """Does this call run an event loop?"""
    name = module.callee(call)
    if name is None and isinstance(call.func, ast.Attribute) and call.func.attr in UNMISTAKABLE:
        return not any(f.name == call.func.attr for f in module.nodes(ast.FunctionDef, ast.AsyncFunctionDef))
    return name in NESTED


def is_prepared(call: ast.Call, function: ast.AST, module: Module) -> bool:
    """Does the code around a call know that a loop may be running, or is it another library's?"""
    return _thinks_of_it(function, module) or _expects_the_error(call, function, module)


def _thinks_of_it(function: ast.AST, module: Module) -> bool:
    thoughts = module.analysis(_Thoughts)
    return thoughts.everywhere or function in thoughts.around or _is_told_to_fail(function, module)


class _Thoughts:
    """Where a Module thinks of a loop that may be running: `everywhere`, or in the code of the nodes `around` it."""

    def __init__(self, module: Module) -> None:
        self.everywhere = not module.packages().isdisjoint(OTHER_LOOPS | {"nest_asyncio"})
        self.around = frozenset(around for node in self._nodes(module) for around in module.ancestors(node))

    def _nodes(self, module: Module) -> Iterator[ast.AST]:
        for name in THINKS_OF_IT:
            yield from module.spelled(name)
            yield from module.attributes(name)
        if not FORKING.isdisjoint(module.packages()):
            yield from (call for call in module.nodes(ast.Call) if module.name(call.func) in FORKS)
        for constant in module.nodes(ast.Constant):  # replaced for a test
            if isinstance(constant.value, str) and constant.value.endswith("asyncio.run"):
                yield constant


def _is_told_to_fail(function: ast.AST, module: Module) -> bool:
    """Is this the coroutine of a test that runs it and expects the error?"""
    around = module.function(function)
    return around is not None and any(
        isinstance(node, ast.withitem) and "raises" in ast.unparse(node.context_expr).lower() for node in body(around)
    )


def _expects_the_error(call: ast.Call, function: ast.AST, module: Module) -> bool:
    inner: ast.AST = call
    for around in module.ancestors(call):
        if around is function:
            return False
        match around:
            case ast.Try() if inner in around.body:
                if any(_names(handler.type, module) & {"builtins.RuntimeError"} for handler in around.handlers):
                    return True
            case ast.ExceptHandler():
                if _names(around.type, module) & {"builtins.RuntimeError"}:
                    return True
            case ast.With() | ast.AsyncWith() if inner in around.body:
                if any("raises" in ast.unparse(item.context_expr).lower() for item in around.items):
                    return True
                if any("suppress" in ast.unparse(item.context_expr) for item in around.items):
                    return True
        inner = around
    return False


def _names(caught: ast.expr | None, module: Module) -> set[str | None]:
    return {module.likely(kind) for kind in (caught.elts if isinstance(caught, ast.Tuple) else [caught]) if kind}


class Helpers:
    """The plain functions of a Module that run an event loop whenever they run: `module.analysis(Helpers)`."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.found: dict[ast.AST, ast.Call] = {}
        self.names: set[str] = set()
        self._always: dict[ast.FunctionDef, frozenset[ast.Call]] = {}
        calls = module.nodes(ast.Call)
        for call in calls:
            if may_run(call) and runs_a_loop(call, module):
                self._add(call, call)
        for _ in range(DEPTH - 1 if self.found else 0):
            for call in calls:
                run = self.runs(call)
                if run is not None:
                    self._add(call, run)

    def _add(self, call: ast.Call, run: ast.Call) -> None:
        function = self.module.function(call)
        if isinstance(function, ast.FunctionDef) and call in self.always(function):
            self.found.setdefault(function, run)
            self.names.add(function.name)

    def always(self, function: ast.FunctionDef) -> frozenset[ast.Call]:
        """The calls that a function makes whenever it runs, and without a thought of a loop that may be running."""
        if function not in self._always:
            calls: Iterable[ast.Call] = ()
            if not function.decorator_list and not self.module.is_generator(function):
                calls = list(_always(function.body))
            if calls and _thinks_of_it(function, self.module):
                calls = ()
            self._always[function] = frozenset(c for c in calls if not _expects_the_error(c, function, self.module))
        return self._always[function]

    def runs(self, call: ast.Call) -> ast.Call | None:
        """Where the function that is called here runs a loop."""
        if getattr(call.func, "id", getattr(call.func, "attr", None)) not in self.names:
            return None
        function = self.module.definition(call.func)
        return self.found.get(function) if function is not None else None


def _always(block: list[ast.stmt]) -> Iterator[ast.Call]:
    """The calls to which a block comes in any case, unless it ends before."""
    for statement in block:
        match statement:
            case ast.With() | ast.Try():
                yield from _always(statement.body)
            case ast.Expr(value=value) | ast.Return(value=value) | ast.Assign(value=value) | ast.AnnAssign(value=value):
                yield from (node for node in within(value) if isinstance(node, ast.Call)) if value is not None else ()
