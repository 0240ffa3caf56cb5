"""Files of the time when `async` and `await` were names, which no Python since 3.7 parses.

Where they are used as names, other names of the same length stand in for them: so such a file parses, and every place
in it stays where it is. What is shown or written has the old names again.
"""

from __future__ import annotations

import ast
import re
import token as kinds
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from .source import NEWLINE, STRING_OR_COMMENT, lines
from .tuples import NamedTuple

if TYPE_CHECKING:
    from .module import Module
    from .rule import Finding

# Spelled as nobody does, and just as long.
STAND_INS = {"async": "aSyNc", "await": "aWaIt"}
ORIGINALS = {stand_in: name for name, stand_in in STAND_INS.items()}
STAND_IN = re.compile("|".join(ORIGINALS))
# What may come before a name that is an attribute, is being defined, imported or declared.
NAMES_WHAT_FOLLOWS = frozenset({".", "def", "class", "import", "as", "global", "nonlocal"})
# What may stand between two operands, or behind the last, and so cannot begin what is awaited.
BEHIND_A_NAME = frozenset({"and", "as", "else", "for", "from", "if", "import", "in", "is", "or"})
BEFORE_AN_OPERAND = frozenset({"(", "[", "{", ",", "=", "+", "-", "*", "/", "%", "<", ">", "==", "!=", "not"})
BEGINS_AN_OPERAND = frozenset("([{")
# What may follow a name, and no keyword that begins something; `for` may follow both.
NAMED = re.compile(
    rb"async\b[ \t\f\\]*+(?:[^\w]|(?:and|as|else|if|import|in|is|not|or)\b|$)"
    rb"|await\b[ \t\f\\]*+(?:[^\w\"'{]|(?:and|as|else|for|from|if|import|in|is|or)\b|$)"
)
ASYNC_FOR = re.compile(rb"async[ \t\f\\]++for\b")
BEFORE_A_NAME = frozenset(bytes([byte]) for byte in b".([{,=+-*/%<>!&|^~@\\")
SPACES = 80  # nobody writes more of them between two tokens
LAYOUT = frozenset({kinds.COMMENT, kinds.NL, kinds.INDENT, kinds.DEDENT, kinds.ENCODING, kinds.ENDMARKER})


class Token(NamedTuple):
    """A token that means something, and whether it stands inside an `async def` (as tokens go: until it dedents)."""

    text: str
    kind: int
    start: tuple[int, int]
    in_coroutine: bool


def may_be_names(data: bytes) -> bool:
    """May `async` or `await` be a name in this source, as far as its bytes tell? False: surely not.

    Its lines end in line feeds.
    """
    return _shows_names(data) and _shows_names(STRING_OR_COMMENT.sub(b"''", data))


def _shows_names(data: bytes) -> bool:
    return NAMED.search(data) is not None or any(
        before[-1:] in BEFORE_A_NAME
        for found in ASYNC_FOR.finditer(data)
        if (before := data[max(0, found.start() - SPACES) : found.start()].rstrip(b" \t\f"))
    )


def stand_in(text: str) -> str | None:
    """The text with names that parse in place of `async` and `await`; None: it has none, or cannot be told."""
    if STAND_IN.search(text) or not may_be_names("\n".join(lines(text)).encode(errors="replace")):
        return None  # (taking it apart takes far longer)
    from tokenize import TokenError  # late: hardly any file comes to this

    try:
        found = list(_names(text))
    except (TokenError, SyntaxError, ValueError):
        return None
    if not found:
        return None
    starts = [0, *(newline.end() for newline in NEWLINE.finditer(text))]
    pieces, done = [], 0
    for token in found:
        at = starts[token.start[0] - 1] + token.start[1]
        pieces += [text[done:at], STAND_INS[token.text]]
        done = at + len(token.text)
    return "".join([*pieces, text[done:]])


def original(text: str) -> str:
    """The text with `async` and `await` in place of what stands in for them."""
    return STAND_IN.sub(lambda found: ORIGINALS[found[0]], text)


def told(found: Iterable[Finding]) -> list[Finding]:
    """The findings, with the old names in all that they say."""
    told = []
    for finding in found:
        if finding.fix:
            finding.fix.unsafe = original(finding.fix.unsafe)
        related = tuple(place._replace(message=original(place.message)) for place in finding.related)
        message, refusal = original(finding.message), original(finding.refusal)
        told.append(finding._replace(message=message, refusal=refusal, related=related))
    return told


def stands_in(module: Module) -> bool:
    """Do names in this module stand in for others, or does it have them from its author?"""
    if not any(name in module.text for name in ORIGINALS):
        return False
    try:
        ast.parse(original(module.text))
    except (SyntaxError, ValueError):
        return True
    return False


def _names(text: str) -> Iterator[Token]:
    """The tokens `async` and `await` that are no keywords."""
    tokens = list(_tokens(text))
    end = Token("", kinds.NEWLINE, (0, 0), in_coroutine=False)
    for before, (token, after) in zip([end, *tokens], pairwise([*tokens, end]), strict=False):
        if token.text in STAND_INS and token.kind == kinds.NAME and _is_name(before, token, after):
            yield token


def _is_name(before: Token, token: Token, after: Token) -> bool:
    if before.text in NAMES_WHAT_FOLLOWS or (before.text == "from" and after.text in ("import", ".", ",", "as")):
        return True
    if token.text == "async":
        if after.text == "for":  # `[async for async in x]` has both
            return before.text in BEFORE_AN_OPERAND
        return after.text not in ("def", "with")
    if after.kind == kinds.NAME:
        return after.text in BEHIND_A_NAME
    if after.kind in (kinds.NUMBER, kinds.STRING):
        return False
    # `await (x)` is a call of `await` outside of coroutines, and awaits inside.
    return after.text not in BEGINS_AN_OPERAND or not token.in_coroutine


def _tokens(text: str) -> Iterator[Token]:
    """The tokens that mean something, each logical line ending in one of kind NEWLINE."""
    from tokenize import generate_tokens  # late, as above

    numbered = [line + "\n" for line in lines(text)]
    depth = 0
    outer: int | None = None  # how deep the outmost `async def` stands that this line is in
    previous = Token("", kinds.NEWLINE, (0, 0), in_coroutine=False)
    for token in generate_tokens(iter(numbered).__next__):
        depth += (token.type == kinds.INDENT) - (token.type == kinds.DEDENT)
        if token.type in LAYOUT:
            continue
        if previous.kind == kinds.NEWLINE and outer is not None and depth <= outer:
            outer = None
        if outer is None and token.string == "def" and previous.text == "async":
            outer = depth
        previous = Token(token.string, token.type, token.start, outer is not None)
        yield previous
