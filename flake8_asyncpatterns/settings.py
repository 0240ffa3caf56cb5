"""What a project tells the rules about itself."""

from __future__ import annotations

from .tuples import NamedTuple


class Settings(NamedTuple):
    """Qualified names, as code that uses them would resolve (`"mylib.fetch"`, `"mylib.Client.get"`), and directories.

    `blocking` are calls that hold up whoever makes them; `not_blocking` are none, whatever the tables say.
    `entry_points` are functions that a program starts with; `runners` run a service and look after its signals. `src`
    are directories, by their absolute paths, in which packages of the project lie. `runtime`: fixes prefer what
    `asyncpatterns` has, also where the standard library could say it.
    """

    blocking: frozenset[str] = frozenset()
    not_blocking: frozenset[str] = frozenset()
    entry_points: frozenset[str] = frozenset()
    runners: frozenset[str] = frozenset()
    src: tuple[str, ...] = ()
    runtime: bool = False


NONE = Settings()
