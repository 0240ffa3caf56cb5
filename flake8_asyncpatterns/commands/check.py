"""`asyncfix check`: report what is wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from .. import arguments
from . import STDIN, current_directory, exit_code, say
from .task import read_stdin, runner_of, task_of

if TYPE_CHECKING:
    import argparse

    from ..cache import Store
    from ..memory import Checked
    from ..problem import Problem
    from ..source import Unreadable
    from .task import Input


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    from ..memory import Record

    store, key = _store(options)
    record = store.load(key) if store else None
    if isinstance(record, Record):
        from ..files import find

        names = find(options.paths, record.exclude, Path(record.root))
        if record.holds(names):
            return _report(record.said, len(names), options)
    return _survey(options, store, key)


def _survey(options: argparse.Namespace, store: Store | None, key: str) -> int:
    """Look at what may have changed since the last run, and tell of all."""
    from ..progress import watched
    from ..runner import Order
    from ..ledger import Ledger
    from ..survey import Survey

    task = task_of(options)
    codes = {given.name: tuple(rule.code for rule in task.selection.of(Path(given.name))) for given in task.inputs}
    order = Order(tuple(rule.code for rule in task.selection.rules), task.settings, task.project is not None)
    with runner_of(options, order) as runner:
        survey = Survey(
            [given.name for given in task.inputs],
            codes,
            runner,
            Ledger(store, key),
            task.settings,
            given=_given(task.inputs),
            project=not options.no_project,
        )
        results = watched(survey.results(), len(task.inputs), lambda checked: checked.problems or checked.failure)
        code = _report(results, len(task.inputs), options)
        survey.keep(task.exclude, task.selection.root)
    return code


def _given(inputs: Iterable[Input]) -> dict[str, bytes | Unreadable]:
    """The bytes of what is read from standard input, or why there are none."""
    from ..source import Unreadable

    given: dict[str, bytes | Unreadable] = {}
    for one in inputs:
        if one.path is None:
            try:
                given[one.name] = read_stdin()
            except Unreadable as error:
                given[one.name] = error
    return given


def _store(options: argparse.Namespace) -> tuple[Store | None, str]:
    """Where a run of this kind is remembered, and under which name; None: nowhere."""
    from .. import cache, memory

    folder = cache.directory(options.cache_dir)
    if options.no_cache or folder is None or STDIN in options.paths:
        return None, ""
    here = current_directory()
    asked = (options.select, options.extend_select, options.ignore, options.exclude, options.config, options.isolated)
    configured = [options.config] if options.config else [above / "pyproject.toml" for above in (here, *here.parents)]
    said = [_bytes(path) for path in configured] if not options.isolated else []
    return cache.Store(folder), memory.key(here, options.paths, asked, options.no_project, said)


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _report(results: Iterable[Checked], files: int, options: argparse.Namespace) -> int:
    """Tell what was found, in the format asked for; returns the exit code."""
    from .. import report

    style = report.Style(colour=_colour(options.color))
    problems: list[Problem] = []
    failures: dict[str, str] = {}
    for checked in results:
        if checked.failure:
            failures[checked.path] = checked.failure
            say(f"{report.shown(checked.path)}: {checked.failure}")
        problems += checked.problems
        for problem in checked.problems:
            if options.output_format == "text":
                print(*report.text(problem, style), sep="\n")
            elif options.output_format == "github":
                print(report.github(problem))
    if options.output_format == "json":
        print(report.json(problems))
    elif options.output_format == "sarif":
        from ..sarif import sarif  # late: only this format needs it

        print(sarif(problems, failures, arguments.version()))
    # What a program reads on stdout must not be followed by words.
    aside = sys.stdout if options.output_format == "text" else sys.stderr
    if options.statistics:
        print(*report.statistics(problems), sep="\n", file=aside)
    if options.output_format == "text" and not options.quiet:
        print(report.summary(problems, files - len(failures)))
    return exit_code(failures, problems and not options.exit_zero)


def _colour(wish: str) -> bool:
    if wish == "auto":
        return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wish == "always"
