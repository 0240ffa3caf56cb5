"""What a call blocks on, as far as the tables and the project's settings know."""

from __future__ import annotations

import ast
from typing import NamedTuple

from .knowledge.blocking import CALLS, NEVER, Argument, Blocking
from .module import Module

CONFIGURED = Blocking("AIO115")


class Blocks(NamedTuple):
    """A call that holds up whoever makes it: the qualified name of what is called, and what the tables say of it."""

    name: str
    entry: Blocking

    @property
    def code(self) -> str:
        """The code of the rule that speaks of such calls."""
        return self.entry.code


def blocks(call: ast.Call, module: Module) -> Blocks | None:
    """What a call blocks on; None: it does not, or nobody knows. Asked of calls in plain functions, too.

    A call that is awaited gives something to await, and does not block.
    """
    name = module.callee(call)
    if name is None or name in module.settings.not_blocking or isinstance(module.parent(call), ast.Await):
        return None
    if name in module.settings.blocking:
        return Blocks(name, CONFIGURED)
    entry = CALLS.get(name)
    if entry is None and name not in NEVER:
        entry = CALLS.get(f"{name.rpartition('.')[0]}.*")
    if entry is None or any(_is(argument, call) for argument in entry.unless):
        return None
    if entry.given is not None and not _is(entry.given, call):
        return None
    return Blocks(name, entry)


def _is(wanted: Argument, call: ast.Call) -> bool:
    """Does a call have this argument (with one of the wanted values, if there are any)?"""
    value = argument(wanted, call)
    if value is None:
        return False
    if isinstance(value, ast.Constant):
        known = [type(value.value) is type(v) and value.value == v for v in wanted.values]
        return any(known) if known else value.value is not None
    return not wanted.values


def argument(wanted: Argument, call: ast.Call) -> ast.expr | None:
    """The value that a call gives an argument; None: it gives none, or one that cannot be seen."""
    by_name = (keyword.value for keyword in call.keywords if keyword.arg == wanted.keyword and wanted.keyword)
    found = next(by_name, None)
    if found is not None or wanted.position < 0 or len(call.args) <= wanted.position:
        return found
    if any(isinstance(before, ast.Starred) for before in call.args[: wanted.position + 1]):
        return None
    return call.args[wanted.position]
