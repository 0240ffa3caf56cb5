"""`asyncfix fix`: mend what can be mended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..misuse import Misuse
from . import exit_code, say, write_bytes
from .task import task_of
from .writing import DIRTY, set_out, tell_left_out, terminated_like_interrupted, to_warn_of

if TYPE_CHECKING:
    import argparse

    from ..fix import Fixed
    from ..rule import Rule
    from ..worktree import Standing
    from .task import Input


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    from ..fix import Fixed, fix
    from ..needs import Scan
    from ..progress import watched
    from ..source import Unreadable, write

    task = task_of(options)
    scan = Scan(task.selection.rules, task.settings, project=task.project is not None)
    if any(given.path is None for given in task.inputs) and len(task.inputs) > 1:
        raise Misuse("- stands alone: its mended text goes to stdout")

    def work(given: Input, rules: Sequence[Rule]) -> Fixed:
        source = given.read()
        speakers = scan.speakers(source.data)
        try:
            # All rules or none: one may speak of what the fix of another makes.
            fixed = (
                fix(source, given.name, rules, task.settings, task.project, unsafe=options.unsafe)
                if any(rule.code in speakers for rule in rules)
                else Fixed(given.name, source.data, source.data)
            )
            if given.path and fixed.after != fixed.before and not options.diff:
                write(given.path, fixed.after, was=fixed.before)
        except Unreadable as error:
            fixed = Fixed(given.name, source.data, source.data, failure=str(error))
        if given.path is None and not options.diff:
            write_bytes(fixed.after)  # as it came where it could not be mended: an editor puts it in place of its text
        return fixed

    task, known = set_out(task, options)
    results = task.each(work, lambda name, failure: Fixed(name, failure=failure))
    with terminated_like_interrupted():
        return _tell(watched(results, len(task.inputs), _speaks), options, known)


def _speaks(fixed: Fixed) -> object:
    return fixed.failure or fixed.fixed or fixed.kept


def _tell(results: Iterable[Fixed], options: argparse.Namespace, known: Standing) -> int:
    """Tell what was mended and what was not, and why; returns the exit code."""
    from .. import report
    from ..fix import diff

    done: list[Fixed] = []
    dirty = to_warn_of(known, options)
    for result in results:
        done.append(result._replace(before=b"", after=b""))
        if result.failure:
            say(f"{report.shown(result.path)}: {result.failure}")
        if options.diff and result.after != result.before:
            write_bytes(diff(result))
        if result.path in dirty and result.after != result.before:
            say(f"{report.shown(result.path)}: warning: {DIRTY}")
        if not options.quiet:
            _tell_file(result, options)
    if not options.quiet:
        say(_summary(done, options))
        tell_left_out(known)
        if any(result.needs_runtime for result in done):
            say("Add `asyncpatterns` to your dependencies: the mended code imports it.")
    found = any(result.fixed or result.kept for result in done)
    return exit_code(any(result.failure for result in done), found and not options.exit_zero)


def _tell_file(result: Fixed, options: argparse.Namespace) -> None:
    from .. import report

    verb = "would be fixed" if options.diff else "fixed"
    for finding in result.fixed:
        place = f"{report.shown(result.path)}:{finding.line}"
        say(f"{place}: {finding.rule.code} {verb}: {report.one_line(finding.message)}")
    for problem, why in result.kept:
        say(f"{report.spot(problem.place)}: {problem.code} left: {report.one_line(why)}")


def _summary(done: Sequence[Fixed], options: argparse.Namespace) -> str:
    from ..report import count

    fixed = sum(len(result.fixed) for result in done)
    left = sum(len(result.kept) for result in done)
    more = sum(kept.problem.fix == "unsafe" for result in done for kept in result.kept)
    if not fixed and not left:
        return f"Found nothing to fix in {count(sum(not result.failure for result in done), 'file')}."
    files = sum(bool(result.fixed) for result in done)
    what = f"{count(fixed, 'error')} in {count(files, 'file')}" if fixed else "nothing"
    said = f"{'Would fix' if options.diff else 'Fixed'} {what}"
    if left:
        said += f", left {left}"
    if more and not options.unsafe:
        said += f"; `--unsafe` would fix {more} more"
    return said + "."
