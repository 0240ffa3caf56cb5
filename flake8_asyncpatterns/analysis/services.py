"""Services: which coroutines go on until somebody ends them, and which files look after the signals that do."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from ..facts import Named
from ..flow import exits, suspends, within
from ..knowledge.services import ENDLESS, RUNNERS, RUNNING, SERVERS, WAITS_FOR_ALL
from ..module import Module
from ..reference import reference

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

# Coroutines are followed so far from the one that is run.
DEPTH = 8
# Methods of a project's own whose name says that they never return.
SAY_SO = frozenset({"run_forever", "serve_forever"})
# With "signal" in it, a name with one of these words speaks of the process's signals.
SIGNAL_WORDS = ("add", "catch", "exit", "graceful", "handl", "install", "kill", "listen", "regist", "setup", "set_up",
                "shut", "sighup", "signals", "stop", "term", "trap", "unix", "wait")  # fmt: skip
RUNNING_PACKAGES = frozenset(name.partition(".")[0] for name in RUNNING)
RUNNING_ENDS = frozenset(name.rpartition(".")[2] for name in RUNNING)
# Exceptions that end a service from outside: who catches them is not at the end of his work.
STOPPED = frozenset(
    {"builtins.KeyboardInterrupt", "builtins.SystemExit", "builtins.Exception", "builtins.BaseException",
     "builtins.GeneratorExit", "asyncio.CancelledError"}
)  # fmt: skip
# What ends the process from inside a loop, or makes it one that a person sits in front of.
LEAVES = frozenset({"sys.exit", "os._exit", "os.kill", "builtins.exit", "builtins.quit", "builtins.input",
                    "asyncio.AbstractEventLoop.stop", "asyncio.AbstractEventLoop.close"})  # fmt: skip


def speaks_of_signals(module: Module) -> bool:
    """Does anything in this file have to do with the process's signals? (A `Signal` of a user interface has not.)"""
    names = {
        *(node.id for node in module.nodes(ast.Name)),
        *(node.attr for node in module.nodes(ast.Attribute)),
        *(node.name for node in module.nodes(ast.alias)),
        *(node.arg or "" for node in module.nodes(ast.keyword)),
        *(node.module or "" for node in module.nodes(ast.ImportFrom)),
    }
    return any(map(_is_of_signals, names))


def _is_of_signals(name: str) -> bool:
    low = name.lower()
    return "sigterm" in low or (
        "signal" in low and (name.startswith("signal") or any(word in low for word in SIGNAL_WORDS))
    )


def leaves_them_to_another(module: Module) -> bool:
    """Does this file use something that handles signals by itself?"""
    own = module.settings.runners
    if module.packages() & (RUNNERS | own):
        return True
    if not own and module.packages().isdisjoint(RUNNING_PACKAGES):
        return False
    return any(
        name is not None and (name in RUNNING or any(_is_of(name, runner) for runner in own))
        for name in map(module.name, module.nodes(ast.Name, ast.Attribute) if own else _spelled_so(module))
    )


def _spelled_so(module: Module) -> list[ast.Name | ast.Attribute]:
    """What may mean a function that handles signals: attributes of its name, and variables where it is imported."""
    found: list[ast.Name | ast.Attribute] = [node for end in RUNNING_ENDS for node in module.attributes(end)]
    if any(node.name.rpartition(".")[2] in RUNNING_ENDS for node in module.nodes(ast.alias)):
        found += module.nodes(ast.Name)
    return found


def _is_of(name: str, runner: str) -> bool:
    """Is this qualified name a runner's, or in a package that is one? The dots of a relative import may lead there."""
    if not name.startswith("."):
        return f"{name}.".startswith(f"{runner}.")
    relative = name.lstrip(".")
    return any(f"{relative}.".startswith(f"{end}.") for end in _ends(runner))


def _ends(name: str) -> Iterator[str]:
    """`a.b.c`, `b.c`, `c`."""
    parts = name.split(".")
    return (".".join(parts[at:]) for at in range(len(parts)))


def caught(handler: ast.ExceptHandler) -> list[ast.expr]:
    """The exceptions that a handler catches."""
    if isinstance(handler.type, ast.Tuple):
        return handler.type.elts
    return [handler.type] if handler.type else []


