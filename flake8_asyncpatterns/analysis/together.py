"""Generator coroutines of files that are looked at together: of one file, or of a whole program.

What each file knows of its own functions, `Generators` says. Here is what they tell each other, in the order in which
that can be told: what is known to be awaitable, what drives what, what keeps whom from turning over, and which turn
over together.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ..rule import Fix
from .conversions import Conversion, fixes_of
from .iterators import unwrapping
from .obstacles import gives_nothing

if TYPE_CHECKING:
    from ..rule import FunctionDef
    from .generators import Generators


class Together:
    """The files, and all their conversions.

    `whole`: they are all that there is, so that names count as evidence. `native`: they only have to run where
    asyncio's own coroutines are native, which is since Python 3.7. `gone`: … where there is no `asyncio.coroutine` any
    more, which is since 3.11, so that what stays decorated does not run at all.
    """

    def __init__(
        self, files: Sequence[Generators], *, whole: bool = False, native: bool = True, gone: bool = False
    ) -> None:
        self.files = files
        self.whole = whole
        self.native = native
        self.gone = gone
        self.conversions: dict[ast.AST, Conversion] = {}
        self.bundles: list[dict[Generators, Fix]] = []
        self._homes: dict[ast.AST, Generators] = {}
        self._methods: dict[str, list[Conversion]] | None = None
        self._natives: dict[str, bool] | None = None
        self._stored: dict[str, dict[Conversion, None]] | None = None
        self._replaced: dict[ast.AST, tuple[Conversion, ...]] = {}
        for file in files:
            file.together = self
        for file in files:
            file.collect()
            self.conversions.update(file.conversions)
            if len(files) > 1:
                kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
                self._homes.update(dict.fromkeys(file.module.nodes(*kinds), file))

    def home(self, node: ast.AST) -> Generators:
        """The file that a function or a class stands in."""
        return self._homes.get(node) or self.files[0]

    def methods(self, name: str) -> list[Conversion]:
        """The conversions that are methods of this name, or stand in their place."""
        if self._methods is None:
            self._methods = {}
            for conversion in self.conversions.values():
                if conversion.home.module.class_of(conversion.function):
                    given = (conversion, *self.in_place_of(conversion.function))
                    self._methods.setdefault(conversion.function.name, []).extend(given)
        return self._methods.get(name, [])

    def in_place_of(self, function: FunctionDef) -> tuple[Conversion, ...]:
        """What is called instead of a decorated function."""
        if not function.decorator_list:
            return ()
        if function not in self._replaced:
            self._replaced[function] = (*dict.fromkeys(self.home(function).put_in_place(function)),)
        return self._replaced[function]

    def is_native(self, name: str) -> bool:
        """Are all methods of this name native coroutines?"""
        if self._natives is None:
            self._natives = {}
            for file in self.files:
                for function in file.module.nodes(ast.FunctionDef, ast.AsyncFunctionDef):
                    if file.module.class_of(function):
                        native = isinstance(function, ast.AsyncFunctionDef) and not file.module.is_generator(function)
                        self._natives[function.name] = native and self._natives.get(function.name, True)
        return self._natives.get(name, False)

    def may_give_nothing(self, name: str) -> bool:
        """Does a method of this name, of whatever class, give `()` to those that drive what it gives?"""
        return name in self._idle

    def has_generator(self, name: str) -> bool:
        """Is a method of this name a generator that is none of the conversions?"""
        return name in self._generators

    @cached_property
    def _idle(self) -> frozenset[str]:
        return self._names_of_methods(lambda file, method: gives_nothing(method, file))

    @cached_property
    def _generators(self) -> frozenset[str]:
        return self._names_of_methods(
            lambda file, method: method not in self.conversions and file.module.is_generator(method)
        )

    def _names_of_methods(self, holds: Callable[[Generators, ast.FunctionDef], bool]) -> frozenset[str]:
        """The names of the methods, in whatever file, for which this holds."""
        return frozenset(
            function.name
            for file in self.files
            for function in file.module.nodes(ast.FunctionDef)
            if file.module.class_of(function) and holds(file, function)
        )

    def stored(self, name: str) -> list[Conversion]:
        """The conversions whose result is put into an attribute of this name."""
        if self._stored is None:
            self._stored = {}
            for file in self.files:
                for attribute, conversion in file.stored():
                    self._stored.setdefault(attribute, {})[conversion] = None
        return [*self._stored.get(name, ())]

    def asks_for_iterators(self) -> bool:
        """Does anything else than `async for` call an `__aiter__`?"""
        return any(file.module.attributes("__aiter__") for file in self.files)

    def candidates(self) -> Iterator[Conversion]:
        """What is, or surely drives, a generator coroutine."""
        for file in self.files:
            yield from file.decorated()
            yield from (c for c in file.conversions.values() if c.wrapped)
            yield from file.drivers()

    def settle(self) -> None:
        """Find out which turn over, and make the fixes by which they do."""
        conversions = self.conversions.values()
        knows = self.whole or (conversions and any(file.knows_coroutines() for file in self.files))
        if not knows and not any(c.is_made for c in conversions):
            return
        self._find_known()
        for file in self.files:
            file.judge()
        if any(map(self._is_undecided, self.conversions.values())):
            self._compare()
        self._gather()

    @staticmethod
    def _is_undecided(conversion: Conversion) -> bool:
        """May others still decide whether it turns over, or whether it is one to be told of?"""
        return not conversion.reason or not (conversion.is_made or conversion.home.meant_to_be_a_generator(conversion))

    def _compare(self) -> None:
        """Find out what each is to the others, and who stays because of that."""
        for file in self.files:
            file.connect()
        self._find_evidence()
        for file in self.files:
            file.connect_relatives()
        self._spread()
        self._suspect()

    def _find_known(self) -> None:
        while any(file.find_known() for file in self.files) and len(self.files) > 1:
            pass  # what one found may tell another

    def _find_evidence(self) -> None:
        """Whatever a coroutine or the event loop drives, and whatever that drives, is a coroutine, too."""
        todo = [conversion for file in self.files for conversion in file.run]
        while todo:
            conversion = todo.pop()
            if not conversion.driven and not conversion.is_made:
                conversion.driven = True
                todo += conversion.home.driven(conversion)
        self._find_known()  # what drives one of these is known now

    def _spread(self) -> None:
        """A reason to stay reaches all that need the one that has it."""
        needed_by: dict[Conversion, list[Conversion]] = {}
        for conversion in self.conversions.values():
            for other in conversion.needs:
                needed_by.setdefault(other, []).append(conversion)
        todo = [conversion for conversion in self.conversions.values() if conversion.reason]
        origin = {conversion: conversion for conversion in todo}
        while todo:
            blocked = todo.pop(0)
            for conversion in needed_by.get(blocked, ()):
                if not conversion.reason:
                    cause = origin[conversion] = origin[blocked]
                    conversion.cause = cause
                    named = cause.place(conversion.home)
                    conversion.reason = f"it must turn over together with {named}, and {cause.reason}"
                    todo.append(conversion)

    def _suspect(self) -> None:
        """What may be a generator of these files has to turn over, too, or else it may be awaited in vain."""
        for conversion in self.conversions.values():
            for source, value in conversion.suspects if not conversion.reason else ():
                if not source.reason:
                    conversion.need(source)
                elif not conversion.unsafe:
                    named = source.place(conversion.home)
                    conversion.unsafe = f"`{ast.unparse(value)}` may be the generator {named}, which stays one"

    def _gather(self) -> None:
        """One Fix in each file for each set of conversions that are connected."""
        if self.whole and self.native:
            unwrapped = {file: Fix(*edits) for file in self.files if (edits := unwrapping(file))}
            self.bundles += ({file: fix} for file, fix in unwrapped.items())
        self.bundles += ({file: fix} for file in self.files for fix in file.iterators.values())
        for group in self._groups():
            fixes = fixes_of(group)
            self.bundles.append(fixes)
            for conversion in group:
                conversion.home.fixes[conversion] = fixes[conversion.home]

    def _groups(self) -> Iterator[list[Conversion]]:
        linked: dict[Conversion, list[Conversion]] = {c: [] for c in self.conversions.values() if not c.reason}
        for conversion in linked:
            for other in conversion.needs:
                linked[conversion].append(other)
                linked[other].append(conversion)
        while linked:
            group: dict[Conversion, None] = {}
            todo = [next(iter(linked))]
            while todo:
                conversion = todo.pop()
                if conversion not in group:
                    group[conversion] = None
                    todo += linked.pop(conversion)
            yield [*group]
