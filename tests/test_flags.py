"""Which flags a condition depends on, and which uses belong to one flag."""

from __future__ import annotations

import ast

import pytest

from flake8_asyncpatterns.analysis.flags import flag, identifiers, required
from flake8_asyncpatterns.analysis.freenames import free, unused
from flake8_asyncpatterns.module import Module


@pytest.mark.parametrize(
    ("condition", "when_true", "when_false"),
    [
        ("a", {"a": True}, {"a": False}),
        ("not a", {"a": False}, {"a": True}),
        ("a and not b", {"a": True, "b": False}, {}),
        ("a or b", {}, {"a": False, "b": False}),
        ("not (a or b)", {"a": False, "b": False}, {}),
        ("a is False", {"a": False}, {"a": True}),
        ("a == True and f()", {"a": True}, {}),
        ("not x.is_set()", {"x": False}, {"x": True}),
        ("a == b", {}, {}),
        ("a.b", {"a.b": True}, {"a.b": False}),
        ("True", {}, {}),
    ],
)
def test_what_a_condition_requires(condition: str, when_true: dict[str, bool], when_false: dict[str, bool]) -> None:
    expression = ast.parse(condition, mode="eval").body
    assert {ast.unparse(use): value for use, value in required(expression, True)} == when_true
    assert {ast.unparse(use): value for use, value in required(expression, False)} == when_false


SERVICE = """\
class Base:
    def __init__(self):
        self.on = False

class Service(Base):
    def start(self):
        self.on = True

class Another:
    def __init__(self):
        self.on = True

service = Service()
service.on = False
unknown().on = False
"""


def test_a_flag_is_that_of_all_related_classes_and_of_no_other() -> None:
    module = Module.parse(SERVICE)
    [use] = [a for a in module.nodes(ast.Attribute) if a.attr == "on" and a.lineno == 7]
    found = flag(use, module)
    assert found
    assert sorted(use.lineno for use in found.uses) == [3, 7, 14]
    assert [(a.statement.lineno, a.value) for a in found.assignments(module)] == [(3, False), (7, True), (14, False)]
    assert [other.lineno for other in found.doubtful] == [15]


def test_parameters_and_unknown_things_are_no_flags() -> None:
    module = Module.parse("def f(x, y):\n    return x, y.z\n")
    assert all(flag(use, module) is None for use in module.nodes(ast.Name, ast.Attribute))


def test_free_names() -> None:
    taken = identifiers(Module.parse("import a.b, c as d\ndef e(f):\n    g.h = i\n"))
    assert taken == {"a", "d", "e", "f", "g", "h", "i"}
    assert free(("a", "e", "z"), taken) == "z"


def test_a_free_name_hides_none_that_code_inside_reads_or_binds() -> None:
    code = ast.parse("def f(a):\n    global b\n    try:\n        import c.d\n    except E as e:\n        lambda g: h\n")
    assert [unused(name, code) for name in "abcegh"] == ["a_", "b_", "c_", "e_", "g_", "h_"]
    assert unused("**a", code) == "**a_"
    assert free(("f", "E"), {"f", "E"}) == ""
