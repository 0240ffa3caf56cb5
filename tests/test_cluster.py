"""A Dask cluster looks at the files: a real scheduler and two workers, on loopback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flake8_asyncpatterns import runner
from flake8_asyncpatterns.cli import main

pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="the workers are killed as POSIX has it"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),  # of other people's
]

FILE = """\
import time

async def f{0}():
    time.sleep({0})
    g{0}()

def g{0}():
    time.sleep(2)
"""


def dask(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *arguments], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )


def wait_for(process: subprocess.Popen[str], words: str) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return line
    raise AssertionError(f"{process.args} ended without {words!r}")


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Two of them; their scheduler is at ADDRESS of the first."""
    started = []
    try:
        started.append(dask("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"))
        address = wait_for(started[0], "Scheduler at:").split()[-1]
        for _ in range(2):
            started.append(
                dask(
                    "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard",
                    "--local-directory", str(tmp_path / "dask"), "--host", "127.0.0.1",
                )
            )  # fmt: skip
        for worker in started[1:]:
            wait_for(worker, "Registered to:")
        started[0].args = [address]
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("code").mkdir()
    for number in range(40):
        Path(f"code/m{number:02}.py").write_text(FILE.format(number))
    Path("code/broken.py").write_text("async def f(: time.sleep")
    monkeypatch.setattr(runner, "BATCH_FILES", 2)


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["check", "--no-cache", "--output-format", "json", "code", *arguments])
    return (code, *capsys.readouterr())


def test_the_same_findings_as_here(workers: list[subprocess.Popen[str]], capsys: pytest.CaptureFixture[str]) -> None:
    url = workers[0].args[0].replace("tcp://", "dask://")  # type: ignore[index, union-attr]
    assert check(capsys, "--executor", url) == check(capsys, "-j1")


def test_a_worker_that_is_killed_loses_nothing(
    workers: list[subprocess.Popen[str]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = check(capsys, "-j1")
    results = 0
    real = runner.Runner._result

    def deadly(self, *arguments):  # type: ignore[no-untyped-def]
        nonlocal results
        results += 1
        if results == 3:
            os.kill(workers[1].pid, signal.SIGKILL)
        return real(self, *arguments)

    monkeypatch.setattr(runner.Runner, "_result", deadly)
    url = workers[0].args[0].replace("tcp://", "dask://")  # type: ignore[index, union-attr]
    code, out, err = check(capsys, "--executor", url)
    assert (code, out) == wanted[:2]
    assert workers[1].wait(5) == -signal.SIGKILL
    assert wanted[2] in err


def test_a_scheduler_that_dies_loses_nothing(
    workers: list[subprocess.Popen[str]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = check(capsys, "-j1")
    real = runner.Runner._result
    results = 0

    def deadly(self, *arguments):  # type: ignore[no-untyped-def]
        nonlocal results
        results += 1
        if results == 3:
            os.kill(workers[0].pid, signal.SIGKILL)
        return real(self, *arguments)

    monkeypatch.setattr(runner.Runner, "_result", deadly)
    url = workers[0].args[0].replace("tcp://", "dask://")  # type: ignore[index, union-attr]
    code, out, err = check(capsys, "--executor", url)
    assert (code, out) == wanted[:2]
    assert "asyncfix: a worker was lost" in err


@pytest.mark.parametrize("url", ["dask://", "ray://x:1", "127.0.0.1:8786"])
def test_what_is_no_cluster(capsys: pytest.CaptureFixture[str], url: str) -> None:
    assert check(capsys, "--executor", url) == (2, "", f"asyncfix: --executor {url!r}: known is dask://HOST:PORT\n")


def test_a_scheduler_that_does_not_answer(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flake8_asyncpatterns.cluster.PATIENCE", 1)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    start = time.monotonic()
    code, out, err = check(capsys, "--executor", f"dask://127.0.0.1:{port}")
    assert (code, out) == (2, "")
    assert err.startswith(f"asyncfix: --executor dask://127.0.0.1:{port}: ")
    assert err.count("\n") == 1
    assert time.monotonic() - start < 60
