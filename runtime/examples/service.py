"""A worked service to copy from: it measures, refines what it measured, and tells whoever listens.

Start it, and listen as often as you like:

    python examples/service.py --port 8765
    curl --no-buffer http://127.0.0.1:8765/

Stop it with Ctrl-C or SIGTERM: the measuring ends at once instead of after its period, what is under way in the
pipeline is still told to everybody, the connections end in order, and then the process ends as the signal demands.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import math
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from asyncpatterns import ChangeStream, Lagged, Stop, TaskPool, pipeline, run

LISTENERS = 100  # at a time; one more is told to come back later
PATIENCE = 5.0  # seconds that a listener may take to receive one reading

log = logging.getLogger("service")


class Reading(NamedTuple):
    """What a sensor said, and when."""

    sensor: str
    tick: int
    celsius: float


async def measure(stop: Stop, period: float) -> AsyncIterator[list[Reading]]:
    """Read all sensors once in a period, without drift, until it is time to stop."""
    async for tick in stop.every(period):
        yield [Reading(name, tick, 20 + 5 * math.sin(tick + place)) for place, name in enumerate(("hall", "roof"))]


async def calibrate(reading: Reading) -> Reading:
    """Look up a correction: in earnest a query to a database, so several are under way at a time."""
    await asyncio.sleep(0.01)
    return reading._replace(celsius=round(reading.celsius - 0.5, 2))


def plausible(reading: Reading) -> bool:
    """Tell a reading from a broken wire."""
    return -60 < reading.celsius < 60


async def produce(stop: Stop, period: float, changes: ChangeStream[Reading]) -> None:
    """Measure, refine, publish, and end the stream with the measuring."""
    work = pipeline(measure(stop, period)).flat_map(list).map(calibrate, concurrency=4).filter(plausible)
    try:
        async with work as readings:
            async for reading in readings:
                await changes.publish(reading)
    finally:
        changes.close()


async def tell(changes: ChangeStream[Reading], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send one listener every reading, as server-sent events; one that is too slow is told what it missed."""
    try:
        async with asyncio.timeout(PATIENCE):
            await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        with changes.subscribe() as readings:
            while True:
                try:
                    reading = await anext(readings)
                    writer.write(f"data: {json.dumps(reading._asdict())}\n\n".encode())
                except Lagged as lagged:
                    writer.write(f"event: lagged\ndata: {lagged.missed}\n\n".encode())
                except StopAsyncIteration:
                    writer.write(b"event: end\ndata:\n\n")
                    break
                async with asyncio.timeout(PATIENCE):
                    await writer.drain()
    except (ConnectionError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        log.info("a listener is gone: %r", error)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def main(stop: Stop, port: int, period: float) -> None:
    """Serve until told to stop."""
    changes = ChangeStream[Reading](buffer=100, replay=10)
    async with TaskPool(LISTENERS) as listeners:

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if listeners.try_spawn(tell, changes, reader, writer) is None:
                writer.write(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nConnection: close\r\n\r\n")
                writer.close()

        async with await asyncio.start_server(accept, "127.0.0.1", port) as server:
            log.info("listening on port %d", server.sockets[0].getsockname()[1])
            await produce(stop, period, changes)
    log.info("everybody has been told; leaving because of %s", stop.reason)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measures, refines, and tells whoever listens.")
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--period", type=float, default=1.0, help="seconds between two readings (default: %(default)s)")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    # Five seconds for what is under way and for slow listeners; after that, they are cancelled.
    run(partial(main, port=options.port, period=options.period), grace=5)
