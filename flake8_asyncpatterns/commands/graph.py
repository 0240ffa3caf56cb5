"""`asyncfix graph`: show what a coroutine reaches that blocks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from . import exit_code
from .task import configuration

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    from .. import graph
    from ..check import project

    around = project(configuration(options).settings)
    found = graph.Graph(around, graph.find(around, options.function, Path.cwd()))
    blocks = bool(found.edges[found.start])
    if blocks or options.format != "tree":
        print(*graph.FORMATS[options.format](found), sep="\n")
    else:
        print(f"{options.function} reaches nothing that is known to block.")
    return exit_code(False, blocks)
