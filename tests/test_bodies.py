"""Functions in bytes: never less than what the parser says stands in them."""

from __future__ import annotations

import ast
import asyncio
import warnings
from pathlib import Path

import pytest

from flake8_asyncpatterns.bodies import bare
from flake8_asyncpatterns.needs import Text

OURS = sorted(Path(__file__).parents[1].glob("runtime/**/*.py"))
LIBRARY = sorted(Path(asyncio.__file__).parent.glob("*.py"))
TRICKY = '''
import asyncio

def plain():
    """async def not_this(): '"""
    return "#", 'it\\'s', "\\\\", b"""
async def nor_this():
    hidden()
"""

class C:
    async def method(self, x=(1,
2)):
        first("async def no(): nothing()")  # async def comment(): no()
        text = f"""
def looks_like_one():
    {inside(x)}
"""
        def inner():
            second()
        third(text, """
def neither():
""")

    @property
    def after(self):
        return not_in_a_coroutine()

async def ｗide(): fourth()
'''


def names(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[bytes]:
    """All names in a function; its decorators run around it."""
    nodes = [n for part in (function.args, *function.body) for n in ast.walk(part)]
    said = [getattr(n, "id", getattr(n, "attr", None)) for n in nodes if isinstance(n, (ast.Name, ast.Attribute))]
    return {name.encode() for name in said if name}


@pytest.mark.parametrize("path", [*OURS, *LIBRARY], ids=lambda path: path.stem)
def test_all_that_coroutines_say_is_in_their_code(path: Path) -> None:
    check(path.read_text(encoding="utf-8"))


def check(source: str) -> None:
    text, tree = Text(source.encode()), ast.parse(source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ast.parse(text.code.data)
    plain = text.plain_functions
    for function in ast.walk(tree):
        if isinstance(function, ast.AsyncFunctionDef):
            assert names(function) <= text.coroutines.words
        elif isinstance(function, ast.FunctionDef):
            assert any(name == function.name.encode() and names(function) <= body.words for name, body in plain)


def test_strings_and_comments_are_no_code() -> None:
    check(TRICKY)
    text = Text(TRICKY.encode())
    said = {b"first", b"second", b"third", b"fourth", b"inside", b"inner"}
    assert said <= text.coroutines.words
    assert not {b"hidden", b"nothing", b"no", b"neither", b"not_in_a_coroutine", b"plain"} & text.coroutines.words
    assert text.classes == {b"C"}
    assert [name for name, _ in text.plain_functions] == [b"plain", b"inner", b"after"]


def test_a_plain_function_may_be_decorated_to_be_a_coroutine_function() -> None:
    text = Text(b"import asyncio\n\n@asyncio.coroutine\ndef f():\n    yield from g()\n")
    assert b"g" in text.coroutines.words


def test_code_is_left_where_it_stands_between_strings() -> None:
    assert bare(b"""x = "a" + f'{b("c")}' + '''d''' # e""") == b"x = '' + f'{b(\"c\")}' + '' "
