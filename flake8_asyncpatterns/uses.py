"""Where a name is spoken of in the bytes of a file, as far as they show that without being parsed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from .layout import REACH, end_of, start_of
from .tuples import NamedTuple

# `sleep as nap`, `nap = asyncio.sleep`
RENAMES = rb"%b[ \t]+as\b|=[ \t]*(?:\w+\.)*%b[ \t]*(?:[\n;#]|$)"
BLANK = b" \t\f\n\\"
# What goes on with what a call gives.
GOES_ON = (b".", b"[", b"(", b"\\")


class Use(NamedTuple):
    """Where a name is spoken of: the word before it and what it is an attribute of, and the end of the name."""

    start: int
    stop: int
    before: bytes
    is_call: bool


def uses(data: bytes, name: bytes) -> Iterator[Use]:
    """Where a name is spoken of, but for where it is defined."""
    at = data.find(name)
    while at >= 0:
        stop = at + len(name)
        if data[at - 4 : at] != b"def " and not (_is_letter(data[at - 1 : at]) or _is_letter(data[stop : stop + 1])):
            start = _start(data, at)
            is_call = data[stop : stop + 1] == b"(" or data[stop : stop + REACH].lstrip(BLANK)[:1] == b"("
            yield Use(start, stop, word_before(data, start), is_call)
        at = data.find(name, stop)


def _is_letter(byte: bytes) -> bool:
    return byte.isalnum() or byte == b"_" or byte > b"\x7f"


def _start(data: bytes, at: int) -> int:
    """Where the dotted expression begins that a name is the end of."""
    while True:
        before = skip_back(data, at)
        if data[before - 1 : before] != b".":
            return at
        at = skip_back(data, before - 1)
        while data[at - 1 : at] in (b")", b"]"):
            at = skip_back(data, start_of(data, at - 1))
        while _is_letter(data[at - 1 : at]):
            at -= 1


def skip_back(data: bytes, at: int) -> int:
    """The end of what stands before a place, but for blanks."""
    if data[at - 1 : at] not in BLANK:
        return at
    return len(data[max(0, at - REACH) : at].rstrip(BLANK)) + max(0, at - REACH)


def word_before(data: bytes, at: int) -> bytes:
    """The word that stands before a place; empty: something else does."""
    stop = start = skip_back(data, at)
    while _is_letter(data[start - 1 : start]):
        start -= 1
    return data[start:stop]


def is_renamed(name: bytes, data: bytes) -> bool:
    """Does something get another name that has this one?"""
    return re.search(RENAMES % ((re.escape(name),) * 2), data) is not None


def calls_of(name: bytes, data: bytes, modules: Collection[object] = ()) -> Iterator[Use]:
    """The calls of something of this name. `modules`: of a function of one of these, which have no other names here."""
    return (
        use
        for use in uses(data, name)
        if use.is_call and (not modules or _owner(data[use.start : use.stop]) in modules)
    )


def _owner(dotted: bytes) -> bytes:
    """What a dotted name is an attribute of, without what that is one of."""
    *_, owner, _ = [b"", *dotted.split(b".")]
    return owner.strip(BLANK)


def is_awaited(use: Use, data: bytes) -> bool:
    """Is what this call gives awaited at once?"""
    if use.before != b"await":
        return False
    closing = end_of(data, data.find(b"(", use.stop))
    return closing >= 0 and data[closing + 1 : closing + REACH].lstrip(b" \t\f")[:1] not in GOES_ON
