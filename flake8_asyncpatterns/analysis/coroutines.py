"""Which calls give a coroutine, or something else that does nothing until somebody awaits, iterates or enters it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

from ..flow import body
from ..knowledge.awaitables import COROUTINE, GENERATOR_COROUTINES
from ..knowledge.coroutines import COROUTINE_TYPES, COROUTINES, KEEPS_COROUTINE, KEEPS_COROUTINE_CALLED, LAZY
from ..knowledge.decorators import ABSTRACT, SAME_RESULT
from ..knowledge.names import OTHER_LOOPS
from ..needs import Need, Needs, calls, either, words
from ..reference import reference
from ..rule import Fix, FunctionDef, replace
from ..scopes import COMPREHENSIONS
from ..signs import ASYNC, YIELD_FROM, idle
from .possible import Possible

if TYPE_CHECKING:
    from ..facts import Named
    from ..module import Module

# Who imports none of these asks no event loop for anything.
EVENT_LOOPS = OTHER_LOOPS | {"anyio", "asyncio"}
STARTS = "the coroutine starts to run, which it never did before"

# What a call gives: a coroutine; a generator that coroutines drive (`@asyncio.coroutine`, or with no decorator at all);
# an asynchronous generator; something to await or to enter. None of them does anything by itself.
Kind: TypeAlias = Literal["coroutine", "generator coroutine", "generator", "async generator", "request"]


# What stands in a file that makes a coroutine, and does not await it.
IDLE = either(
    (
        Need((ASYNC | words("Coroutine", "CoroutineType"), frozenset({idle.own}))),
        Need((words("asyncio"), YIELD_FROM)),
        Need(abroad=True),
    ),
    Needs(lambda: _idle(calls(COROUTINES), entered=False)),
    Needs(lambda: _idle(calls(LAZY), entered=True)),
)


def _idle(called: Iterable[Need], *, entered: bool) -> Iterator[Need]:
    return (Need((ends, frozenset({idle.of(ends, entered=entered)})), known) for (ends, *_), known, *_ in called)


# What gives something that is awaited or entered later, by the names in tables.
TABLE = calls(COROUTINES | LAZY)


def runs_on_the_loop(function: ast.AST | None, module: Module) -> bool:
    """Is this function a coroutine function: an `async def`, or decorated as a generator coroutine?"""
    return isinstance(function, ast.AsyncFunctionDef) or (
        isinstance(function, ast.FunctionDef)
        and any(module.name(decorator) in GENERATOR_COROUTINES for decorator in function.decorator_list)
    )


def runs_by_hand(module: Module) -> bool:
    """Does the file run its coroutines to their end itself, where it knows no event loop that they could hold up?

    That is: `coroutine.send(None)` in a plain function, and StopIteration caught around it.
    """
    if not module.packages().isdisjoint(EVENT_LOOPS):
        return False
    for call in module.nodes(ast.Call):
        match call:
            case ast.Call(func=ast.Attribute(attr="send"), args=[ast.Constant(value=None)], keywords=[]):
                if module.coroutine(call) is None and _may_stop(call, module):
                    return True
    return False


def _may_stop(call: ast.Call, module: Module) -> bool:
    """Is it expected of this call that what it goes on with comes to its end?"""
    function = module.function(call)
    around = module.ancestors(call, below=function)
    return any(
        handler.type is not None and module.name(handler.type) == "builtins.StopIteration"
        for node in around
        for handler in (node.handlers if isinstance(node, ast.Try) else ())
    )


class Coroutines:
    """The answers for one Module: `module.analysis(Coroutines)`."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self._kinds: dict[ast.AST, Kind | None] = {}
        self._possible = Possible(TABLE, module)
        # In the days of `@asyncio.coroutine` some methods of today's coroutine classes were plain ones.
        self._is_old = any(module.name(d) == COROUTINE for f in module.nodes(ast.FunctionDef) for d in f.decorator_list)
        self._functions: dict[str, list[FunctionDef]] = {}
        for function in module.nodes(ast.FunctionDef, ast.AsyncFunctionDef):
            self._functions.setdefault(function.name, []).append(function)

    def given_by(self, call: ast.Call) -> Kind | None:
        """What a call gives; None: none of these, or unknown, or it is awaited at once."""
        if isinstance(self.module.parent(call), ast.Await):
            return None
        return self.of_expression(call.func, call) if self.may_give(call) else None

    def may_give(self, call: ast.Call) -> bool:
        """May a call give any of these, by its name? (Its receiver's type takes longer to find out.)"""
        match call.func:
            case ast.Attribute(attr=name) if not self.module.project:
                return name in self._functions or name in self._possible
        return True

    def of_expression(self, function: ast.expr, call: ast.Call | None = None) -> Kind | None:
        """What a call of the function that an expression names gives."""
        name = self._qualified(function, call)
        if name in COROUTINES or name in LAZY:
            if self._is_old and not name.startswith("asyncio."):
                return None
            return "coroutine" if name in COROUTINES else "request"
        definition = self.module.definition(function) if name is None else None
        if isinstance(definition, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return self.kind(definition)
        if definition is not None:
            return None
        if isinstance(function, ast.Attribute) and function.attr in self._functions:
            kinds = {self.kind(method) for method in self._overridden(function)}
            if kinds:
                return kinds.pop() if len(kinds) == 1 else None
        return self._elsewhere(function)

    def _elsewhere(self, function: ast.expr) -> Kind | None:
        named = reference(function, self.module) if self.module.project else None
        if named is None or self.module.project is None:
            return None
        kind: Kind | None = self.module.project.kind(named)
        variants = self._variants(function) if kind is not None and named.path else ()
        return kind if all(other == kind for other in variants) else None

    def _variants(self, function: ast.expr) -> Iterator[Kind | None]:
        """What the methods give that an object from elsewhere has if it is of a subclass that this file makes of its.

        Which subclasses `self` may be of, is known (see `reference.inherited`).
        """
        if not isinstance(function, ast.Attribute) or self.module.owner(function) is not None:
            return
        for method in self._functions.get(function.attr, ()):
            cls = self.module.class_of(method)
            if cls is not None and None in self.module.bases(cls):
                yield self.kind(method)

    def _qualified(self, function: ast.expr, call: ast.Call | None) -> str | None:
        if call is not None:
            return self.module.callee(call)
        name = self.module.name(function)
        if name is None and isinstance(function, ast.Attribute):
            owner = self.module.type_of(function.value)
            name = f"{owner}.{function.attr}" if owner else None
        return name

    def _overridden(self, attribute: ast.Attribute) -> list[FunctionDef]:
        """What `self.method` may be, where subclasses of this file have a method of their own; empty: unknown."""
        owner = self.module.owner(attribute)
        if owner is None or self.module.bindings(attribute):
            return []
        family = [owner, *self.module.subclasses(owner)]
        methods = [m for m in self._functions[attribute.attr] if self.module.class_of(m) in family]
        return methods if any(m in owner.body for m in methods) else []

    def kind(self, function: FunctionDef) -> Kind | None:
        """What a call of a function of this file gives."""
        if function not in self._kinds:
            self._kinds[function] = None  # while it is worked out: one that returns its own call is unknown
            self._kinds[function] = self.below(function, function.decorator_list)
        return self._kinds[function]

    def below(self, function: FunctionDef, decorators: Sequence[ast.expr]) -> Kind | None:
        """What a call of a function would give that had only these of its decorators."""
        kind = self._undecorated(function)
        for decorator in reversed(decorators):
            name = self.module.name(decorator)
            if name in GENERATOR_COROUTINES and isinstance(function, ast.FunctionDef) and kind in (None, "generator"):
                # On a function that does not yield, `types.coroutine` is only a wrapper around what it returns.
                kind = "generator coroutine" if name == COROUTINE or self.module.is_generator(function) else None
            elif self._makes_coroutine(decorator):
                kind = "coroutine"
            elif not self._keeps(decorator):
                kind = None
        return kind

    def _undecorated(self, function: FunctionDef) -> Kind | None:
        if isinstance(function, ast.AsyncFunctionDef):
            if self.module.is_generator(function):
                return "async generator"
            # What overrides it may be an asynchronous generator, or return what this one promises without a coroutine.
            return None if self.module.class_of(function) and _is_stub(function, self.module) else "coroutine"
        if self.module.is_generator(function):
            return "generator" if self._drives(function) else None
        if function.returns is not None and self._annotated(function.returns, function) in COROUTINE_TYPES:
            return "coroutine"
        kinds = {self.given_by(value) if isinstance(value, ast.Call) else None for value in self._handed_on(function)}
        return "coroutine" if kinds == {"coroutine"} else None

    def _handed_on(self, function: FunctionDef) -> list[ast.expr | None]:
        """What a function returns that ends by returning something."""
        if not function.body or not isinstance(function.body[-1], ast.Return):
            return []
        return [node.value for node in self.module.returns(function)]

    def hands_on(self, function: FunctionDef) -> list[Named]:
        """What has to give a coroutine, all of it in other files, so that a plain function does, too."""
        if function.decorator_list or self.module.is_generator(function) or isinstance(function, ast.AsyncFunctionDef):
            return []
        calls = self._handed_on(function)
        named = [reference(value.func, self.module) if isinstance(value, ast.Call) else None for value in calls]
        return [one for one in named if one] if all(named) else []

    def _annotated(self, annotation: ast.expr, at: ast.AST) -> str | None:
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            try:
                annotation = ast.parse(annotation.value.strip(), mode="eval").body
            except (SyntaxError, ValueError):
                return None
        if isinstance(annotation, ast.Subscript):
            annotation = annotation.value
        return self.module.name_at(annotation, at)

    def _drives(self, function: ast.FunctionDef) -> bool:
        """Is this a generator that was written to drive coroutines: does it yield nothing of its own?"""
        if "asyncio" not in self.module.packages():
            return False
        own = [node for node in body(function) if isinstance(node, (ast.Yield, ast.YieldFrom))]
        return all(isinstance(node, ast.YieldFrom) for node in own)

    def _keeps(self, decorator: ast.expr) -> bool:
        """Does a coroutine function stay one under this decorator?"""
        if isinstance(decorator, ast.Call):
            return self.module.name(decorator.func) in KEEPS_COROUTINE_CALLED
        name = self.module.name(decorator)
        return name in SAME_RESULT or name in KEEPS_COROUTINE

    def _makes_coroutine(self, decorator: ast.expr) -> bool:
        """Does a decorator of this file put a coroutine function in the place of any function?"""
        called = isinstance(decorator, ast.Call)
        definition = self.module.definition(decorator.func if isinstance(decorator, ast.Call) else decorator)
        return definition is not None and self._returns_coroutine_function(definition, 1 if called else 0)

    def _returns_coroutine_function(self, function: ast.AST, calls: int) -> bool:
        """Does a decorator, or one that has to be called so often first, return a coroutine function of its own?"""
        if not isinstance(function, ast.FunctionDef) or function.decorator_list or self.module.is_generator(function):
            return False
        returned = [node.value for node in self.module.returns(function)]
        inner = [self.module.definition(value) if value is not None else None for value in returned]
        if calls:
            return bool(inner) and all(f is not None and self._returns_coroutine_function(f, calls - 1) for f in inner)
        return bool(inner) and all(
            isinstance(f, ast.AsyncFunctionDef) and self.kind(f) == "coroutine" and self.module.function(f) is function
            for f in inner
        )


def _is_stub(function: ast.AsyncFunctionDef, module: Module) -> bool:
    """Is this method only there to be overridden: does it do nothing, or raise, and say no more?

    One whose body is `pass` may be a hook that need not do anything, unless it is abstract or promises a result.
    """
    promised = function.returns is not None and not (
        isinstance(function.returns, ast.Constant) and function.returns.value in (None, "None")
    )
    overridden = promised or any(module.name(decorator) in ABSTRACT for decorator in function.decorator_list)
    return all(
        isinstance(statement, ast.Raise)
        or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        or (overridden and isinstance(statement, ast.Pass))
        for statement in function.body
    )


def given_by(call: ast.Call, module: Module) -> Kind | None:
    """What a call gives that does nothing until it is awaited, driven or entered; None: nothing so, or unknown."""
    return module.analysis(Coroutines).given_by(call)


def may_give(call: ast.Call, module: Module) -> bool:
    """May a call give what does nothing by itself, by its name?"""
    return module.analysis(Coroutines).may_give(call)


def comprehensions(node: ast.AST, module: Module) -> list[ast.AST]:
    """The comprehensions around a node in the function that it is a part of, inmost first."""
    function = module.function(node)
    return [a for a in module.ancestors(node) if isinstance(a, COMPREHENSIONS) and module.function(a) is function]


def await_it(call: ast.Call, module: Module) -> Fix | str:
    """The Fix that awaits what a call gives; or why there is none."""
    function = module.function(call)
    if isinstance(function, ast.AsyncFunctionDef):
        around = comprehensions(call, module)
        if any(isinstance(a, ast.GeneratorExp) for a in around):
            return "with an `await` in it the generator expression would be an asynchronous one"
        if len(around) > 1:
            return "Python before 3.11 has no `await` in a comprehension in another"
        return Fix(replace(call, "await {call}", call=call), unsafe=STARTS)
    if isinstance(function, ast.FunctionDef) and module.is_generator(function):
        return f"`{function.name}` is a generator: only a coroutine can await"
    if function is not None:
        named = "a lambda" if isinstance(function, ast.Lambda) else f"`{function.name}`"
        return f"{named} is no coroutine, and cannot await"
    return "nothing can be awaited outside of a coroutine"
