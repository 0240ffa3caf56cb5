"""Calls that wait for another thread, another process or a signal."""

from __future__ import annotations

from .entry import Blocking

CALLS: dict[str, Blocking] = {}
NEVER: frozenset[str] = frozenset()
RETURNS: dict[str, str] = {}
SAME: dict[str, str] = {}
ATTRIBUTES: dict[str, str] = {}
