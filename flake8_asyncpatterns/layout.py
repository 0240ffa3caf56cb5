"""Lines and brackets in bytes of code, as far as they can be told without parsing it. Lines end in line feeds."""

from __future__ import annotations

import re

# So far is looked for the other end of a bracket: first in its line, where it mostly is.
REACH = 4000
BRACKET = re.compile(rb"[(\[{}\])]")
STRING = re.compile(rb"""\"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'""")

INDENT = re.compile(rb"[ \t\f]*+")


def line_start(data: bytes, at: int) -> int:
    """Where the line begins that this place is in."""
    return data.rfind(b"\n", 0, at) + 1


def start_of(data: bytes, at: int) -> int:
    """Where the innermost bracket opens that is still open at this place; -1: nowhere near."""
    first, depth = max(0, at - REACH), 0
    here = max(first, line_start(data, at))
    for start, stop in ((here, at), (first, here)):
        for found in reversed([*BRACKET.finditer(_without_strings(data[start:stop]))]):
            depth += 1 if found[0] in b")]}" else -1
            if depth < 0:
                return start + found.start()
    return -1


def end_of(data: bytes, at: int, reach: int = REACH) -> int:
    """Where the bracket closes that opens at `at`; -1: nowhere near."""
    last, depth = at + reach, 0
    here = data.find(b"\n", at, last)
    for start, stop in ((at, here), (here, last)) if here >= 0 else ((at, last),):
        for found in BRACKET.finditer(_without_strings(data[start:stop])):
            depth += 1 if found[0] in b"([{" else -1
            if not depth:
                return start + found.start()
    return -1


def block(data: bytes, at: int) -> bytes:
    """The rest of a line, and the lines behind it that are indented further."""
    first = INDENT.match(data, line_start(data, at))
    assert first
    end = data.find(b"\n", at)
    while end >= 0:
        indent = INDENT.match(data, end + 1)
        assert indent
        is_empty = data[indent.end() : indent.end() + 1] in (b"\n", b"#", b"")
        if not is_empty and not (indent[0].startswith(first[0]) and len(indent[0]) > len(first[0])):
            return data[at:end]
        end = data.find(b"\n", indent.end())
    return data[at:]


def statement(data: bytes, at: int) -> bytes:
    """The rest of a statement, and perhaps some more: up to a line that ends neither in a bracket nor inside of one."""
    end = at
    while (newline := data.find(b"\n", end)) >= 0:
        part = data[at:newline]
        opened = sum(map(part.count, (b"(", b"[", b"{"))) - sum(map(part.count, (b")", b"]", b"}")))
        if opened <= 0 and not part.endswith(b"\\"):
            return part
        end = newline + 1
    return data[at:]


def _without_strings(code: bytes) -> bytes:
    return STRING.sub(lambda found: b"'" * len(found[0]), code)
