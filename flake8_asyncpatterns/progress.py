"""A line on the terminal that says how far a long run is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 1.0  # seconds for which nobody wonders
EVERY = 0.1


def watched(items: Iterable[T], total: int, speaks: Callable[[T], object]) -> Iterator[T]:
    """The items, with a count of them on stderr where that is a terminal and it takes long.

    The line is gone before an item is handed out about which something is written (`speaks`), and at the end.
    """
    if not sys.stderr.isatty():
        yield from items
        return
    due = time.monotonic() + PATIENCE
    shown = ""
    try:
        for count, item in enumerate(items, 1):
            if shown and speaks(item):
                _wipe(shown)
                shown = ""
            yield item
            if time.monotonic() >= due:
                shown = f"{count} of {total} files"
                sys.stderr.write(f"\r{shown}")
                sys.stderr.flush()
                due = time.monotonic() + EVERY
    finally:
        if shown:
            _wipe(shown)


def _wipe(shown: str) -> None:
    sys.stderr.write("\r" + " " * len(shown) + "\r")
    sys.stderr.flush()
