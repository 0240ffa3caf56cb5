"""Names for what a fix has to call somehow, and that mean nothing yet."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Collection, Iterable, Iterator


def names_in(*nodes: ast.AST) -> set[str]:
    """The names that this code asks for, or gives a meaning to; attributes are not among them."""
    return {name for node in nodes for inner in ast.walk(node) for name in _names(inner)}


def _names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name) | ast.arg(arg=name):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            yield from names
        case ast.alias(name=name, asname=local):
            yield (local or name).partition(".")[0]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name


def free(candidates: Iterable[str], taken: Collection[str]) -> str:
    """The first of these names that is not taken; empty: all are."""
    return next((name for name in candidates if name not in taken), "")


def unused(wanted: str, *nodes: ast.AST) -> str:
    """A name like this that hides none in this code; a parameter's stars stay before it."""
    name = wanted.lstrip("*")
    return wanted.removesuffix(name) + free(like(name), names_in(*nodes))


def like(name: str) -> Iterator[str]:
    """This name, and ever longer ones like it."""
    return (name + "_" * count for count in itertools.count())
