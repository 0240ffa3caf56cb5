"""A finding as people and other programs get to see it: without its tree, and with columns in characters."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from .source import characters
from .tuples import NamedTuple

if TYPE_CHECKING:
    import ast

    from .rule import Finding


class Place(NamedTuple):
    """A stretch of a file. Lines and columns count from 1, columns in characters; the end is just behind it."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int


class Note(NamedTuple):
    """Another place that a problem speaks of. `is_step`: it is where the program comes next, after those before."""

    place: Place
    message: str
    is_step: bool = False


class Problem(NamedTuple):
    """One finding in one file."""

    place: Place
    code: str
    name: str
    message: str
    fix: str  # "safe", "unsafe", or empty
    why: str  # why its fix is unsafe, or why it has none
    notes: tuple[Note, ...]
    excerpt: str  # the line that it begins in


def describe(finding: Finding, path: str, lines: Sequence[str]) -> Problem:
    """A finding in the file `path`, whose lines are these."""
    place = locate(finding.node, path, lines)
    fix = finding.fix
    return Problem(
        place,
        finding.rule.code,
        finding.rule.name,
        finding.message,
        "" if fix is None else "unsafe" if fix.unsafe else "safe",
        finding.refusal if fix is None else fix.unsafe,
        tuple(Note(_place(one.node, path, lines), one.message, one.is_step) for one in finding.related),
        lines[place.line - 1],
    )


def shown_path(path: str, beside: str) -> str:
    """The absolute path of a file as people write that of one beside it: from where they are, where they do."""
    return path if PurePath(beside).is_absolute() else os.path.relpath(path)


def _place(node: ast.AST | Place, path: str, lines: Sequence[str]) -> Place:
    return node if isinstance(node, Place) else locate(node, path, lines)


def locate(node: ast.AST, path: str, lines: Sequence[str]) -> Place:
    """Where a node stands. A statement with a body is its first line alone: nobody wants a whole class underlined."""
    first, start = node.lineno, node.col_offset  # type: ignore[attr-defined]  # rules report placed nodes only
    last, end = getattr(node, "end_lineno", None) or first, getattr(node, "end_col_offset", None) or start
    column = characters(lines[first - 1], start) + 1
    if last > first and (hasattr(node, "body") or hasattr(node, "cases")):
        return Place(path, first, column, first, len(lines[first - 1].rstrip()) + 1)
    return Place(path, first, column, last, characters(lines[last - 1], end) + 1)
