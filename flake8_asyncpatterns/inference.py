"""What kind of thing an expression is, and which definition of the file it names.

Worked out only when asked. "Unknown" (None) is an answer; guessing by a variable's name is not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .annotations import Annotations
from .containers import Containers
from .flow import body
from .knowledge.containers import VALUES
from .knowledge.decorators import CONTEXT_MANAGERS, KEEPS_CLASS, PROPERTIES, SAME_RESULT
from .knowledge.names import ATTRIBUTES, AWAITED, ENTERED, PATHS, RETURNS, SERVERS, STREAMS, THREADS, same_type
from .narrowing import Narrowing, dotted
from .reference import inherited
from .scopes import Definition, Scopes
from .types import HOLDS, Type, heard, instance, written

if TYPE_CHECKING:
    from .classes import Classes
    from .module import Module
    from .rule import FunctionDef

LITERALS: dict[type[ast.AST], str] = {
    ast.List: "builtins.list",
    ast.ListComp: "builtins.list",
    ast.Set: "builtins.set",
    ast.SetComp: "builtins.set",
    ast.Dict: "builtins.dict",
    ast.DictComp: "builtins.dict",
    ast.Tuple: "builtins.tuple",
    ast.JoinedStr: "builtins.str",
    ast.Compare: "builtins.bool",
}
# What is known by way of so many other things is unknown.
DEPTH = 25


class Inference:
    """The answers for one Module, each worked out once."""

    def __init__(self, module: Module, scopes: Scopes, classes: Classes) -> None:
        self.module = module
        self.classes = classes
        self._annotations = Annotations(module, scopes, classes)
        self._containers = Containers(module, scopes, classes, self)
        self._scopes = scopes
        self._types: dict[ast.AST, Type | None] = {}
        # Of names that stand by themselves: where a variable is bound a thousand times, it may be used as often.
        self._variables: dict[tuple[ast.AST | None, str], Type | None] = {}
        self._callees: dict[ast.Call, str | None] = {}
        self._named: dict[str, Type | None] = {}
        self._servers: set[ast.AST] | None = None
        self._definitions: set[str] | None = None
        self._depth = 0

    def type_of(self, node: ast.AST) -> str | None:
        """See Module.type_of."""
        found = self.type(node)
        return found.name if found else None

    def type(self, node: ast.AST) -> Type | None:
        """All that is known of an expression, or of a node that binds a name."""
        if node not in self._types:
            if self._depth > DEPTH:
                return None
            self._types[node] = None  # while it is worked out: a definition by itself is unknown
            self._depth += 1
            try:
                self._types[node] = self._type(node)
            finally:
                self._depth -= 1
        return self._types[node]

    def _type(self, node: ast.AST) -> Type | None:
        match node:
            case ast.Call():
                return self._type_of_call(node)
            case ast.Await(value=value):
                return self._awaited(value)
            case ast.Name():
                return self._narrowed(node) or self._type_of_name(node)
            case ast.Attribute():
                return self._narrowed(node) or self._type_of_attribute(node)
            case ast.NamedExpr(value=value):
                return self.type(value)
            case ast.IfExp(body=first, orelse=second):
                return self._agreed([first, second])
            case ast.BoolOp(op=ast.Or(), values=values):
                # `loop or get_event_loop()`: the default says what the variable is expected to be.
                known = {self.type(value) for value in values} - {None}
                return known.pop() if len(known) == 1 else None
            case ast.Subscript(value=value, slice=index):
                return self._containers.subscripted(value, index)
            case ast.Constant(value=value) if value is not None and value is not ...:
                return Type(f"builtins.{type(value).__name__}")
            case ast.UnaryOp(op=ast.Not()):
                return Type("builtins.bool")
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return next((kind for side in (left, right) if (kind := self.type(side)) and kind.name in PATHS), None)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.type(operand)
        return self._literal(node)

    def _literal(self, node: ast.AST) -> Type | None:
        name = LITERALS.get(type(node))
        match node:
            case ast.List(elts=elements) | ast.Set(elts=elements):
                item = self.all_alike(elements)
                return Type(name, item=item, value=item if isinstance(node, ast.List) else None)
            case ast.Tuple(elts=elements):
                if any(isinstance(e, ast.Starred) for e in elements):
                    return Type(name)
                return Type(name, item=self.all_alike(elements), parts=tuple(self.type(e) for e in elements))
            case ast.Dict(keys=keys, values=values):
                return Type(name, item=self.all_alike(k for k in keys if k), value=self.all_alike(values))
            case ast.ListComp(elt=element) | ast.SetComp(elt=element) | ast.GeneratorExp(elt=element):
                item = self.type(element)
                return Type(name, item=item, value=item if isinstance(node, ast.ListComp) else None)
            case ast.DictComp(key=key, value=value):
                return Type(name, item=self.type(key), value=self.type(value))
        return Type(name) if name else None

    def all_alike(self, nodes: Iterable[ast.AST | None]) -> Type | None:
        """The type that all of these have."""
        types = {self.type(node) if node is not None else None for node in nodes}
        return types.pop() if len(types) == 1 else None

    def _type_of_name(self, name: ast.Name) -> Type | None:
        cls = self.classes.instance(name)
        if cls is not None:
            return instance(cls, self.classes)
        if self._depth > 1:
            return self._type_of_variable(name)  # with what is being worked out unknown: not what others may be told
        home = self._scopes.home(name.id, name)
        variable = (home.node if home else None, name.id)
        if variable not in self._variables:
            self._variables[variable] = self._type_of_variable(name)
        return self._variables[variable]

    def _type_of_variable(self, name: ast.Name) -> Type | None:
        """What all that binds a variable agrees on."""
        bindings = self.module.bindings(name) or []
        remade = [binding for binding in bindings if self._is_made_of(name.id, binding)]
        if not remade or any(isinstance(b, ast.Name) and self._annotation(b) for b in bindings):
            return self._agreed(bindings) if bindings else None
        begun = [binding for binding in bindings if binding not in remade]
        made = self._agreed(begun) if begun else None
        return made if made and all(self._remade(made, self._made(binding)) == made for binding in remade) else None

    def _is_made_of(self, name: str, binding: ast.AST) -> bool:
        """Is a variable given what was made of itself: `path = path / "x"`, `path = path.resolve()`, `path /= "x"`?"""
        value = self._made(binding)
        while isinstance(value, (ast.BinOp, ast.Call, ast.Attribute)):
            match value:
                case ast.BinOp(left=inner) | ast.Call(func=ast.Attribute(value=inner)) | ast.Attribute(value=inner):
                    value = inner
                case _:
                    return False
        return isinstance(value, ast.Name) and value.id == name

    def _made(self, binding: ast.AST) -> ast.AST | None:
        """What a binding gives its variable, `x /= y` as if it were `x = x / y`."""
        match self.module.parent(binding):
            case ast.AugAssign(target=ast.Name() as target, op=op, value=value) if target is binding:
                return ast.BinOp(target, op, value)
        return self.module.value(binding)

    def _remade(self, of: Type | None, value: ast.AST | None) -> Type | None:
        """What is made of a thing of this type by an expression at whose beginning it stands."""
        match value:
            case ast.Name():
                return of
            case ast.BinOp(left=inner, op=ast.Div()):
                made = self._remade(of, inner)
                return made if made and made.name in PATHS else None
            case ast.Call(func=ast.Attribute(value=inner, attr=method)):
                made = self._remade(of, inner)
                text = RETURNS.get(f"{made.name}.{method}") if made else None
                return self._from_table(text) if text else None
            case ast.Attribute(value=inner, attr=attribute):
                return self.part(self._remade(of, inner), f".{attribute}", ".*")
        return None

    def _type_of_attribute(self, node: ast.Attribute) -> Type | None:
        owner = self.classes.owner(node)
        of = self.type(node.value)
        if owner is None and of:
            owner = of.cls
        if owner is None:
            named = self.definition(node.value)
            owner = named if isinstance(named, ast.ClassDef) else None
        if owner is None:
            return self.part(of, f".{node.attr}", ".*")
        return self.attribute(owner, node.attr)

    def attribute(self, owner: ast.ClassDef, name: str) -> Type | None:
        """What an attribute of an instance of a class of this file is."""
        stores = self.classes.assignments(owner, name)
        if stores:
            return self._agreed(stores)
        made = self.classes.method(owner, name)
        if isinstance(made, ast.FunctionDef) and any(self._is_property(d) for d in made.decorator_list):
            return self._result(made)
        if made is None and self.module.project is not None and not self.classes.has(owner, name):
            named = inherited(owner, name, self.module)
            return heard(self.module.project.type(named)) if named else None
        return None

    def part(self, of: Type | None, *suffixes: str) -> Type | None:
        """What a part of a library's object is: an attribute, an item, what a call of it gives."""
        known = (ATTRIBUTES.get(of.name + suffix) for suffix in suffixes) if of and of.name else ()
        return next((self._from_table(text) for text in known if text), None)

    def _is_property(self, decorator: ast.expr) -> bool:
        return self.module.name(decorator) in PROPERTIES

    def _type_of_call(self, call: ast.Call) -> Type | None:
        # What is in it, before its name: a `list(tasks)` is one of tasks.
        return self._containers.made(call) or self._called(call.func, call)

    def _called(self, function: ast.expr, call: ast.Call | None = None) -> Type | None:
        """What a call of this expression gives."""
        name = self.callee(call) if call else self._callee(function)
        if name is not None:
            if name in RETURNS:
                return self._from_table(RETURNS[name])
            is_class = name in HOLDS or name in VALUES or name.rpartition(".")[2][:1].isupper()  # as PEP 8 spells them
            return Type(same_type(name)) if is_class else None
        definition = self.definition(function)
        if isinstance(definition, ast.ClassDef):
            plain = all(self._keeps_class(decorator) for decorator in definition.decorator_list)
            return instance(definition, self.classes) if plain and not definition.keywords else None
        if isinstance(definition, ast.FunctionDef):
            return self.returned(definition)
        if isinstance(function, ast.Name) and (method := self.classes.receiver(function)):
            # `cls()` in a class method
            return instance(owner, self.classes) if (owner := self.module.class_of(method)) else None
        return self.part(self.type(function), "()") if definition is None else None

    def _keeps_class(self, decorator: ast.expr) -> bool:
        return self.module.decorator(decorator) in KEEPS_CLASS

    def _from_table(self, text: str) -> Type | None:
        """A type as tables write it: `asyncio.Task`, `tuple[set[asyncio.Task], set[asyncio.Task]]`."""
        if text not in self._named:
            self._named[text] = written(ast.parse(text, mode="eval").body)
        return self._named[text]

    def _awaited(self, value: ast.expr) -> Type | None:
        if not isinstance(value, ast.Call):
            return None
        name = self.callee(value)
        if name in AWAITED:
            return self._from_table(AWAITED[name])
        if name in ("asyncio.wait_for", "asyncio.shield") and value.args:
            return self._awaited(value.args[0])
        if name in THREADS.values() and value.args:
            return self._called(value.args[0])
        if name == "asyncio.AbstractEventLoop.run_in_executor" and len(value.args) > 1:
            return self._called(value.args[1])
        definition = self.definition(value.func)
        return self.returned(definition) if isinstance(definition, ast.AsyncFunctionDef) else None

    def returned(self, function: FunctionDef) -> Type | None:
        """See Module.result."""
        if any(self.module.name(decorator) not in SAME_RESULT for decorator in function.decorator_list):
            return None
        return self._result(function)

    def _result(self, function: FunctionDef) -> Type | None:
        """What the code of a function returns, by its annotation or by its `return`s."""
        if function.returns is not None:
            return self._annotations.type(function.returns, function)
        if self.module.is_generator(function):
            return None
        values = [node.value for node in self.module.returns(function) if node.value is not None]
        return self._agreed(values) if values else None

    def _entered(self, manager: ast.expr) -> Type | None:
        """What `with manager as x` makes of `x`."""
        if isinstance(manager, ast.Call):
            name = self.callee(manager)
            if name in ("contextlib.closing", "contextlib.aclosing") and manager.args:
                return self.type(manager.args[0])
            if name in ENTERED:
                return self._from_table(ENTERED[name])
            function = self.definition(manager.func)
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                match function.decorator_list:
                    case [decorator] if self.module.name(decorator) in CONTEXT_MANAGERS:
                        return self._yielded(function)
        of = self.type(manager)
        if of is None:
            return None
        if of.cls is not None:
            for name in ("__aenter__", "__enter__"):
                enter = self.classes.method(of.cls, name)
                if isinstance(enter, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    return self.returned(enter)
            return of if of.name else None
        if of.name in ENTERED:
            return self._from_table(ENTERED[of.name])
        return of

    def _yielded(self, function: FunctionDef) -> Type | None:
        """What a generator yields, by its annotation or by its `yield`s."""
        if function.returns is not None:
            annotated = self._annotations.type(function.returns, function)
            return annotated.item if annotated else None
        values = [node.value for node in body(function) if isinstance(node, ast.Yield)]
        return self.all_alike(values) if values else None

    def _agreed(self, nodes: Iterable[ast.AST]) -> Type | None:
        """The one type of all these bindings or values; what is None at first does not count."""
        given = list(nodes)
        # An annotation speaks for the whole variable, as it does for type checkers.
        annotated = [node for node in given if isinstance(node, (ast.Name, ast.Attribute)) and self._annotation(node)]
        types = {self._bound(node) for node in annotated or given if not self._starts_as_none(node)}
        if len(types) == 1:
            return types.pop()
        # What differs only in what is known of its items: an empty list, and one of tasks.
        names = {(of.name, of.cls) if of else None for of in types}
        if len(names) != 1 or None in names:
            return None
        items, values = ({getattr(of, field) for of in types} - {None} for field in ("item", "value"))
        some = next(iter(types))
        assert some is not None
        return Type(
            some.name,
            some.cls,
            items.pop() if len(items) == 1 else None,
            values.pop() if len(values) == 1 else None,
        )

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
        if isinstance(node, ast.arg):
            return node.annotation
        around = self.module.parents.get(node)
        return around.annotation if isinstance(around, ast.AnnAssign) and around.target is node else None

    def _bound(self, node: ast.AST) -> Type | None:
        """The type that a binding (or a value by itself) gives."""
        annotation = self._annotation(node)
        if annotation is not None:
            return self._annotations.type(annotation, node)
        if isinstance(node, ast.arg):
            return self._handed(node)
        value = self.module.value(node)
        if value is not None:
            return self.type(value)
        if isinstance(node, ast.expr) and not _is_stored(node):
            return self.type(node)
        return self._unpacked(node)

    def _handed(self, argument: ast.arg) -> Type | None:
        """What asyncio hands to a parameter: a server hands the two ends of a connection to its callback."""
        function = self.module.parents[self.module.parents[argument]]
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) or function.decorator_list:
            return None
        own = function.args.posonlyargs + function.args.args
        own = own[1 if self.module.class_of(function) else 0 :]
        if len(own) != len(STREAMS) or argument not in own or not self._serves(function):
            return None
        return Type(STREAMS[own.index(argument)])

    def _serves(self, function: ast.AST) -> bool:
        """Is this function the callback of a server that the file starts?"""
        if self._servers is None:
            self._servers = set()
            for call in self.module.nodes(ast.Call) if "asyncio" in self.module.packages() else ():
                if isinstance(call.func, (ast.Name, ast.Attribute)) and self.module.name(call.func) in SERVERS:
                    given = [*call.args[:1], *(k.value for k in call.keywords if k.arg == "client_connected_cb")]
                    self._servers |= {found for callback in given if (found := self.definition(callback))}
        return function in self._servers

    def _unpacked(self, target: ast.AST) -> Type | None:
        """What a `with`, a loop, or a sequence of targets gives one of them."""
        match self.module.parents.get(target):
            case ast.withitem(optional_vars=whole, context_expr=manager) if whole is target:
                return self._entered(manager)
            case ast.For() | ast.AsyncFor() | ast.comprehension() as loop if loop.target is target:
                return self._containers.item(loop.iter)
            case ast.Tuple() | ast.List() as targets:
                if any(isinstance(t, ast.Starred) for t in targets.elts):
                    return None
                value = self.module.value(targets)
                of = self.type(value) if value is not None else self._unpacked(targets)
                if of is None:
                    return None
                at = next(i for i, t in enumerate(targets.elts) if t is target)
                return of.parts[at] if len(of.parts) == len(targets.elts) else of.value if not of.parts else None
        return None

    def _narrowed(self, node: ast.Name | ast.Attribute) -> Type | None:
        """What an `isinstance` around or before an expression says of it."""
        if not isinstance(node.ctx, ast.Load):
            return None
        narrowing = self.module.analysis(Narrowing)
        text = dotted(node) if narrowing.kinds else ""
        kind = narrowing.kind(node, text) if text in narrowing.kinds else None
        return self._annotations.type(kind, node) if kind is not None else None

    def callee(self, call: ast.Call) -> str | None:
        """See Module.callee."""
        if call not in self._callees:
            self._callees[call] = self._callee(call.func)
        return self._callees[call]

    def _callee(self, function: ast.expr) -> str | None:
        name = self.module.name(function)
        if name is not None or not isinstance(function, ast.Attribute):
            return name
        if self._is_super(function.value):
            owner = self._around(function)
            if owner is None or self.classes.has(owner, function.attr, above=True):
                return None
            base = self.classes.foreign(owner)
            return f"{same_type(base)}.{function.attr}" if base else None
        of = self.type(function.value)
        if of is None or of.name is None or (of.cls and self.classes.has(of.cls, function.attr)):
            return None
        return f"{of.name}.{function.attr}"

    def _is_super(self, node: ast.expr) -> bool:
        return (
            isinstance(node, ast.Call) and not node.args and isinstance(node.func, ast.Name) and node.func.id == "super"
        )

    def _around(self, node: ast.AST) -> ast.ClassDef | None:
        """The class whose method an expression stands in."""
        function = self.module.function(node)
        return self.module.class_of(function) if function else None

    def _is_defined(self, name: str) -> bool:
        """Does the file define a function or a class of this name, whatever it is one of?"""
        if self._definitions is None:
            kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
            self._definitions = {node.name for node in self.module.nodes(*kinds)}
        return name in self._definitions

    def definition(self, node: ast.AST) -> Definition | None:
        """See Module.definition."""
        if isinstance(node, ast.Name):
            bindings = self.module.bindings(node) or []
            only = bindings[0] if len(bindings) == 1 else None
            return only if isinstance(only, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) else None
        if not isinstance(node, ast.Attribute) or not self._is_defined(node.attr):
            return None
        owner = self.classes.owner(node)
        if owner is not None:
            return self.classes.method(owner, node.attr)
        if self._is_super(node.value):
            owner = self._around(node)
            return self.classes.method(owner, node.attr, above=True) if owner else None
        named = self.definition(node.value) if isinstance(node.value, ast.Name) else None
        if isinstance(named, ast.ClassDef):
            return self.classes.method(named, node.attr)
        of = self.type(node.value)
        return self.classes.method(of.cls, node.attr) if of and of.cls else None


def _is_stored(node: ast.expr) -> bool:
    return isinstance(getattr(node, "ctx", None), ast.Store)
