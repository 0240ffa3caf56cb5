"""Calls that wait for somebody to type."""

from __future__ import annotations

from .entry import Blocking, each

# Source: "Built-in Functions" and "getpass" in the library reference, CPython 3.11-3.14.
CALLS: dict[str, Blocking] = {
    **each("builtins", "input", Blocking("AIO107")),
    **each("getpass", "getpass unix_getpass", Blocking("AIO107")),
}
