"""Splices applied to a text: every byte outside of them stays as it is.

A splice is a span of bytes, and the literal pieces and slots that come in its place. A slot keeps a span of the file,
in which other splices may lie.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .edits import Refused
from .places import Text
from .tuples import NamedTuple


class Slot(NamedTuple):
    """A span of the file that stays, as it reads after the splices inside it."""

    start: int
    end: int
    before: bytes = b""
    after: bytes = b""
    indents: tuple[bytes, bytes] | None = None  # a block of statements: its indentation then and now


@dataclass(frozen=True, slots=True, eq=False)
class Splice:
    """A span of the file, and what comes in its place. Two are never the same, be they alike."""

    start: int
    end: int
    parts: tuple[bytes | Slot, ...]


def render(text: Text, splices: Sequence[Splice]) -> tuple[bytes, set[Splice]]:
    """The file after these splices, and those that found no place because another covers theirs."""
    # What is only put in comes before what begins at the same place; a wide splice before those inside it.
    ordered = sorted(splices, key=lambda splice: (splice.start, splice.start != splice.end, -splice.end))
    lost: set[Splice] = set()
    return _render(text, 0, len(text.data), ordered, lost), lost


def _render(text: Text, start: int, end: int, ordered: Sequence[Splice], lost: set[Splice]) -> bytes:
    out: list[bytes] = []
    index = 0
    while index < len(ordered):
        splice = ordered[index]
        index += 1
        if splice.start < start or splice.end > end:
            lost.add(splice)
            continue
        inner = []
        while index < len(ordered) and ordered[index].start < splice.end:
            inner.append(ordered[index])
            index += 1
        out.append(text.data[start : splice.start])
        out += _parts(text, splice, inner, lost)
        start = splice.end
    out.append(text.data[start:end])
    return b"".join(out)


def _parts(text: Text, splice: Splice, inner: list[Splice], lost: set[Splice]) -> Iterable[bytes]:
    placed: set[Splice] = set()
    for part in splice.parts:
        if isinstance(part, bytes):
            yield part
            continue
        # What stands twice is changed twice; but what is only put in, between two slots, belongs to one of them.
        within = [
            s for s in inner if part.start <= s.start and s.end <= part.end and (s.start < s.end or s not in placed)
        ]
        placed.update(within)
        code = _render(text, part.start, part.end, within, lost)
        if part.indents:
            code = _reindent(code, *part.indents)
        yield part.before + code + part.after
    lost.update(s for s in inner if s not in placed)


def _reindent(code: bytes, old: bytes, new: bytes) -> bytes:
    """Lines of a block with another indentation; what stands inside a string is not touched."""
    if old == new:
        return code
    lines = re.split(rb"(?<=\n)|(?<=\r)(?!\n)", code)
    inside = _inside_strings(b"if 1:\n" + code if old else code, shift=1 if old else 0)
    return b"".join(
        new + line[len(old) :] if number not in inside and line.strip() and line.startswith(old) else line
        for number, line in enumerate(lines, 1)
    )


def _inside_strings(code: bytes, shift: int) -> set[int]:
    """The numbers of the lines that begin inside a string."""
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        raise Refused(f"a block cannot be moved: {error.msg}") from None
    return {
        line - shift
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
        for line in range(node.lineno + 1, (node.end_lineno or node.lineno) + 1)
    }
