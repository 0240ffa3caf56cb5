"""Loops that may take long, as far as the bytes of a file show: for `needs`."""

from __future__ import annotations

import re

from ..layout import block, end_of
from ..needs import Group, Text
from ..source import STRING_OR_COMMENT
from . import HANDS_OVER, NAME

# Of two loops that take a million steps together, one takes a thousand.
MANY = 1_000
BIG_NUMBER = re.compile(rb"\d[\d_]{3,}|\*\*[ \t]*\d|\d[ \t]*\*\*|<<|\d[eE]\d|maxsize|0[xXoObB]")
RANGE = re.compile(rb"range[ \t]*+\(")
# What a range cannot have its end from, if that is to be known: calls but of `int`, attributes but `sys.maxsize`.
UNKNOWN = re.compile(rb"(?<!\bint)\(|[A-Za-z_]\w*+\.(?!maxsize)")
LITERAL = re.compile(rb"in[ \t\n\\(]++(?:[\w.]++[ \t]*+\([ \t\n]*+)*+(?:[\[(]|[bru]*[\"'])")
FOR_LOOP = re.compile(rb"\n([ \t\f]*+)(?:async[ \t]++)?for\b")
WHILE_LOOP = re.compile(rb"\n[ \t\f]*+while\b")


def _may_be_long(text: Text) -> bool:
    """Does a coroutine function have a loop of a thousand steps, or a third loop inside of two others?"""
    inside = text.coroutines.data
    if any(
        _is_long(text.code.data, inside[found.end() : end_of(inside, found.end() - 1)])
        for found in RANGE.finditer(inside)
    ):
        return True
    if any(_is_large(text.data, found.end() - 1) for found in LITERAL.finditer(text.data)):
        return True
    depths: list[int] = []
    for found in FOR_LOOP.finditer(inside):
        depths = [depth for depth in depths if depth < len(found[1])] + [len(found[1])]
        if len(depths) > 2:
            return True
    return False


def _is_long(data: bytes, arguments: bytes) -> bool:
    """May a range with these arguments have a thousand numbers, in this file?"""
    if UNKNOWN.search(arguments):
        return False
    names = (re.escape(name) for name in NAME.findall(arguments) if name != b"int")
    return BIG_NUMBER.search(arguments) is not None or any(
        BIG_NUMBER.search(line) or not re.search(rb"\d", line)
        for name in names
        for line in re.findall(name + rb"\b[^\n=]*+=([^\n]*+)", data)
    )


def _is_large(data: bytes, at: int) -> bool:
    """Does the literal that begins here have more than a thousand bytes, or is it taken many times?"""
    if data[at : at + 1] in (b"(", b"["):
        end = end_of(data, at, MANY)
        return end < 0 or data[end + 1 : end + 10].lstrip().startswith(b"*")
    return STRING_OR_COMMENT.match(data, at, at + MANY) is None


LONG_LOOP: Group = frozenset({_may_be_long})


def _may_be_endless(text: Text) -> bool:
    """Is there a `while` in which nothing awaits?"""
    return any(HANDS_OVER.search(block(text.data, found.end())) is None for found in WHILE_LOOP.finditer(text.data))


WHILE: Group = frozenset({WHILE_LOOP})
ENDLESS: Group = frozenset({_may_be_endless})
