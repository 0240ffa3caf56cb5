"""Which functions of a file run in threads of their own, and what is known of their parameters there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from ..flow import body
from ..knowledge.callbacks import RECEIVERS
from ..knowledge.threads import (
    ASKS_FOR_THE_THREAD,
    HAND_ARGUMENTS_ON,
    HAND_TO_THREAD,
    OWN_LOOP,
    RUN_IN_EXECUTOR,
    RUNS_A_LOOP,
    START_A_TASK,
    THREADS,
    TOUCHES_THE_LOOP,
)
from ..needs import last, words
from ..tuples import NamedTuple
from .callbacks import handed, is_partial

if TYPE_CHECKING:
    from ..module import Module

Runnable: TypeAlias = ast.FunctionDef | ast.Lambda
# What parameters stand for, as the calls show.
Given: TypeAlias = dict[ast.arg, ast.expr]

METHODS = frozenset(name.rpartition(".")[2] for name in HAND_TO_THREAD)
TOUCHES = frozenset(name.rpartition(".")[2] for name in TOUCHES_THE_LOOP | START_A_TASK)
# What has a thread run something.
STARTS = (
    last(HAND_TO_THREAD)
    | last(THREADS)
    | last(name for name, receiver in RECEIVERS.items() if receiver.where in ("thread", "awaited thread"))
    | words(RUN_IN_EXECUTOR)
)
# Calls, and names of callables, are followed so far.
DEPTH = 3


class Started(NamedTuple):
    """A function that a thread runs: handed over by the call `at`, or the `run` of the class `at`."""

    function: Runnable
    at: ast.Call | ast.ClassDef
    given: Given


class Run(NamedTuple):
    """A call that is made in a thread.

    `started` is what the thread runs; `path` leads from there to the function that makes the call, and `given` is what
    the parameters of that stand for.
    """

    call: ast.Call
    started: Started
    path: tuple[Runnable, ...]
    given: Given

    @property
    def function(self) -> Runnable:
        """The function that makes the call."""
        return self.path[-1]


class Threads:
    """The answers for one Module: `module.analysis(Threads)`."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.started = [*self._handed(), *self._run_methods()]

    def _handed(self) -> Iterator[Started]:
        for call in self.module.nodes(ast.Call):
            found = _callable(call, self.module)
            if found is not None:
                for function, given in self.behind(*found):
                    yield Started(function, call, given)

    def _run_methods(self) -> Iterator[Started]:
        for cls in self.module.nodes(ast.ClassDef):
            family = (base for base in self.module.bases(cls) if base) if cls.bases else ()
            if any(self.module.name(base) in THREADS for relative in family for base in relative.bases):
                for member in cls.body:
                    if isinstance(member, ast.FunctionDef) and member.name == "run":
                        yield Started(member, cls, {})

    def behind(
        self, target: ast.expr, positional: list[ast.expr], keywords: list[ast.keyword], depth: int = DEPTH
    ) -> Iterator[tuple[Runnable, Given]]:
        """The function of this file behind what is handed over, through `functools.partial` and plain aliases."""
        match target:
            case ast.Lambda():
                yield target, _bound(target, None, positional, keywords)
            case ast.Call(args=[first, *before]) if is_partial(target, self.module) and depth:
                yield from self.behind(first, before + positional, target.keywords + keywords, depth - 1)
            case ast.Name() | ast.Attribute():
                found = self.module.definition(target)
                if isinstance(found, ast.FunctionDef):
                    yield found, _bound(found, self._self(target, found), positional, keywords)
                elif found is None and isinstance(target, ast.Name) and depth:
                    value = self.module.only_value(target)
                    if value is not None:
                        yield from self.behind(value, positional, keywords, depth - 1)

    def _self(self, target: ast.expr, function: ast.FunctionDef) -> ast.expr | None:
        """What `self` stands for in a method that is handed over."""
        if not isinstance(target, ast.Attribute) or self.module.class_of(function) is None:
            return None
        static = any(self.module.name(d) == "builtins.staticmethod" for d in function.decorator_list)
        return None if static else target.value

    def runs(self, started: Started) -> Iterator[Run]:
        """The calls that a thread makes: in the function it runs, and in those of the file that this calls."""
        todo: list[tuple[tuple[Runnable, ...], Given]] = [((started.function,), started.given)]
        seen: set[ast.AST] = {started.function}
        while todo:
            path, given = todo.pop()
            for node in body(path[-1]):
                if not isinstance(node, ast.Call):
                    continue
                yield Run(node, started, path, given)
                called = self.module.definition(node.func) if len(path) <= DEPTH else None
                if isinstance(called, ast.FunctionDef) and called not in seen and not called.decorator_list:
                    seen.add(called)
                    inner = _bound(called, self._self(node.func, called), node.args, node.keywords)
                    todo.append(((*path, called), {a: _resolved(v, given, self.module) for a, v in inner.items()}))

    def has_its_own_loop(self, started: Started) -> bool:
        """Does this thread make or run an event loop of its own?"""
        for run in self.runs(started):
            match run.call.func:
                case ast.Attribute(attr=name) if name in RUNS_A_LOOP:
                    return True
            if self.module.callee(run.call) in OWN_LOOP:
                return True
        return False

    def asks_for_the_thread(self, started: Started) -> bool:
        """Does this code find out in which thread it runs?"""
        return any(self.module.callee(run.call) in ASKS_FOR_THE_THREAD for run in self.runs(started))

    def type_of(self, value: ast.expr, given: Given) -> str | None:
        """The type of an expression in a thread: of a parameter, that of what was handed over with the function."""
        return self.module.type_of(value) or self.module.type_of(_resolved(value, given, self.module))

    def touched(self, run: Run) -> str | None:
        """The qualified name of what a call does to an event loop that runs elsewhere, or is asleep; None: nothing."""
        module = self.module
        match run.call.func:
            case ast.Attribute(value=touched, attr=method) if method in TOUCHES:
                kind = self.type_of(touched, run.given)
                name = f"{kind}.{method}" if kind else module.name(run.call.func)
                if name in TOUCHES_THE_LOOP:
                    return None if self._made_there(touched, run) else name
            case ast.Name():
                name = module.name(run.call.func)
            case _:
                return None
        return name if name in START_A_TASK and not catches(run.call, module) else None

    def _made_there(self, touched: ast.expr, run: Run) -> bool:
        """Is this something that the thread has made for itself?"""
        if isinstance(touched, ast.Call):
            return True
        bindings = self.module.bindings(touched) if isinstance(touched, ast.Name) else None
        return any(self.module.function(b) is run.function for b in bindings or () if isinstance(b, ast.Name))


