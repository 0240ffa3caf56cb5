"""What a run over many files leaves for the next one of its kind: little of every file, and more of those that change.

An index has an entry for each file, and is read whole; what is known of single files lies in a few records beside it,
of which only those are read that somebody asks for.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import cache
from itertools import compress
from typing import TYPE_CHECKING
from zlib import crc32

from .cache import Store
from .examined import Examined
from .looking import Outcome
from .memory import Checked, Stamp
from .tuples import NamedTuple

if TYPE_CHECKING:
    from .facts import Answer, Question

# So many records take what is known of all files; files in one directory are in the same.
RECORDS = 64


class Known(NamedTuple):
    """What is known of a file: what came of it by itself, what was answered to it, and what came of it then."""

    outcome: Outcome  # without its Facts
    answers: Mapping[Question, Answer]
    final: Examined


class Before(NamedTuple):
    """What an earlier run left: its files, what was said of some, and what there was around them.

    `stamps` are those of all files, `contents` the digests of what was in them, `asking` those that ask the others
    anything. `links` are the files that names in a file lead to, as far as somebody has followed them; by absolute
    path.
    """

    stamps: Mapping[str, Stamp] = {}
    contents: Mapping[str, bytes] = {}
    asking: Set[str] = frozenset()
    said: Mapping[str, Checked] = {}
    around: Mapping[str, Stamp] = {}
    folders: Mapping[str, tuple[Stamp, bytes]] = {}
    links: Mapping[str, tuple[str, ...]] = {}

    def reaches(self, paths: Iterable[str]) -> set[str]:
        """The files that come, by any number of links, to one of these, these included."""
        sources: dict[str, list[str]] = defaultdict(list)
        for source, targets in self.links.items():
            for target in targets:
                sources[target].append(source)
        todo = list(paths)
        found = set(todo)
        while todo:
            more = {source for source in sources.get(todo.pop(), ()) if source not in found}
            found |= more
            todo += more
        return found


class Index(NamedTuple):
    """What was left, as it is kept: the names of files once, and in the same order what belongs to each.

    It is read whole, and written anew, whenever one file has changed.
    """

    names: Sequence[str]
    stamps: Sequence[Stamp]
    contents: Sequence[bytes]
    asks: Sequence[bool]
    said: Mapping[str, Checked]
    around: Mapping[str, Stamp]
    folders: Mapping[str, tuple[Stamp, bytes]]
    links: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, left: Before) -> Index:
        """What is to be kept of this."""
        names = [*left.stamps]
        contents = [left.contents[name] for name in names]
        asks = [name in left.asking for name in names]
        return cls(names, [*left.stamps.values()], contents, asks, left.said, left.around, left.folders, left.links)

    def before(self) -> Before:
        """What was left."""
        stamps = dict(zip(self.names, self.stamps, strict=True))
        contents = dict(zip(self.names, self.contents, strict=True))
        asking = {*compress(self.names, self.asks)}
        return Before(stamps, contents, asking, self.said, self.around, self.folders, self.links)


class Ledger:
    """What is kept between runs of one kind, under one key; without a Store nothing is."""

    def __init__(self, store: Store | None, key: str) -> None:
        self.store = store
        self.key = key
        self._records: dict[int, Mapping[str, Known]] = {}

    def before(self) -> Before:
        """What an earlier run left."""
        found = self.store.load(f"{self.key}-files") if self.store else None
        return found.before() if isinstance(found, Index) else Before()

    def known(self, name: str, content: bytes) -> Known | None:
        """What an earlier run knew of a file of this content; None: that is not there any more."""
        known = self._record(_number(name)).get(name)
        return known if known is not None and known.outcome.digest == content else None

    def _record(self, number: int) -> Mapping[str, Known]:
        if number not in self._records:
            found = self.store.load(self._name(number)) if self.store else None
            self._records[number] = found if isinstance(found, dict) else {}
        return self._records[number]

    def _name(self, number: int) -> str:
        return f"{self.key}-{number}"

    def keep(self, left: Before, known: Mapping[str, Known]) -> None:
        """Leave this for the next run: `known` are the files of which something else is known now."""
        if self.store is None:
            return
        changed: dict[int, dict[str, Known]] = defaultdict(dict)
        for name, one in known.items():
            changed[_number(name)][name] = one
        for number, more in changed.items():
            still = {name: one for name, one in self._record(number).items() if name in left.contents}
            self.store.save(self._name(number), still | more)
        self.store.save(f"{self.key}-files", Index.of(left))


def _number(name: str) -> int:
    return _of_folder(os.path.dirname(name))  # noqa: PTH120  # of each of many files


@cache
def _of_folder(folder: str) -> int:
    return crc32(folder.encode(errors="surrogateescape")) % RECORDS
