"""The runtime's figures: what its parts cost beside what one would use instead, measured side by side in one run.

    pip install -r runtime/benchmarks/requirements.txt     # into the environment the runtime is installed in
    python runtime/benchmarks/figures.py [--rounds N] [--loop asyncio|uvloop] [ID …]

Prints a table in Markdown: each figure, what it should hold, and what was seen. Contenders take turns, A B A B …, and
the best of N rounds counts for each. Costs are in processor time, which the other programs on the machine distort
least, except where there is something to wait for (P4, the second of L1, R1: they need a quiet machine). Rows without a
figure to hold are there to compare: how many times our cost the others have. Every contender does the same work, and
what comes out is checked.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter
from typing import Any, Literal, NamedTuple

import fanout
import service
import stages
import work
from contest import Contender, NewLoop, best_of

DISTRIBUTIONS = ("asyncpatterns", "anyio", "aiostream", "python-pyper", "aiochan", "broadcaster", "uvloop")
REQUIREMENTS = "runtime/benchmarks/requirements.txt"


class Hold(NamedTuple):
    """The bound that a figure is held against."""

    sign: Literal["≤", "<", "≥"]
    bound: float
    unit: str = ""

    def holds(self, seen: float) -> bool:
        """Whether what was seen is within it."""
        return seen >= self.bound if self.sign == "≥" else seen <= self.bound if self.sign == "≤" else seen < self.bound

    def __str__(self) -> str:
        return f"{self.sign} {self.bound:g}{self.unit}"


class Figure(NamedTuple):
    """What is measured, for the whole table: one line of figures to hold, and lines to compare."""

    id: str
    measure: str
    hold: Hold | None
    """None where there is only something to compare."""
    ours: Callable[[], Coroutine[Any, Any, float]]
    other: Contender | None = None
    """Whose cost ours is compared with; without one, the measured value itself is the figure."""
    extras: Sequence[Contender] = ()
    counted: bool = False
    """Whether it is a count, the same in every round, so that one will do."""

    def seen(self, ours: float, other: float) -> float:
        """The figure: a share of the other's cost (at most …), or how many times ours that is (at least …)."""
        return other / ours if self.hold is None or self.hold.sign == "≥" else ours / other


class Row(NamedTuple):
    """A line of the table."""

    id: str
    measure: str
    hold: str
    seen: str
    verdict: str


B1 = 1, 1000
B2 = 100, 200
B3 = 100, 50
P4 = 2000, stages.add_one_later, 50

