"""bytes ⇄ text: coding cookie, BOM, newlines, `# noqa`, and writing a file so that nothing can be lost."""

from __future__ import annotations

import io
import os
import re
import stat
import tempfile
import tokenize
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

NOQA = re.compile(r"#\s*noqa(?::\s*(?P<codes>[A-Z][0-9]*(?:[0-9]|\b)[A-Z0-9]*(?:[,\s]+[A-Z]+[0-9]+)*))?", re.IGNORECASE)
NEWLINE = re.compile(r"\r\n|\r|\n")


class Unreadable(Exception):
    """A file that cannot be read or written; its text is one line for people."""


class Source(NamedTuple):
    """A file's text, and what is needed to turn it back into the same bytes.

    `text` has the newlines that the file has. `data` are the bytes it was read from.
    """

    text: str
    encoding: str
    data: bytes

    @property
    def newline(self) -> str:
        """The first newline in the file, which added lines get."""
        found = NEWLINE.search(self.text)
        return found[0] if found else "\n"


def decode(data: bytes) -> Source:
    """Decode as Python itself would: BOM and coding cookie (PEP 263). Raises Unreadable."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except SyntaxError as error:
        raise Unreadable(_cookie_error(data, error)) from None
    try:
        return Source(data.decode(encoding), encoding, data)
    except UnicodeDecodeError as error:
        where = data.count(b"\n", 0, error.start) + 1
        raise Unreadable(
            f"not {encoding.removesuffix('-sig')}: byte {data[error.start]:#04x} in line {where}"
        ) from None


def _cookie_error(data: bytes, error: SyntaxError) -> str:
    text = (error.msg or "unknown encoding").partition(" for ")[0]
    if "invalid or missing encoding" in text:
        with suppress(UnicodeDecodeError):
            data.decode()
            return text
        return "not utf-8, and no coding cookie says what else"
    return text


def encode(source: Source, text: str) -> bytes:
    """New text in the encoding of its source. Raises Unreadable when it has no room for a character."""
    try:
        return text.encode(source.encoding)
    except UnicodeEncodeError as error:
        raise Unreadable(f"{source.encoding} cannot encode {text[error.start]!r}") from None


def read(path: Path) -> Source:
    """Read a file. Raises Unreadable with a reason that fits on a line."""
    try:
        if not path.is_file():
            raise Unreadable("no such file" if not path.exists() else "not a regular file")
        return decode(path.read_bytes())
    except OSError as error:
        raise Unreadable(_reason(error)) from None


def write(path: Path, data: bytes, *, was: bytes) -> None:
    """Replace a file's content in one step: at every moment the old or the new file is there, whole.

    Follows symbolic links and keeps the mode (and the owner, where allowed). `was` is what the file must still
    hold. Raises Unreadable, and leaves the file as it is, when it is read-only, changed meanwhile, or has no room.
    """
    target = Path(os.path.realpath(path))
    try:
        before = target.stat()
        # Asked of the mode and not of the system: to root every file is writable.
        if not before.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) or not os.access(target, os.W_OK):
            raise Unreadable("read-only")
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".asyncfix", dir=target.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            with suppress(OSError):
                os.chown(temporary, before.st_uid, before.st_gid)
            temporary.chmod(stat.S_IMODE(before.st_mode))
            if target.read_bytes() != was:
                raise Unreadable("changed on disk since it was read")
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise Unreadable(_reason(error)) from None


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def noqa(text: str) -> dict[int, frozenset[str]]:
    """The lines with a `# noqa` comment, and the codes it names (none: all of them)."""
    if "noqa" not in text.lower():
        return {}
    return {
        number: frozenset(re.findall(r"[A-Z]+[0-9]+", (found["codes"] or "").upper()))
        for number, line in enumerate(NEWLINE.split(text), 1)
        if (found := NOQA.search(line))
    }
