"""Whatever a file holds, fixing it loses nothing: programs mutilated at random, all rules, unsafe fixes too.

.venv/bin/pytest -m stress --hypothesis-profile=stress tests/test_fuzz.py
"""

from __future__ import annotations

import ast
import warnings

import pytest
from hypothesis import event, example, given, settings
from mutations import programs
from untouched import watched

from flake8_asyncpatterns.fix import Fixed, fix
from flake8_asyncpatterns.rules import RULES
from flake8_asyncpatterns.source import Unreadable, decode

# A program takes about fifty times as long as what a profile's number is meant for.
FEWER = 10


def fixed(data: bytes) -> Fixed | None:
    """What becomes of a file; None: it cannot be read, and says so."""
    try:
        return fix(decode(data), "m.py", list(RULES.values()), unsafe=True)
    except Unreadable as error:
        why = str(error)
    assert "please report" not in why
    assert "\n" not in why
    return None


def compiles(data: bytes) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(data, "m.py", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        except (SyntaxError, ValueError):
            return False
    return True


def unharmed(data: bytes) -> None:
    """Assert that fixing this file loses nothing and comes to an end."""
    with watched() as wrong:
        once = fixed(data)
    assert wrong == []
    event("no Python" if once is None else "fixed" if once.fixed else "found" if once.kept else "nothing found")
    if once is None:
        return
    assert not [kept.reason for kept in once.kept if "please report" in kept.reason]
    if once.after == data:
        return
    assert decode(once.after).encoding == decode(data).encoding
    assert compiles(once.after) or not compiles(data)
    twice = fixed(once.after)
    assert twice
    assert twice.after == once.after


@pytest.mark.stress
@settings(max_examples=settings().max_examples // FEWER)
@given(programs())
# An import that was put behind its use, between a file's first comment and its first statement.
@example(b"# coding: utf-8\nclass C:\n    pass\nimport asyncio\nasync def f(g):\n    asyncio.create_task(g())\n")
def test_whatever_a_file_holds_nothing_is_lost(data: bytes) -> None:
    unharmed(data)
