"""One parsed file, and all that rules may ask of it.

One walk over the tree collects the nodes by type and their parents; names (`scopes`), classes (`classes`) and types
(`inference`) are worked out when they are asked for, so a file pays only for what its rules want to know.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar, overload

from .classes import Classes
from .inference import Inference
from .knowledge.names import OTHER_LOOPS
from .scopes import BUILTINS, FIELDS, FUNCTIONS, SCOPES, Definition, Scopes, imports, inside
from .settings import NONE, Settings

if TYPE_CHECKING:
    from .facts import View
    from .rule import FunctionDef
    from .types import Type

NodeT = TypeVar("NodeT", bound=ast.AST)
OtherT = TypeVar("OtherT", bound=ast.AST)
AnalysisT = TypeVar("AnalysisT")

# The scopes that run by themselves: a class body, and a comprehension, run as a part of what is around them.
RUN = (*FUNCTIONS, ast.Module)


class Module:
    """A file's tree with the questions rules ask. The tree itself is never changed.

    `text` is the source that the tree was parsed from; `path` is for messages and may be empty; `settings` is what
    the project says of itself, and `project` answers for its other files (None: nothing is asked of them).
    """

    def __init__(
        self,
        tree: ast.Module,
        text: str = "",
        path: str = "",
        settings: Settings = NONE,
        project: View | None = None,
    ) -> None:
        self.tree = tree
        self.text = text
        self.path = path
        self.settings = settings
        self.project = project
        self.parents: dict[ast.AST, ast.AST] = {}
        self._nodes: dict[type[ast.AST], list[ast.AST]] = {}
        self._around: dict[ast.AST, ast.AST] = {}
        self._index()
        self._scopes = Scopes(tree, self.parents, self._nodes, self._around)
        self._classes = Classes(self)
        self._inference = Inference(self, self._scopes, self._classes)
        self._spelled: dict[str, list[ast.Name]] | None = None
        self._attributes: dict[str, list[ast.Attribute]] | None = None
        self._variables: dict[str, dict[ast.AST | None, list[ast.Name]]] = {}
        self._generators: set[ast.AST | None] | None = None
        self._returns: dict[ast.AST | None, list[ast.Return]] | None = None
        self._packages: frozenset[str] | None = None
        self._analyses: dict[Callable[[Module], Any], Any] = {}

    @classmethod
    def parse(cls, text: str, path: str = "", settings: Settings = NONE, project: View | None = None) -> Module:
        """Parse a file's text. Raises SyntaxError or (null bytes, on some Pythons) ValueError."""
        return cls(ast.parse(text), text, path, settings, project)

    def beside(self, project: View | None) -> Module:
        """The same file, asked anew with what other files answer."""
        again = Module(self.tree, self.text, self.path, self.settings, project)
        again.look_through(self._scopes.meaning)
        return again

    def look_through(self, meaning: Callable[[str], str] | None) -> None:
        """From now on, take `meaning(name)` for every qualified name: what files that only hand it on imported.

        Before anything is asked: what has been worked out stays.
        """
        self._scopes.meaning = meaning

    def meant(self, qualified: str) -> str:
        """What a qualified name stands for: itself, if nothing else is known (see `look_through`)."""
        return self._scopes.meant(qualified)

    def release(self) -> None:
        """Let go of everything: nothing may be asked any more.

        What is kept here refers back to the module, and containers to the inference that asks them; so all would lie
        about until a collector has gone through the nodes. After this, it is gone as soon as nobody holds the module.
        """
        for kept in (self._inference, self):
            vars(kept).clear()

    def _index(self) -> None:
        nodes, parents, around = self._nodes, self.parents, self._around
        around[self.tree] = self.tree
        todo: list[ast.AST] = [self.tree]
        pop, push = todo.pop, todo.append
        while todo:
            node = pop()
            kind = type(node)
            if kind in nodes:
                nodes[kind].append(node)
            else:
                nodes[kind] = [node]
            fields = FIELDS[kind]
            if not fields:
                continue
            scope = around[node]
            for field in fields:
                value = getattr(node, field, None)
                if value is None:
                    continue
                if isinstance(value, list):
                    for child in value:
                        if isinstance(child, ast.AST):
                            parents[child] = node
                            around[child] = scope
                            push(child)
                elif isinstance(value, ast.AST):
                    parents[value] = node
                    around[value] = scope
                    push(value)
            if kind in SCOPES:
                for child in inside(node):
                    around[child] = node
            elif kind is ast.comprehension:
                self._begin_outside(node)

    def _begin_outside(self, loop: Any) -> None:
        """What the first loop of a comprehension takes its items from is evaluated around that."""
        comprehension: Any = self.parents[loop]
        if comprehension.generators[0] is loop:
            self._around[loop.iter] = self._around[comprehension]

    @overload
    def nodes(self, kind: type[NodeT], /) -> list[NodeT]: ...

    @overload
    def nodes(self, kind: type[NodeT], other: type[OtherT], /) -> list[NodeT | OtherT]: ...

    @overload
    def nodes(self, *kinds: type[ast.AST]) -> list[Any]: ...

    def nodes(self, *kinds: type[ast.AST]) -> list[Any]:
        """The nodes of these exact types, in no particular order."""
        if len(kinds) == 1:  # nobody changes it
            return self._nodes.get(kinds[0], [])
        return [node for kind in kinds for node in self._nodes.get(kind, ())]

    def parent(self, node: ast.AST) -> ast.AST | None:
        """The node right around `node`."""
        return self.parents.get(node)

    def ancestors(self, node: ast.AST, below: ast.AST | None = None) -> Iterator[ast.AST]:
        """The nodes around `node`, inmost first: all, or those below another that is around it."""
        while (around := self.parents.get(node)) is not None and around is not below:
            yield around
            node = around

    def statement(self, node: ast.AST) -> ast.stmt:
        """The inmost statement that `node` is, or is a part of. LookupError for the module itself."""
        while not isinstance(node, ast.stmt):
            node = self.parents[node]
        return node

    def block(self, statement: ast.stmt) -> list[ast.stmt]:
        """The list of statements that a statement stands in."""
        parent = self.parents[statement]
        for field in ("body", "orelse", "finalbody"):
            block = getattr(parent, field, None)
            if isinstance(block, list) and any(s is statement for s in block):
                return block
        raise LookupError(statement)

    def above(self, node: ast.AST) -> list[ast.stmt]:
        """The statements that stand before one in its block; of what is no statement: none."""
        block = self.block(node) if isinstance(node, ast.stmt) else []
        return block[: next((at for at, other in enumerate(block) if other is node), 0)]

    def function(self, node: ast.AST) -> FunctionDef | ast.Lambda | None:
        """The function in whose body `node` is evaluated; None: the module's or a class's top level.

        Decorators, defaults, annotations and base classes are evaluated outside of what they belong to.
        A class body, and a comprehension, run as a part of the function around them.
        """
        scope = self._scopes.around(node)
        while not isinstance(scope, RUN):
            scope = self._scopes.around(scope)
        return None if isinstance(scope, ast.Module) else scope

    def is_generator(self, function: ast.AST) -> bool:
        """Is this function a generator (plain or async)?"""
        if self._generators is None:
            self._generators = {self.function(node) for node in self.nodes(ast.Yield, ast.YieldFrom)}
        return function in self._generators and not isinstance(function, ast.Lambda)

    def returns(self, function: ast.AST) -> list[ast.Return]:
        """The `return` statements of a function itself, in the order of the code."""
        if self._returns is None:
            self._returns = {}
            for node in sorted(self.nodes(ast.Return), key=lambda node: (node.lineno, node.col_offset)):
                self._returns.setdefault(self.function(node), []).append(node)
        return self._returns.get(function, [])

    def coroutine(self, node: ast.AST) -> ast.AsyncFunctionDef | None:
        """The `async def` in whose body `node` is evaluated, if that is one."""
        function = self.function(node)
        return function if isinstance(function, ast.AsyncFunctionDef) else None

    def class_of(self, function: ast.AST) -> ast.ClassDef | None:
        """The class that has this function as a method."""
        scope = self._scopes.around(function)
        return scope if isinstance(scope, ast.ClassDef) else None

    def name(self, node: ast.AST) -> str | None:
        """The qualified name of an expression: `aio.sleep` → `"asyncio.sleep"`; None: unknown.

        Built-ins are `"builtins.open"`; what a relative import brings begins with its dots; what the file
        itself defines has no qualified name (see `definition`).
        """
        return self._scopes.name(node)

    def likely(self, node: ast.AST) -> str | None:
        """The same, for what keeps a rule silent: a name of a built-in is that, unless the file binds it.

        (A star import may have brought another, for which `name` knows of none.)
        """
        if isinstance(node, ast.Name) and node.id in BUILTINS and self.bindings(node) is None:
            return f"builtins.{node.id}"
        return self.name(node)

    def name_at(self, node: ast.AST, at: ast.AST) -> str | None:
        """The qualified name of an expression that is not in the tree (a string annotation's), seen from `at`."""
        return self._scopes.name(node, at)

    def decorator(self, decorator: ast.expr) -> str | None:
        """The qualified name of a decorator, or of what is called to make it."""
        return self.name(decorator.func if isinstance(decorator, ast.Call) else decorator)

    def value(self, target: ast.AST) -> ast.expr | None:
        """The value that a plain assignment gives this target; None: it is no target, or of another kind."""
        return self._scopes.value(target)

    def given(self, target: ast.expr) -> ast.expr | None:
        """The same, also for one of several targets: `x, y = 1, 2`."""
        several = self.parent(target)
        match several, self.parent(several) if several else None:
            case ast.Tuple(elts=targets), ast.Assign(value=ast.Tuple(elts=values)):
                if len(targets) == len(values) and not any(isinstance(e, ast.Starred) for e in targets + values):
                    return next(value for one, value in zip(targets, values, strict=True) if one is target)
        return self.value(target)

    def only_value(self, name: ast.expr) -> ast.expr | None:
        """The value of a variable that is bound once, to that; None: it is bound otherwise, or no variable."""
        bindings = self.bindings(name) if isinstance(name, ast.Name) else None
        return self.value(bindings[0]) if bindings and len(bindings) == 1 else None

    def default(self, argument: ast.arg) -> ast.expr | None:
        """The default value of a parameter."""
        return self._inference.default(argument)

    def definition(self, node: ast.AST) -> Definition | None:
        """The function or class of this file that an expression names: `f`, `self.method`, `instance.method`.

        None when it is none, when it may be another at another time, or when a subclass in this file
        overrides it.
        """
        return self._inference.definition(node)

    def top_level(self, name: str) -> list[tuple[ast.AST, str | None]]:
        """What binds a name at the top of the file: nodes, each with the qualified name that it imports."""
        return [(binding.node, binding.qualified) for binding in self._scopes.lookup(name, self.tree) or ()]

    def bound(self) -> list[str]:
        """The names that are bound at the top of the file."""
        return self._scopes.bound(self.tree)

    def member(self, cls: ast.ClassDef, name: str) -> list[ast.AST]:
        """What binds a name in the body of a class: only a definition that stands right in it is certain."""
        return self._classes.own(cls).get(name, [])

    def members(self, cls: ast.ClassDef) -> list[str]:
        """The names that the body of a class binds, and the attributes that its methods set."""
        return list(dict.fromkeys([*self._scopes.bound(cls), *self._classes.set_by(cls)]))

    def result(self, function: FunctionDef) -> Type | None:
        """What a function returns, or what awaiting a call of it does; None: unknown."""
        return self._inference.returned(function)

    def sets(self, cls: ast.ClassDef, name: str) -> bool:
        """Do the methods of a class set an attribute of this name?"""
        return any(not isinstance(store, ast.Name) for store in self._classes.assignments(cls, name))

    def type(self, node: ast.AST) -> Type | None:
        """All that is known of what an expression, or a node that binds a name, is an instance of."""
        return self._inference.type(node)

    def type_of(self, node: ast.AST) -> str | None:
        """The qualified type of an expression, `"asyncio.Lock"`; None: unknown."""
        return self._inference.type_of(node)

    def attribute(self, cls: ast.ClassDef, name: str) -> Type | None:
        """What is known of an attribute of the instances of a class of this file."""
        return self._inference.attribute(cls, name)

    def instance_of(self, node: ast.AST) -> ast.ClassDef | None:
        """The class of this file that an expression is an instance of, or of a subclass of; None: unknown."""
        found = self._inference.type(node)
        return found.cls if found else None

    def callee(self, call: ast.Call) -> str | None:
        """The qualified name of what is called: `"time.sleep"`, `"asyncio.AbstractEventLoop.call_soon"`.

        A method's name is its receiver's type and its own. None for what this file defines (see `definition`), a method
        of a class of this file included, unless that inherits it from one class from elsewhere.
        """
        return self._inference.callee(call)

    def likely_callee(self, call: ast.Call) -> str | None:
        """The same, for what keeps a rule silent (see `likely`)."""
        return self.callee(call) or self.likely(call.func)

    def bindings(self, name: ast.Name | ast.Attribute) -> list[ast.AST] | None:
        """Each node that binds the variable that `name` stands for; None: not bound in this file.

        Of an attribute of `self`, too.
        """
        if isinstance(name, ast.Attribute):
            owner = self._classes.owner(name)
            return (self._classes.assignments(owner, name.attr) or None) if owner else None
        found = self._scopes.lookup(name.id, name)
        return None if found is None else [binding.node for binding in found]

    def assignments(self, attribute: ast.Attribute) -> list[ast.AST] | None:
        """The targets by which this file sets an attribute of `self`, seen from any method of its class.

        None: it is no such attribute; it may be more than a plain one (a property, a method); or a base class
        from elsewhere may have its own idea of it.
        """
        return self._classes.plain_assignments(attribute)

    def uses(self, name: ast.Name) -> list[ast.Name]:
        """Every Name in the file that stands for the same variable as `name`, itself included."""
        if name.id not in self._variables:
            variables = self._variables[name.id] = dict[ast.AST | None, list[ast.Name]]()
            for one in self.spelled(name.id):
                variables.setdefault(self._home(one), []).append(one)
        return self._variables[name.id].get(self._home(name), [])

    def _home(self, name: ast.Name) -> ast.AST | None:
        """The node of the scope that a variable belongs to."""
        home = self._scopes.home(name.id, name)
        return home.node if home else None

    def spelled(self, identifier: str) -> list[ast.Name]:
        """Every Name in the file that is spelled so, whatever it stands for."""
        if self._spelled is None:
            self._spelled = {}
            for name in self.nodes(ast.Name):
                self._spelled.setdefault(name.id, []).append(name)
        return self._spelled.get(identifier, [])

    def attributes(self, name: str) -> list[ast.Attribute]:
        """Every Attribute of this name in the file, whatever it is one of."""
        if self._attributes is None:
            self._attributes = {}
            for attribute in self.nodes(ast.Attribute):
                self._attributes.setdefault(attribute.attr, []).append(attribute)
        return self._attributes.get(name, [])

    def declarations(self, name: ast.Name) -> list[ast.Global | ast.Nonlocal]:
        """Every `global` and `nonlocal` statement that speaks of the variable that `name` stands for."""
        home = self._scopes.home(name.id, name)
        return [
            statement
            for statement in self.nodes(ast.Global, ast.Nonlocal)
            if name.id in statement.names and self._scopes.home(name.id, statement) is home
        ]

    def owner(self, attribute: ast.Attribute) -> ast.ClassDef | None:
        """The class whose instance (or which itself) `self` is in `self.x`; None: unknown."""
        return self._classes.owner(attribute)

    def bases(self, cls: ast.ClassDef) -> list[ast.ClassDef | None]:
        """A class and those it inherits from; None among them stands for one from another file."""
        return list(self._classes.bases(cls))

    def subclasses(self, cls: ast.ClassDef) -> list[ast.ClassDef]:
        """The classes of this file that inherit from a class."""
        return self._classes.subclasses(cls)

    def method(self, cls: ast.ClassDef, name: str) -> Definition | None:
        """What `name` of an instance of exactly this class is; None: unknown, or not of this file."""
        return self._classes.method(cls, name, exactly=True)

    def visible(self, identifier: str, at: ast.AST) -> bool:
        """Does `identifier` mean anything where `at` stands (other than a built-in)?"""
        return self._scopes.lookup(identifier, at) is not None

    def reaches(self, name: ast.Name, at: ast.AST) -> bool:
        """Does this name mean the same variable where `at` stands?"""
        home = self._scopes.home(name.id, name)
        return home is not None and home is self._scopes.home(name.id, at)

    def spelling(self, qualified: str, at: ast.AST) -> str | None:
        """How code at `at` may spell a qualified name with the imports that the file has; None: it cannot."""
        return self._scopes.spelling(qualified, at)

    def packages(self) -> frozenset[str]:
        """The top-level packages that anything in the file is imported from."""
        if self._packages is None:
            statements = self.nodes(ast.Import, ast.ImportFrom)
            qualified = (name for statement in statements for _, _, name in imports(statement))
            self._packages = frozenset(name.partition(".")[0] for name in qualified)
        return self._packages

    def other_loop(self) -> str | None:
        """The library whose event loop the file uses instead of asyncio's, as imports and marks of tests show."""
        imported = self.packages()
        if "asyncio" in imported:
            return None
        found = imported & OTHER_LOOPS
        if not found and "pytest" in imported:
            marks = (mark for library in OTHER_LOOPS for mark in self.attributes(library))
            found = frozenset(mark.attr for mark in marks if self.name(mark) == f"pytest.mark.{mark.attr}")
        return next(iter(sorted(found)), None)

    def provide(self, kind: Callable[[Module], AnalysisT], made: AnalysisT) -> None:
        """Have `analysis` give this, which was made together with that of other files."""
        self._analyses[kind] = made

    def analysis(self, kind: Callable[[Module], AnalysisT]) -> AnalysisT:
        """A view of the whole file that several rules share, made when it is first asked for."""
        if kind not in self._analyses:
            self._analyses[kind] = kind(self)
        return self._analyses[kind]  # type: ignore[no-any-return]  # made by `kind` right above
