"""bytes ⇄ text: coding cookie, BOM, newlines, `# noqa`, and writing a file so that nothing can be lost."""

from __future__ import annotations

import io
import os
import re
import stat
import sys
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from .tuples import NamedTuple

COOKIE = b"coding"
NEWLINE = re.compile(r"\r\n|\r|\n")
# In bytes whose lines end in line feeds.
STRING_OR_COMMENT = re.compile(
    rb'"(?:""(?:[^"\\]++|\\.|"(?!""))*+"""|(?:[^"\\\n]++|\\.)*+")'
    rb"|'(?:''(?:[^'\\]++|\\.|'(?!''))*+'''|(?:[^'\\\n]++|\\.)*+')"
    rb"|\#[^\n]*+",
    re.DOTALL,
)
JOINT = re.compile(STRING_OR_COMMENT.pattern + rb"|\\\n", re.DOTALL)

# Both as flake8 has them, so that one comment means the same to both fronts.
NOQA = re.compile(r"# noqa(?::\s?(?P<codes>(?:[A-Z]+[0-9]+[,\s]*)+))?", re.IGNORECASE)
NOQA_FILE = re.compile(r"\s*# flake8[:=]\s*noqa", re.IGNORECASE)


class Unreadable(Exception):
    """A file that cannot be read, parsed or written; its text is one line for people."""


class Source(NamedTuple):
    """A file's text, and what is needed to turn it back into the same bytes.

    `text` has the newlines that the file has. `data` are the bytes it was read from.
    """

    text: str
    encoding: str
    data: bytes


def decode(data: bytes) -> Source:
    """Decode as Python itself would: BOM and coding cookie (PEP 263). Raises Unreadable."""
    if not (data.startswith(BOM_UTF8) or COOKIE in data):
        with suppress(UnicodeDecodeError):  # for which there is a word below
            return Source(data.decode(), "utf-8", data)
    import tokenize  # late: most files say nothing of their encoding

    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except SyntaxError as error:
        raise Unreadable(_cookie_error(data, error)) from None
    try:
        return Source(data.decode(encoding), encoding, data)
    except UnicodeDecodeError as error:
        # Of the error's own bytes: a BOM is not among them.
        where, byte = error.object.count(b"\n", 0, error.start) + 1, error.object[error.start]
        raise Unreadable(f"not {encoding.removesuffix('-sig')}: byte {byte:#04x} in line {where}") from None
    except (UnicodeError, LookupError):
        raise Unreadable(f"{encoding} is no encoding for source code") from None


def _cookie_error(data: bytes, error: SyntaxError) -> str:
    text = (error.msg or "unknown encoding").partition(" for ")[0]
    if data.startswith(BOM_UTF8) and "encoding problem" in text:
        return "its byte order mark says utf-8, and its coding cookie something else"
    if "invalid or missing encoding" in text:
        with suppress(UnicodeDecodeError):
            data.decode()
            return text
        return "not utf-8, and no coding cookie says what else"
    return text


def encode(source: Source, text: str) -> bytes:
    """New text in the encoding of its source.

    Raises Unreadable when the encoding has no room for a character, or when it would write the unchanged parts
    in other bytes than they had.
    """
    try:
        same = source.text.encode(source.encoding) == source.data
    except UnicodeError:  # idna reads more than it can write
        same = False
    if not same:
        raise Unreadable(f"{source.encoding} does not write back the bytes that it read")
    try:
        return text.encode(source.encoding)
    except UnicodeEncodeError as error:
        raise Unreadable(f"{source.encoding} cannot encode {error.object[error.start]!r}") from None


def read(path: Path) -> Source:
    """Read a file. Raises Unreadable with a reason that fits on a line."""
    return decode(load(path))


