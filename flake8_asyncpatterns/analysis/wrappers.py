"""Decorators that make coroutines of generators, or run what they decorate in an event loop: mostly a project's own.

A test suite's `@asynctest`, for example: it takes the function, and does nothing with it but `asyncio.coroutine(f)(…)`
and `loop.run_until_complete(…)`. To such a one it makes no difference whether it is given a generator or a coroutine.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..knowledge.awaitables import DRIVERS, GENERATOR_COROUTINES, RUNS_TESTS

if TYPE_CHECKING:
    from ..module import Module
    from ..rule import FunctionDef
    from .meanings import Meanings

# What a decorator does with a function: it makes a coroutine of it, it runs it, or nothing that matters.
MAKES, RUNS, ASIDE = "makes", "runs", "aside"
# What pytest has run a test, and what of a test is the function to be called.
# Source: "pytest_pyfunc_call" in pytest's API reference.
HOOK, TEST = "pytest_pyfunc_call", frozenset({"obj", "function"})
MARK = "pytest.mark."
# What takes note of a function and never calls it.
TAKES_NOTE = frozenset({"functools.wraps", "functools.update_wrapper", "asyncio.iscoroutinefunction"})
RUN = frozenset({"run_until_complete", "create_task", "ensure_future"})


class Wrappers:
    """The answers for the decorators in one Module; only where all files are known."""

    def __init__(self, module: Module, meanings: Meanings) -> None:
        self.module = module
        self.meanings = meanings
        self._how: dict[ast.AST, str] = {}
        self._marks: frozenset[str] | None = None

    def of(self, decorator: ast.expr) -> str:
        """What a decorator does with what it is given (MAKES, RUNS); empty: something else, or unknown."""
        if self.meanings.others is None:
            return ""
        name = self.module.decorator(decorator) or ""
        if name in RUNS_TESTS or (name.startswith(MARK) and name.removeprefix(MARK) in self._run_marks()):
            return RUNS
        match decorator:
            case ast.Call(func=maker):
                definitions = [one for made in self.meanings.of(maker) for one in self._made(made)]
            case _:
                definitions = [*self.meanings.of(decorator)]
        found = {self._of(definition) for definition in definitions}
        return found.pop() if len(found) == 1 else ""

    def _run_marks(self) -> frozenset[str]:
        """The marks of the tests that a hook of the project runs in an event loop."""
        if self._marks is None:
            hooks = self.meanings.others.defined(HOOK) if self.meanings.others else ()
            self._marks = frozenset(mark for meanings, hook in hooks for mark in _marks(hook, meanings))
        return self._marks

    def _made(self, maker: ast.AST) -> Iterator[ast.AST]:
        """The decorators that a function makes, which is what it returns."""
        if not self.meanings.is_transparent(maker):
            yield maker  # unknown
        for value in self.meanings.returned(maker) if isinstance(maker, ast.FunctionDef) else ():
            yield from self.meanings.home(maker).of(value)

    def runs(self, call: ast.Call) -> bool:
        """Does this hand something to an event loop, as far as a method's name says?"""
        return self.meanings.others is not None and isinstance(call.func, ast.Attribute) and call.func.attr in RUN

    def _of(self, definition: ast.AST) -> str:
        if not isinstance(definition, ast.FunctionDef):
            return ""
        if definition not in self._how:
            self._how[definition] = _how(definition, self.meanings.home(definition))
        return self._how[definition]


def _marks(hook: FunctionDef, meanings: Meanings) -> Iterator[str]:
    """The marks whose tests a hook runs: `if "run_loop" in item.keywords: loop.run_until_complete(item.obj())`."""
    for branch in ast.walk(hook):
        match branch:
            case ast.If(
                test=ast.Compare(
                    left=ast.Constant(value=str(mark)),
                    ops=[ast.In()],
                    comparators=[ast.Attribute(value=ast.Name(id=item), attr="keywords")],
                )
            ):
                called = [*_calls_of_test(branch.body, item)]
                if called and all(_is_run(test, meanings) for test in called):
                    yield mark


def _calls_of_test(block: list[ast.stmt], item: str) -> Iterator[ast.Call]:
    """The calls of the function that an item of pytest stands for."""
    for node in (node for statement in block for node in ast.walk(statement)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=attribute)):
                if owner == item and attribute in TEST:
                    yield node


def _how(decorator: ast.FunctionDef, meanings: Meanings) -> str:
    given = [*decorator.args.posonlyargs, *decorator.args.args][:1]
    uses = [
        node
        for node in ast.walk(decorator)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and given == meanings.module.bindings(node)
    ]
    if not given or not uses:
        return ""
    found = {_use(use, meanings) for use in uses}
    return "" if "" in found else RUNS if RUNS in found else MAKES if MAKES in found else ""


def _use(use: ast.expr, meanings: Meanings) -> str:
    """What becomes of a function in this place."""
    around = meanings.module.parent(use)
    if isinstance(around, ast.Return):
        return ASIDE
    if isinstance(around, ast.Assign):
        found = {_use(held, meanings) for held in _held(use, meanings) if held is not use}
        return "" if "" in found else RUNS if RUNS in found else MAKES if MAKES in found else ""
    if not isinstance(around, ast.Call):
        return ""
    if around.func is use:
        return RUNS if all(_is_run(result, meanings) for result in _held(around, meanings)) else ""
    name = meanings.module.name(around.func)
    if name in TAKES_NOTE:
        return ASIDE
    if name in GENERATOR_COROUTINES:
        uses = {_use(made, meanings) for made in _held(around, meanings)}
        return "" if "" in uses else MAKES
    return ""


def _held(value: ast.expr, meanings: Meanings) -> Iterator[ast.expr]:
    """A value, or the places where the variable is used that it is put into."""
    match meanings.module.parent(value):
        case ast.Assign(targets=[ast.Name() as target]):
            uses = meanings.module.uses(target)
            yield from (use for use in uses if isinstance(use.ctx, ast.Load))
        case _:
            yield value


def _is_run(result: ast.expr, meanings: Meanings) -> bool:
    """Is a coroutine awaited here, run, handed on, or kept by an object of a class of the project?"""
    around = meanings.module.parent(result)
    if isinstance(around, (ast.Await, ast.YieldFrom, ast.Return)):
        return True
    if not isinstance(around, ast.Call) or around.func is result:
        return False
    if meanings.module.callee(around) in DRIVERS or (
        isinstance(around.func, ast.Attribute) and around.func.attr in RUN
    ):
        return True
    made = meanings.of(around.func)
    return bool(made) and all(isinstance(one, ast.ClassDef) for one in made)
