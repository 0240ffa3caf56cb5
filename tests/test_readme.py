"""What the README shows is what people get."""

from __future__ import annotations

import re
import tomllib

import pytest
from cases import ROOT

from flake8_asyncpatterns.cli import main
from flake8_asyncpatterns.config import KEYS

README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


def test_the_first_two_shell_blocks_are_one_command_each() -> None:
    commands = re.findall(r"^```sh\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    assert [command.count("\n") for command in commands[:2]] == [1, 1]


def test_the_output_shown_is_real(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    main(["check", "--exit-zero", "fixtures/article"])
    assert block("text") in capsys.readouterr().out


def test_the_diff_shown_is_real(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    monkeypatch.chdir(ROOT)
    main(["fix", "--diff", "--unsafe", "fixtures/article"])
    assert block("diff") in capfdbinary.readouterr().out.decode()


def test_the_configuration_shown_is_understood() -> None:
    table = tomllib.loads(block("toml"))["tool"]["asyncfix"]
    assert set(table) <= set(KEYS)