def load(path: Path) -> bytes:
    """The bytes of a file. Raises Unreadable."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            os.scandir(path).close()  # comes here where it cannot be searched: that is the reason then
            raise Unreadable("is a directory")
        if not stat.S_ISREG(mode):
            raise Unreadable("not a regular file")  # a named pipe would keep us waiting for ever
        return path.read_bytes()
    except OSError as error:
        raise Unreadable(reason(error)) from None


def write(path: Path, data: bytes, *, was: bytes) -> None:
    """Replace a file's content in one step: at every moment the old or the new file is there, whole.

    Follows symbolic links and keeps the mode (and owner, group and extended attributes, where allowed). `was` is
    what the file must still hold. Signals that would end the run wait until it is done; only SIGKILL can leave a
    temporary file behind, which `leftovers.tidy` knows. Raises Unreadable, and leaves the file as it is, when it is
    read-only, changed meanwhile, or has no room.
    """
    from . import leftovers  # late: what only checks writes nothing
    from .interrupts import held_back  # as above

    target = Path(os.path.realpath(path))
    try:
        before = target.stat()
        # Asked of the mode and not of the system alone: to root every file is writable.
        if not before.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) or not os.access(target, os.W_OK):
            raise Unreadable("read-only")
        temporary = leftovers.temporary(target)
        with held_back():
            try:
                with open(temporary, "xb", opener=_private) as file:
                    leftovers.claim(file.fileno())
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                    _dress(temporary, like=target)
                    if not stat.S_ISREG(before.st_mode) or target.read_bytes() != was:
                        raise Unreadable("changed on disk since it was read")
                    if sys.platform == "win32":
                        file.close()  # an open file cannot be renamed there
                    temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise Unreadable(reason(error)) from None


def _dress(temporary: Path, *, like: Path) -> None:
    """Give the new file what the old one has besides its content, as far as we may."""
    before = like.stat()
    if hasattr(os, "chown"):
        for owner in (before.st_uid, -1):  # whose group we are in, may have ours with that group
            with suppress(OSError):
                os.chown(temporary, owner, before.st_gid)
                break
    if hasattr(os, "listxattr"):
        with suppress(OSError):  # not on every file system
            for name in os.listxattr(like):
                with suppress(OSError):  # the system's own are not for everybody
                    os.setxattr(temporary, name, os.getxattr(like, name))
    temporary.chmod(stat.S_IMODE(before.st_mode))  # last: a new owner takes the set-user-id bit away


def _private(path: str, flags: int) -> int:
    """An opener: until the new file has the old one's mode, its text is for nobody else."""
    return os.open(path, flags, 0o600)


def reason(error: OSError) -> str:
    """What the system says, without number and path."""
    return (error.strerror or str(error)).lower()


def lines(text: str) -> list[str]:
    """The lines as Python counts them, without their ends: form feeds and other separators end none."""
    return NEWLINE.split(text)


def characters(line: str, offset: int) -> int:
    """A column of `ast`, which counts bytes of UTF-8, in characters."""
    return offset if line.isascii() else len(line.encode()[:offset].decode(errors="ignore"))


def noqa(text: str) -> dict[int, frozenset[str]]:
    """The lines that a `# noqa` silences, with the codes or beginnings of codes it names (none: all of them).

    The same lines as for flake8: a comment speaks for its physical line, and for all lines of a string or of
    lines joined by backslashes. `# flake8: noqa` speaks for the whole file.
    """
    if "noqa" not in text.lower():
        return {}
    numbered = [line + "\n" for line in lines(text)]
    if any(map(NOQA_FILE.match, numbered)):
        return dict.fromkeys(range(1, len(numbered) + 1), frozenset())
    commented = [number for number, line in enumerate(numbered, 1) if NOQA.search(line)]
    joined = {line: span for span in _joined(numbered) for line in span} if commented else {}
    return {
        line: frozenset(re.split(r"[,\s]+", (found["codes"] or "").strip())) - {""}
        for span in {joined.get(number, range(number, number + 1)): None for number in commented}
        if (found := NOQA.search("".join(numbered[span.start - 1 : span.stop - 1])))
        for line in span
    }


def _joined(numbered: list[str]) -> Iterator[range]:
    """Runs of lines that a string, or a backslash, holds together."""
    data = "".join(numbered).encode(errors="replace")
    start, first, last = 0, 0, 0
    line = 1
    for found in JOINT.finditer(data):
        ends = data.count(b"\n", *found.span())
        if not ends:
            continue
        line += data.count(b"\n", start, found.start())
        if line > last:
            if last:
                yield range(first, last + 1)
            first = line
        line += ends
        start, last = found.end(), line
    if last:
        yield range(first, last + 1)
