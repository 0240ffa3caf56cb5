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
    from .meanings import Meanings

# What a decorator does with a function: it makes a coroutine of it, it runs it, or nothing that matters.
MAKES, RUNS, ASIDE = "makes", "runs", "aside"
# What takes note of a function and never calls it.
TAKES_NOTE = frozenset({"functools.wraps", "functools.update_wrapper", "asyncio.iscoroutinefunction"})
RUN = frozenset({"run_until_complete", "create_task", "ensure_future"})


class Wrappers:
    """The answers for the decorators in one Module; only where all files are known."""

    def __init__(self, module: Module, meanings: Meanings) -> None:
        self.module = module
        self.meanings = meanings
        self._how: dict[ast.AST, str] = {}

    def of(self, decorator: ast.expr) -> str:
        """What a decorator does with what it is given (MAKES, RUNS); empty: something else, or unknown."""
        if self.meanings.others is None:
            return ""
        if self.module.name(decorator.func if isinstance(decorator, ast.Call) else decorator) in RUNS_TESTS:
            return RUNS
        match decorator:
            case ast.Call(func=maker):
                definitions = [one for made in self.meanings.of(maker) for one in self._made(made)]
            case _:
                definitions = [*self.meanings.of(decorator)]
        found = {self._of(definition) for definition in definitions}
        return found.pop() if len(found) == 1 else ""

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
