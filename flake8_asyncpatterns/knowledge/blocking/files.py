"""Calls that wait for a file (AIO104), or for what the file system knows of one (AIO105)."""

from __future__ import annotations

from .entry import Blocking

CALLS: dict[str, Blocking] = {}
NEVER: frozenset[str] = frozenset()
RETURNS: dict[str, str] = {}
SAME: dict[str, str] = {}
ATTRIBUTES: dict[str, str] = {}
