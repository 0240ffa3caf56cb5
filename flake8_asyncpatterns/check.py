"""One file from bytes to problems."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from . import engine, keywords
from .analysis.testcode import is_collected
from .collector import paused
from .examined import ROUNDS, TOO_DEEP, Examined
from .facts import Answer, Facts, Question, View
from .module import Module
from .problem import Problem, describe
from .rule import Finding, Rule
from .settings import NONE, Settings
from .source import Source, Unreadable, lines, noqa, read
from .tuples import NamedTuple

if TYPE_CHECKING:
    from .project import Project

FoundT = TypeVar("FoundT")

# Python needs a kilobyte for each few characters of code, and nobody writes such lines: 10 MB would take 9 GB.
LONGEST_LINE = 1_000_000


def check(
    source: Source, path: str, rules: Iterable[Rule], settings: Settings = NONE, project: Project | None = None
) -> list[Problem]:
    """The problems in a file. Raises Unreadable when its text is no Python."""
    chosen = tuple(rules)
    module = parse(source.text, path, settings, View())
    found = settled(module, lambda module: findings(module, chosen), project)
    split = lines(source.text) if found else []
    return [describe(finding, path, split) for finding in found]


def examine(
    source: Source,
    path: str,
    rules: Iterable[Rule],
    settings: Settings = NONE,
    answers: Mapping[Question, Answer] | None = None,
    *,
    alone: bool = False,
) -> Examined:
    """What a file says by itself. Of the answers of a Project it needs those to what it asks, round by round: with none
    at first, then with those that are known to what it asked, until it asks nothing more that has an answer.

    `alone`: it asks nothing, and tells nothing. Nor does a file of which hardly anybody would ask (see `facts`). The
    same goes in and out in any process. Raises Unreadable when its text is no Python.
    """
    view = None if alone else View(answers)
    module = parse(source.text, path, settings, view)
    try:
        found = findings(module, rules)
        split = lines(source.text) if found else []
        problems = [describe(finding, path, split) for finding in found]
        is_mute = answers or alone or is_collected(module)
        return Examined(problems, tuple(view.asked) if view else (), None if is_mute else told_by(module))
    finally:
        module.release()


class Settled(NamedTuple, Generic[FoundT]):
    """What was found in a module, all that it asked of the other files meanwhile, and what they answered."""

    what: FoundT
    asked: Sequence[Question]
    answers: Mapping[Question, Answer]


def facts(source: Source, path: str, settings: Settings = NONE) -> Facts:
    """What a file tells the others. Raises Unreadable when its text is no Python."""
    with paused():  # all that is made for it goes at once
        module = parse(source.text, path, settings)
        try:
            return told_by(module)
        finally:
            module.release()


def told_by(module: Module) -> Facts:
    """What a module tells the others. Raises Unreadable when it is too deep to be told of."""
    from .analysis.summary import Summary  # late: that is made of modules

    try:
        return module.analysis(Summary).facts
    except RecursionError:
        raise Unreadable(TOO_DEEP) from None


def project(settings: Settings = NONE) -> Project:
    """A Project that reads and parses the files that it is asked for."""
    from .project import Project  # late: a file on its own has none
    from .roots import Roots

    def load(path: str) -> Facts | None:
        try:
            return facts(read(Path(path)), path, settings)
        except Unreadable:
            return None

    return Project(load, Roots(settings.src))


def settled(module: Module, find: Callable[[Module], FoundT], project: Project | None) -> FoundT:
    """What `find` finds in a module, with what the other files of the project answer (None: nobody is asked).

    Raises Unreadable when the module is too deep to be told of.
    """
    return settle(module, find, project, lambda: told_by(module)).what


def settle(
    module: Module, find: Callable[[Module], FoundT], project: Project | None, own: Callable[[], Facts]
) -> Settled[FoundT]:
    """As `settled`, with what was asked and answered. `own` gives what the module tells the others."""
    answers: dict[Question, Answer] = {}
    ever: dict[Question, None] = {}
    view = module.project
    found = find(module)
    for _ in range(ROUNDS):
        if project is None or view is None:
            break
        ever |= view.asked
        asked = [question for question in view.asked if question not in answers]
        more = project.answers(module.path, own, asked) if asked else {}
        if not more:
            break
        answers = {**answers, **more}
        view = View(answers)
        beside = module.beside(view)
        found = find(beside)
        beside.release()
    return Settled(found, tuple(ever), answers)


def parse(text: str, path: str, settings: Settings = NONE, project: View | None = None) -> Module:
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
