"""`asyncfix migrate`: bring a program's files from generator coroutines to async/await together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..misuse import Misuse
from . import STDIN, exit_code, say, write_bytes
from .task import runner_of, task_of
from .writing import DIRTY, set_out, tell_left_out, terminated_like_interrupted, to_warn_of

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    from .. import migrate, report
    from ..progress import Progress

    to = migrate.version(options.to)
    if STDIN in options.paths:
        raise Misuse("migrate takes no standard input: it wants all files of a program")
    task, known = set_out(task_of(options), options)
    paths = [given.path for given in task.inputs if given.path]
    with terminated_like_interrupted(), runner_of(options) as runner, Progress() as progress:
        done = migrate.run(paths, to, task.settings, runner, progress, write=not options.diff)
    for path, failure in done.failures:
        say(f"{report.shown(path)}: {failure}")
    for path in sorted(to_warn_of(known, options).intersection(done.changed)):
        say(f"{report.shown(path)}: warning: {DIRTY}")
    if options.diff:
        write_bytes(done.diff)
    if not options.quiet:
        for line in migrate.told(done, written=not options.diff):
            say(line)
        tell_left_out(known)
    return exit_code(done.failures, (done.changed or done.left) and not options.exit_zero)
