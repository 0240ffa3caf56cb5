"""Mending many files: the same bytes and words in any number of processes, and no change of anybody lost."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from flake8_asyncpatterns import mending, runner
from flake8_asyncpatterns.check import facts
from flake8_asyncpatterns.cli import main
from flake8_asyncpatterns.facts import Facts
from flake8_asyncpatterns.fix import Begun, Came
from flake8_asyncpatterns.project import Project
from flake8_asyncpatterns.settings import Settings
from flake8_asyncpatterns.source import Source

# What `low` does is seen in other files only, and moves when it is mended; what `late` asks is new in the second round.
LOW = """\
import time

async def nap():
    time.sleep(1)

def load(url):
    time.sleep(2)
    return url
"""
CALLS = """\
import time
from .low import load, nap

async def f{0}(url):
    time.sleep({0})
    nap()
    return load(url)
"""
QUIET = "import asyncio\n\nasync def f():\n    await asyncio.sleep(1)\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "before" / "app"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "low.py").write_text(LOW)
    for number in range(20):
        (package / f"m{number:02}.py").write_text(CALLS.format(number) if number % 3 else QUIET)
    (package / "broken.py").write_text("async def f(:\n    time.sleep(1)\n")
    monkeypatch.setattr(runner, "FEW", 2)
    monkeypatch.setattr(runner, "BATCH_FILES", 16)
    return package.parent


def fixed(project: Path, capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str, dict[str, bytes]]:
    """What a run over a copy of the project gives back, says and leaves."""
    copy = project.with_name("copy")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(project, copy)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(copy)
        code = main(["fix", "--isolated", "app", *arguments])
    return (code, *capfd.readouterr(), {path.name: path.read_bytes() for path in sorted(copy.rglob("*.py"))})


@pytest.mark.parametrize("arguments", [(), ("--unsafe",), ("--no-project",), ("--diff",)])
def test_any_number_of_processes(project: Path, capfd: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    one = fixed(project, capfd, "-j1", *arguments)
    assert "AIO101 fixed" in one[2] or arguments == ("--diff",)
    assert ("AIO110" in one[2]) is (arguments != ("--no-project",))
    assert one[0] == 2  # for the one that does not parse
    assert fixed(project, capfd, "-j2", *arguments) == one
    assert fixed(project, capfd, "-j3", *arguments) == one


def test_how_many_are_handed_out_at_once_does_not_matter(
    project: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = fixed(project, capfd, "-j1")
    monkeypatch.setattr(mending, "TOGETHER", 3)
    assert fixed(project, capfd, "-j1") == wanted


def test_what_is_written_is_not_what_others_hear_of(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """`low` is mended and written before the last of the others is looked at for the second time."""
    _, _, said, files = fixed(project, capfd, "-j1")
    assert b"await asyncio.sleep(1)" in files["low.py"]
    for number in (1, 19):
        # The line in `low.py` is that of the text which all of them were looked at with.
        assert f"m{number:02}.py:8:12: AIO110 left" in said


def test_a_file_that_changes_before_it_is_mended_again_is_not_overwritten(
    project: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def again(came: Came, path: str, project: Project) -> Begun | None:
        begun = real(came, path, project)
        if path.endswith("m01.py") and not begun_again:
            assert begun is not None
            begun_again.append(path)
            Path(path).write_text("changed = 1\n")
        return begun

    real, begun_again = Came.again, list[str]()
    monkeypatch.setattr(Came, "again", again)
    _, _, said, files = fixed(project, capfd, "-j1")
    assert "m01.py: changed on disk since it was read" in said
    assert files["m01.py"] == b"changed = 1\n"
    assert b"await asyncio.sleep" in files["m02.py"]


@pytest.mark.skipif(sys.platform != "linux", reason="workers begin with what was patched here")
def test_what_a_killed_worker_had_is_mended_here(
    project: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = fixed(project, capfd, "-j1")
    here, real = os.getpid(), mending.advance

    def deadly(source: Source, path: str, *arguments, **options) -> Came:  # type: ignore[no-untyped-def]
        if os.getpid() != here and path.endswith("m08.py"):
            os.kill(os.getpid(), signal.SIGKILL)
        return real(source, path, *arguments, **options)

    monkeypatch.setattr(mending, "advance", deadly)
    code, out, said, files = fixed(project, capfd, "-j2")
    lines = said.splitlines(keepends=True)
    lost = [line for line in lines if "a worker was lost" in line]
    assert len(lost) == 1
    assert (code, out, "".join(line for line in lines if line not in lost), files) == wanted


@pytest.mark.parametrize("first", [["check"], ["fix", "--diff"]])
def test_what_another_run_has_found_out_of_the_files_around_is_not_worked_out_again(
    first: list[str], project: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    worked_out: list[str] = []

    def counted(source: Source, path: str, settings: Settings) -> Facts:
        worked_out.append(path)
        return facts(source, path, settings)

    monkeypatch.setattr(mending, "facts", counted)
    (project / "app" / "low.py").write_text("import asyncio\nfrom .quiet import load, nap\n")
    (project / "app" / "quiet.py").write_text(LOW)
    monkeypatch.chdir(project)
    arguments = ("fix", "--isolated", "--unsafe", "--diff", "-j1", "app/m01.py")
    before = (main([*arguments, "--no-cache"]), *capfd.readouterr())
    assert {Path(path).name for path in worked_out} >= {"low.py", "quiet.py"}
    main([*first, "--isolated", "-j1", "app"])
    capfd.readouterr()
    worked_out.clear()
    assert (main(arguments), *capfd.readouterr()) == before
    assert worked_out == []
    assert "AIO110" in before[2]