FIGURES = (
    Figure(
        "B1",
        "1→1 burst, `publish_nowait` / `asyncio.Queue` fan-out",
        Hold("≤", 1.0),
        partial(fanout.burst, fanout.ours, *B1),
        Contender("queues", partial(fanout.burst, fanout.queues, *B1)),
        (
            Contender("anyio, `send_nowait`", partial(fanout.burst, fanout.anyio_nowait, *B1), "anyio"),
            Contender("aiochan, `dup`", partial(fanout.burst, fanout.aiochan, *B1), "aiochan"),
            Contender("broadcaster, memory", partial(fanout.burst, fanout.broadcaster, *B1), "broadcaster"),
        ),
    ),
    Figure(
        "B2",
        "1→100 burst, `publish_nowait` / `asyncio.Queue` fan-out",
        Hold("≤", 0.7),
        partial(fanout.burst, fanout.ours, *B2),
        Contender("queues", partial(fanout.burst, fanout.queues, *B2)),
        (Contender("anyio, `send_nowait`", partial(fanout.burst, fanout.anyio_nowait, *B2), "anyio"),),
    ),
    Figure(
        "B3",
        "1→100 lockstep, `publish_nowait` / `asyncio.Queue` fan-out",
        Hold("≤", 1.0),
        partial(fanout.lockstep, fanout.ours, *B3),
        Contender("queues", partial(fanout.lockstep, fanout.queues, *B3)),
        (
            Contender("anyio, `send_nowait`", partial(fanout.lockstep, fanout.anyio_nowait, *B3), "anyio"),
            Contender("aiochan, `dup`", partial(fanout.lockstep, fanout.aiochan, *B3), "aiochan"),
            Contender("broadcaster, memory", partial(fanout.lockstep, fanout.broadcaster, *B3), "broadcaster"),
        ),
    ),
    Figure(
        "B4",
        "1→100 burst: anyio, awaited `send` / ours, awaited `publish`",
        Hold("≥", 15),
        partial(fanout.burst, fanout.ours_awaited, *B2),
        Contender("anyio", partial(fanout.burst, fanout.anyio_awaited, *B2), "anyio"),
        (
            Contender("aiochan, `dup`", partial(fanout.burst, fanout.aiochan, *B2), "aiochan"),
            Contender("broadcaster, memory", partial(fanout.burst, fanout.broadcaster, *B2), "broadcaster"),
        ),
    ),
    Figure(
        "B5",
        "a stuck subscriber of 10 after 200,000 messages: items kept for it, while the others get all",
        Hold("≤", fanout.BUFFER),
        partial(fanout.stuck, 10, 200_000),
        counted=True,
    ),
    Figure(
        "P1",
        "three sync stages / nested async generators",
        Hold("≤", 1.2),
        partial(stages.timed, stages.ours_sync, 5000),
        Contender("async generators", partial(stages.timed, stages.nested_generators, 5000)),
    ),
    Figure(
        "P2",
        "three sync stages: aiostream / ours",
        Hold("≥", 6),
        partial(stages.timed, stages.ours_sync, 2000),
        Contender("aiostream", partial(stages.timed, stages.aiostream_sync, 2000), "aiostream"),
        (Contender("aiochan, `map`", partial(stages.timed, stages.aiochan_sync, 2000), "aiochan"),),
    ),
    *(
        Figure(
            "P2",
            f"three async stages × {concurrency}, {waiting}: aiostream / ours",
            hold,
            partial(stages.timed, stages.ours, 1000, function, concurrency),
            Contender("aiostream", partial(stages.timed, stages.aiostream, 1000, function, concurrency), "aiostream"),
            (
                Contender(
                    "aiochan, `async_pipe`",
                    partial(stages.timed, stages.aiochan, 1000, function, concurrency),
                    "aiochan",
                ),
                Contender(
                    f"pyper{', unordered' * (concurrency > 1)}",
                    partial(stages.timed, stages.pyper, 1000, function, concurrency),
                    "pyper",
                ),
            ),
        )
        for waiting, function, concurrency, hold in (
            ("that never wait", stages.add_one_at_once, 1, Hold("≥", 9)),
            ("that never wait", stages.add_one_at_once, 10, Hold("≥", 20)),
            ("that wait for a turn", stages.add_one_soon, 1, None),
            ("that wait for a turn", stages.add_one_soon, 10, None),
        )
    ),
    Figure(
        "P3",
        "three async stages × 10, that wait for a turn, ordered / hand-written `Queue` workers",
        Hold("≤", 0.9),
        partial(stages.timed, stages.ours, 1000, stages.add_one_soon, 10),
        Contender("Queue workers", partial(stages.timed, stages.queue_workers, 1000, stages.add_one_soon, 10)),
    ),
    Figure(
        "P4",
        "2,000 items × 3 stages × 1 ms, concurrency 50 / ideal 0.04 s",
        Hold("≤", 2.0),
        partial(stages.timed, stages.ours, *P4, clock=perf_counter),
        Contender("ideal", partial(stages.ideal, 2000, 50)),
        (
            Contender(
                "the 6,000 sleeps by themselves",
                partial(stages.timed, stages.nothing_but_sleeps, *P4, clock=perf_counter),
            ),
            Contender(
                "hand-written `Queue` workers", partial(stages.timed, stages.queue_workers, *P4, clock=perf_counter)
            ),
            Contender("aiostream", partial(stages.timed, stages.aiostream, *P4, clock=perf_counter), "aiostream"),
            Contender(
                "aiochan, `async_pipe`", partial(stages.timed, stages.aiochan, *P4, clock=perf_counter), "aiochan"
            ),
            Contender("pyper, unordered", partial(stages.timed, stages.pyper, *P4, clock=perf_counter), "pyper"),
        ),
    ),
    Figure(
        "S1",
        "`Stop.sleep` / `asyncio.sleep`",
        Hold("≤", 1.0),
        partial(service.ours, 4),
        Contender("asyncio.sleep", partial(service.plain, 4)),
    ),
    Figure(
        "L1",
        "`checkpoint` every 16 items / bare loop",
        Hold("≤", 2.0),
        partial(work.with_checkpoints, 20_000),
        Contender("bare loop", partial(work.bare_loop, 20_000)),
    ),
    Figure(
        "L1",
        "longest wait for a turn beside 10 tasks with `checkpoint` / its budget",
        Hold("≤", 1.5),
        partial(work.latency, 30_000),
    ),
    Figure(
        "Q1",
        "`SizedQueue` / `asyncio.Queue`, put + get",
        Hold("≤", 0.8),
        partial(work.sized_queue, 5000),
        Contender("asyncio.Queue", partial(work.plain_queue, 5000)),
    ),
    Figure(
        "T1",
        "`TaskPool` / `TaskGroup` + `Semaphore`",
        Hold("≤", 1.0),
        partial(work.task_pool, 500),
        Contender("TaskGroup", partial(work.group_and_semaphore, 500)),
    ),
    Figure("R1", "SIGTERM to exit while in `stop.sleep(60)`", Hold("<", 0.1, " s"), service.terminated),
)


