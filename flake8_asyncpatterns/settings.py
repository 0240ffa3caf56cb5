"""What a project tells the rules about itself."""

from __future__ import annotations

from typing import NamedTuple


class Settings(NamedTuple):
    """Qualified names are as code that uses them would resolve them: `"mylib.fetch"`, `"mylib.Client.get"`.

    `blocking` are calls that hold up whoever makes them; `not_blocking` are none, whatever the tables say.
    `entry_points` are functions that a program starts with; `runners` run a service and look after its signals.
    `runtime`: fixes prefer what `asyncpatterns` has, also where the standard library could say it.
    """

    blocking: frozenset[str] = frozenset()
    not_blocking: frozenset[str] = frozenset()
    entry_points: frozenset[str] = frozenset()
    runners: frozenset[str] = frozenset()
    runtime: bool = False


NONE = Settings()
