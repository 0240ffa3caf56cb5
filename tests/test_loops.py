"""What is known of a loop, and that the fixes for endless and long ones help: the turns of another task are counted."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import math
import textwrap
from typing import Any

import pytest
from cases import codes, found, mended

from flake8_asyncpatterns.analysis.loops import nest, number, rounds
from flake8_asyncpatterns.module import Module
from flake8_asyncpatterns.rules import RULES

LOOPS = [RULES["AIO111"], RULES["AIO112"]]


class Enough(Exception):
    """Ends a loop that nothing else would end."""


def after(limit: int) -> Any:
    """A function that can be called so many times; then it raises."""
    left = iter(range(limit))

    def step(*_: object) -> None:
        if next(left, None) is None:
            raise Enough

    return step


class Spins(int):
    """A counter that gives up at a thousand, so that a test of a loop without an end has one."""

    def __add__(self, other: int) -> Spins:
        if self >= 1_000:
            raise Enough
        return Spins(int(self) + other)


def turns(source: str, *arguments: object) -> int:
    """How many turns another task gets while `source`'s coroutine function `run` runs."""
    counted = 0

    async def heartbeat() -> None:
        nonlocal counted
        while True:
            await asyncio.sleep(0)
            counted += 1

    async def main() -> None:
        heart = asyncio.create_task(heartbeat())
        await asyncio.sleep(0)
        names: dict[str, Any] = {}
        exec(compile(source, "example.py", "exec"), names)
        with contextlib.suppress(Enough):
            await names["run"](*arguments)
        heart.cancel()

    asyncio.run(main())
    return counted


def flawed(source: str) -> str:
    source = textwrap.dedent(source)
    assert len(codes(source, LOOPS)) == 1
    return source


def test_a_loop_without_an_end_lets_others_run_after_the_fix() -> None:
    source = flawed("""
        async def run(step):
            while True:
                step()
    """)
    assert turns(source, after(50)) == 0
    assert turns(mended(source).text, after(50)) == 51


def test_a_loop_that_waits_for_another_task_comes_to_an_end_after_the_fix() -> None:
    source = flawed("""
        import asyncio

        async def run(spins):
            ready = False

            async def get_ready():
                nonlocal ready
                for _ in range(20):
                    await asyncio.sleep(0)
                ready = True

            task = asyncio.create_task(get_ready())
            while not ready:
                spins = spins + 1
            await task
    """)
    assert turns(source, Spins()) == 0
    assert turns(mended(source).text, Spins()) >= 20


FLAG = """
import asyncio, signal, threading, other

class A({base}):
    def __init__(self):
        self.ready = False

    async def start(self):
        self.ready = True

    {method}

    async def wait(self, other):
        while {condition}:
            {body}
"""


@pytest.mark.parametrize(
    "condition", ["not self.ready", "self.ready == 0", "self.ready is False and not other is None"]
)
@pytest.mark.parametrize("body", ["pass", "n = 1", "n += self.ready", "print('waiting', len('x'))"])
@pytest.mark.parametrize("base", ["object", "asyncio.Protocol"])
def test_a_loop_that_waits_for_another_task_is_found(condition: str, body: str, base: str) -> None:
    assert codes(FLAG.format(base=base, method="", condition=condition, body=body)) == ["AIO111"]


@pytest.mark.parametrize(
    "change",
    [
        {"base": "other.Base"},
        {"method": "def stop(self): self.ready = True"},
        {"method": "def stop(other): other.owner.ready = True"},
        {"method": "ready = other.Descriptor()"},
        {"condition": "0"},
        {"condition": "not self.unknown"},
        {"condition": "not self.ready or other"},
        {"condition": "not self.ready or other.ready"},
        {"condition": "not self.ready or other()"},
        {"condition": "(n := self.ready)"},
        {"body": "self.ready = 1"},
        {"body": "other()"},
        {"body": "other.x = 1"},
        {"body": "other[0] = 1"},
        {"body": "n = other[0]"},
        {"body": "n = other.x"},
        {"body": "del other"},
        {"body": "await other"},
        {"body": "yield"},
        {"body": "break"},
    ],
    ids=str,
)
def test_a_loop_that_something_else_may_end_is_not_found(change: dict[str, str]) -> None:
    plain = {"base": "object", "method": "", "condition": "not self.ready", "body": "pass"}
    assert codes(FLAG.format(**(plain | change)), LOOPS) == []


