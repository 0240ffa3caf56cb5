"""The safety net: what was written must be what the edits declare.

The same edits are applied a second time, on plain `ast`, where substitution is trivial. Both must give the same
program, and every comment must still be there, once, in the same order. A wrong span, a lost node, a missing
parenthesis: each shows up as a difference.
"""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .edits import MARK, AddImports, AnyEdit, Refused, RemoveAlias, Spell, in_call, skeleton, target
from .flow import suspends
from .rule import (
    CatchExceptions,
    Hole,
    Insert,
    MakeAsync,
    MakeSync,
    Remove,
    RemoveArgument,
    RemoveDecorator,
    Replace,
    ReplaceArgument,
    Symbol,
)
from .scopes import children

ASYNC = {ast.FunctionDef: ast.AsyncFunctionDef, ast.With: ast.AsyncWith, ast.For: ast.AsyncFor}
SYNC = {made: plain for plain, made in ASYNC.items()}


class Unproven(Exception):
    """The rewritten text is not the program that its edits describe; its text says how it differs."""


def prove(before: str, edits: Sequence[AnyEdit], spell: Spell, after: str) -> None:
    """Raise Unproven unless `after` is `before` with exactly these edits, and has its comments.

    Raise Refused where the edits themselves would make something of it that does not run.
    """
    try:
        got = ast.parse(after)
    except (SyntaxError, ValueError) as error:
        raise Unproven(f"the result does not parse: {error}") from None
    want = Substitution(before, spell).apply(edits)
    if different := difference(want, got):
        raise Unproven(f"the result is another program than the fix describes ({different})")
    if not _compiles(got) and _compiles(ast.parse(before)):
        raise Refused("Python does not allow such code in this place")
    made = _asynchronous(got)
    if made and made > _asynchronous(ast.parse(before)):
        raise Refused("an `await` would make a generator expression asynchronous, which not everything can iterate")
    if _tails(before) == _tails(after):
        return  # in two programs that differ by edits alone: what begins a comment in one, begins it in the other
    had, has = _comments(before), _comments(after)
    if lost := Counter(had) - Counter(has):
        raise Unproven(f"a comment would be lost: {next(iter(lost))}")
    if doubled := Counter(has) - Counter(had):
        raise Unproven(f"a comment would stand twice: {next(iter(doubled))}")
    if had != has:
        raise Refused("comments would change places")


