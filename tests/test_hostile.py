"""Files that do harm, on purpose or not: each is named in one line, nothing is lost, and the others go on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from flake8_asyncpatterns import cli
from flake8_asyncpatterns.source import load

BAD = "import time\n\n\nasync def f():\n    time.sleep(1)\n"
GOOD = "import asyncio\nimport time\n\n\nasync def f():\n    await asyncio.sleep(1)\n"
ROOT = Path(__file__).parents[1]
not_on_windows = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX system")
both = pytest.mark.parametrize("command", ["check", "fix"])


def nested(levels: int, header: str = "if x:") -> str:
    return "import time\nasync def f():\n" + "".join(f"{' ' * (n + 1)}{header}\n" for n in range(levels))


# What must not be in the way of the others, and what is said of it. In none of it is anything to fix.
HOSTILE = {
    "200 levels of blocks": (nested(200).encode(), "too many levels of indentation"),
    "200 levels of parentheses": (b"x = " + b"(" * 201 + b")" * 201, "too many nested parentheses"),
    "200 levels of operators": (b"x = " + b"-" * 200_000 + b"1\n", "is nested too deeply"),
    "10 MB on one line": (b"import asyncio; " + b"f();" * 2_500_000, "line 1 is longer than 1,000,000 characters"),
    "null bytes": (b"x = 1\n\x00\n", "syntax error: source code string cannot contain null bytes"),
    "invalid utf-8": (b"x = 1\ny = '\xff\xfe'\n", "not utf-8: byte 0xff in line 2"),
    "utf-16": (BAD.encode("utf-16"), "not utf-8, and no coding cookie says what else"),
    "utf-16 without its mark": (BAD.encode("utf-16-le"), "syntax error: source code string cannot contain null bytes"),
    "utf-32": (BAD.encode("utf-32"), "not utf-8, and no coding cookie says what else"),
    "mixed tabs": (b"if x:\n        a()\n\tb()\n", "inconsistent use of tabs and spaces in indentation"),
    "a form feed that ends no line": (b"x = 1 \x0c y = 2\n", "syntax error in line 1, column 9: invalid syntax"),
    "half a file": (b"async def f():\n    x = [\n", "syntax error in line 2, column 9: '[' was never closed"),
    "no Python": (b"\x7fELF\x02\x01\x01" + bytes(range(128)) * 10, "null byte"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """What a command that could not do all says on stderr, where something good is done before and after."""

    def run(command: str) -> list[str]:
        Path("a_first.py").write_text(BAD)
        Path("z_last.py").write_text(BAD)
        assert cli.main([command, "--isolated", "-q"]) == 2
        out, err = capfd.readouterr()
        for name in ("a_first.py", "z_last.py"):
            assert Path(name).read_text() == (GOOD if command == "fix" else BAD)
            assert command == "fix" or f"{name}:5:5: AIO101" in out
        return err.splitlines()

    return run


Run = Callable[[str], list[str]]


@both
@pytest.mark.parametrize("name", HOSTILE)
def test_what_python_cannot_read(run: Run, command: str, name: str) -> None:
    data, why = HOSTILE[name]
    Path("m.py").write_bytes(data)
    [line] = run(command)
    assert line.startswith("m.py: ")
    assert why in line
    assert len(line) < 120
    assert Path("m.py").read_bytes() == data


@pytest.mark.parametrize("levels", [20, 90])
def test_deep_blocks_that_python_can_read_are_fixed(levels: int) -> None:
    text = nested(levels) + " " * (levels + 1) + "time.sleep(1)  # why\n"
    Path("deep.py").write_text(text)
    assert cli.main(["fix", "--isolated", "-q"]) == 1
    assert Path("deep.py").read_text() == "import asyncio\n" + text.replace("time.sleep", "await asyncio.sleep")


@pytest.mark.parametrize("form_feed", ["\x0c", "\x0c\n", "x = 1\n\x0c\n"])
def test_form_feeds_stay(form_feed: str) -> None:
    text = f"{form_feed}import time\n\x0c\nasync def f():\n\x0c    time.sleep(1)  \x0c # why\x0c\n    \x0c\n\x0c\n"
    Path("a.py").write_bytes(text.encode())
    assert cli.main(["fix", "--isolated", "-q"]) == 1
    after = Path("a.py").read_bytes().decode()
    added = "import asyncio\n\n" if form_feed.startswith("x") else "import asyncio\n"
    assert after.replace(added, "").replace("await asyncio.sleep", "time.sleep") == text
    assert after.count("asyncio") == 2


@both
@not_on_windows
def test_what_is_no_file(run: Run, command: str) -> None:
    os.mkfifo("fifo.py")
    Path("loop.py").symlink_to("other_loop.py")
    Path("other_loop.py").symlink_to("loop.py")
    Path("x.py").mkdir()
    Path("x.py", "m.py").write_text("x = 1\n")
    assert run(command) == [
        "fifo.py: not a regular file",
        "loop.py: too many levels of symbolic links",
        "other_loop.py: too many levels of symbolic links",
    ]
    assert cli.main([command, "--isolated", "-q", "x.py"]) == 0


@both
def test_a_file_that_is_deleted_before_it_is_read(run: Run, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def load_and_delete(path: Path) -> bytes:
        Path("m.py").unlink(missing_ok=True)
        return load(path)

    Path("m.py").write_text(BAD)
    monkeypatch.setattr("flake8_asyncpatterns.looking.load", load_and_delete)
    monkeypatch.setattr("flake8_asyncpatterns.mending.load", load_and_delete)
    assert run(command) == ["m.py: no such file or directory"]
    assert not Path("m.py").exists()


@pytest.mark.parametrize("meanwhile", ["deleted", "changed", "a folder", "a link"])
def test_a_file_that_is_another_one_when_it_is_written(
    run: Run, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    def load_and_change(path: Path) -> bytes:
        data = load(path)
        if path.name == "m.py":
            path.unlink()
            if meanwhile == "changed":
                path.write_text("changed = 1\n")
            elif meanwhile == "a folder":
                path.mkdir()
            elif meanwhile == "a link":
                path.symlink_to("elsewhere")
        return data

    Path("m.py").write_text(BAD)
    Path("elsewhere").write_text("else = 1\n")
    monkeypatch.setattr("flake8_asyncpatterns.mending.load", load_and_change)
    monkeypatch.setattr("flake8_asyncpatterns.runner.cores", lambda: 1)  # what is patched is this process
    gone = meanwhile == "deleted"
    assert run("fix") == ["m.py: no such file or directory" if gone else "m.py: changed on disk since it was read"]
    assert Path("m.py").exists() is not gone
    assert Path("elsewhere").read_text() == "else = 1\n"
    assert meanwhile != "changed" or Path("m.py").read_text() == "changed = 1\n"
    assert not [path for path in Path().iterdir() if path.name.endswith(".asyncfix")]


@contextmanager
def folder_for_everybody() -> Iterator[Path]:
    """A folder that other users can get to, unlike pytest's."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o777)
        yield Path(name)


