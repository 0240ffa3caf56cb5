"""What names mean: Python's scoping rules, statically.

A name has a list of bindings in the scope it belongs to. Where they do not agree (`try: import a as x …
except ImportError: import b as x`), or a star import may have changed it, the answer is "unknown".
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from .knowledge.names import canonical

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
SCOPES = frozenset((ast.Module, ast.ClassDef, *FUNCTIONS, *COMPREHENSIONS))
Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

BUILTINS = frozenset(dir(builtins))
# Aliases of aliases are followed so far; deeper ones are unknown.
ALIAS_DEPTH = 8
# Fields that hold no nodes a question is asked of; everything else is walked.
LEAVES = frozenset({"ctx", "op", "ops", "type_comment", "kind"})


def _node_fields(kind: type[ast.AST]) -> tuple[str, ...]:
    if kind in (ast.Name, ast.Constant, ast.alias, ast.Global, ast.Nonlocal):
        return ()
    return tuple(field for field in kind._fields if field not in LEAVES)


FIELDS = {
    kind: _node_fields(kind) for kind in vars(ast).values() if isinstance(kind, type) and issubclass(kind, ast.AST)
}


def children(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes right below `node`, in source order but for decorators and the like."""
    for field in FIELDS[type(node)]:
        value = getattr(node, field, None)
        if isinstance(value, ast.AST):
            yield value
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, ast.AST):
                    yield item


class Binding(NamedTuple):
    """One place that gives a name a meaning.

    `node` is an import's alias, a definition, a parameter, a Name that is stored, a handler or a pattern.
    `qualified` is what an import brings; None for everything else.
    """

    node: ast.AST
    qualified: str | None = None


class Scope:
    """The names that one scope binds, and those it declares to be another's."""

    __slots__ = ("bindings", "declared", "node", "star")

    def __init__(self, node: ast.AST) -> None:
        self.node = node
        self.bindings: dict[str, list[Binding]] = {}
        self.declared: dict[str, type[ast.AST]] = {}
        self.star = False

    def bind(self, name: str, node: ast.AST, qualified: str | None = None) -> None:
        """Note one more binding of a name."""
        self.bindings.setdefault(name, []).append(Binding(node, qualified))


