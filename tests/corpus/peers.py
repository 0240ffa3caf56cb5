"""What other linters see in the same packages and we do not: each with the reason, and none without.

    pytest -m slow -s tests/corpus/peers.py

Runs the asyncio rules of ruff and of flake8-async (installed into a virtual environment of their own, or found in that
of ASYNCFIX_PEERS, where their findings are kept for the next time) over the packages of the labels. A finding of theirs
that none of ours meets is explained by somebody who read the place (`peers_read.jsonl`: one object a line, `verdict`
"tp" where they are right), by its rule (`NOT_OURS`: what it reports is no bug, or not asyncio's), or by its place
(`of_place`). What nothing explains fails the test.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import venv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

import pytest
from corpus.accuracy import LABELS, NEARBY, Package, labels, looked
from corpus.sources import source

from flake8_asyncpatterns.analysis.testcode import is_test
from flake8_asyncpatterns.check import parse
from flake8_asyncpatterns.flow import suspends, yields
from flake8_asyncpatterns.module import Module
from flake8_asyncpatterns.scopes import FUNCTIONS
from flake8_asyncpatterns.settings import NONE
from flake8_asyncpatterns.source import Unreadable
from flake8_asyncpatterns.source import read as read_source

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
    "ASYNC119": "the event loop soon closes a generator that is dropped; what must not be held until then, a lock or a"
    " task's scope, is AIO501's and AIO508's",
    "ASYNC120": "an await in an `except` is how clean-up is written; that it may be cancelled is no mistake by itself",
    "ASYNC122": "speaks of trio and anyio",
    "ASYNC123": "how an exception group is raised again",
    "ASYNC124": "a coroutine that awaits nothing is a matter of interface",
    "ASYNC125": "speaks of trio and anyio",
    "ASYNC127": "whether somebody still looks after a library is not asyncio's",
    "ASYNC128": "speaks of trio and anyio",
    "ASYNC220": "starting a process waits for nothing; what waits for it is AIO103's",
    "ASYNC400": "speaks of exception groups",
    "ASYNC401": "speaks of pytest",
}


# What our rules leave alone in tests, and what speaks of an `except` that a cancellation may come to.
QUIET_IN_TESTS = {"AIO102", "AIO103", "AIO104", "AIO105", "AIO303", "AIO304"}
NOT_IN_TESTS = {code for code, ours in OURS.items() if ours <= QUIET_IN_TESTS}
CANCELLATION = {code for code, ours in OURS.items() if ours == {"AIO305"}}
# Where ours is one finding for a `with` block, theirs is one for each `yield` in it.
BLOCKS = {code for code, ours in OURS.items() if "AIO508" in ours}


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


def of_ruff(command: Path, root: Path) -> Iterator[tuple[str, int, str]]:
    options = ["--isolated", "--no-cache", "--preview", "--select", "ASYNC,RUF006", "--ignore-noqa"]
    ran = subprocess.run(
        [command, "check", *options, "--output-format", "json", "."], cwd=root, capture_output=True, text=True
    )
    for one in json.loads(ran.stdout):
        if one["code"] and one["code"].startswith(("ASYNC", "RUF")):
            yield Path(one["filename"]).relative_to(root.resolve()).as_posix(), one["location"]["row"], one["code"]


def of_flake8_async(command: Path, root: Path) -> Iterator[tuple[str, int, str]]:
    files = [
        path.relative_to(root).as_posix()
        for path in sorted(root.rglob("*.py"))
        if re.search(rb"async |asyncio", path.read_bytes()) and is_python(path)
    ]
    for start in range(0, len(files), 200):
        ran = subprocess.run(
            [command, "--asyncio", "--disable-noqa", *files[start : start + 200]],
            cwd=root, capture_output=True, text=True,
        )  # fmt: skip
        assert "Traceback" not in ran.stderr, ran.stderr
        for line in ran.stdout.splitlines():
            if found := re.match(r"(.+?):(\d+):\d+: (ASYNC\d+)", line):
                yield found[1], int(found[2]), found[3]


def is_python(path: Path) -> bool:
    """Can this Python parse a file? flake8-async gives up all of its files at the first one that it cannot."""
    try:
        compile(path.read_bytes(), str(path), "exec", ast.PyCF_ONLY_AST)
    except (SyntaxError, ValueError):
        return False
    return True


def theirs_in(commands: Path, package: Package, root: Path) -> list[Theirs]:
    """What the others find in a package. A release is always the same, and so is what was kept of it."""
    kept = commands.parent / "found" / "-".join(PEERS) / f"{package.name}.json"
    if not kept.exists():
        found = {*of_ruff(commands / "ruff", root)}
        if package.lines <= LINES:
            found.update(of_flake8_async(commands / "flake8-async", root))
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(sorted(found)), encoding="utf-8")
    return [Theirs(package.name, *one) for one in json.loads(kept.read_text(encoding="utf-8"))]


def read() -> dict[Theirs, Verdict]:
    rows = (json.loads(line) for line in READ.read_text(encoding="utf-8").splitlines())
    return {
        Theirs(row["package"], row["file"], row["line"], row["code"]): Verdict(row["verdict"] == "tp", row["reason"])
        for row in rows
    }


class Places:
    """Where findings of theirs stand in the files of a corpus."""

    def __init__(self, corpus: Path) -> None:
        self.corpus = corpus
        self.module = lru_cache(maxsize=8)(self._module)

    def _module(self, package: str, file: str) -> Module | None:
        """A file; None: this Python cannot read it."""
        try:
            return parse(read_source(self.corpus / package / file).text, file, NONE)
        except Unreadable:
            return None

    def around(self, one: Theirs) -> tuple[Module | None, list[ast.AST]]:
        """The file, and the first node of the line with all that is around it in its function."""
        module = self.module(one.package, one.file)
        if module is None:
            return None, []
        here = [node for node in ast.walk(module.tree) if getattr(node, "lineno", 0) == one.line]
        first = min(here, key=lambda node: getattr(node, "col_offset", 0))
        return module, [first, *takewhile(lambda node: not isinstance(node, FUNCTIONS), module.ancestors(first))]

    def lines(self, one: Theirs) -> set[int]:
        """Where a finding of ours says the same: nearby, or at the head of the block that this stands in."""
        lines = {*range(one.line - NEARBY, one.line + NEARBY + 1)}
        for node in self.around(one)[1]:
            if isinstance(node, (ast.With, ast.AsyncWith, ast.ExceptHandler)):
                last = node.end_lineno if one.code in BLOCKS else None
                lines.update(range(node.lineno, (last or node.lineno) + 1))
        return lines

    def reason(self, one: Theirs) -> str:
        """Why our rules say nothing here, as far as the code around it tells; empty: it does not."""
        module, around = self.around(one)
        if module is None:
            return "this Python cannot read the file"
        if module.other_loop():
            return "the file runs under another library's event loop"
        if one.code in NOT_IN_TESTS and is_test(around[0], module):
            return "what waits or polls in a test holds up nobody else (AIO102 to AIO105 and AIO304 say so)"
        handler = next((node for node in around if isinstance(node, ast.ExceptHandler)), None)
        if one.code in CANCELLATION and handler:
            guarded = module.parents[handler]
            if (
                isinstance(guarded, (ast.Try, ast.TryStar))
                and not suspends(*guarded.body)
                and not yields(*guarded.body)
            ):
                return "nothing waits in the `try`, so no cancellation comes out of it"
        return ""


def not_met(theirs: Iterable[Theirs], packages: Sequence[Package], places: Places) -> Iterator[Theirs]:
    """The findings of theirs where no rule of ours says the same."""
    ours: dict[tuple[str, str, str], set[int]] = {}
    for package in packages:
        for found in package.found:
            ours.setdefault((found.package, found.file, found.code), set()).add(found.line)
    for one in theirs:
        lines = set[int]().union(*(ours.get((one.package, one.file, code), ()) for code in OURS.get(one.code, ())))
        if not lines or lines.isdisjoint(places.lines(one)):
            yield one


def explained(one: Theirs, verdicts: dict[Theirs, Verdict], places: Places) -> tuple[str, str]:
    """The column of the table for a finding that we do not have, and the reason."""
    if one in verdicts:
        return ("right" if verdicts[one].is_right else "wrong"), verdicts[one].reason
    if one.code in NOT_OURS:
        return "not ours", NOT_OURS[one.code]
    reason = places.reason(one)
    return ("place" if reason else "unexplained"), reason


COLUMNS = {
    "not ours": "not ours", "place": "its place", "wrong": "read: wrong", "right": "read: right",
    "unexplained": "unexplained",
}  # fmt: skip


def report(theirs: Sequence[Theirs], why: dict[Theirs, tuple[str, str]]) -> Iterator[str]:
    """A table of their rules, what they see that we do not, and the other reasons."""
    yield "          findings  met by ours  " + "  ".join(COLUMNS.values())
    every = Counter(code for one in theirs for code in (one.code, "all"))
    kinds = Counter((code, kind) for one, (kind, _) in why.items() for code in (one.code, "all"))
    for code in sorted(every):
        counts = "  ".join(f"{kinds[code, kind]:{len(title)}}" for kind, title in COLUMNS.items())
        unmet = sum(kinds[code, kind] for kind in COLUMNS)
        yield f"{code:8}  {every[code]:8}  {every[code] - unmet:11}  {counts}"
    yield ""
    yield from (
        f"right, and not ours: {one.code} {one.package}/{one.file}:{one.line}: {reason}"
        for one, (kind, reason) in why.items()
        if kind == "right"
    )
    reasons = Counter(
        (one.code, kind, reason) for one, (kind, reason) in why.items() if kind not in ("right", "unexplained")
    )
    yield from (f"{code}: {count} {COLUMNS[kind]}: {reason}" for (code, kind, reason), count in sorted(reasons.items()))
    yield from (
        f"unexplained: {one.code} {one.package}/{one.file}:{one.line}"
        for one, (kind, _) in why.items()
        if kind == "unexplained"
    )


def test_peers(tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]) -> None:
    if not LABELS.exists():
        pytest.skip(f"there are no labels at {LABELS}")
    kept = os.environ.get("ASYNCFIX_CORPUS")
    corpus = Path(kept) if kept else tmp_path_factory.mktemp("corpus")
    commands = environment(tmp_path_factory.mktemp("peers"))
    packages = looked((site.package for site in labels()), corpus)
    roots = [source(package.name, corpus) for package in packages]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(theirs_in, [commands] * len(packages), packages, roots)
    theirs = [one for each in found for one in each]
    places, verdicts = Places(corpus), read()
    why = {one: explained(one, verdicts, places) for one in not_met(theirs, packages, places)}
    with capsys.disabled():
        print("", *report(theirs, why), sep="\n")
    assert [one for one, (kind, _) in why.items() if kind == "unexplained"] == []


if __name__ == "__main__":
    sys.exit(pytest.main(["-m", "slow", "-s", __file__]))
