"""A package's own test suite, run in an environment of pinned packages, and how each of its tests ended."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

# Some suites leave threads behind that are no daemons: the session is over when pytest says so.
LEAVES_AT_ONCE = """
import os, threading
code = [0]
def pytest_sessionfinish(session, exitstatus): code[0] = int(exitstatus)
def pytest_unconfigure(config): threading.Timer(1.5, lambda: os._exit(code[0])).start()
"""
PASSED, SKIPPED = "passed", "skipped"


class Outcome(NamedTuple):
    """What a suite said: how each test ended, by name, and the last line of what those that failed said."""

    tests: dict[str, str]
    words: dict[str, str]
    said: str = ""

    def counts(self) -> str:
        """How many ended how."""
        found = Counter(self.tests.values())
        return ", ".join(f"{number} {ending}" for ending, number in sorted(found.items())) or "could not be collected"


def environment(place: Path, name: str, pins: Sequence[str], python: str) -> Path:
    """The Python of a virtual environment that has these packages and no others."""
    folder = place / "environments" / f"{name}-{Path(python).name}"
    if not (folder / "ready").exists():
        subprocess.run([python, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin/python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
        done = subprocess.run([*pip, "--no-deps", *pins], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        (folder / "ready").touch()
    return folder / "bin/python"


def outcome(
    python: Path,
    folder: Path,
    suite: Mapping[str, Any],
    paths: Sequence[str],
    options: Sequence[str] = (),
    first: str = "",
) -> Outcome:
    """Run a suite in its folder, with its `arguments`, `timeout` and `environment`.

    It imports from `paths`, goes by these `options` of pytest, and runs the code `first` before anything is imported.
    """
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch, "leaves_at_once.py").write_text(LEAVES_AT_ONCE + first)
        report = Path(scratch, "report.xml")
        command = [str(python), "-m", "pytest", "-p", "leaves_at_once", "-q", "--tb=short", *options]
        command += ["--timeout", str(suite["timeout"]), f"--junitxml={report}", *shlex.split(suite["arguments"])]
        environ = (
            os.environ
            | suite.get("environment", {})
            | {"PYTHONPATH": os.pathsep.join([*paths, scratch]), "PYTHONDONTWRITEBYTECODE": "1"}
        )
        done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=1800)
        if not report.exists():
            return Outcome({}, {}, (done.stdout + done.stderr)[-3000:])
        tests, words = {}, {}
        for case in ET.parse(report).iter("testcase"):
            name = f"{case.get('classname')}::{case.get('name')}"
            tests[name], words[name] = _ending(case)
        collected = any(ending == PASSED for ending in tests.values())
        return Outcome(tests, words, "" if collected else done.stdout[-3000:])


def _ending(case: ET.Element) -> tuple[str, str]:
    for kind in ("error", "failure", SKIPPED):
        found = case.find(kind)
        if found is not None:
            lines = [line for line in (found.text or "").splitlines() if line.startswith("E ")]
            return ("failed" if kind == "failure" else kind), (lines[-1][1:].strip() if lines else "")
    return PASSED, ""
