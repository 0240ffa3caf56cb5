"""The generator coroutines of one file: which can become `async def`, and which only together.

Two facts of the language decide. A plain generator cannot drive a native coroutine (`yield from f()` is a
TypeError there), and `await` cannot drive a plain generator. A generator under `@asyncio.coroutine` can do both,
so it may stay what it is next to functions that were turned; an undecorated one has to turn with them.

Each candidate has its own reasons to stay (`Conversion.reason`) and others that it needs to turn with it. A reason
spreads to all that need the one that has it; what is left turns over, connected ones in one Fix.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..flow import body, is_generator, yields
from ..knowledge.awaitables import (
    COROUTINE,
    DRIVERS,
    HAND_DRIVEN,
    HARMLESS_DECORATOR_FAMILIES,
    HARMLESS_DECORATORS,
    INSPECTING,
    TYPES_COROUTINE,
)
from ..rule import Fix, replace
from ..scopes import COMPREHENSIONS
from .conversions import Conversion, fix_of, manager_of, takes_lock
from .kinds import Kinds
from .meanings import DEFINITIONS, Meanings, returned

if TYPE_CHECKING:
    from ..module import Module
    from ..rule import FunctionDef

# What `async def` may be called with underscores at both ends; every other such method is called by Python itself.
ASYNC_METHODS = frozenset({"__aenter__", "__aexit__", "__anext__", "__call__"})
PROTOCOL = frozenset({"__await__", "__iter__"})
ITERATORS = PROTOCOL | {"__next__"}


class Generators:
    """All generator coroutines of a Module: `module.analysis(Generators)`."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.meanings = Meanings(module)
        self.kinds = Kinds(module, self.meanings, self._is_coroutine)
        self.conversions: dict[ast.AST, Conversion] = {}
        self.fixes: dict[Conversion, Fix] = {}
        # What coroutines drive.
        self._run: list[Conversion] = []
        self._spelled: dict[str, list[ast.expr]] | None = None
        self._own: dict[ast.AST | None, list[ast.Yield | ast.YieldFrom]] = {}
        for node in module.nodes(ast.YieldFrom, ast.Yield):
            self._own.setdefault(module.function(node), []).append(node)
        self._collect()
        if any(c.decorators for c in self.conversions.values()) or (self.conversions and self._knows_coroutines()):
            self._find_known()
            self._judge()
            self._connect()
            self._spread()
            self._suspect()
            self._gather()

    def _knows_coroutines(self) -> bool:
        """Does the file import asyncio, or define a coroutine?"""
        return bool(self.module.nodes(ast.AsyncFunctionDef)) or "asyncio" in self.module.packages()

    def _collect(self) -> None:
        for function in self.module.nodes(ast.FunctionDef):
            decorators = [d for d in function.decorator_list if self.module.name(d) in (COROUTINE, TYPES_COROUTINE)]
            own = sorted(self._own.get(function, ()), key=lambda node: (node.lineno, node.col_offset))
            if any(self.module.name(d) == COROUTINE for d in decorators):
                self.conversions[function] = Conversion(function, decorators, own)
            elif any(isinstance(node, ast.YieldFrom) for node in own):
                if not decorators:
                    self.conversions[function] = Conversion(function, [], own)
                elif all(isinstance(node, ast.YieldFrom) and self.kinds.awaitable(node.value) for node in own):
                    self.conversions[function] = Conversion(function, decorators, own)

    def decorated(self) -> Iterator[Conversion]:
        """Those that a decorator makes a coroutine."""
        return (c for c in self.conversions.values() if c.decorators)

    def drivers(self) -> Iterator[Conversion]:
        """Plain generators that surely drive coroutines, and that nothing iterates."""
        for conversion in self.conversions.values():
            if (
                not conversion.decorators
                and (conversion.known or conversion.driven)
                and not conversion.iterated
                and not self._meant_to_be_a_generator(conversion)
            ):
                yield conversion

    def _is_coroutine(self, function: FunctionDef) -> bool:
        """Does a call of this function give something to await?"""
        made = [d for d in function.decorator_list if self.module.name(d) in (COROUTINE, TYPES_COROUTINE)]
        others_harmless = all(d in made or self._is_harmless(d) for d in function.decorator_list)
        if isinstance(function, ast.AsyncFunctionDef):
            return others_harmless and not is_generator(function)
        conversion = self.conversions.get(function)
        if made or conversion is None:
            return bool(made) and others_harmless
        return (conversion.known or conversion.driven) and not self._meant_to_be_a_generator(conversion)

    def _meant_to_be_a_generator(self, conversion: Conversion) -> bool:
        """Does something else than a `yield from` run it, so that it may be right as it is?"""
        function = conversion.function
        cls = self.module.class_of(function)
        return (
            any(isinstance(node, ast.Yield) for node in conversion.own)
            or any(not self._is_harmless(d) for d in function.decorator_list)
            or _is_special(function.name)
            or function.name.startswith("test")  # collected by name, and run by whoever collected it
            or bool(cls and self._has_metaclass(cls))
        )

    def _has_metaclass(self, cls: ast.ClassDef) -> bool:
        return any(
            keyword.arg == "metaclass" and self.module.name(keyword.value) != "abc.ABCMeta"
            for base in self.module.bases(cls)
            if base
            for keyword in base.keywords
        )

    def _is_harmless(self, decorator: ast.expr) -> bool:
        name = self._decorator_name(decorator)
        if name is None:
            definition = self.module.definition(decorator)
            return isinstance(definition, ast.FunctionDef) and self._only_awaits(definition)
        return name in HARMLESS_DECORATORS or name.startswith(HARMLESS_DECORATOR_FAMILIES)

    def _only_awaits(self, decorator: ast.FunctionDef) -> bool:
        """Does a decorator of this file use what it is given only to await it in a coroutine?"""
        given = [*decorator.args.posonlyargs, *decorator.args.args][:1]
        uses = [
            node
            for node in ast.walk(decorator)
            if isinstance(node, ast.Name) and given and given == self.module.bindings(node)
        ]
        return bool(uses) and all(map(self._is_awaited, uses))

    def _is_awaited(self, function: ast.Name) -> bool:
        call = self.module.parent(function)
        if not isinstance(call, ast.Call):
            return False
        if call.func is not function:
            return self.module.name(call.func) in ("functools.wraps", "asyncio.iscoroutinefunction")
        around = self.module.parent(call)
        driver = self.conversions.get(self.module.function(call) or call)
        return isinstance(around, ast.Await) or (
            isinstance(around, ast.YieldFrom) and driver is not None and bool(driver.decorators)
        )

    def _decorator_name(self, decorator: ast.expr) -> str | None:
        return self.module.name(decorator.func if isinstance(decorator, ast.Call) else decorator)

    def driven_by(self, value: ast.expr) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """The functions of this file whose call may have given this value."""
        for meaning in self.meanings.results(value):
            if isinstance(meaning, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield meaning

    def _by_name(self, value: ast.expr) -> Iterator[Conversion]:
        """What `unknown.method()` or `unknown.attribute` would be, were `unknown` an object of this file's classes."""
        for meaning in self.meanings.results(value):
            match meaning:
                case ast.Call(func=ast.Attribute(attr=name) as called) if self.module.name(called) is None:
                    for conversion in self.conversions.values():
                        if conversion.function.name == name and self.module.class_of(conversion.function):
                            yield conversion
                case ast.Attribute(attr=name) if self.module.name(meaning) is None:
                    for target in self.module.nodes(ast.Attribute):
                        stored = self.module.value(target) if target.attr == name else None
                        for function in self.driven_by(stored) if stored else ():
                            if function in self.conversions:
                                yield self.conversions[function]

    def _find_known(self) -> None:
        """Find the plain generators that drive what is known to be awaitable; one may make another known."""
        todo = [c for c in self.conversions.values() if not c.decorators]
        while found := [c for c in todo if any(map(self._is_known, _operands(c)))]:
            for conversion in found:
                conversion.known = True
            todo = [c for c in todo if not c.known]

    def _is_known(self, value: ast.expr) -> bool:
        return self.kinds.awaitable(value) or self.kinds.awaitable(value, elsewhere=True)

    def _judge(self) -> None:
        for conversion in self.conversions.values():
            conversion.stay(next(self._reasons(conversion), ""))
            for node in conversion.own:
                if (
                    isinstance(node, ast.YieldFrom)
                    and takes_lock(node, self.module, self.kinds)
                    and not self.kinds.lock(node.value)
                ):
                    conversion.unsafe = f"`{ast.unparse(node.value)}` is taken for a lock of asyncio"

        for conversion, name in self._assigned_iterators():
            conversion.stay(f"it is assigned to `{name}`, which must return an iterator")

    def _assigned_iterators(self) -> Iterator[tuple[Conversion, str]]:
        """What a class's body gives a second name, `__await__ = wait`, that must not mean a coroutine."""
        for cls in self.module.nodes(ast.ClassDef):
            for name in sorted(ITERATORS):
                for member in self.meanings.member(cls, name):
                    value = self.module.value(member)
                    for meaning in self.meanings.of(value) if value else ():
                        if meaning in self.conversions:
                            yield self.conversions[meaning], name

    def _reasons(self, conversion: Conversion) -> Iterator[str]:
        function = conversion.function
        for decorator in function.decorator_list:
            if decorator not in conversion.decorators and not self._is_harmless(decorator):
                named = self._decorator_name(decorator) or ast.unparse(decorator)
                yield f"`@{named}` may look at the generator"
        if function.name in ITERATORS:
            yield f"`{function.name}` must return an iterator, which a coroutine is not"
        elif _is_special(function.name):
            yield f"Python itself calls `{function.name}`, and awaits nothing"
        cls = self.module.class_of(function)
        if not conversion.decorators and cls and self._has_metaclass(cls):
            yield "the metaclass may drive the generator"
        if not conversion.decorators and function.name.startswith("test"):
            yield "it is a test, and whoever collects it drives the generator"
        for node in conversion.own:
            yield from self._reasons_of(node, conversion)
        if not conversion.own:
            yield from self._reasons_of_returns(function)

    def _reasons_of(self, node: ast.Yield | ast.YieldFrom, conversion: Conversion) -> Iterator[str]:
        inner: ast.AST = node
        for around in self.module.ancestors(node):
            if around is conversion.function:
                break
            if isinstance(around, COMPREHENSIONS) and inner is not around.generators[0].iter:
                yield f"a comprehension yields in line {node.lineno}"
            if isinstance(around, ast.arguments) or (isinstance(around, DEFINITIONS) and node not in body(around)):
                yield f"a default or a decorator yields in line {node.lineno}"
            # A comprehension's first iterable is evaluated outside of it.
            inner = inner if isinstance(around, ast.comprehension) else around
        statement = isinstance(self.module.parent(node), ast.Expr)
        if isinstance(node, ast.YieldFrom):
            if self.kinds.iterable(node.value):
                yield f"`{ast.unparse(node.value)}` in line {node.lineno} is iterated, and cannot be awaited"
            manager = manager_of(node, self.module)
            if manager and takes_lock(node, self.module, self.kinds) and len(manager.items) > 1:
                yield f"the `with` in line {manager.lineno} has several managers"
        elif node.value is not None:
            yield f"`{ast.unparse(node)}` in line {node.lineno} hands a value to whoever drives the generator"
        elif not statement:
            yield f"the value of a bare `yield` is used in line {node.lineno}"
        elif not conversion.decorators:
            yield f"a bare `yield` in line {node.lineno} hands control to whoever drives the generator"

    def _reasons_of_returns(self, function: ast.FunctionDef) -> Iterator[str]:
        for value in returned(function):
            if not self.kinds.plain(value) and not self.kinds.awaitable(value):
                text = ast.unparse(value)
                text = text if len(text) < 60 else f"{text[:57]}…"
                yield f"`{text}`, which it returns, may be a future or a generator that the decorator awaits"

    def _connect(self) -> None:
        self._connect_drivers()
        self._connect_iterators()
        self._connect_callers_of_values()
        self._find_hand_driven()
        self._find_evidence()
        for conversion in self.conversions.values():
            if not conversion.decorators:
                self._judge_driver(conversion)
        for conversion in [*self.conversions.values()]:
            self._connect_hierarchy(conversion)

    def _connect_drivers(self) -> None:
        for function, nodes in self._own.items():
            driver = self.conversions.get(function) if function else None
            for node in nodes:
                if isinstance(node, ast.YieldFrom):
                    self._connect_operand(node.value, driver, function)
        for conversion in self.decorated():
            if not conversion.own:
                for value in returned(conversion.function):
                    self._connect_operand(value, conversion, conversion.function)

    def _connect_operand(self, value: ast.expr, driver: Conversion | None, function: ast.AST | None) -> None:
        """One expression that a generator drives, and the conversions that it may come from."""
        sure = [self.conversions[f] for f in self.driven_by(value) if f in self.conversions]
        maybe = [] if sure else list(self._by_name(value))
        if driver and driver.decorators:
            driver.suspects += [(source, value) for source in maybe if not source.function.decorator_list]
            maybe = []
        for source in dict.fromkeys([*sure, *maybe]):
            if driver and not source.decorators:
                driver.need(source)
            if driver and driver.decorators:
                self._run.append(source)
                continue  # it can drive both
            if self._unwrap(value, driver, sure):
                source.edits.append(replace(value, "{value}.__await__()", value=value))
                for other in sure:
                    source.need(other)
            elif driver:
                source.need(driver)
            elif not (isinstance(function, ast.FunctionDef) and self._is_types_coroutine(function)):
                source.stay(f"a generator in line {value.lineno} drives it")

    def _connect_iterators(self) -> None:
        """What `__await__` or `__iter__` returns must stay an iterator; that of a coroutine is its `__await__()`."""
        for function in self.module.nodes(ast.FunctionDef):
            if function.name not in ITERATORS or not self.module.class_of(function) or function in self._own:
                continue
            for value in returned(function):
                sure = [self.conversions[f] for f in self.driven_by(value) if f in self.conversions]
                alone = len(sure) == len(self.meanings.results(value)) and isinstance(value, ast.Call)
                for source in sure:
                    if function.name in PROTOCOL and alone:
                        source.edits.append(replace(value, "{value}.__await__()", value=value))
                        for other in sure:
                            source.need(other)
                    else:
                        source.stay(f"`{function.name}` in line {value.lineno} must return an iterator, and returns it")

    def _connect_callers_of_values(self) -> None:
        """A plain generator that drives what a variable's call gives may drive any function that is handed on."""
        callers = [
            function
            for function, nodes in self._own.items()
            if any(isinstance(node, ast.YieldFrom) and self._calls_a_value(node.value) for node in nodes)
            and not (function in self.conversions and self.conversions[function].decorators)
        ]
        for conversion in self.conversions.values() if callers else ():
            if self._is_handed_on(conversion.function):
                for function in callers:
                    driver = self.conversions.get(function) if function else None
                    if driver:
                        conversion.need(driver)
                    else:
                        conversion.stay("it is handed on, and a generator in this file drives what it is given")

    def _calls_a_value(self, value: ast.expr) -> bool:
        return any(
            isinstance(called, (ast.arg, ast.Subscript)) or isinstance(getattr(called, "ctx", None), ast.Store)
            for meaning in self.meanings.results(value)
            if isinstance(meaning, ast.Call)
            for called in self.meanings.of(meaning.func)
        )

    def _is_handed_on(self, function: ast.FunctionDef) -> bool:
        """Is the function named in this file other than to call it?"""
        parents = ((node, self.module.parent(node)) for node in self._named(function))
        return any(not (isinstance(parent, ast.Call) and parent.func is node) for node, parent in parents)

    def _named(self, function: ast.FunctionDef) -> Iterator[ast.expr]:
        """Where the file speaks of a function."""
        if self._spelled is None:
            self._spelled = {}
            for node in self.module.nodes(ast.Name, ast.Attribute):
                if isinstance(node.ctx, ast.Load):
                    spelled = node.id if isinstance(node, ast.Name) else node.attr
                    self._spelled.setdefault(spelled, []).append(node)
        return (node for node in self._spelled.get(function.name, ()) if function in self.meanings.of(node))

    def _is_types_coroutine(self, function: ast.FunctionDef) -> bool:
        return any(self.module.name(d) == TYPES_COROUTINE for d in function.decorator_list)

    def _unwrap(self, value: ast.expr, driver: Conversion | None, sure: list[Conversion]) -> bool:
        """Can a method that must stay a generator drive the native coroutine through its `__await__`?"""
        if driver is None or driver.function.name not in PROTOCOL or not isinstance(value, ast.Call):
            return False
        return bool(sure) and len(sure) == len(self.meanings.results(value))

    def _find_hand_driven(self) -> None:
        for value, how, line in self._hand_driven():
            for meaning in self.meanings.results(value):
                conversion = self.conversions.get(meaning)
                if conversion:
                    conversion.stay(f"it is driven by hand in line {line} ({how})")
                    conversion.iterated = True

    def _hand_driven(self) -> Iterator[tuple[ast.expr, str, int]]:
        for call in self.module.nodes(ast.Call):
            name = self.module.name(call.func)
            if name == "inspect.isgeneratorfunction" and call.args:
                called = ast.copy_location(ast.Call(call.args[0], [], []), call.args[0])
                yield called, "`inspect.isgeneratorfunction`", call.lineno
            elif name is not None and name in INSPECTING and call.args:
                yield call.args[0], f"`{name.removeprefix('builtins.')}`", call.lineno
            elif name == "builtins.isinstance" and len(call.args) == 2:
                kinds = call.args[1].elts if isinstance(call.args[1], ast.Tuple) else [call.args[1]]
                if any(self.module.name(kind) == "types.GeneratorType" for kind in kinds):
                    yield call.args[0], "`types.GeneratorType`", call.lineno
        for attribute in self.module.nodes(ast.Attribute):
            if attribute.attr in HAND_DRIVEN:
                yield attribute.value, f"`.{attribute.attr}`", attribute.lineno
        for loop in self.module.nodes(ast.For, ast.comprehension):
            yield loop.iter, "a loop", loop.iter.lineno
        for starred in self.module.nodes(ast.Starred):
            yield starred.value, "`*`", starred.lineno

    def _find_evidence(self) -> None:
        """Whatever a coroutine or the event loop drives, and whatever that drives, is a coroutine, too."""
        todo = self._run
        for call in self.module.nodes(ast.Call):
            if self.module.callee(call) in DRIVERS:
                for argument in call.args:
                    todo += [self.conversions[f] for f in self.driven_by(argument) if f in self.conversions]
                    todo += [self.conversions[m] for m in self.meanings.of(argument) if m in self.conversions]
        while todo:
            conversion = todo.pop()
            if not conversion.driven and not conversion.decorators:
                conversion.driven = True
                todo += [
                    self.conversions[function]
                    for value in _operands(conversion)
                    for function in self.driven_by(value)
                    if function in self.conversions
                ]
        self._find_known()  # what drives one of these is known now

    def _judge_driver(self, conversion: Conversion) -> None:
        if not conversion.known and not conversion.driven:
            conversion.stay("it is a generator that is not known to run in an event loop")
        for use in self._handed_over(conversion.function):
            conversion.stay(f"it is handed to `{ast.unparse(use.func)}` in line {use.lineno}, which may iterate it")
        unknown = next((value for value in _operands(conversion) if not self.kinds.awaitable(value)), None)
        if conversion.driven or unknown is None:
            return
        text = ast.unparse(unknown)
        if self.kinds.awaitable(unknown, elsewhere=True):
            conversion.unsafe = f"`{text}` is awaitable for the callers in this file; others may pass something else"
        else:
            conversion.unsafe = f"`{text}` is not known to be awaitable"

    def _handed_over(self, function: ast.FunctionDef) -> Iterator[ast.Call]:
        """The calls that get a plain generator function, or a generator it made, and may iterate it."""
        for node in self._named(function):
            given: ast.AST = node
            parent = self.module.parent(given)
            if isinstance(parent, ast.Call) and parent.func is given:
                given, parent = parent, self.module.parent(parent)
            while isinstance(parent, (ast.List, ast.Tuple, ast.Set, ast.Starred, ast.keyword, ast.ListComp)):
                given, parent = parent, self.module.parent(parent)
            if isinstance(parent, ast.Call) and given is not parent.func and not self._is_coroutine_driver(parent):
                yield parent

    def _is_coroutine_driver(self, call: ast.Call) -> bool:
        name = self.module.callee(call)
        known_here = any(isinstance(meaning, DEFINITIONS) for meaning in self.meanings.of(call.func))
        return known_here or name in DRIVERS or name in ("functools.wraps", "functools.partial")

    def _connect_hierarchy(self, conversion: Conversion) -> None:
        cls = self.module.class_of(conversion.function)
        if cls is None:
            return
        for relative in self.meanings.family(cls):
            for member in self.meanings.member(relative, conversion.function.name):
                other = self.conversions.get(member)
                if other:
                    conversion.need(other)
                    other.need(conversion)
                elif not self._agrees(member):
                    conversion.stay(
                        f"`{relative.name}.{conversion.function.name}` (line {member.lineno}) is no coroutine"  # type: ignore[attr-defined]  # members are placed nodes
                    )

    def _agrees(self, member: ast.AST) -> bool:
        """May this stand next to an `async def` of the same name in a hierarchy?"""
        if isinstance(member, ast.FunctionDef):
            if yields(*member.body):
                return False
            values = list(returned(member))
            if values:
                return all(self.kinds.awaitable(value) for value in values)
            last = member.body[-1]
            return isinstance(last, ast.Raise) or self._is_abstract(member)
        if isinstance(member, ast.AsyncFunctionDef):
            return True
        value = self.module.value(member)
        if isinstance(value, ast.Constant) and value.value is None:
            return True
        return value is not None and all(
            meaning in self.conversions or self.kinds.gives_awaitable(meaning) for meaning in self.meanings.of(value)
        )

    def _is_abstract(self, function: ast.FunctionDef) -> bool:
        return any(self.module.name(d) == "abc.abstractmethod" for d in function.decorator_list)

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
                    conversion.reason = f"it must turn over together with {cause.place}, and {cause.reason}"
                    todo.append(conversion)

    def _suspect(self) -> None:
        """What may be a generator of this file has to turn over, too, or else it may be awaited in vain."""
        for conversion in self.conversions.values():
            for source, value in conversion.suspects if not conversion.reason else ():
                if not source.reason:
                    conversion.need(source)
                elif not conversion.unsafe:
                    conversion.unsafe = f"`{ast.unparse(value)}` may be the generator {source.place}, which stays one"

    def _gather(self) -> None:
        """One Fix for each set of conversions that are connected."""
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
            fix = fix_of(group, self.module, self.kinds)
            self.fixes.update(dict.fromkeys(group, fix))


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name not in ASYNC_METHODS


def _operands(conversion: Conversion) -> Iterator[ast.expr]:
    return (node.value for node in conversion.own if isinstance(node, ast.YieldFrom))
