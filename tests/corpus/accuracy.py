"""How right the rules are on code that nobody here wrote: hand-read sites in released packages.

    pytest -m slow -s tests/corpus/accuracy.py
    python tests/corpus/accuracy.py --sample 50 AIO205      # findings drawn at random, to be read one by one

The labels are one JSON object a line (ASYNCFIX_LABELS, else `../shared/labels.jsonl` beside the checkout); without
them there is nothing to measure, and the test is skipped. The first line maps categories to codes. A `tp` must be
reported within two lines by a rule of its category; a `tn` by none that is on by default.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from corpus.sources import source

from flake8_asyncpatterns.check import check, project
from flake8_asyncpatterns.rules import RULES
from flake8_asyncpatterns.settings import NONE
from flake8_asyncpatterns.source import Unreadable, read

pytestmark = pytest.mark.slow

LABELS = Path(os.environ.get("ASYNCFIX_LABELS") or Path(__file__).parents[3] / "shared" / "labels.jsonl")
NEARBY = 2
RECALL = 0.9


class Label(NamedTuple):
    """A site that somebody read, and what they found. `window`: so many lines after it still are the site."""

    package: str
    file: str
    line: int
    category: str
    is_wrong: bool
    reason: str
    codes: frozenset[str]
    window: int

    def met_by(self, found: Iterable[Found]) -> set[str]:
        """The codes of its category that were reported here."""
        lines = range(self.line - NEARBY, self.line + max(NEARBY, self.window) + 1)
        return {f.code for f in found if f.file == self.file and f.line in lines and f.code in self.codes}

    @property
    def place(self) -> str:
        return f"{self.package}/{self.file}:{self.line}"


class Found(NamedTuple):
    """A finding in a package."""

    package: str
    file: str
    line: int
    code: str
    message: str


class Package(NamedTuple):
    """What was found in a package."""

    name: str
    lines: int
    found: list[Found]
    crashed: list[str]


def labels(path: Path = LABELS) -> list[Label]:
    first, *rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    codes, windows = first["categories"], first.get("windows", {})
    return [
        Label(
            f"{row['package']}=={row['version']}",
            row["file"],
            row["line"],
            str(row["category"]),
            row["verdict"] == "tp",
            row["reason"],
            frozenset(codes[str(row["category"])]),
            windows.get(str(row["category"]), 0),
        )
        for row in rows
    ]


def look(job: tuple[str, Path]) -> Package:
    """Every rule, opt-in ones too, over every file of a package."""
    name, corpus = job
    root = source(name, corpus)
    around = project(NONE)
    lines, found, crashed = 0, [], []
    for path in sorted(root.rglob("*.py")):
        file = path.relative_to(root).as_posix()
        try:
            text = read(path)
            lines += text.text.count("\n")
            problems = check(text, str(path), RULES.values(), NONE, around)
            found += [Found(name, file, p.place.line, p.code, p.message) for p in problems]
        except Unreadable:
            continue  # of another age, or meant to be broken
        except Exception as error:  # whatever it is, it is ours, and the others go on
            crashed.append(f"{name}/{file}: {type(error).__name__}: {error}")
    return Package(name, lines, found, crashed)


def looked(names: Iterable[str], corpus: Path) -> list[Package]:
    jobs = [(name, corpus) for name in sorted(set(names))]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(look, jobs))


def percent(part: int, whole: int) -> str:
    return f"{part}/{whole}" + (f" {100 * part / whole:.0f} %" if whole else "")


def report(sites: Sequence[Label], packages: Sequence[Package]) -> Iterator[str]:
    """Tables for people: a category's recall and false alarms, a rule's findings, and each site that went wrong."""
    by_package = {package.name: package.found for package in packages}
    met = {site: site.met_by(by_package[site.package]) for site in sites}
    yield "category  recall       alarms on tn (of default rules)"
    for category in sorted({site.category for site in sites}, key=int):
        wrong = [s for s in sites if s.category == category and s.is_wrong]
        fine = [s for s in sites if s.category == category and not s.is_wrong]
        alarms = sum(bool(met[s]) for s in fine), sum(any(RULES[c].default for c in met[s]) for s in fine)
        recall = percent(sum(bool(met[s]) for s in wrong), len(wrong))
        yield f"{category:>8}  {recall:11}  {alarms[0]}/{len(fine)} ({alarms[1]})"
    wrong = [site for site in sites if site.is_wrong]
    yield f"     all  {percent(sum(bool(met[s]) for s in wrong), len(wrong))}"
    yield ""
    lines = sum(package.lines for package in packages)
    counts = Counter(f.code for package in packages for f in package.found)
    met_by = Counter(code for site in wrong for code in met[site])
    alarms_of = Counter(code for site in sites if not site.is_wrong for code in met[site])
    yield f"rule     on   findings  per million lines ({lines:,} in all)  tp met  tn alarmed"
    for code, rule in sorted(RULES.items()):
        on = "yes" if rule.default else "no"
        rate = counts[code] * 1e6 / lines
        yield f"{code}  {on:3}  {counts[code]:8}  {rate:17.1f}  {met_by[code]:6}  {alarms_of[code]:6}"
    yield ""
    yield from (f"missed: {s.category} {s.place}: {s.reason}" for s in wrong if not met[s])
    yield from (
        f"false alarm: {s.category} {s.place}: {', '.join(sorted(met[s]))}: {s.reason}"
        for s in sites
        if not s.is_wrong and met[s]
    )
    yield from (f"crashed: {line}" for package in packages for line in package.crashed)


def test_accuracy(tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]) -> None:
    if not LABELS.exists():
        pytest.skip(f"there are no labels at {LABELS}")
    kept = os.environ.get("ASYNCFIX_CORPUS")
    sites = labels()
    packages = looked((site.package for site in sites), Path(kept) if kept else tmp_path_factory.mktemp("corpus"))
    with capsys.disabled():
        print("", *report(sites, packages), sep="\n")
    found = {package.name: package.found for package in packages}
    assert [line for package in packages for line in package.crashed] == []
    alarms = {
        site.place: codes
        for site in sites
        if not site.is_wrong and (codes := {code for code in site.met_by(found[site.package]) if RULES[code].default})
    }
    assert alarms == {}
    wrong = [site for site in sites if site.is_wrong]
    assert sum(bool(site.met_by(found[site.package])) for site in wrong) >= RECALL * len(wrong)


def drawn(code: str, count: int, seed: int, corpus: Path) -> Iterator[str]:
    """Some findings of a rule, drawn at random from every package in the corpus, with the code around them."""
    packages = looked((path.name for path in corpus.iterdir() if "==" in path.name), corpus)
    found = [f for package in packages for f in package.found if f.code == code]
    for one in random.Random(seed).sample(found, min(count, len(found))):
        yield f"\n== {one.package}/{one.file}:{one.line} {one.message}"
        lines = read(corpus / one.package / one.file).text.splitlines()
        first = max(one.line - 13, 0)
        yield from (
            f"{number:6}{'>' if number == one.line else ' '} {text}"
            for number, text in enumerate(lines[first : one.line + 10], first + 1)
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw findings of a rule at random, to be read one by one.")
    parser.add_argument("code")
    parser.add_argument("--sample", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--corpus", type=Path, default=Path(os.environ.get("ASYNCFIX_CORPUS", "corpus")))
    options = parser.parse_args()
    for line in drawn(options.code, options.sample, options.seed, options.corpus):
        print(line)
