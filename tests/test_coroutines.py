"""What is known of coroutines: the table against the Python that runs, and what a call of the file's own gives."""

from __future__ import annotations

import ast
import asyncio
import inspect
import textwrap

import pytest
from cases import codes, found, mended

from flake8_asyncpatterns.analysis.coroutines import given_by
from flake8_asyncpatterns.analysis.fates import end, is_deliberate
from flake8_asyncpatterns.knowledge import asynchronous
from flake8_asyncpatterns.knowledge.coroutines import ASYNCIO
from flake8_asyncpatterns.knowledge.names import SAME_TYPE
from flake8_asyncpatterns.module import Module
from flake8_asyncpatterns.rules import RULES

CLASSES = {
    f"asyncio.{name}": cls for name, cls in vars(asyncio).items() if inspect.isclass(cls) and not name.startswith("_")
} | {"asyncio.subprocess.Process": asyncio.subprocess.Process}


def resolve(name: str) -> object:
    found: object = asyncio
    for part in name.split(".")[1:]:
        found = getattr(found, part)
    return found


def of_this_python() -> set[str]:
    functions = {f"asyncio.{name}" for name, f in vars(asyncio).items() if inspect.iscoroutinefunction(f)}
    methods = {
        f"{SAME_TYPE.get(name, name)}.{method}"
        for name, cls in CLASSES.items()
        for method, function in inspect.getmembers(cls, inspect.iscoroutinefunction)
        if not method.startswith("_")
    }
    return functions | methods


def test_every_coroutine_of_asyncio_is_in_the_table() -> None:
    assert of_this_python() - ASYNCIO == set()


def test_every_name_in_the_table_is_a_coroutine_function() -> None:
    # A condition gets its lock's `acquire` when it is made.
    assert ASYNCIO - of_this_python() == {"asyncio.Condition.acquire"}
    assert inspect.iscoroutinefunction(asyncio.Condition().acquire)


@pytest.mark.parametrize("name", sorted(n for n in asynchronous.MANAGERS if n.startswith("asyncio.")))
def test_asynchronous_managers_cannot_be_entered_otherwise(name: str) -> None:
    assert hasattr(resolve(name), "__aenter__")
    assert not hasattr(resolve(name), "__enter__")


def test_streams_can_be_iterated_over_in_coroutines_only() -> None:
    assert hasattr(asyncio.StreamReader, "__aiter__")
    assert not hasattr(asyncio.StreamReader, "__iter__")


def last_call(source: str) -> tuple[ast.Call, Module]:
    """The outermost call of the last statement."""
    module = Module.parse(textwrap.dedent(source))
    statement = max(module.nodes(ast.Expr), key=lambda node: node.lineno)
    assert isinstance(statement.value, ast.Call)
    return statement.value, module


DECORATED = """
    import abc, asyncio, functools, types, typing
    from somewhere import unknown

    def runs(function):
        def run(*args):
            return asyncio.ensure_future(function(*args))
        return run

    def retried(times):
        def decorate(function):
            @functools.wraps(function)
            async def again(*args):
                for _ in range(times):
                    await function(*args)
            return again
        return decorate

    {decorators}
    {definition}

    f()
"""


@pytest.mark.parametrize(
    ("decorators", "definition", "kind"),
    [
        ("", "async def f(): pass", "coroutine"),
        ("", "async def f(): yield", "async generator"),
        ("", "def f(): yield from asyncio.sleep(1)", "generator"),
        ("", "def f(): yield 1", None),
        ("", "def f(): return asyncio.sleep(1)", "coroutine"),
        ("", "def f():\n        if unknown: return None\n        return asyncio.sleep(1)", None),
        ("", "def f() -> 'typing.Coroutine[int, int, int]': return unknown()", "coroutine"),
        ("", "def f() -> typing.Awaitable[int]: return unknown()", None),
        ("@unknown", "async def f(): pass", None),
        ("@runs", "async def f(): pass", None),
        ("@retried(3)", "async def f(): pass", "coroutine"),
        ("@retried(3)", "def f(): pass", "coroutine"),
        ("@unknown\n    @retried(3)", "async def f(): pass", None),
        ("@retried(3)\n    @unknown", "async def f(): pass", "coroutine"),
        ("@abc.abstractmethod", "async def f(): pass", "coroutine"),
        ("@functools.lru_cache", "async def f(): pass", None),
        ("@asyncio.coroutine", "def f(): yield from asyncio.sleep(1)", "generator coroutine"),
        ("@asyncio.coroutine", "def f(): pass", "generator coroutine"),
        ("@types.coroutine", "def f(): yield", "generator coroutine"),
        ("@types.coroutine", "def f(): pass", None),
    ],
)
def test_decorators_decide_what_a_call_gives(decorators: str, definition: str, kind: str | None) -> None:
    assert given_by(*last_call(DECORATED.format(decorators=decorators, definition=definition))) == kind


METHODS = '''
    class Base:
        async def close(self): pass
        def flush(self): pass
        async def both(self): pass
        async def stub(self): raise NotImplementedError
        async def protocol(self):
            """What others do."""
            ...

    class Mine(Base):
        def __init__(self):
            self.given = print

        async def given(self): pass
        async def stop(self): pass

        async def run(self):
            {call}

    class Yours(Mine):
        async def stop(self): pass
        def both(self): pass
'''


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ("self.close()", "coroutine"),
        ("super().close()", "coroutine"),
        ("self.flush()", None),
        ("self.stop()", "coroutine"),
        ("self.both()", None),
        ("self.given()", None),
        ("self.other()", None),
        ("self.stub()", None),
        ("self.protocol()", None),
        ("Mine().close()", "coroutine"),
    ],
)
def test_methods_are_those_of_the_class_and_its_relatives(call: str, kind: str | None) -> None:
    assert given_by(*last_call(METHODS.format(call=call))) == kind


