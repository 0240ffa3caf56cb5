"""All rules by code: what is to be known of each before it speaks, and the rule itself when it is to.

Whatever a rule says of itself stands in its own module, and to import all of these takes longer than to look at a small
file. So that is done once, and what they say is kept beside their byte code; from then on a module is imported when its
rule is asked for.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Hashable, Iterator, MutableMapping, Sequence
from functools import cache, cached_property, partial
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from . import memory
from .cache import Store
from .needs import Group, Need, Sign, Text
from .tuples import NamedTuple

if TYPE_CHECKING:
    from .rule import Rule

T = TypeVar("T", bound=Hashable)


class Card(NamedTuple):
    """What a Rule says of itself, and the name of its module."""

    code: str
    name: str
    default: bool
    needs: tuple[Need, ...]
    module: str


class Rules(MutableMapping[str, "Rule"]):
    """The rules in some modules. `cards` has what is to be known of them before their modules are imported.

    `folder` is where that is kept; None: nowhere.
    """

    def __init__(self, modules: Sequence[str], folder: Store | None) -> None:
        self._modules = modules
        self._folder = folder
        self._imported: dict[str, Rule] = {}

    @cached_property
    def cards(self) -> dict[str, Card]:
        """The cards of all rules, by code."""
        name, key = f"rules.{sys.implementation.cache_tag}", memory.key("cards")
        kept = self._folder.load(name) if self._folder is not None else None
        if isinstance(kept, tuple) and len(kept) == 2 and kept[0] == key and isinstance(kept[1], dict):
            return kept[1]
        for module in self._modules:
            self._import(module)
        cards = {code: _card(rule) for code, rule in self._imported.items()}
        if self._folder is not None and not sys.dont_write_bytecode:
            self._folder.save(name, (key, {code: _to_keep(card) for code, card in cards.items()}))
        return cards

    def _import(self, name: str) -> None:
        from .rule import Rule  # late: of most files no rule has anything to say

        found = (value for value in vars(import_module(name)).values() if isinstance(value, Rule))
        self._imported.update((rule.code, rule) for rule in found)

    def __getitem__(self, code: str) -> Rule:
        card = self.cards[code]
        if code not in self._imported:
            self._import(card.module)
        return self._imported[code]

    def __setitem__(self, code: str, rule: Rule) -> None:
        self.cards[code] = _card(rule)
        self._imported[code] = rule

    def __delitem__(self, code: str) -> None:
        del self.cards[code]
        self._imported.pop(code, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self.cards)

    def __len__(self) -> int:
        return len(self.cards)


def _card(rule: Rule) -> Card:
    return Card(rule.code, rule.name, rule.default, tuple(rule.needs), rule.check.__module__)


def _to_keep(card: Card) -> Card:
    """A card that is read without importing anything of what its signs are made of."""
    needs = (need._replace(words=(*map(_kept, need.words),), known=(*map(_kept, need.known),)) for need in card.needs)
    return card._replace(needs=tuple(map(_same, needs)))


@cache
def _kept(group: Group) -> Group:
    kept: Group = _same(frozenset(map(_sign, group)))
    return kept


def _sign(sign: Sign) -> Sign:
    """A sign; what it takes to look for one that is no word is made, or imported, only where that is looked for."""
    return sign if isinstance(sign, bytes) else _later(pickle.dumps(sign))


@cache
def _later(pickled: bytes) -> Sign:
    return partial(_has, pickled)


@cache
def _same(kept: T) -> T:
    """One object for all that are equal, which is then read but once."""
    return kept


def _has(pickled: bytes, text: Text) -> bool:
    return text.has(_unpickled(pickled))


@cache
def _unpickled(sign: bytes) -> Group:
    return frozenset({pickle.loads(sign)})  # our own, as all of its card
