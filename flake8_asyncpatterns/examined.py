"""What comes of looking at a file. (To look at one takes far more than to know what came of it; hence two rooms.)"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .tuples import NamedTuple

if TYPE_CHECKING:
    from .facts import Facts, Question
    from .problem import Problem

# Why nothing did.
TOO_DEEP = "is nested too deeply"
# What a file asks because of an answer may be answered, and so on.
ROUNDS = 8


class Examined(NamedTuple):
    """What a file says by itself: its problems as far as the answers that were at hand tell, what it asks of the other
    files, and what it tells them (None: nobody was to know)."""

    problems: Sequence[Problem] = ()
    asked: Sequence[Question] = ()
    facts: Facts | None = None
