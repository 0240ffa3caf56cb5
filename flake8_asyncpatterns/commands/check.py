"""`asyncfix check`: report what is wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .. import arguments
from . import STDIN, current_directory, exit_code, say
from .task import Found, look_for, runner_of, store_of, task_of

if TYPE_CHECKING:
    import argparse

    from ..cache import Store
    from ..memory import Checked, Seen
    from ..problem import Problem
    from ..progress import Progress


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    from ..memory import Record, Seen

    store, key = _store(options)
    record = store.load(key) if store else None
    if not isinstance(record, Record):
        return _survey(options, store, key)
    found = look_for(options, record.exclude, Path(record.root))
    seen = Seen(found.names)
    if record.holds(seen):
        return _report(record.said, len(found.names), options)
    return _survey(options, store, key, found, seen)


def _survey(
    options: argparse.Namespace, store: Store | None, key: str, found: Found | None = None, seen: Seen | None = None
) -> int:
    """Look at what may have changed since the last run, and tell of all. `found` and `seen` are the files, as far as
    they were looked for before."""
    from ..ledger import Ledger
    from ..memory import Seen
    from ..progress import Progress
    from ..survey import Survey

    task = task_of(options, found)
    names = task.names
    with runner_of(options) as runner, Progress() as progress:
        progress.begin("looked at", len(task.inputs))
        survey = Survey(
            seen if seen is not None and [*seen.stamps] == names else Seen(names),
            task.codes(),
            task.order(),
            runner,
            Ledger(store, key),
            given=task.given(),
            tell=progress.count,
        )
        code = _report(_with_line(survey.results(), progress), len(task.inputs), options)
        survey.keep(task.exclude, task.selection.root)
    return code


def _with_line(results: Iterable[Checked], progress: Progress) -> Iterator[Checked]:
    """The results, with no progress shown where something is written of one."""
    for checked in results:
        if checked.problems or checked.failure:
            progress.wipe()
        yield checked


def _store(options: argparse.Namespace) -> tuple[Store | None, str]:
    """Where a run of this kind is remembered, and under which name; None: nowhere."""
    from .. import memory

    store = None if STDIN in options.paths else store_of(options)
    if store is None:
        return None, ""
    here = current_directory()
    asked = (options.select, options.extend_select, options.ignore, options.exclude, options.config, options.isolated)
    configured = [options.config] if options.config else [above / "pyproject.toml" for above in (here, *here.parents)]
    said = [_bytes(path) for path in configured] if not options.isolated else []
    return store, memory.key(here, options.paths, asked, options.no_project, said)


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