@pytest.mark.parametrize(
    ("register", "expected"),
    [
        ("asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)", ["AIO111"]),
        ("asyncio.get_running_loop().call_later(5, stop)", ["AIO111"]),
        ("signal.signal(signal.SIGTERM, stop)", []),
        ("threading.Thread(target=stop).start()", []),
        ("other(stop)", []),
        ("asyncio.get_running_loop().call_later(5, stop); other(stop)", []),
        ("pass", []),
    ],
)
def test_who_changes_a_variable_decides(register: str, expected: list[str]) -> None:
    source = f"""
import asyncio, signal, threading

async def run(other):
    running = True
    def stop(*_):
        nonlocal running
        running = False
    {register}
    while running:
        pass
"""
    assert codes(source, LOOPS) == expected


@pytest.mark.parametrize(
    ("loops", "expected"),
    [
        ("for i in range(10**6): step()", 100),
        ("for i in range(5, 10**6 + 5):\n        step()", 100),
        ("for i in range(7, 3 * 10**6 + 7, 3):\n        step()", 100),
        ("for i in range(10**6, 0, -1):\n        step()", 100),
        ("for i in range(3 * 10**6, 0, -3):\n        step()", 100),
        ("for i in range(1_000):\n        for j in range(1_000):\n            step()", 100),
        ("for i in range(4):\n        for j in range(250_000):\n            step()", 100),
        ("for i in range(40):\n        for j in range(25_000):\n            step()", 40),
        ("for i in range(2):\n        step()\n        for j in range(500_000): step()", 100),
    ],
)
def test_a_long_loop_hands_over_every_ten_thousand_steps_after_the_fix(loops: str, expected: int) -> None:
    source = flawed(f"async def run(step):\n    {loops}\n")
    assert turns(source, int) == 0
    assert turns(mended(source).text, int) == pytest.approx(expected, abs=1)


@pytest.mark.parametrize(
    ("iterable", "expected"),
    [
        ("itertools.count()", 6),
        ("itertools.count(3)", 5),
        ("itertools.count(start=1, step=2)", 6),
        ("itertools.cycle('ab')", 50_001),
        ("itertools.repeat(0)", 50_001),
    ],
)
def test_an_endless_iterator_hands_over_after_the_fix(iterable: str, expected: int) -> None:
    source = flawed(f"import itertools\n\nasync def run(step):\n    for i in {iterable}:\n        step()\n")
    assert turns(source, after(50_000)) == 0
    assert turns(mended(source).text, after(50_000)) == expected


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("[step() for i in range(10**6)]", "a comprehension"),
        ("sum(i for i in range(10**6))", "a comprehension"),
        ("{a: b for a in range(1_000) for b in range(1_000)}", "a comprehension"),
        ("for i in range(2): rows = [step() for i in range(10**6)]", "a comprehension"),
        ("for pair in itertools.product(range(1_000), range(1_000)): step()", "counts its rounds"),
        ("for self.i in range(10**6): step()", "counts its rounds"),
    ],
)
def test_where_there_is_no_place_for_a_hand_over_the_reason_is_given(code: str, reason: str) -> None:
    [finding] = found(f"import itertools\n\nasync def run(self, step):\n    {code}\n", LOOPS)
    assert finding.rule.code == "AIO112"
    assert finding.fix is None
    assert reason in finding.refusal


def test_a_body_on_the_loops_own_line_stays_there_or_moves_below() -> None:
    before = "import asyncio\n\nasync def run(step):\n    while True: step()\n    for i in range(10**6): step()  # on\n"
    assert mended(before, rules=LOOPS).text == (
        "import asyncio\n\nasync def run(step):\n    while True: await asyncio.sleep(0); step()\n"
        "    for i in range(10**6):\n        if i % 10_000 == 0:\n            await asyncio.sleep(0)\n"
        "        step()  # on\n"
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("10**7", 10_000_000),
        ("1_000 * N", 3_000_000),
        ("-int(2.5e3) // 2", -1_250),
        ("1 << 20", 1 << 20),
        ("A", 1),
        ("B % 2", 0),
        ("M", None),
        ("unknown", None),
        ("LOOP", None),
        ("10**10**10", None),
        ("1 / 0", None),
        ("1.5 << 2", None),
        ("'a' * 3", None),
        ("True", None),
        ("int(1e999)", None),
    ],
)
def test_numbers(expression: str, expected: float | None) -> None:
    module = Module.parse(
        f"N = 3_000\nM = 1\nM += 1\nA, B = 1, 2\nLOOP = LOOP + 1\nx = {expression}\n",
    )
    value = module.tree.body[-1].value  # type: ignore[attr-defined]  # the last statement is an assignment
    assert number(value, module) == expected


