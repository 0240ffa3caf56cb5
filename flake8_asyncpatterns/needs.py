"""What a file must contain before a rule can speak of it: told by its words, without parsing it.

A rule's needs are ways in which it may come to speak; where none is met, nothing is lost by not asking the rule, and
where no rule is left, by not parsing. So a need may ask too little, and never too much: `tests/test_needs.py` and
`tests/corpus/test_needs.py` hold the rules to that.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, cached_property
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

from .tuples import NamedTuple

if TYPE_CHECKING:
    from .catalogue import Card
    from .rule import Rule
    from .settings import Settings

# A whole word; a pattern that is searched for; or a question about the text.
Sign: TypeAlias = "bytes | re.Pattern[bytes] | Callable[[Text], bool]"
Group: TypeAlias = frozenset[Sign]

# What is no part of a word becomes a space. (Bytes of other letters are parts: there is no telling which letter.)
SPACED = bytes(byte if byte >= 128 or chr(byte).isalnum() or byte == ord("_") else ord(" ") for byte in range(256))
COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.MULTILINE)
# Encodings in which ASCII stands for itself.
PLAIN = re.compile(rb"utf[-_]?8|(?:us-?)?ascii|latin|iso[-_]?8859|l[1-9]|cp125|windows-125|koi8|mac", re.IGNORECASE)
# In a larger file nearly everything is to be found, and looking takes longer than it saves.
LARGE = 30_000
# In a smaller one, looking takes less long than to import a rule that has nothing to say.
SMALL = 2_000
# How tables write the types that they speak of: `asyncio.Task`, `tuple[set[asyncio.Task], set[asyncio.Task]]`.
TYPES = re.compile(r"[A-Za-z_]\w*(?:\.\w+)+")
# Stubs of boto3 have a package for each service (see `knowledge.names.same_type`).
STUBS = re.compile(rb"_boto3_")


class Need(NamedTuple):
    """One way in which a rule can come to speak: of each group, one sign is there.

    `known` are groups that a type or another file of the project can stand in for: they count only where each file is
    looked at by itself. `abroad`: this way exists only with the project's other files. `configured`: one of the names
    that the configuration calls blocking is there, too.
    """

    words: tuple[Group, ...] = ()
    known: tuple[Group, ...] = ()
    abroad: bool = False
    configured: bool = False


class Needs:
    """Needs that are worked out when somebody goes through them.

    They stand in the modules of rules, and where a rule is imported, its needs are mostly known (see `catalogue`).
    """

    def __init__(self, make: Callable[[], Iterable[Need]]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> tuple[Need, ...]:
        return tuple(self._make())

    def __iter__(self) -> Iterator[Need]:
        return iter(self._made)


def either(*needs: Iterable[Need]) -> Needs:
    """The needs of a rule that may come to speak in any of these ways."""
    return Needs(lambda: chain.from_iterable(needs))


class Text:
    """A file's words, and its bytes: these with a line feed before each line, and no other ends of lines."""

    def __init__(self, data: bytes) -> None:
        self.data = b"\n" + (data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data)
        self._shown: dict[object, bool] = {}

    @cached_property
    def words(self) -> frozenset[bytes]:
        """The words, as they stand there and as Python reads letters."""
        found = frozenset(self.data.translate(SPACED).split())
        return found if self.data.isascii() else found.union(_normalized(found))

    @cached_property
    def code(self) -> Text:
        """The same without comments and strings (but in f-strings there may be code), as Python reads letters."""
        from .bodies import bare  # late, and below: most files are told by their words

        code = bare(self.data)
        return Text(code if code.isascii() else _normal(code))

    @cached_property
    def coroutines(self) -> Text:
        """The code of all coroutine functions, and of what stands in these."""
        from .bodies import coroutines

        return Text(b"\n".join(coroutines(self.code.data)))

    @cached_property
    def plain_functions(self) -> list[tuple[bytes, Text]]:
        """The names of the functions that are no coroutine functions, and their code, with what stands in it."""
        from .bodies import plain_functions

        return [(name, Text(code)) for name, code in plain_functions(self.code.data)]

    @cached_property
    def classes(self) -> frozenset[bytes]:
        """The names of the classes."""
        from .bodies import classes

        return frozenset(classes(self.code.data))

    @property
    def is_plain(self) -> bool:
        """Does ASCII stand for itself in the encoding of this file?"""
        _, first, second, *_ = [*self.data.split(b"\n", 3), b"", b""]
        cookie = COOKIE.search(first) or COOKIE.search(second)
        return cookie is None or PLAIN.match(cookie[1]) is not None

    def has(self, group: Group) -> bool:
        """Is one of these signs there?"""
        return not group.isdisjoint(self.words) or any(self._shows(s) for s in group if not isinstance(s, bytes))

    def _shows(self, sign: re.Pattern[bytes] | Callable[[Text], bool]) -> bool:
        if sign not in self._shown:
            self._shown[sign] = bool(sign.search(self.data) if isinstance(sign, re.Pattern) else sign(self))
        return self._shown[sign]


