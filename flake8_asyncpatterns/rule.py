"""The vocabulary: a Rule looks at a node and yields Reports; a Report may carry a Fix, and a Fix is data."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from .tuples import NamedTuple

if TYPE_CHECKING:
    from .module import Module
    from .needs import Need
    from .problem import Place

Code: TypeAlias = ast.expr | ast.stmt
FunctionDef: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
NodeT = TypeVar("NodeT", bound=ast.AST)


class Symbol(NamedTuple):
    """A qualified name that fixed code needs, such as `asyncio.sleep`.

    The rewriter spells it as the file already does, and imports its module where the file does not.
    """

    name: str


Hole: TypeAlias = ast.expr | ast.stmt | list[ast.stmt] | Symbol


class Replace(NamedTuple):
    """Put a template in the place of an expression or a statement.

    A hole may be the replaced node itself (`await {call}`), and other edits may lie inside a hole.
    """

    node: Code
    template: str
    holes: Mapping[str, Hole]


class ReplaceArgument(NamedTuple):
    """Put arguments in the place of one argument of a call: `f(x)` becomes `f, x`, or `target=f, args=(x,)`."""

    node: ast.expr | ast.keyword
    template: str
    holes: Mapping[str, Hole]


class RemoveArgument(NamedTuple):
    """Take one argument out of a call, with its comma."""

    node: ast.expr | ast.keyword


class Insert(NamedTuple):
    """Put a template's statements in front of a statement, in its block, and empty lines where the template ends so."""

    before: ast.stmt
    template: str
    holes: Mapping[str, Hole]


class Remove(NamedTuple):
    """Take a statement out of its block; a block that would be empty gets a `pass`."""

    node: ast.stmt


class RemoveDecorator(NamedTuple):
    """Take one decorator off a function."""

    node: FunctionDef
    decorator: ast.expr


class MakeAsync(NamedTuple):
    """`def` → `async def`, `with` → `async with`, `for` → `async for`."""

    node: ast.FunctionDef | ast.With | ast.For


class MakeSync(NamedTuple):
    """`async def` → `def`, `async with` → `with`, `async for` → `for`."""

    node: ast.AsyncFunctionDef | ast.AsyncWith | ast.AsyncFor


class CatchExceptions(NamedTuple):
    """`except:` → `except Exception:`."""

    node: ast.ExceptHandler


Edit: TypeAlias = (
    Replace
    | ReplaceArgument
    | RemoveArgument
    | Insert
    | Remove
    | RemoveDecorator
    | MakeAsync
    | MakeSync
    | CatchExceptions
)


def replace(node: Code, template: str, /, **holes: Hole) -> Replace:
    """Edit: `node` becomes `template`, each `{hole}` filled with code of the file or a Symbol."""
    return Replace(node, template, holes)


def replace_argument(node: ast.expr | ast.keyword, template: str, /, **holes: Hole) -> ReplaceArgument:
    """Edit: an argument of a call becomes the arguments in `template`."""
    return ReplaceArgument(node, template, holes)


def insert(before: ast.stmt, template: str, /, **holes: Hole) -> Insert:
    """Edit: the statements of `template` come in front of the statement `before`."""
    return Insert(before, template, holes)


class Fix:
    """Edits that belong together: all are applied, or none.

    Several findings may share one Fix (the same object), where they can only be mended together.
    `unsafe` is why a human should look first; empty: the fix is safe. `supersedes` are qualified names that
    the edits do without: an import that served nothing else is removed with the last use.
    """

    __slots__ = ("edits", "supersedes", "unsafe")

    def __init__(self, *edits: Edit, unsafe: str = "", supersedes: tuple[str, ...] = ()) -> None:
        self.edits = edits
        self.unsafe = unsafe
        self.supersedes = supersedes


class Related(NamedTuple):
    """Another place that a finding speaks of: a node of the file, or a place that may be in another.

    `is_step`: it is where the program comes next, after the finding and those before.
    """

    node: ast.AST | Place
    message: str
    is_step: bool = False


class Report(NamedTuple):
    """What a check yields: here, this is wrong, and this would mend it.

    `node` is an expression, a statement, or anything else that has a place in the file. `refusal` says why
    there is no fix, where the rule usually has one.
    """

    node: ast.AST
    message: str
    fix: Fix | None = None
    refusal: str = ""
    related: tuple[Related, ...] = ()


class Finding(NamedTuple):
    """A Report with its rule: what front ends, reports and the rewriter consume."""

    rule: Rule
    node: ast.AST
    message: str
    fix: Fix | None
    refusal: str
    related: tuple[Related, ...]

    @property
    def line(self) -> int:
        """The line, counted from 1."""
        return self.node.lineno  # type: ignore[attr-defined, no-any-return]  # rules report placed nodes only


class Rule(NamedTuple):
    """A code, a name, the node types it asks for, and the check that is called with each such node.

    `default`: is it on unless somebody says otherwise? `plain`: does it speak of plain functions, too, so that the
    same code without `async` is no better? `needs`: the ways in which it may come to speak (none: it may of
    any file), so that others are spared.
    """

    code: str
    name: str
    on: tuple[type[ast.AST], ...]
    check: Callable[[Any, Module], Iterable[Report]]
    default: bool = True
    plain: bool = False
    needs: Iterable[Need] = ()

    @property
    def doc(self) -> str:
        """The documentation: the docstring of the module that the check stands in."""
        return sys.modules[self.check.__module__].__doc__ or ""

    @property
    def summary(self) -> str:
        """The first line of the documentation."""
        return self.doc.strip().partition("\n")[0]


def rule(
    code: str,
    name: str,
    *on: type[NodeT],
    default: bool = True,
    plain: bool = False,
    needs: Iterable[Need] = (),
) -> Callable[[Callable[[NodeT, Module], Iterable[Report]]], Rule]:
    """Make a Rule of a check, to be called with every node of the types `on`.

    `default=False` makes it opt-in: it speaks only where it was selected by name. For `plain` and `needs` see Rule.
    """
    return lambda check: Rule(code, name, on, check, default, plain, needs)
