"""What git says of files is heeded: warned of where they are dirty, left alone where they are not ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flake8_asyncpatterns import worktree
from flake8_asyncpatterns.cli import main
from flake8_asyncpatterns.worktree import IGNORED, SUBMODULE, standing

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

BAD = "import time\n\n\nasync def f():\n    time.sleep(1)\n"
WARNING = (
    "a.py: warning: it had changes that are not committed; the fixes stand among them now"
    " (`--allow-dirty` silences this)"
)

Run = Callable[..., tuple[int, str, list[str]]]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and a git that knows nothing of the user's configuration."""
    for name in [*os.environ]:
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    for name, value in {
        "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> tuple[int, str, list[str]]:
        code = main([*arguments, "--isolated"])
        out, err = capfd.readouterr()
        return code, out, err.splitlines()

    return run


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The git commands that are run."""
    commands: list[tuple[str, ...]] = []
    ask = worktree._git

    def git(root: Path, *arguments: str) -> list[str]:
        commands.append((root.name, arguments[0]))
        return ask(root, *arguments)

    monkeypatch.setattr(worktree, "_git", git)
    return commands


def git(*arguments: str, where: Path | str = ".") -> None:
    subprocess.run(["git", "-c", "protocol.file.allow=always", *arguments], cwd=where, check=True, capture_output=True)


def write(*names: str, text: str = BAD) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)


def repository(where: str, *names: str, ignore: str = "") -> None:
    """A repository with these files, committed."""
    write(*(f"{where}/{name}" for name in names))
    if ignore:
        write(f"{where}/.gitignore", text=ignore)
    git("init", "-q", where)
    git("add", "-A", where=where)
    git("commit", "-q", "--allow-empty", "-m", "all", where=where)


def left(*named: str) -> dict[str, str]:
    """Why which files are left alone, of all that these names mean."""
    files = [
        file
        for path in map(Path, named)
        for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path])
        if ".git" not in file.parts
    ]
    found = standing(files, map(Path, named))
    assert found.trouble == []
    return {file.as_posix(): why for file, why in found.left.items()}


def dirty(*named: str) -> list[str]:
    files = [file for path in named for file in Path(path).rglob("*.py")]
    return sorted(file.as_posix() for file in standing(files, map(Path, named)).dirty)


def test_a_dirty_file_is_fixed_with_a_warning(run: Run) -> None:
    repository(".", "a.py", "b.py")
    write("a.py", text=BAD + "x = 1\n")
    code, _, said = run("fix")
    assert code == 1
    assert said == [
        WARNING,
        "a.py:5: AIO101 fixed: `time.sleep()` blocks the event loop; await `asyncio.sleep()`",
        "b.py:5: AIO101 fixed: `time.sleep()` blocks the event loop; await `asyncio.sleep()`",
        "Fixed 2 errors in 2 files.",
    ]
    assert "await" in Path("a.py").read_text()


def test_the_warning_is_shown_to_the_quiet_too_and_can_be_silenced(run: Run) -> None:
    repository(".", "b.py")
    write("a.py")
    assert run("fix", "-q", "--diff")[2] == []
    assert run("fix", "-q")[2] == [WARNING]
    write("a.py")
    assert run("fix", "-q", "--allow-dirty")[2] == []


def test_a_dirty_file_that_needs_no_fix_is_none_of_our_business(run: Run) -> None:
    repository(".", "b.py")
    write("a.py", text="x = 1\n")
    assert run("fix", "-q")[2] == []


def test_what_is_dirty() -> None:
    repository(".", "clean.py", "changed.py", "staged.py", "both.py", "sub/clean.py", "sub/ä ö.py", "renamed.py")
    write("changed.py", "staged.py", "both.py", "sub/ä ö.py", "new.py", "added.py", "folder/new.py", text="x = 1\n")
    git("add", "staged.py", "both.py", "added.py")
    git("mv", "renamed.py", "other name.py")
    write("both.py", text="x = 2\n")
    changed = [
        "added.py",
        "both.py",
        "changed.py",
        "folder/new.py",
        "new.py",
        "other name.py",
        "staged.py",
        "sub/ä ö.py",
    ]
    assert dirty(".") == changed
    assert dirty("sub", "folder") == ["folder/new.py", "sub/ä ö.py"]


def test_what_git_ignores_is_left_unless_it_is_named(run: Run) -> None:
    write("gen/tracked.py")
    repository(".", "a.py", ignore="gen/\n*_pb2.py\nout/\n")
    git("add", "-f", "gen/tracked.py")
    git("commit", "-q", "-m", "kept")
    write("gen/a.py", "gen/deep/a.py", "a_pb2.py", "new/b_pb2.py", "new/a.py", "out/x/a.py", "out/y/a.py")
    ignored = ["a_pb2.py", "gen/a.py", "gen/deep/a.py", "new/b_pb2.py", "out/x/a.py", "out/y/a.py"]
    assert left(".") == dict.fromkeys(ignored, IGNORED)
    assert left(".", "gen/a.py") == dict.fromkeys(set(ignored) - {"gen/a.py"}, IGNORED)
    assert left("gen/deep", "out", "new") == {"new/b_pb2.py": IGNORED}
    assert left("out/x") == left("a_pb2.py") == {}
    assert left("gen") == {"gen/a.py": IGNORED, "gen/deep/a.py": IGNORED}, "gen itself has a file that is not ignored"

    code, _, said = run("fix", "--allow-dirty")
    assert code == 1
    assert said[-1] == "Left out 6 files ignored by git; name them to fix them."
    assert all(Path(name).read_text() == BAD for name in ignored)
    assert "await" in Path("new/a.py").read_text()
    assert "await" in Path("gen/tracked.py").read_text()
    assert "a_pb2.py" in run("check")[1], "only fix asks"
    run("fix", "a_pb2.py")
    assert "await" in Path("a_pb2.py").read_text()


def test_submodules_are_left_unless_they_are_named(run: Run) -> None:
    repository("inner", "s.py")
    repository("library", "l.py", "deep/l.py")
    git("submodule", "add", "-q", "../inner", "inner", where="library")
    git("commit", "-q", "-m", "with inner", where="library")
    repository("app", "a.py")
    git("submodule", "add", "-q", "../library", "vendor/library", where="app")
    git("submodule", "update", "-q", "--init", "--recursive", where="app")
    library = ["app/vendor/library/deep/l.py", "app/vendor/library/inner/s.py", "app/vendor/library/l.py"]
    assert left("app") == left("app/vendor") == dict.fromkeys(library, SUBMODULE)
    assert left("app/vendor/library") == {library[1]: SUBMODULE}
    assert left("app/vendor/library/deep", "app/vendor/library/inner", library[2]) == {}
    assert left("app", "app/vendor/library/deep") == dict.fromkeys(library[1:], SUBMODULE)
    code, _, said = run("fix", "app")
    assert (code, said[-1]) == (1, "Left out 3 files in a submodule; name them to fix them.")
    assert all(Path(name).read_text() == BAD for name in library)


def test_a_folder_of_repositories_is_no_repository() -> None:
    repository("one", "a.py", "gen/a.py")
    repository("two", "a.py", ignore="gen/\n")
    write("two/gen/a.py", "two/new.py", "loose.py")
    assert left(".") == {"two/gen/a.py": IGNORED}
    assert dirty(".") == ["two/new.py"]


def test_another_repository_inside_has_a_say_of_its_own() -> None:
    repository(".", "a.py", ignore="cloned/\n")
    repository("cloned", "a.py")
    repository("other", "a.py", "b.py")
    write("other/b.py", text="x = 1\n")
    assert left(".") == {"cloned/a.py": IGNORED}
    assert left("cloned", "other") == {}
    assert dirty(".") == ["other/b.py"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX system")
def test_a_link_stands_where_it_leads_to() -> None:
    repository("there", "a.py", ignore="gen/\n")
    write("there/gen/a.py", "there/new.py")
    repository("here", "a.py")
    for name in ("gen/a.py", "new.py", "a.py"):
        Path("here", name.replace("/", "_link_")).unlink(missing_ok=True)
        Path("here", name.replace("/", "_link_")).symlink_to(Path("there", name).resolve())
    assert left("here") == {"here/gen_link_a.py": IGNORED}
    assert dirty("here") == ["here/new.py"]
    Path("linked").symlink_to("there/gen")
    assert left("linked") == {}


def test_git_is_asked_once_for_a_work_tree_by_fix_only(run: Run, asked: list[tuple[str, ...]]) -> None:
    repository("one", *(f"f{n}.py" for n in range(20)))
    repository("two", "a.py", "b/a.py")
    run("check")
    assert asked == []
    run("fix")
    assert asked == [("one", "status"), ("two", "status")]


def test_without_a_work_tree_git_is_not_asked(run: Run, asked: list[tuple[str, ...]]) -> None:
    write("a.py")
    assert run("fix", "-q") == (1, "", [])
    assert asked == []


def test_without_git_all_files_are_alike(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    repository(".", "a.py", ignore="b.py\n")
    write("b.py")
    monkeypatch.setenv("PATH", "")
    assert run("fix", "-q") == (1, "", [])
    assert "await" in Path("b.py").read_text()


def test_a_git_that_cannot_say_is_told_of_and_the_files_are_fixed(run: Run) -> None:
    write("a.py", ".git/HEAD")
    code, _, said = run("fix", "-q")
    assert code == 1
    [line] = said
    assert line.startswith(f"warning: {Path.cwd()}: git does not say which files it ignores: fatal: not a git repo")
    assert "await" in Path("a.py").read_text()


def test_a_hook_of_git_leads_nobody_astray(monkeypatch: pytest.MonkeyPatch) -> None:
    repository("one", "a.py")
    repository("two", "a.py")
    write("two/a.py", text="x = 1\n")
    monkeypatch.setenv("GIT_DIR", str(Path("one/.git").resolve()))
    monkeypatch.setenv("GIT_INDEX_FILE", "nowhere")
    assert dirty(".") == ["two/a.py"]


def test_the_index_is_not_written_to() -> None:
    repository(".", "a.py")
    os.utime("a.py", (1, 1))  # git would note that it has seen this
    before = Path(".git/index").read_bytes()
    assert dirty(".") == []
    assert Path(".git/index").read_bytes() == before
