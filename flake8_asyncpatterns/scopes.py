"""What names mean: Python's scoping rules, statically.

A name has a list of bindings in the scope it belongs to. Where they do not agree (`try: import a as x …
except ImportError: import b as x`), or a star import may have changed it, the answer is "unknown".
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from .knowledge.names import WHOLE_PACKAGES, canonical
from .tuples import NamedTuple

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
TYPE_PARAMETERS: tuple[type[ast.AST], ...] = tuple(
    kind for kind in (getattr(ast, name, None) for name in ("TypeVar", "ParamSpec", "TypeVarTuple")) if kind
)
# What binds names. (Deleting does not: what was bound may be bound still.)
BINDING_KINDS = (
    ast.Name, ast.arg, ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef,
    ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.MatchMapping, *TYPE_PARAMETERS, ast.Global, ast.Nonlocal,
)  # fmt: skip
SCOPES = frozenset((ast.Module, ast.ClassDef, *FUNCTIONS, *COMPREHENSIONS))
Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

BUILTINS = frozenset(dir(builtins))
# A name that nothing binds is an error; but snippets, as articles and answers print them, leave out this import.
SNIPPET_MODULE = "asyncio"
# Aliases of aliases are followed so far; deeper ones are unknown.
ALIAS_DEPTH = 32
# Fields that hold no nodes, or none that a question is asked of; everything else is walked.
LEAVES = frozenset({
    "ctx", "op", "ops", "type_comment", "kind", "attr", "arg", "asname", "module", "level", "simple", "is_async",
    "conversion", "rest", "kwd_attrs",
})  # fmt: skip


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

    __slots__ = ("bindings", "declared", "node")

    def __init__(self, node: ast.AST) -> None:
        self.node = node
        self.bindings: dict[str, list[Binding]] = {}
        self.declared: dict[str, type[ast.AST]] = {}

    def bind(self, name: str, node: ast.AST, qualified: str | None = None) -> None:
        """Note one more binding of a name."""
        self.bindings.setdefault(name, []).append(Binding(node, qualified))


class Scopes:
    """All scopes of a tree, worked out when the first name is asked for."""

    def __init__(
        self,
        tree: ast.Module,
        parents: dict[ast.AST, ast.AST],
        nodes: dict[type[ast.AST], list[ast.AST]],
        around: dict[ast.AST, ast.AST],
    ) -> None:
        self.tree = tree
        self.parents = parents
        self.nodes = nodes
        self.star = False
        # What a qualified name stands for, where somebody knows the files that it leads through.
        self.meaning: Callable[[str], str] | None = None
        self._scopes: dict[ast.AST, Scope] | None = None
        self._names: dict[tuple[ast.AST, str], str | None] = {}
        self._attributes: dict[ast.Attribute, str | None] = {}
        self._seen: dict[tuple[ast.AST, str], str | None] = {}
        self._homes: dict[tuple[ast.AST, str], Scope | None] = {}
        self._following: set[tuple[ast.AST, str]] = set()
        self._around = around

    def around(self, node: ast.AST) -> ast.AST:
        """The node of the scope in which `node` is evaluated; the module's for the module itself."""
        return self._around.get(node, self.tree)

    def lookup(self, name: str, at: ast.AST) -> list[Binding] | None:
        """The bindings of `name` as seen from `at`; None: bound nowhere in this file."""
        home = self.home(name, at)
        return home.bindings.get(name) if home else None

    def home(self, name: str, at: ast.AST) -> Scope | None:
        """The scope that `name`, seen from `at`, belongs to; None: a built-in, or unknown."""
        start = self._around.get(at, self.tree)
        seen = (start, name)
        if seen not in self._homes:
            self._homes[seen] = self._home(name, start)
        return self._homes[seen]

    def _home(self, name: str, start: ast.AST) -> Scope | None:
        node = start
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
            node = self._around[node]

    def bound(self, node: ast.AST) -> list[str]:
        """The names that the scope of a module, a function or a class binds."""
        return list(self._scope(node).bindings)

    def name(self, node: ast.AST, at: ast.AST | None = None) -> str | None:
        """The qualified name of a dotted expression, as seen from `at` (else from itself); None: unknown."""
        if isinstance(node, ast.Name):
            return self._named(node.id, at or node)
        if not isinstance(node, ast.Attribute):
            return None
        if at is not None or self._following:  # seen from elsewhere, or while something of it is yet unknown
            return self._dotted(node, at)
        if node not in self._attributes:
            self._attributes[node] = self._dotted(node, None)
        return self._attributes[node]

    def _dotted(self, attribute: ast.Attribute, at: ast.AST | None) -> str | None:
        attributes = [attribute.attr]
        node = attribute.value
        while isinstance(node, ast.Attribute):
            attributes.append(node.attr)
            node = node.value
        base = self._named(node.id, at or node) if isinstance(node, ast.Name) else None
        return self.meant(canonical(".".join((base, *reversed(attributes))))) if base is not None else None

    def meant(self, qualified: str) -> str:
        """What a qualified name stands for: mostly itself."""
        return self.meaning(qualified) if self.meaning else qualified

    def _named(self, name: str, at: ast.AST) -> str | None:
        if self._following:  # something is yet unknown
            return self._seen_from(name, at)
        seen = (self._around.get(at, self.tree), name)
        if seen not in self._seen:
            self._seen[seen] = self._seen_from(name, at)
        return self._seen[seen]

    def _seen_from(self, name: str, at: ast.AST) -> str | None:
        home = self.home(name, at)
        if home is None:
            if self.star:
                return None
            return f"builtins.{name}" if name in BUILTINS else name if name == SNIPPET_MODULE else None
        variable = (home.node, name)
        if variable not in self._names and len(self._following) < ALIAS_DEPTH and variable not in self._following:
            # Each variable once: where many stand for each other, there are very many ways through them.
            self._following.add(variable)
            names = {self._bound(binding) for binding in home.bindings[name] if not self._is_none(binding.node)}
            self._names[variable] = names.pop() if len(names) == 1 else None
            self._following.remove(variable)
        return self._names.get(variable)

    def _bound(self, binding: Binding) -> str | None:
        if binding.qualified is not None:
            return self.meant(binding.qualified)
        value = self.value(binding.node)
        return None if value is None else self.name(value)

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
        module, _, _ = qualified.rpartition(".")
        if module:
            wanted.append(module)
        if (package := qualified.partition(".")[0]) in WHOLE_PACKAGES:
            wanted.append(package)
        for target in wanted:
            for local in sorted(self._importable(target, at)):
                return local + qualified[len(target) :]
        return None

    def _importable(self, target: str, at: ast.AST) -> Iterator[str]:
        """The local names that surely mean `target` when code at `at` runs."""
        statements = [s for kind in (ast.Import, ast.ImportFrom) for s in self.nodes.get(kind, ())]
        for imported in statements:
            assert isinstance(imported, (ast.Import, ast.ImportFrom))
            for local, alias, name in imports(imported):
                found = (self.lookup(local, at) or ()) if self.meant(name) == target else ()
                # `import a` and `import a.b` bind the same name to the same module.
                same = all(binding.qualified and self.meant(binding.qualified) == target for binding in found)
                mine = any(binding.node is alias for binding in found)
                if same and mine and not self._is_deleted(local) and self._ran(imported, at):
                    yield local

    def _is_deleted(self, name: str) -> bool:
        """Is there a `del` of this name anywhere?"""
        names = self.nodes.get(ast.Name, ())
        return any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Del) for n in names)

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
        if self._scopes is None:
            self._scopes = {}
            self._collect(self._scopes)
            self._give_back(self._scopes)
        return self._scopes.get(node) or Scope(node)

    def _collect(self, scopes: dict[ast.AST, Scope]) -> None:
        """Note every binding in the scope it stands in, whoever it belongs to."""

        def scope(node: ast.AST) -> Scope:
            if node not in scopes:
                scopes[node] = Scope(node)
            return scopes[node]

        for kind in BINDING_KINDS:
            for node in self.nodes.get(kind, ()) if kind is not ast.Name else self._stored():
                match node:
                    case ast.Name(id=name):
                        scope(self._stored_in(node)).bind(name, node)
                    case ast.arg(arg=name):
                        # Its parent is the `arguments` of the function that it belongs to.
                        scope(self.parents[self.parents[node]]).bind(name, node)
                    case ast.Import() | ast.ImportFrom():
                        for local, alias, qualified in imports(node):
                            self.star = self.star or local == "*"
                            scope(self.around(node)).bind(local, alias, qualified)
                    case ast.Global(names=names) | ast.Nonlocal(names=names):
                        scope(self.around(node)).declared.update(dict.fromkeys(names, kind))
                    case ast.MatchMapping(rest=str(name)):
                        scope(self.around(node)).bind(name, node)
                    case _:
                        named: str | None = getattr(node, "name", None)
                        # A type parameter (Python 3.12) is seen inside of what it stands on.
                        around = self.parents[node] if kind in TYPE_PARAMETERS else self.around(node)
                        if named is not None:
                            scope(around).bind(named, node)

    def _stored(self) -> list[ast.AST]:
        """The Names that bind what they stand for."""
        return [node for node in self.nodes.get(ast.Name, ()) if isinstance(node.ctx, ast.Store)]  # type: ignore[attr-defined]  # a Name

    def _stored_in(self, node: ast.Name) -> ast.AST:
        """The scope that a store binds in: a walrus in a comprehension binds around that."""
        scope = self.around(node)
        if isinstance(self.parents[node], ast.NamedExpr):
            while isinstance(scope, COMPREHENSIONS):
                scope = self.around(scope)
        return scope

    def _give_back(self, scopes: dict[ast.AST, Scope]) -> None:
        """Give bindings of `global` and `nonlocal` names to the scope that they mean."""
        lent = [
            (scope, name, kind, scope.bindings.pop(name, []))
            for scope in scopes.values()
            for name, kind in scope.declared.items()
        ]
        for scope, name, kind, bindings in lent:
            owner = self.tree if kind is ast.Global else self._owner(name, scope.node, scopes)
            if bindings and owner is not None:
                scopes.setdefault(owner, Scope(owner)).bindings.setdefault(name, []).extend(bindings)

    def _owner(self, name: str, inner: ast.AST, scopes: dict[ast.AST, Scope]) -> ast.AST | None:
        """The function whose variable a `nonlocal` in `inner` means."""
        node = inner
        while (node := self.around(node)) is not self.tree:
            if isinstance(node, FUNCTIONS) and node in scopes and name in scopes[node].bindings:
                return node
        return None


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


def inside(scope: ast.AST) -> Iterable[ast.AST]:
    """The nodes right below a scope's node that are evaluated inside of it, as is all below them.

    Of a comprehension all, but what its first loop takes its items from.
    """
    if isinstance(scope, ast.Lambda):
        return (scope.body,)
    if isinstance(scope, COMPREHENSIONS):
        return children(scope)
    body: Iterable[ast.AST] = scope.body  # type: ignore[attr-defined]  # all other scopes have one
    return body
