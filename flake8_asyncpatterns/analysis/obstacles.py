"""What keeps one function from turning over, whatever becomes of the others."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..flow import body
from ..scopes import COMPREHENSIONS
from .conversions import Conversion, free_name, manager_of, takes_lock
from .iterators import ITERATORS
from .meanings import DEFINITIONS

if TYPE_CHECKING:
    from .generators import Generators

# What `async def` may be called with underscores at both ends; every other such method is called by Python itself.
ASYNC_METHODS = frozenset({"__aenter__", "__aexit__", "__anext__", "__call__"})


def obstacles(conversion: Conversion) -> Iterator[str]:
    """The reasons to stay that a function has of its own, the most telling first.

    Of what it returns, what is yet to be found out when it runs is noted as `unsure`.
    """
    file, function = conversion.home, conversion.function
    for decorator in function.decorator_list:
        if decorator not in conversion.decorators and not file.is_harmless(decorator):
            named = file.module.decorator(decorator) or ast.unparse(decorator)
            yield f"`@{named}` may look at the generator"
    if function.name in ITERATORS:
        yield f"`{function.name}` must return an iterator, which a coroutine is not"
    elif is_special(function.name):
        yield f"Python itself calls `{function.name}`, and awaits nothing"
    cls = file.module.class_of(function)
    if not conversion.decorators and cls and file.has_metaclass(cls):
        yield "the metaclass may drive the generator"
    if not conversion.decorators and file.is_collected(conversion):
        yield "it is a test, and whoever collects it drives the generator"
    for node in conversion.own:
        yield from _obstacles_of(node, conversion)
    if not conversion.own:
        yield from _obstacles_of_returns(conversion)


def _obstacles_of(node: ast.Yield | ast.YieldFrom, conversion: Conversion) -> Iterator[str]:
    file = conversion.home
    yield from _misplaced(node, conversion)
    if isinstance(node, ast.YieldFrom):
        if file.kinds.iterable(node.value):
            yield f"`{ast.unparse(node.value)}` in line {node.lineno} is iterated, and cannot be awaited"
        elif _may_be_nothing(node.value, file):
            yield f"`{ast.unparse(node.value)}` in line {node.lineno} may be `()`, which cannot be awaited"
        manager = manager_of(node, file.module)
        if manager and takes_lock(node, file.module, file.kinds) and len(manager.items) > 1:
            yield f"the `with` in line {manager.lineno} has several managers"
    elif node.value is not None:
        yield f"`{ast.unparse(node)}` in line {node.lineno} hands a value to whoever drives the generator"
    elif not isinstance(file.module.parent(node), ast.Expr):
        yield f"the value of a bare `yield` is used in line {node.lineno}"
    elif not conversion.is_made:
        yield f"a bare `yield` in line {node.lineno} hands control to whoever drives the generator"


def _misplaced(node: ast.Yield | ast.YieldFrom, conversion: Conversion) -> Iterator[str]:
    """Why a yield stands where no `await` can."""
    inner: ast.AST = node
    for around in conversion.home.module.ancestors(node):
        if around is conversion.function:
            break
        if isinstance(around, COMPREHENSIONS) and inner is not around.generators[0].iter:
            yield f"a comprehension yields in line {node.lineno}"
        if isinstance(around, ast.arguments) or (isinstance(around, DEFINITIONS) and node not in body(around)):
            yield f"a default or a decorator yields in line {node.lineno}"
        # A comprehension's first iterable is evaluated outside of it.
        inner = inner if isinstance(around, ast.comprehension) else around


def _obstacles_of_returns(conversion: Conversion) -> Iterator[str]:
    file, function = conversion.home, conversion.function
    for value in file.meanings.returned(function):
        if file.kinds.plain(value) or file.kinds.awaitable(value):
            continue
        if file.together.gone and conversion.decorators and free_name(function):
            conversion.unsure.append(value)
            continue
        text = ast.unparse(value)
        text = text if len(text) < 60 else f"{text[:57]}…"
        yield f"`{text}`, which it returns, may be a future or a generator that the decorator awaits"


def _may_be_nothing(value: ast.expr, file: Generators) -> bool:
    """May this be `()`, which functions gave to `yield from` that had nothing to wait for?"""
    for meaning in file.meanings.of(value):
        match meaning:
            case ast.Call(func=ast.Attribute(attr=name) as called) if file.is_unknown(called):
                if file.together.whole and file.together.may_give_nothing(name):
                    return True
            case ast.Call(func=func):
                if any(gives_nothing(one, file) for one in file.meanings.of(func)):
                    return True
    return any(map(_is_nothing, file.meanings.results(value)))


def gives_nothing(function: ast.AST, file: Generators) -> bool:
    """May a call of this give `()`, as far as its own text says?"""
    plain = isinstance(function, ast.FunctionDef) and not file.meanings.is_generator(function)
    return plain and any(map(_is_nothing, file.meanings.returned(function)))


def _is_nothing(value: ast.AST) -> bool:
    """Is this `()`?"""
    return isinstance(value, ast.Tuple) and not value.elts


def is_special(name: str) -> bool:
    """Is a method of this name called by Python itself, which awaits nothing?"""
    return name.startswith("__") and name.endswith("__") and name not in ASYNC_METHODS
