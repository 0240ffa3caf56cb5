"""One function on its way from generator coroutine to `async def`: what is known of it, and the edits that turn it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..knowledge.awaitables import COROUTINE, TYPES_COROUTINE
from ..rule import Edit, Fix, MakeAsync, Remove, RemoveDecorator, Replace, Symbol, replace
from .compositions import composition
from .meanings import returned

if TYPE_CHECKING:
    from ..module import Module
    from .compositions import Composition
    from .kinds import Kinds


class Conversion:
    """One function on its way to `async def`.

    `decorators` are those that make it a coroutine; without any it is a plain generator, which counts as one that
    drives coroutines only with evidence: `known` (it awaits what surely is awaitable) or `driven` (a coroutine
    or the event loop drives it).
    """

    def __init__(
        self, function: ast.FunctionDef, decorators: list[ast.expr], own: list[ast.Yield | ast.YieldFrom]
    ) -> None:
        self.function = function
        self.decorators = decorators
        self.own = own
        self.reason = ""
        self.unsafe = ""
        self.needs: dict[Conversion, None] = {}
        # Generators without a decorator that it may drive, as far as a method's name says, and where.
        self.suspects: list[tuple[Conversion, ast.expr]] = []
        self.known = False
        self.driven = False
        self.iterated = False
        self.edits: list[Edit] = []

    @property
    def place(self) -> str:
        """What a message calls it."""
        return f"`{self.function.name}` (line {self.function.lineno})"

    def stay(self, reason: str) -> None:
        """Note a reason why it cannot turn over; the first one counts."""
        self.reason = self.reason or reason

    def need(self, other: Conversion) -> None:
        """It can only turn over when `other` does."""
        if other is not self:
            self.needs[other] = None


def fix_of(group: Iterable[Conversion], module: Module, kinds: Kinds) -> Fix:
    """The one Fix by which all of a group turn over."""
    edits: dict[tuple[type, ast.AST], Edit] = {}
    for conversion in group:
        for edit in (*_edits(conversion, module, kinds), *conversion.edits):
            place = edit.decorator if isinstance(edit, RemoveDecorator) else edit.node  # type: ignore[union-attr]  # no Insert among them
            edits.setdefault((type(edit), place), edit)
    unsafe = "; ".join(dict.fromkeys(reason for c in group for reason in _doubts(c, module)))
    return Fix(*edits.values(), unsafe=unsafe, supersedes=(COROUTINE, TYPES_COROUTINE))


def _doubts(conversion: Conversion, module: Module) -> Iterator[str]:
    """Why a person should look at a conversion first."""
    if conversion.unsafe:
        yield conversion.unsafe
    if _connected(conversion, module):
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
        for value in returned(function):
            if kinds.awaitable(value):
                yield replace(value, "await {value}", value=value)


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
    block = module.block(statement)
    before = block[: block.index(statement)]
    if any(isinstance(earlier, (ast.Return, ast.Raise)) for earlier in before):
        return Remove(statement)  # it is never reached, and only made the function a generator
    return replace(node, "await {sleep}(0)", sleep=Symbol("asyncio.sleep"))
