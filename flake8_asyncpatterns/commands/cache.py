"""`asyncfix cache`: say where earlier results are kept, or delete them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..misuse import Misuse
from . import CLEAN

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    from .. import cache

    folder = cache.directory(options.cache_dir)
    if folder is None:
        raise Misuse("there is no home directory to keep a cache in; say where with --cache-dir")
    if options.action == "dir":
        print(folder)
        return CLEAN
    try:
        freed = cache.Store(folder).clear()
    except OSError as error:
        from ..source import reason

        raise Misuse(f"{folder}: {reason(error)}") from None
    print(f"Freed {freed / 1e6:.1f} MB in {folder}.")
    return CLEAN
