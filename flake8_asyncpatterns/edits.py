"""What text splicing and proof both need to know of an edit: its template, taken apart, and its place."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from string import Formatter
from typing import TypeAlias

from .rule import Edit, Insert, Symbol
from .tuples import NamedTuple

PREFIX, SUFFIX = "__hole_", "__"
MARK = f"{PREFIX}{{}}{SUFFIX}"


class Refused(Exception):
    """Why an edit cannot be made here; its text is for people."""


class AddImports(NamedTuple):
    """`import m` for each module, in a line of its own before or after a statement at the top level."""

    modules: tuple[str, ...]
    anchor: ast.stmt
    after: bool
    gap: bool  # an empty line between the anchor and the imports


class RemoveAlias(NamedTuple):
    """Take one of several names out of an import statement."""

    node: ast.Import | ast.ImportFrom
    alias: ast.alias


AnyEdit: TypeAlias = Edit | AddImports | RemoveAlias
Spell: TypeAlias = Callable[[Symbol, ast.AST], str]


def target(edit: AnyEdit) -> ast.AST:
    """The node of the file that an edit is about."""
    match edit:
        case Insert():
            return edit.before
        case AddImports():
            return edit.anchor
        case _:
            return edit.node


def pieces(template: str) -> Iterator[tuple[str, str | None]]:
    """A template as (literal text, name of the hole after it), the last hole being None."""
    for literal, field, _, _ in Formatter().parse(template):
        yield literal, field


def skeleton(template: str) -> list[ast.stmt]:
    """The template's statements, each hole a Name spelled like MARK."""
    text = "".join(literal + (MARK.format(hole) if hole is not None else "") for literal, hole in pieces(template))
    return ast.parse(text).body


def hole_name(node: ast.AST) -> str:
    """The hole that a Name in a skeleton stands for; empty: none."""
    return node.id[len(PREFIX) : -len(SUFFIX)] if isinstance(node, ast.Name) and node.id.startswith(PREFIX) else ""


def in_call(template: str) -> str:
    """A template of arguments as one that parses."""
    return f"_({template})"


def holes(template: str) -> dict[str, tuple[ast.AST, str]]:
    """For each hole, the node around it in the template and the field of that node it stands in."""
    found = {}
    todo: list[ast.AST] = list(skeleton(template))
    while todo:
        node = todo.pop()
        for field, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else [value]:
                if name := hole_name(child):
                    found[name] = (node, field)
                if isinstance(child, ast.AST):
                    todo.append(child)
    return found
