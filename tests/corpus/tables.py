"""What the trials on packages are told and how they say what came of it: which packages, where, a table at the end.

A trial has a table of packages to try, by name; in it are the tests that are known to end otherwise, each with the
reason that somebody found who read its traceback.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class Row(NamedTuple):
    """What came of one package: the cells of its row, and what is not as it should be."""

    cells: list[str]
    wrong: list[str]


def asked(parser: argparse.ArgumentParser, known: Collection[str]) -> argparse.Namespace:
    """The command line: `names` of packages that are known (all, if none is named) and where to `keep` what is made."""
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave all that is made there, and use it again")
    options = parser.parse_args()
    for name in options.names:
        if name not in known:
            parser.error(f"there is no {name!r} in the table; there are {', '.join(known)}")
    options.names = options.names or [*known]
    return options


@contextmanager
def place(keep: Path | None) -> Iterator[Path]:
    """The directory for sources, environments, copies and results: `keep`, or one that goes away."""
    with tempfile.TemporaryDirectory() as scratch:
        where = (keep or Path(scratch)).absolute()
        where.mkdir(parents=True, exist_ok=True)
        yield where


def reason(test: str, reasons: Mapping[str, str]) -> str:
    """Why a test, or all of a class or module, ends otherwise, if somebody has found out."""
    return next((why for start, why in reasons.items() if test.startswith(start)), "")


def explained(ended: Mapping[str, str], reasons: Mapping[str, str]) -> Iterator[str]:
    """Say of tests that should not have ended so how they did, and why; gives those that nobody knows the reason of."""
    for test, how in ended.items():
        why = reason(test, reasons)
        print(f"    {test}: {how}{f' ({why})' if why else ''}", flush=True)
        if not why:
            yield f"{test}: {how}"


def tell(headings: Sequence[str], rows: Iterable[Row]) -> int:
    """Print a table, as the documentation has it, and what is wrong; gives the exit code."""
    done = list(rows)
    print("\n" + line(headings), line(["---"] * len(headings)), *(line(row.cells) for row in done), sep="\n")
    wrong = [one for row in done for one in row.wrong]
    if wrong:
        print("\nnot as it should be:", *wrong, sep="\n")
    return 1 if wrong else 0


def line(cells: Iterable[str]) -> str:
    """A line of a table in Markdown."""
    return f"| {' | '.join(cells)} |"
