"""What an expression may stand for, as far as one file shows: followed through names, calls and parameters.

`Module` answers what something surely is. Here the question is what it may be: each possibility is named, and
what leads out of the file is named, too, as the parameter or the expression that it is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol, TypeAlias

from ..flow import body, is_generator
from ..knowledge.awaitables import GENERATOR_COROUTINES
from ..scopes import Definition

if TYPE_CHECKING:
    from ..module import Module
    from ..rule import FunctionDef

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
# Functions whose result has the elements of what they are given (or tuples of them).
SAME_ELEMENTS = frozenset(
    f"builtins.{name}" for name in ("list", "tuple", "set", "reversed", "sorted", "iter", "enumerate", "zip")
)
# What one question has looked at already: expressions as they are, and as containers of what was asked for.
Seen: TypeAlias = set[tuple[ast.AST, str]]


class Others(Protocol):
    """What is known of the other files that are looked at together with one."""

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
                if not isinstance(meaning, ast.Call):
                    if not isinstance(meaning, DEFINITIONS) or self._is_property(meaning):
                        yield meaning
                    continue
                for called in self.of(meaning.func):
                    home = self.home(called)
                    if home is not self:
                        yield from home.given(called) or [meaning]
                        continue
                    values = list(returned(called)) if self.is_transparent(called) else []
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
            values = list(returned(called)) if self.is_transparent(called) else []
            found = [meaning for value in values for meaning in self.results(value)]
            known = all(map(_has_home, found)) and all(map(self.results, values))
            self._given[called] = (called,) if not values else tuple(found) if known else ()
        return self._given[called]

    def is_transparent(self, function: ast.AST) -> bool:
        """Does a call of this function give just what it returns?"""
        if (home := self.home(function)) is not self:
            return home.is_transparent(function)
        if not isinstance(function, ast.FunctionDef):
            return False
        if function not in self._transparent:
            static = all(self.module.name(d) == "builtins.staticmethod" for d in function.decorator_list)
            self._transparent[function] = static and not is_generator(function)
        return self._transparent[function]

    def _follow(self, node: ast.AST, seen: Seen) -> Iterator[ast.AST]:
        if (node, "") in seen:
            return
        seen.add((node, ""))
        match node:
            case ast.Name():
                named = self._named_elsewhere(node)
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
                if not (self.others and found):  # where all files are there, so are all callers
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

    def _named_elsewhere(self, node: ast.Name | ast.Attribute) -> list[Definition]:
        return self.others.named(self.module, node) if self.others else []

    def _attribute(self, node: ast.Attribute, seen: Seen) -> Iterator[ast.AST]:
        named = self._named_elsewhere(node)
        if named:
            yield from named
            return
        methods = [member for member in self.members(node) if isinstance(member, DEFINITIONS)]
        for method in methods:
            if isinstance(method, ast.FunctionDef) and self._is_property(method) and not is_generator(method):
                if (home := self.home(method)) is not self:
                    yield from (found for value in returned(method) for found in home.of(value) if _has_home(found))
                    continue
                for value in returned(method):
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

    def _passed(self, parameter: ast.arg) -> Iterator[tuple[ast.AST, bool]]:
        """What the calls in this file pass for a parameter; True: as one of the elements of a `*parameter`."""
        arguments = self.module.parents[parameter]
        function = self.module.parents.get(arguments)
        if not isinstance(arguments, ast.arguments) or not isinstance(
            function, (ast.FunctionDef, ast.AsyncFunctionDef)
        ):
            return
        cls = self.module.class_of(function)
        positional = [*arguments.posonlyargs, *arguments.args]
        shift = (
            1 if cls and not any(self.module.name(d) == "builtins.staticmethod" for d in function.decorator_list) else 0
        )
        if cls and shift and positional[:1] == [parameter]:
            return
        names = [c.name for c in self.family(cls)] if cls and function.name == "__init__" else [function.name]
        for call in (call for name in names for call in self.calls(name)):
            if self._may_call(call, function, cls):
                yield from _argument(call, parameter, arguments, shift)
        if cls is None and positional[:1] == [parameter]:
            for decorated in self._decorated_by(function):
                yield decorated, False

    def put(self, call: ast.Call, function: FunctionDef) -> Iterator[tuple[ast.expr, ast.AST]]:
        """What a call of a function of this file passes, each with its parameter, and with the attributes of `self`
        that this is put into."""
        arguments = function.args
        static = any(self.module.name(d) == "builtins.staticmethod" for d in function.decorator_list)
        shift = 1 if self.module.class_of(function) and not static else 0
        for parameter in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            for value, _ in _argument(call, parameter, arguments, shift):
                yield value, parameter
                for target in self._stores(function):
                    kept = self.module.value(target)
                    if isinstance(kept, ast.Name) and parameter in (self.module.bindings(kept) or ()):
                        yield value, target

    def _stores(self, function: FunctionDef) -> Iterator[ast.Attribute]:
        for node in body(function):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                yield node

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


def returned(function: ast.AST) -> Iterator[ast.expr]:
    """The values that a function itself returns."""
    for node in body(function):
        if isinstance(node, ast.Return) and node.value is not None:
            yield node.value
