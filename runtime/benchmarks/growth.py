"""How the cost of a stream grows with its subscribers and with its backlog, beside a queue for each subscriber.

    pip install -r runtime/benchmarks/requirements.txt     # into the environment the runtime is installed in
    python runtime/benchmarks/growth.py [--rounds N] [--output FILE]

Draws both on logarithmic axes, where a cost that grows as its cause is a line of slope 1, and prints the slopes that
fit best: the exponent of the growth. Measured as the figures are (figures.py): in turns, in processor time, the best of
N rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import statistics
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import fanout
from contest import Contender, best_of
from figures import REQUIREMENTS, machine

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# In each burst to many subscribers, so that a subscriber's waking up is not all that is measured.
ITEMS = 20
SUBSCRIBERS = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000)
BACKLOG = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000)
# Below this the fixed cost of a burst hides how the rest grows.
FIT_FROM = 100
OUTPUT = Path(__file__).parents[1] / "docs" / "growth.svg"


class Growth(NamedTuple):
    """The cost of two contenders for each size."""

    title: str
    cause: str
    cost: str
    sizes: Sequence[int]
    ours: Sequence[float]
    """Seconds of processor time."""
    queues: Sequence[float]


def with_subscribers(rounds: int) -> Growth:
    """What an item costs, from publishing it until each of so many subscribers has it."""
    pairs = [
        best_of(
            rounds,
            [
                Contender("ours", partial(fanout.burst, fanout.ours, subscribers, ITEMS)),
                Contender("queues", partial(fanout.burst, fanout.queues, subscribers, ITEMS)),
            ],
            asyncio.new_event_loop,
        )
        for subscribers in SUBSCRIBERS
    ]
    ours, queues = zip(*([seconds / ITEMS for seconds in pair] for pair in pairs), strict=True)
    return Growth("One item to many subscribers", "subscribers", "seconds per item", SUBSCRIBERS, ours, queues)


def with_backlog(rounds: int) -> Growth:
    """What it costs to publish so many items before the subscriber takes the first, and then to take all."""
    pairs = [
        best_of(
            rounds,
            [
                Contender("ours", partial(fanout.burst, partial(fanout.ours, buffer=items), 1, items)),
                Contender("queues", partial(fanout.burst, partial(fanout.queues, buffer=items), 1, items)),
            ],
            asyncio.new_event_loop,
        )
        for items in BACKLOG
    ]
    ours, queues = zip(*pairs, strict=True)
    return Growth("A backlog, made and taken", "items in the backlog", "seconds", BACKLOG, ours, queues)


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """The slope of the line that fits best through the logarithms: 1 where the cost grows as the size does."""
    size_logs, cost_logs = zip(
        *((math.log(size), math.log(cost)) for size, cost in zip(sizes, seconds, strict=True) if size >= FIT_FROM),
        strict=True,
    )
    return statistics.linear_regression(size_logs, cost_logs).slope


def table(growth: Growth) -> Iterator[str]:
    """A growth in Markdown."""
    yield f"| {growth.cause} | ours, {growth.cost} | queues, {growth.cost} | ours / queues |\n|---:|---:|---:|---:|"
    for size, ours, queues in zip(growth.sizes, growth.ours, growth.queues, strict=True):
        yield f"| {size:,} | {ours:.2e} | {queues:.2e} | {ours / queues:.2f} |"
    exponents = (exponent(growth.sizes, seconds) for seconds in (growth.ours, growth.queues))
    yield "\nFrom {:,} on the cost grows as their number to the power of {:.2f} (queues: {:.2f}).\n".format(
        FIT_FROM, *exponents
    )


def draw(growths: Sequence[Growth], output: Path) -> None:
    """Draw the growths side by side into a file, the same ones into the same bytes."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "growth", "svg.fonttype": "none", "font.family": "sans-serif"})
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, len(growths), figsize=(10, 4), layout="constrained")
    for growth, panel in zip(growths, panels, strict=True):
        _draw(growth, panel)
    output.parent.mkdir(exist_ok=True)
    figure.savefig(output, metadata={"Date": None, "Creator": None})


def _draw(growth: Growth, panel: Axes) -> None:
    slope = exponent(growth.sizes, growth.ours)
    panel.loglog(growth.sizes, growth.queues, "s--", color="tab:orange", label="asyncio.Queue fan-out")
    panel.loglog(growth.sizes, growth.ours, "o-", color="tab:blue", label=f"ChangeStream (slope {slope:.2f})")
    linear = [growth.ours[-1] * size / growth.sizes[-1] for size in growth.sizes]
    panel.loglog(growth.sizes, linear, ":", color="gray", label="linear (slope 1)")
    panel.set(title=growth.title, xlabel=growth.cause, ylabel=growth.cost)
    panel.grid(visible=True, alpha=0.3)
    panel.legend()


def main() -> None:
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(description="How the cost of a stream grows with subscribers and backlog.")
    parser.add_argument("--rounds", type=int, default=10, metavar="N", help="the best of so many counts (10)")
    parser.add_argument("--output", type=Path, default=OUTPUT, metavar="FILE", help="an SVG file (%(default)s)")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("at least one round")
    growths = [with_subscribers(options.rounds), with_backlog(options.rounds)]
    print(f"{machine()}. Best of {options.rounds}, one run.\n")
    for growth in growths:
        print(*table(growth), sep="\n")
    try:
        draw(growths, options.output)
    except ImportError:
        parser.error(f"to draw, matplotlib is needed: pip install -r {REQUIREMENTS}")
    print(f"Drawn into {options.output}")


if __name__ == "__main__":
    main()
