"""The files in `typing/` say what type checkers see; each checker must agree with every line of them.

A wrong use has a comment that ignores the error, and both checkers complain of a comment where there is no error.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import asyncpatterns
import pytest

TYPING = Path(__file__).parent / "typing"


def module(name: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    return subprocess.run(
        [sys.executable, "-m", name, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(cwd)},
    )


def pyright(tmp_path: Path, checked: Path) -> subprocess.CompletedProcess[str]:
    # Copied, because it wants to be told of files beside its configuration.
    shutil.copytree(checked, tmp_path / "checked" / checked.name)
    configuration = {
        "include": ["checked"],
        "typeCheckingMode": "strict",
        # Only their own comments count for each checker.
        "enableTypeIgnoreComments": False,
        "reportUnnecessaryTypeIgnoreComment": True,
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(configuration))
    return module("pyright", "--pythonpath", sys.executable, "--project", str(tmp_path), cwd=tmp_path)


def test_mypy_sees_what_the_files_say(tmp_path: Path) -> None:
    result = module("mypy", "--strict", f"--cache-dir={tmp_path}", str(TYPING), cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


def test_pyright_sees_what_the_files_say(tmp_path: Path) -> None:
    result = pyright(tmp_path, TYPING)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "No source files" not in result.stdout


def test_every_public_type_is_known_to_pyright(tmp_path: Path) -> None:
    shutil.copytree(Path(asyncpatterns.__file__).parent, tmp_path / "asyncpatterns")
    result = module(
        "pyright", "--pythonpath", sys.executable, "--verifytypes", "asyncpatterns", "--ignoreexternal", cwd=tmp_path
    )
    assert "completeness score: 100%" in result.stdout, result.stdout + result.stderr