def _compiles(tree: ast.Module) -> bool:
    """Is this a program also for what only the compiler checks, such as where an `await` may stand?"""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(tree, "<fixed>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        except (SyntaxError, ValueError):
            return False
    return True


def _asynchronous(tree: ast.Module) -> int:
    """How many generator expressions are asynchronous: those that await, but for where they get their items."""
    return sum(
        node.generators[0].is_async or suspends(node.elt, *node.generators[0].ifs, *node.generators[1:])
        for node in ast.walk(tree)
        if isinstance(node, ast.GeneratorExp)
    )


def _tails(text: str) -> list[str]:
    """What follows the first number sign of each line that has one."""
    return [line.partition("#")[2].rstrip() for line in text.splitlines() if "#" in line]


def _comments(text: str) -> list[str]:
    """The comments of a program, in their order."""
    if "#" not in text:
        return []
    lines = io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n"))
    tokens = tokenize.generate_tokens(lines.readline)
    return [token.string.rstrip() for token in tokens if token.type == tokenize.COMMENT]


def key(node: ast.AST) -> tuple[object, ...]:
    """What identifies a node in two parses of one text."""
    return type(node), *(getattr(node, a, 0) for a in ("lineno", "col_offset", "end_lineno", "end_col_offset"))


class Substitution:
    """Edits applied to a tree of its own, inmost first."""

    def __init__(self, source: str, spell: Spell) -> None:
        self.tree = ast.parse(source)
        self.spell = spell
        self.parents: dict[ast.AST, ast.AST] = {}
        self.order: dict[ast.AST, int] = {}
        self.found: dict[tuple[object, ...], list[ast.AST]] = {}
        # What stands where a node of the original stood: statements may become several, or none.
        self.now: dict[ast.AST, list[Any]] = {}
        self.emptied: set[ast.AST] = set()

    def _index(self, named: Iterable[ast.AST]) -> None:
        """Index the tree, but for statements in which none of these nodes of another parse begins."""
        lines = sorted({getattr(node, "lineno", 0) for node in named})
        todo: list[ast.AST] = [self.tree]
        while todo:
            node = todo.pop()
            self.order[node] = len(self.order)
            self.found.setdefault(key(node), []).append(node)
            for child in children(node):
                if not isinstance(child, ast.stmt) or _has_one(child, lines):
                    self.parents[child] = node
                    todo.append(child)

    def twin(self, node: ast.AST) -> Any:
        """The node of this tree that is the same as one of another parse."""
        twins = self.found.get(key(node), [])
        if len(twins) != 1:
            raise Unproven("a node cannot be told from another at the same place")
        return twins[0]

    def apply(self, edits: Sequence[AnyEdit]) -> ast.Module:
        """The tree after these edits; it is the one given out by every call."""
        self._index(node for edit in edits for node in _nodes(edit))
        placed = [(self.twin(target(edit)), edit) for edit in edits]
        self._find_emptied({node for node, edit in placed if isinstance(edit, Remove)})
        # Of several that come in front of one node, the last is put there first.
        placed.reverse()
        for node, edit in sorted(placed, key=lambda p: (-self.order[p[0]], _turn(p[1]))):
            self._apply(edit, node)
        return self.tree

    def _find_emptied(self, removed: set[ast.AST]) -> None:
        """Note the first statements of blocks of which nothing is to be left."""
        for node in removed:
            block = self._block(node)
            if self.parents[node] is not self.tree and block[0] is node and removed.issuperset(block):
                self.emptied.add(node)

    def _apply(self, edit: AnyEdit, node: Any) -> None:
        match edit:
            case Replace(template=template, holes=holes):
                self._put(node, self._made(template, holes, edit.node))
            case ReplaceArgument(template=template, holes=holes):
                self._put_arguments(node, template, holes, edit.node)
            case Insert(template=template, holes=holes):
                self._put(node, [*self._made(template, holes, edit.before), *self._current(node)])
            case AddImports(modules=modules, after=after):
                added = [ast.Import([ast.alias(module)]) for module in modules]
                current = self._current(node)
                # Of several that come behind one node, the first is put there last.
                at = next((n for n, item in enumerate(current, 1) if item is node), len(current)) if after else 0
                self._put(node, [*current[:at], *added, *current[at:]])
            case Remove():
                left = [ast.Pass()] if node in self.emptied else []
                self._put(node, [*(item for item in self._current(node) if item is not node), *left])
            case RemoveArgument():
                self._put(node, [])
            case RemoveDecorator(decorator=decorator):
                gone = self.twin(decorator)
                for function in self._current(node):
                    function.decorator_list = [d for d in function.decorator_list if d is not gone]
            case RemoveAlias(alias=alias):
                gone = self.twin(alias)
                for statement in self._current(node):
                    statement.names = [a for a in statement.names if a is not gone]
            case MakeAsync():
                self._put(node, [_as(ASYNC, item) for item in self._current(node)])
            case CatchExceptions():
                for handler in self._current(node):
                    handler.type = ast.Name("Exception", ast.Load())
            case MakeSync():
                self._put(node, [_as(SYNC, item) for item in self._current(node)])

    def _current(self, node: ast.AST) -> list[Any]:
        return self.now.get(node, [node])

    def _block(self, node: ast.AST) -> list[ast.stmt]:
        old = self._current(node)[0]
        for _, value in ast.iter_fields(self.parents[node]):
            if isinstance(value, list) and any(item is old for item in value):
                return value
        raise Unproven("a statement stands in no block")

    def _put(self, node: ast.AST, new: list[Any]) -> None:
        old, parent = self._current(node), self.parents[node]
        self.now[node] = new
        for field, value in ast.iter_fields(parent):
            if old and value is old[0]:
                setattr(parent, field, new[0])
                return
            if isinstance(value, list) and old:
                for index, item in enumerate(value):
                    if item is old[0]:
                        value[index : index + len(old)] = new
                        return
        raise Unproven("an edit's node is not where it was")

    def _put_arguments(self, node: ast.AST, template: str, holes: Mapping[str, Hole], at: ast.AST) -> None:
        [statement] = self._made(in_call(template), holes, at, whole=True)
        made, call = statement.value, self.parents[node]
        assert isinstance(call, ast.Call)
        if isinstance(node, ast.keyword):
            self._put(node, made.keywords)
            call.args += made.args
        else:
            self._put(node, made.args)
            call.keywords[:0] = made.keywords

    def _made(self, template: str, holes: Mapping[str, Hole], at: ast.AST, *, whole: bool = False) -> list[Any]:
        """A template's statements (or its one expression) with the holes filled."""
        filled = {MARK.format(name): self._filling(hole, at) for name, hole in holes.items()}
        module = ast.Module(skeleton(template), [])
        for parent in [*ast.walk(module)]:
            for field, value in [*ast.iter_fields(parent)]:
                if isinstance(value, list):
                    setattr(parent, field, [made for item in value for made in _filled(item, filled)])
                elif isinstance(value, ast.Name):
                    setattr(parent, field, _filled(value, filled)[0])
        if isinstance(at, ast.expr) and not whole:
            statement = module.body[0]
            assert isinstance(statement, ast.Expr)
            return [statement.value]
        return module.body

    def _filling(self, hole: Hole, at: ast.AST) -> list[Any]:
        match hole:
            case Symbol():
                return [ast.parse(self.spell(hole, at), mode="eval").body]
            case list():
                return [made for statement in hole for made in self._current(self.twin(statement))]
        return self._current(self.twin(hole))


def _nodes(edit: AnyEdit) -> Iterator[ast.AST]:
    """The nodes of the file that an edit names."""
    yield target(edit)
    match edit:
        case RemoveDecorator(decorator=node) | RemoveAlias(alias=node):
            yield node
        case Replace(holes=holes) | ReplaceArgument(holes=holes) | Insert(holes=holes):
            for hole in holes.values():
                if isinstance(hole, list):
                    yield from hole
                elif not isinstance(hole, Symbol):
                    yield hole


def _has_one(statement: ast.stmt, lines: list[int]) -> bool:
    """Is one of these lines, in order, among those of a statement with its decorators?"""
    first = min(node.lineno for node in (statement, *getattr(statement, "decorator_list", ())))
    at = bisect_left(lines, first)
    return at < len(lines) and lines[at] <= (statement.end_lineno or statement.lineno)


def _turn(edit: AnyEdit) -> int:
    """Of the edits at one node, which comes first: what changes it, what is put next to it, what takes it away."""
    match edit:
        case Insert() | AddImports():
            return 1
        case Remove():
            return 2
    return 0


def _filled(item: Any, filled: Mapping[str, list[Any]]) -> list[Any]:
    """What a marked name, alone or as a statement, stands for; everything else as it is."""
    name = item.value if isinstance(item, ast.Expr) else item
    if isinstance(name, ast.Name) and name.id in filled:
        made = filled[name.id]
        if isinstance(item, ast.Expr) and isinstance(made[0], ast.expr):
            return [ast.Expr(made[0])]
        return made
    return [item]


def _as(table: Mapping[Any, Any], node: ast.AST) -> ast.AST:
    made = table[type(node)]
    return made(**dict(ast.iter_fields(node)))  # type: ignore[no-any-return]  # a class of ast


def difference(want: ast.AST, got: ast.AST) -> str:
    """Where two programs differ, in a few words; empty: nowhere. Places and load/store marks do not count."""
    todo: list[tuple[Any, Any]] = [(want, got)]
    while todo:
        a, b = todo.pop()
        if isinstance(a, ast.AST):
            if type(a) is not type(b):
                return f"{_named(b)} instead of {_named(a)}{_line(b)}"
            todo += [(getattr(a, f, None), getattr(b, f, None)) for f in a._fields if f not in ("ctx", "type_comment")]
        elif isinstance(a, list):
            if not isinstance(b, list) or len(a) != len(b):
                return f"{len(b) if isinstance(b, list) else 0} nodes instead of {len(a)}{_line(*(b or [])[:1])}"
            todo += zip(a, b, strict=True)
        elif type(a) is not type(b) or repr(a) != repr(b):
            return f"{b!r:.40} instead of {a!r:.40}"
    return ""


def _named(node: object) -> str:
    return type(node).__name__


def _line(*nodes: object) -> Iterator[str] | str:
    lines = [f" in line {node.lineno}" for node in nodes if hasattr(node, "lineno")]
    return lines[0] if lines else ""
