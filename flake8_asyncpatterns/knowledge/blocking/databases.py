"""Calls that wait for a database."""

from __future__ import annotations

from .entry import Blocking

CALLS: dict[str, Blocking] = {}
NEVER: frozenset[str] = frozenset()
RETURNS: dict[str, str] = {}
SAME: dict[str, str] = {}
ATTRIBUTES: dict[str, str] = {}
