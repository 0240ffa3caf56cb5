"""Calls that compute for long."""

from __future__ import annotations

from .entry import Blocking

CALLS: dict[str, Blocking] = {}
