"""What other linters see in the same packages and we do not: each with the reason, and none without.

    pytest -m slow -s tests/corpus/peers.py

Runs the asyncio rules of ruff and of flake8-async (installed into a virtual environment of their own, or found in that
of ASYNCFIX_PEERS) over the packages of the labels. A finding of theirs that none of ours meets is explained by its
rule (`NOT_OURS`: what it reports is no bug, or not asyncio's), or by somebody who read the place (`peers_read.jsonl`:
one object a line, `verdict` "tp" where they are right). What is explained by neither fails the test.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from corpus.accuracy import LABELS, NEARBY, Package, labels, looked
from corpus.sources import source

pytestmark = pytest.mark.slow

PEERS = ("ruff==0.17.6", "flake8-async==26.8.1")
READ = Path(__file__).with_name("peers_read.jsonl")
# flake8-async takes about a minute for so many lines; what is larger is left to ruff, which has most of its rules.
LINES = 60_000

# Which of our rules speak of the same thing.
OURS = {
    "ASYNC100": {"AIO307"},
    "ASYNC101": {"AIO508"},
    "ASYNC103": {"AIO305"},
    "ASYNC104": {"AIO305"},
    "ASYNC110": {"AIO304", "AIO303"},
    "ASYNC119": {"AIO508", "AIO501"},
    "ASYNC121": {"AIO211"},
    "ASYNC210": {"AIO102"},
    "ASYNC211": {"AIO102"},
    "ASYNC212": {"AIO102"},
    "ASYNC220": {"AIO103"},
    "ASYNC221": {"AIO103"},
    "ASYNC222": {"AIO103"},
    "ASYNC230": {"AIO104"},
    "ASYNC231": {"AIO104"},
    "ASYNC232": {"AIO104"},
    "ASYNC240": {"AIO105", "AIO104"},
    "ASYNC250": {"AIO107"},
    "ASYNC251": {"AIO101"},
    "ASYNC300": {"AIO205"},
    "RUF006": {"AIO205"},
}

NOT_OURS = {
    "ASYNC102": "an await in a `finally` is how clean-up is written; it may be cancelled, and is no mistake by itself",
    "ASYNC105": "speaks of trio",
    "ASYNC106": "how a module is imported is a matter of style",
    "ASYNC109": "a `timeout` parameter is a matter of taste",
    "ASYNC111": "speaks of trio and anyio",
    "ASYNC112": "a task group with one task is a matter of style",
    "ASYNC113": "speaks of trio and anyio",
    "ASYNC114": "speaks of trio and anyio",
    "ASYNC115": "`sleep(0)` is asyncio's way to let others run",
    "ASYNC116": "speaks of trio and anyio",
    "ASYNC118": "speaks of anyio",
    "ASYNC120": "an await in an `except` is how clean-up is written; that it may be cancelled is no mistake by itself",
    "ASYNC123": "how an exception group is raised again",
    "ASYNC124": "a coroutine that awaits nothing is a matter of interface",
    "ASYNC125": "speaks of trio and anyio",
    "ASYNC400": "speaks of exception groups",
    "ASYNC401": "speaks of pytest",
}


class Theirs(NamedTuple):
    """A finding of another linter."""

    package: str
    file: str
    line: int
    code: str


class Verdict(NamedTuple):
    """What somebody found who read such a place."""

    is_right: bool
    reason: str


def environment(scratch: Path) -> Path:
    """The folder of the other linters' commands."""
    kept = os.environ.get("ASYNCFIX_PEERS")
    if kept:
        return Path(kept) / "bin"
    venv.create(scratch, with_pip=True)
    subprocess.run([scratch / "bin" / "pip", "install", "-q", *PEERS], check=True)
    return scratch / "bin"


def of_ruff(command: Path, package: str, root: Path) -> Iterator[Theirs]:
    options = ["--isolated", "--no-cache", "--preview", "--select", "ASYNC,RUF006", "--ignore-noqa"]
    ran = subprocess.run(
        [command, "check", *options, "--output-format", "json", "."], cwd=root, capture_output=True, text=True
    )
    for one in json.loads(ran.stdout):
        if one["code"] and one["code"].startswith(("ASYNC", "RUF")):
            file = Path(one["filename"]).relative_to(root.resolve()).as_posix()
            yield Theirs(package, file, one["location"]["row"], one["code"])


