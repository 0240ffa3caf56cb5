"""What Python itself iterates over, and what must stay a generator for it: `__await__`, `__iter__`, `__next__`.

It goes on driving what has become a native coroutine, by way of that one's `__await__()`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..knowledge.coroutines import COROUTINES
from ..rule import Replace, replace

if TYPE_CHECKING:
    from .conversions import Conversion
    from .generators import Generators

PROTOCOL = frozenset({"__await__", "__iter__"})
ITERATORS = PROTOCOL | {"__next__"}
LOOP = "asyncio.AbstractEventLoop."
# Methods of event loops that are coroutines. Nobody else gives his methods such names.
LOOP_COROUTINES = frozenset(name.removeprefix(LOOP) for name in COROUTINES if name.startswith(LOOP))


def gives_iterator(conversion: Conversion) -> bool:
    """Is it an `__aiter__` that awaits nothing, and that nobody awaits but `async for`, which does no more?"""
    file, function = conversion.home, conversion.function
    return (
        function.name == "__aiter__"
        and file.together.whole
        and file.together.native
        and bool(conversion.decorators)
        and not conversion.own
        and all(
            _is_itself(value, function, file) or file.kinds.plain(value) for value in file.meanings.returned(function)
        )
        and not file.together.asks_for_iterators()
    )


def _is_itself(value: ast.expr, method: ast.FunctionDef, file: Generators) -> bool:
    """Is this the object that a method is called on, and can that not be awaited, as far as its class says?"""
    cls = file.module.class_of(method)
    own = isinstance(value, ast.Name) and file.module.bindings(value) == method.args.args[:1]
    return own and cls is not None and not file.meanings.member(cls, "__await__")


def assigned_iterators(file: Generators) -> Iterator[tuple[Conversion, str]]:
    """What a class's body gives a second name, `__await__ = wait`, that must not mean a coroutine; and the name."""
    for cls in file.module.nodes(ast.ClassDef):
        for name in sorted(ITERATORS):
            for member in file.meanings.member(cls, name):
                value = file.module.value(member)
                for meaning in file.meanings.of(value) if value else ():
                    if meaning in file.together.conversions:
                        yield file.together.conversions[meaning], name


def connect_iterators(file: Generators) -> None:
    """What `__await__` or `__iter__` returns must stay an iterator; that of a coroutine is its `__await__()`."""
    for function in file.module.nodes(ast.FunctionDef):
        if function.name not in ITERATORS or not file.module.class_of(function) or function in file.yields:
            continue
        for value in file.meanings.returned(function):
            sure = file.conversions_of(value)
            alone = len(sure) == len(file.meanings.results(value)) and isinstance(value, ast.Call)
            for source in sure:
                if function.name in PROTOCOL and alone:
                    source.edits.append((file, unwrapped(value)))
                    for other in sure:
                        source.need(other)
                else:
                    where = source.at(file, value)
                    source.stay(f"`{function.name}` in {where} must return an iterator, and returns it")


def can_unwrap(
    value: ast.expr, driver: Conversion | None, sure: list[Conversion], maybe: list[Conversion], file: Generators
) -> bool:
    """Can a method that must stay a generator drive the native coroutine through its `__await__`?"""
    if driver is None or driver.function.name not in PROTOCOL:
        return False
    if file.together.whole:
        return len(sure or maybe) >= len(file.meanings.results(value))
    return isinstance(value, ast.Call) and bool(sure) and len(sure) == len(file.meanings.results(value))


def unwrapping(file: Generators) -> list[Replace]:
    """What makes generators that must stay such, like `__await__`, drive native coroutines."""
    return [
        unwrapped(node.value)
        for function, nodes in file.yields.items()
        if isinstance(function, ast.FunctionDef) and function.name in PROTOCOL and file.module.class_of(function)
        for node in nodes
        if isinstance(node, ast.YieldFrom) and _is_native(node.value, file)
    ]


def unwrapped(value: ast.expr) -> Replace:
    """The edit by which a generator drives a native coroutine."""
    return replace(value, "{value}.__await__()", value=value)


def _is_native(value: ast.expr, file: Generators) -> bool:
    """Is this a native coroutine, as far as all files show?"""
    meanings = file.meanings.results(value)
    return bool(meanings) and all(_gives_native(meaning, file) for meaning in meanings)


def _gives_native(meaning: ast.AST, file: Generators) -> bool:
    match meaning:
        case ast.AsyncFunctionDef():
            return not file.meanings.is_generator(meaning)
        case ast.Call(func=ast.Attribute(attr=name) as called):
            if name in LOOP_COROUTINES or file.module.callee(meaning) in COROUTINES:
                return True
            return file.is_unknown(called) and file.together.is_native(name)
        case ast.Call():
            return file.module.callee(meaning) in COROUTINES
    return False
