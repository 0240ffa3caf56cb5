"""Every example in the documentation runs and prints what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import asyncpatterns
import pytest

_OPTIONS = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL

PUBLIC = [module.name for module in pkgutil.iter_modules(asyncpatterns.__path__) if not module.name.startswith("_")]


@pytest.mark.parametrize("name", PUBLIC)
def test_the_examples_of_the_docstrings(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"asyncpatterns.{name}"), optionflags=_OPTIONS)
    assert result.attempted > 0
    assert result.failed == 0


def test_the_examples_of_the_readme() -> None:
    readme = Path(__file__).parent.parent / "README.md"
    result = doctest.testfile(str(readme), module_relative=False, optionflags=_OPTIONS, encoding="utf-8")
    assert result.attempted > 0
    assert result.failed == 0


def test_everything_public_has_a_docstring_and_is_in_all() -> None:
    assert asyncpatterns.__all__ == sorted(asyncpatterns.__all__)
    for name in asyncpatterns.__all__:
        assert name == "OnLag" or getattr(asyncpatterns, name).__doc__
