"""Calls that wait for time to pass."""

from __future__ import annotations

from .entry import Blocking

# Source: "time" in the library reference, CPython 3.11-3.14.
CALLS: dict[str, Blocking] = {"time.sleep": Blocking("AIO101", "asyncio.sleep")}
