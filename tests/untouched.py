"""What a round of fixes did outside of its edits, told by their nodes and by nothing of how they are written."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain

import pytest

from flake8_asyncpatterns import rewrite
from flake8_asyncpatterns.edits import AddImports, AnyEdit, RemoveAlias, Spell
from flake8_asyncpatterns.rule import (
    CatchExceptions,
    Insert,
    MakeAsync,
    MakeSync,
    Remove,
    RemoveArgument,
    RemoveDecorator,
    Replace,
    ReplaceArgument,
)

LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


@contextmanager
def watched() -> Iterator[list[str]]:
    """Look at all that is proven meanwhile; what is found wrong."""
    wrong: list[str] = []
    prove = rewrite.prove

    def prove_and_look(before: str, edits: Sequence[AnyEdit], spell: Spell, after: str) -> None:
        prove(before, edits, spell, after)
        wrong.extend(harm(before, edits, after))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rewrite, "prove", prove_and_look)
        yield wrong


def harm(before: str, edits: Sequence[AnyEdit], after: str) -> Iterator[str]:
    """What is not as it was although no edit speaks of it, and comments that are not where they were."""
    old, new = LINE.findall(before), LINE.findall(after)
    touched = set(chain.from_iterable(lines_of(edit, old) for edit in edits))
    parted = {line for edit in edits for line in insertions(edit, old)}
    at, runs = 0, list(_runs(old, touched, parted))
    for number, run in enumerate(runs):
        if number == 0 and 1 not in touched | parted:
            found = 0
        elif number == len(runs) - 1 and len(old) not in touched and len(old) + 1 not in parted:
            found = len(new) - len(run)
        else:
            found = next((n for n in range(at, len(new)) if new[n : n + len(run)] == run), -1)
        if found < at or new[found : found + len(run)] != run:
            yield f"lines outside of every edit are others: {run[:3]}"
            return
        at = found + len(run)
    if comments(before) != comments(after):
        yield f"comments come in another order: {comments(before)} {comments(after)}"
    if not {line[len(line.rstrip("\r\n")) :] for line in new} <= {
        *(line[len(line.rstrip("\r\n")) :] for line in old),
        "" if new else "\n",
    } | ({"\n"} if len(old) < 2 else set()):
        yield "there is another kind of newline"


def _runs(old: Sequence[str], touched: set[int], parted: set[int]) -> Iterator[list[str]]:
    """The lines that no edit touches, as they come after each other; what is put in parts them."""
    run: list[str] = []
    for number, line in enumerate(old, 1):
        if run and (number in touched or number in parted):
            yield run
            run = []
        if number not in touched:
            run.append(line)
    if run:
        yield run


def lines_of(edit: AnyEdit, old: Sequence[str]) -> Iterable[int]:
    """The lines that an edit may write anew."""
    match edit:
        case Replace(node=ast.stmt() as statement):
            return range(_first(statement), _last(statement) + 1)
        case Replace(node=node) | ReplaceArgument(node=node) | RemoveAlias(node=node):
            return range(node.lineno, _last(node) + 1)
        case Remove(node=node):
            last = _last(node)
            while last < len(old) and not old[last].strip():  # empty lines are not to add up
                last += 1
            return range(_first(node), last + 1)
        case RemoveArgument(node=node):
            # From the argument in front of it to the one behind it: their commas go, and the lines between them.
            above = [n for n in range(node.lineno - 1, 0, -1) if old[n - 1].strip()]
            below = [n for n in range(_last(node) + 1, len(old) + 1) if old[n - 1].strip()]
            return range((above or [1])[0], (below or [len(old)])[0] + 1)
        case RemoveDecorator(decorator=decorator):
            return range(decorator.lineno, _last(decorator) + 1)
        case MakeAsync(node=node) | MakeSync(node=node) | CatchExceptions(node=node):
            return [node.lineno]
        case Insert(before=statement):
            first = _first(statement)
            alone = not old[first - 1].encode()[: statement.col_offset].strip()
            joined = first > 1 and old[first - 2].rstrip("\r\n").endswith("\\")
            return [first - 1, first] if joined else [] if alone else [first]
        case AddImports(anchor=anchor, after=True):
            return [] if old[_last(anchor) - 1].endswith(("\r", "\n")) else [_last(anchor)]
    return []


def insertions(edit: AnyEdit, old: Sequence[str]) -> Iterable[int]:
    """The lines in front of which an edit may put others."""
    match edit:
        case Insert(before=statement):
            return [_first(statement), _leading(statement, old)]
        case AddImports(anchor=anchor, after=after):
            return [_last(anchor) + 1] if after else [_first(anchor), _leading(anchor, old)]
    return []


def _leading(statement: ast.stmt, old: Sequence[str]) -> int:
    first = _first(statement)
    head = sum(line.startswith("#!") or "coding" in line for line in old[:2])
    while first > 1 + head and old[first - 2].lstrip().startswith("#"):
        first -= 1
    return first


def _first(statement: ast.stmt) -> int:
    decorators = getattr(statement, "decorator_list", None)
    return decorators[0].lineno if decorators else statement.lineno


def _last(node: ast.expr | ast.stmt | ast.keyword) -> int:
    assert node.end_lineno
    return node.end_lineno


def comments(text: str) -> list[str]:
    """All comments of a file, in their order."""
    rows = io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n"))
    return [t.string.rstrip() for t in tokenize.generate_tokens(rows.readline) if t.type == tokenize.COMMENT]
