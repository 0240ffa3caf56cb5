"""The service in `examples/` does what its documentation says: as a process, listened to, and stopped by a signal."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest

Start = Callable[..., Any]
SERVICE = Path(__file__).parent.parent / "examples" / "service.py"


def listening(start: Start, period: float) -> tuple[Any, int]:
    """The service, and the port that it says it listens on."""
    program = start(
        f"""
        import logging, runpy, sys
        logging.basicConfig(level="INFO", format="%(message)s", stream=sys.stdout)
        sys.argv = ["service.py", "--port", "0", "--period", "{period}"]
        runpy.run_path({str(SERVICE)!r}, run_name="__main__")
        """
    )
    while not (line := program.read_line()).startswith("listening on port"):  # asyncio's debug mode says more
        assert line, program.finish()
    return program, int(line.rpartition(" ")[2])


def listen(port: int) -> IO[bytes]:
    """The answer to a request, as a stream of lines."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return connection.makefile("rb")


def readings(answer: IO[bytes], count: int) -> list[dict[str, Any]]:
    data = (line.removeprefix(b"data: ") for line in answer if line.startswith(b"data: "))
    return [json.loads(next(data)) for _ in range(count)]


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_all_who_listen_get_every_reading_and_a_signal_ends_it_in_order(start: Start, signum: signal.Signals) -> None:
    program, port = listening(start, period=0.05)
    with listen(port) as first, listen(port) as second:
        seen = readings(first, 12), readings(second, 12)
        for got in seen:
            assert got[0].keys() == {"sensor", "tick", "celsius"}
            ticks = [reading["tick"] for reading in got if reading["sensor"] == "hall"]
            assert ticks == list(range(ticks[0], ticks[0] + 6))
        program.send(signum)
        assert [answer.read().endswith(b"event: end\ndata:\n\n") for answer in (first, second)] == [True, True]
    status, output, _ = program.finish()
    assert status == -signum
    assert f"leaving because of {signum!r}" in output or f"leaving because of {signum}" in output


def test_a_stop_does_not_wait_for_the_period(start: Start) -> None:
    program, port = listening(start, period=3600)
    with listen(port) as answer:
        assert [reading["sensor"] for reading in readings(answer, 2)] == ["hall", "roof"]
        program.send(signal.SIGTERM)
        status, _, _ = program.finish()
    assert status == -signal.SIGTERM


def test_a_listener_that_says_nothing_holds_nobody_up(start: Start) -> None:
    program, port = listening(start, period=0.05)
    with socket.create_connection(("127.0.0.1", port), timeout=20), listen(port) as answer:
        readings(answer, 4)
        program.send(signal.SIGTERM)
        assert answer.read().endswith(b"event: end\ndata:\n\n")
        assert program.finish()[0] == -signal.SIGTERM