def catches(call: ast.Call, module: Module) -> bool:
    """Does the function around a call catch what it may raise?"""
    inner: ast.AST = call
    for around in module.ancestors(call):
        if isinstance(around, (ast.FunctionDef, ast.Lambda)):
            return False
        if isinstance(around, ast.Try) and around.handlers and any(inner is s for s in around.body):
            return True
        inner = around
    return False


def _resolved(value: ast.expr, given: Given, module: Module) -> ast.expr:
    match module.bindings(value) if isinstance(value, ast.Name) else None:
        case [ast.arg() as parameter]:
            return given.get(parameter, value)
    return value


def _callable(call: ast.Call, module: Module) -> tuple[ast.expr, list[ast.expr], list[ast.keyword]] | None:
    """The callable that a call has run in a thread, with the arguments it is called with."""
    found = handed(call, module)
    if found is not None:
        if found.receiver.where not in ("thread", "awaited thread"):
            return None
        if found.receiver.rest:
            return found.callback, found.rest, call.keywords if found.receiver.keywords else []
        args, kwargs = found.keyword("args"), found.keyword("kwargs")
        given = args.value if args else found.rest[0] if found.rest and found.name == "Timer" else None
        keywords = kwargs.value if kwargs else None
        return (
            found.callback,
            given.elts if isinstance(given, (ast.Tuple, ast.List)) else [],
            _keywords(keywords) if isinstance(keywords, ast.Dict) else [],
        )
    match call.func:
        case ast.Attribute(attr=name) if name == RUN_IN_EXECUTOR and len(call.args) > 1:
            return call.args[1], call.args[2:], []
        case ast.Attribute(attr=name) if name not in METHODS:
            return None
    qualified = module.callee(call)
    if qualified not in HAND_TO_THREAD or not call.args:
        return None
    return call.args[0], call.args[1:] if qualified in HAND_ARGUMENTS_ON else [], []


def _keywords(given: ast.Dict) -> list[ast.keyword]:
    return [
        ast.keyword(key.value, value)
        for key, value in zip(given.keys, given.values, strict=True)
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    ]


def _bound(
    function: Runnable, instance: ast.expr | None, positional: list[ast.expr], keywords: list[ast.keyword]
) -> Given:
    """The parameters of a function, each with the argument it gets; those that cannot be told apart are left out."""
    parameters = [*function.args.posonlyargs, *function.args.args]
    if instance is not None:
        parameters = parameters[1:]
    given: Given = {}
    for parameter, value in zip(parameters, positional, strict=False):
        if isinstance(value, ast.Starred):
            break
        given[parameter] = value
    named = {keyword.arg: keyword.value for keyword in keywords}
    given |= {a: named[a.arg] for a in (*parameters, *function.args.kwonlyargs) if a.arg in named}
    return given
