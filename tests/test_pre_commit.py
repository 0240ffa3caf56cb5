"""The hooks, run by the real pre-commit in a repository made for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cases import ROOT

pytestmark = [
    # Installs the package and its build tool from the package index.
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
    pytest.mark.skipif(not (ROOT / ".git").exists(), reason="pre-commit takes hooks from a git repository only"),
]

BAD = "import time\n\n\nasync def f():\n    time.sleep(1)\n"
GOOD = "import asyncio\nimport time\n\n\nasync def f():\n    await asyncio.sleep(1)\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pre-commit")


def run(home: Path, repo: Path, *command: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PRE_COMMIT_HOME": str(home), "GIT_CONFIG_GLOBAL": os.devnull}
    return subprocess.run(command, cwd=repo, env=env, capture_output=True, text=True, timeout=600)


def hook(home: Path, tmp_path: Path, name: str, text: str) -> tuple[int, str, str]:
    """Exit code and output of a hook on a file, and what the file then holds."""
    file = tmp_path / "app.py"
    file.write_text(text)
    run(home, tmp_path, "git", "init", "-q")
    run(home, tmp_path, "git", "add", "app.py")
    tried = run(home, tmp_path, sys.executable, "-m", "pre_commit", "try-repo", str(ROOT), name, "--files", "app.py")
    return tried.returncode, tried.stdout + tried.stderr, file.read_text()


def test_check_names_what_is_wrong(home: Path, tmp_path: Path) -> None:
    code, said, after = hook(home, tmp_path, "asyncfix-check", BAD)
    assert code == 1, said
    assert "app.py:5:5: AIO101 [*]" in said
    assert after == BAD


def test_check_passes_what_is_right(home: Path, tmp_path: Path) -> None:
    code, said, _ = hook(home, tmp_path, "asyncfix-check", GOOD)
    assert code == 0, said
    assert "Passed" in said


def test_fix_mends(home: Path, tmp_path: Path) -> None:
    code, said, after = hook(home, tmp_path, "asyncfix-fix", BAD)
    assert code == 1, said
    assert "files were modified by this hook" in said
    assert after == "import asyncio\n\n\nasync def f():\n    await asyncio.sleep(1)\n" or after == GOOD
