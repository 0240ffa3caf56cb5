"""What an expression may stand for, as far as one file shows: followed through names, calls and parameters.

`Module` answers what something surely is. Here the question is what it may be: each possibility is named, and
what leads out of the file is named, too, as the parameter or the expression that it is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol, TypeAlias

from ..knowledge.awaitables import GENERATOR_COROUTINES
from ..scopes import Definition
from ..tuples import NamedTuple

if TYPE_CHECKING:
    from ..module import Module
    from ..rule import FunctionDef

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
# Functions whose result has the elements of what they are given (or tuples of them).
SAME_ELEMENTS = frozenset(
    f"builtins.{name}" for name in ("list", "tuple", "set", "reversed", "sorted", "iter", "enumerate", "zip")
)
# A value is followed from parameter to parameter over so many files.
HOPS = 4
# What one question has looked at already: expressions as they are, and as containers of what was asked for.
Seen: TypeAlias = set[tuple[ast.AST, str]]


class Others(Protocol):
    """What is known of the other files that are looked at together with one.

    `hops`: over how many files a value is being followed.
    """

    hops: int

    def named(self, module: Module, node: ast.Name | ast.Attribute) -> list[Definition]:
        """The functions and classes of other files that an expression of a file may name."""

    def home(self, node: ast.AST) -> Meanings | None:
        """The answers for the file that a function or a class stands in."""

    def family(self, cls: ast.ClassDef) -> list[ast.ClassDef]:
        """A class with all that it inherits from and that inherit from it, in whatever file."""

    def stored(self, name: str) -> list[tuple[Module, ast.Attribute]]:
        """The places, in whatever file, that put something into an attribute of this name."""

    def decorated_by(self, decorator: FunctionDef) -> list[FunctionDef]:
        """The functions, in whatever file, that a function decorates."""

    def defined(self, name: str) -> list[tuple[Meanings, FunctionDef]]:
        """The functions of this name, in whatever file, each with the answers for that."""

    def calls(self, name: str) -> list[Called]:
        """The calls, in whatever file, of anything that is called so."""


class Called(NamedTuple):
    """A call in a file of which `meanings` has the answers.

    `named` are the functions and classes of other files that it names. `owners`, where it names none, are the classes
    of its file that it may call a method of; empty: that is unknown; None: it calls no method.
    """

    meanings: Meanings
    call: ast.Call
    named: list[Definition]
    owners: list[ast.ClassDef] | None


class Parameter(NamedTuple):
    """Where a parameter stands, and the names under which what has it is called.

    `shift` is 1 where the first argument of a call is for the second parameter.
    """

    function: FunctionDef
    cls: ast.ClassDef | None
    arguments: ast.arguments
    shift: int
    names: list[str]


class Meanings:
    """The answers for one Module. Definitions of other files are named where `others` leads there; those that are
    asked about here are passed on to the file that they stand in."""

    def __init__(self, module: Module, others: Others | None = None) -> None:
        self.module = module
        self.others = others
        self._given: dict[ast.AST, tuple[ast.AST, ...]] = {}
        self._asking: set[ast.AST] = set()
        self._found: dict[ast.AST, tuple[ast.AST, ...]] = {}
        self._results: dict[ast.AST, tuple[ast.AST, ...]] = {}
        self._transparent: dict[ast.AST, bool] = {}
        self._members: dict[ast.ClassDef, dict[str, list[ast.AST]]] | None = None
        self._bases: dict[ast.ClassDef, list[ast.ClassDef]] | None = None
        self._calls: dict[str, list[ast.Call]] | None = None
        self._brought: dict[ast.arg, tuple[ast.AST, ...]] = {}
        self._callers: dict[FunctionDef, list[Called]] = {}
        self._passing: dict[ast.arg, list[tuple[Meanings, ast.expr, bool]]] = {}

    def of(self, node: ast.AST) -> tuple[ast.AST, ...]:
        """What a node may stand for: definitions, parameters, and expressions that lead no further."""
        if node not in self._found:
            self._found[node] = tuple(dict.fromkeys(self._follow(node, set())))
        return self._found[node]

    def results(self, node: ast.AST) -> tuple[ast.AST, ...]:
        """What a value may come from: a function or class whose call gives it, or what `of` gives.

        Calls of plain functions are followed to what these return. A function that is not called gives nothing.
        """
        if node not in self._results:
            self._results[node] = tuple(dict.fromkeys(self._origins(node)))
        return self._results[node]

    def _origins(self, node: ast.AST) -> Iterator[ast.AST]:
        todo, seen = [node], {node}
        while todo:
            for meaning in self.of(todo.pop()):
                if isinstance(meaning, ast.arg):
                    yield from self._brought_from_elsewhere(meaning)
                    continue
                if not isinstance(meaning, ast.Call):
                    if not isinstance(meaning, DEFINITIONS) or self._is_property(meaning):
                        yield meaning
                    continue
                for called in self.of(meaning.func):
                    home = self.home(called)
                    if home is not self:
                        yield from home.given(called) or [meaning]
                        continue
                    values = self.returned(called) if self.is_transparent(called) else []
                    if values:
                        todo += [value for value in values if value not in seen]
                        seen.update(values)
                    else:
                        yield called if isinstance(called, DEFINITIONS) else meaning

    def home(self, node: ast.AST) -> Meanings:
        """The answers for the file that a definition stands in."""
        return (self.others.home(node) if self.others else None) or self

    def given(self, called: ast.AST) -> tuple[ast.AST, ...]:
        """What a call of a function or class of this file comes from; empty: something that has no name elsewhere."""
        if called not in self._given:
            self._given[called] = ()  # while it is worked out
            values = self.returned(called) if self.is_transparent(called) else []
            found = [meaning for value in values for meaning in self.results(value)]
            known = all(map(_has_home, found)) and all(map(self.results, values))
            self._given[called] = (called,) if not values else tuple(found) if known else ()
        return self._given[called]

    def returned(self, function: ast.AST) -> list[ast.expr]:
        """The values that a function, of whatever file, itself returns."""
        returns = self.home(function).module.returns(function)
        return [node.value for node in returns if node.value is not None]

    def is_generator(self, function: ast.AST) -> bool:
        """Is a function, of whatever file, a generator (plain or async)?"""
        return self.home(function).module.is_generator(function)

    def is_transparent(self, function: ast.AST) -> bool:
        """Does a call of this function give just what it returns?"""
        if (home := self.home(function)) is not self:
            return home.is_transparent(function)
        if not isinstance(function, ast.FunctionDef):
            return False
        if function not in self._transparent:
            static = all(self.module.name(d) == "builtins.staticmethod" for d in function.decorator_list)
            self._transparent[function] = static and not self.module.is_generator(function)
        return self._transparent[function]

    def _follow(self, node: ast.AST, seen: Seen) -> Iterator[ast.AST]:
        if (node, "") in seen:
            return
        seen.add((node, ""))
        match node:
            case ast.Name():
                named = self.named(node)
                yield from named
                for binding in self.module.bindings(node) or [node] if not named else ():
                    yield from self._bound(binding, seen)
            case ast.Attribute():
                yield from self._attribute(node, seen)
            case ast.Call(args=[made]) if self.others and self.module.name(node.func) in GENERATOR_COROUTINES:
                yield from self._follow(made, seen)
            case ast.Subscript(value=value, slice=index) if not isinstance(index, ast.Slice):
                yield from self._elements(value, seen) or [node]
            case ast.IfExp(body=first, orelse=second):
                yield from self._follow(first, seen)
                yield from self._follow(second, seen)
            case ast.BoolOp(values=values):
                for value in values:
                    yield from self._follow(value, seen)
            case ast.NamedExpr(value=value) | ast.Starred(value=value):
                yield from self._follow(value, seen)
            case _:
                yield node

    def _elements(self, container: ast.AST, seen: Seen) -> list[ast.AST]:
        """What the elements of a container may stand for; a parameter stands for its unknown elements."""
        if (container, "elements") in seen:
            return []
        seen.add((container, "elements"))
        return list(self._each(container, seen))

    def _each(self, container: ast.AST, seen: Seen) -> Iterator[ast.AST]:
        match container:
            case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
                for element in elements:
                    if isinstance(element, ast.Starred):
                        yield from self._elements(element.value, seen)
                    else:
                        yield from self._follow(element, seen)
            case ast.Dict(values=values):
                for value in values:
                    yield from self._follow(value, seen)
            case ast.Subscript(value=value, slice=ast.Slice()):
                yield from self._elements(value, seen)
            case ast.ListComp(elt=element) | ast.SetComp(elt=element) | ast.GeneratorExp(elt=element):
                yield from self._follow(element, seen)
            case ast.Call(args=arguments) if self.module.name(container.func) in SAME_ELEMENTS:
                for argument in arguments:
                    yield from self._elements(argument, seen)
            case ast.Call(func=ast.Attribute(value=value, attr="values" | "items" | "copy")):
                yield from self._elements(value, seen)
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                yield from self._elements(left, seen)
                yield from self._elements(right, seen)
            case ast.Name():
                for binding in self.module.bindings(container) or ():
                    yield from self._each_of_bound(binding, seen)
            case ast.Attribute():
                for value in self._assigned(container):
                    yield from self._elements(value, seen)

    def _each_of_bound(self, binding: ast.AST, seen: Seen) -> Iterator[ast.AST]:
        if isinstance(binding, ast.arg):
            yield binding
            for passed, is_element in self._passed(binding):
                yield from (self._follow if is_element else self._elements)(passed, seen)
        elif (value := self.module.value(binding)) is not None:
            yield from self._elements(value, seen)
        elif isinstance(self.module.parent(binding), ast.Starred):
            for source in self._unpacked(binding):
                yield from self._elements(source, seen)

    def _unpacked(self, binding: ast.AST) -> Iterator[ast.expr]:
        """The value that `a, *b = value` takes apart for this binding."""
        target = self.module.parent(binding)
        while isinstance(target, (ast.Tuple, ast.List, ast.Starred)):
            match self.module.parent(target):
                case ast.Assign(value=value) | ast.For(iter=value) | ast.comprehension(iter=value):
                    yield value
            target = self.module.parent(target)

    def _bound(self, binding: ast.AST, seen: Seen) -> Iterator[ast.AST]:
        value = self.module.value(binding)
        if value is not None:
            if not is_none(value):
                yield from self._follow(value, seen)
            return
        match binding, self.module.parent(binding):
            case ast.arg(), _:
                passed = [one for one, is_element in self._passed(binding) if not is_element]
                found = [meaning for one in passed for meaning in self._follow(one, seen)]
                # Where all files are there, so are all callers.
                if not (self.others and found) or self._passed_elsewhere(binding):
                    yield binding
                yield from found
            case _, ast.For(target=target, iter=values) | ast.comprehension(target=target, iter=values) if (
                target is binding
            ):
                yield from self._elements(values, seen) or [binding]
            case _, ast.Tuple() | ast.List():
                found = [item for source in self._unpacked(binding) for item in self._elements(source, seen)]
                # A loop takes apart what its iterable's elements hold.
                yield from [inner for item in found for inner in self._elements(item, seen) or [item]] or [binding]
            case _:
                yield binding

    def named(self, node: ast.AST) -> list[Definition]:
        """The functions and classes of other files that an expression names."""
        if self.others is None or not isinstance(node, (ast.Name, ast.Attribute)):
            return []
        return self.others.named(self.module, node)

    def _attribute(self, node: ast.Attribute, seen: Seen) -> Iterator[ast.AST]:
        named = self.named(node)
        if named:
            yield from named
            return
        methods = [member for member in self.members(node) if isinstance(member, DEFINITIONS)]
        for method in methods:
            if isinstance(method, ast.FunctionDef) and self._is_property(method) and not self.is_generator(method):
                if (home := self.home(method)) is not self:
                    yield from (
                        found for value in self.returned(method) for found in home.of(value) if _has_home(found)
                    )
                    continue
                for value in self.returned(method):
                    yield from self._follow(value, seen)
            else:
                yield method
        values = list(self._assigned(node))
        for value in values:
            yield from self._follow(value, seen)
        if not methods and not values:
            yield from self._members_of_value(node) or [node]

    def _members_of_value(self, node: ast.Attribute) -> list[ast.AST]:
        """What an attribute of an object may be, where all that the object may be are instances of known classes."""
        if self.others is None or node in self._asking or self.module.name(node) is not None:
            return []
        self._asking.add(node)
        try:
            classes = self.results(node.value)
        finally:
            self._asking.discard(node)
        if not classes or not all(isinstance(cls, ast.ClassDef) for cls in classes):
            return []
        found = [self.member(relative, node.attr) for cls in classes for relative in self.family(cls)]  # type: ignore[arg-type]  # checked above
        members = [member for some in found for member in some]
        return members if all(map(_has_home, members)) else []

    def _is_property(self, function: Definition) -> bool:
        if (home := self.home(function)) is not self:
            return home._is_property(function)
        return any(self.module.name(d) == "builtins.property" for d in function.decorator_list)

    def _assigned(self, node: ast.Attribute) -> Iterator[ast.expr]:
        """The values that this file gives an attribute of `self`."""
        for owner in self.owners(node):
            for target in self.member(owner, node.attr) if self.home(owner) is self else ():
                value = self.module.value(target)
                if value is not None and not is_none(value):
                    yield value

    def members(self, node: ast.Attribute) -> Iterator[ast.AST]:
        """What the classes that an attribute may belong to define by its name."""
        for owner in self.owners(node):
            yield from self.member(owner, node.attr)

    def owners(self, node: ast.Attribute) -> list[ast.ClassDef]:
        """The classes of this file whose member this attribute may be; empty: unknown."""
        owner = self.module.owner(node)
        match node.value:
            case ast.Call(func=ast.Name(id="super")):
                function = self.module.function(node)
                cls = self.module.class_of(function) if function else None
                return [base for base in self.module.bases(cls)[1:] if base] if cls else []
            case ast.Name() | ast.Call() if owner is None:
                named = self.module.definition(node.value.func if isinstance(node.value, ast.Call) else node.value)
                owner = named if isinstance(named, ast.ClassDef) else None
        return self.family(owner) if owner else []

    def family(self, cls: ast.ClassDef) -> list[ast.ClassDef]:
        """The class with those that it inherits from and that inherit from it, as far as the files are known."""
        if self.others:
            return self.others.family(cls)
        if self._bases is None:
            self._bases = {c: [b for b in self.module.bases(c) if b] for c in self.module.nodes(ast.ClassDef)}
        return list(dict.fromkeys([*self._bases[cls], *(c for c, bases in self._bases.items() if cls in bases)]))

    def member(self, cls: ast.ClassDef, name: str) -> list[ast.AST]:
        """What the class itself binds to a name, in its body or through `self`."""
        if (home := self.home(cls)) is not self:
            return home.member(cls, name)
        return self._members_of(cls).get(name, [])

    def _members_of(self, cls: ast.ClassDef) -> dict[str, list[ast.AST]]:
        if self._members is None:
            self._members = {c: {} for c in self.module.nodes(ast.ClassDef)}
            for node in self.module.nodes(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Name, ast.Attribute):
                if isinstance(node, ast.Attribute):
                    if isinstance(node.ctx, ast.Store) and (owner := self.module.owner(node)):
                        self._members[owner].setdefault(node.attr, []).append(node)
                elif not isinstance(node, ast.Name) or isinstance(node.ctx, ast.Store):
                    around = self.module.class_of(node)
                    if around is not None:
                        name = node.id if isinstance(node, ast.Name) else node.name
                        self._members[around].setdefault(name, []).append(node)
        return self._members[cls]

    def calls(self, name: str) -> list[ast.Call]:
        """The calls of anything that is called so."""
        if self._calls is None:
            self._calls = {}
            for call in self.module.nodes(ast.Call):
                match call.func:
                    case ast.Name(id=called) | ast.Attribute(attr=called):
                        self._calls.setdefault(called, []).append(call)
        return self._calls.get(name, [])

    def _place(self, parameter: ast.arg) -> Parameter | None:
        """Where a parameter stands; None: for `self`, or in a lambda."""
        arguments = self.module.parents[parameter]
        function = self.module.parents.get(arguments)
        if not isinstance(arguments, ast.arguments) or not isinstance(
            function, (ast.FunctionDef, ast.AsyncFunctionDef)
        ):
            return None
        cls = self.module.class_of(function)
        positional = [*arguments.posonlyargs, *arguments.args]
        shift = (
            1 if cls and not any(self.module.name(d) == "builtins.staticmethod" for d in function.decorator_list) else 0
        )
        if cls and shift and positional[:1] == [parameter]:
            return None
        names = [c.name for c in self.family(cls)] if cls and function.name == "__init__" else [function.name]
        return Parameter(function, cls, arguments, shift, names)

    def _passed(self, parameter: ast.arg) -> Iterator[tuple[ast.AST, bool]]:
        """What the calls in this file pass for a parameter; True: as one of the elements of a `*parameter`."""
        place = self._place(parameter)
        if place is None:
            return
        for call in (call for name in place.names for call in self.calls(name)):
            if self._may_call(call, place.function, place.cls):
                yield from _argument(call, parameter, place.arguments, place.shift)
        if place.cls is None and [*place.arguments.posonlyargs, *place.arguments.args][:1] == [parameter]:
            for decorated in self._decorated_by(place.function):
                yield decorated, False

    def _passed_elsewhere(self, parameter: ast.arg) -> list[tuple[Meanings, ast.expr, bool]]:
        """What the calls in other files pass for a parameter; True: as above."""
        if parameter not in self._passing:
            self._passing[parameter] = list(self._find_passed_elsewhere(parameter))
        return self._passing[parameter]

    def _find_passed_elsewhere(self, parameter: ast.arg) -> Iterator[tuple[Meanings, ast.expr, bool]]:
        place = self._place(parameter)
        if place is None:
            return
        if place.function not in self._callers:
            self._callers[place.function] = list(self._called_elsewhere(place))
        for called in self._callers[place.function]:
            for value, is_element in _argument(called.call, parameter, place.arguments, place.shift):
                yield called.meanings, value, is_element

    def _called_elsewhere(self, place: Parameter) -> Iterator[Called]:
        """The calls in other files that may be of this function, or for `__init__`, of its class."""
        constructs = place.cls is not None and place.function.name == "__init__"
        wanted = self.family(place.cls) if place.cls and constructs else [place.function]
        others = self.others
        for called in (found for name in dict.fromkeys(place.names) for found in others.calls(name)) if others else ():
            if called.named:
                may_be_called = any(one in wanted for one in called.named)
            else:
                owners = None if constructs or place.cls is None else called.owners
                may_be_called = owners is not None and (not owners or place.cls in owners)
            if may_be_called and called.meanings is not self:
                yield called

    def called(self, call: ast.Call) -> Called:
        """What a call of this file may call, as far as it is not a function of the file."""
        named = self.named(call.func)
        unknown = not named and isinstance(call.func, ast.Attribute) and self.module.name(call.func) is None
        return Called(self, call, named, self.owners(call.func) if unknown else None)  # type: ignore[arg-type]  # seen

    def _brought_from_elsewhere(self, parameter: ast.arg) -> tuple[ast.AST, ...]:
        """What a parameter's value comes from, as far as other files call for it; itself, where that is not all."""
        if parameter not in self._brought:
            if self.others is None or self.others.hops >= HOPS:
                return (parameter,)
            self._brought[parameter] = (parameter,)  # while it is worked out
            self.others.hops += 1
            try:
                self._brought[parameter] = self._find_brought(parameter)
            finally:
                self.others.hops -= 1
        return self._brought[parameter]

    def _find_brought(self, parameter: ast.arg) -> tuple[ast.AST, ...]:
        found: dict[ast.AST, None] = {}
        known = True
        for other, value, is_element in self._passed_elsewhere(parameter):
            origins = () if is_element else other.results(value)
            known = known and bool(origins) and all(map(_has_home, origins))
            found.update(dict.fromkeys(origin for origin in origins if _has_home(origin)))
        return (*found,) if found and known else (*found, parameter)

    def _decorated_by(self, decorator: FunctionDef) -> Iterator[FunctionDef]:
        if self.others:
            yield from self.others.decorated_by(decorator)
            return
        for function in self.module.nodes(ast.FunctionDef, ast.AsyncFunctionDef):
            for expression in function.decorator_list:
                if isinstance(expression, ast.Name) and decorator in (self.module.bindings(expression) or ()):
                    yield function

    def _may_call(self, call: ast.Call, function: FunctionDef, cls: ast.ClassDef | None) -> bool:
        if isinstance(call.func, ast.Attribute):
            if cls is None:
                return False
            owners = self.owners(call.func)
            return not owners or cls in owners
        wanted: list[Definition] = [*self.family(cls)] if cls and function.name == "__init__" else [function]
        return isinstance(call.func, ast.Name) and any(b in wanted for b in self.module.bindings(call.func) or ())


def _argument(
    call: ast.Call, parameter: ast.arg, arguments: ast.arguments, shift: int
) -> Iterator[tuple[ast.expr, bool]]:
    positional = [*arguments.posonlyargs, *arguments.args]
    for keyword in call.keywords:
        if keyword.arg == parameter.arg:
            yield keyword.value, False
    if any(isinstance(a, ast.Starred) for a in call.args):
        return
    if parameter in positional:
        index = positional.index(parameter) - shift
        if 0 <= index < len(call.args):
            yield call.args[index], False
    elif parameter is arguments.vararg:
        for value in call.args[len(positional) - shift :]:
            yield value, True


def _has_home(node: ast.AST) -> bool:
    """Is this a definition, which means something in every file?"""
    return isinstance(node, DEFINITIONS)


def is_none(value: ast.expr) -> bool:
    """Is this `None`, which stands for what comes later?"""
    return isinstance(value, ast.Constant) and value.value is None
