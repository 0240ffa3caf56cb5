"""Released packages mended by `asyncfix fix`, and what their own test suites say before and after.

    python tests/corpus/suites.py                     all of suites.json
    python tests/corpus/suites.py janus anyio         … these
    python tests/corpus/suites.py --keep /tmp/here …  … leave sources, environments, copies and results there
    pytest -m slow -s tests/corpus/suites.py

Each package is fetched as released, with its tests, and its suite is run in an environment of pinned packages, twice:
a test that does not end as it did before, with nothing changed, tells nothing, and is counted as unsteady. Then copies
are mended, package and tests alike, by the safe fixes of the rules that are on by default, by those of all rules, and
by unsafe ones too. After a safe fix every test must end as it did before. What unsafe fixes break is named in
`suites.json` test by test, each with the reason that somebody found who looked.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from corpus import tables
from corpus.outcomes import PASSED, Outcome, environment, outcome
from corpus.sources import source
from corpus.tables import Row

# pip leaves the files of an index open that is a folder.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]

TABLE: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_suffix(".json").read_text())
RELEASED, UNSAFE = "as released", "unsafe, all rules"
TRIALS = {"safe": (), "safe, all rules": ("--select", "ALL"), UNSAFE: ("--select", "ALL", "--unsafe")}
HEADINGS = ["package", "version", RELEASED, *TRIALS, "unsteady"]
FIXED = re.compile(r": (AIO\d+) fixed: ")


class Trial(NamedTuple):
    """What came of some fixes: how many of which rule, how the tests ended, and those that ended otherwise before."""

    fixed: Counter[str]
    after: Outcome
    changed: dict[str, str]
    unsteady: set[str]

    def __str__(self) -> str:
        fixed = ", ".join(f"{code} {number}" for code, number in sorted(self.fixed.items()))
        return f"{self.fixed.total()} sites ({fixed}); {len(self.changed)} tests changed; {self.after.counts()}"


def kept(place: Path, at: Path, name: str, suite: Mapping[str, Any]) -> list[Outcome]:
    """How the tests end as released, twice."""
    known = place / "before" / f"{name}.json"
    if not known.exists():
        runs = [run(at, copied(place, suite), suite) for _ in range(2)]
        known.parent.mkdir(parents=True, exist_ok=True)
        known.write_text(json.dumps(runs))
    return [Outcome(*run) for run in json.loads(known.read_text())]


def copied(place: Path, suite: Mapping[str, Any]) -> Path:
    """A copy of the sources, as released."""
    original = source(suite["source"], place / "sources")
    copy = Path(tempfile.mkdtemp(prefix="copy-", dir=place)) / original.name
    return Path(shutil.copytree(original, copy, symlinks=True))


def run(at: Path, folder: Path, suite: Mapping[str, Any]) -> Outcome:
    """Run a suite in its folder, on the sources there."""
    return outcome(at, folder, suite, [str(folder / path) for path in suite["paths"]])


def mended(folder: Path, options: tuple[str, ...]) -> Counter[str]:
    """Fix what can be fixed there; gives how many sites of which rule."""
    command = [sys.executable, "-m", "flake8_asyncpatterns", "fix", ".", "--isolated", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    (folder / "FIXED").write_text(done.stderr)
    return Counter(FIXED.findall(done.stderr))


def others(steady: Mapping[str, str], after: Outcome) -> dict[str, str]:
    """The tests that end otherwise, or have come or gone, with how and why."""
    return {
        test: f"{steady.get(test, 'not there')} → {after.tests.get(test, 'not there')} {after.words.get(test, '')}"
        for test in sorted(steady.keys() | after.tests.keys())
        if steady.get(test) != after.tests.get(test)
    }


def trials(place: Path, name: str) -> Iterator[tuple[str, Trial]]:
    """Try one package: as released, and with fixes of more and more kinds."""
    suite = TABLE[name]
    at = environment(place, name, suite["pins"], sys.executable)
    first, second = kept(place, at, name, suite)
    unsteady = set(others(first.tests, second))
    yield RELEASED, Trial(Counter(), first, {}, unsteady)
    earlier, last = Counter[str](), Trial(Counter(), first, {}, unsteady)
    for title, options in TRIALS.items():
        copy = copied(place, suite)
        fixed = mended(copy, options)
        # The same fixes as in the trial before make the same files.
        if fixed != earlier:
            after = run(at, copy, suite)
            changed = steadily(first, unsteady, after)
            if changed:  # whether it is the fix or chance shows in another run
                again = steadily(first, unsteady, run(at, copy, suite))
                unsteady |= changed.keys() ^ again.keys()
                changed = {test: how for test, how in changed.items() if test in again}
            last = Trial(fixed, after, changed, unsteady)
        earlier = fixed
        yield title, last


def steadily(before: Outcome, unsteady: set[str], after: Outcome) -> dict[str, str]:
    """The tests that end otherwise, of those that tell something."""
    return {test: how for test, how in others(before.tests, after).items() if test not in unsteady}


def tried(place: Path, name: str) -> Row:
    """Try one package and say what came of it."""
    suite, cells, wrong = TABLE[name], [name], list[str]()
    print(f"\n{suite['source']}, Python {sys.version.split()[0]}")
    for title, trial in trials(place, name):
        print(f"  {title}: {trial}; {len(trial.unsteady)} unsteady", flush=True)
        if title == RELEASED:
            cells += [suite["source"].partition("==")[2], trial.after.counts()]
            wrong += [] if PASSED in trial.after.tests.values() else [f"{name}: {trial.after.said}"]
            continue
        cells.append(f"{trial.fixed.total()} / {len(trial.changed)}")
        known = suite["broken"] if title == UNSAFE else {}
        wrong += [f"{name}, {title}: {test}" for test in tables.explained(trial.changed, known)]
    print(f"  unsteady: {', '.join(sorted(trial.unsteady)) or 'none'}")
    return Row([*cells, str(len(trial.unsteady))], wrong)


@pytest.mark.parametrize("name", TABLE)
def test_safe_fixes_change_no_result_and_unsafe_ones_only_what_is_known(name: str, tmp_path: Path) -> None:
    assert tried(tmp_path, name).wrong == []


def main() -> int:
    """Run it; 1 when a test changed that is not named in the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options = tables.asked(parser, TABLE)
    with tables.place(options.keep) as place:
        return tables.tell(HEADINGS, (tried(place, name) for name in options.names))


if __name__ == "__main__":
    raise SystemExit(main())