# Python itself may be where only root gets to: all is loaded before the user changes.
AS_SOMEBODY = """
import os, sys
from flake8_asyncpatterns import looking, runner
from flake8_asyncpatterns.cli import main
main(["check", "--isolated", "-q", "loaded.py"])
main(["fix", "--isolated", "-q", "loaded.py"])
os.unlink("loaded.py")
with runner.Runner(2) as running:
    list(running.run(list, [looking.Job("", ()) for _ in range(runner.FEW)]))
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
sys.exit(main())
"""


def as_somebody(*arguments: str, where: Path) -> subprocess.CompletedProcess[str]:
    """A command of a user who is not root, for whom modes count."""
    (where / "loaded.py").write_text(BAD)
    return subprocess.run([sys.executable, "-c", AS_SOMEBODY, *arguments], cwd=where, capture_output=True, text=True)


@both
@not_on_windows
def test_no_permission(command: str) -> None:
    with folder_for_everybody() as where:
        for name in ("a.py", "secret.py", "readable.py", "closed/a.py", "fixed_place/a.py"):
            (where / name).parent.mkdir(exist_ok=True)
            (where / name).write_text(BAD)
            (where / name).chmod(0o666)
        (where / "secret.py").chmod(0)
        (where / "readable.py").chmod(0o644 if os.geteuid() == 0 else 0o444)
        (where / "closed").chmod(0)
        (where / "fixed_place").chmod(0o555)
        ran = as_somebody(command, "--isolated", "-q", where=where)
        (where / "closed").chmod(0o755)
        (where / "fixed_place").chmod(0o755)
        assert ran.returncode == 2
        refused = ["closed: permission denied", "secret.py: permission denied"]
        if command == "fix":
            refused += ["fixed_place/a.py: permission denied", "readable.py: read-only"]
        assert sorted(ran.stderr.splitlines()) == sorted(refused)
        assert (where / "a.py").read_text() == (GOOD if command == "fix" else BAD)
        for name in ("secret.py", "readable.py", "closed/a.py", "fixed_place/a.py"):
            assert (where / name).read_text() == BAD
            assert len([*(where / name).parent.iterdir()]) == (1 if "/" in name else 5)


