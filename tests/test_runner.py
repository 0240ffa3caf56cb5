"""Batches in any Executor: the same outcomes in the same order, and nothing lost with a worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from flake8_asyncpatterns import runner
from flake8_asyncpatterns.looking import Job, Order, Outcome, look
from flake8_asyncpatterns.runner import Runner
from flake8_asyncpatterns.settings import NONE

BAD = "import time\n\nasync def f{}():\n    time.sleep({})\n"
ORDER = Order(("AIO101",), NONE, project=False)
WORK = partial(look, ORDER)


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    for number in range(60):
        (tmp_path / f"f{number:02}.py").write_text(BAD.format(number, number) if number % 3 else "def f(): pass\n")
    (tmp_path / "f07.py").write_text("async def f(: time.sleep(1)")
    return [Job(str(path), ORDER.codes) for path in [*sorted(tmp_path.iterdir()), tmp_path / "missing.py"]]


def shown(outcomes: list[Outcome]) -> list[tuple[int, str]]:
    return [(len(outcome.examined.problems), outcome.failure) for outcome in outcomes]


def expected(jobs: list[Job]) -> list[tuple[int, str]]:
    found = shown(look(ORDER, jobs))
    assert found[7] == (0, "syntax error in line 1, column 13: invalid syntax")
    assert found[-1] == (0, "no such file or directory")
    assert sum(problems for problems, _ in found) == 39
    return found


class Threads(ThreadPoolExecutor):
    """Some Executor that remembers what it was given."""

    def __init__(self) -> None:
        super().__init__(2)
        self.sent: list[Job] = []

    def submit(self, function, /, work, jobs) -> Future:  # type: ignore[no-untyped-def, override]
        self.sent += jobs
        return super().submit(function, work, jobs)


class Failing(Executor):
    """An Executor that loses its workers after some batches."""

    def __init__(self, batches: int, *, at_submit: bool) -> None:
        self.batches = batches
        self.at_submit = at_submit

    def submit(self, function, /, *arguments) -> Future:  # type: ignore[no-untyped-def, override]
        future: Future = Future()
        if self.batches:
            self.batches -= 1
            future.set_result(function(*arguments))
        elif self.at_submit:
            raise RuntimeError("shut down\nwith a long story")
        else:
            future.set_exception(OSError("gone"))
        return future


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_any_number_of_processes(jobs: list[Job], processes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "BATCH_FILES", 4)
    with Runner(processes) as running:
        assert shown(list(running.run(WORK, jobs))) == expected(jobs)


@pytest.mark.parametrize("ships", [False, True])
def test_any_executor(jobs: list[Job], ships: bool) -> None:
    with Threads() as threads, Runner(2, threads, ships=ships) as running:
        assert shown(list(running.run(WORK, jobs))) == expected(jobs)
        assert [job.name for job in threads.sent] == [job.name for job in jobs]
        assert all((job.data is not None) == (ships and job.name != jobs[-1].name) for job in threads.sent)


@pytest.mark.parametrize("at_submit", [False, True])
@pytest.mark.parametrize("batches", [0, 1, 3])
def test_what_a_lost_worker_had_is_done_here(
    jobs: list[Job], at_submit: bool, batches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "BATCH_FILES", 7)
    said: list[str] = []
    with Runner(2, Failing(batches, at_submit=at_submit), lost=said.append) as running:
        assert shown(list(running.run(WORK, jobs))) == expected(jobs)
        assert shown(list(running.run(WORK, jobs))) == expected(jobs)  # it does not try again
    assert said == ["shut down" if at_submit else "gone"]


@pytest.mark.skipif(sys.platform != "linux", reason="workers begin with what was patched here")
def test_a_killed_process(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    here, real = os.getpid(), runner.done

    def deadly(work: partial[list[Outcome]], batch: list[Job]) -> list[Outcome]:
        if os.getpid() != here and batch[0].name.endswith("f20.py"):
            os.kill(os.getpid(), signal.SIGKILL)
        return real(work, batch)

    monkeypatch.setattr(runner, "BATCH_FILES", 4)
    monkeypatch.setattr(runner, "done", deadly)
    said: list[str] = []
    wanted = expected(jobs)
    with Runner(2, lost=said.append) as running:
        assert shown(list(running.run(WORK, jobs))) == wanted
    assert len(said) == 1


def test_where_no_pool_can_be_had_all_is_done_here(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(workers: int) -> Executor:
        raise OSError("no room for a semaphore")

    monkeypatch.setattr(runner, "_pool", refuse)
    said: list[str] = []
    with Runner(2, lost=said.append) as running:
        assert shown(list(running.run(WORK, jobs))) == expected(jobs)
    assert said == ["no room for a semaphore"]


def test_few_files_need_no_pool(jobs: list[Job]) -> None:
    threads = threading.active_count()
    with Runner(8) as running:
        assert len(list(running.run(WORK, jobs[:5]))) == 5
        assert running._own is None
    assert threading.active_count() == threads


def test_batches_are_of_a_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [Job("a", (), b"x" * size) for size in (10, 10, 80, 10, 200, 10)]
    monkeypatch.setattr(runner, "BATCH_BYTES", 100)
    assert [len(batch) for batch in runner._batches(jobs)] == [3, 2, 1]
    monkeypatch.setattr(runner, "BATCH_FILES", 2)
    assert [len(batch) for batch in runner._batches(jobs)] == [2, 2, 1, 1]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX system")
def test_workers_end_with_whoever_hands_out_the_work() -> None:
    code = """
import os, signal
from pathlib import Path
from flake8_asyncpatterns.looking import Job
from flake8_asyncpatterns.runner import Runner
def work(jobs):
    return [os.getpid() for _ in jobs]
with Runner(2) as running:
    for pid in running.run(work, [Job(str(n), ()) for n in range(100)]):
        assert pid != os.getpid()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    # What they hold open ends with them; else this would wait for ever.
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=60)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
