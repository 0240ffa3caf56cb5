"""Problems → text for people, or json or commands for programs (sarif: see `sarif`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from .problem import Place, Problem

# What GitHub wants escaped in a message, and in a property.
MESSAGE = "%\r\n"
PROPERTY = MESSAGE + ":,"

# Of a longer line only a part is shown: it is data, or was written by a program.
LONGEST = 400

# Not printable for Python, and yet text: wide and hard spaces, and what joins emoji.
HARMLESS = "\t\xa0\u3000\u200c\u200d"

MARKS = {"safe": "[*] ", "unsafe": "[!] ", "": ""}


class Style:
    """The colours of the text report, or none."""

    def __init__(self, *, colour: bool) -> None:
        self.bold, self.red, self.cyan, self.dim, self.plain = (
            ("\x1b[1m", "\x1b[31m", "\x1b[36m", "\x1b[2m", "\x1b[0m") if colour else ("",) * 5
        )


def text(problem: Problem, style: Style) -> Iterator[str]:
    """The lines of the text report about a problem: place and message, source, other places."""
    place = problem.place
    yield (
        f"{style.bold}{spot(place)}{style.plain}: {style.red}{problem.code}{style.plain} "
        f"{style.cyan}{MARKS[problem.fix]}{style.plain}{one_line(problem.message)}"
    )
    gutter = f"{place.line:>4}"
    excerpt, before, under = _excerpt(problem)
    yield f"{style.dim}{gutter} |{style.plain} {excerpt}"
    yield f"{style.dim}{' ' * len(gutter)} |{style.plain} {before}{style.red}{under}{style.plain}"
    for note in problem.notes:
        yield f"{style.dim}{' ' * len(gutter)} ={style.plain} {spot(note.place)}: {one_line(note.message)}"


def spot(place: Place) -> str:
    """A place as editors understand it."""
    return f"{shown(place.path)}:{place.line}:{place.column}"


def shown(path: str) -> str:
    """A file's name on one line, and without what would command a terminal."""
    if path.isprintable():
        return path
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in path)


def one_line(message: str) -> str:
    """A message without line breaks."""
    return " ".join(message.split())


def _excerpt(problem: Problem) -> tuple[str, str, str]:
    """The line that a problem begins in, and the blank before and the carets under its span."""
    place, line = problem.place, problem.excerpt
    start = place.column - 1
    end = place.end_column - 1 if place.end_line == place.line else len(line.rstrip())
    first = max(0, start - LONGEST // 2) if len(line) > LONGEST else 0
    last = first + LONGEST
    before = "".join(
        "\t" if character == "\t" else " " * _width(character) for character in _printable(line[first:start])
    )
    under = "^" * max(1, sum(map(_width, _printable(line[start : min(end, last)]))))
    left, right = "…" if first else "", "…" if len(line) > last else ""
    return f"{left}{_printable(line[first:last])}{right}", " " * len(left) + before, under


def _width(character: str) -> int:
    """How many columns of a terminal a character takes."""
    if character.isascii():
        return 1
    import unicodedata  # late: most lines are plain

    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _printable(line: str) -> str:
    """A line of source without what would command a terminal."""
    if line.isprintable():
        return line
    return "".join(" " if c == "\f" else c if c.isprintable() or c in HARMLESS else "\ufffd" for c in line)


def summary(problems: Iterable[Problem], files: int) -> str:
    """How much was found where, and what could be mended."""
    fixes = Counter[str]()
    paths = set()
    for problem in problems:
        fixes[problem.fix] += 1
        paths.add(problem.place.path)
    if not paths:
        return f"Found no errors in {count(files, 'file')}."
    said = f"Found {count(fixes.total(), 'error')} in {count(len(paths), 'file')}"
    ways = {"safe": "[*] can be fixed with `asyncfix fix`", "unsafe": "[!] with `asyncfix fix --unsafe`"}
    offers = [f"{fixes[kind]} {way}" for kind, way in ways.items() if fixes[kind]]
    if offers and not fixes["safe"]:
        offers = [offers[0].replace("[!] with", "[!] can be fixed with")]
    return "; ".join([said, ", ".join(offers)] if offers else [said]) + "."


def statistics(problems: Iterable[Problem]) -> Iterator[str]:
    """How often each rule spoke, most often first."""
    counts = Counter((problem.code, problem.name) for problem in problems)
    for (code, name), number in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        yield f"{number:>6}  {code}  {name}"


def count(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def github(problem: Problem) -> str:
    """A workflow command that GitHub shows beside the line."""
    place = problem.place
    properties = {
        "file": place.path.replace("\\", "/"),
        "line": place.line,
        "col": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
        "title": f"{problem.code} ({problem.name})",
    }
    said = ",".join(f"{key}={_escaped(str(value), PROPERTY)}" for key, value in properties.items())
    return f"::error {said}::{_escaped(problem.message, MESSAGE)}"


def _escaped(value: str, characters: str) -> str:
    return "".join(f"%{ord(c):02X}" if c in characters else c for c in value)


def json(problems: Iterable[Problem]) -> str:
    """One array of objects."""
    from json import dumps  # late: only this format needs it

    return dumps([_object(problem) for problem in problems], indent=2)


def _object(problem: Problem) -> dict[str, object]:
    return {
        **problem.place._asdict(),
        "code": problem.code,
        "name": problem.name,
        "message": problem.message,
        "fix": problem.fix or None,
        "related": [
            {"path": note.place.path, "line": note.place.line, "column": note.place.column, "message": note.message}
            for note in problem.notes
        ],
    }