def system(*command: str, undo: list[str], stack: ExitStack) -> None:
    """Run a command of root's and see that it is undone; skips where it cannot be run."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which(command[0]) is None:
        pytest.skip(f"needs root and {command[0]}")
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode:
        pytest.skip(f"{command[0]} does not work here: {ran.stderr.strip()}")
    stack.callback(subprocess.run, undo, check=True)


def test_a_file_that_even_root_may_not_change(run: Run) -> None:
    Path("m.py").write_text(BAD)
    with ExitStack() as stack:
        system("chattr", "+i", "m.py", undo=["chattr", "-i", "m.py"], stack=stack)
        [line] = run("fix")
        assert line in ("m.py: read-only", "m.py: operation not permitted")
    assert Path("m.py").read_text() == BAD
    assert sorted(path.name for path in Path().iterdir()) == ["a_first.py", "m.py", "z_last.py"]


def test_a_read_only_file_system(run: Run) -> None:
    Path("disk").mkdir()
    Path("disk/m.py").write_text(BAD)
    with ExitStack() as stack:
        system("mount", "--bind", "disk", "disk", undo=["umount", "disk"], stack=stack)
        subprocess.run(["mount", "-o", "remount,bind,ro", "disk"], check=True)
        [line] = run("fix")
        assert line in ("disk/m.py: read-only", "disk/m.py: read-only file system")
    assert Path("disk/m.py").read_text() == BAD


def test_a_full_disk(run: Run) -> None:
    Path("disk").mkdir()
    text = BAD + "# why\n" * 5000
    with ExitStack() as stack:
        system("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "disk", undo=["umount", "disk"], stack=stack)
        Path("disk/m.py").write_text(text)
        Path("disk/n.py").write_text(BAD)
        Path("disk/rest").write_bytes(b"x" * (4096 * 6))  # leaves less than m.py needs a second time
        assert run("fix") == ["disk/m.py: no space left on device"]
        assert Path("disk/m.py").read_text() == text
        assert Path("disk/n.py").read_text() == GOOD
        assert sorted(path.name for path in Path("disk").iterdir()) == ["m.py", "n.py", "rest"]


def test_no_room_for_another_file(run: Run) -> None:
    Path("disk").mkdir()
    with ExitStack() as stack:
        system("mount", "-t", "tmpfs", "-o", "nr_inodes=2", "tmpfs", "disk", undo=["umount", "disk"], stack=stack)
        Path("disk/m.py").write_text(BAD)
        assert run("fix") == ["disk/m.py: no space left on device"]
        assert [path.read_text() for path in Path("disk").iterdir()] == [BAD]
