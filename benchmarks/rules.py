"""What each rule costs, measured side by side in one run.

    python benchmarks/rules.py [--packages NAME==VERSION … | --paths PATH …] [--rounds N]

Prints the milliseconds that parsing, the walk (`Module`), what the rules share (names, types, analyses: paid by whoever
asks first) and each rule take by itself, once what is shared is there; and each as a share of the walk. The least of
`--rounds` runs counts. Packages are fetched from the package index into a temporary folder.
"""

from __future__ import annotations

import argparse
import ast
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "corpus"))

from sources import source

from flake8_asyncpatterns.module import Module
from flake8_asyncpatterns.rule import Rule
from flake8_asyncpatterns.rules import RULES
from flake8_asyncpatterns.source import Unreadable, read

PACKAGES = ("aiohttp==3.13.2", "distributed==2026.8.0")
# A rule that takes more of the walk than this is marked, and needs a reason.
SHARE = 0.1


class Costs(NamedTuple):
    """Seconds in one run over all files."""

    parse: float
    walk: float
    shared: float
    rules: dict[str, float]


def texts(paths: list[Path]) -> Iterator[str]:
    """The text of each Python file that parses."""
    for path in paths:
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            try:
                text = read(file).text
                ast.parse(text)
            except (Unreadable, SyntaxError, ValueError):
                continue
            yield text


def run(rule: Rule, module: Module) -> float:
    """Seconds that one rule takes on one file."""
    start = time.perf_counter()
    for node in module.nodes(*rule.on):
        for _ in rule.check(node, module):
            pass
    return time.perf_counter() - start


def measure(sources: list[str]) -> Costs:
    """One run over all files."""
    parse = walk = first = 0.0
    rules = dict.fromkeys(sorted(RULES), 0.0)
    for text in sources:
        start = time.perf_counter()
        tree = ast.parse(text)
        parsed = time.perf_counter()
        module = Module(tree, text)
        walked = time.perf_counter()
        parse += parsed - start
        walk += walked - parsed
        first += sum(run(rule, module) for rule in RULES.values())
        for code in rules:
            rules[code] += run(RULES[code], module)
    return Costs(parse, walk, first - sum(rules.values()), rules)


def table(costs: list[Costs]) -> Iterator[str]:
    """The least of all runs, the dearest rule first."""
    parse, walk, shared = (min(c[i] for c in costs) for i in range(3))  # type: ignore[type-var]  # the first three are numbers
    rules = {code: min(c.rules[code] for c in costs) for code in RULES}
    rows = [("parse", parse), ("walk", walk), ("shared", shared), ("rules", sum(rules.values()))]
    yield f"{'':8}{'ms':>9}{'of the walk':>13}"
    yield from (f"{name:8}{1000 * cost:9.1f}{cost / walk:13.3f}" for name, cost in rows)
    for code, cost in sorted(rules.items(), key=lambda item: -item[1]):
        yield f"{code:8}{1000 * cost:9.1f}{cost / walk:13.3f}{'  more than a tenth' if cost > SHARE * walk else ''}"


def main() -> None:
    """Fetch, measure, print."""
    parser = argparse.ArgumentParser(description="What each rule costs, as a share of the walk.")
    parser.add_argument("--packages", nargs="*", default=PACKAGES)
    parser.add_argument("--paths", nargs="*", type=Path, default=[])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # of invalid escapes and the like in the packages
    with TemporaryDirectory() as scratch:
        paths = options.paths or [source(name, Path(scratch)) for name in options.packages]
        sources = list(texts(paths))
    lines = sum(text.count("\n") for text in sources)
    print(f"{len(sources)} files, {lines} lines, Python {sys.version.split()[0]}")
    print(*table([measure(sources) for _ in range(options.rounds)]), sep="\n")


if __name__ == "__main__":
    main()
