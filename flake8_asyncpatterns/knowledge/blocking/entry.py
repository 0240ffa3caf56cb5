"""How a table says that a call blocks."""

from __future__ import annotations

from collections.abc import Iterable

from ...tuples import NamedTuple

# What a call of each rule's kind keeps everybody waiting for.
WAITS_FOR = {
    "AIO101": "a sleep",
    "AIO102": "the network",
    "AIO103": "a process",
    "AIO104": "a file",
    "AIO105": "the file system",
    "AIO106": "a database",
    "AIO107": "somebody to type",
    "AIO108": "another thread or process",
    "AIO113": "a computation",
    "AIO115": "something",
}


class Named(str):
    """A value that goes by a qualified name: `os.WNOHANG`."""

    __slots__ = ()


class Argument(NamedTuple):
    """An argument of a call: `position` counts from 0 without `self` (-1: by keyword only).

    `values` are constants that it may have, or Named; none: whatever it is (but `None`, which says nothing).
    """

    position: int
    keyword: str = ""
    values: tuple[object, ...] = ()


class Blocking(NamedTuple):
    """A call that holds up whoever makes it.

    `code` is the rule's that speaks of it, and so its kind. `instead` is the successor that does not block, as people
    call it; empty: there is none but a thread. `unless`: it does not block where one of these arguments is so.
    `given`: it blocks only where this argument is so. `hints` are words by which a file shows that it may know how not
    to block: names, or the beginnings of its strings. `bound` says why it cannot be handed to a thread; empty: it can.
    `only` is where it exists, when not everywhere: words among `unix`, `linux`, `windows`, `>=3.12`, `<3.13`.
    """

    code: str
    instead: str = ""
    unless: tuple[Argument, ...] = ()
    given: Argument | None = None
    hints: tuple[str, ...] = ()
    bound: str = ""
    only: str = ""


def each(owners: str | Iterable[str], names: str, blocking: Blocking) -> dict[str, Blocking]:
    """The same entry for several names (parted by blanks) of a module or class, or of several.

    The name `*` stands for every method that no table names.
    """
    return {
        f"{owner}.{name}": blocking
        for owner in ([owners] if isinstance(owners, str) else owners)
        for name in names.split()
    }
