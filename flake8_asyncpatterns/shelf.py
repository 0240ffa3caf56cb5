"""What is known of single files, on disk, whoever looked at them first: `asyncfix check`, or one of flake8's processes.

Each file has records of its own: of many files only those are read that somebody asks for, and several processes at
once do not get in each other's way. A record holds for one content of its file; that of another takes its place.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from . import memory
from .cache import Store, blake2b
from .settings import Settings
from .source import Unreadable

if TYPE_CHECKING:
    from .facts import Facts

FACTS = "facts"


class Shelf:
    """The records of this tool under these settings; without a Store there are none.

    Files go by their names as they are seen from here (`seen_from_here`): what a file is, also depends on its name.
    """

    def __init__(self, store: Store | None, settings: Settings) -> None:
        said = [sorted(one) if isinstance(one, frozenset) else one for one in settings]
        self.store = store
        self._key = memory.key("file", said) if store is not None else ""

    def get(self, about: object, name: str, content: bytes) -> object | None:
        """What is known of a file of this content (`cache.digest`); None: nothing."""
        kept = self.store.load(self._record(about, name)) if self.store is not None else None
        return kept[1] if isinstance(kept, tuple) and len(kept) == 2 and kept[0] == content else None

    def put(self, about: object, name: str, content: bytes, value: object) -> None:
        """Keep what is known of a file of this content, if that can be done."""
        if self.store is not None:
            self.store.save(self._record(about, name), (content, value))

    def facts(self, name: str, content: bytes) -> Facts | Unreadable | None:
        """What a file of this content tells the others, or why it tells nothing; None: that is not known."""
        from .facts import Facts  # late: of most files nobody asks

        found = self.get(FACTS, name, content)
        return found if isinstance(found, (Facts, Unreadable)) else None

    def told(self, name: str, content: bytes, work_out: Callable[[], Facts]) -> Facts:
        """What a file of this content tells the others: as it is known, or worked out and kept.

        Raises Unreadable when it tells nothing; what was worked out to be so is not kept, as it may be for one reason
        here and for none elsewhere.
        """
        known = self.facts(name, content)
        if isinstance(known, Unreadable):
            raise known
        if known is None:
            known = work_out()
            self.keep_facts(name, content, known)
        return known

    def keep_facts(self, name: str, content: bytes, told: Facts | Unreadable) -> None:
        """Keep what a file of this content tells the others, or why it tells nothing."""
        self.put(FACTS, name, content, told)

    def _record(self, about: object, name: str) -> str:
        at = (self._key, about, os.getcwd(), os.path.normpath(name))  # noqa: PTH109  # of each of many files
        return blake2b(repr(at).encode(errors="surrogateescape"), digest_size=20).hexdigest()


def seen_from_here(path: str) -> str:
    """The name by which people call a file, of which this is the absolute path, where they are."""
    here = os.path.join(os.getcwd(), "")  # noqa: PTH109, PTH118  # as above
    return path.removeprefix(here)
