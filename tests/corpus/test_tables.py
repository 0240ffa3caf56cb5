"""How the trials on packages say what came of them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
from corpus import tables
from corpus.tables import Row

REASONS = {"tests.test_a.Case::": "a double", "tests.test_b::test_one": "no network"}
HERE = Path(__file__).parent


def test_only_what_has_no_reason_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    ended = {"tests.test_a.Case::test_x": "failed", "tests.test_b::test_one": "error", "tests.test_b::test_two": "gone"}
    assert [*tables.explained(ended, REASONS)] == ["tests.test_b::test_two: gone"]
    assert "tests.test_a.Case::test_x: failed (a double)\n" in capsys.readouterr().out


def test_the_table_and_what_is_wrong_below_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert tables.tell(["package", "lost"], [Row(["a", "0"], [])]) == 0
    assert capsys.readouterr().out == "\n| package | lost |\n| --- | --- |\n| a | 0 |\n"
    assert tables.tell(["package", "lost"], [Row(["a", "1"], ["a: test_x"])]) == 1
    assert capsys.readouterr().out.endswith("| a | 1 |\n\nnot as it should be:\na: test_x\n")


def test_names_are_those_of_the_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["trial"])
    assert tables.asked(argparse.ArgumentParser(), ["a", "b"]).names == ["a", "b"]
    monkeypatch.setattr("sys.argv", ["trial", "b", "--keep", "there"])
    options = tables.asked(argparse.ArgumentParser(), ["a", "b"])
    assert (options.names, options.keep) == (["b"], Path("there"))
    monkeypatch.setattr("sys.argv", ["trial", "c"])
    with pytest.raises(SystemExit):
        tables.asked(argparse.ArgumentParser(), ["a", "b"])
    assert "there is no 'c' in the table; there are a, b" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["migrations", "suites"])
def test_every_package_is_pinned_and_every_exception_has_its_reason(name: str) -> None:
    for package in json.loads((HERE / f"{name}.json").read_text()).values():
        new = package.get("new", {})
        assert new != ""  # a text says why it is not tried there
        for suite in (package, *([] if isinstance(new, str) else [new])):
            assert all(pin.count("==") == 1 for pin in suite.get("pins", ()))
            assert all(suite.get("broken", {}).values())
        assert package["source"].count("==") == 1
