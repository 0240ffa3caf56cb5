"""What is known of rules before they are imported: the same as they say, wherever it comes from."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flake8_asyncpatterns import memory
from flake8_asyncpatterns.cache import Store
from flake8_asyncpatterns.catalogue import Rules
from flake8_asyncpatterns.needs import Scan
from flake8_asyncpatterns.rules import RULES
from flake8_asyncpatterns.settings import NONE

ROOT = Path(__file__).parents[1]
MODULES = sorted({card.module for card in RULES.cards.values()})
SLEEPS = "import time\n\nasync def f():\n    time.sleep(1)\n"
SPY = """
import sys
sys.path[:] = {path!r}
from flake8_asyncpatterns.cli import main
main(["check", "--isolated", "--no-cache", "--no-project", "-q", "a.py"])
print(*sorted(sys.modules), file=sys.stderr)
"""


def loaded(folder: Path, text: str, **environment: str) -> set[str]:
    """The modules that are there after a run over a file of this text, where byte code is kept in this directory."""
    Path("a.py").write_text(text)
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    ran = subprocess.run(
        [sys.executable, "-c", SPY.format(path=sys.path)], capture_output=True, text=True, check=True,
        env={**own, "PYTHONPYCACHEPREFIX": str(folder), **environment},
    )  # fmt: skip
    assert ran.stdout.startswith("a.py:4:5: AIO101 " if text == SLEEPS else "")
    return set(ran.stderr.split())


def imported(folder: Path, **environment: str) -> set[str]:
    """The modules of rules that a run over a small file imports."""
    return {name for name in loaded(folder, SLEEPS, **environment) if ".rules.aio" in name}


def record(folder: Path) -> Path:
    """The file in which all is kept."""
    [found] = folder.rglob("rules.*.asyncfix")
    return found


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_only_rules_that_may_speak_are_imported(tmp_path: Path) -> None:
    assert len(imported(tmp_path / "code")) == len(MODULES)
    found = imported(tmp_path / "code")
    assert "flake8_asyncpatterns.rules.aio101_blocking_sleep" in found
    assert len(found) < 5
    record(tmp_path / "code").write_bytes(b"damaged")
    assert len(imported(tmp_path / "code")) == len(MODULES)
    assert imported(tmp_path / "code") == found


def test_what_no_rule_can_speak_of_is_not_even_parsed(tmp_path: Path) -> None:
    loaded(tmp_path / "code", SLEEPS)
    found = loaded(tmp_path / "code", "print(1)\n")
    assert not found & {"ast", "flake8_asyncpatterns.check", "flake8_asyncpatterns.facts", "flake8_asyncpatterns.rule"}


def test_where_no_byte_code_is_written_nothing_is_kept(tmp_path: Path) -> None:
    assert len(imported(tmp_path / "code", PYTHONDONTWRITEBYTECODE="1")) == len(MODULES)
    assert not (tmp_path / "code").exists()


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert len(imported(tmp_path / "file" / "code")) == len(MODULES)


def test_another_tool_has_other_cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    assert Rules(MODULES[:2], Store(tmp_path)).cards.keys() == {"AIO101", "AIO102"}
    assert Rules(MODULES, Store(tmp_path)).cards.keys() == {"AIO101", "AIO102"}
    monkeypatch.setattr(memory, "_tool", lambda: [("rule.py", (1, 2, 3))])
    assert Rules(MODULES, Store(tmp_path)).cards.keys() == RULES.keys()


@pytest.mark.parametrize("project", [False, True])
def test_what_is_kept_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, project: bool) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    first, second = Rules(MODULES, Store(tmp_path)), Rules(MODULES, Store(tmp_path))
    assert [card._replace(needs=()) for card in first.cards.values()] == [
        card._replace(needs=()) for card in second.cards.values()
    ]
    scans = [Scan(those, NONE, project=project) for those in (RULES.values(), second.cards.values())]
    for path in [*(ROOT / "fixtures").rglob("*.py"), *(ROOT / "flake8_asyncpatterns" / "rules").glob("*.py")]:
        one, other = (scan.speakers(path.read_bytes()) for scan in scans)
        assert one == other
