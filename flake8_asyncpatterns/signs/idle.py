"""Coroutines that are made and not awaited, as far as the bytes of a file show without being parsed: for `needs`.

A call of a coroutine function is busy where an `await` stands before it, or where it is handed on as it is: as an
argument, as what is returned or yielded, as an item. All other calls are taken to be idle, and so is what is not
understood here: what follows is the parser's business.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from functools import partial

from ..knowledge.coroutines import ASKS_KIND, ASSERTS, COROUTINE_TYPES, LOOKS_AT
from ..layout import REACH, block, end_of, line_start, start_of
from ..needs import Group, Sign, Text, last
from ..uses import is_renamed, skip_back, uses, word_before

DEFINED = re.compile(rb"async[ \t\f\\\n]+def[ \t\f\\\n]+(\w+)")
PLAIN = re.compile(rb"(\basync[ \t\f\\\n]+)?\bdef[ \t\f\\\n]+(\w+)")
# `-> Coroutine[…]`; a name of another spelling stands for all annotations.
RETURNED = re.compile(rb"->[^:]{0,80}?\bCoroutine")
RENAMED = re.compile(rb"=[ \t]*[\w.]*\bCoroutine(?:Type)?[ \t]*[\n]|\bCoroutine(?:Type)?[ \t]+as\b")
TYPES = last(COROUTINE_TYPES)
# Functions and methods that an argument is not just handed on to.
LOOKED_AT = last(LOOKS_AT | ASKS_KIND) | {name.encode() for name in (*ASSERTS, "bool", "format", "join")}
# Words before a call that have its value handed on, unless something is done with it right there.
HAND_ON = frozenset({b"await", b"def", b"class", b"return", b"yield", b"from"})
# Words that a parenthesis after them makes no call of.
KEYWORDS = HAND_ON | {name.encode() for name in keyword.kwlist}
ATTRIBUTE = re.compile(rb"\.[ \t]*\w+$")


def own(text: Text) -> bool:
    """Is there an idle call of a coroutine function of this file?"""
    names = set(DEFINED.findall(text.data))
    streams = set(_streams(text.data)) if b"yield" in text.words else set()
    if not TYPES.isdisjoint(text.words):
        names |= set(_annotated(text.data))
    return _idle(text, names, streams)


def _streams(data: bytes) -> Iterator[bytes]:
    """The asynchronous generators."""
    return (found[1] for found in DEFINED.finditer(data) if b"yield" in block(data, found.start()))


def of(names: Group, *, entered: bool = False) -> Sign:
    """Is there an idle call of something that has one of these names? `entered`: is it busy in an `async with`?"""
    return partial(_of, names, entered)


def _of(names: Group, entered: bool, text: Text) -> bool:
    here = {name for name in names & text.words if isinstance(name, bytes)}
    if any(is_renamed(name, text.data) for name in here):
        return True
    return _idle(text, here, here if entered else set())


def _annotated(data: bytes) -> Iterator[bytes]:
    """The plain functions whose annotation says that they return a coroutine."""
    everything = RENAMED.search(data) is not None
    for found in re.finditer(rb"->", data) if everything else RETURNED.finditer(data):
        yield from _functions_around(data, found.start())


def _functions_around(data: bytes, at: int) -> Iterator[bytes]:
    """The names of the plain functions that this place may belong to: the last that begins before, and those further
    out."""
    indent: int | None = None
    for found in reversed([*PLAIN.finditer(data, 0, at)]):
        column = found.start() - line_start(data, found.start())
        if indent is None or column < indent:
            indent = column
            if not found[1]:
                yield found[2]
        if not column:
            return


def _idle(text: Text, names: set[bytes], streams: set[bytes]) -> bool:
    data, todo, seen = text.data, list(names), set(names)
    while todo:
        name = todo.pop()
        for use in uses(data, name):
            if use.is_call and _is_idle(data, use.start, use.stop, name in streams):
                return True
            if use.before == b"return":
                # Who returns the coroutine of another gives one, and who returns the function may be a decorator.
                for around in _functions_around(data, use.start):
                    more = {around} | (set() if use.is_call else set(_decorated(data, around)))
                    todo += more - seen
                    seen |= more
    return False


def _is_idle(data: bytes, start: int, stop: int, is_stream: bool) -> bool:
    """Is this call, of what stands from `start` to `stop`, one that nobody waits for?"""
    word = word_before(data, start)
    if word in (b"def", b"class"):
        return False
    closing = end_of(data, data.find(b"(", stop))
    return closing < 0 or _is_loose(data, start, closing + 1, is_stream)


def _is_loose(data: bytes, start: int, stop: int, is_stream: bool = False) -> bool:
    """Is the value of this expression neither awaited nor handed on as it is?"""
    rest = data[stop : stop + REACH].lstrip(b" \t\f")
    word = word_before(data, start)
    if word == b"await":
        return rest[:1] in (b".", b"[", b"(", b"\\")
    if word in (b"in", b"with"):
        return not (is_stream and _is_asynchronous(data, start)) or (
            rest[:1] not in (b":", b")", b"]", b"}", b",") and rest[:2] != b"as"
        )
    if word in HAND_ON:
        return rest[:1] not in (b"\n", b"", b"#", b";", b")")
    inside = rest.lstrip()[:1] in (b",", b")", b"]", b"}")
    before = skip_back(data, start)
    match data[before - 1 : before]:
        case b"(" if inside and not word:
            return _is_loose_in(data, before - 1, start)
        case b"[" if inside:
            return _is_loose_in(data, before - 1, start)
        case b"," | b":" | b"=" as sign if inside and data[before - 2 : before - 1] not in b"=!<>:+-*/%&|^@":
            opening = start_of(data, before - 1)
            return (
                opening < 0
                or (sign == b"=" and data[opening : opening + 1] != b"(")
                or _is_loose_in(data, opening, start)
            )
        case b"=" if data[before - 2 : before - 1] not in b"=!<>:+-*/%&|^@":
            # An attribute keeps it, and so does an item; of variables it is to be seen what becomes of them.
            target = data[max(0, before - REACH) : before - 1].rstrip(b" \t")
            return not (target.endswith(b"]") or ATTRIBUTE.search(target)) or rest[:1] not in (b"\n", b"#", b"")
        case b"@":
            return data[line_start(data, before) : before - 1].strip() != b""
    return True


def _is_asynchronous(data: bytes, at: int) -> bool:
    """Does an `async for` or an `async with` stand before this place, in its line?"""
    return b"async" in data[line_start(data, at) : at].split()


def _is_loose_in(data: bytes, opening: int, start: int) -> bool:
    """Is what is handed to whatever begins with this bracket not simply kept there?"""
    called = word_before(data, opening)
    before = data[skip_back(data, opening) - 1 : skip_back(data, opening)]
    match data[opening : opening + 1]:
        case b"(" if called and called not in KEYWORDS:
            return called in LOOKED_AT
        case b"(" if before in (b")", b"]"):
            return False
    closing = end_of(data, opening)
    return closing < 0 or _begins_statement(data, opening) or _is_loose(data, opening, closing + 1)


def _begins_statement(data: bytes, at: int) -> bool:
    return not data[line_start(data, at) : at].strip()


def _decorated(data: bytes, decorator: bytes) -> Iterator[bytes]:
    """The plain functions that this may decorate."""
    for found in re.finditer(rb"@[ \t]*(?:\w+[ \t]*\.[ \t]*)*" + re.escape(decorator) + rb"\b", data):
        defined = PLAIN.search(data, found.end())
        if defined and not defined[1]:
            yield defined[2]