def test_libraries_of_the_days_of_asyncio_coroutine_were_others() -> None:
    old = """
    import asyncio, aiohttp

    @asyncio.coroutine
    def f(): yield from asyncio.sleep(1)

    def g(session: aiohttp.ClientSession):
        session.close()
    """
    assert given_by(*last_call(old)) is None
    assert given_by(*last_call(old.replace("@asyncio.coroutine", ""))) == "coroutine"


@pytest.mark.parametrize(
    ("code", "fate"),
    [
        ("f()", "dropped"),
        ("f(), g", "dropped"),
        ("g and f()", "dropped"),
        ("f() if g else None", "dropped"),
        ("[f() for _ in g]", "dropped"),
        ("x = f()", "dropped"),
        ("x = f()\n    x.result", "misused"),
        ("x = f()\n    g(x)", None),
        ("x = f()\n    del x", None),
        ("x = f()\n    x = g()\n    x.result", None),
        ("x = f()\n    return locals()", None),
        ("x = f()\n    if x: await x", None),
        ("if f(): pass", "tested"),
        ("f() and g", "tested"),
        ("f() == 1", "tested"),
        ("all(f() for _ in g)", "tested"),
        ("g([f()])", None),
        ("g(f())", None),
        ("print(f())", "misused"),
        ("f'{f()}'", "misused"),
        ("'{}'.format(f())", "misused"),
        ("f()['key']", "misused"),
        ("f().close()", None),
        ("f().json()", "misused"),
        ("g(*f())", "misused"),
        ("a, b = f()", "misused"),
        ("for _ in f(): pass", "misused"),
        ("async with f(): pass", "misused"),
        ("isinstance(f(), int)", "asked"),
        ("await f()", None),
        ("return f()", None),
        ("self.x = f()", None),
        ("await (g and f() or h())", None),
    ],
)
def test_fates(code: str, fate: str | None) -> None:
    module = Module.parse(f"async def f(): pass\nasync def main(g, h, self):\n    {code}\n")
    call = next(c for c in module.nodes(ast.Call) if isinstance(c.func, ast.Name) and c.func.id == "f")
    found = end(call, module)
    assert (found.fate if found else None) == fate


@pytest.mark.parametrize(
    ("code", "deliberate"),
    [
        ("f()", False),
        ("if is_sync: f()", True),
        ("if ready: f()", False),
        ("if not self.is_async:\n        pass\n    else:\n        f()", True),
        ("if is_async: return\n    f()", True),
        ("if ready: return\n    f()", False),
        ("if OFF: f()", True),
        ("if OFF: pass\n    else: f()", False),
        ("with pytest.raises(ValueError): f()", True),
        ("with lock: f()", False),
        ("@asyncio.coroutine\n    def test(self):\n        f()", False),
        ("if inspect.iscoroutinefunction(f): await f()\n    else: f()", True),
        ("if isinstance(self, AsyncClient): await f()\n    else: f()", True),
        ("if self.async_jobs: f()", False),
    ],
)
def test_deliberate_code(code: str, deliberate: bool) -> None:
    module = Module.parse(f"OFF = False\nasync def main(self):\n    {code}\n")
    last = max(
        (c for c in module.nodes(ast.Call) if isinstance(c.func, ast.Name) and c.func.id == "f"), key=lambda c: c.lineno
    )
    assert is_deliberate(last, module) is deliberate


def test_a_function_of_another_file_of_the_project(tmp_path) -> None:
    from flake8_asyncpatterns.check import project, settled
    from flake8_asyncpatterns.facts import View

    (tmp_path / "shop.py").write_text("async def pay(): pass\n")
    (tmp_path / "pyproject.toml").write_text("")
    text = "def f():\n    from shop import pay\n    pay()\n"
    module = Module.parse(text, str(tmp_path / "main.py"), project=View())
    (call,) = module.nodes(ast.Call)
    assert settled(module, lambda module: given_by(call, module), project()) == "coroutine"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("train(1)  # type: ignore[unused-coroutine]", ["AIO203"]),
        ("train(1)  # type: ignore[arg-type]", []),
        ("return train(1)  # type: ignore[unused-coroutine]", []),
        ("if IS_SYNC: train(1)  # type: ignore[unused-coroutine]", []),
    ],
)
def test_what_mypy_was_told_to_be_silent_about(line: str, found: list[str]) -> None:
    assert codes(f"def run():\n    from shop.model import train\n    {line}\n", [RULES["AIO203"]]) == found


def test_what_is_lost_at_the_top_level_runs_in_no_second_loop() -> None:
    source = "import asyncio\nasync def close(): pass\nclose()\n"
    assert "\nasyncio.run(close())" in mended(source, rules=[RULES["AIO203"]]).text
    source = source.replace("\nclose", "\nloop.run_until_complete(x)\nclose")
    [finding] = found(source, [RULES["AIO203"]])
    assert finding.refusal == "`asyncio.run()` would take another loop than the one that this file runs by hand"


@pytest.mark.parametrize("again", ["x = y or x", "x = y and x", "x = x if y else y", "x = (x := y) or x"])
def test_a_variable_that_is_made_of_itself_is_followed_once(again: str) -> None:
    assert codes(f"def f(y):\n    x = y()\n    {again}\n") == []
