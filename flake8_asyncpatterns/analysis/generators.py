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

from ..knowledge.awaitables import (
    COROUTINE,
    DRIVERS,
    GENERATOR_COROUTINES,
    HAND_DRIVEN,
    HARMLESS_DECORATOR_FAMILIES,
    HARMLESS_DECORATORS,
    INSPECTING,
    TYPES_COROUTINE,
)
from ..knowledge.decorators import ABSTRACT
from ..rule import Fix, RemoveDecorator
from .conversions import Conversion, takes_lock
from .iterators import assigned_iterators, can_unwrap, connect_iterators, gives_iterator, unwrapped
from .kinds import Kinds
from .meanings import DEFINITIONS, Meanings
from .obstacles import is_special, obstacles
from .together import Together
from .wrappers import MAKES, Wrappers

if TYPE_CHECKING:
    from ..module import Module
    from ..rule import FunctionDef


class Generators:
    """All generator coroutines of a Module: `module.analysis(Generators)`.

    With `meanings` given, those of a file that is looked at together with others: whoever gives them makes `Together`
    of all files, and has it settled.
    """

    def __init__(self, module: Module, meanings: Meanings | None = None) -> None:
        self.module = module
        self.meanings = meanings or Meanings(module)
        self.kinds = Kinds(module, self.meanings, self._is_coroutine)
        self.wrappers = Wrappers(module, self.meanings)
        self.conversions: dict[ast.AST, Conversion] = {}
        self.fixes: dict[Conversion, Fix] = {}
        # What was a coroutine for Python 3.5.1, and need not be one.
        self.iterators: dict[ast.FunctionDef, Fix] = {}
        # What coroutines drive.
        self.run: list[Conversion] = []
        self._spelled: dict[str, list[ast.expr]] | None = None
        # By the function that they are a part of; None: none.
        self.yields: dict[ast.AST | None, list[ast.Yield | ast.YieldFrom]] = {}
        for node in module.nodes(ast.YieldFrom, ast.Yield):
            self.yields.setdefault(module.function(node), []).append(node)
        self.together: Together
        if meanings is None:
            Together([self]).settle()

    def knows_coroutines(self) -> bool:
        """Does the file import asyncio, or define a coroutine?"""
        return bool(self.module.nodes(ast.AsyncFunctionDef)) or "asyncio" in self.module.packages()

    def collect(self) -> None:
        """Find the candidates."""
        for function in self.module.nodes(ast.FunctionDef):
            decorators = [d for d in function.decorator_list if self.module.name(d) in (COROUTINE, TYPES_COROUTINE)]
            own = sorted(self.yields.get(function, ()), key=lambda node: (node.lineno, node.col_offset))
            if any(self.module.name(d) == COROUTINE for d in decorators):
                self.conversions[function] = Conversion(self, function, decorators, own)
            elif any(isinstance(node, ast.YieldFrom) for node in own):
                if not decorators:
                    self.conversions[function] = Conversion(self, function, [], own)
                elif all(isinstance(node, ast.YieldFrom) and self.kinds.awaitable(node.value) for node in own):
                    self.conversions[function] = Conversion(self, function, decorators, own)
            elif not own and any(self.wrappers.of(d) == MAKES for d in function.decorator_list):
                self.conversions[function] = Conversion(self, function, [], [])
        for conversion in self.conversions.values():
            conversion.wrapped = any(self.wrappers.of(d) == MAKES for d in conversion.function.decorator_list)

    def decorated(self) -> Iterator[Conversion]:
        """Those that a decorator makes a coroutine."""
        return (c for c in self.conversions.values() if c.decorators)

    def drivers(self) -> Iterator[Conversion]:
        """Plain generators that surely drive coroutines, and that nothing iterates."""
        for conversion in self.conversions.values():
            if (
                not conversion.is_made
                and (conversion.known or conversion.driven)
                and not conversion.iterated
                and not self.meant_to_be_a_generator(conversion)
            ):
                yield conversion

    def _is_coroutine(self, function: FunctionDef) -> bool:
        """Does a call of this function give something to await?"""
        if (home := self.together.home(function)) is not self:
            return home._is_coroutine(function)
        made = [d for d in function.decorator_list if self.module.name(d) in (COROUTINE, TYPES_COROUTINE)]
        others_harmless = all(d in made or self.is_harmless(d) for d in function.decorator_list)
        if isinstance(function, ast.AsyncFunctionDef):
            return others_harmless and not self.module.is_generator(function)
        conversion = self.conversions.get(function)
        if made or conversion is None:
            return bool(made) and others_harmless
        return (conversion.wrapped or conversion.known or conversion.driven) and not self.meant_to_be_a_generator(
            conversion
        )

    def meant_to_be_a_generator(self, conversion: Conversion) -> bool:
        """Does something else than a `yield from` run it, so that it may be right as it is?"""
        function = conversion.function
        cls = self.module.class_of(function)
        return (
            any(isinstance(node, ast.Yield) for node in conversion.own)
            or any(not self.is_harmless(d) for d in function.decorator_list)
            or is_special(function.name)
            or self.is_collected(conversion)
            or bool(cls and self.has_metaclass(cls))
        )

    def is_collected(self, conversion: Conversion) -> bool:
        """Is it a test: found by its name, and run by whoever found it?"""
        run_by_decorator = any(self.wrappers.of(d) for d in conversion.function.decorator_list)
        return conversion.function.name.startswith("test") and not run_by_decorator

    def has_metaclass(self, cls: ast.ClassDef) -> bool:
        """May something else than `type` and `abc` have looked at the methods of a class?"""
        return any(
            keyword.arg == "metaclass" and self.module.name(keyword.value) != "abc.ABCMeta"
            for base in self.module.bases(cls)
            if base
            for keyword in base.keywords
        )

    def is_harmless(self, decorator: ast.expr) -> bool:
        """Does a decorator take a coroutine function as it takes a generator function?"""
        name = self.module.decorator(decorator)
        if self.wrappers.of(decorator):
            return True
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
            isinstance(around, ast.YieldFrom) and driver is not None and driver.is_made
        )

    def driven_by(self, value: ast.expr) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """The functions whose call may have given this value."""
        for meaning in self.meanings.results(value):
            if isinstance(meaning, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield meaning

    def _by_name(self, value: ast.expr) -> Iterator[Conversion]:
        """What `unknown.method()` or `unknown.attribute` would be, were `unknown` an object of a class seen here."""
        for meaning in self.meanings.results(value):
            match meaning:
                case ast.Call(func=ast.Attribute(attr=name) as called) if self.is_unknown(called):
                    yield from self.together.methods(name)
                case ast.Attribute(attr=name) if self.is_unknown(meaning):
                    yield from self.together.stored(name)

    def is_unknown(self, attribute: ast.Attribute) -> bool:
        """May this belong to an object of any class of the project?"""
        return self.module.name(attribute) is None and (
            not self.together.whole or self.module.type_of(attribute.value) is None
        )

    def stored(self) -> Iterator[tuple[str, Conversion]]:
        """The attributes, of whatever object, that this file puts results of generator coroutines into."""
        for target in self.module.nodes(ast.Attribute):
            stored = self.module.value(target) if isinstance(target.ctx, ast.Store) else None
            for conversion in self.conversions_of(stored) if stored else ():
                yield target.attr, conversion

    def conversions_of(self, value: ast.expr) -> list[Conversion]:
        """The conversions whose call may have given this value."""
        everyone = self.together.conversions
        found = [function for function in self.driven_by(value) if function in everyone]
        return [one for function in found for one in (everyone[function], *self.together.in_place_of(function))]

    def put_in_place(self, function: FunctionDef) -> Iterator[Conversion]:
        """The functions that a project's own decorators give instead of one of this file."""
        for decorator in function.decorator_list:
            for definition in self.meanings.of(decorator):
                if isinstance(definition, ast.FunctionDef):
                    home = self.together.home(definition)
                    values = home.meanings.returned(definition)
                    for meaning in (one for value in values for one in home.meanings.of(value)):
                        given = self.together.conversions.get(meaning)
                        if given and home.module.function(meaning) is definition:
                            yield given

    def find_known(self) -> bool:
        """Find the plain generators that drive what is known to be awaitable; one may make another known.

        Gives whether any was found.
        """
        news = False
        todo = [c for c in self.conversions.values() if not c.is_made and not c.known]
        while found := [c for c in todo if any(map(self._is_known, operands(c)))]:
            news = True
            for conversion in found:
                conversion.known = True
            todo = [c for c in todo if not c.known]
        return news

    def _is_known(self, value: ast.expr) -> bool:
        return (
            self.kinds.awaitable(value)
            or self.kinds.awaitable(value, elsewhere=True)
            or (self.together.whole and self._is_known_by_name(value))
        )

    def _is_known_by_name(self, value: ast.expr) -> bool:
        """Are all methods of this name, in all files, coroutines?"""
        found = list(self._by_name(value))
        return bool(found) and all(c.is_made or c.known for c in found) and not self._may_be_a_generator(value)

    def _may_be_a_generator(self, value: ast.expr) -> bool:
        """Is there a method of this name, in whatever file, that is a generator and drives nothing?"""
        return any(
            self.together.has_generator(meaning.func.attr)
            for meaning in self.meanings.results(value)
            if isinstance(meaning, ast.Call) and isinstance(meaning.func, ast.Attribute)
        )

    def judge(self) -> None:
        """Note what each has of its own that keeps it from turning over."""
        for conversion in self.conversions.values():
            conversion.stay(next(obstacles(conversion), ""))
            if gives_iterator(conversion):
                edits = (RemoveDecorator(conversion.function, decorator) for decorator in conversion.decorators)
                self.iterators[conversion.function] = Fix(*edits, supersedes=(COROUTINE,))
            for node in conversion.own:
                if (
                    isinstance(node, ast.YieldFrom)
                    and takes_lock(node, self.module, self.kinds)
                    and not self.kinds.lock(node.value)
                ):
                    conversion.unsafe = f"`{ast.unparse(node.value)}` is taken for a lock of asyncio"

        for conversion, name in assigned_iterators(self):
            conversion.stay(f"it is assigned to `{name}`, which must return an iterator")

    def connect(self) -> None:
        """Note which need which others, as far as one drives another; and what is driven in other ways."""
        self._connect_drivers()
        connect_iterators(self)
        self._connect_callers_of_values()
        self._find_hand_driven()
        self._find_run()

    def connect_relatives(self) -> None:
        """Note which need others for being overrides of one method, and what there is against plain generators."""
        for conversion in self.conversions.values():
            if not conversion.is_made:
                self._judge_driver(conversion)
        for conversion in [*self.conversions.values()]:
            self._connect_hierarchy(conversion)

    def _connect_drivers(self) -> None:
        for function, nodes in self.yields.items():
            driver = self.conversions.get(function) if function else None
            for node in nodes:
                if isinstance(node, ast.YieldFrom):
                    self._connect_operand(node.value, driver, function)
        for conversion in self.decorated():
            if not conversion.own:
                for value in self.meanings.returned(conversion.function):
                    self._connect_operand(value, conversion, conversion.function)

    def _connect_operand(self, value: ast.expr, driver: Conversion | None, function: ast.AST | None) -> None:
        """One expression that a generator drives, and the conversions that it may come from."""
        sure = self.conversions_of(value)
        maybe = [] if sure else list(self._by_name(value))
        if driver and driver.is_made:
            driver.suspects += [(source, value) for source in maybe if not source.function.decorator_list]
            self.run += maybe if self.together.whole else ()
            maybe = []
        for source in dict.fromkeys([*sure, *maybe]):
            if driver and not source.is_made:
                driver.need(source)
            if driver and driver.is_made:
                self.run.append(source)
                continue  # it can drive both
            if can_unwrap(value, driver, sure, maybe, self):
                source.edits.append((self, unwrapped(value)))
                for other in sure or maybe:
                    source.need(other)
            elif driver:
                source.need(driver)
            elif not (isinstance(function, ast.FunctionDef) and self._is_types_coroutine(function)):
                source.stay(f"a generator in {source.at(self, value)} drives it")

    def _connect_callers_of_values(self) -> None:
        """A plain generator that drives what a variable's call gives may drive any function that is handed on."""
        callers = [
            function
            for function, nodes in self.yields.items()
            if any(isinstance(node, ast.YieldFrom) and self._calls_a_value(node.value) for node in nodes)
            and not (function in self.conversions and self.conversions[function].is_made)
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

    def _find_hand_driven(self) -> None:
        for value, how, node in self._hand_driven():
            for meaning in self.meanings.results(value):
                conversion = self.together.conversions.get(meaning)
                if conversion:
                    conversion.stay(f"it is driven by hand in {conversion.at(self, node)} ({how})")
                    conversion.iterated = True

    def _hand_driven(self) -> Iterator[tuple[ast.expr, str, ast.expr]]:
        for call in self.module.nodes(ast.Call):
            name = self.module.name(call.func)
            if name == "inspect.isgeneratorfunction" and call.args:
                called = ast.copy_location(ast.Call(call.args[0], [], []), call.args[0])
                yield called, "`inspect.isgeneratorfunction`", call
            elif name is not None and name in INSPECTING and call.args:
                yield call.args[0], f"`{name.removeprefix('builtins.')}`", call
            elif name == "builtins.isinstance" and len(call.args) == 2:
                kinds = call.args[1].elts if isinstance(call.args[1], ast.Tuple) else [call.args[1]]
                if any(self.module.name(kind) == "types.GeneratorType" for kind in kinds):
                    yield call.args[0], "`types.GeneratorType`", call
        for attribute in self.module.nodes(ast.Attribute):
            if attribute.attr in HAND_DRIVEN and not (self.together.whole and self._hands_on(attribute)):
                yield attribute.value, f"`.{attribute.attr}`", attribute
        for loop in self.module.nodes(ast.For, ast.comprehension):
            yield loop.iter, "a loop", loop.iter
        for starred in self.module.nodes(ast.Starred):
            yield starred.value, "`*`", starred

    def _hands_on(self, attribute: ast.Attribute) -> bool:
        """Does an object that holds a coroutine only offer the same, by a method or property, or as its own?

        A native coroutine has no `gi_code`: that is given up only where nothing can stay decorated.
        """
        if attribute.attr.startswith("gi_") and not self.together.gone:
            return False
        parent = self.module.parent(attribute)
        if isinstance(parent, ast.Call) and parent.func is attribute:
            parent = self.module.parent(parent)
        match parent:
            case ast.Return():
                function = self.module.function(parent)
                return isinstance(function, ast.FunctionDef) and function.name == attribute.attr
            case ast.Assign(targets=[ast.Attribute(attr=name)]):
                return name == attribute.attr
        return False

    def _find_run(self) -> None:
        """Find what the event loop, a coroutine or a decorator runs."""
        everyone = self.together.conversions
        for call in self.module.nodes(ast.Call):
            name = self.module.callee(call)
            if name in DRIVERS or self.wrappers.runs(call):
                for argument in call.args:
                    self.run += self.conversions_of(argument)
                    given = self.meanings.of(argument)
                    # What is wrapped in some cases only is a generator in the others.
                    if name not in GENERATOR_COROUTINES or all(meaning in everyone for meaning in given):
                        self.run += [everyone[meaning] for meaning in given if meaning in everyone]
        for awaited in self.module.nodes(ast.Await) if self.together.whole else ():
            self.run += self.conversions_of(awaited.value) or self._by_name(awaited.value)
        for conversion in self.conversions.values():
            if any(map(self.wrappers.of, conversion.function.decorator_list)):
                self.run.append(conversion)

    def driven(self, conversion: Conversion) -> Iterator[Conversion]:
        """What a conversion of this file drives."""
        for value in operands(conversion):
            yield from self.conversions_of(value)

    def _judge_driver(self, conversion: Conversion) -> None:
        if not conversion.known and not conversion.driven:
            conversion.stay("it is a generator that is not known to run in an event loop")
        for use in self._handed_over(conversion.function) if not self.together.whole else ():
            conversion.stay(f"it is handed to `{ast.unparse(use.func)}` in line {use.lineno}, which may iterate it")
        unknown = next((value for value in operands(conversion) if not self.kinds.awaitable(value)), None)
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
                other = self.together.conversions.get(member)
                home = self.together.home(relative)
                if other:
                    conversion.need(other)
                    other.need(conversion)
                elif not home._agrees(member) and not (conversion.is_made and home._may_differ(member)):
                    where = conversion.at(home, member)
                    conversion.stay(f"`{relative.name}.{conversion.function.name}` ({where}) is no coroutine")

    def _agrees(self, member: ast.AST) -> bool:
        """May this stand next to an `async def` of the same name in a hierarchy?"""
        if isinstance(member, ast.FunctionDef):
            if self.meanings.is_generator(member):
                return False
            values = self.meanings.returned(member)
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
            meaning in self.together.conversions or self.kinds.gives_awaitable(meaning)
            for meaning in self.meanings.of(value)
        )

    def _may_differ(self, member: ast.AST) -> bool:
        """May this be another thing than a coroutine of the same name in a hierarchy, decorated or native?

        Who calls both has to tell them apart anyway, unless both can be driven by a generator; and where there is no
        decorator any more, a coroutine that stays decorated can be called by nobody.
        """
        if self.together.gone and isinstance(member, ast.FunctionDef) and not self.meanings.is_generator(member):
            return True
        return self._drives_nothing(member)

    def _drives_nothing(self, member: ast.AST) -> bool:
        """Is this a function whose result nobody could ever drive, neither with `yield from` nor with `await`?

        Only where all files are known: whoever calls both this and a coroutine knows which of them it is.
        """
        if not self.together.whole or not isinstance(member, ast.FunctionDef) or self.meanings.is_generator(member):
            return False
        values = self.meanings.returned(member)
        return all(isinstance(value, ast.Constant) and not isinstance(value.value, (str, bytes)) for value in values)

    def _is_abstract(self, function: ast.FunctionDef) -> bool:
        return any(self.module.name(d) in ABSTRACT for d in function.decorator_list)


def operands(conversion: Conversion) -> Iterator[ast.expr]:
    """What a conversion drives."""
    return (node.value for node in conversion.own if isinstance(node, ast.YieldFrom))
