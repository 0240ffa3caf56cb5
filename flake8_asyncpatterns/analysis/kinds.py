"""Whether the value of an expression is awaited, iterated, or neither, as far as one file shows."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ..flow import body
from ..knowledge.awaitables import (
    AWAITABLE_BASES,
    AWAITABLES,
    FUTURES,
    ITERABLE_TYPES,
    ITERABLES,
    LOCKS,
    PLAIN,
    PLAIN_BASES,
    PLAIN_MODULES,
)
from .meanings import DEFINITIONS, Meanings

if TYPE_CHECKING:
    from ..module import Module
    from ..rule import FunctionDef

# What a function of another file returns is followed through so many files.
HOPS = 3
LITERALS = (ast.List, ast.Tuple, ast.Set, ast.Dict, ast.ListComp, ast.SetComp, ast.DictComp, ast.JoinedStr)
NOT_AWAITABLE = (*LITERALS, ast.Constant, ast.Compare, ast.BinOp, ast.UnaryOp, ast.Lambda)


class Kinds:
    """The answers for one Module. `is_coroutine` tells of a function whether its call gives something to await."""

    def __init__(
        self, module: Module, meanings: Meanings, is_coroutine: Callable[[FunctionDef], bool], hops: int = HOPS
    ) -> None:
        self.module = module
        self._hops = hops
        self.meanings = meanings
        self._is_coroutine = is_coroutine

    def awaitable(self, value: ast.expr, *, elsewhere: bool = False) -> bool:
        """Is this surely awaitable? `elsewhere`: as far as the calls in this file show what parameters are."""
        found = self.meanings.results(value)
        unknown = [meaning for meaning in found if not self.gives_awaitable(meaning)]
        if not elsewhere:
            return bool(found) and not unknown
        return len(unknown) < len(found) and all(self._leads_out(meaning) for meaning in unknown)

    def gives_awaitable(self, meaning: ast.AST) -> bool:
        """Is what `Meanings.results` names something to await?"""
        match meaning:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return self._is_coroutine(meaning)
            case ast.ClassDef():
                return bool(self.meanings.member(meaning, "__await__"))
            case ast.Call() if self.module.callee(meaning) in AWAITABLES:
                return True
            case ast.Call():
                given = list(self._given_elsewhere(meaning))
                return bool(given) and all(kinds.awaitable(value) for kinds, value in given)
            case ast.Attribute(attr=name) if self.meanings.others and self.module.name(meaning) is None:
                stores = self.meanings.others.stored(name)
                kinds = (module.type_of(module.value(target) or target) for module, target in stores)
                if stores and all(kind in FUTURES for kind in kinds):
                    return True
        return self.module.type_of(meaning) in FUTURES

    def _given_elsewhere(self, call: ast.Call) -> Iterator[tuple[Kinds, ast.expr]]:
        """What plain functions of other files return, which are all that is called here; none: something else is."""
        called = self.meanings.of(call.func) if self._hops and self.meanings.others else ()
        homes = [self.meanings.home(one) for one in called]
        if all(home is not self.meanings and home.is_transparent(one) for home, one in zip(homes, called, strict=True)):
            for home, function in zip(homes, called, strict=True):
                kinds = Kinds(home.module, home, self._is_coroutine, self._hops - 1)
                yield from ((kinds, value) for value in home.returned(function))

    def _leads_out(self, meaning: ast.AST) -> bool:
        """Is this a parameter, or a call of one: something that only callers elsewhere could tell?"""
        if isinstance(meaning, ast.Call):
            return any(isinstance(called, ast.arg) for called in self.meanings.of(meaning.func))
        return isinstance(meaning, ast.arg)

    def plain(self, value: ast.expr) -> bool:
        """Is this surely nothing that can be awaited, and no generator?"""
        found = self.meanings.results(value)
        named = any(isinstance(meaning, DEFINITIONS) for meaning in self.meanings.of(value))  # a function, not called
        return (named or bool(found)) and all(self._is_plain(meaning) for meaning in found)

    def _is_plain(self, meaning: ast.AST) -> bool:
        match meaning:
            case ast.Call(func=ast.Attribute(value=ast.Constant() | ast.JoinedStr())):
                return True
            case ast.Call():
                # By its name: a method of a class of the project's own is not the base's.
                if self.module.callee(meaning) in PLAIN:
                    return True
                if (self.module.name(meaning.func) or "").startswith(PLAIN_MODULES):
                    return True
                given = list(self._given_elsewhere(meaning))
                return bool(given) and all(kinds.plain(value) for kinds, value in given)
            case ast.ClassDef():
                return self._never_awaitable(meaning)
            case ast.FunctionDef():  # one that returns nothing; a method may be another's elsewhere
                home = self.meanings.home(meaning)
                all_known = self.meanings.others is not None or home.module.class_of(meaning) is None
                return home.is_transparent(meaning) and all_known
            case ast.arg():
                cls = self._self_of(meaning)
                return cls is not None and self._never_awaitable(cls)
        return isinstance(meaning, NOT_AWAITABLE)

    def _self_of(self, parameter: ast.arg) -> ast.ClassDef | None:
        arguments = self.module.parents[parameter]
        function = self.module.parents[arguments]
        first = isinstance(arguments, ast.arguments) and [*arguments.posonlyargs, *arguments.args][:1] == [parameter]
        static = any(self.module.name(d) == "builtins.staticmethod" for d in getattr(function, "decorator_list", ()))
        return self.module.class_of(function) if first and not static else None

    def _never_awaitable(self, cls: ast.ClassDef) -> bool:
        module = self.meanings.home(cls).module
        family = self.meanings.family(cls)
        if self.meanings.others is None:
            known = all(module.bases(cls))
        else:
            known = all(self._is_known_base(base, own) for own in family for base in own.bases)
        return known and not any(self.meanings.member(relative, "__await__") for relative in family)

    def _is_known_base(self, base: ast.expr, of: ast.ClassDef) -> bool:
        """Is this base a class of the project, or one from elsewhere that is known not to be awaitable?"""
        home = self.meanings.home(of)
        named = base.value if isinstance(base, ast.Subscript) else base
        name = home.module.name(named) or ""
        return (name.startswith(PLAIN_BASES) and name not in AWAITABLE_BASES) or any(
            isinstance(one, ast.ClassDef) for one in home.of(named)
        )

    def iterable(self, value: ast.expr) -> bool:
        """Is this surely something to iterate over, and not to await?"""
        if isinstance(value, ast.Name) and self.module.type_of(value) in ITERABLE_TYPES:
            return True
        found = self.meanings.results(value)
        return (bool(found) and all(map(self._is_iterable, found))) or any(map(self._is_plain_generator, found))

    def _is_plain_generator(self, meaning: ast.AST) -> bool:
        """Is this a generator of the file that yields values, and drives nothing?"""
        return (
            isinstance(meaning, ast.FunctionDef)
            and not meaning.decorator_list
            and self.meanings.is_generator(meaning)
            and not any(isinstance(node, ast.YieldFrom) for node in body(meaning))
        )

    def _is_iterable(self, meaning: ast.AST) -> bool:
        match meaning:
            case ast.Call(func=ast.Attribute(value=ast.Dict(), attr="keys" | "values" | "items")):
                return True
            case ast.Call():
                return self.module.callee(meaning) in ITERABLES
            case ast.BinOp(left=left, right=right):  # `[None] * times`
                return isinstance(left, LITERALS) or isinstance(right, LITERALS)
            case ast.ClassDef():
                members = self.meanings.member
                return bool(members(meaning, "__iter__")) and not members(meaning, "__await__")
        return isinstance(meaning, (*LITERALS, ast.GeneratorExp, ast.Constant))

    def lock(self, value: ast.expr) -> bool:
        """Is this surely a lock of asyncio: all that it may be, or every attribute of this name in the file?"""
        found = list(self.meanings.of(value))
        if found == [value] and isinstance(value, ast.Attribute):
            found = [
                node
                for node in self.module.nodes(ast.Attribute)
                if node.attr == value.attr and isinstance(node.ctx, ast.Store)
            ]
        return bool(found) and all(self.module.type_of(meaning) in LOCKS for meaning in found)
