"""`asyncfix`: check, fix, graph, migrate, rule, cache.

A command imports what it needs when it runs: where a run has nothing to do, nothing is loaded for it.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from . import arguments
from .commands import FAILED, FOUND, say
from .misuse import Misuse

if TYPE_CHECKING:
    import argparse

INTERRUPTED = 128 + 2  # by SIGINT, as a shell counts


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    _prepare_streams()
    try:
        code = _run(argv)
        sys.stdout.flush()
    except Misuse as error:
        say(f"asyncfix: {error}")
        return FAILED
    except KeyboardInterrupt as interrupt:
        say("asyncfix: interrupted; no file is half written")
        return 128 + interrupt.args[0] if interrupt.args else INTERRUPTED
    except BrokenPipeError:
        _drop_output()  # whoever read it has seen enough
        return FOUND
    except OSError as error:
        with suppress(OSError):
            from .source import reason

            say(f"asyncfix: output cannot be written: {reason(error)}")
        _drop_output()
        return FAILED
    return code


def _prepare_streams() -> None:
    """Make stdout and stderr take whatever is written."""
    # Python has None for a stream that was closed before it began, and prints what is for stderr to stdout then.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: PTH123, SIM115  # devnull is a name; open until we end
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: PTH123, SIM115  # as above
    for stream in (sys.stdout, sys.stderr):
        # A file's name or a message may have characters that the terminal's encoding lacks.
        with suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # not every stream can


def _drop_output() -> None:
    """Let what is still to be written go nowhere: Python would complain about it at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _run(argv: Sequence[str] | None) -> int:
    arguments_given = sys.argv[1:] if argv is None else argv
    try:
        options = arguments.parse(arguments_given)
    except SystemExit as done:
        return int(done.code or 0)
    if options.command != "check":  # that of few files makes next to no garbage; see `runner` for many
        gc.enable()
    run: Callable[[argparse.Namespace], int] = import_module(f".commands.{options.command}", __package__).run
    return run(options)
