"""What calls of a file may mean, by its words: never less than what they do mean."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from flake8_asyncpatterns.analysis.possible import Possible
from flake8_asyncpatterns.facts import View
from flake8_asyncpatterns.knowledge.blocking import CALLS
from flake8_asyncpatterns.module import Module
from flake8_asyncpatterns.needs import LARGE, SMALL, calls

TABLE = calls(CALLS)
FILES = sorted(Path(ast.__file__).parent.glob("*.py"))[::9]


def possible(source: str, *more: str, project: bool = False) -> Possible:
    padded = source + "\n" * SMALL
    return Possible(TABLE, Module.parse(padded, project=View() if project else None), more)


def test_a_method_is_of_a_type_that_the_file_speaks_of() -> None:
    assert "get" not in possible("def f(x):\n    x.get()\n")
    assert "get" in possible("import queue\n\ndef f(x):\n    queue.Queue().get()\n")
    assert "wait" in possible("from threading import Event\n")
    assert "fetch" in possible("", "fetch")


def test_another_file_may_know_the_type() -> None:
    assert "get" in possible("def f(x):\n    x.get()\n", project=True)
    assert "no_method_of_any" not in possible("import boto3_free\n", project=True)


def test_of_some_types_any_method_may_be_meant() -> None:
    assert "list_buckets" in possible("import boto3\n\nclient = boto3.client('s3')\n")
    assert "list_buckets" in possible("from mypy_boto3_s3 import S3Client\n", project=True)


def test_a_large_file_means_no_more_than_a_small_one() -> None:
    text = "from queue import Queue\n" + "x = 1\n" * LARGE
    assert "get" in possible(text)
    assert "list_buckets" not in possible(text)


def test_in_a_small_file_asking_takes_less_long_than_finding_out() -> None:
    assert "get" in Possible(TABLE, Module.parse("def f(x):\n    x.get()\n"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nothing_that_a_call_means_is_impossible(path: Path) -> None:
    module = Module.parse(path.read_text(encoding="utf-8"))
    may = Possible(TABLE, module)
    for call in module.nodes(ast.Call):
        if isinstance(call.func, ast.Attribute) and module.callee(call) in CALLS:
            assert call.func.attr in may