class Scopes:
    """All scopes of a tree, each worked out when it is first asked for."""

    def __init__(
        self, tree: ast.Module, parents: dict[ast.AST, ast.AST], nodes: dict[type[ast.AST], list[ast.AST]]
    ) -> None:
        self.tree = tree
        self.parents = parents
        self.nodes = nodes
        self._scopes: dict[ast.AST, Scope] = {}

    def around(self, node: ast.AST) -> ast.AST:
        """The node of the scope in which `node` is evaluated; the module's for the module itself."""
        came_from: ast.AST | None = None
        while (parent := self.parents.get(node)) is not None:
            if type(parent) in SCOPES and _inside(parent, node, came_from):
                return parent
            came_from, node = node, parent
        return self.tree

    def lookup(self, name: str, at: ast.AST) -> list[Binding] | None:
        """The bindings of `name` as seen from `at`; None: bound nowhere in this file."""
        home = self.home(name, at)
        return home.bindings.get(name) if home else None

    def home(self, name: str, at: ast.AST) -> Scope | None:
        """The scope that `name`, seen from `at`, belongs to; None: a built-in, or unknown."""
        start = node = self.around(at)
        while True:
            scope = self._scope(node)
            visible = node is start or not isinstance(node, ast.ClassDef)
            declared = scope.declared.get(name) if visible else None
            if declared is ast.Global:
                module = self._scope(self.tree)
                return module if name in module.bindings else None
            if visible and declared is None and name in scope.bindings:
                return scope
            if node is self.tree:
                return None
            node = self.around(node)

    def name(self, node: ast.AST, at: ast.AST | None = None, depth: int = 0) -> str | None:
        """The qualified name of a dotted expression, as seen from `at` (else from itself); None: unknown."""
        attributes: list[str] = []
        while isinstance(node, ast.Attribute):
            attributes.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        base = self._named(node.id, at or node, depth)
        if base is None or not attributes:
            return base
        return canonical(".".join((base, *reversed(attributes))))

    def _named(self, name: str, at: ast.AST, depth: int) -> str | None:
        found = self.lookup(name, at)
        if found is None:
            star = self._scope(self.tree).star
            return f"builtins.{name}" if name in BUILTINS and not star else None
        names = {self._bound(binding, depth) for binding in found if not self._is_none(binding.node)}
        return names.pop() if len(names) == 1 else None

    def _bound(self, binding: Binding, depth: int) -> str | None:
        if binding.qualified is not None or depth == ALIAS_DEPTH:
            return binding.qualified
        value = self.value(binding.node)
        return None if value is None else self.name(value, depth=depth + 1)

    def value(self, node: ast.AST) -> ast.expr | None:
        """The value that a plain assignment (`x = value`, `x: T = value`, `(x := value)`) gives a Name."""
        match self.parents.get(node):
            case ast.Assign(targets=targets, value=value) if any(t is node for t in targets):
                return value
            case ast.AnnAssign(target=target, value=value) if target is node:
                return value
            case ast.NamedExpr(target=target, value=value) if target is node:
                return value
        return None

    def _is_none(self, node: ast.AST) -> bool:
        """`x = None`, which a later import or assignment fills, or which stands for a missing one."""
        value = self.value(node)
        return isinstance(value, ast.Constant) and value.value is None

    def spelling(self, qualified: str, at: ast.AST) -> str | None:
        """How code at `at` may write `qualified` with the imports that are there; None: in no way."""
        wanted = [qualified]
        module, _, attribute = qualified.rpartition(".")
        if module:
            wanted.append(module)
        for target in wanted:
            suffix = f".{attribute}" if target == module else ""
            for local in sorted(self._importable(target, at)):
                return local + suffix
        return None

    def _importable(self, target: str, at: ast.AST) -> Iterator[str]:
        """The local names that surely mean `target` when code at `at` runs."""
        statements = [s for kind in (ast.Import, ast.ImportFrom) for s in self.nodes.get(kind, ())]
        for imported in statements:
            assert isinstance(imported, (ast.Import, ast.ImportFrom))
            for local, alias, name in imports(imported):
                found = self.lookup(local, at) if name == target else None
                if found is not None and len(found) == 1 and found[0].node is alias and self._ran(imported, at):
                    yield local

    def _ran(self, imported: ast.stmt, at: ast.AST) -> bool:
        """Has this import surely run when code at `at` runs?"""
        block = self.parents[imported]
        if block is self.tree:
            return self.around(at) is not self.tree or imported.lineno < at.lineno  # type: ignore[attr-defined]  # placed nodes only
        if isinstance(block, FUNCTIONS):
            return self.around(at) is not block or imported.lineno < at.lineno  # type: ignore[attr-defined]  # placed nodes only
        if isinstance(block, ast.Try):  # `try: import x except ImportError: …` at the top, bound only there
            return self.parents.get(block) is self.tree and any(s is imported for s in block.body)
        return False  # under an `if`: TYPE_CHECKING, a version, a platform

    def _scope(self, node: ast.AST) -> Scope:
        scope = self._scopes.get(node)
        if scope is None:
            scope = self._scopes[node] = self._build(node)
        return scope

    def _build(self, node: ast.AST) -> Scope:
        scope = Scope(node)
        todo: list[ast.AST] = []
        if isinstance(node, FUNCTIONS):
            for argument in _arguments(node.args):
                scope.bind(argument.arg, argument)
            todo += [node.body] if isinstance(node, ast.Lambda) else node.body
            for parameter in getattr(node, "type_params", ()):  # Python 3.12
                scope.bind(parameter.name, parameter)
        elif isinstance(node, COMPREHENSIONS):
            todo += children(node)
        else:
            todo += node.body  # type: ignore[attr-defined]  # Module and ClassDef
            for parameter in getattr(node, "type_params", ()):
                scope.bind(parameter.name, parameter)
        while todo:
            current = todo.pop()
            self._collect(current, scope)
            for child in children(current):
                if type(current) not in SCOPES or not _inside(current, child, None):
                    todo.append(child)
                elif isinstance(current, COMPREHENSIONS):
                    # Only walrus targets of a comprehension belong to the scope around it.
                    todo += self._walruses(current)
                    break
        for name in scope.declared:
            scope.bindings.pop(name, None)
        self._adopt(scope)
        return scope

    def _collect(self, node: ast.AST, scope: Scope) -> None:
        match node:
            case ast.Name(ctx=ast.Store()):
                if not (isinstance(scope.node, COMPREHENSIONS) and isinstance(self.parents[node], ast.NamedExpr)):
                    scope.bind(node.id, node)
            case ast.Import() | ast.ImportFrom():
                for local, alias, qualified in imports(node):
                    if local == "*":
                        scope.star = True
                    else:
                        scope.bind(local, alias, qualified)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                scope.bind(node.name, node)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                scope.bind(name, node)
            case ast.MatchMapping(rest=str(name)):
                scope.bind(name, node)
            case ast.Global() | ast.Nonlocal():
                scope.declared.update(dict.fromkeys(node.names, type(node)))

    def _walruses(self, comprehension: ast.AST) -> Iterator[ast.AST]:
        todo = list(children(comprehension))
        while todo:
            node = todo.pop()
            if isinstance(node, ast.NamedExpr):
                yield node.target
            if not isinstance(node, ast.Lambda):
                todo += children(node)

    def _adopt(self, scope: Scope) -> None:
        """Add what functions inside bind here by `global` and `nonlocal`."""
        kind = ast.Global if scope.node is self.tree else ast.Nonlocal
        for statement in self.nodes.get(kind, ()):
            assert isinstance(statement, (ast.Global, ast.Nonlocal))
            inner = self.around(statement)
            if inner is scope.node:
                continue
            for name in statement.names:
                if kind is ast.Global or (self._owner(name, inner) is scope.node and name in scope.bindings):
                    for node in self._stores(name, inner):
                        scope.bindings.setdefault(name, []).append(node)

    def _owner(self, name: str, inner: ast.AST) -> ast.AST | None:
        """The function whose variable a `nonlocal` in `inner` means."""
        node = self.around(inner)
        while node is not self.tree:
            if isinstance(node, FUNCTIONS):
                # Built without adoption: only what the function binds by itself makes it the owner.
                own = Scope(node)
                own.bindings = {argument.arg: [] for argument in _arguments(node.args)}
                if name in own.bindings or any(True for _ in self._stores(name, node)):
                    declared = any(
                        name in s.names and self.around(s) is node
                        for s in self.nodes.get(ast.Nonlocal, ())
                        if isinstance(s, ast.Nonlocal)
                    )
                    if not declared:
                        return node
            node = self.around(node)
        return None

    def _stores(self, name: str, scope_node: ast.AST) -> Iterator[Binding]:
        """Where the body of one scope gives `name` a meaning, whoever owns it."""
        probe = Scope(scope_node)
        todo: list[ast.AST] = list(getattr(scope_node, "body", ()))
        while todo:
            current = todo.pop()
            self._collect(current, probe)
            todo += [c for c in children(current) if type(current) not in SCOPES or not _inside(current, c, None)]
        yield from probe.bindings.get(name, ())


