"""Commands of ours and of others, run and measured."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

EVERY = 0.05  # seconds between two looks at the memory


class Seen(NamedTuple):
    """One run of a command: seconds on the clock, seconds of all its processes on a processor, and bytes of memory at
    the peak of all of them together."""

    seconds: float
    busy: float
    memory: int


def environment() -> dict[str, str]:
    """The variables for a command as people have them: what Python has compiled once, it keeps."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def run(command: list[str]) -> Seen:
    """Run a command to its end. What it says is thrown away."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment()) as process:
        peak = [0]
        watcher = threading.Thread(target=_watch, args=(process, peak))
        watcher.start()
        process.wait()
        seconds = time.perf_counter() - start
        watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode not in (0, 1, 2):  # 2: among other things, some file is of a newer Python than this
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Seen(seconds, busy, peak[0])


def _watch(process: subprocess.Popen[bytes], peak: list[int]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], sum(map(_memory, _family(process.pid))))
        time.sleep(EVERY)


def _family(pid: int) -> Iterator[int]:
    """A process and those that it started (Linux only; elsewhere memory is not measured)."""
    yield pid
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))


def _memory(pid: int) -> int:
    """The bytes that are a process's own share: what several share counts once."""
    with suppress(OSError, ValueError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("Pss:")).split()[1])
    return 0


def installed(place: Path, tools: Sequence[str]) -> Path:
    """The commands of other tools, in an environment of their own at this place."""
    commands = place / ("Scripts" if os.name == "nt" else "bin")
    if not commands.exists():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        subprocess.run([str(commands / "python"), "-m", "pip", "install", "--quiet", *tools], check=True)
    return commands
