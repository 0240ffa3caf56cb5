"""How the cost of a check grows with what is checked: over generated files and projects, each ten times the last.

    python benchmarks/growth.py [--largest EXPONENT] [--plot FILE.svg]

Files have 10³, 10⁴, … lines of one kind of code; projects have 10², 10³, … functions that call each other from file to
file, and are checked as a whole, without a cache. For each kind the seconds are printed and the exponent that fits them
best: 1 is linear. The least of three runs counts. `--plot` (needs matplotlib) draws them.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from flake8_asyncpatterns.cli import main as asyncfix
from flake8_asyncpatterns.looking import Job, Order, look
from flake8_asyncpatterns.rules import RULES
from flake8_asyncpatterns.settings import NONE

ROUNDS = 3
CODES = tuple(code for code, rule in RULES.items() if rule.default)
HEAD = "import asyncio\nimport threading\nimport time\nimport requests\n\n"

# Each is repeated, with a number for `{0}`, until the file is as long as it is to be.
KINDS = {
    "coroutines that block": "async def f{0}(x):\n    await asyncio.sleep(x)\n    time.sleep({0})\n    return x\n\n",
    "classes with state": (
        "class C{0}:\n    def __init__(self):\n        self.lock = threading.Lock()\n        self.items = {{}}\n\n"
        "    async def put(self, key):\n        with self.lock:\n            self.items[key] = await self.get(key)\n\n"
        "    async def get(self, key):\n        for item in self.items:\n            await asyncio.sleep(item)\n"
        "        return self.items.pop(key)\n\n"
    ),
    "chains of calls": (
        "def g{0}(x):\n    return g{1}(x)\n\nasync def h{0}(x):\n    g{0}(x)\n    return requests.get(x)\n\n"
    ),
    "one long coroutine": (
        "    x{0} = asyncio.create_task(work({0}))\n    while x{0}:\n        await asyncio.sleep(1)\n"
    ),
    "one deep branch of ifs": "    if x == {0}:\n        await asyncio.sleep({0})\n",
    "tests that poll": (
        "async def test_{0}(x):\n    while not x.done:\n        await asyncio.sleep(0.1)\n    assert x\n\n"
    ),
    "callbacks": "def cb{0}():\n    loop = asyncio.get_event_loop()\n    loop.call_soon(cb{0}())\n\n",
    "strings and comments": 's{0} = """async def {0} while await time.sleep"""  # async await open( requests\n',
}
INSIDE = {"one long coroutine": "async def whole(x, work):\n", "one deep branch of ifs": "async def whole(x):\n"}


def text(kind: str, lines: int) -> bytes:
    """A file of one kind of code, of about so many lines."""
    piece = KINDS[kind]
    pieces = max(1, lines // piece.count("\n"))
    return (HEAD + INSIDE.get(kind, "") + "".join(piece.format(n, n + 1) for n in range(pieces))).encode()


def project(folder: Path, functions: int) -> None:
    """Files of twenty functions each, every one of which calls one of the next file; the last blocks."""
    folder.mkdir()
    (folder / "__init__.py").touch()
    files = max(1, functions // 20)
    for number in range(files):
        calls = f"m{number + 1}.p{{0}}(x)" if number + 1 < files and number % 20 else "requests.get(x)"
        after = f"from . import m{number + 1}\n" if number + 1 < files else ""
        pair = f"def p{{0}}(x):\n    return {calls}\n\nasync def q{{0}}(x):\n    p{{0}}(x)\n\n"
        (folder / f"m{number}.py").write_text(
            f"import requests\n{after}\n" + "".join(pair.format(n) for n in range(10))
        )


def least(run: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The seconds of processor time of the fastest of some runs."""

    def once() -> float:
        start = time.process_time()
        run()
        return time.process_time() - start

    return min(once() for _ in range(rounds))


def of_files(largest: int) -> Iterator[tuple[str, list[tuple[int, float]]]]:
    """For each kind of code, sizes in lines with seconds."""
    order = Order(CODES, NONE, project=False)
    look(order, [Job("warm.py", CODES, text("callbacks", 100))])
    for kind in KINDS:
        found = []
        for exponent in range(3, largest + 1):
            job = Job("generated.py", CODES, text(kind, 10**exponent))
            found.append((10**exponent, least(lambda job=job: look(order, [job]), ROUNDS if exponent < 6 else 1)))  # type: ignore[misc]
        yield kind, found


def of_projects(largest: int, scratch: Path) -> Iterator[tuple[str, list[tuple[int, float]]]]:
    """Projects, sizes in functions with seconds."""
    found = []
    for exponent in range(2, largest + 1):
        folder = scratch / f"p{exponent}"
        project(folder, 10**exponent)

        def check(folder: Path = folder) -> None:
            with redirect_stdout(StringIO()):
                asyncfix(["check", "--isolated", "--no-cache", "-j1", "-q", str(folder)])

        found.append((10**exponent, least(check, 1)))
    yield "projects (by functions)", found


def exponent(found: list[tuple[int, float]]) -> float:
    """The power of its size that the cost grows with, from the second size on: the first is mostly start."""
    points = [
        (math.log(size), math.log(max(seconds, 1e-6))) for size, seconds in (found[1:] if len(found) > 2 else found)
    ]
    x, y = (sum(axis) / len(points) for axis in zip(*points, strict=True))
    return sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)


def draw(found: dict[str, list[tuple[int, float]]], to: Path) -> None:
    """The plot, on logarithmic axes."""
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "growth"  # the same file for the same numbers
    figure, axes = plt.subplots(figsize=(7, 4.5))
    for kind, points in found.items():
        axes.loglog(*zip(*points, strict=True), marker="o", markersize=3, label=f"{kind}: n^{exponent(points):.2f}")
    axes.set_xlabel("lines of a file, or functions of a project")
    axes.set_ylabel("seconds of one processor")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(to, metadata={"Date": None})


def main() -> None:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(description="How the cost of a check grows with what is checked.")
    parser.add_argument("--largest", type=int, default=6, help="files of up to 10 to this power of lines (default: 6)")
    parser.add_argument("--plot", type=Path, help="draw an SVG")
    options = parser.parse_args()
    found = {}
    with TemporaryDirectory() as scratch:
        for name, points in chain(of_files(options.largest), of_projects(options.largest - 1, Path(scratch))):
            found[name] = points
            seconds = ", ".join(f"{size:,}: {cost:.3f} s" for size, cost in points)
            if options.plot:
                draw(found, options.plot)
            print(f"{name:24} n^{exponent(points):.2f}   {seconds}", flush=True)


if __name__ == "__main__":
    main()
