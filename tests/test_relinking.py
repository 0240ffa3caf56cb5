"""What an earlier run knew never shows: programs change at random, and each run says what one without a cache says."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flake8_asyncpatterns.cli import main

FILES = [f"m{number}.py" for number in range(5)] + ["inner/__init__.py", "inner/m5.py"]
STEPS = 6


def program(random: random.Random, name: str) -> str:
    """The text of a file: what it brings from others, functions that may block, and coroutines that call them."""
    other = random.choice(["m0", "m1", "m2", "m3", "m4", "inner", "inner.m5"])
    absolute = random.random() < 0.3
    last = other.rpartition(".")[2]
    package = "app" if absolute else ".." if name.startswith("inner") else "."
    dot = "" if package.endswith(".") else "."
    bring = random.choice(
        [
            f"from {package}{dot}{other} import g, h, C",
            f"from {package}{dot}{other} import *",
            f"from {package}{dot}{other} import g as g2, h as h2, C",
            f"from {package if '.' not in other else package + dot + 'inner'} import {last}",
            f"import app.{other}",
            "",
        ]
    )
    called = random.choice(["g", "g2", f"{last}.g", f"app.{other}.g", f"{last}.h", "C().run", "time.sleep", "print"])
    lines = ["import time, requests", bring]
    lines += [""] * random.randrange(3)
    if random.random() < 0.8:
        lines += ["def g(x):", f"    return {random.choice(['time.sleep(x)', 'requests.get(x)', 'x', f'{called}(x)'])}"]
    if random.random() < 0.8:
        again = random.choice([f"{called}(x)", "h(x)", "h2(x)", f"{last}.h(x)", "g(x)", "await h2(x)", "C().run(x)"])
        lines += ["async def h(x):", f"    {again}", f"    return {random.choice(['x', 'g(x)'])}"]
    if random.random() < 0.6:
        base = random.choice(["", "(C)", f"({last}.C)"])
        method = random.choice(["run", "other"])
        lines += [f"class C{base}:", f"    def {method}(self, x):", f"        return {called}(x)"]
    return "\n".join(lines) + "\n"


def change(random: random.Random, app: Path) -> str:
    """Change one file in one way; says which."""
    path = app / random.choice(FILES)
    path.parent.mkdir(exist_ok=True)
    kind = random.choice(["rewritten", "rewritten", "shifted", "touched", "gone", "came with a twin"])
    if kind == "shifted" and path.exists():
        path.write_text("# a line more\n" + path.read_text())
    elif kind == "touched" and path.exists():
        os.utime(path)
    elif kind == "gone":
        path.unlink(missing_ok=True)
    else:
        path.write_text(program(random, str(path.relative_to(app))))
        if kind == "came with a twin":
            (app.parent / f"{path.stem}.py").write_text(program(random, path.name))
    if random.random() < 0.7 and path.exists():
        os.utime(path, (time.time() - random.randrange(10, 9999),) * 2)
    return f"{path.name} {kind}"


def histories(folder: Path, say: Callable[..., tuple[int, str, str]], seed: int) -> Iterator[str]:
    """The steps of one history, where the words differ from those of a run without a cache."""
    chance = random.Random(seed)
    app = folder / "app"
    app.mkdir()
    (app / "__init__.py").touch()
    for name in FILES:
        (app / name).parent.mkdir(exist_ok=True)
        (app / name).write_text(program(chance, name))
    story = []
    for _ in range(STEPS):
        story.append(change(chance, app))
        asked = chance.choice([["."], ["."], ["app/m0.py", "app/m1.py"], ["app/inner"]])
        if not all(Path(name).exists() for name in asked):
            asked = ["."]
        if say(*asked) != say("--no-cache", *asked):
            yield f"{seed}: {', '.join(story)}: {asked}"


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["check", "--isolated", "-j1", *arguments])
        return (code, *capsys.readouterr())

    return run


@pytest.mark.parametrize("seed", range(25))
def test_the_words_are_those_of_a_run_without_a_cache(
    tmp_path: Path, say: Callable[..., tuple[int, str, str]], seed: int
) -> None:
    assert list(histories(tmp_path, say, seed)) == []
