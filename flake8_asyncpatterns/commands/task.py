"""What the command line and the configuration ask for, read into a Task."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..misuse import Misuse
from ..tuples import NamedTuple
from . import STDIN, current_directory, say

if TYPE_CHECKING:
    import argparse

    from ..cache import Store
    from ..config import Config
    from ..looking import Order
    from ..runner import Runner
    from ..selection import Selection
    from ..settings import Settings
    from ..source import Unreadable


class Input(NamedTuple):
    """A file to look at, or standard input under a file's name."""

    name: str
    is_stdin: bool = False

    @property
    def path(self) -> Path | None:
        """Where it is; None: nowhere."""
        return None if self.is_stdin else Path(self.name)


def read_stdin() -> bytes:
    """The bytes on standard input. Raises Unreadable."""
    from ..source import Unreadable, reason

    if sys.stdin is None:  # an empty file would be another thing
        raise Unreadable("is closed")
    try:
        return sys.stdin.buffer.read()
    except OSError as error:
        raise Unreadable(reason(error)) from None


class Task(NamedTuple):
    """What to look at, with which rules, and what they are told of the project."""

    inputs: list[Input]
    selection: Selection
    settings: Settings
    project: bool
    exclude: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """What the files are called."""
        return [given.name for given in self.inputs]

    def codes(self) -> dict[str, tuple[str, ...]]:
        """The rules that each is looked at with."""
        return self.selection.codes_of(self.names)

    def order(self) -> Order:
        """What is said of all files to whoever looks at them."""
        from ..looking import Order

        return Order(self.selection.codes, self.settings, self.project)

    def given(self) -> dict[str, bytes | Unreadable]:
        """The bytes of what is read from standard input, or why there are none."""
        from ..source import Unreadable

        given: dict[str, bytes | Unreadable] = {}
        for one in self.inputs:
            if one.is_stdin:
                try:
                    given[one.name] = read_stdin()
                except Unreadable as error:
                    given[one.name] = error
        return given


class Found(NamedTuple):
    """Files that were found where these are left out, as they are read from here on."""

    names: list[str]
    exclude: tuple[str, ...]
    root: Path


def look_for(options: argparse.Namespace, exclude: tuple[str, ...], root: Path) -> Found:
    """The files that the command line means."""
    from ..files import find

    return Found(find([path for path in options.paths if path != STDIN], exclude, root), exclude, root)


def configuration(options: argparse.Namespace) -> Config:
    """What the project says of itself, as far as the command line lets it."""
    from .. import config

    if options.isolated and options.config:
        raise Misuse("--isolated and --config exclude each other")
    here = current_directory()
    if options.config:
        return config.load(options.config)
    return config.Config(root=here) if options.isolated else config.nearest(here)


def task_of(options: argparse.Namespace, found: Found | None = None) -> Task:
    """What the command line and the configuration ask for. `found` are files that were looked for before."""
    from ..selection import Layer, Selection, codes, select

    configured = configuration(options)
    if options.select is not None and not _words(options.select):
        raise Misuse("--select names no rule")  # an empty variable must not turn all off
    given = Layer(
        None if options.select is None else codes(_words(options.select), "--select"),
        codes(_words(options.extend_select), "--extend-select"),
        codes(_words(options.ignore), "--ignore"),
    )
    exclude = (*configured.exclude, *_words(options.exclude))
    if found is None or (found.exclude, found.root) != (exclude, configured.root):
        found = look_for(options, exclude, configured.root)
    inputs = [Input(name) for name in found.names]
    if STDIN in options.paths:
        inputs.append(Input(options.stdin_filename, is_stdin=True))
        inputs.sort(key=lambda given: given.name)
    return Task(
        inputs,
        Selection(select(configured.layer, given), configured.per_file_ignores, configured.root),
        configured.settings,
        not options.no_project,
        exclude,
    )


def _words(values: Iterable[str]) -> list[str]:
    return [word for value in values for word in value.replace(",", " ").split()]


def store_of(options: argparse.Namespace) -> Store | None:
    """Where things are remembered; None: nowhere."""
    from ..cache import Store, directory

    folder = None if options.no_cache else directory(options.cache_dir)
    return Store(folder) if folder is not None else None


def runner_of(options: argparse.Namespace) -> Runner:
    """What does the work, in as many processes as were asked for."""
    from ..runner import Runner, cores

    if not options.executor:
        return Runner(options.jobs or cores(), lost=_lost)
    from ..cluster import connect

    cluster = connect(options.executor)
    return Runner(cluster.workers, cluster.executor, ships=True, alive=cluster.alive, lost=_lost)


def _lost(reason: str) -> None:
    say(f"asyncfix: a worker was lost ({reason}); its work is done here")