class Endless:
    """Which code of a file goes on until it is cancelled or the process ends."""

    def __init__(self, module: Module, abroad: Callable[[Named], bool] = lambda _: False) -> None:
        self.module = module
        self._abroad = abroad  # is what has this name in another file a coroutine function that never returns?
        self._met: set[ast.AST] = set()

    def awaiting(self, awaited: ast.expr) -> bool:
        """Does waiting for this never come to an end?"""
        module = self.module
        match awaited:
            case ast.Name():
                return self._kept(awaited)
            case ast.Starred(value=value):
                return self.awaiting(value)
            case ast.List(elts=items) | ast.Set(elts=items) | ast.Tuple(elts=items):
                return any(self.awaiting(item) for item in items)
            case ast.Call():
                pass
            case _:
                return False
        name = module.callee(awaited)
        if name in WAITS_FOR_ALL:
            all_of_them = not any(keyword.arg in ("timeout", "return_when") for keyword in awaited.keywords)
            return all_of_them and any(self.awaiting(argument) for argument in awaited.args)
        if name == "asyncio.sleep":
            return bool(awaited.args) and self._infinite(awaited.args[0])
        if name in ENDLESS or name in ("asyncio.Future", "asyncio.AbstractEventLoop.create_future"):
            return True
        match awaited.func:
            case ast.Attribute(value=ast.Call() as made, attr="wait"):
                return module.callee(made) == "asyncio.Event"
            case ast.Attribute(value=ast.Name() as variable, attr="wait"):
                return self._only_waited_for(variable, "asyncio.Event")
            case ast.Attribute(value=ast.Name() as variable, attr="serve_forever") if self._is_server(variable):
                return True
        function = self._definition(awaited)
        return self.running(function) if function is not None else self._elsewhere(awaited)

    def _elsewhere(self, call: ast.Call) -> bool:
        named = reference(call.func, self.module)
        return named is not None and self._abroad(named)

    def running(self, function: ast.AsyncFunctionDef) -> bool:
        """Does a coroutine function of the file never return?"""
        if function in self._met or function.decorator_list or len(self._met) > DEPTH * DEPTH:
            return False
        self._met.add(function)
        return not self.module.is_generator(function) and self._block(function.body)

    def _block(self, statements: list[ast.stmt]) -> bool:
        """Is there no way past these statements? (That they may be left out, by a `return` before, is no end.)"""
        return any(map(self._statement, statements))

    def _goes_on(self, loop: ast.While) -> bool:
        """Does nothing in this loop end it, or the process?"""
        if not suspends(*loop.body) or any(isinstance(way, ast.Break | ast.Return) for way in exits(loop)):
            return False
        nodes = list(within(*loop.body))
        called = [self.module.definition(node.func) for node in nodes if isinstance(node, ast.Call)]
        bodies = [node for f in called if f is not None for node in within(*f.body)]
        return not any(map(self._ends_process, [*nodes, *bodies]))

    def _ends_process(self, node: ast.AST) -> bool:
        match node:
            case ast.Raise(exc=ast.Name() as raised) | ast.Raise(exc=ast.Call(func=ast.Name() as raised)):
                return self.module.likely(raised) in ("builtins.SystemExit", "builtins.KeyboardInterrupt")
            case ast.Call():
                if any(self.module.likely(argument) == "builtins.input" for argument in node.args):
                    return True  # handed to a thread
                return self.module.likely_callee(node) in LEAVES
        return False

    def _statement(self, statement: ast.stmt) -> bool:
        match statement:
            case ast.While(test=ast.Constant(value=value)) if value:
                return self._goes_on(statement)
            case ast.With(body=body):
                return self._block(body)
            case ast.AsyncWith(body=body, items=items):
                return self._scope(items, body)
            case ast.Try(body=body, handlers=handlers, finalbody=final):
                return self._block(final) or (self._block(body) and all(map(self._stopped, handlers)))
            case ast.Expr(value=ast.Await(value=awaited)) | ast.Return(value=ast.Await(value=awaited)):
                return self.awaiting(awaited)
            case ast.Assign(value=ast.Await(value=awaited)) | ast.AnnAssign(value=ast.Await(value=awaited)):
                return self.awaiting(awaited)
        return False

    def _scope(self, items: list[ast.withitem], body: list[ast.stmt]) -> bool:
        for item in items:
            match item.context_expr:
                case ast.Call() as call:
                    name = self.module.callee(call) or ""
                    if name in ("asyncio.timeout", "asyncio.timeout_at", "async_timeout.timeout"):
                        return False
                    if name == "asyncio.TaskGroup" and any(self._started(statement) for statement in body):
                        return True
        return self._block(body)

    def _started(self, statement: ast.stmt) -> bool:
        """Does a task group's statement start a task that never ends?"""
        match statement:
            case ast.Expr(value=ast.Call() as call) | ast.Assign(value=ast.Call() as call):
                if self.module.callee(call) == "asyncio.TaskGroup.create_task" and call.args:
                    return not self._may_be_cancelled(statement) and self.awaiting(call.args[0])
        return False

    def _may_be_cancelled(self, statement: ast.stmt) -> bool:
        """Is the task kept, and so perhaps cancelled?"""
        match statement:
            case ast.Assign(targets=[ast.Name() as task]):
                return len(self.module.uses(task)) > 1
        return isinstance(statement, ast.Assign)

    def _stopped(self, handler: ast.ExceptHandler) -> bool:
        """Does a handler catch nothing that says the work is at its end?"""
        return all(self.module.name(kind) in STOPPED for kind in caught(handler))

    def _infinite(self, delay: ast.expr) -> bool:
        match delay:
            case ast.Call(args=[ast.Constant(value=str(text))]) if self.module.callee(delay) == "builtins.float":
                return text.lstrip("+").lower() in ("inf", "infinity")
        return self.module.name(delay) == "math.inf"

    def _kept(self, variable: ast.Name) -> bool:
        """Is this a variable for what never ends, and which is used for nothing but to wait for it?"""
        match self.module.bindings(variable):
            case [ast.Name() as only] if isinstance(made := self.module.value(only), ast.Call | ast.List | ast.Tuple):
                others = [use for use in self.module.uses(variable) if use is not only]
                return all(map(self._waited_for, others)) and self.awaiting(made)
        return False

    def _waited_for(self, use: ast.Name) -> bool:
        around = self.module.parent(use)
        if isinstance(around, ast.Call):
            return self.module.callee(around) in WAITS_FOR_ALL
        return isinstance(around, ast.Await | ast.Starred | ast.List | ast.Set | ast.Tuple)

    def _only_waited_for(self, variable: ast.Name, kind: str) -> bool:
        """Is this a variable of that type, made here, and used nowhere but where it is waited for?"""
        match self.module.bindings(variable):
            case [ast.Name() as only] if isinstance(self.module.value(only), ast.Call):
                return self.module.type_of(variable) == kind and len(self.module.uses(variable)) == 2
        return False

    def _is_server(self, variable: ast.Name) -> bool:
        for binding in self.module.bindings(variable) or ():
            match self.module.value(binding), self.module.parent(binding):
                case ast.Await(value=ast.Call() as made), _:
                    pass
                case None, ast.withitem(context_expr=ast.Await(value=ast.Call() as made)):
                    pass
                case _:
                    return False
            if self.module.callee(made) not in SERVERS:
                return False
        return bool(self.module.bindings(variable))

    def _definition(self, call: ast.Call) -> ast.AsyncFunctionDef | None:
        """The coroutine function that is called: by name, or as a method of something made by this file."""
        found = self.module.definition(call.func)
        if found is None and isinstance(call.func, ast.Attribute):
            cls = self._class(call.func.value)
            methods = [s for s in cls.body if isinstance(s, FUNCTIONS) and s.name == call.func.attr] if cls else []
            found = methods[0] if len(methods) == 1 else None
        return found if isinstance(found, ast.AsyncFunctionDef) else None

    def _class(self, instance: ast.expr) -> ast.ClassDef | None:
        value = self.module.only_value(instance) if isinstance(instance, ast.Name) else instance
        made = self.module.definition(value.func) if isinstance(value, ast.Call) else None
        return made if isinstance(made, ast.ClassDef) else None


def needs(function: ast.AsyncFunctionDef, module: Module) -> Iterator[Named]:
    """What has to go on for ever, in another file, so that this coroutine function does: any one of these."""
    met: dict[Named, None] = {}

    def note(named: Named) -> bool:
        met[named] = None
        return True

    if Endless(module, note).running(function):
        yield from (one for one in met if Endless(module, one.__eq__).running(function))
