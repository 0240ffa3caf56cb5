"""The classes of a file: what they inherit, and what their instances have."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .scopes import FUNCTIONS, Definition

if TYPE_CHECKING:
    from .module import Module
    from .rule import FunctionDef

# Bases that bring nothing an instance could have and a rule could ask for.
EMPTY_BASES = frozenset({
    "builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol", "typing_extensions.Protocol",
})  # fmt: skip

# Modules whose classes have no attributes that are there to be assigned to.
PLAIN_BASES = frozenset({"abc", "asyncio", "builtins", "typing"})


class Classes:
    """The answers for one Module, each worked out when it is asked for."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self._receivers: dict[ast.arg, FunctionDef | None] = {}
        self._bases: dict[ast.expr, Definition | None] = {}
        self._own: dict[ast.ClassDef, dict[str, list[ast.AST]]] = {}
        self._families: dict[ast.ClassDef, tuple[ast.ClassDef | None, ...]] = {}
        self._derived: dict[ast.ClassDef, list[ast.ClassDef]] | None = None
        self._attributes: dict[ast.ClassDef, dict[str, list[ast.AST]]] | None = None

    def owner(self, node: ast.Attribute) -> ast.ClassDef | None:
        """The class whose instance (or which itself) `node` is an attribute of: `self.x` in a method."""
        method = self.receiver(node.value)
        return self.module.class_of(method) if method else None

    def receiver(self, node: ast.expr) -> FunctionDef | None:
        """The method whose first parameter, `self` or `cls`, an expression is."""
        bindings = self.module.bindings(node) if isinstance(node, ast.Name) else None
        if bindings is None or len(bindings) != 1 or not isinstance(bindings[0], ast.arg):
            return None
        if bindings[0] not in self._receivers:
            self._receivers[bindings[0]] = self._received(bindings[0])
        return self._receivers[bindings[0]]

    def _received(self, parameter: ast.arg) -> FunctionDef | None:
        function = self.module.parents[self.module.parents[parameter]]
        if isinstance(function, ast.Lambda):
            return None
        assert isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        positional = [*function.args.posonlyargs, *function.args.args]
        if positional[:1] == [parameter] and not self._is(function, "staticmethod"):
            return function if self.module.class_of(function) else None
        return None

    def instance(self, node: ast.expr) -> ast.ClassDef | None:
        """The class that `self` is an instance of; None: it is none, or `cls`."""
        method = self.receiver(node)
        if method is None or self._is(method, "classmethod") or method.name in ("__new__", "__init_subclass__"):
            return None
        return self.module.class_of(method)

    def _is(self, function: FunctionDef, decorator: str) -> bool:
        return any(self.module.name(d) == f"builtins.{decorator}" for d in function.decorator_list)

    def bases(self, cls: ast.ClassDef) -> tuple[ast.ClassDef | None, ...]:
        """The class and those it inherits from, nearest first; None stands for one from elsewhere."""
        if cls not in self._families:
            self._families[cls] = tuple(self._inherited(cls))
        return self._families[cls]

    def _inherited(self, cls: ast.ClassDef) -> Iterator[ast.ClassDef | None]:
        todo, seen = [cls], {cls}
        while todo:
            current = todo.pop(0)
            yield current
            for base in current.bases:
                found = self._base(base)
                if isinstance(found, ast.ClassDef):
                    if found not in seen:
                        seen.add(found)
                        todo.append(found)
                elif self.module.name(_unsubscripted(base)) not in EMPTY_BASES:
                    yield None

    def _base(self, base: ast.expr) -> Definition | None:
        if base not in self._bases:
            # While it is worked out: `self.Base` asks for the subclasses of a class, and those for their bases.
            self._bases[base] = None
            self._bases[base] = self.module.definition(_unsubscripted(base))
        return self._bases[base]

    def foreign(self, cls: ast.ClassDef) -> str | None:
        """The qualified name of the one class from elsewhere that `cls` inherits from; None: unknown, or more."""
        names = {
            self.module.name(_unsubscripted(base))
            for own in self.bases(cls)
            if own
            for base in own.bases
            if not isinstance(self._base(base), ast.ClassDef)
        } - EMPTY_BASES
        return names.pop() if len(names) == 1 else None

    def subclasses(self, cls: ast.ClassDef) -> list[ast.ClassDef]:
        """The classes of this file that inherit from `cls`, itself left out."""
        if self._derived is None:
            self._derived = {}  # while it is worked out: what inherits by way of an attribute is not known yet
            derived: dict[ast.ClassDef, list[ast.ClassDef]] = {}
            for other in self.module.nodes(ast.ClassDef):
                for base in self.bases(other)[1:] if other.bases else ():
                    if base:
                        derived.setdefault(base, []).append(other)
            self._derived = derived
        return self._derived.get(cls, [])

    def method(self, cls: ast.ClassDef, name: str, *, exactly: bool = False, above: bool = False) -> Definition | None:
        """What `name` of an instance of `cls` is, when nothing in this file makes it uncertain.

        `exactly`: the instance is of this class and of no subclass. `above`: as `super()` sees it.
        """
        if not exactly and not above and any(name in self.own(derived) for derived in self.subclasses(cls)):
            return None
        family = self.bases(cls)
        for own in family[1:] if above else family:
            if own is None:
                return None  # an unknown base may define it
            found = self.own(own).get(name)
            if found:
                definite = len(found) == 1 and isinstance(found[0], (*FUNCTIONS, ast.ClassDef)) and found[0] in own.body
                return found[0] if definite and not self._is_set(cls, name) else None  # type: ignore[return-value]  # checked above
        return None

    def _is_set(self, cls: ast.ClassDef, name: str) -> bool:
        """Does an instance get an attribute of this name of its own?"""
        return any(not isinstance(store, ast.Name) for store in self.assignments(cls, name))

    def has(self, cls: ast.ClassDef, name: str, *, above: bool = False) -> bool:
        """Does the class, a base or a subclass of this file say what `name` is?"""
        family = self.bases(cls)[1:] if above else (*self.bases(cls), *self.subclasses(cls))
        return any(name in self.own(own) for own in family if own) or self._is_set(cls, name)

    def assignments(self, cls: ast.ClassDef, attribute: str) -> list[ast.AST]:
        """The targets by which the methods and the body of `cls`, or its bases in this file, set an attribute."""
        return [
            node
            for base in self.bases(cls)
            if base is not None
            for node in (
                *self._stores(base).get(attribute, ()),
                *(n for n in self.own(base).get(attribute, ()) if isinstance(n, ast.Name)),
            )
        ]

    def own(self, cls: ast.ClassDef) -> dict[str, list[ast.AST]]:
        """What the body of a class binds, by name."""
        if cls not in self._own:
            own = self._own[cls] = dict[str, list[ast.AST]]()
            for name, node in _bound(cls):
                own.setdefault(name, []).append(node)
        return self._own[cls]

    def set_by(self, cls: ast.ClassDef) -> list[str]:
        """The attributes of `self` that the methods of this class, and of no other, set."""
        return list(self._stores(cls))

    def _stores(self, cls: ast.ClassDef) -> dict[str, list[ast.AST]]:
        if self._attributes is None:
            self._attributes = {}
            for node in self.module.nodes(ast.Attribute):
                if isinstance(node.ctx, ast.Store) and (owner := self.owner(node)):
                    self._attributes.setdefault(owner, {}).setdefault(node.attr, []).append(node)
        return self._attributes.get(cls, {})

    def plain_assignments(self, attribute: ast.Attribute) -> list[ast.AST] | None:
        """See Module.assignments."""
        owner = self.owner(attribute)
        if owner is None:
            return None
        family = dict.fromkeys(cls for cls in (*self.bases(owner), *self.subclasses(owner)) if cls)
        for cls in family:
            strange = any(not self._is_plain_base(base) for base in cls.bases)
            if strange or cls.decorator_list or cls.keywords:
                return None
            if any(not isinstance(member, ast.Name) for member in self.own(cls).get(attribute.attr, ())):
                return None
        found = dict.fromkeys(node for cls in family for node in self.assignments(cls, attribute.attr))
        return [*found]

    def _is_plain_base(self, base: ast.expr) -> bool:
        """Is this a class of this file, or one of a module whose classes have no attributes to be assigned to?"""
        name = self.module.name(_unsubscripted(base))
        found = self._base(base)
        return isinstance(found, ast.ClassDef) or (name is not None and name.partition(".")[0] in PLAIN_BASES)


def members(cls: ast.ClassDef, name: str) -> Iterator[ast.AST]:
    """What binds `name` in a class body, also under an `if` or `try` there."""
    return (node for bound, node in _bound(cls) if bound == name)


def _bound(cls: ast.ClassDef) -> Iterator[tuple[str, ast.AST]]:
    todo: list[ast.AST] = list(cls.body)
    while todo:
        node = todo.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name, node
            case ast.Assign(targets=targets):
                yield from ((t.id, t) for t in targets if isinstance(t, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name) as target):
                yield name, target
            case ast.If() | ast.Try() | ast.With() | ast.ExceptHandler():
                todo += ast.iter_child_nodes(node)


def _unsubscripted(base: ast.expr) -> ast.expr:
    """`Queue[int]` inherits from `Queue`."""
    return base.value if isinstance(base, ast.Subscript) else base
