"""Which rules speak about which file: defaults, then the configuration, then the command line."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from .misuse import Misuse
from .tuples import NamedTuple

if TYPE_CHECKING:
    from .catalogue import Card

ALL = "ALL"


class Layer(NamedTuple):
    """What one place, the configuration or the command line, says about rules. Codes may be beginnings of codes.

    `select` None: what was said before stands; else it is forgotten.
    """

    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def chooses(self, code: str, before: bool) -> bool:
        """Is this rule on? The longest beginning decides, and of two alike the one that ignores."""
        chosen = _reach(code, (*(self.select or ()), *self.extend_select))
        ignored = _reach(code, self.ignore)
        if chosen == ignored == -1:
            return before and self.select is None
        return chosen > ignored


def _reach(code: str, beginnings: Iterable[str]) -> int:
    """The length of the longest of these that a code begins with; `ALL` has none; -1: there is none."""
    return max((0 if b == ALL else len(b) for b in beginnings if b == ALL or code.startswith(b)), default=-1)


class Selection(NamedTuple):
    """The rules that are on, and the files for which some of them are not."""

    rules: tuple[Card, ...]
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    root: Path = Path()

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the rules that are on."""
        return tuple(rule.code for rule in self.rules)

    def codes_of(self, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """For each file the codes of its rules."""
        codes = self.codes
        if not self.per_file_ignores:
            return dict.fromkeys(names, codes)
        return {name: self._left(codes, Path(name)) for name in names}

    def _left(self, codes: tuple[str, ...], path: Path) -> tuple[str, ...]:
        ignored = [code for glob, codes in self.per_file_ignores for code in codes if within(path, glob, self.root)]
        return tuple(code for code in codes if _reach(code, ignored) == -1) if ignored else codes


def select(*layers: Layer) -> tuple[Card, ...]:
    """The rules that are on after each layer has had its say."""
    return tuple(_select(layers))


def _select(layers: Iterable[Layer]) -> Iterator[Card]:
    from .rules import RULES  # late: where nothing has changed, nobody asks for them

    for code, card in sorted(RULES.cards.items()):
        on = card.default
        for layer in layers:
            on = layer.chooses(code, on)
        if on:
            yield card


def codes(words: Iterable[str], where: str) -> tuple[str, ...]:
    """Beginnings of codes, each of at least one rule. Raises Misuse, which names `where` they were found."""
    found = tuple(word.strip().upper() for word in words if word.strip())
    if found:
        from .rules import RULES  # late, as above
    for word in found:
        if word != ALL and not any(code.startswith(word) for code in RULES):
            raise Misuse(f"{where}: no rule's code begins with {word!r}{suggestion(word.lower())}")
    return found


def suggestion(word: str) -> str:
    """Which rule a mistaken code or name may stand for, as the end of a sentence."""
    from .rules import RULES  # late, as above

    names = {card.name: code for code, card in RULES.cards.items()}
    found = near(word, [*(code.lower() for code in RULES), *names])
    return f"; did you mean {names.get(found, found.upper())}?" if found else ""


def near(word: str, known: Iterable[str]) -> str:
    """The known word that is most like this one; empty: none is."""
    from difflib import get_close_matches  # late: only mistakes need it

    return next(iter(get_close_matches(word, list(known), 1)), "")


def within(path: Path, glob: str, root: Path) -> bool:
    """Does a glob mean this file or directory, or one around it?

    A glob without a slash means any name; one with a slash a path from the root on, where `*` crosses slashes.
    """
    glob = glob.rstrip("/")
    if "/" not in glob:
        return any(fnmatch(part, glob) for part in path.parts)
    absolute = Path(os.path.abspath(path))  # noqa: PTH100  # resolve() would follow links, absolute() keeps `..`
    from_root = absolute.relative_to(root) if absolute.is_relative_to(root) else absolute
    globs = {glob, glob.removeprefix("**/"), glob.removeprefix("./")}
    return any(fnmatch(p.as_posix(), g) for p in (from_root, *from_root.parents) for g in globs)
