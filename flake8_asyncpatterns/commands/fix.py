"""`asyncfix fix`: mend what can be mended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..misuse import Misuse
from . import exit_code, say, write_bytes
from .task import runner_of, store_of, task_of
from .writing import DIRTY, set_out, tell_left_out, terminated_like_interrupted, to_warn_of

if TYPE_CHECKING:
    import argparse

    from ..fix import Fixed
    from ..progress import Progress
    from ..worktree import Standing


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    from ..mending import Mending, Order
    from ..progress import Progress
    from ..shelf import Shelf

    task = task_of(options)
    if any(given.is_stdin for given in task.inputs) and len(task.inputs) > 1:
        raise Misuse("- stands alone: its mended text goes to stdout")
    task, known = set_out(task, options)
    order = Order(task.order(), options.unsafe)
    with terminated_like_interrupted(), runner_of(options) as runner, Progress() as progress:
        progress.begin("worked out", len(task.inputs))

        def count(fixed: Fixed) -> None:
            progress.count(len(fixed.fixed))

        shelf = Shelf(store_of(options), task.settings)
        mending = Mending(task.codes(), order, runner, shelf, task.given(), count)
        paths = {given.name: given.path for given in task.inputs}
        written = (_written(fixed, paths[fixed.path], options) for fixed in mending.results())
        return _tell(written, options, known, progress)


def _written(fixed: Fixed, path: Path | None, options: argparse.Namespace) -> Fixed:
    """Put mended text where it belongs; gives what came of that."""
    from ..fix import Fixed
    from ..source import Unreadable, write

    if path and fixed.after != fixed.before and not options.diff:
        try:
            write(path, fixed.after, was=fixed.before)
        except Unreadable as error:
            fixed = Fixed(fixed.path, fixed.before, fixed.before, failure=str(error))
    if path is None and not options.diff:
        write_bytes(fixed.after)  # as it came where it could not be mended: an editor puts it in place of its text
    return fixed


def _tell(results: Iterable[Fixed], options: argparse.Namespace, known: Standing, progress: Progress) -> int:
    """Tell what was mended and what was not, and why; returns the exit code."""
    from .. import report
    from ..fix import diff

    done: list[Fixed] = []
    dirty = to_warn_of(known, options)
    for result in results:
        if result.failure or result.fixed or result.kept:
            progress.wipe()
        done.append(result._replace(before=b"", after=b""))
        if result.failure:
            say(f"{report.shown(result.path)}: {result.failure}")
        if options.diff and result.after != result.before:
            write_bytes(diff(result))
        if result.path in dirty and result.after != result.before:
            say(f"{report.shown(result.path)}: warning: {DIRTY}")
        if not options.quiet:
            _tell_file(result, options)
    progress.wipe()
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
    for line, code, message in result.fixed:
        say(f"{report.shown(result.path)}:{line}: {code} {verb}: {report.one_line(message)}")
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