@pytest.mark.parametrize(
    ("iterable", "expected"),
    [
        ("range(10)", 10),
        ("range(2, 10, 3)", 3),
        ("range(10, 0, -4)", 3),
        ("range(10, 0)", 0),
        ("range(2**70)", 2**70),
        ("range(1, 2, 0)", None),
        ("range(*a)", None),
        ("NUMBERS", 5),
        ("reversed(range(7))", 7),
        ("enumerate([1, 2, 3])", 3),
        ("[1, *a]", None),
        ("'abc'", 3),
        ("[0] * 4", 4),
        ("itertools.count()", math.inf),
        ("itertools.cycle([])", 0),
        ("itertools.repeat(1)", math.inf),
        ("itertools.repeat(1, 9)", 9),
        ("itertools.repeat(1, times=9)", 9),
        ("itertools.repeat(1, times=n)", None),
        ("itertools.islice(itertools.count(), 9)", 9),
        ("itertools.islice(a, 9)", None),
        ("zip(range(4), itertools.count())", 4),
        ("zip(a, itertools.count())", None),
        ("map(str, range(4))", 4),
        ("itertools.product(range(4), range(5))", 20),
        ("itertools.product(range(4), repeat=3)", 64),
        ("itertools.product(itertools.count(), [])", None),
        ("iter(int, 1)", None),
        ("iter(range(3))", 3),
        ("filter(None, range(3))", None),
    ],
)
def test_rounds(iterable: str, expected: float | None) -> None:
    module = Module.parse(f"import itertools\nNUMBERS = range(5)\nx = {iterable}\n")
    assert rounds(module.tree.body[-1].value, module) == expected  # type: ignore[attr-defined]  # an assignment


@pytest.mark.parametrize(
    ("loop", "expected"),
    [
        ("for a in range(10):\n for b in range(10): pass", 100),
        ("for a in range(10):\n for b in range(10): pass\n for c in range(5): pass", 150),
        ("for a in range(10):\n if a: continue\n for b in range(10): pass", 10),
        ("for a in range(10):\n if a:\n  for b in range(10): pass", 10),
        ("for a in range(10):\n with open(a):\n  for b in range(10): pass", 100),
        ("for a in range(10):\n for b in range(10): break", 10),
        ("for a in range(10):\n x = a and [b for b in range(10)]", 10),
        ("for a in range(10):\n x = sum(b for b in range(10))", 100),
        ("for a in range(10):\n x = (b for b in range(10))", 10),
        ("for a in range(10):\n for b in range(10): return", None),
        ("for a in range(10):\n yield", None),
        ("for a in range(10):\n await a", None),
        ("[[b for b in range(5)] for a in range(10)]", 50),
        ("[0 for a in range(10) for b in range(5)]", 50),
        ("[0 for a in range(10) if a for b in range(5)]", 10),
        ("[[b for b in range(5)] for a in range(10) if a]", 10),
        ("[0 for a in range(10) for b in a]", 10),
        ("[0 for a in b for b in range(10)]", None),
        ("any(0 for a in range(10))", None),
        ("list(0 for a in range(10))", 10),
        ("','.join(0 for a in range(10))", 10),
    ],
)
def test_steps(loop: str, expected: float | None) -> None:
    module = Module.parse("async def f():\n" + textwrap.indent(loop, " "))
    outmost = min(
        module.nodes(ast.For, ast.ListComp, ast.GeneratorExp),
        key=lambda node: (node.lineno, node.col_offset),
    )
    measured = nest(outmost, module)
    assert (measured.steps if measured else None) == expected
