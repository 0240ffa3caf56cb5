"""Files that are handed over one by one: the same findings as those of `asyncfix check`, whatever is known already."""

from __future__ import annotations

import ast
import json
import os
import pickle
import random
import subprocess
import sys
import tokenize
from collections.abc import Callable
from pathlib import Path

import pytest

from flake8_asyncpatterns import check, looking
from flake8_asyncpatterns.cache import Store
from flake8_asyncpatterns.cli import main
from flake8_asyncpatterns.rules import RULES
from flake8_asyncpatterns.settings import NONE
from flake8_asyncpatterns.shelf import Shelf
from flake8_asyncpatterns.single import Desk, Report

CODES = tuple(sorted(code for code, rule in RULES.items() if rule.default))
PROJECT = {
    "pyproject.toml": "",
    "app/__init__.py": "from .net import *\n",
    "app/net.py": "import requests\nfrom . import retry\n"
    "def load():\n    retry.again()\n    requests.get('x')\nasync def ping(): ...\n",
    "app/retry.py": "import time\nfrom . import net\ndef again():\n    net.load()\n    time.sleep(1)\n",
    "app/work.py": "import asyncio\nimport app\nasync def work():\n    app.load()\n    app.ping()\n"
    "    asyncio.get_running_loop().call_later(1, app.ping)\n",
    "app/other.py": "from app.retry import again\nasync def other():\n    again()\n",
    "app/alone.py": "import time\nasync def alone():\n    time.sleep(1)  # ä\n    'ä', time.sleep(1)\n",
    "app/windows.py": "import time\r\nasync def rows():\r\n    time.sleep(1)\r\n",
    "app/latin.py": "# coding: latin-1\nimport time\nasync def latin():\n    'ä', time.sleep(1)\n",
    "app/plain.py": "X = 1\n",
    "tests/test_app.py": "import app\nasync def test_it():\n    app.load()\n",
}
FILES = [name for name in PROJECT if name.endswith(".py")]
Said = dict[str, tuple[Report, ...]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in PROJECT.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("latin-1" if "latin-1" in text else "utf-8"))
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def hand_over(desk: Desk, *names: str) -> Said:
    """What a desk says of files, as flake8 reads them."""
    said = {}
    for name in names:
        with tokenize.open(name) as file:
            lines = file.readlines()
        said[name] = desk.reports(ast.parse("".join(lines)), f"./{name}", lines)
    return said


def desk(store: Path | None) -> Desk:
    return Desk(CODES, NONE, Store(store) if store is not None else None)


