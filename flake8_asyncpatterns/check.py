"""One file from bytes to problems."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

from . import engine, keywords
from .module import Module
from .problem import Problem, describe
from .project import Project
from .rule import Finding, Rule
from .settings import NONE, Settings
from .source import Source, Unreadable, lines, noqa

TOO_DEEP = "is nested too deeply"

# Python needs a kilobyte for each few characters of code, and nobody writes such lines: 10 MB would take 9 GB.
LONGEST_LINE = 1_000_000


class Checked(NamedTuple):
    """What came of a file: its problems, or the reason why it could not be checked."""

    path: str
    problems: Sequence[Problem] = ()
    failure: str = ""


def check(
    source: Source, path: str, rules: Iterable[Rule], settings: Settings = NONE, project: Project | None = None
) -> list[Problem]:
    """The problems in a file. Raises Unreadable when its text is no Python."""
    found = findings(parse(source.text, path, settings, project), rules)
    split = lines(source.text) if found else []
    return [describe(finding, path, split) for finding in found]


def parse(text: str, path: str, settings: Settings = NONE, project: Project | None = None) -> Module:
    """Parse a file's text; names stand in for `async` and `await` where these are names. Raises Unreadable."""
    if len(text) > LONGEST_LINE:
        _no_endless_line(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" and its like are the business of others
            return Module.parse(text, path, settings, project)
    except SyntaxError as error:
        parsable = keywords.stand_in(text)
        if parsable is not None:
            with suppress(Unreadable):
                return parse(parsable, path, settings, project)
        where = f" in line {error.lineno}, column {error.offset or 1}" if error.lineno else ""
        raise Unreadable(f"syntax error{where}: {error.msg}") from None
    except ValueError as error:
        raise Unreadable(f"syntax error: {error}") from None
    except (RecursionError, MemoryError):
        raise Unreadable(TOO_DEEP) from None


def _no_endless_line(text: str) -> None:
    for number, line in enumerate(lines(text), 1):
        if len(line) > LONGEST_LINE:
            raise Unreadable(f"line {number} is longer than {LONGEST_LINE:,} characters")


def findings(module: Module, rules: Iterable[Rule]) -> list[Finding]:
    """What these rules find in a module and no `# noqa` silences. Raises Unreadable when it is too deep for them."""
    try:
        found = engine.check(module, rules)
    except (RecursionError, MemoryError):
        raise Unreadable(TOO_DEEP) from None
    if module.analysis(keywords.stands_in):
        found = keywords.told(found)
    return engine.quiet(found, noqa(module.text)) if found else found
