"""The plugin in real flake8."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from cases import cases

from flake8_asyncpatterns.docs import examples
from flake8_asyncpatterns.engine import check
from flake8_asyncpatterns.module import Module
from flake8_asyncpatterns.plugin import Plugin
from flake8_asyncpatterns.rules import RULES
from flake8_asyncpatterns.settings import NONE
from flake8_asyncpatterns.single import Desk

BAD = "import time\n\n\nasync def f():\n    time.sleep(1)\n"


def flake8(folder: Path, *arguments: str, stdin: str | None = None) -> list[str]:
    """What flake8 says in a folder, line by line."""
    ran = subprocess.run(
        [sys.executable, "-m", "flake8", "-j1", *arguments],
        cwd=folder, capture_output=True, text=True, encoding="utf-8", input=stdin, check=False,
    )  # fmt: skip
    assert not ran.stderr
    return ran.stdout.splitlines()


def codes(said: list[str]) -> list[str]:
    return [line.split()[1] for line in said]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(BAD)
    return tmp_path


def configured(folder: Path, text: str, name: str = ".flake8") -> Path:
    (folder / name).write_text(f"[flake8]\n{text}\n")
    return folder


def test_reports_with_all_other_checks(folder: Path) -> None:
    assert flake8(folder) == [
        "./app.py:5:5: AIO101 `time.sleep()` blocks the event loop; await `asyncio.sleep()`"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--select", "AIO"], ["AIO101"]),
        (["--select", "AIO101"], ["AIO101"]),
        (["--select", "F"], []),
        (["--extend-ignore", "AIO101"], []),
        (["--ignore", "AIO1"], []),
        (["--per-file-ignores", "app.py:AIO101"], []),
        (["--per-file-ignores", "other.py:AIO101"], ["AIO101"]),
        (["--select", "F", "--extend-select", "AIO1"], ["AIO101"]),
    ],
)
def test_selection_on_the_command_line(folder: Path, arguments: list[str], expected: list[str]) -> None:
    assert codes(flake8(folder, *arguments)) == expected


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("extend-ignore = AIO101", ".flake8", []),
        ("extend-ignore = AIO101", "setup.cfg", []),
        ("ignore = AIO1", "tox.ini", []),
        ("select = AIO", ".flake8", ["AIO101"]),
        ("per-file-ignores =\n    app.py: AIO101", "setup.cfg", []),
        ("ignore = E501", ".flake8", ["AIO101"]),
    ],
)
def test_selection_in_a_file(folder: Path, text: str, name: str, expected: list[str]) -> None:
    assert codes(flake8(configured(folder, text, name))) == expected


def test_noqa(folder: Path) -> None:
    (folder / "app.py").write_text(BAD.replace("(1)", "(1)  # noqa: AIO101"))
    assert flake8(folder) == []


def test_stdin(folder: Path) -> None:
    said = flake8(folder, "--stdin-display-name", "mine.py", "-", stdin=BAD)
    assert [line.split()[0] for line in said] == ["mine.py:5:5:"]


def test_columns_are_characters(folder: Path) -> None:
    (folder / "app.py").write_text(
        "import time\n\n\nasync def f():\n    x = 'äöü漢', time.sleep(1)\n", encoding="utf-8"
    )
    assert [line.split()[0] for line in flake8(folder, "--select", "AIO")] == ["./app.py:5:17:"]


@pytest.mark.parametrize(
    "data",
    [
        b"async def f(:\n",
        b"def f():\n  pass\n pass\n",
        b"x = '\x00'\n",
        b"\xff\xfe\x00",
        b"print 'x'\n",
        b"",
        b"\n",
        b"# coding: klingon\n",
        b"\xef\xbb\xbfimport time\nasync def f(): time.sleep(1)\n",
        b"import time\rasync def f():\r    time.sleep(1)\r",
        b"\x0cimport time\n\x0c\nasync def f():\n    time.sleep(1)\n",
    ],
)
def test_no_file_is_a_crash(folder: Path, data: bytes) -> None:
    (folder / "app.py").write_bytes(data)
    flake8(folder, "--select", "E9,F,AIO")


def test_opt_in_rules_speak_only_when_they_are_selected(folder: Path) -> None:
    opt_in = [rule for rule in RULES.values() if not rule.default]
    if not opt_in:
        pytest.skip("all rules are on by default")
    code = opt_in[0].code
    (folder / "app.py").write_text(examples(opt_in[0])[0].bad, encoding="utf-8")

    def speaks(*arguments: str) -> bool:
        return code in codes(flake8(folder, *arguments))

    assert not speaks()
    assert not speaks("--select", "F")
    # A configured `ignore` takes the place of the default one, and with it of what plugins added to that.
    assert not speaks("--ignore", "E501")
    assert speaks("--select", code)
    assert speaks("--extend-select", code)
    assert not speaks("--extend-select", code, "--extend-ignore", code)
    configured(folder, f"extend-select = {code}\nignore = E501")
    assert speaks()


def test_opt_in_is_known_to_flake8(monkeypatch: pytest.MonkeyPatch) -> None:
    class Manager:
        ignored: list[str] = []  # noqa: RUF012  # as flake8's own

        def extend_default_ignore(self, codes: list[str]) -> None:
            self.ignored += codes

    monkeypatch.setitem(RULES, "AIO901", RULES["AIO101"]._replace(code="AIO901", default=False))
    manager = Manager()
    Plugin.add_options(manager)  # type: ignore[arg-type]
    assert "AIO901" in manager.ignored
    assert "AIO101" not in manager.ignored


SPY = """
import json, sys
from flake8.main.cli import main
main(["-j1", "--select", "AIO", "app.py"])
print(json.dumps(sorted(sys.modules)))
"""
ours = "flake8_asyncpatterns."


def test_flake8_is_spared_what_only_asyncfix_needs(folder: Path) -> None:
    ran = subprocess.run([sys.executable, "-c", SPY], cwd=folder, capture_output=True, text=True, check=True)
    *said, modules = ran.stdout.splitlines()
    loaded = set(json.loads(modules))
    assert codes(said) == ["AIO101"]
    assert {name.removeprefix(ours) for name in loaded if name.startswith(ours)} >= {"plugin", "engine", "rules"}
    rewriting = {"rewrite", "lower", "places", "splice", "proof", "imports", "edits", "fix"}
    commands = {"docs", "cli", "report", "sarif"}
    assert not loaded & {ours + late for late in rewriting | commands}
    assert not loaded & {"libcst", "difflib", "tomllib", "asyncpatterns"}


def test_where_nothing_has_changed_no_rule_is_loaded(folder: Path) -> None:
    for _ in range(2):
        ran = subprocess.run([sys.executable, "-c", SPY], cwd=folder, capture_output=True, text=True, check=True)
    *said, modules = ran.stdout.splitlines()
    assert codes(said) == ["AIO101"]
    looks = {"check", "engine", "module", "needs", "rule", "rules", "runner"}
    assert not {ours + late for late in looks} & set(json.loads(modules))


def test_flake8_names_what_is_wrong_in_our_configuration(folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[tool.asyncfix]\nblocking = ["a b"]\n')
    ran = subprocess.run([sys.executable, "-m", "flake8", "app.py"], cwd=folder, capture_output=True, text=True)
    assert "'a b' is no qualified name" in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr


def test_the_tree_that_others_use_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Plugin, "desk", Desk(tuple(RULES), NONE, None))
    for case in cases():
        tree = ast.parse(case.bad)
        before = ast.dump(tree, include_attributes=True)
        fields = [sorted(vars(node)) for node in ast.walk(tree)]
        said = list(Plugin(tree, "a.py", case.bad.splitlines(keepends=True)).run())
        assert len(said) == len(check(Module.parse(case.bad), RULES.values()))
        assert ast.dump(tree, include_attributes=True) == before
        assert [sorted(vars(node)) for node in ast.walk(tree)] == fields


def test_what_is_nested_too_deeply_is_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def give_up(node: ast.AST, module: object) -> list[object]:
        raise RecursionError

    monkeypatch.setitem(RULES, "AIO101", RULES["AIO101"]._replace(check=give_up))
    monkeypatch.setattr(Plugin, "desk", Desk(("AIO101",), NONE, None))
    assert list(Plugin(ast.parse(BAD), "a.py", BAD.splitlines(keepends=True)).run()) == []
