"""Measuring side by side: contenders take turns, A B A B …, and the best of each counts."""

from __future__ import annotations

import asyncio
import gc
import math
from collections.abc import Callable, Coroutine, Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

NewLoop = Callable[[], asyncio.AbstractEventLoop]


class Contender(NamedTuple):
    """Somebody who does the work."""

    name: str
    work: Callable[[], Coroutine[Any, Any, float]]
    """Does it once and gives the seconds, or whatever is measured: less is better."""
    needs: str | None = None
    """The module that must be installed for it."""

    def missing(self) -> bool:
        """Whether that is not there."""
        return self.needs is not None and find_spec(self.needs) is None


def best_of(rounds: int, contenders: Sequence[Contender], new_loop: NewLoop) -> list[float]:
    """The least that each measured; NaN for one that is missing.

    Each round lets everyone work once, so that whatever else the machine does meets all alike. Garbage is collected
    before each work and not during it, for everyone.
    """
    best = [math.nan if contender.missing() else math.inf for contender in contenders]
    for _ in range(rounds):
        for place, contender in enumerate(contenders):
            if not contender.missing():
                best[place] = min(best[place], _measure(contender, new_loop))
    return best


def _measure(contender: Contender, new_loop: NewLoop) -> float:
    gc.collect()
    gc.disable()
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            return runner.run(contender.work())
    finally:
        gc.enable()
