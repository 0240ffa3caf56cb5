"""How the code of a function comes to a place in it."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from flake8_asyncpatterns.analysis.reached import Places
from flake8_asyncpatterns.facts import CONDITIONAL, FAILED
from flake8_asyncpatterns.module import Module


def places(text: str) -> tuple[Places, dict[str, ast.Call]]:
    """The places in the last function of a text, and the calls in it by what they call."""
    module = Module.parse(dedent(text))
    function = max(module.nodes(ast.FunctionDef), key=lambda function: function.lineno)
    return Places(function, module), {ast.unparse(call.func): call for call in module.nodes(ast.Call)}


def test_conditions_are_told_from_the_inside_out() -> None:
    found, calls = places(
        """
        class A:
            def f(self, a, b):
                if b:
                    return
                if self.x:
                    while a is None:
                        call(other() if self.y == 1 else third())
        """
    )
    assert [(ast.unparse(test), so) for test, so in found.reached(calls["third"]).conditions] == [
        ("self.y == 1", False), ("a is None", True), ("self.x", True), ("b", False)
    ]  # fmt: skip
    assert [(when.test.kind, when.test.name, when.so) for when in found.reached(calls["call"]).when] == [
        ("is", "a", True), ("given", "b", False)
    ]  # fmt: skip
    assert found.reached(calls["call"]).own == (("self.x", True),)
    assert found.reached(calls["other"]).own == (("self.y is 1", True), ("self.y", True), ("self.x", True))


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("call()", 0),
        ("if a: call()", 0),
        ("if unknown: call()", CONDITIONAL),
        ("while True: call()", 0),
        ("unknown or call()", CONDITIONAL),
        ("if unknown: return\n    call()", 1),
        ("if unknown: raise ValueError\n    call()", 0),
        ("if a: return\n    call()", 0),
        ("try: pass\n    except ValueError:\n        if unknown: call()", FAILED),
        ("match a:\n        case 1: call()", CONDITIONAL),
    ],
)
def test_doubt_is_what_no_constant_of_a_caller_decides(text: str, doubt: int) -> None:
    found, calls = places(f"def f(a):\n    {text}")
    assert found.reached(calls["call"]).doubt == doubt


@pytest.mark.parametrize(
    ("text", "put_off"),
    [
        ("return (call() for _ in a)", True),
        ("return [*(call() for _ in a)]", False),
        ("if not loop.is_running(): call()", True),
        ("if self.is_async: return\n    call()", True),
        ("if self.colour == 'async': return\n    call()", True),
        ("if a == 'asynchronous': return\n    call()", True),
        ("if a != 'async': call()", True),
        ("if a == 'fast': return\n    call()", False),
        ("try: asyncio.get_running_loop()\n    except RuntimeError: call()", True),
        ("try: a()\n    except RuntimeError: call()", False),
    ],
)
def test_what_runs_later_or_without_a_loop_is_put_off(text: str, put_off: bool) -> None:
    found, calls = places(f"def f(a, loop, self):\n    {text}")
    assert found.reached(calls["call"]).put_off is put_off
