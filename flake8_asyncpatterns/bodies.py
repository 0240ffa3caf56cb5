"""What stands in which function, as far as the bytes of a file show that without being parsed. Lines end in line feeds.

Too much may be taken for the code of a function, and never too little.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .knowledge.awaitables import GENERATOR_COROUTINES
from .source import STRING_OR_COMMENT
from .tuples import NamedTuple

DEFINITION = re.compile(rb"\n([ \t\f]*+)(async[ \t\f\\\n]++)?(?:def[ \t\f\\\n]++(\w++)|class\b)")
CLASS = re.compile(rb"\n[ \t\f]*+class[ \t\f\\\n]++(\w++)")
DECORATORS = sorted({name.rpartition(".")[2].encode() for name in GENERATOR_COROUTINES})
# What begins with letters is searched for in a tenth of the time.
DECORATES = re.compile(b"|".join(rb"%b(?<!\w%b)\b" % (name, name) for name in DECORATORS))


def bare(data: bytes) -> bytes:
    """The code without its comments, and with empty strings; what an f-string has is left, in one line."""
    return STRING_OR_COMMENT.sub(_emptied, data)


def _emptied(found: re.Match[bytes]) -> bytes:
    code, start = found.string, found.start()
    if code[start : start + 1] == b"#":
        return b""
    before = code[max(0, start - 2) : start].lower()
    return found[0].replace(b"\n", b" ") if before.endswith(b"f") or before == b"fr" else b"''"


def coroutines(code: bytes) -> Iterator[bytes]:
    """The code of each coroutine function that is in no other, of what `bare` gives; all, where plain functions may be
    decorated to be coroutine functions."""
    if DECORATES.search(code):
        yield code
        return
    end = 0
    for definition in _definitions(code):
        if definition.is_async and definition.start >= end:
            yield code[definition.start : definition.end]
            end = definition.end


def plain_functions(code: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The name and the code of each function that is no coroutine function, of what `bare` gives."""
    return ((d.name, code[d.start : d.end]) for d in _definitions(code) if d.name and not d.is_async)


def classes(code: bytes) -> list[bytes]:
    """The names of the classes in what `bare` gives."""
    return CLASS.findall(code)


class _Definition(NamedTuple):
    """A function, or (without a name) a class, from its first line to where another begins that is not in it."""

    is_async: bool
    name: bytes
    start: int
    end: int


def _definitions(code: bytes) -> list[_Definition]:
    found: list[_Definition] = []
    open_ones: list[tuple[int, re.Match[bytes]]] = []
    for definition in DEFINITION.finditer(code):
        indent = len(definition[1])
        while open_ones and open_ones[-1][0] >= indent:
            found.append(_defined(open_ones.pop()[1], definition.start()))
        open_ones.append((indent, definition))
    found += (_defined(definition, len(code)) for _, definition in open_ones)
    return sorted(found, key=lambda definition: definition.start)


def _defined(found: re.Match[bytes], end: int) -> _Definition:
    return _Definition(found[2] is not None, found[3] or b"", found.start(), end)
