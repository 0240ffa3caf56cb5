"""The files that new text is written to before it takes its place, and those of them that a killed run left behind."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

# Hidden, and no *.py: if we are killed, nobody takes it for code.
SUFFIX = ".asyncfix"
TEMPORARY = re.compile(rf"\..{{1,20}}\.[0-9a-f]{{12}}{re.escape(SUFFIX)}", re.DOTALL)


def temporary(target: Path) -> Path:
    """A name beside a file that no other file has. Short: a name has room for 255 bytes."""
    return target.with_name(f".{target.name[:20]}.{os.urandom(6).hex()}{SUFFIX}")


def claim(handle: int) -> None:
    """Mark an open temporary file as in use, for as long as it is open and we are alive."""
    with suppress(ImportError, OSError):  # not on Windows, where nobody removes an open file; not on every file system
        import fcntl  # late: only this needs it

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def tidy(folders: Iterable[Path]) -> None:
    """Remove what killed runs left behind in these folders, and nothing that a running one still writes to."""
    for folder in folders:
        with suppress(OSError), os.scandir(folder) as entries:
            found = [Path(entry) for entry in entries if _is_temporary(entry)]
            for path in found:
                _remove_abandoned(path)


def _is_temporary(entry: os.DirEntry[str]) -> bool:
    return (
        entry.name.endswith(SUFFIX) and bool(TEMPORARY.fullmatch(entry.name)) and entry.is_file(follow_symlinks=False)
    )


def _remove_abandoned(path: Path) -> None:
    with suppress(OSError):  # in use, gone meanwhile, or not ours to remove
        try:
            import fcntl  # late, as above
        except ImportError:
            path.unlink()
            return
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
