"""Plain generators that drive coroutines: which are reported, which fixed, and which are left alone."""

from __future__ import annotations

from textwrap import dedent

import pytest
from cases import found, mended

from flake8_asyncpatterns.rule import Finding
from flake8_asyncpatterns.rules import RULES

RULE = [RULES["AIO402"]]
HEAD = "import asyncio\n"


def finding(code: str) -> Finding:
    [only] = found(HEAD + dedent(code), RULE)
    return only


@pytest.mark.parametrize(
    "operand",
    [
        "asyncio.sleep(1)",
        "asyncio.get_event_loop().run_in_executor(None, x)",
        "asyncio.Queue().get()",
        "asyncio.Future()",
        "g()",
        "alias()",
        "h()",
        "g() if x else asyncio.sleep(1)",
        "asyncio.wait_for(x, 1)",
    ],
)
def test_known_awaitables_make_it_certain(operand: str) -> None:
    code = f"async def g(): pass\ndef h():\n    return g()\nalias = g\ndef f(x):\n    yield from {operand}\n"
    assert finding(code).fix
    assert mended(HEAD + code, rules=RULE, unsafe=False).text.endswith(f"async def f(x):\n    await ({operand})\n") or (
        mended(HEAD + code, rules=RULE, unsafe=False).text.endswith(f"async def f(x):\n    await {operand}\n")
    )


@pytest.mark.parametrize("operand", ["x", "x()", "x.read()", "range(x)", "self.read()", "f(x)", "open(x)", "[x]"])
def test_unknown_operands_alone_are_silent(operand: str) -> None:
    assert found(f"{HEAD}def f(x):\n    yield from {operand}\n", RULE) == []


def test_one_unknown_operand_next_to_a_known_one_is_unsafe() -> None:
    only = finding("def f(x):\n    yield from asyncio.sleep(1)\n    return (yield from x.read())\n")
    assert only.fix
    assert only.fix.unsafe == "`x.read()` is not known to be awaitable"


@pytest.mark.parametrize("run", ["asyncio.run(f(1))", "asyncio.ensure_future(f(1))", "asyncio.gather(f(1), f(2))"])
def test_what_the_event_loop_runs_is_known(run: str) -> None:
    only = finding(f"def f(x):\n    return (yield from x.read())\n{run}\n")
    assert only.fix
    assert only.fix.unsafe == ""


def test_what_a_known_one_drives_is_known() -> None:
    code = """\
    def inner(x):
        return (yield from x.read())
    def outer(x):
        return (yield from inner(x))
    asyncio.run(outer(1))
    """
    assert [f.line for f in found(HEAD + dedent(code), RULE)] == [2, 4]
    assert "yield from" not in mended(HEAD + dedent(code), rules=RULE, unsafe=False).text


@pytest.mark.parametrize(
    "passed",
    ["[g, g]", "(g,)", "[*others, g]", "functions", "[g] + [g]", "list(functions)"],
)
def test_functions_that_are_passed_in_a_container(passed: str) -> None:
    code = f"""\
    async def g(x): pass
    others = [g]
    functions = [g, g]
    def connect(fs):
        def run(x):
            for f in fs:
                x = yield from f(x)
            return x
        return run
    made = connect({passed})
    """
    only = finding(code)
    assert only.line == 6
    assert only.fix
    assert "others may pass something else" in only.fix.unsafe


@pytest.mark.parametrize(
    ("parameters", "passed", "operand"),
    [
        ("f", "g", "f()"),
        ("*fs", "g, g", "fs[0]()"),
        ("a, f=None", "1, f=g", "f()"),
        ("c", "g()", "c"),
        ("*, f", "f=g", "f()"),
    ],
)
def test_what_is_passed_otherwise(parameters: str, passed: str, operand: str) -> None:
    code = f"async def g(): pass\ndef drive({parameters}):\n    yield from {operand}\nmade = drive({passed})\n"
    assert finding(code).line == 3


def test_a_function_that_is_no_coroutine_among_those_passed_is_unknown() -> None:
    code = "async def g(): pass\ndef h(): yield 1\ndef drive(f):\n    yield from f()\ndrive(g)\ndrive(h)\n"
    assert found(HEAD + code, RULE) == []


@pytest.mark.parametrize(
    "code",
    [
        "def __await__(self):\n    yield from asyncio.sleep(1)\n",
        "def __iter__(self):\n    yield from asyncio.sleep(1)\n",
        "def test_sleep(loop):\n    yield from asyncio.sleep(1)\n",
        "@pytest.fixture\ndef server():\n    yield from asyncio.sleep(1)\n",
        "def f():\n    yield from asyncio.sleep(1)\n    yield 2\n",
        "def f():\n    yield from asyncio.sleep(1)\nfor step in f(): pass\n",
        "def f():\n    yield from asyncio.sleep(1)\nlist(f())\n",
        "class A(metaclass=M):\n    def f(self):\n        yield from asyncio.sleep(1)\n",
        "def f():\n    yield from asyncio.sleep(1).__await__()\n",
    ],
)
def test_what_something_else_may_run_is_silent(code: str) -> None:
    assert found(HEAD + code, RULE) == []


def test_what_is_handed_to_something_unknown_is_refused() -> None:
    only = finding("import other\ndef f():\n    yield from asyncio.sleep(1)\nother.run(f())\n")
    assert only.fix is None
    assert only.refusal == "it is handed to `other.run` in line 5, which may iterate it"


WAITER = """
import asyncio

class Waiter:
    def __init__(self):
        self.future = asyncio.Future()

    def __await__(self):
        return {returned}

    def wait(self):
        return (yield from self.future)
"""


def test_what_await_returns_stays_an_iterator() -> None:
    made = mended(WAITER.format(returned="self.wait()"), unsafe=False).text
    assert "async def wait" in made
    assert "return self.wait().__await__()" in made


def test_what_await_may_return_stays_a_generator() -> None:
    source = WAITER.format(returned="self.wait() if self.future else iter([])")
    assert mended(source).text == source
