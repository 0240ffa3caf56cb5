"""A line on the terminal that says how far a long run is."""

from __future__ import annotations

import sys
import time

PATIENCE = 1.0  # seconds for which nobody wonders
EVERY = 0.1


class Progress:
    """How many of so many files something was done with, and how many sites were mended so far.

    It is shown on stderr where that is a terminal and it takes long, and gone when `wipe` was called, which is due
    before anything else is written.
    """

    def __init__(self) -> None:
        self._is_seen = sys.stderr.isatty()
        self._due = time.monotonic() + PATIENCE
        self._shown = ""
        self._sites = 0
        self.begin("", 0)

    def begin(self, what: str, files: int) -> None:
        """From now on this is done, with so many files."""
        self.what = what
        self._total = files
        self._files = 0

    def count(self, sites: int = 0) -> None:
        """One more file, with so many sites."""
        self._files += 1
        self._sites += sites
        if self._is_seen and time.monotonic() >= self._due:
            said = f"{self.what}: {self._files} of {self._total} files"
            if self._sites:
                said += f", {self._sites} {'site' if self._sites == 1 else 'sites'}"
            sys.stderr.write(f"\r{said.ljust(len(self._shown))}")
            sys.stderr.flush()
            self._shown = said
            self._due = time.monotonic() + EVERY

    def wipe(self) -> None:
        """Leave the terminal as if nothing had been shown."""
        if self._shown:
            sys.stderr.write("\r" + " " * len(self._shown) + "\r")
            sys.stderr.flush()
            self._shown = ""

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.wipe()
