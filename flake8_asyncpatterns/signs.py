"""What the bytes of a file show of its statements, without being parsed: for `needs`.

Everything here may be mistaken for being there (in a string, in a comment), and never for being absent.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial

from .keywords import may_be_names
from .knowledge.awaitables import GENERATOR_COROUTINES
from .layout import block, end_of, line_start, start_of
from .needs import Group, Need, Needs, Text, last, words
from .source import STRING_OR_COMMENT
from .uses import calls_of, is_awaited, is_renamed, word_before

ASYNC = words("async")
AWAIT = words("await")
FOR = words("for")
YIELD = words("yield")
# A coroutine: an `async def`, or a generator that is decorated.
ON_THE_LOOP = ASYNC | last(GENERATOR_COROUTINES)


def _pattern(text: bytes) -> Group:
    return frozenset({re.compile(text)})


# Each begins with letters that can be searched for, and never goes back: that is what makes it fast.
WITH = _pattern(rb"\n[ \t\f]*+with\b")
BARE_EXCEPT = _pattern(rb"except[ \t\f\\\n]*+:")
YIELD_FROM = _pattern(rb"yield[ \t\f\\\n]++from\b")
WITH_AWAIT = _pattern(rb"\n[ \t\f]*+with[ \t\f\\\n(]++await\b")
LOOP_KEYWORD = _pattern(rb"loop[ \t\f\\\n]*+=")
# `asyncio.wait(…)` has arguments, `event.wait()` has none.
HAS_ARGUMENTS = _pattern(rb"wait[ \t\f\\]*+(?:\([ \t\f\\\n]*+[^)]|as\b)")

NAME = re.compile(rb"[^\W\d]\w*+")
HANDS_OVER = re.compile(rb"\b(?:await|async|yield)\b")


def _may_have_keywords_as_names(text: Text) -> bool:
    return may_be_names(text.data)


KEYWORD_AS_NAME: Group = frozenset({_may_have_keywords_as_names})

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

ENTERS = re.compile(rb"[ \t\f]*+(?:async[ \t]++)?with\b")


def under(names: Group, sign: re.Pattern[bytes] | None = None) -> Group:
    """Is there a `with` of one of these calls in whose block this is to be found; None: where nothing awaits?"""
    return frozenset({partial(_under, names, sign)})


def _under(names: Group, sign: re.Pattern[bytes] | None, text: Text) -> bool:
    data = text.data
    for name in names & text.words:
        assert isinstance(name, bytes)
        for found in re.finditer(name + rb"[ \t]*+(?:\(|as\b)", data):
            if found[0].endswith(b"as"):
                return True  # it is called by another name
            start = line_start(data, found.start())
            if not ENTERS.match(data, start):
                start = line_start(data, start_of(data, found.start()))
            if entered := ENTERS.match(data, start):
                inside = block(data, entered.end())
                if (HANDS_OVER.search(inside) is None) if sign is None else (sign.search(inside) is not None):
                    return True
    return False


def made_by_coroutines(needs: Iterable[Need], *, awaited: bool = False) -> Needs:
    """The needs of `calls`, where it has to be a coroutine function that makes the call, and (unless `awaited`) does
    not await it."""
    return Needs(lambda: (_made(need, partial(_by_coroutine, awaited)) for need in needs))


def made_for_coroutines(needs: Iterable[Need]) -> Needs:
    """The needs of `calls`, where it has to be a plain function that makes the call, and one that a coroutine function
    speaks of, or of what calls it, and so on."""
    return Needs(lambda: (_made(need, _by_plain_function) for need in needs))


def _made(need: Need, sign: Callable[[Group, Group, Text], bool]) -> Need:
    if not need.words:
        return need._replace(words=(ON_THE_LOOP,))
    names, *_ = need.words
    # What no type has is a function of the package itself: imported by its own name, or called as `package.f()`.
    modules = need.known[0] | {b""} if len(need.known) == 1 else frozenset()
    return need._replace(words=(*need.words, ON_THE_LOOP, frozenset({partial(sign, names, modules)})))


def _by_coroutine(awaited: bool, names: Group, modules: Group, text: Text) -> bool:
    code, inside = text.code, text.coroutines
    return _any_renamed(names | modules, code) or _any_called(names, modules, inside, awaited=awaited)


def _by_plain_function(names: Group, modules: Group, text: Text) -> bool:
    code, inside = text.code, text.coroutines
    if _any_renamed(names | modules, code):
        return True
    plain = text.plain_functions
    blocking = {name for name, body in plain if _any_called(names, modules, body)}
    before = 0
    while len(blocking) > before:
        before = len(blocking)
        if b"__init__" in blocking:
            blocking |= text.classes
        blocking |= {name for name, body in plain if not blocking.isdisjoint(body.words)}
    return not blocking.isdisjoint(inside.words) or _any_renamed(frozenset(blocking), code)


def _any_renamed(names: Group, code: Text) -> bool:
    return any(is_renamed(name, code.data) for name in names & code.words if isinstance(name, bytes))


def _any_called(names: Group, modules: Group, code: Text, *, awaited: bool = False) -> bool:
    return any(
        awaited or not is_awaited(call, code.data)
        for name in names & code.words
        if isinstance(name, bytes)
        for call in calls_of(name, code.data, modules)
    )


# `x += …`
CHANGED = re.compile(rb"[-+*/%&|^@<>]=(?<![^<]<=)(?<![^>]>=)")
# `x.y = …`, `x[y] = …`; `x = …` where that may be another function's.
KEPT = re.compile(rb"[\n;][ \t]*+(\w++[ \t]*+(?:[.\[][^\n=(]*+)++)=(?!=)([^\n]*+)")
BOUND = re.compile(rb"[\n;][ \t]*+([\w.\[\]'\"]++)[ \t]*+(?::[^=\n]*+)?=(?!=)([^\n]*+)")
# A variable that is an attribute, an item or a variable, and nothing else.
READ = re.compile(rb"[\n;:=(,.][ \t]*+(\w++)[ \t]*+(?::[^=\n]*+)?=[ \t]*+([\w.]++(?:\[[^\n]*+)?)[ \t]*+[\n;#]")
LAST_NAME = re.compile(rb"([^\W\d]\w*)[ \t]*(?:\[[^\n]*)?[ \t]*(?::[^\n]*)?$")
OPERATOR = re.compile(rb"[-+*/%&|^@]|<<|>>|[(\[{\\]$")


def _may_be_update(text: Text) -> bool:
    """Is there an update whose new value awaits, or one with an old value that was read before?

    What is not an attribute or an item is no other task's, unless it is declared to be.
    """
    data = text.coroutines.data
    if any(b"await" in _statement(data, found.end()) for found in CHANGED.finditer(data)):
        return True
    shared = KEPT if text.words.isdisjoint((b"global", b"nonlocal")) else BOUND
    written: dict[bytes, set[bytes]] = defaultdict(set)
    for found in shared.finditer(data):
        if OPERATOR.search(found[2]) and (target := LAST_NAME.search(found[1])):
            value = _statement(data, found.start(2))
            if b"await" in value and target[1] in NAME.findall(value):
                return True
            written[target[1]].update(NAME.findall(value))
    return bool(written) and any(
        found[1] in written.get(read[1], ()) for found in READ.finditer(data) if (read := LAST_NAME.search(found[2]))
    )


def _statement(data: bytes, at: int) -> bytes:
    """The rest of a statement, and perhaps some more: up to a line that ends neither in a bracket nor inside of one."""
    end = at
    while (newline := data.find(b"\n", end)) >= 0:
        part = data[at:newline]
        opened = sum(map(part.count, (b"(", b"[", b"{"))) - sum(map(part.count, (b")", b"]", b"}")))
        if opened <= 0 and not part.endswith(b"\\"):
            return part
        end = newline + 1
    return data[at:]


UPDATE: Group = frozenset({_may_be_update})

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
        and not names.isdisjoint(NAME.findall(_statement(data, header.end())))
    )


def _awaits_around(data: bytes, at: int) -> bool:
    """Does a comprehension await in which this place is?"""
    start = start_of(data, at)
    return start < 0 or HANDS_OVER.search(data, start, max(at, end_of(data, start)) + 1) is not None


def _changed(data: bytes, found: re.Match[bytes]) -> list[bytes]:
    """What is changed here; or the names in a line up to where it changes something, or behind a `del`."""
    if found[0] == b"del":
        return NAME.findall(_statement(data, found.end()))
    if found[0].startswith(b".") and (name := word_before(data, found.start())):
        return [name]
    return NAME.findall(data, line_start(data, found.start()), found.start())
