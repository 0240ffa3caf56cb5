"""What the rooms of a pipeline share: what a stage was asked for, and what is told of its functions."""

from __future__ import annotations

import inspect
import reprlib
from collections.abc import Callable
from dataclasses import dataclass
from types import GeneratorType
from typing import Any, Literal

MAX_SECONDS = 0.005  # how long items are taken from a sync source before the other tasks run
BUFFER = 16  # items, where nothing else is said

Kind = Literal["map", "filter", "flat_map", "through", "batch"]


@dataclass(frozen=True, slots=True)
class Stage:
    """What a method of a pipeline was asked for."""

    kind: Kind
    name: str
    label: str
    function: Callable[..., Any] | None
    concurrency: int
    ordered: bool  # whether results have to wait for those of earlier items; one call at a time keeps the order
    limit: int  # of the items in work and waiting
    size: int
    within: float | None
    own_tasks: bool


# What a chain gives instead of an item when its reader has to wait before it asks again.
WAIT: Any = object()
# What a call in work, one without a result, and one that is no longer wanted have in the place of a result.
EMPTY: Any = object()
NOTHING: Any = object()
CUT: Any = object()


def add_note(error: BaseException, stage: Stage, item: Any) -> None:
    """Say where an exception comes from: of `EMPTY` nothing, of `NOTHING` only the stage."""
    if item is EMPTY or not isinstance(error, Exception):
        return
    where = f"in {stage.label} of the pipeline"
    if item is not NOTHING:
        try:
            where = f"{where}, with the input {reprlib.repr(item)}"
        except Exception:  # an input that cannot be shown must not hide what happened to it
            where = f"{where}, with an input of type {type(item).__name__}"
    error.add_note(where)


def is_awaitable(value: Any, plain: set[type]) -> bool:
    """Whether a result has to be awaited; remembers the types that never are."""
    kind = type(value)
    if kind in plain:
        return False
    if inspect.isawaitable(value):
        return True
    if kind is not GeneratorType:  # of which some are
        plain.add(kind)
    return False


def is_coroutine_function(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004 - its kind is asked for


def is_async_generator_function(function: Any) -> bool:
    called = getattr(function, "__call__", None)  # noqa: B004 - its kind is asked for
    return inspect.isasyncgenfunction(function) or inspect.isasyncgenfunction(called)