def imports(statement: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, ast.alias, str]]:
    """What an import statement binds: local name (`*` for a star), its alias node, the qualified name."""
    for alias in statement.names:
        if isinstance(statement, ast.Import):
            top = alias.name.partition(".")[0]
            yield alias.asname or top, alias, canonical(alias.name) if alias.asname else top
        else:
            module = "." * statement.level + (statement.module or "")
            dot = "" if module.endswith(".") else "."
            yield alias.asname or alias.name, alias, canonical(f"{module}{dot}{alias.name}")


def _arguments(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from arguments.posonlyargs
    yield from arguments.args
    if arguments.vararg:
        yield arguments.vararg
    yield from arguments.kwonlyargs
    if arguments.kwarg:
        yield arguments.kwarg


def _inside(scope: ast.AST, child: ast.AST, grandchild: ast.AST | None) -> bool:
    """Is `child`, right below a scope's node, evaluated inside that scope?

    `grandchild` is the node below `child` that the question came from, if any.
    """
    if isinstance(scope, ast.Module):
        return True
    if isinstance(scope, ast.Lambda):
        return child is scope.body
    if isinstance(scope, COMPREHENSIONS):
        first = scope.generators[0]
        return child is not first or grandchild is not first.iter
    return isinstance(child, ast.stmt)
