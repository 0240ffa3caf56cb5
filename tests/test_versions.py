"""What the conditions around code say about the Python that it runs under."""

from __future__ import annotations

import ast

import pytest

from flake8_asyncpatterns.analysis.versions import is_over, reaches
from flake8_asyncpatterns.module import Module

HEAD = "import sys, asyncio\nfrom compat import PY_37 as PY, PY_37\nNEW = sys.version_info >= (3, 10)\n"


def marked(code: str) -> tuple[ast.AST, Module]:
    module = Module.parse(HEAD + code)
    [node] = [name for name in module.nodes(ast.Name) if name.id == "here"]
    return node, module


@pytest.mark.parametrize(
    "code",
    [
        "here",
        "if sys.version_info >= (3, 7): here",
        "if sys.version_info < (3, 12): pass\nelse: here",
        "if (3, 11) <= sys.version_info: here",
        "if sys.version_info[1] > 9: here",
        "if sys.version_info.major == 3: here",
        "if sys.version_info[:2] != (3, 9): here",
        "if NEW: here",
        "if not NEW and old: pass\nelse: here",
        "if sys.platform == 'win32' and NEW: here",
        "old = NEW or 1; here",
        "if sys.version_info >= limit: here",
        "if sys.version_info < (3, 10): x = 1\nhere",
        "def f():\n  if sys.version_info < (3, 10): return 1\n  return here",
        "try:\n  here\n  more()\nexcept TypeError: pass",
        "try: here\nexcept ValueError: pass",
        "def f():\n  try: return x.y\n  except AttributeError: pass\n  return here",
        "try:\n  def f(): return here\nexcept ImportError: pass",
        "if hasattr(here, 'x'): pass",
    ],
)
def test_reaches_new_pythons(code: str) -> None:
    assert reaches(*marked(code), (3, 10))
    assert not is_over(*marked(code))


@pytest.mark.parametrize(
    "code",
    [
        "if sys.version_info < (3, 10): here",
        "if sys.version_info[:2] <= (3, 9): here",
        "if (3, 10) > sys.version_info: here",
        "if not sys.version_info >= (3, 10): here",
        "if NEW: pass\nelse: here",
        "if NEW: pass\nelif other: here",
        "x = 1 if NEW else here",
        "x = {} if NEW else {'loop': here}",
        "x = not NEW and here",
        "x = NEW or here",
        "def f():\n  if NEW: return 1\n  return here",
        "def f():\n  if sys.version_info[1] >= 10:\n    return 1\n  with x:\n    return here",
        "if sys.version_info.minor == 9: here",
        "if sys.version_info[0] == 3 and sys.version_info[1] < 9: here",
        "if sys.platform == 'win32' and sys.version_info < (3, 9): here",
    ],
)
def test_does_not_reach_new_pythons(code: str) -> None:
    assert not reaches(*marked(code), (3, 10))
    assert not is_over(*marked(code))


@pytest.mark.parametrize(
    "code",
    [
        "try: x = asyncio.y\nexcept AttributeError: x = here",
        "try: x = here\nexcept (AttributeError, KeyError): x = 1",
        "if hasattr(asyncio, 'y'): x = here",
        "x = here if hasattr(asyncio, 'y') else None",
        "if PY_37: x = 1\nelse: x = here",
        "if compat.PY_37: x = 1\nelse: x = here",
        "from compat import *\ntry: x = here\nexcept AttributeError: x = 1",
        "from compat import *\nx = here if hasattr(asyncio, 'y') else None",
    ],
)
def test_what_is_tried_first_reaches_none(code: str) -> None:
    assert not reaches(*marked(code), (3, 10))
    assert not is_over(*marked(code))


@pytest.mark.parametrize(
    "code",
    [
        "if sys.version_info < (3, 7): here",
        "PY_36 = sys.version_info < (3, 7)\nif PY_36: here",
        "def f():\n  if sys.version_info >= (3, 7): return 1\n  return here",
        "if sys.version_info[0] == 2: here",
    ],
)
def test_what_is_for_old_pythons_alone_is_over(code: str) -> None:
    assert is_over(*marked(code))
    assert not reaches(*marked(code), (3, 10))
