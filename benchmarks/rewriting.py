"""What mending files costs, beside what libcst needs for no more than reading them and writing them back.

    python benchmarks/rewriting.py [--rounds N] [--copies N] [--keep DIR]

First, for the files that `asyncfix fix --unsafe`, or `asyncfix migrate`, changes in a package: our whole run over them
on one core (looking at them, fixes, proofs, rounds until nothing is left) against libcst's `parse_module`, positions
(`PositionProvider`, without the copy that a `MetadataWrapper` makes by default) and `.code` of the same files, in turn.
Ours does more than that has to: without `--no-project` it asks the files that these import (`--no-cache`: of which
nothing is known yet), and a migration looks at all files of its package. Seconds are those on a processor, without the
start of Python and imports.

Then, a migration of so many copies of asyncssh together, on one core and on all: seconds on the clock, and on
processors. Packages are fetched by name and version, and libcst is installed into an environment of its own; `--keep`
keeps both.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "corpus"))

from commands import environment, installed, run
from sources import source

FIXED = ("discord.py==2.7.1", "distributed==2026.8.0", "hbmqtt==0.9.6", "rasa==3.6.21")
MIGRATED = ("asyncssh==1.18.0", "hbmqtt==0.9.6")
COPIED = "asyncssh==1.18.0"
LIBCST = ("libcst==1.8.6",)
ROUNDS = 3
TO = ("--to", "3.11")

# Both print their seconds.
OURS = """
import sys, time
from flake8_asyncpatterns.cli import main
from flake8_asyncpatterns.rules import RULES
import flake8_asyncpatterns.migrate, flake8_asyncpatterns.mending
[*RULES.values()]
start = time.process_time()
main(sys.argv[1:])
print(time.process_time() - start, file=sys.stderr)
"""
THEIRS = """
import sys, time
from pathlib import Path
from libcst import parse_module
from libcst.metadata import MetadataWrapper, PositionProvider
start = time.process_time()
for name in sys.argv[1:]:
    wrapper = MetadataWrapper(parse_module(Path(name).read_bytes()), unsafe_skip_copy=True)
    wrapper.resolve(PositionProvider)
    wrapper.module.code
print(time.process_time() - start, file=sys.stderr)
"""


def seconds(command: list[str]) -> float:
    """What a command prints last."""
    ran = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True, env=environment()
    )
    return float(ran.stderr.splitlines()[-1])


def changed(command: list[str]) -> list[str]:
    """The files that a command would change, as its diff says."""
    ran = subprocess.run(
        [sys.executable, "-m", "flake8_asyncpatterns", *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return re.findall(r"^--- (.*)$", ran.stdout.decode(errors="replace"), re.MULTILINE)


def beside(what: str, command: list[str], files: list[str], python: Path, rounds: int) -> str:
    """A line of the first table."""
    pairs = [
        (seconds([sys.executable, "-c", OURS, *command]), seconds([str(python), "-c", THEIRS, *files]))
        for _ in range(rounds)
    ]
    ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratios = [a / b for a, b in pairs]
    lines = sum(Path(name).read_bytes().count(b"\n") for name in files)
    return (
        f"| {what} | {len(files)} | {lines:,} | {ours:.2f} s | {theirs:.2f} s | {ours / theirs:.2f} × "
        f"({min(ratios):.2f}–{max(ratios):.2f}) |"
    )


def ratios(keep: Path, rounds: int) -> None:
    """The first table."""
    python = installed(keep / "libcst", LIBCST) / "python"
    print("| what | changed files | lines | asyncfix | libcst | ratio |\n|---|---|---|---|---|---|")
    for name in FIXED:
        options = ["--isolated", "--quiet", "--unsafe", "--diff", "-j1"]
        files = changed(["fix", *options, str(source(name, keep))])
        for alone in (["--no-project"], ["--no-cache"], []):
            what = " ".join(["`fix --unsafe", *alone]) + f"`, {name}"
            print(beside(what, ["fix", *options, *alone, *files], files, python, rounds), flush=True)
    for name in MIGRATED:
        command = ["migrate", "--isolated", "--quiet", "--diff", "-j1", *TO, str(source(name, keep))]
        print(beside(f"`migrate`, {name}", command, changed(command), python, rounds), flush=True)


def migration(keep: Path, copies: int) -> None:
    """The second table."""
    with TemporaryDirectory() as scratch:
        for number in range(copies):
            shutil.copytree(source(COPIED, keep), Path(scratch, f"copy{number}"))
        command = [sys.executable, "-m", "flake8_asyncpatterns", "migrate", "--isolated", "--diff", *TO, scratch]
        ran = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        sites = len(re.findall(r"would be migrated", ran.stderr))
        files = sum(1 for _ in Path(scratch).rglob("*.py"))
        print(f"\n{copies} × {COPIED}: {sites:,} sites in {files} files\n")
        print("| processes | clock | processors | memory |\n|---|---|---|---|")
        for jobs in (1, len(os.sched_getaffinity(0))):
            seen = run([*command, f"-j{jobs}"])
            print(f"| {jobs} | {seen.seconds:.1f} s | {seen.busy:.1f} s | {seen.memory / 1e6:.0f} MB |", flush=True)


def main() -> None:
    """Fetch, measure, print."""
    parser = argparse.ArgumentParser(description="What mending files costs.")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--copies", type=int, default=4)
    parser.add_argument("--keep", type=Path, help="keep packages and tools here")
    options = parser.parse_args()
    with TemporaryDirectory() as temporary:
        keep = options.keep or Path(temporary)
        print(f"{LIBCST[0]}; Python {sys.version.split()[0]}, {len(os.sched_getaffinity(0))} processors\n")
        ratios(keep, options.rounds)
        migration(keep, options.copies)


if __name__ == "__main__":
    main()
