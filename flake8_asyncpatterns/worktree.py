"""What git says of the files that are to be mended: which are not to be touched, and which have unsaved work in them.

git is asked as late as can be, once for each work tree and not for each file, and only where there is one.
"""

from __future__ import annotations

import os
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from .source import reason
from .tuples import NamedTuple

IGNORED = "ignored by git"
SUBMODULE = "in a submodule"

# What a hook of git's own runs with, and what would lead a command in another work tree astray.
LEADING = frozenset(f"GIT_{name}" for name in (
    "COMMON_DIR", "DIR", "INDEX_FILE", "NAMESPACE", "OBJECT_DIRECTORY", "PREFIX", "WORK_TREE",
))  # fmt: skip

Nearest: TypeAlias = Callable[[Path], Path | None]


class Standing(NamedTuple):
    """How files stand with git: why some are to be left alone, which have changes that are in no commit, and what git
    could not say, in a line for people for each work tree."""

    left: Mapping[Path, str] = MappingProxyType({})
    dirty: frozenset[Path] = frozenset()
    trouble: Sequence[str] = ()


class Step(NamedTuple):
    """A place in a work tree that leads to a file: the file itself, or the root of a work tree inside."""

    root: Path
    place: Path


class Answer(NamedTuple):
    """What git says of a work tree: places that it ignores, places with changes, and the submodules among those asked
    for."""

    ignored: frozenset[Path] = frozenset()
    dirty: frozenset[Path] = frozenset()
    submodules: frozenset[Path] = frozenset()
    trouble: str = ""


def standing(files: Iterable[Path], named: Iterable[Path]) -> Standing:
    """How files stand with git, where `named` are the files and directories that somebody asked for by name.

    A file that is named is never left alone, nor is what lies in an ignored directory or a submodule that is named.
    """
    nearest = cache(_nearest)
    tops = {Path(os.path.realpath(path)) for path in named}
    ways = {file: _way(Path(os.path.realpath(file)), tops, nearest) for file in files}
    wanted: dict[Path, set[Path]] = defaultdict(set)
    for top, steps in ways.values():
        for step in steps:
            wanted[step.root].add(step.place)
        if top and steps and _within(top, {steps[-1].root}):
            wanted[steps[-1].root].add(top)
    answers = {root: _ask(root, sorted(places), nearest) for root, places in sorted(wanted.items())}
    return Standing(
        {file: why for file, (top, steps) in ways.items() if (why := _why_left(top, steps, answers))},
        frozenset(
            f for f, (_, steps) in ways.items() if steps and _within(steps[0].place, answers[steps[0].root].dirty)
        ),
        [answer.trouble for answer in answers.values() if answer.trouble],
    )


def _nearest(folder: Path) -> Path | None:
    """The root of the work tree that a folder is in."""
    return next((place for place in (folder, *folder.parents) if os.path.lexists(place / ".git")), None)


def _way(file: Path, tops: Set[Path], nearest: Nearest) -> tuple[Path | None, list[Step]]:
    """The named path that a file was found by, and the work trees around the file up to there, inmost first.

    No named path: a symbolic link led out of it.
    """
    top = next((place for place in (file, *file.parents) if place in tops), None)
    steps, place = [], file
    while root := nearest(place.parent):
        steps.append(Step(root, place))
        if top is None or top not in root.parents:
            break
        place = root
    return top, steps


def _why_left(top: Path | None, steps: Sequence[Step], answers: Mapping[Path, Answer]) -> str:
    for root, place in steps:
        if place == top:
            break
        if place in answers[root].submodules:
            return SUBMODULE
        if _within(place, answers[root].ignored) and not (top and _within(top, answers[root].ignored)):
            return IGNORED
    return ""


def _within(place: Path, places: Set[Path]) -> bool:
    """Is this one of the places, or inside of one that is a directory?"""
    return bool(places) and (place in places or any(above in places for above in place.parents))


def _ask(root: Path, places: Sequence[Path], nearest: Nearest) -> Answer:
    """Ask git about places in one work tree."""
    # One path however many files there are: a command line has an end.
    where = os.path.commonpath(places)
    inner = [str(place) for place in places if place != root and nearest(place) == place]
    try:
        said = _git(root, "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=normal",
            "--ignored=traditional", "--ignore-submodules=all", "--", where)  # fmt: skip
        kept = _git(root, "ls-files", "--stage", "-z", "--", *inner) if inner else []
    except FileNotFoundError:
        return Answer()  # git is not installed
    except OSError as error:
        return Answer(trouble=f"{root}: git does not run: {reason(error)}")
    except subprocess.CalledProcessError as error:
        why = os.fsdecode(error.stderr).strip().partition("\n")[0] or f"it ended with {error.returncode}"
        return Answer(trouble=f"{root}: git does not say which files it ignores: {why}")
    return Answer(
        frozenset(root / entry[3:] for entry in said if entry.startswith("!!")),
        frozenset(root / entry[3:] for entry in said if not entry.startswith("!!")),
        frozenset(root / entry.partition("\t")[2] for entry in kept if entry.startswith("160000 ")),
    )


def _git(root: Path, *arguments: str) -> list[str]:
    """What a git command lists, each ended by a null byte. Raises OSError, CalledProcessError."""
    environment = {name: value for name, value in os.environ.items() if name not in LEADING}
    # No other repository further up, no pattern in a file's name, no words in another language.
    environment |= {"GIT_CEILING_DIRECTORIES": str(root.parent), "GIT_LITERAL_PATHSPECS": "1", "LC_ALL": "C"}
    # Reads only: another git that works there meanwhile is not to wait for us.
    command = ["git", "--no-optional-locks", *arguments]
    ran = subprocess.run(command, cwd=root, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    return [os.fsdecode(entry) for entry in ran.stdout.split(b"\0") if entry]