def of_flake8_async(command: Path, package: str, root: Path) -> Iterator[Theirs]:
    files = [
        path.relative_to(root).as_posix()
        for path in sorted(root.rglob("*.py"))
        if re.search(rb"async |asyncio", path.read_bytes())
    ]
    for start in range(0, len(files), 200):
        ran = subprocess.run(
            [command, "--asyncio", "--disable-noqa", *files[start : start + 200]],
            cwd=root, capture_output=True, text=True,
        )  # fmt: skip
        for line in ran.stdout.splitlines():
            if found := re.match(r"(.+?):(\d+):\d+: (ASYNC\d+)", line):
                yield Theirs(package, found[1], int(found[2]), found[3])


def read() -> dict[Theirs, Verdict]:
    rows = (json.loads(line) for line in READ.read_text(encoding="utf-8").splitlines())
    return {
        Theirs(row["package"], row["file"], row["line"], row["code"]): Verdict(row["verdict"] == "tp", row["reason"])
        for row in rows
    }


def met(one: Theirs, places: dict[tuple[str, str], set[int]]) -> bool:
    """Does a rule of ours that speaks of the same thing speak here?"""
    return any(
        line in places.get((one.file, code), ())
        for code in OURS.get(one.code, ())
        for line in range(one.line - NEARBY, one.line + NEARBY + 1)
    )


def unmet(theirs: Iterable[Theirs], packages: Sequence[Package]) -> Iterator[Theirs]:
    for package in packages:
        places: dict[tuple[str, str], set[int]] = {}
        for found in package.found:
            places.setdefault((found.file, found.code), set()).add(found.line)
        yield from sorted({one for one in theirs if one.package == package.name and not met(one, places)})


def report(theirs: Sequence[Theirs], missed: Sequence[Theirs], verdicts: dict[Theirs, Verdict]) -> Iterator[str]:
    yield "theirs    findings  met by ours  not ours  read: wrong  read: right  unexplained"
    every, left = Counter(one.code for one in theirs), Counter(one.code for one in missed)
    for code in sorted(every):
        kinds = Counter(verdicts[one].is_right for one in missed if one.code == code and one in verdicts)
        not_ours = left[code] if code in NOT_OURS else 0
        unexplained = left[code] - not_ours - kinds.total()
        yield (
            f"{code:8}  {every[code]:8}  {every[code] - left[code]:11}  {not_ours:8}  "
            f"{kinds[False]:11}  {kinds[True]:11}  {unexplained:11}"
        )
    yield ""
    yield from (
        f"right, and not ours: {one.code} {one.package}/{one.file}:{one.line}: {verdicts[one].reason}"
        for one in missed
        if one in verdicts and verdicts[one].is_right
    )
    yield from (f"{code}: {reason}" for code, reason in NOT_OURS.items() if left[code])


def test_peers(tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]) -> None:
    if not LABELS.exists():
        pytest.skip(f"there are no labels at {LABELS}")
    kept = os.environ.get("ASYNCFIX_CORPUS")
    corpus = Path(kept) if kept else tmp_path_factory.mktemp("corpus")
    commands = environment(tmp_path_factory.mktemp("peers"))
    packages = looked((site.package for site in labels()), corpus)
    theirs: set[Theirs] = set()
    for package in packages:
        root = source(package.name, corpus)
        theirs.update(of_ruff(commands / "ruff", package.name, root))
        if package.lines <= LINES:
            theirs.update(of_flake8_async(commands / "flake8-async", package.name, root))
    verdicts = read()
    missed = list(unmet(theirs, packages))
    unexplained = [one for one in missed if one.code not in NOT_OURS and one not in verdicts]
    with capsys.disabled():
        print("", *report(sorted(theirs), missed, verdicts), sep="\n")
        print(*(f"unexplained: {one.code} {one.package}/{one.file}:{one.line}" for one in unexplained), sep="\n")
    assert unexplained == []


if __name__ == "__main__":
    sys.exit(pytest.main(["-m", "slow", "-s", __file__]))
