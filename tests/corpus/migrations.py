"""Old packages brought over by `asyncfix migrate`, and what their own test suites say before and after.

    python tests/corpus/migrations.py                     all of migrations.json, on Python 3.8
    python tests/corpus/migrations.py janus hbmqtt        … these
    python tests/corpus/migrations.py --new janus         … for Python 3.11, run on this Python
    python tests/corpus/migrations.py --keep /tmp/here …  … leave sources, environments and results there

Each package is fetched as released, its suite is run in an environment of pinned packages of its time, a copy is
migrated, and the suite is run again. Every test that passed must still pass. The exceptions are named in
`migrations.json` one by one, each with the reason that its traceback gives: doubles of the tests' own that cannot be
awaited. Nothing of this runs every day: it downloads, and takes minutes.

Python 3.8 is found as `python3.8`, or by the environment variable PYTHON38. (One package parses on nothing newer than
3.6: there, and with `--to 3.6`, it is compared.) Pythons that have no `asyncio.coroutine` cannot import the packages as
released: with `--new`, there is nothing to compare with, and what is shown is what the suite says of the result. Two
packages need the names that `collections` has lost since, and one needs another package migrated as well.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from corpus.outcomes import PASSED, SKIPPED, Outcome, environment, outcome
from corpus.sources import source

HERE = Path(__file__).resolve().parent
TABLE = HERE / "migrations.json"
# What `collections` had until Python 3.9, and what no migration of ours brings back.
ALIASES = """
import collections, collections.abc
for name in collections.abc.__all__: setattr(collections, name, getattr(collections.abc, name))
"""


def interpreter(version: str) -> str:
    """Where a Python is."""
    variable = f"PYTHON{version.replace('.', '')}"
    named = os.environ.get(variable, f"python{version}")
    asked = subprocess.run([named, "-c", "import sys; print(sys.executable)"], capture_output=True, text=True)
    if asked.returncode:
        raise SystemExit(f"{named} does not run; say by {variable}=… where Python {version} is")
    return asked.stdout.strip()


def run(python: Path, folder: Path, suite: Mapping[str, Any], beside: Sequence[Path]) -> Outcome:
    """Run a suite of another time in its folder: what warns today is nobody's business."""
    paths = [".", *map(str, beside)]
    return outcome(python, folder, suite, paths, ["-W", "ignore"], ALIASES if suite.get("aliases") else "")


def migrated(original: Path, to: str, place: Path) -> tuple[Path, str]:
    """A copy of a folder after `asyncfix migrate . --to …`, and the summary."""
    copy = Path(tempfile.mkdtemp(prefix="migrated-", dir=place)) / original.name
    shutil.copytree(original, copy)
    command = [sys.executable, "-m", "flake8_asyncpatterns", "migrate", ".", "--to", to, "--isolated"]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True)
    Path(copy, "MIGRATION").write_text(done.stderr)
    return copy, done.stderr.rstrip().rpartition("\n")[2]


def broken(before: Outcome, after: Outcome) -> Iterator[str]:
    """The tests that passed before and do not any more."""
    return (name for name, ending in before.tests.items() if ending == PASSED and after.tests.get(name) != PASSED)


def compare(place: Path, name: str, suite: Mapping[str, Any]) -> bool:
    """Try one package on the Python of its suite; gives whether all is as `suite` says."""
    version = suite.get("python", "3.8")
    python = interpreter(version)
    folder = source(suite["source"], place / "sources")
    beside = [source(other, place / "sources") for other in suite["beside"]]
    at = environment(place, name, suite["pins"], python)
    known = place / "before" / f"{name}.json"
    if known.exists():
        before = Outcome(*json.loads(known.read_text()))
    else:
        before = run(at, folder, suite, beside)
        known.parent.mkdir(parents=True, exist_ok=True)
        known.write_text(json.dumps(before))
    copy, summary = migrated(folder, version, place)
    after = run(at, copy, suite, beside)
    lost = list(broken(before, after))
    print(f"{suite['source']}, Python {version}: {summary}")
    print(f"  before: {before.counts()}\n  after:  {after.counts()}")
    for test in lost:
        known_why = suite["doubles"].get(test)
        print(f"  {'a double' if known_why else 'BROKEN'}: {test}: {after.words.get(test) or after.said}")
    return bool(after.tests) and all(test in suite["doubles"] for test in lost)


def show(place: Path, name: str, suite: Mapping[str, Any]) -> bool:
    """Try one package on a Python that has no `asyncio.coroutine`; gives whether it can be imported."""
    if "new" not in suite:
        print(f"{suite['source']}: nothing is known of how to run it here")
        return True
    new: Mapping[str, Any] = {**suite, **suite["new"]}
    at = environment(place, f"{name}-new", new["pins"], sys.executable)
    beside = [source(other, place / "sources") for other in new["beside"]]
    for other in new.get("migrated", ()):
        requirement, _, inner = other.partition("/")
        beside.append(migrated(source(requirement, place / "sources"), "3.11", place)[0] / inner)
    copy, summary = migrated(source(suite["source"], place / "sources"), "3.11", place)
    after = run(at, copy, new, beside)
    print(f"{suite['source']}, {Path(sys.executable).name} {sys.version.split()[0]}: {summary}")
    print(f"  after:  {after.counts()}")
    for test, ending in after.tests.items():
        if ending not in (PASSED, SKIPPED):
            print(f"  {ending}{' (a double)' if test in suite['doubles'] else ''}: {test}: {after.words[test]}")
    print(after.said, end="")
    return PASSED in after.tests.values()


def main() -> int:
    """Run it; 1 when a test was lost that is not named in the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    table: dict[str, dict[str, Any]] = json.loads(TABLE.read_text())
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(table))
    parser.add_argument("--keep", type=Path, help="leave sources, environments and results here, and use them again")
    parser.add_argument("--new", action="store_true", help="migrate for Python 3.11, and run on this Python")
    options = parser.parse_args()
    for name in options.names:
        if name not in table:
            parser.error(f"there is no {name!r} in {TABLE.name}; there are {', '.join(table)}")
    with tempfile.TemporaryDirectory() as scratch:
        place = (options.keep or Path(scratch)).absolute()
        place.mkdir(parents=True, exist_ok=True)
        attempt = show if options.new else compare
        results = [attempt(place, name, table[name]) for name in options.names or table]
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
