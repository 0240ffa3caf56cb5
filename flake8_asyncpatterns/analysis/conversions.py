"""One function on its way from generator coroutine to `async def`: what is known of it, and the edits that turn it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..knowledge.awaitables import COROUTINE, TYPES_COROUTINE
from ..rule import Edit, Fix, MakeAsync, Remove, RemoveDecorator, Replace, Symbol, replace
from .compositions import composition
from .freenames import free, names_in

if TYPE_CHECKING:
    from ..module import Module
    from .compositions import Composition
    from .generators import Generators
    from .kinds import Kinds


# What a function calls the thing that it returns, if nothing else of it is called so.
NAMES = ("result", "outcome", "returned")


class Conversion:
    """One function on its way to `async def`.

    `home` knows the file that it stands in. `decorators` are those that make it a coroutine; without any it is a plain
    generator, which counts as one that drives coroutines only with evidence: `known` (it awaits what surely is
    awaitable) or `driven` (a coroutine or the event loop drives it). `wrapped`: a decorator of the project's own makes
    it a coroutine.
    """

    def __init__(
        self,
        home: Generators,
        function: ast.FunctionDef,
        decorators: list[ast.expr],
        own: list[ast.Yield | ast.YieldFrom],
    ) -> None:
        self.home = home
        self.function = function
        self.decorators = decorators
        self.own = own
        self.reason = ""
        self.cause: Conversion | None = None  # the one whose reason it is, where that is another
        self.unsafe = ""
        self.needs: dict[Conversion, None] = {}
        # Generators without a decorator that it may drive, as far as a method's name says, and where.
        self.suspects: list[tuple[Conversion, ast.expr]] = []
        self.known = False
        self.driven = False
        self.iterated = False
        self.wrapped = False
        # What it returns of which nobody knows whether the decorator awaits it: that is to be found out at run time.
        self.unsure: list[ast.expr] = []
        self.edits: list[tuple[Generators, Edit]] = []

    @property
    def key(self) -> str:
        """What it is called in its file, whatever line it stands on by now."""
        names = [self.function.name]
        for around in self.home.module.ancestors(self.function):
            if isinstance(around, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                names.append(around.name)
        return ".".join(reversed(names))

    @property
    def is_made(self) -> bool:
        """Can it be awaited as it is, and drive coroutines?"""
        return bool(self.decorators) or self.wrapped

    def place(self, home: Generators) -> str:
        """What a message about a file calls it."""
        where = f"line {self.function.lineno}"
        if home is not self.home:
            where = f"{self.home.module.path}:{self.function.lineno}"
        return f"`{self.function.name}` ({where})"

    def at(self, home: Generators, node: ast.AST) -> str:
        """Where a node of a file is, as a message about this conversion says it."""
        line: int = node.lineno  # type: ignore[attr-defined]  # placed nodes only
        return f"line {line}" if home is self.home else f"{home.module.path}:{line}"

    def stay(self, reason: str) -> None:
        """Note a reason why it cannot turn over; the first one counts."""
        self.reason = self.reason or reason

    def need(self, other: Conversion) -> None:
        """It can only turn over when `other` does."""
        if other is not self:
            self.needs[other] = None


def fixes_of(group: Iterable[Conversion]) -> dict[Generators, Fix]:
    """The one Fix for each file by which all of a group turn over."""
    edits: dict[Generators, dict[tuple[type, ast.AST], Edit]] = {}
    for conversion in group:
        home = conversion.home
        own = ((home, edit) for edit in _edits(conversion, home.module, home.kinds))
        for file, edit in (*own, *conversion.edits):
            place = edit.decorator if isinstance(edit, RemoveDecorator) else edit.node  # type: ignore[union-attr]  # no Insert among them
            edits.setdefault(file, {}).setdefault((type(edit), place), edit)
    unsafe = "; ".join(dict.fromkeys(reason for c in group for reason in _doubts(c)))
    superseded = (COROUTINE, TYPES_COROUTINE)
    return {file: Fix(*made.values(), unsafe=unsafe, supersedes=superseded) for file, made in edits.items()}


def own_fix(conversion: Conversion) -> Fix:
    """The edits of one alone."""
    return Fix(*_edits(conversion, conversion.home.module, conversion.home.kinds))


def _doubts(conversion: Conversion) -> Iterator[str]:
    """Why a person should look at a conversion first."""
    if conversion.unsafe:
        yield conversion.unsafe
    if conversion.unsure:
        yield "what it returns is awaited where it can be"
    if _connected(conversion, conversion.home.module):
        yield "the functions are taken when they are connected; add `asyncpatterns` to your dependencies"


def _connected(conversion: Conversion, module: Module) -> Composition | None:
    """What the runtime's `connect` can do instead, where that is preferred."""
    if conversion.decorators or not module.settings.runtime:
        return None
    return composition(conversion.function, module)


def _edits(conversion: Conversion, module: Module, kinds: Kinds) -> Iterator[Edit]:
    function = conversion.function
    if connected := _connected(conversion, module):
        connect = Symbol("asyncpatterns.connect")
        yield replace(function, "return {connect}(*{functions})", connect=connect, functions=connected.functions)
        yield Remove(connected.returned)
        return
    for decorator in conversion.decorators:
        yield RemoveDecorator(function, decorator)
    yield MakeAsync(function)
    for node in conversion.own:
        manager = manager_of(node, module)
        if manager and isinstance(node, ast.YieldFrom) and takes_lock(node, module, kinds):
            yield MakeAsync(manager)
            yield replace(node, "{lock}", lock=node.value)
        elif isinstance(node, ast.YieldFrom):
            yield replace(node, "await {value}", value=node.value)
        else:
            yield _without_yield(node, module)
    if not conversion.own:
        for value in kinds.meanings.returned(function):
            if kinds.awaitable(value):
                yield replace(value, "await {value}", value=value)
            elif value in conversion.unsure:
                name = free_name(function)
                template = f"await {name} if {{isawaitable}}({name} := {{value}}) else {name}"
                yield replace(value, template, isawaitable=Symbol("inspect.isawaitable"), value=value)


def free_name(function: ast.AST) -> str:
    """A name for what a function returns that nothing in it, or in a function inside, means otherwise; empty: none."""
    return free(NAMES, names_in(function))


def manager_of(node: ast.AST, module: Module) -> ast.With | None:
    """The `with` that an expression is a context manager of."""
    item = module.parent(node)
    manager = module.parent(item) if isinstance(item, ast.withitem) else None
    return manager if isinstance(manager, ast.With) else None


def takes_lock(node: ast.YieldFrom, module: Module, kinds: Kinds) -> bool:
    """Is this `with (yield from lock)`, as far as can be seen?

    What else gives a context manager when it is awaited is called, or its manager's value is used.
    """
    if not manager_of(node, module):
        return False
    item = module.parent(node)
    named = isinstance(item, ast.withitem) and item.optional_vars is not None
    if kinds.lock(node.value):
        return True
    return not named and isinstance(node.value, (ast.Name, ast.Attribute, ast.Subscript))


def _without_yield(node: ast.Yield, module: Module) -> Replace | Remove:
    statement = module.statement(node)
    if any(isinstance(earlier, (ast.Return, ast.Raise)) for earlier in module.above(statement)):
        return Remove(statement)  # it is never reached, and only made the function a generator
    return replace(node, "await {sleep}(0)", sleep=Symbol("asyncio.sleep"))
