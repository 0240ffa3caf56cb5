"""What a start imports, as `-X importtime` tells it: counted, never timed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

SPY = """
import sys
from flake8_asyncpatterns.__main__ import main
sys.argv[1:] = {arguments!r}
main()
"""
# What takes long to import, and what is of use only where a file is looked at, or more than one at once.
HEAVY = {
    "asyncio", "concurrent.futures", "dataclasses", "difflib", "flake8", "importlib.metadata", "inspect", "json",
    "logging", "multiprocessing", "subprocess", "tempfile", "tomllib",
}  # fmt: skip
LOOKS = {"ast", "flake8_asyncpatterns.check", "flake8_asyncpatterns.engine", "flake8_asyncpatterns.module",
         "flake8_asyncpatterns.needs", "flake8_asyncpatterns.rule", "flake8_asyncpatterns.rules",
         "flake8_asyncpatterns.runner"}  # fmt: skip


@pytest.fixture(autouse=True)
def _file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.py").write_text("import time\n\nasync def f():\n    time.sleep(1)\n")
    os.utime("a.py", (time.time() - 3600,) * 2)


def loaded(*arguments: str) -> set[str]:
    """The modules that a command imports."""
    code = f"import sys; sys.path[:] = {sys.path!r}\n{SPY.format(arguments=list(arguments))}"
    ran = subprocess.run(
        [sys.executable, "-S", "-X", "importtime", "-c", code],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    # "import time:  self [us] |  cumulative | module": one that others import is indented.
    return {line.rpartition("|")[2].strip() for line in ran.stderr.splitlines() if line.startswith("import time:")}


def test_help_knows_no_rule() -> None:
    found = loaded("--help")
    assert not found & (HEAVY | LOOKS)
    assert len([name for name in found if name.startswith("flake8_asyncpatterns")]) <= 6


def test_where_nothing_has_changed_no_rule_is_loaded() -> None:
    assert "flake8_asyncpatterns.rules" in loaded("check", "--isolated", "-q")
    found = loaded("check", "--isolated", "-q")
    assert not found & (HEAVY | LOOKS)
    assert len([name for name in found if name.startswith("flake8_asyncpatterns")]) <= 15


def test_one_file_needs_no_pool_and_no_rewriter() -> None:
    found = loaded("check", "--isolated", "--no-cache", "a.py")
    assert not found & HEAVY
    late = ("cluster", "docs", "edits", "fix", "graph", "imports", "lower", "places", "plugin", "proof", "rewrite",
            "sarif", "splice")  # fmt: skip
    assert not found & {f"flake8_asyncpatterns.{name}" for name in late}
