"""All rules over whatever is there: no crash, no finding outside of its file.

    pytest -m slow tests/corpus/test_robust.py

The standard library and the site-packages of each Python that is found on the PATH (of which ASYNCFIX_PYTHONS names
more, parted by `os.pathsep`), their test suites' odd files too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from flake8_asyncpatterns.check import check
from flake8_asyncpatterns.rules import RULES
from flake8_asyncpatterns.source import Unreadable, lines, read

pytestmark = pytest.mark.slow

ASK = "import sysconfig; print(sysconfig.get_path('stdlib')); print(sysconfig.get_path('purelib'))"


def pythons() -> Iterator[str]:
    yield sys.executable
    named = (f"python3.{minor}" for minor in range(8, 16))
    for command in (*named, *os.environ.get("ASYNCFIX_PYTHONS", "").split(os.pathsep)):
        if command and (found := shutil.which(command)):
            yield found


def folders() -> list[Path]:
    found = set()
    for python in pythons():
        ran = subprocess.run([python, "-c", ASK], capture_output=True, text=True)
        found.update(
            Path(line).resolve() for line in ran.stdout.splitlines()
        )  # a shim of a version that is not there says nothing
    return sorted(path for path in found if path.is_dir())


def wrong(path: Path) -> str:
    """What goes wrong with a file, if anything."""
    try:
        text = read(path)
        found = check(text, str(path), RULES.values())
    except Unreadable:
        return ""
    except Exception as error:
        return f"{path}: {type(error).__name__}: {error}"
    rows = lines(text.text)
    for problem in found:
        for place in (problem.place, *(note.place for note in problem.notes)):
            if not 1 <= place.line <= len(rows) or not 1 <= place.column <= len(rows[place.line - 1]) + 1:
                return f"{path}:{place.line}:{place.column}: {problem.code} is outside of the file"
    return ""


def test_no_file_is_too_odd(capsys: pytest.CaptureFixture[str]) -> None:
    places = folders()
    assert places
    files = sorted({file for place in places for file in place.rglob("*.py") if file.is_file()})
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        failures = [line for line in pool.map(wrong, files, chunksize=50) if line]
    with capsys.disabled():
        print(f"\n{len(files)} files in {', '.join(map(str, places))}")
    assert failures == []
