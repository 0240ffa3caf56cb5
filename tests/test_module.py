"""What a rule may ask of a module about variables, attributes and parameters."""

from __future__ import annotations

import ast
import weakref

import pytest
from cases import cases

from flake8_asyncpatterns.check import findings, told_by
from flake8_asyncpatterns.collector import paused
from flake8_asyncpatterns.facts import View
from flake8_asyncpatterns.module import Module
from flake8_asyncpatterns.rules import RULES

VARIABLES = """\
flag = True

def main():
    flag = True

    def stop():
        nonlocal flag
        flag = False

    def other():
        global flag
        flag = False

    print(flag)
"""

CLASSES = """\
import abc
from elsewhere import Base

class Parent(abc.ABC):
    pause = 1

    def __init__(self, pause, unit=60, *, factor=2):
        self.pause = pause

class Child(Parent, Base):
    def run(self):
        def inner():
            return self.pause
        return inner

    @staticmethod
    def other(self):
        return self.pause
"""


def named(module: Module, name: str, line: int) -> ast.Name:
    [found] = [node for node in module.nodes(ast.Name) if node.id == name and node.lineno == line]
    return found


def test_declarations_are_those_of_the_same_variable() -> None:
    module = Module.parse(VARIABLES)
    assert [type(s) for s in module.declarations(named(module, "flag", 14))] == [ast.Nonlocal]
    assert [type(s) for s in module.declarations(named(module, "flag", 1))] == [ast.Global]


def test_owner_is_the_class_of_self_also_in_functions_inside() -> None:
    module = Module.parse(CLASSES)
    owners = {a.lineno: module.owner(a) for a in module.nodes(ast.Attribute) if a.attr == "pause"}
    assert {line: owner.name if owner else None for line, owner in owners.items()} == {
        8: "Parent",
        13: "Child",
        18: None,
    }


def test_bindings_of_an_attribute_are_those_of_the_class_and_its_bases() -> None:
    module = Module.parse(CLASSES)
    [read] = [a for a in module.nodes(ast.Attribute) if a.attr == "pause" and a.lineno == 13]
    assert sorted(node.lineno for node in module.bindings(read) or ()) == [5, 8]  # type: ignore[attr-defined]  # all have a place
    [other] = [a for a in module.nodes(ast.Attribute) if a.attr == "pause" and a.lineno == 18]
    assert module.bindings(other) is None


def test_bases_say_that_one_is_in_another_file() -> None:
    module = Module.parse(CLASSES)
    child = next(c for c in module.nodes(ast.ClassDef) if c.name == "Child")
    assert {base.name if base else None for base in module.bases(child)} == {"Child", "Parent", None}


def test_defaults_of_parameters() -> None:
    module = Module.parse(CLASSES)
    defaults = {argument.arg: module.default(argument) for argument in module.nodes(ast.arg) if argument.lineno == 7}
    assert {name: d.value for name, d in defaults.items() if isinstance(d, ast.Constant)} == {"unit": 60, "factor": 2}
    assert defaults["pause"] is None


def test_the_returns_of_a_function_are_its_own_and_in_order() -> None:
    module = Module.parse(
        """
def outer(x):
    if x:
        return 1
    def inner():
        return 2
    with x:
        return lambda: 3
    for _ in x: return 4
def none(): pass
"""
    )
    outer, inner, none = sorted(module.nodes(ast.FunctionDef), key=lambda function: function.lineno)
    told = [[ast.unparse(node) for node in module.returns(function)] for function in (outer, inner, none)]
    assert told == [["return 1", "return lambda: 3", "return 4"], ["return 2"], []]


@pytest.mark.parametrize("project", [None, View()], ids=["alone", "with others"])
def test_nothing_is_left_to_the_collector(project: View | None) -> None:
    with paused():
        for case in cases():
            module = Module.parse(case.bad, project=project)
            found = findings(module, RULES.values())
            told_by(module)
            tree = weakref.ref(module.tree)
            module.release()
            del module, found
            assert tree() is None, case.name
