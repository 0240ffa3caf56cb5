"""What the commands that write to files have in common: what git says of them, and signals that tell of an end."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from . import STDIN, say

if TYPE_CHECKING:
    import argparse

    from ..worktree import Standing
    from .task import Task

DIRTY = "it had changes that are not committed; the fixes stand among them now (`--allow-dirty` silences this)"


def set_out(task: Task, options: argparse.Namespace) -> tuple[Task, Standing]:
    """Before files are written: the task without what git says is to be left alone, and what git says."""
    from ..leftovers import tidy
    from ..worktree import standing

    known = standing(
        [given.path for given in task.inputs if given.path], [path for path in options.paths if path != STDIN]
    )
    task = task._replace(inputs=[given for given in task.inputs if given.path not in known.left])
    if not options.diff:
        tidy({Path(os.path.realpath(given.path)).parent for given in task.inputs if given.path})
    for trouble in known.trouble:
        say(f"warning: {trouble}")
    return task, known


def to_warn_of(known: Standing, options: argparse.Namespace) -> frozenset[str]:
    """The files that to write to calls for a warning."""
    return frozenset() if options.allow_dirty or options.diff else frozenset(map(str, known.dirty))


def tell_left_out(known: Standing) -> None:
    """Tell how many files were left alone for what git says of them."""
    from ..report import count

    for why, files in sorted(Counter(known.left.values()).items()):
        them = "it" if files == 1 else "them"
        say(f"Left out {count(files, 'file')} {why}; name {them} to fix {them}.")


@contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """Have SIGTERM tell the same as Ctrl-C: by itself it ends Python without a word, or one `finally`."""
    import signal  # late, as the rewriter

    def interrupt(number: int, _: object) -> NoReturn:
        raise KeyboardInterrupt(number)

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not in the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