def rows(figure: Figure, rounds: int, new_loop: NewLoop) -> Iterator[Row]:
    """Measure a figure and what stands beside it, in one interleaved run."""
    others = [contender for contender in (figure.other, *figure.extras) if contender is not None]
    ours, *theirs = best_of(1 if figure.counted else rounds, [Contender("ours", figure.ours), *others], new_loop)
    costs = dict(zip(others, theirs, strict=True))
    seen = ours if figure.other is None else figure.seen(ours, costs[figure.other])
    yield Row(figure.id, figure.measure, str(figure.hold or ""), *_read(seen, figure.hold, figure.other))
    for extra in figure.extras:
        yield Row(figure.id, f"… {extra.name} / ours", "", _read(costs[extra] / ours, None, extra)[0], "")


def _read(seen: float, hold: Hold | None, other: Contender | None) -> tuple[str, str]:
    if math.isnan(seen):
        assert other is not None
        return "–", f"not measured: {other.needs} is not installed"
    text = (
        f"{seen:,.0f}"
        if seen >= 100
        else f"{seen:.1f}"
        if seen >= 10
        else f"{seen:.2f}"
        if seen >= 0.1
        else f"{seen:.3f}"
    )
    unit = "" if hold is None else hold.unit
    return text + unit, "" if hold is None else "held" if hold.holds(seen) else "**missed**"


def machine() -> str:
    """What was measured on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"


def versions(loop: str) -> Iterator[str]:
    """What was measured with."""
    yield f"{platform.python_implementation()} {platform.python_version()} with the loop of {loop}"
    for distribution in DISTRIBUTIONS:
        try:
            yield f"{distribution} {version(distribution)}"
        except PackageNotFoundError:
            yield f"{distribution} not installed"


def main() -> None:
    """Measure and print."""
    ids = list(dict.fromkeys(figure.id for figure in FIGURES))
    parser = argparse.ArgumentParser(description="What the runtime's parts cost beside what one would use instead.")
    parser.add_argument("ids", nargs="*", metavar="ID", help=f"figures to measure, of {' '.join(ids)}; all by default")
    parser.add_argument("--rounds", type=int, default=15, metavar="N", help="the best of so many counts (15)")
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), default="asyncio", help="the event loop to run in")
    options = parser.parse_args()
    if unknown := set(options.ids).difference(ids):
        parser.error(f"no such figure: {', '.join(sorted(unknown))}; there are {', '.join(ids)}")
    if options.rounds < 1:
        parser.error("at least one round")
    chosen = [figure for figure in FIGURES if not options.ids or figure.id in options.ids]
    contenders = [contender for figure in chosen for contender in (figure.other, *figure.extras) if contender]
    if missing := sorted({str(contender.needs) for contender in contenders if contender.missing()}):
        print(
            f"Not installed: {', '.join(missing)}. For all contenders: pip install -r {REQUIREMENTS}", file=sys.stderr
        )
    try:
        new_loop = import_module(options.loop).new_event_loop
    except ImportError:
        parser.error(f"{options.loop} is not installed: pip install -r {REQUIREMENTS}")
    print(f"{machine()}; {', '.join(versions(options.loop))}. Best of {options.rounds}, one run.\n")
    print("| id | measure | hold | seen | |\n|---|---|---|---|---|", flush=True)
    for figure in chosen:
        for row in rows(figure, options.rounds, new_loop):
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
