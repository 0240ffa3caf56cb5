"""What kind of thing an expression is, and which definition of the file it names.

Worked out only when asked. "Unknown" (None) is an answer; guessing by a variable's name is not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from .knowledge.names import ATTRIBUTES, RETURNS, SAME_TYPE
from .scopes import FUNCTIONS, Definition

if TYPE_CHECKING:
    from .module import Module

# Annotations that only say something about the type inside their brackets.
WRAPPERS = frozenset(
    f"{module}.{name}"
    for module in ("typing", "typing_extensions")
    for name in ("Optional", "Annotated", "Final", "ClassVar", "Required", "NotRequired")
)

PLAIN_BASES = frozenset({"abc", "asyncio", "builtins", "typing"})


class Inference:
    """The answers for one Module, each worked out once."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self._types: dict[ast.AST, str | None] = {}
        self._bases: dict[ast.expr, Definition | None] = {}
        self._attributes: dict[tuple[ast.ClassDef, str], list[ast.AST]] | None = None

    def type_of(self, node: ast.AST) -> str | None:
        """See Module.type_of."""
        if node not in self._types:
            self._types[node] = None  # while it is worked out: a definition by itself is unknown
            found = self._type_of(node)
            self._types[node] = SAME_TYPE.get(found, found) if found else None
        return self._types[node]

    def _type_of(self, node: ast.AST) -> str | None:
        match node:
            case ast.Call():
                return self._type_of_call(node)
            case ast.Await(value=ast.Call() as call):
                definition = self.definition(call.func)
                return self._returned(definition) if isinstance(definition, ast.AsyncFunctionDef) else None
            case ast.Name():
                bindings = self.module.bindings(node)
                return self._agreed(bindings) if bindings else None
            case ast.Attribute():
                owner = self.owner(node)
                if owner is None:
                    return self._part(node.value, f".{node.attr}", ".*")
                return self._agreed(self.assignments(owner, node.attr))
            case ast.Subscript():
                return self._part(node.value, "[]")
            case ast.NamedExpr(value=value):
                return self.type_of(value)
            case ast.IfExp(body=body, orelse=orelse):
                return self._agreed([body, orelse])
            case ast.BoolOp(op=ast.Or(), values=values):
                # `loop or get_event_loop()`: the default says what the variable is expected to be.
                known = {self.type_of(value) for value in values} - {None}
                return known.pop() if len(known) == 1 else None
        return None

    def _part(self, whole: ast.expr, *suffixes: str) -> str | None:
        """The type of an attribute or an item of a library's object."""
        kind = self.type_of(whole)
        return next((ATTRIBUTES[kind + s] for s in suffixes if kind + s in ATTRIBUTES), None) if kind else None

    def _type_of_call(self, call: ast.Call) -> str | None:
        name = self.callee(call)
        if name is not None:
            if name in RETURNS:
                return RETURNS[name]
            return name if name.rpartition(".")[2][:1].isupper() else None  # classes are spelled so (PEP 8)
        definition = self.definition(call.func)
        return self._returned(definition) if isinstance(definition, ast.FunctionDef) else None

    def _returned(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> str | None:
        if function.decorator_list or function.returns is None:
            return None
        return self.annotated(function.returns, function)

    def _agreed(self, nodes: Iterable[ast.AST]) -> str | None:
        """The one type of all these bindings or values; what is None at first does not count."""
        given = list(nodes)
        # An annotation speaks for the whole variable, as it does for type checkers.
        annotated = [node for node in given if isinstance(node, (ast.Name, ast.Attribute)) and self._annotation(node)]
        types = {self._bound(node) for node in annotated or given if not self._starts_as_none(node)}
        return types.pop() if len(types) == 1 else None

    def _starts_as_none(self, node: ast.AST) -> bool:
        if isinstance(node, ast.arg):
            return self._is_optional(node)
        if self._annotation(node) is not None:
            return False
        value = node if isinstance(node, ast.expr) and not _is_stored(node) else self.module.value(node)
        if isinstance(value, ast.Name):
            # A parameter that may be left out (`loop=None`): what is put in its place says what it is.
            bindings = self.module.bindings(value)
            return bindings is not None and len(bindings) == 1 and self._is_optional(bindings[0])
        return isinstance(value, ast.Constant) and value.value is None

    def _is_optional(self, node: ast.AST) -> bool:
        """Is this a parameter without a type whose default is None?"""
        if not isinstance(node, ast.arg) or node.annotation is not None:
            return False
        default = self.default(node)
        return isinstance(default, ast.Constant) and default.value is None

    def default(self, argument: ast.arg) -> ast.expr | None:
        """See Module.default."""
        arguments = self.module.parents[argument]
        assert isinstance(arguments, ast.arguments)
        positional = [*arguments.posonlyargs, *arguments.args]
        with_default = positional[len(positional) - len(arguments.defaults) :]
        pairs = [
            *zip(with_default, arguments.defaults, strict=True),
            *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
        ]
        return next((default for a, default in pairs if a is argument), None)

    def _annotation(self, node: ast.AST) -> ast.expr | None:
        match node, self.module.parents.get(node):
            case ast.arg(annotation=annotation), _:
                return annotation
            case _, ast.AnnAssign(target=target, annotation=annotation) if target is node:
                return annotation
        return None

    def _bound(self, node: ast.AST) -> str | None:
        """The type that a binding (or a value by itself) gives."""
        annotation = self._annotation(node)
        if annotation is not None:
            return self.annotated(annotation, node)
        if isinstance(node, ast.arg):
            return None
        value = self.module.value(node)
        if value is not None:
            return self.type_of(value)
        match self.module.parents.get(node):
            case ast.withitem(optional_vars=target, context_expr=manager) if target is node:
                return self.type_of(manager)
        if isinstance(node, ast.expr) and not _is_stored(node):
            return self.type_of(node)
        return None

    def annotated(self, annotation: ast.expr, at: ast.AST) -> str | None:
        """The type that an annotation names, as seen from `at`; None: unknown, or more than one."""
        match annotation:
            case ast.Constant(value=str(text)):
                try:
                    return self.annotated(ast.parse(text.strip(), mode="eval").body, at)
                except (SyntaxError, ValueError):
                    return None
            case ast.BinOp(op=ast.BitOr(), left=left, right=right):
                sides = [side for side in (left, right) if not _is_none(side)]
                return self.annotated(sides[0], at) if len(sides) == 1 else None
            case ast.Subscript(value=value, slice=inner):
                outer = self.module.name_at(value, at)
                if outer in WRAPPERS:
                    return self.annotated(inner.elts[0] if isinstance(inner, ast.Tuple) else inner, at)
                return SAME_TYPE.get(outer, outer) if outer else None
        name = self.module.name_at(annotation, at)
        return SAME_TYPE.get(name, name) if name else None

    def callee(self, call: ast.Call) -> str | None:
        """See Module.callee."""
        name = self.module.name(call.func)
        if name is None and isinstance(call.func, ast.Attribute):
            receiver = self.type_of(call.func.value)
            return f"{receiver}.{call.func.attr}" if receiver else None
        return name

    def definition(self, node: ast.AST) -> Definition | None:
        """See Module.definition."""
        if isinstance(node, ast.Name):
            bindings = self.module.bindings(node) or []
            only = bindings[0] if len(bindings) == 1 else None
            return only if isinstance(only, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) else None
        if not isinstance(node, ast.Attribute):
            return None
        owner = self.owner(node)
        if owner is None:
            named = self.definition(node.value) if isinstance(node.value, ast.Name) else None
            owner = named if isinstance(named, ast.ClassDef) else None
        return self._method(owner, node.attr) if owner else None

    def _method(self, owner: ast.ClassDef, name: str) -> Definition | None:
        """What `owner().name` is, when neither a base nor a subclass in this file makes it uncertain."""
        for derived in self.subclasses(owner):
            if any(True for _ in _members(derived, name)):
                return None
        for cls in self.bases(owner):
            if cls is None:
                return None  # an unknown base may define it
            found = list(_members(cls, name))
            if found:
                definite = len(found) == 1 and isinstance(found[0], (*FUNCTIONS, ast.ClassDef)) and found[0] in cls.body
                instance = any(
                    not self._is_class_level(store)
                    for base in self.bases(owner)
                    if base
                    for store in self.assignments(base, name)
                )
                return found[0] if definite and not instance else None  # type: ignore[return-value]  # checked above
        return None

    def _is_class_level(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Name)

    def owner(self, node: ast.Attribute) -> ast.ClassDef | None:
        """The class whose instance (or which itself) `node` is an attribute of: `self.x` in a method."""
        if not isinstance(node.value, ast.Name):
            return None
        match self.module.bindings(node.value):
            case [ast.arg() as first]:
                function = self.module.parents[self.module.parents[first]]
                if isinstance(function, ast.Lambda):
                    return None
                assert isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
                positional = [*function.args.posonlyargs, *function.args.args]
                static = any(self.module.name(d) == "builtins.staticmethod" for d in function.decorator_list)
                if positional[:1] == [first] and not static:
                    return self.module.class_of(function)
        return None

    def bases(self, cls: ast.ClassDef) -> Iterator[ast.ClassDef | None]:
        """The class and those it inherits from, nearest first; None stands for one from elsewhere."""
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
                elif self.module.name(base) not in ("builtins.object", "abc.ABC", "typing.Protocol"):
                    yield None

    def _base(self, base: ast.expr) -> Definition | None:
        if base not in self._bases:
            # While it is worked out: `self.Base` asks for the subclasses of a class, and those for their bases.
            self._bases[base] = None
            self._bases[base] = self.definition(base)
        return self._bases[base]

    def subclasses(self, cls: ast.ClassDef) -> Iterator[ast.ClassDef]:
        """The classes of this file that inherit from `cls`, itself left out."""
        for other in self.module.nodes(ast.ClassDef):
            if other is not cls and other.bases and any(base is cls for base in self.bases(other)):
                yield other

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
            if any(not isinstance(member, ast.Name) for member in _members(cls, attribute.attr)):
                return None
        found = dict.fromkeys(node for cls in family for node in self.assignments(cls, attribute.attr))
        return [*found]

    def _is_plain_base(self, base: ast.expr) -> bool:
        """Is this a class of this file, or one of a module whose classes have no attributes to be assigned to?"""
        name = self.module.name(base)
        found = self.definition(base)
        return isinstance(found, ast.ClassDef) or (name is not None and name.partition(".")[0] in PLAIN_BASES)

    def assignments(self, cls: ast.ClassDef, attribute: str) -> list[ast.AST]:
        """The targets by which the methods and the body of `cls`, or its bases in this file, set an attribute."""
        if self._attributes is None:
            self._attributes = {}
            for node in self.module.nodes(ast.Attribute):
                if isinstance(node.ctx, ast.Store) and (owner := self.owner(node)):
                    self._attributes.setdefault((owner, node.attr), []).append(node)
        return [
            node
            for base in self.bases(cls)
            if base is not None
            for node in (
                *self._attributes.get((base, attribute), ()),
                *(n for n in _members(base, attribute) if isinstance(n, ast.Name)),
            )
        ]


def _members(cls: ast.ClassDef, name: str) -> Iterator[ast.AST]:
    """What binds `name` in a class body, also under an `if` or `try` there."""
    todo: list[ast.AST] = list(cls.body)
    while todo:
        node = todo.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                if node.name == name:
                    yield node
            case ast.Assign(targets=targets):
                yield from (t for t in targets if isinstance(t, ast.Name) and t.id == name)
            case ast.AnnAssign(target=ast.Name(id=found) as target) if found == name:
                yield target
            case ast.If() | ast.Try() | ast.With() | ast.ExceptHandler():
                todo += ast.iter_child_nodes(node)


def _is_stored(node: ast.expr) -> bool:
    return isinstance(getattr(node, "ctx", None), ast.Store)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
