"""Which names of a table a call in a file may mean, as far as the file's words tell.

A method of a type means nothing where neither the type's package stands in the file, nor anything that gives one: so
most calls of `.get()` need not be asked what they are called on.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from ..needs import SMALL, Need, Text

if TYPE_CHECKING:
    from ..module import Module


class Possible:
    """The last parts of the names of a table that may be meant: `last in Possible(needs, module)`.

    `needs` are those of the table (`needs.calls`), `more` are names besides. Other files may know the types that this
    one is silent about: with a project all names are possible, but not all methods of types that have any.
    In a small file, where to work that out would take longer than to ask for the types of a few calls, all is possible.
    """

    def __init__(self, needs: Iterable[Need], module: Module, more: Iterable[str] = ()) -> None:
        if len(module.text) < SMALL:
            self._any, self._names = True, frozenset[str]()
            return
        if module.project is None:
            text = module.analysis(_text)
            met = [need for need in needs if all(map(text.has, need.known))]
        else:
            imported = module.analysis(_imported)
            met = [need for need in needs if need.words or imported.has(need.known[0])]
        self._any = not all(need.words for need in met)
        self._names = frozenset(more).union(*(_words(need) for need in met if need.words))

    def __contains__(self, name: str) -> bool:
        """May a method of this name be one of the table's?"""
        return self._any or name in self._names


@cache
def _words(need: Need) -> frozenset[str]:
    """What a call by which this need is met may be spelled like."""
    return frozenset(word.decode() for word in need.words[0] if isinstance(word, bytes))


def _text(module: Module) -> Text:
    return Text(module.text.encode(errors="surrogatepass"))


def _imported(module: Module) -> Text:
    return Text(" ".join(module.packages()).encode(errors="surrogatepass"))
