"""Old packages brought over by `asyncfix migrate`, and what their own test suites say before and after.

    python tests/corpus/migrations.py                     all of migrations.json, on Python 3.8
    python tests/corpus/migrations.py janus hbmqtt        … these
    python tests/corpus/migrations.py --new janus         … for Python 3.11, run on this Python
    python tests/corpus/migrations.py --keep /tmp/here …  … leave sources, environments and results there

Each package is fetched as released, its suite is run in an environment of pinned packages of its time, a copy is
migrated, and the suite is run again. Every test that passed must still pass. The exceptions are named in
`migrations.json` one by one, each with the reason that its traceback gives: doubles of the tests' own that cannot be
awaited, for example. Nothing of this runs every day: it downloads, and takes minutes.

Python 3.8 is found as `python3.8`, or by the environment variable PYTHON38. (Two packages do not run on anything newer
than 3.6: there, and with `--to 3.6`, they are compared.) Pythons that have no `asyncio.coroutine` cannot import the
packages as released: with `--new`, there is nothing to compare with, and each test that fails must be named, in
`migrations.json` under `new`, with its reason. What some packages want of an older Python is given back to them
(`lacks`), and one needs another package migrated as well.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from corpus import tables
from corpus.outcomes import PASSED, SKIPPED, Outcome, environment, outcome
from corpus.sources import source
from corpus.tables import Row

TABLE: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_suffix(".json").read_text())
HEADINGS = ["package", "functions turned over", "left to people", "before", "after", "lost"]
# The Python that is migrated for where nothing that is left can run any more.
NEW = "3.11"
TURNED = re.compile(r": migrated: `.*` is a coroutine now$", re.MULTILINE)
LEFT = re.compile(r":\d+: left: ")
# What packages of another time want of Python, and what no migration of ours brings back.
LACKS = {
    # What `collections` had until Python 3.9.
    "collections": """
import collections, collections.abc
for name in collections.abc.__all__: setattr(collections, name, getattr(collections.abc, name))
""",
    # A version that is compared as strings, for which 3.11 is older than 3.4.4.
    "version": "import platform\nplatform.python_version_tuple = lambda: ('3', '9', '0')\n",
}


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
    first = "".join(LACKS[name] for name in suite.get("lacks", ()))
    return outcome(python, folder, suite, paths, ["-W", "ignore"], first)


class Migration(NamedTuple):
    """A copy of a folder after `asyncfix migrate`: how many functions turned over, and how much is left to people."""

    copy: Path
    turned: int
    left: int


def migrated(original: Path, to: str, place: Path) -> Migration:
    """What comes of `asyncfix migrate . --to …`."""
    copy = Path(tempfile.mkdtemp(prefix="migrated-", dir=place)) / original.name
    shutil.copytree(original, copy)
    command = [sys.executable, "-m", "flake8_asyncpatterns", "migrate", ".", "--to", to, "--isolated"]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True)
    Path(copy, "MIGRATION").write_text(done.stderr)
    return Migration(copy, len(TURNED.findall(done.stderr)), len(LEFT.findall(done.stderr)))


def failing(after: Outcome) -> dict[str, str]:
    """The tests that do not pass, with how and why."""
    bad = {test: ending for test, ending in after.tests.items() if ending not in (PASSED, SKIPPED)}
    return {test: f"{ending}: {after.words[test]}" for test, ending in bad.items()}


def broken(before: Outcome, after: Outcome) -> dict[str, str]:
    """The tests that passed before and do not any more, with how and why."""
    lost = (name for name, ending in before.tests.items() if ending == PASSED and after.tests.get(name) != PASSED)
    return {test: after.words.get(test) or "not there" for test in lost}


def compare(place: Path, name: str) -> Row:
    """Try one package on the Python of its suite, before and after."""
    suite = TABLE[name]
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
    migration = migrated(folder, version, place)
    after = run(at, migration.copy, suite, beside)
    return told(name, version, migration, before.counts(), after, broken(before, after), suite["broken"])


def show(place: Path, name: str) -> Row:
    """Try one package on a Python that has no `asyncio.coroutine`, and cannot import it as released.

    Where the table has a text for `new`, that is why it cannot be tried.
    """
    if isinstance(why := TABLE[name]["new"], str):
        print(f"\n{TABLE[name]['source']}, --to {NEW}: not tried: {why}")
        return Row([TABLE[name]["source"].replace("==", " "), *["not tried"] * (len(HEADINGS) - 1)], [])
    suite: Mapping[str, Any] = {**TABLE[name], **TABLE[name]["new"]}
    at = environment(place, f"{name}-new", suite["pins"], sys.executable)
    beside = [source(other, place / "sources") for other in suite["beside"]]
    for other in suite.get("migrated", ()):
        requirement, _, inner = other.partition("/")
        beside.append(migrated(source(requirement, place / "sources"), NEW, place).copy / inner)
    migration = migrated(source(suite["source"], place / "sources"), NEW, place)
    after = run(at, migration.copy, suite, beside)
    return told(name, NEW, migration, "cannot be imported", after, failing(after), suite["broken"])


def told(
    name: str,
    to: str,
    migration: Migration,
    before: str,
    after: Outcome,
    lost: Mapping[str, str],
    reasons: Mapping[str, str],
) -> Row:
    """Say what came of one package; wrong is what was lost for no known reason, or all of it."""
    print(f"\n{TABLE[name]['source']}, --to {to}: {migration.turned} turned over, {migration.left} left")
    print(f"  before: {before}\n  after:  {after.counts()}")
    wrong = [f"{name}: {test}" for test in tables.explained(lost, reasons)]
    if PASSED not in after.tests.values():
        wrong.append(f"{name}: {after.said}")
    counts = [str(migration.turned), str(migration.left), before, after.counts()]
    return Row([TABLE[name]["source"].replace("==", " "), *counts, str(len(lost))], wrong)


def main() -> int:
    """Run it; 1 when a test was lost that is not named in the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--new", action="store_true", help=f"migrate for Python {NEW}, and run on this Python")
    options = tables.asked(parser, TABLE)
    with tables.place(options.keep) as place:
        attempt = show if options.new else compare
        return tables.tell(HEADINGS, (attempt(place, name) for name in options.names))


if __name__ == "__main__":
    raise SystemExit(main())
