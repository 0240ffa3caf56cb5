"""Who calls whom in one file, as far as it takes to tell what a piece of code sets off."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..module import Module
    from ..rule import FunctionDef

# Calls are followed so far.
CALL_DEPTH = 3
ENDS_THE_PROCESS = frozenset(
    {"sys.exit", "os._exit", "os.kill", "os.abort", "builtins.exit", "builtins.quit", "signal.raise_signal"}
)
THREADS = ("threading.Thread", "threading.Timer", "concurrent.futures.", "asyncio.run_coroutine_threadsafe")


class Calls:
    """Who calls whom in a file, as far as it takes to tell what clearing a flag sets off.

    In doubt a call is taken to be to the function of that name: what is found here only keeps the rule silent.
    """

    def __init__(self, module: Module) -> None:
        self.module = module
        self.functions: dict[str, list[FunctionDef]] = {}
        for function in module.nodes(ast.FunctionDef, ast.AsyncFunctionDef):
            self.functions.setdefault(function.name, []).append(function)

    def called(self, *nodes: ast.AST) -> Iterator[FunctionDef]:
        """The functions that code mentions: calls them, awaits them, hands them on."""
        for node in nodes:
            for mentioned in ast.walk(node):
                match mentioned:
                    case ast.Name(id=name):
                        found = self.module.definition(mentioned) if name in self.functions else None
                        if isinstance(found, (ast.FunctionDef, ast.AsyncFunctionDef)):
                            yield found
                    case ast.Attribute(attr=name) if self._may_be_own(mentioned):
                        yield from (f for f in self.functions.get(name, ()) if self.module.class_of(f))

    def _may_be_own(self, attribute: ast.Attribute) -> bool:
        match attribute.value:
            case ast.Name() | ast.Call(func=ast.Name(id="super")):
                return attribute.attr in self.functions
        return False

    def reached(self, *nodes: ast.AST) -> set[FunctionDef]:
        """The functions that code may run, some calls deep."""
        reached: set[FunctionDef] = set()
        fresh = set(self.called(*nodes))
        for _ in range(CALL_DEPTH):
            reached |= fresh
            fresh = set(self.called(*fresh)) - reached
        return reached

    def mentions(self, function: FunctionDef) -> Iterator[ast.expr]:
        """Where a function is spoken of."""
        for name in self.module.spelled(function.name):
            if self.module.definition(name) is function:
                yield name
        if self.module.class_of(function):
            yield from self.module.attributes(function.name)

    def only_from(self, loop: ast.While, function: FunctionDef) -> bool:
        """Is a function nobody's but this loop's: does the loop end itself by it?"""
        reached = self.reached(*loop.body)
        inside = {self.module.function(loop), *reached}
        return function in reached and all(self.module.function(m) in inside for m in self.mentions(function))

    def ends_at_once(self, function: FunctionDef) -> bool:
        """Does this function, or what it calls, or who calls it, cancel something or end the process?"""
        around = {function, *self.reached(function), *self.callers(function)}
        return any(self._cancels(node) for f in around for node in ast.walk(f))

    def callers(self, function: FunctionDef) -> set[FunctionDef]:
        """The functions that speak of a function themselves."""
        around = (self.module.function(mention) for mention in self.mentions(function))
        return {f for f in around if isinstance(f, (ast.FunctionDef, ast.AsyncFunctionDef))}

    def _cancels(self, node: ast.AST) -> bool:
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if "cancel" in name.lower():
                return name not in ("cancelled", "cancelling", "uncancel")
            case ast.Call():
                name = self.module.likely_callee(node) or ""
                return name in ENDS_THE_PROCESS or name == "asyncio.AbstractEventLoop.stop"
            case ast.Raise(exc=ast.Name(id=name) | ast.Call(func=ast.Name(id=name))):
                return name in ("SystemExit", "KeyboardInterrupt")
        return False

    def cancelled(self, coroutine: ast.AsyncFunctionDef) -> bool:
        """Is the task that runs this coroutine kept under a name, and cancelled somewhere?"""
        keepers = {name for mention in self.mentions(coroutine) for name in self._kept(mention)}
        if not keepers:
            return False
        for call in self.module.nodes(ast.Call):
            around = self.module.function(call)
            if self._cancels(call) and around is not None and around is not coroutine and keepers & _words(around):
                return True
        return False

    def _kept(self, mention: ast.expr) -> Iterator[str]:
        """The names under which a statement keeps what is made of a coroutine it mentions."""
        if self.module.function(mention) is None:
            return
        match self.module.statement(mention):
            case ast.Assign(targets=[*_, ast.Name(id=name) | ast.Attribute(attr=name)]):
                yield name
            case ast.AnnAssign(target=ast.Name(id=name) | ast.Attribute(attr=name)):
                yield name
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name) | ast.Attribute(attr=name)))):
                yield name

    def handlers(self, function: FunctionDef) -> list[ast.Call]:
        """The calls that make a function, or what calls it, a signal's handler."""
        return [
            call
            for call in self.module.nodes(ast.Call)
            if self.registers(call) and function in self.reached(*call.args[1:])
        ]

    def has_threads(self) -> bool:
        """Does the file start threads, or speak to a loop from one?"""
        module = self.module
        return any((module.name(node) or "").startswith(THREADS) for node in module.nodes(ast.Name, ast.Attribute))

    def in_thread(self, function: FunctionDef) -> bool:
        """Is a function handed to a thread?"""
        for mention in self.mentions(function):
            if self.module.definition(mention) not in (function, None):
                continue
            call = self.module.parent(mention)
            if isinstance(call, ast.keyword):
                call = self.module.parent(call)
            if isinstance(call, ast.Call) and call.func is not mention:
                if self.module.callee(call) in ("asyncio.to_thread", "threading.Thread", "threading.Timer"):
                    return True
                if isinstance(call.func, ast.Attribute) and call.func.attr in ("run_in_executor", "submit"):
                    return True
        return False

    def registers(self, call: ast.Call) -> bool:
        """Does this call register a signal's handler?"""
        if isinstance(call.func, ast.Attribute) and call.func.attr == "add_signal_handler":
            return True  # nothing else has a method of this name
        return self.module.callee(call) == "signal.signal"


def _words(node: ast.AST) -> set[str]:
    return {
        n.id if isinstance(n, ast.Name) else n.attr for n in ast.walk(node) if isinstance(n, (ast.Name, ast.Attribute))
    }