def asked_of_asyncfix(capsys: pytest.CaptureFixture[str], *arguments: str) -> Said:
    """What `asyncfix check` says, in the same words."""
    assert main(["check", "--output-format", "json", *arguments]) == 1
    found = json.loads(capsys.readouterr().out)
    return {
        name: tuple((p["line"], p["column"] - 1, f"{p['code']} {p['message']}") for p in found if p["path"] == name)
        for name in FILES
    }


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that somebody looked into."""
    names: list[str] = []

    def spied(name: str) -> None:
        inner = getattr(check, name)

        def spy(module, *others):  # type: ignore[no-untyped-def]
            names.append(Path(module.path).name)
            return inner(module, *others)

        monkeypatch.setattr(check, name, spy)

    spied("settle")
    spied("told_by")
    return names


@pytest.mark.parametrize("seed", range(4))
def test_in_any_order_and_whoever_looked_before(own_cache: Path, capsys: pytest.CaptureFixture[str], seed: int) -> None:
    wanted = asked_of_asyncfix(capsys, "--no-cache")
    assert sum(map(len, wanted.values())) == 8
    order = random.Random(seed).sample(FILES, len(FILES))
    half = len(order) // 2
    assert hand_over(desk(None), *order) == wanted
    # Two processes with a half each; then each with the other's half.
    one, two = desk(own_cache), desk(own_cache)
    assert hand_over(one, *order[:half]) | hand_over(two, *order[half:]) == wanted
    one, two = desk(own_cache), desk(own_cache)
    assert hand_over(one, *order[half:]) | hand_over(two, *order[:half]) == wanted
    assert asked_of_asyncfix(capsys) == wanted


def test_what_is_known_is_not_looked_at(own_cache: Path, looked_at: list[str]) -> None:
    wanted = hand_over(desk(own_cache), *FILES)
    assert "net.py" in looked_at
    looked_at.clear()
    assert hand_over(desk(own_cache), *FILES) == wanted
    assert looked_at == []


def test_what_files_tell_is_known_to_both_fronts(
    own_cache: Path, looked_at: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = asked_of_asyncfix(capsys, "-j1")
    looked_at.clear()
    assert hand_over(desk(own_cache), "app/work.py")["app/work.py"] == wanted["app/work.py"]
    assert set(looked_at) == {"work.py"}
    own_cache.rename(own_cache.with_name("other"))
    hand_over(desk(own_cache), *FILES)
    looked_at.clear()
    assert asked_of_asyncfix(capsys, "-j1", "app/work.py")["app/work.py"] == wanted["app/work.py"]
    assert set(looked_at) == {"work.py"}


def test_only_what_is_answered_otherwise_is_looked_at_again(own_cache: Path, looked_at: list[str]) -> None:
    before = hand_over(desk(own_cache), *FILES)
    net = Path("app/net.py")
    net.write_text("# The same, a line further down, but for what is only of use here.\n" + PROJECT["app/net.py"])
    looked_at.clear()
    moved = hand_over(desk(own_cache), "app/work.py", "app/other.py", "app/alone.py")
    assert moved["app/work.py"] != before["app/work.py"]  # it names the line
    assert moved["app/alone.py"] == before["app/alone.py"]
    assert "alone.py" not in looked_at
    net.write_text("def load(): ...\n")
    assert [said[2][:6] for said in hand_over(desk(own_cache), "app/work.py")["app/work.py"]] == []
    net.write_text(PROJECT["app/net.py"])
    assert hand_over(desk(own_cache), *FILES) == before
    net.unlink()
    assert hand_over(desk(own_cache), "app/work.py") == hand_over(desk(None), "app/work.py")


def test_where_nothing_has_changed_nobody_is_asked(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = hand_over(desk(own_cache), *FILES)
    other = random.Random(1).sample(FILES, len(FILES))
    asked: list[str] = []

    def spy(shelf: Shelf, name: str, _content: bytes) -> None:
        asked.append(name)

    with monkeypatch.context() as patched:
        patched.setattr(Shelf, "facts", spy)
        assert hand_over(desk(own_cache), *other) == wanted
        assert asked == []
    net = Path("app/net.py")
    net.write_text(PROJECT["app/net.py"].replace("'x'", "'y'"))
    assert hand_over(desk(own_cache), *other) == wanted  # the answers are the same
    monkeypatch.setattr(Shelf, "facts", spy)
    assert hand_over(desk(own_cache), *FILES) == wanted
    assert asked == []
    net.write_text(PROJECT["app/net.py"])
    hand_over(desk(own_cache), *FILES)
    assert "app/net.py" in asked


@pytest.mark.parametrize("change", ["bytes", "unlink", "shadow"])
def test_a_change_far_away_is_seen(own_cache: Path, change: str) -> None:
    retry = Path("app/retry.py")
    retry.write_bytes(PROJECT["app/retry.py"].replace("\n", "\r\n").encode())
    before = hand_over(desk(own_cache), *FILES)
    assert hand_over(desk(own_cache), *FILES) == before
    if change == "bytes":
        retry.write_bytes(retry.read_bytes().replace(b"time.sleep", b"time.ctime"))
    elif change == "unlink":
        Path("app/net.py").unlink()
    else:  # a package comes before a module of the same name
        Path("app/retry").mkdir()
        Path("app/retry/__init__.py").write_text("def again(): ...\n")
    names = [name for name in FILES if Path(name).exists()]
    after = hand_over(desk(own_cache), *names)
    assert after == hand_over(desk(None), *names)
    assert after["app/work.py"] != before["app/work.py"] or after["app/other.py"] != before["app/other.py"]


def test_what_is_new_counts(own_cache: Path) -> None:
    Path("app/late.py").write_text("import mine\nasync def late():\n    mine.get()\n")
    assert hand_over(desk(own_cache), "app/late.py") == {"app/late.py": ()}
    Path("mine.py").write_text("import requests\ndef get():\n    requests.get('x')\n")
    assert [said[2][:6] for said in hand_over(desk(own_cache), "app/late.py")["app/late.py"]] == ["AIO110"]


def test_other_rules_and_other_names_are_other_questions(own_cache: Path) -> None:
    wanted = hand_over(desk(own_cache), *FILES)
    few = Desk(("AIO101",), NONE, Store(own_cache))
    assert {said[2][:6] for one in hand_over(few, *FILES).values() for said in one} == {"AIO101"}
    told = NONE._replace(blocking=frozenset({"app.ping"}))
    assert (
        hand_over(Desk(CODES, told, Store(own_cache)), *FILES) == hand_over(Desk(CODES, told, None), *FILES) != wanted
    )
    assert hand_over(desk(own_cache), *FILES) == wanted


def test_what_is_typed_is_no_file(own_cache: Path) -> None:
    text = "import time\nasync def f():\n    time.sleep(1)\n"
    typed = [
        desk(own_cache).reports(ast.parse(text * n), "app/alone.py", (text * n).splitlines(keepends=True))
        for n in (1, 2, 1)
    ]
    assert [len(said) for said in typed] == [1, 2, 1]
    assert len(hand_over(desk(own_cache), "app/alone.py")["app/alone.py"]) == 2


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(os.urandom(200)),
        lambda path: path.write_bytes(path.read_bytes()[:32] + pickle.dumps(print)),
        lambda path: Store(path.parent).save(path.stem, (b"", "something else")),
        lambda path: Store(path.parent).save(path.stem, ["something else"]),
        lambda path: path.chmod(0o666),
        lambda path: (path.unlink(), path.mkdir()),
    ],
    ids=["empty", "short", "noise", "foreign", "other content", "other", "writable by all", "a directory"],
)
def test_damaged_records_are_none(own_cache: Path, spoil: Callable[[Path], object], looked_at: list[str]) -> None:
    wanted = hand_over(desk(own_cache), *FILES)
    records = [path for path, _ in Store(own_cache).records()]
    assert len(records) > len(FILES)
    for path in records:
        spoil(path)
    looked_at.clear()
    assert hand_over(desk(own_cache), *FILES) == wanted
    assert "net.py" in looked_at


def test_damage_to_half_of_the_records(own_cache: Path) -> None:
    wanted = hand_over(desk(own_cache), *FILES)
    for seed in range(4):
        for path, _ in Store(own_cache).records():
            if random.Random(f"{seed}{path.name}").random() < 0.5:
                path.unlink()
        assert hand_over(desk(own_cache), *FILES) == wanted


def test_where_nothing_can_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = hand_over(desk(None), *FILES)
    (tmp_path / "file").write_text("")
    assert hand_over(desk(tmp_path / "file" / "cache"), *FILES) == wanted
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(30, "Read-only file system")))
    assert hand_over(desk(tmp_path / "cache"), *FILES) == wanted
    assert Store(tmp_path / "cache").records() == []


def test_real_flake8_says_what_asyncfix_says(
    tmp_path: Path, own_cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = asked_of_asyncfix(capsys, "--no-cache", "--select", "AIO")
    lines = sorted(
        f"./{name}:{line}:{column + 1}: {said}" for name in FILES for line, column, said in wanted[name]
    )  # fmt: skip
    (tmp_path / "file").write_text("")

    def flake8(*arguments: str) -> list[str]:
        ran = subprocess.run(
            [sys.executable, "-m", "flake8", "--select", "AIO", *arguments],
            capture_output=True, text=True, encoding="utf-8", check=False,
        )  # fmt: skip
        assert not ran.stderr
        return sorted(ran.stdout.splitlines())

    backwards = [f"./{name}" for name in reversed(FILES)]
    assert flake8("-j2") == lines  # cold
    assert len(Store(own_cache).records()) > len(FILES)
    assert flake8("-j1", *backwards) == lines  # warm
    for path, _ in Store(own_cache).records()[::2]:
        path.write_bytes(b"damaged")
    assert flake8("-j2", *backwards) == lines
    monkeypatch.setenv("ASYNCFIX_CACHE_DIR", str(tmp_path / "file" / "cache"))
    assert flake8("-j1") == lines


def test_only_rules_that_may_speak_look(monkeypatch: pytest.MonkeyPatch, looked_at: list[str]) -> None:
    asked: list[list[str]] = []
    speaking = looking.speaking

    def spy(*arguments):  # type: ignore[no-untyped-def]
        found = speaking(*arguments)
        asked.append([*found])
        return found

    monkeypatch.setattr(looking, "speaking", spy)
    few = Desk(("AIO101", "AIO401"), NONE, None)
    hand_over(few, "app/plain.py", "app/alone.py")
    assert asked == [[], ["AIO101"]]
    assert set(looked_at) == {"alone.py"}
