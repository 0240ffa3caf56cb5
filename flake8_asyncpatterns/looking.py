"""What is done with a file that is checked: from its name to what it says by itself.

It depends on nothing but the file's bytes, its name and what is said here; so it may be done anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from .cache import digest
from .examined import TOO_DEEP, Examined
from .needs import Scan
from .rules import RULES
from .settings import Settings
from .source import Unreadable, decode, load
from .tuples import NamedTuple

if TYPE_CHECKING:
    from .facts import Answer, Question


class Order(NamedTuple):
    """What is said once for all files: the rules that any of them is looked at with, and whether with the others."""

    codes: tuple[str, ...]
    settings: Settings
    project: bool


class Job(NamedTuple):
    """A file to be looked at, with these rules. `data` None: it is read where the work is done."""

    name: str
    codes: tuple[str, ...]
    data: bytes | None = None
    answers: Mapping[Question, Answer] | None = None


class Outcome(NamedTuple):
    """What came of a file, or why nothing did. `digest` is that of its bytes; empty: it was not read."""

    examined: Examined = Examined()
    failure: str = ""
    digest: bytes = b""


def look(order: Order, jobs: Sequence[Job]) -> list[Outcome]:
    """What comes of some files. The same in every process."""
    return [_outcome(order, job) for job in jobs]


def _outcome(order: Order, job: Job) -> Outcome:
    try:
        data = load(Path(job.name)) if job.data is None else job.data
    except Unreadable as error:
        return Outcome(failure=str(error))
    try:
        codes = speaking(order, job.codes, data)
        if not codes:
            return Outcome(digest=digest(data))
        from .check import examine  # late: of most files no rule can speak

        rules = map(RULES.__getitem__, codes)  # which imports them, but not for what does not parse
        examined = examine(decode(data), job.name, rules, order.settings, job.answers, alone=not order.project)
    except Unreadable as error:
        return Outcome(failure=str(error), digest=digest(data))
    except RecursionError:
        return Outcome(failure=TOO_DEEP, digest=digest(data))
    return Outcome(examined, digest=digest(data))


def speaking(order: Order, codes: Sequence[str], data: bytes) -> list[str]:
    """The codes of those of a file's rules that may have something to say of this content."""
    speakers = _scan(order).speakers(data)
    return [code for code in codes if code in speakers]


@lru_cache(maxsize=4)
def _scan(order: Order) -> Scan:
    return Scan([RULES.cards[code] for code in order.codes], order.settings, project=order.project)
