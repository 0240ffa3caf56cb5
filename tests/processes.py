"""Programs run as what they are, processes that get signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# What a fixed program must do within a second, a busy machine may take this long for.
PATIENCE = 10.0


class Program:
    """A running Python program whose output is read line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with self._more:
                self.lines.append(line.rstrip("\n"))
                self._more.notify_all()

    def wait_for_line(self, text: str, times: int = 1) -> None:
        with self._more:
            assert self._more.wait_for(lambda: self.lines.count(text) >= times, 3 * PATIENCE), self.lines

    def terminate(self) -> float:
        """Send SIGTERM and return when that was."""
        self.process.send_signal(signal.SIGTERM)
        return time.monotonic()

    def status(self) -> int:
        """The exit status, once it has ended by itself, with all its output read."""
        status = self.process.wait(PATIENCE)
        self._reader.join()
        return status


@contextmanager
def running(source: str, tmp_path: Path) -> Iterator[Program]:
    path = tmp_path / "program.py"
    path.write_text(source, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    program = Program(process)
    try:
        yield program
    finally:
        process.kill()
        process.wait()
        program._reader.join()
        assert process.stdout
        process.stdout.close()