def _normalized(words: Iterable[bytes]) -> Iterator[bytes]:
    """The words that Python reads as others: it takes letters of other shapes for the plain ones."""
    for word in words:
        if not word.isascii():
            yield _normal(word)


def _normal(code: bytes) -> bytes:
    import unicodedata  # late: most files are plain

    return unicodedata.normalize("NFKC", code.decode(errors="replace")).encode()


class _Way(NamedTuple):
    """A need as it is looked at: words first, and only where all are there the text."""

    code: str
    words: tuple[Group, ...]
    signs: tuple[Group, ...]


class Scan:
    """Tells which of some rules may have something to say of a file: `Scan(rules, settings, project=…).speakers(data)`.

    `project`: are the other files of the project asked, so that what is known here may be said there?
    """

    def __init__(self, rules: Iterable[Rule | Card], settings: Settings, *, project: bool) -> None:
        self._rules = [*rules]
        self._configured = last(settings.blocking)
        self._always: list[_Way] = []
        self._by_word: dict[bytes, list[_Way]] = defaultdict(list)
        self._anyway: set[str] = set()
        for rule in self._rules:
            needs = [*rule.needs]
            ways = dict.fromkeys(self._ways(needs, project))
            if not needs or not all(ways):  # it needs nothing, if only in one of its ways
                self._anyway.add(rule.code)
                continue
            enough = {way[0] for way in ways if len(way) == 1}
            for way in ways:
                if len(way) == 1 or enough.isdisjoint(way):
                    self._add(rule.code, way)
        self._known_words = frozenset(self._by_word)

    def _ways(self, needs: Iterable[Need], project: bool) -> Iterator[tuple[Group, ...]]:
        """The groups of each need that can be met at all."""
        for need in needs:
            if (project or not need.abroad) and (self._configured or not need.configured):
                known = () if project else need.known
                yield (*known, *need.words, *([self._configured] if need.configured else ()))

    def _add(self, code: str, groups: tuple[Group, ...]) -> None:
        """Note a way under the words of one of its groups, so that it is looked at only where one of these is."""
        plain: list[Group] = []
        signs: list[Group] = []
        for group in groups:
            (plain if _is_plain(group) else signs).append(group)
        way = _Way(code, tuple(plain[1:]), tuple(signs))
        if not plain:
            self._always.append(way)
            return
        for word in plain[0]:
            assert isinstance(word, bytes)
            self._by_word[word].append(way)

    def speakers(self, data: bytes) -> frozenset[str]:
        """The codes of the rules that may find something in a file of this content."""
        text = Text(data)
        if not text.is_plain:
            return frozenset(rule.code for rule in self._rules)
        found = {*self._anyway}
        unsure: list[_Way] = []
        for ways in (self._always, *(self._by_word[word] for word in self._known_words & text.words)):
            for way in ways:
                if way.code not in found and not any(map(text.words.isdisjoint, way.words)):
                    if way.signs:
                        unsure.append(way)
                    else:
                        found.add(way.code)
        for code, _, signs in unsure:
            # Where a file is parsed anyway, a rule knows sooner than its signs that it has nothing to say.
            does_not_pay = len(data) > LARGE or (found and len(data) > SMALL)
            if code not in found and (does_not_pay or all(map(text.has, signs))):
                found.add(code)
        return frozenset(found)


