"""What is taken for a test's code."""

from __future__ import annotations

import ast

import pytest

from flake8_asyncpatterns.analysis.testcode import is_test
from flake8_asyncpatterns.module import Module


def judged(source: str, path: str) -> bool:
    module = Module.parse(source, path)
    [marked] = list(module.nodes(ast.Pass))
    return is_test(marked, module)


@pytest.mark.parametrize(
    ("path", "test"),
    [
        ("tests/helpers.py", True),
        ("a/_tests/b/c.py", True),
        ("C:\\a\\tests\\c.py", True),
        ("test_a.py", True),
        ("a/b_test.py", True),
        ("a/conftest.py", True),
        ("a/testament.py", False),
        ("a/contest.py", False),
        ("latests/a.py", False),
        ("", False),
    ],
)
def test_a_file_is_judged_by_its_place_and_name(path: str, test: bool) -> None:
    assert judged("pass", path) is test


@pytest.mark.parametrize(
    ("source", "test"),
    [
        ("import pytest\npass", True),
        ("async def test_connection():\n    pass", False),
        ("import unittest\nclass A(unittest.TestCase):\n    def helper(self):\n        pass", True),
        ("import unittest.mock\ndef attest():\n    pass", False),
        ("class A(TestCase):\n    def helper(self):\n        pass", False),
    ],
)
def test_code_is_judged_by_what_it_stands_in(source: str, test: bool) -> None:
    assert judged(source, "a.py") is test


@pytest.mark.parametrize("source", ["async def test_it():\n    pass", "def test_it():\n    def inner():\n        pass"])
def test_where_the_file_is_not_known_a_name_decides(source: str) -> None:
    assert judged(source, "")
