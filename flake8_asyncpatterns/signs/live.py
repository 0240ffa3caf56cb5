"""Loops over what is changed meanwhile, as far as the bytes of a file show: for `needs`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial

from ..layout import block, end_of, line_start, start_of, statement
from ..needs import Group, Text
from ..uses import word_before
from . import HANDS_OVER, NAME
from .loops import FOR_LOOP

IN = re.compile(rb"[^\n:]*?\bin\b")
COPIES = re.compile(rb"[ \t\\\n]*+(?:list|tuple|sorted|set|frozenset|range)\(")
BETWEEN_WORDS = frozenset(b" \t\f)]}'\"")
FOR_WORD = re.compile(rb"for\b")  # (one that began with what may stand before it would take far longer)
USUAL = frozenset({b"self", b"cls", b"for", b"if", b"in", b"not", b"and", b"or", b"items", b"keys", b"values", b"list"})
SET_OR_DELETED = (re.compile(rb"\][ \t]*+=(?!=)"), re.compile(rb"del\b"))


def changing(methods: Group) -> Group:
    """Does a coroutine function have a loop that awaits, over what one of these methods, an item's assignment or a
    `del` changes?"""
    spelled = b"|".join(sorted(method for method in methods if isinstance(method, bytes)))
    change = re.compile(rb"\.[ \t]*+(?:" + spelled + rb")[ \t]*+\(")
    return frozenset({partial(_changing, (change, *SET_OR_DELETED))})


def _changing(changes: Iterable[re.Pattern[bytes]], text: Text) -> bool:
    code, data = text.code.data, text.coroutines.data
    changed = {name for change in changes for found in change.finditer(code) for name in _changed(code, found)} - USUAL
    if not changed:
        return False
    for found in FOR_LOOP.finditer(data):
        if _goes_over(changed, data, found.end()) and HANDS_OVER.search(block(data, found.end())):
            return True
    return any(
        _goes_over(changed, data, found.end()) and _awaits_around(data, found.start())
        for found in FOR_WORD.finditer(data)
        if _continues(data, found.start())
    )


def _continues(data: bytes, at: int) -> bool:
    """Does a word go on with an expression, rather than begin a statement?"""
    start = line_start(data, at)
    before = data[start:at].rstrip(b" \t\f")
    if before:
        return before[-1:] not in b":;#" and data[at - 1] in BETWEEN_WORDS
    end = data[max(0, start - 2) : start - 1]
    return end.isalnum() or end in (b"_", b")", b"]", b"}", b"'", b'"')


def _goes_over(names: set[bytes], data: bytes, at: int) -> bool:
    """Does a loop go over something of one of these names, whose header goes on here?"""
    header = IN.match(data, at)
    return (
        header is not None
        and not COPIES.match(data, header.end())
        and not names.isdisjoint(NAME.findall(statement(data, header.end())))
    )


def _awaits_around(data: bytes, at: int) -> bool:
    """Does a comprehension await in which this place is?"""
    start = start_of(data, at)
    return start < 0 or HANDS_OVER.search(data, start, max(at, end_of(data, start)) + 1) is not None


def _changed(data: bytes, found: re.Match[bytes]) -> list[bytes]:
    """What is changed here; or the names in a line up to where it changes something, or behind a `del`."""
    if found[0] == b"del":
        return NAME.findall(statement(data, found.end()))
    if found[0].startswith(b".") and (name := word_before(data, found.start())):
        return [name]
    return NAME.findall(data, line_start(data, found.start()), found.start())
