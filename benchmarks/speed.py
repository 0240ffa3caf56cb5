"""How fast `asyncfix` is beside other tools, measured in pairs of commands in one run.

    python benchmarks/speed.py [--only WORD …] [--rounds N] [--keep DIR]

Each row runs two commands in turn, so that whatever else the machine does hits both alike; the first round of each
warms the file system's cache and does not count. What is printed is the ratio of the medians, with the least and the
greatest of the rounds' own ratios, and the seconds and the memory of each. Memory is that of all processes of a command
together, at its peak. Packages are fetched from the package index by name and version, and the other tools are
installed into an environment of their own; `--keep` keeps both for the next time.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "corpus"))

from commands import Seen, installed, run
from sources import source

from flake8_asyncpatterns.cache import VARIABLE

ROOT = Path(__file__).parents[1]
PACKAGES = {
    name.partition("==")[0]: name
    for name in (
        "homeassistant==2026.11.0", "litellm==1.110.2", "distributed==2026.8.0", "prefect==3.9.1", "aiohttp==3.14.5",
        "discord.py==2.7.1",
    )
}  # fmt: skip
TOOLS = ("ruff==0.17.6", "flake8==7.3.0", "flake8-async==26.8.1")
ROUNDS = 5
# A command that takes longer than so many seconds is run so often only.
SLOW, SELDOM = 30.0, 1

RUFF = ("check", "--isolated", "--select", "ASYNC,RUF006", "--preview", "--exit-zero", "--quiet")
OURS = ("check", "--isolated", "--exit-zero", "--quiet")

PARSE = """
import ast, gc, sys, warnings
from pathlib import Path
gc.disable()
warnings.simplefilter("ignore")
for name in Path(sys.argv[1]).read_text().splitlines():
    try:
        ast.parse(Path(name).read_bytes())
    except (SyntaxError, ValueError):
        pass
