"""What the commands of `asyncfix` do, one room each. Here is what all of them share: exit codes, and how they speak."""

from __future__ import annotations

import sys
from pathlib import Path

from ..misuse import Misuse

CLEAN, FOUND, FAILED = 0, 1, 2
STDIN = Path("-")


def say(message: str) -> None:
    """Tell people something, on stderr."""
    print(message, file=sys.stderr)


def write_bytes(data: bytes) -> None:
    """Put bytes on stdout, behind what was printed."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def exit_code(failed: object, found: object) -> int:
    """The exit code of a run in which something failed, or was found."""
    return FAILED if failed else FOUND if found else CLEAN


def current_directory() -> Path:
    """Where relative paths begin. Raises Misuse where that is gone."""
    try:
        return Path.cwd()
    except OSError as error:
        from ..source import reason

        raise Misuse(f"the current directory: {reason(error)}") from None
