"""What a handler for a cancellation may look like, beyond the fixtures."""

from __future__ import annotations

import ast

import pytest
from cases import codes, mended

from flake8_asyncpatterns.analysis.cancellation import path
from flake8_asyncpatterns.module import Module
from flake8_asyncpatterns.rules import RULES

RULE = RULES["AIO305"]


def coroutine(body: str) -> str:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"import asyncio\nimport contextlib\nasync def f(work, log, task):\n{lines}"


FOUND = {
    "a one-line handler": "try: await work()\nexcept: pass",
    "a tuple": "try:\n    await work()\nexcept (OSError, BaseException):\n    pass",
    "a handler that does not end the endless loop": (
        "while True:\n    try:\n        await work()\n    except asyncio.CancelledError:\n        log('no')"
    ),
    "a comprehension that awaits": "try:\n    print([x async for x in work])\nexcept:\n    pass",
    "an inner handler lets it pass": (
        "try:\n    try:\n        await work()\n    except OSError:\n        pass\nexcept:\n    log('no')"
    ),
    "it has another cancelled": (
        "asyncio.get_running_loop().call_later(5, task.cancel)\nfound = []\nwhile True:\n"
        "    try:\n        found.append(await work())\n    except asyncio.CancelledError:\n        break\n"
        "log(found)\nreturn found"
    ),
    "the exception is only told of": "try:\n    await work()\nexcept BaseException as e:\n    log(f'{e}')",
}
SILENT = {
    "the inner handler has it": (
        "try:\n    try:\n        await work()\n    except asyncio.CancelledError:\n        return\n"
        "except:\n    log('no')"
    ),
    "a nested function awaits": "try:\n    async def g():\n        await work()\nexcept:\n    pass",
    "an exception of the file": "class CancelledError(Exception):\n    pass\ntry:\n    await work()\n"
    "except CancelledError:\n    pass\nawait work()",
    "errors are caught before": (
        "try:\n    await work()\nexcept Exception:\n    log('no')\nexcept BaseException:\n    log('over')"
    ),
    "a loop over clean-ups, then a raise": (
        "try:\n    await work()\nexcept BaseException:\n    for step in log:\n"
        "        with contextlib.suppress(BaseException):\n            await step()\n    raise"
    ),
    "it cancels by itself": "try:\n    await work()\nexcept:\n    task.cancel()",
    "it has itself cancelled": (
        "me = asyncio.current_task()\nasyncio.get_running_loop().call_later(5, me.cancel)\nfound = []\nwhile True:\n"
        "    try:\n        found.append(await work())\n    except asyncio.CancelledError:\n        break\n"
        "log(found)\nreturn found"
    ),
    "a handler that decides": (
        "while True:\n    try:\n        await work()\n    except asyncio.CancelledError:\n"
        "        if log.over:\n            return"
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_found(name: str) -> None:
    assert codes(coroutine(FOUND[name]), [RULE]) == ["AIO305"]


@pytest.mark.parametrize("name", SILENT)
def test_silent(name: str) -> None:
    assert codes(coroutine(SILENT[name]), [RULE]) == []


def test_nothing_is_said_under_another_event_loop() -> None:
    assert codes("import trio\nasync def f():\n    try:\n        await g()\n    except:\n        pass\n") == []


def test_a_bare_except_gets_its_type_wherever_it_stands() -> None:
    source = coroutine("try: await work()\nexcept : pass  # whatever")
    assert mended(source, rules=[RULE]).text == source.replace("except :", "except Exception :")


def test_a_shadowed_exception_is_left() -> None:
    source = "Exception = ValueError\n" + coroutine("try:\n    await work()\nexcept:\n    pass")
    assert mended(source, rules=[RULE]).text == source


@pytest.mark.parametrize(
    ("code", "passed", "ending"),
    [
        ("try:\n    a\nexcept E:\n    b\nelse:\n    c\nfinally:\n    d\ne", "b d e", "FunctionDef"),
        ("while x:\n    try:\n        a\n    except E:\n        b\n        break\n    c\nd\nreturn 1", "b d", "Return"),
        ("for x in y:\n    try:\n        a\n    except E:\n        b\n    c\nd", "b c", "For"),
        (("if x:\n    with y:\n        try:\n            a\n        except E:\n            b\n        c\n"
         "else:\n    d\nraise e"), "b c", "Raise"),
        ("try:\n    try:\n        a\n    except E:\n        b\n    c\nexcept F:\n    d\nelse:\n    e", "b c e",
         "FunctionDef"),
        ("for x in y:\n    pass\nelse:\n    try:\n        a\n    except E:\n        b\nc", "b c", "FunctionDef"),
    ],
)  # fmt: skip
def test_a_path_goes_where_control_goes(code: str, passed: str, ending: str) -> None:
    module = Module.parse("def f():\n" + "".join(f"    {line}\n" for line in code.splitlines()))
    handler = next(h for h in module.nodes(ast.ExceptHandler) if ast.unparse(h.body[0]) == "b")
    found = path(handler.body, handler, module)
    assert [ast.unparse(statement) for statement in found.passed] == passed.split()
    assert type(found.ending).__name__ == ending