@cache
def _is_plain(group: Group) -> bool:
    """Is it of words alone?"""
    return all(isinstance(sign, bytes) for sign in group)


def words(*names: str) -> Group:
    """A group of whole words."""
    return frozenset(name.encode() for name in names)


def last(names: Iterable[str]) -> Group:
    """The words that qualified names end in."""
    return words(*(name.rpartition(".")[2] for name in names))


def calls(names: Iterable[str], *more: Group) -> Needs:
    """The needs of a rule that speaks of calls (or other mentions) of these qualified names, where `more` is there.

    A name's last part stands in the file, and the package that it comes from, or that the type comes from whose method
    it is. A `*` at the end stands for any method.
    """
    return Needs(lambda: _calls(names, more))


def _calls(names: Iterable[str], more: tuple[Group, ...]) -> Iterator[Need]:
    ends: dict[tuple[Group, ...], set[str]] = defaultdict(set)
    for name in names:
        owner, _, end = name.rpartition(".")
        ends[() if owner == "builtins" else _owner(owner)].add(end)
    return (Need((*_spelled(those, built_in=not known), *more), known) for known, those in ends.items())


def _spelled(ends: set[str], *, built_in: bool) -> tuple[Group, ...]:
    if "*" in ends:
        return ()
    return (words(*ends), _called(ends)) if built_in else (words(*ends),)


def _called(builtins: Iterable[str]) -> Group:
    """Is one of these built-in functions called here, handed over, or given another name?"""
    spelled = (name.encode() for name in builtins)
    return frozenset(re.compile(rb"%b(?<![\w.]%b)[ \t\f\\]*[(,)\r\n;#]" % (name, name)) for name in spelled)


def things(names: Iterable[str], *more: Group) -> Needs:
    """The needs of a rule that speaks of objects of these qualified types, where `more` is there."""
    return Needs(lambda: (Need(more, known) for known in dict.fromkeys(map(_owner, names))))


@cache
def _owner(name: str) -> tuple[Group, ...]:
    """What shows that a module or a type may be at hand: its package, and something that leads to it."""
    package = _package(name.partition(".")[0])
    return (package,) if name.isidentifier() else (package, _ways(name))


def _ways(name: str) -> Group:
    """The last words of all that is, or gives, a thing of this name."""
    from .knowledge.names import SAME_TYPE  # late, as below

    found, todo = {name}, [name]
    while todo:
        for key in _givers().get(todo.pop(), ()):
            # An item, any attribute, or what a call of a thing gives, comes from that thing.
            giver = key.removesuffix("[]").removesuffix("()").removesuffix(".*")
            if giver not in found:
                found.add(giver)
                if giver != key or key in SAME_TYPE:
                    todo.append(giver)
    return last(found) | ({STUBS} if any(one.startswith(("boto3.", "botocore.")) for one in found) else frozenset())


@cache
def _package(root: str) -> Group:
    """The packages by which a thing of this one can come: what theirs gives may be of this one's types."""
    found, todo = {root}, [root]
    while todo:
        for key in _givers().get(todo.pop(), ()):
            top, _, rest = key.partition(".")
            if top == "builtins":
                found.add(rest.partition(".")[0])
            elif top not in found:
                found.add(top)
                todo.append(top)
    return words(*found) | ({STUBS} if "boto3" in found else frozenset())


@cache
def _givers() -> Mapping[str, list[str]]:
    """What gives a thing of a type, by the type's name; and by its package's."""
    # Late: what a rule needs is kept, and seldom worked out.
    from .knowledge.names import ATTRIBUTES, AWAITED, ENTERED, RETURNS, SAME_TYPE, SERVERS, STREAMS

    found: dict[str, list[str]] = defaultdict(list)
    for table in (RETURNS, AWAITED, ENTERED, ATTRIBUTES, SAME_TYPE):
        for key, value in table.items():
            for kind in TYPES.findall(value):
                found[kind].append(key)
                found[kind.partition(".")[0]].append(key)
    for stream in STREAMS:  # a server hands them to its callback
        found[stream] += SERVERS
    return found
