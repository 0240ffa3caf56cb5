"""What killed runs left behind goes; what is anybody else's stays."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flake8_asyncpatterns.leftovers import claim, temporary, tidy

MINE = ".module.py.0123456789ab.asyncfix"


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    long = temporary(tmp_path / ("x" * 250 + ".py"))
    for path in (tmp_path / MINE, long, temporary(tmp_path / "漢字.py"), temporary(tmp_path / "a\nb.py")):
        path.write_text("half a fi")
    tidy([tmp_path, tmp_path / "is not there"])
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    "name",
    ["module.py", "module.py.0123456789ab.asyncfix", ".asyncfix", ".module.py.asyncfix", ".x.0123456789ag.asyncfix"],
)
def test_what_has_another_name_stays(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    tidy([tmp_path])
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX system")
def test_what_is_no_file_stays(tmp_path: Path) -> None:
    (tmp_path / MINE).mkdir()
    (tmp_path / MINE.replace("0", "1")).symlink_to(tmp_path / "elsewhere")
    tidy([tmp_path])
    assert len([*tmp_path.iterdir()]) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be removed there anyway")
def test_what_a_running_one_writes_to_stays(tmp_path: Path) -> None:
    path = temporary(tmp_path / "a.py")
    with path.open("xb") as file:
        claim(file.fileno())
        tidy([tmp_path])
        assert path.exists()
    tidy([tmp_path])
    assert not path.exists()
