"""Whenever a run is killed, each file is whole: the old one or the new one."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flake8_asyncpatterns.interrupts import held_back
from flake8_asyncpatterns.leftovers import TEMPORARY

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX system")

OLD = b"import time\n\n\nasync def f():\n    time.sleep(1)\n\n\nTEXT = '" + b"long " * 40_000 + b"'\n"
NEW = b"import asyncio\n" + OLD.replace(b"time.sleep", b"await asyncio.sleep")
FILES = 12


class Seen(Exception):
    """A handler of the test's own ran."""


@contextmanager
def handling(number: signal.Signals) -> Iterator[None]:
    def handle(*_: object) -> None:
        raise Seen

    before = signal.signal(number, handle)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_waits_for_the_end_of_the_block(number: signal.Signals) -> None:
    steps = []
    with handling(number):

        def work() -> None:
            with held_back():
                signal.raise_signal(number)
                signal.raise_signal(number)
                steps.append("whole")

        with pytest.raises(Seen):
            work()
        assert steps == ["whole"]
        with pytest.raises(Seen):
            signal.raise_signal(number)


def test_a_signal_tells_more_than_what_went_wrong_in_the_block() -> None:
    def work() -> None:
        with held_back():
            signal.raise_signal(signal.SIGTERM)
            raise OSError

    with handling(signal.SIGTERM), pytest.raises(Seen):
        work()


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with held_back():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_another_thread_has_nothing_to_hold_back() -> None:
    steps = []

    def work() -> None:
        with held_back():
            steps.append("done")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert steps == ["done"]


def start(folder: Path) -> subprocess.Popen[str]:
    """`asyncfix fix` over a folder, in its midst: the first file was just written."""
    # A shell's background job has SIGINT ignored, and hands that down.
    command = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); sys.argv[0] = 'asyncfix';"
        "from flake8_asyncpatterns.__main__ import main; sys.exit(main())"
    )
    return subprocess.Popen(
        [sys.executable, "-c", command, "fix", "--isolated", "-j3", str(folder)], stderr=subprocess.PIPE, text=True
    )


def kill_somewhere(folder: Path, number: signal.Signals, wait: float) -> tuple[int, int]:
    """Kill a run over new files in a folder so many seconds after its first file; how many are new, how many are left
    behind that are neither."""
    for name in range(FILES):
        (folder / f"f{name}.py").write_bytes(OLD)
    with start(folder) as process:
        assert process.stderr
        assert "fixed" in process.stderr.readline()
        time.sleep(wait)
        process.send_signal(number)
        said = process.stderr.read()
    # The files were all written, or it ended by the signal and said so.
    assert process.returncode in (1, 128 + number, -number), said
    assert "Traceback" not in said, said
    contents = [(folder / f"f{name}.py").read_bytes() for name in range(FILES)]
    assert set(contents) <= {OLD, NEW}
    others = {path.name for path in folder.iterdir()} - {f"f{name}.py" for name in range(FILES)}
    assert all(map(TEMPORARY.fullmatch, others))
    return contents.count(NEW), len(others)


def kill_often(tmp_path: Path, number: signal.Signals, times: int) -> Iterator[tuple[int, int]]:
    begin = time.monotonic()
    kill_somewhere(tmp_path, signal.SIGCONT, 0)  # which kills nothing: how long may it take
    whole = time.monotonic() - begin
    chance = random.Random(times)
    for _ in range(times):
        # Most of the time goes to starting up, which is over when the first file is written.
        yield kill_somewhere(tmp_path, number, chance.uniform(0, whole / 2))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("times", [3, pytest.param(150, marks=pytest.mark.slow)])
def test_an_interrupted_run_leaves_whole_files_and_nothing_else(
    tmp_path: Path, number: signal.Signals, times: int
) -> None:
    assert not any(others for _, others in kill_often(tmp_path, number, times))


@pytest.mark.parametrize("times", [3, pytest.param(200, marks=pytest.mark.slow)])
def test_a_killed_run_leaves_whole_files_and_the_next_one_tidies_up(tmp_path: Path, times: int) -> None:
    before = tmp_path / ".f0.py.0123456789ab.asyncfix"
    before.write_bytes(NEW[:1000])
    for _, others in kill_often(tmp_path, signal.SIGKILL, times):
        assert others <= 1  # what earlier runs left is gone
    with start(tmp_path) as process:
        process.communicate()
    assert {path.name for path in tmp_path.iterdir()} == {f"f{name}.py" for name in range(FILES)}
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {NEW}


# The same again, where nearly all of the time goes to writing: from the old text to the new and back without end.
BACK_AND_FORTH = """
import signal; signal.signal(signal.SIGINT, signal.default_int_handler)  # as above
import sys
from pathlib import Path
from flake8_asyncpatterns.source import write
path = Path(sys.argv[1])
now, other = path.read_bytes(), Path(sys.argv[2]).read_bytes()
print("ready", flush=True)
while True:
    write(path, other, was=now)
    now, other = other, now
"""


@pytest.mark.parametrize("times", [10, pytest.param(300, marks=pytest.mark.slow)])
def test_a_file_is_whole_whenever_its_writer_is_killed(tmp_path: Path, times: int) -> None:
    file, other = tmp_path / "in" / "f.py", tmp_path / "other.py"
    file.parent.mkdir()
    file.write_bytes(OLD)
    chance = random.Random(times)
    for number in chance.choices([signal.SIGKILL, signal.SIGTERM, signal.SIGINT], k=times):
        other.write_bytes(NEW if file.read_bytes() == OLD else OLD)
        command = [sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}\n{BACK_AND_FORTH}"]
        with subprocess.Popen([*command, file, other], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
            time.sleep(chance.uniform(0, 0.03))
            process.send_signal(number)
        assert process.returncode == (number if number is signal.SIGINT and process.returncode > 0 else -number)
        assert file.read_bytes() in (OLD, NEW)
        left = {path.name for path in file.parent.iterdir()} - {"f.py"}
        assert len(left) <= (number is signal.SIGKILL)
        for name in left:
            assert re.fullmatch(r"\.f\.py\.[0-9a-f]{12}\.asyncfix", name)
            (file.parent / name).unlink()
