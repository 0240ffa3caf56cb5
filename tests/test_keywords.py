"""Files that have `async` and `await` as names: read, reported and mended, with every place as it is."""

from __future__ import annotations

import ast
import codecs
import sys
from pathlib import Path

import pytest

from flake8_asyncpatterns import keywords
from flake8_asyncpatterns.check import check, parse
from flake8_asyncpatterns.cli import main
from flake8_asyncpatterns.fix import Fixed, fix
from flake8_asyncpatterns.rules import RULES
from flake8_asyncpatterns.source import Unreadable, decode

REMOVED = [RULES["AIO408"]]


def names(code: str) -> str | None:
    """The code with what is taken for a name in capitals."""
    text = keywords.stand_in(code)
    return None if text is None else text.replace("aSyNc", "ASYNC").replace("aWaIt", "AWAIT")


@pytest.mark.parametrize(
    "code",
    [
        "ASYNC = 1",
        "x.ASYNC(y)",
        "x.ASYNC.for_ = 1",
        "[x.ASYNC for x in y]",
        "[ASYNC for ASYNC in y]",
        "[x async for x in y if ASYNC]",
        "f(ASYNC=True, AWAIT=x)",
        "f(ASYNC, *AWAIT, **ASYNC)",
        "def ASYNC(x): pass",
        "class AWAIT: pass",
        "def f(ASYNC=True, *, AWAIT: int = 3): pass",
        "lambda ASYNC: ASYNC",
        "import ASYNC, x.AWAIT as AWAIT",
        "from .ASYNC import AWAIT",
        "from ASYNC import x",
        "from ASYNC.x import y",
        "from a.ASYNC import (b,\n  AWAIT)",
        "global ASYNC, AWAIT",
        "try: pass\nexcept E as ASYNC: pass",
        "@ASYNC\ndef f(): pass",
        "AWAIT(x)",
        "AWAIT[x]",
        "AWAIT - 1",
        "x = AWAIT if AWAIT else ASYNC",
        "x = not AWAIT and ASYNC or AWAIT is None",
        "ASYNC: int = 3",
        "ASYNC, AWAIT = AWAIT, ASYNC",
        "{ASYNC: AWAIT}",
        "print(AWAIT)",
        "async def f():\n  await x\n  await (y)\n  await [z]\n  return await f(ASYNC=1)\nAWAIT(x)",
        "async def f(): await (x)\nAWAIT(x)",
        "async def f():\n  async with x: pass\n  async for y in z: pass\n  x.AWAIT\nASYNC(y)",
        "async def f():\n  def g():\n    return x.ASYNC\n  await (x)\nclass A:\n  def g(self): AWAIT(x)",
        "class A:\n  async def f(self):\n    await (x)\n  def g(self):\n    return AWAIT(x)",
        "'async'; b'await'; x.ASYNC  # async await",
        '"""\nasync = 1\n"""\nASYNC = 2',
        "async_ = await_ = 1; asynchronous = ASYNC",
        "x = ASYNC \\\n  + AWAIT",
        "x = '日本' + é.ASYNC",
        "f(\n  ASYNC = 1,  # async\n\n  AWAIT = 2)",
        "if x:\n\tASYNC = 1\nelse:\n\tAWAIT = 1",
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_names_are_told_from_keywords(code: str, newline: str) -> None:
    code = code.replace("\n", newline)
    assert names(code.replace("ASYNC", "async").replace("AWAIT", "await")) == code


@pytest.mark.parametrize("code", ["async def f():\n  await x", "x = 'async'  # await", "x = 1", "async_ = 1", ""])
def test_keywords_alone_are_left(code: str) -> None:
    assert keywords.stand_in(code) is None


@pytest.mark.parametrize("code", ["async = aSyNc", "await = 'aWaIt'", "async = (", "async = '''"])
def test_what_cannot_be_told_stays_unreadable(code: str) -> None:
    assert keywords.stand_in(code) is None
    with pytest.raises(Unreadable, match="syntax error"):
        parse(code, "")


def test_another_error_is_told_as_it_was() -> None:
    with pytest.raises(Unreadable, match="line 1"):
        parse("print 'x'\nx.async = 1\n", "")


OLD = """\
import asyncio
from asyncio import async as spawn


class Job:
    "async é"

    def start(self, async=True):
        self.async = async  # async é
        return asyncio.async(self.run(), loop=self.loop), spawn(self.run())
"""


def problems(text: str) -> list[tuple[int, int, str]]:
    found = check(decode(text.encode()), "old.py", REMOVED)
    return [(p.place.line, p.place.column, p.message) for p in found]


def test_places_and_messages_are_those_of_the_file() -> None:
    keyword = "`async` is a keyword since Python 3.7, so that this file does not parse"
    gone = "`asyncio.async` is gone since Python 3.7; use `asyncio.ensure_future`"
    assert problems(OLD) == [
        (8, 21, keyword),
        (9, 9, keyword),
        (9, 22, keyword),
        (10, 16, gone),
        (10, 59, gone),
    ]
    [problem, *_] = check(decode(OLD.encode()), "old.py", REMOVED)
    assert problem.excerpt == "    def start(self, async=True):"


def test_nothing_that_is_said_has_a_stand_in() -> None:
    code = "import asyncio, time\nasync def f():\n  with x.async: time.sleep(1)\n  asyncio.sleep(1, loop=async())\n"
    said = [str(problem) for problem in check(decode(code.encode()), "old.py", RULES.values())]
    assert any("`x.async` would be held" in problem for problem in said)
    assert any("`async()` is no longer called" in problem for problem in said)
    assert not any(name in problem for problem in said for name in keywords.ORIGINALS)


def mended(data: bytes, *, unsafe: bool = False) -> Fixed:
    return fix(decode(data), "old.py", list(RULES.values()), unsafe=unsafe)


LAYOUTS = {
    "lf": lambda text: text.encode(),
    "crlf": lambda text: text.replace("\n", "\r\n").encode(),
    "cr": lambda text: text.replace("\n", "\r").encode(),
    "bom": lambda text: codecs.BOM_UTF8 + text.encode(),
    "latin": lambda text: b"# coding: latin-1\n" + text.encode("latin-1"),
    "no end": lambda text: text.rstrip("\n").encode(),
    "form feed": lambda text: b"\x0c\n" + text.encode(),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_only_what_a_fix_names_changes(layout: str) -> None:
    wanted = OLD.replace("from asyncio import async as spawn\n", "")
    wanted = wanted.replace("asyncio.async(", "asyncio.ensure_future(").replace(" spawn(", " asyncio.ensure_future(")
    done = mended(LAYOUTS[layout](OLD))
    assert done.after == LAYOUTS[layout](wanted)
    assert {one.code for one in done.fixed} == {"AIO408"}
    assert not any(name in one.message for one in done.fixed for name in keywords.ORIGINALS)
    assert [kept.problem.place.line for kept in done.kept if kept.problem.code == "AIO408"] == [
        number + (layout in ("latin", "form feed")) for number in (7, 8, 8)
    ]


def test_the_result_parses_where_no_other_name_is_left() -> None:
    done = mended(b"import asyncio\n\n@asyncio.coroutine\ndef f():\n    yield from asyncio.async(g())\n", unsafe=True)
    assert done.after == b"import asyncio\n\nasync def f():\n    await asyncio.ensure_future(g())\n"
    ast.parse(done.after)


def test_other_rules_speak_of_such_files_too() -> None:
    done = mended(b"import asyncio\nx.async = asyncio.Lock(loop=asyncio.async)\n")
    assert done.after == b"import asyncio\nx.async = asyncio.Lock()\n"


def test_strings_of_the_author_are_no_names() -> None:
    assert problems("STAND_IN = 'aSyNc'\n") == []


def test_a_name_of_the_author_stays() -> None:
    code = "import asyncio\naSyNc = asyncio.Lock(loop=None)\n"
    assert mended(code.encode()).after == b"import asyncio\naSyNc = asyncio.Lock()\n"


def test_the_command_mends_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "old.py"
    path.write_bytes(OLD.encode())
    assert main(["fix", "--isolated", "--select", "AIO408", str(path)]) == 1
    said = capsys.readouterr().err
    assert "Fixed 2 errors in 1 file, left 3." in said
    assert "aSyNc" not in said
    assert b"ensure_future(self.run(), loop=self.loop)" in path.read_bytes()
    assert b"def start(self, async=True):" in path.read_bytes()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="strings hide it before Python 3.12")
def test_names_in_f_strings_are_found() -> None:
    assert keywords.stand_in("f'{x.async}'") == "f'{x.aSyNc}'"