"""


class Row(NamedTuple):
    """What is measured: two commands, the goal for their ratio in words, and what is to be done before each round."""

    what: str
    against: str
    goal: str
    ours: list[str]
    theirs: list[str]
    before: Callable[[], object] = lambda: None


def measure(row: Row, rounds: int) -> str:
    """One line of the table."""
    ours: list[Seen] = []
    theirs: list[Seen] = []
    for number in range(rounds + 1):
        row.before()
        one = run(row.ours)
        other = run(row.theirs) if not (theirs and theirs[0].seconds > SLOW) else theirs[0]
        if number or other.seconds > SLOW:
            ours.append(one)
            theirs.append(other)
        if one.seconds > SLOW and len(ours) >= SELDOM + 1:
            break
    ratios = [a.seconds / b.seconds for a, b in zip(ours, theirs, strict=True)]
    a, b = (statistics.median(seen.seconds for seen in side) for side in (ours, theirs))
    memory = max(seen.memory for seen in ours) / 1e6
    often = "once" if theirs[0].seconds > SLOW else f"{len(theirs)} times"
    ratio, least, greatest = (f"{one:.{2 if one >= 0.1 else 4}f}" for one in (a / b, min(ratios), max(ratios)))
    return (
        f"| {row.what} | {row.against} | {row.goal} | {ratio} × ({least}–{greatest}) | {a:.2f} s, {memory:.0f} MB "
        f"({len(ours)} times) | {b:.2f} s ({often}) |"
    )


def rows(corpus: dict[str, Path], tools: Path, scratch: Path) -> Iterator[Row]:
    """The goals of issue 5."""
    remembered = Path(os.environ[VARIABLE])
    asyncfix = [sys.executable, "-m", "flake8_asyncpatterns"]
    ruff = str(tools / "others" / "bin" / "ruff")
    big = [str(corpus["homeassistant"]), str(corpus["litellm"])]
    warm = ["--cache-dir", str(scratch / "asyncfix")]
    ruff_warm = [ruff, *RUFF, "--cache-dir", str(scratch / "ruff"), *big]
    one_file = Path(big[0]) / "homeassistant" / "core.py"

    def edit() -> None:
        with one_file.open("a") as file:
            file.write(f"# {time.time_ns()}\n")

    alone = [*asyncfix, *OURS, "--no-cache", "--no-project"]
    yield Row("cold, each file on its own", "ruff --no-cache", "≤ 1.5 ×, then < 1",
              [*alone, *big], [ruff, *RUFF, "--no-cache", *big])  # fmt: skip
    yield Row("warm, whole program, nothing changed", "ruff, warm", "≤ 1.0 ×",
              [*asyncfix, *OURS, *warm, *big], ruff_warm)  # fmt: skip
    yield Row("the same, one file changed", "ruff, warm", "≤ 1.2 ×",
              [*asyncfix, *OURS, *warm, *big], ruff_warm, edit)  # fmt: skip
    parsed = scratch / "parsed.txt"
    middle = [str(corpus[name]) for name in ("aiohttp", "prefect", "discord.py")]
    parsed.write_text("\n".join(_parsed(middle)))
    yield Row("cold, one process, aiohttp + prefect + discord.py", "ast.parse, no gc, of the files that are parsed",
              "≤ 1.5 ×", [*alone, "-j1", *middle], [sys.executable, "-c", PARSE, str(parsed)])  # fmt: skip
    yield Row("cold, whole program", "without it", "≤ 1.6 ×",
              [*asyncfix, *OURS, "--no-cache", *middle], [*alone, *middle])  # fmt: skip
    other = [str(tools / "others" / "bin" / "flake8"), "--isolated"]
    # It remembers nothing: each of its runs is like the first.
    flake8_async = [*other, "--select", "ASYNC", "-j2", str(corpus["distributed"])]
    yield Row("cold, distributed", "flake8-async (flake8 --select ASYNC)", "≤ 0.005 ×",
              [*alone, str(corpus["distributed"])], flake8_async)  # fmt: skip
    known = [*asyncfix, *OURS, *warm, str(corpus["distributed"])]
    yield Row("warm, distributed, whole program, nothing changed", "flake8-async", "≤ 0.005 ×",
              known, flake8_async, lambda: run(known))  # fmt: skip
    bare, ours = (str(tools / kind / "bin" / "flake8") for kind in ("bare", "ours"))
    for name in ("aiohttp", "distributed"):
        same = ["--isolated", "-j1", str(corpus[name])]
        yield Row(f"flake8 with the plugin, {name}, known files", "flake8 without it", "≤ 1.05 ×",
                  [ours, *same], [bare, *same])  # fmt: skip
        yield Row(f"flake8 with the plugin, {name}, unknown files", "flake8 without it", "", [ours, *same],
                  [bare, *same], lambda: shutil.rmtree(remembered, ignore_errors=True))  # fmt: skip
    nothing = [sys.executable, "-c", "pass"]
    small = scratch / "small.py"
    small.write_text("import time\n\nasync def f():\n    time.sleep(1)\n")
    yield Row("asyncfix --help", "python -c pass", "+ 60 ms", [*asyncfix, "--help"], nothing)
    yield Row("asyncfix check, one small file", "python -c pass", "+ 60 ms",
              [*asyncfix, *OURS, *warm, str(small)], nothing)  # fmt: skip
    yield Row("the same, never seen before", "python -c pass", "", [*alone, str(small)], nothing)


def _parsed(folders: list[str]) -> Iterator[str]:
    """The files in these that some default rule may speak of."""
    from flake8_asyncpatterns.files import find
    from flake8_asyncpatterns.needs import Scan
    from flake8_asyncpatterns.rules import RULES
    from flake8_asyncpatterns.settings import NONE

    scan = Scan([rule for rule in RULES.values() if rule.default], NONE, project=False)
    for name in find(map(Path, folders), (), Path()):
        if scan.speakers(Path(name).read_bytes()):
            yield name


def environments(keep: Path) -> Path:
    """Environments: the other tools in one, and the flake8 of this one in two, with our plugin and without."""
    flake8 = f"flake8=={version('flake8')}"
    wanted = {"others": TOOLS, "bare": (flake8,), "ours": (flake8, "--editable", str(ROOT))}
    for kind, packages in wanted.items():
        installed(keep / "environments" / kind, packages)
    return keep / "environments"


def main() -> None:
    """Fetch, measure, print."""
    parser = argparse.ArgumentParser(description="How fast asyncfix is beside other tools.")
    parser.add_argument("--only", nargs="*", default=[], help="only rows with one of these words")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--keep", type=Path, help="keep packages and tools here")
    options = parser.parse_args()
    with TemporaryDirectory() as temporary:
        keep = options.keep or Path(temporary)
        corpus = {name: source(requirement, keep) for name, requirement in PACKAGES.items()}
        tools = environments(keep)
        os.environ[VARIABLE] = str(Path(temporary) / "remembered")  # what flake8 does not say itself
        print(f"{', '.join(PACKAGES.values())}; {', '.join(TOOLS)}; Python {sys.version.split()[0]}, "
              f"{len(os.sched_getaffinity(0))} processors\n")  # fmt: skip
        print("| what | against | goal | seen | asyncfix | the other |")
        print("|---|---|---|---|---|---|")
        for row in rows(corpus, tools, Path(temporary)):
            if not options.only or any(word in f"{row.what} {row.against}" for word in options.only):
                print(measure(row, options.rounds), flush=True)


if __name__ == "__main__":
    main()
