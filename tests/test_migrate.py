"""Whole programs from generator coroutines to async/await: what turns over together, and what is left and why."""

from __future__ import annotations

import ast
import io
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from flake8_asyncpatterns import progress, runner
from flake8_asyncpatterns.cli import main
from flake8_asyncpatterns.elsewhere import applied, packed, unpacked
from flake8_asyncpatterns.engine import check
from flake8_asyncpatterns.module import Module
from flake8_asyncpatterns.rules import RULES

HEAD = "import asyncio\n"


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"))


class Program:
    """Files in a directory, and what `asyncfix migrate` makes of them."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str], files: dict[str, str], to: str = "3.8") -> None:
        write(root, files)
        self.root = root
        self.code = main(["migrate", str(root), "--to", to, "--isolated"])
        self.said = capsys.readouterr().err.replace(f"{root}{os.sep}", "")

    def __getitem__(self, name: str) -> str:
        return (self.root / name).read_text()

    def left(self) -> list[str]:
        return [line for line in self.said.splitlines() if ": left: " in line]

    def looks(self) -> list[str]:
        return [line for line in self.said.splitlines() if ": look: " in line]


@pytest.fixture
def program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> type:
    class Here(Program):
        def __init__(self, files: dict[str, str], to: str = "3.8") -> None:
            super().__init__(tmp_path, capsys, files, to)

    return Here


BASE = """
    import asyncio


    class Base:
        @asyncio.coroutine
        def fetch(self):
            raise NotImplementedError
    """
DERIVED = """
    import asyncio

    from base import Base


    class Derived(Base):
        @asyncio.coroutine
        def fetch(self):
            yield from asyncio.sleep(0)
            {what}
    """


def test_overrides_in_another_file_turn_over_together(program: type) -> None:
    done = program({"base.py": BASE, "derived.py": DERIVED.format(what="return 1")})
    assert "    async def fetch(self):\n        raise NotImplementedError\n" in done["base.py"]
    assert "    async def fetch(self):\n        await asyncio.sleep(0)\n" in done["derived.py"]
    assert done.left() == []
    assert done.code == 1


def test_an_override_that_must_stay_keeps_its_base(program: type) -> None:
    files = {"base.py": BASE, "derived.py": DERIVED.format(what="yield 1")}
    done = program(files)
    assert done["base.py"] == dedent(BASE).lstrip("\n")
    assert done["derived.py"] == dedent(files["derived.py"]).lstrip("\n")
    stays = "`fetch` stays a generator"
    why = "`(yield 1)` in line 10 hands a value to whoever drives the generator"
    assert done.left() == [
        f"base.py:6: left: {stays}: it must turn over together with `fetch` (derived.py:8), and {why}",
        f"derived.py:8: left: {stays}: {why}",
    ]


def test_a_plain_base_that_only_returns_a_constant_may_stay(program: type) -> None:
    done = program({
        "base.py": "class Base:\n    def allowed(self):\n        return True\n",
        "derived.py": """
            import asyncio
            from base import Base


            class Derived(Base):
                @asyncio.coroutine
                def allowed(self):
                    return (yield from asyncio.sleep(0, False))
            """,
    })  # fmt: skip
    assert "async def allowed" in done["derived.py"]
    assert "    def allowed" in done["base.py"]


def test_a_generator_that_drives_a_coroutine_of_another_file_turns_over_with_it(program: type) -> None:
    done = program(
        {
            "net.py": f"{HEAD}\n\n@asyncio.coroutine\ndef fetch():\n    yield from asyncio.sleep(0)\n",
            "use.py": "from net import fetch\n\n\ndef twice():\n    yield from fetch()\n    yield from fetch()\n",
        }
    )
    assert "async def fetch" in done["net.py"]
    assert done["use.py"] == "from net import fetch\n\n\nasync def twice():\n    await fetch()\n    await fetch()\n"


def test_a_coroutine_that_a_generator_elsewhere_must_drive_stays(program: type) -> None:
    done = program(
        {
            "net.py": f"{HEAD}\n\n@asyncio.coroutine\ndef fetch():\n    yield from asyncio.sleep(0)\n",
            "use.py": "from net import fetch\n\n\ndef steps():\n    yield 1\n    yield from fetch()\n",
        }
    )
    assert "@asyncio.coroutine" in done["net.py"]
    assert "yield from fetch()" in done["use.py"]
    assert done.left()[0].startswith(
        "net.py:5: left: `fetch` stays a generator: it must turn over together with `steps`"
    )


def test_a_generator_that_is_iterated_elsewhere_stays(program: type) -> None:
    done = program(
        {
            "net.py": """
            import asyncio


            @asyncio.coroutine
            def main():
                yield from steps()


            def steps():
                yield from asyncio.sleep(0)
            """,
            "use.py": "from net import steps\n\nfor step in steps():\n    print(step)\n",
        }
    )
    assert "def steps():\n    yield from asyncio.sleep(0)\n" in done["net.py"]
    assert "async def" not in done["net.py"]
    assert "it is driven by hand in use.py:3 (a loop)" in done.said


def test_a_helper_that_returns_a_coroutine_is_left(program: type) -> None:
    helper = "from net import fetch\n\n\ndef helper():\n    return fetch()\n"
    done = program(
        {
            "net.py": f"{HEAD}\n\n@asyncio.coroutine\ndef fetch():\n    yield from asyncio.sleep(0)\n",
            "helper.py": helper,
            "use.py": f"{HEAD}from helper import helper\n\n\n@asyncio.coroutine\ndef f():\n    return helper()\n",
        }
    )
    assert done["helper.py"] == helper
    assert done["use.py"].endswith("async def f():\n    return await helper()\n")


def test_a_stored_coroutine_is_driven_by_its_await(program: type) -> None:
    done = program(
        {
            "manager.py": """
            import asyncio
            import functools


            def managed(make):
                class Manager:
                    def __init__(self, made):
                        self._made = made

                    def __await__(self):
                        return (yield from self._made)

                    @asyncio.coroutine
                    def __aenter__(self):
                        return (yield from self._made)

                @functools.wraps(make)
                def wrapper(*args):
                    return Manager(asyncio.coroutine(make)(*args))

                return wrapper
            """,
            "use.py": """
            import asyncio
            from manager import managed


            @managed
            def connect(host):
                yield from asyncio.sleep(0)
                return host


            @asyncio.coroutine
            def main():
                return (yield from connect("here"))


            print(asyncio.get_event_loop().run_until_complete(main()))
            """,
        }
    )
    assert "return (yield from self._made.__await__())" in done["manager.py"]
    assert "return await self._made" in done["manager.py"]
    assert "return Manager(make(*args))" in done["manager.py"]
    assert "@managed\nasync def connect(host):\n" in done["use.py"]
    ran = subprocess.run([sys.executable, "use.py"], cwd=done.root, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("here\n", "")


MANAGER = """
import asyncio


class Manager:
    def __init__(self, coro):
        self._coro = coro
        self.send = coro.send

    @property
    def gi_code(self):
        return self._coro.gi_code

    def throw(self, *error):
        return self._coro.throw(*error)

    def __await__(self):
        return (yield from self._coro)


@asyncio.coroutine
def own():
    yield from asyncio.sleep(0)


def start():
    return Manager(own())
"""
MANAGED = """
import asyncio
from manager import Manager


class Client:
    {decorator}
    def request(self, path):
        yield from asyncio.sleep(0)
        return path

    def get(self, path):
        return Manager(self.request(path))


@asyncio.coroutine
def main():
    return (yield from Client().get("/"))


print(asyncio.get_event_loop().run_until_complete(main()))
"""


@pytest.mark.parametrize("to", ["3.8", "3.11"])
def test_a_coroutine_handed_to_a_class_of_another_file_is_driven_by_its_await(program: type, to: str) -> None:
    done = program(
        {
            "manager.py": MANAGER if to == "3.11" else MANAGER.replace("gi_code", "name"),
            "client.py": MANAGED.format(decorator="@asyncio.coroutine"),
        },
        to,
    )
    assert "return (yield from self._coro.__await__())" in done["manager.py"]
    assert "async def own():\n" in done["manager.py"]
    assert "async def request(self, path):\n" in done["client.py"]
    ran = subprocess.run([sys.executable, "client.py"], cwd=done.root, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("/\n", "")


def test_a_coroutine_handed_to_a_class_of_another_file_stays_with_one_that_must(program: type) -> None:
    client = MANAGED.format(decorator="@look_at\n    @asyncio.coroutine").replace(
        "class", "from other import look_at\n\nclass"
    )
    done = program({"manager.py": MANAGER.replace("gi_code", "name"), "client.py": client})
    assert "return (yield from self._coro)\n" in done["manager.py"]
    assert "@asyncio.coroutine\ndef own():\n" in done["manager.py"]


def test_what_gives_nothing_where_there_is_nothing_to_wait_for_is_not_awaited(program: type) -> None:
    writer = """
class Writer:
    def __init__(self, transport):
        self.transport = transport

    def write(self, data):
        if data:
            return self.transport.drain()
        return ()
"""
    use = """
import asyncio
from writer import Writer


@asyncio.coroutine
def known(transport):
    yield from Writer(transport).write(b"")


@asyncio.coroutine
def unknown(writer):
    yield from writer.write(b"")


@asyncio.coroutine
def other(writer):
    yield from writer.drain()
"""
    done = program({"writer.py": writer, "use.py": use})
    assert "def known(transport):\n    yield from Writer(transport)" in done["use.py"]
    assert "def unknown(writer):\n    yield from writer.write" in done["use.py"]
    assert "async def other(writer):\n    await writer.drain()" in done["use.py"]
    assert "may be `()`, which cannot be awaited" in done.said


def test_what_a_decorator_of_the_project_puts_in_the_place_of_a_method(program: type) -> None:
    reader = """
        import asyncio


        def watched(function):
            @asyncio.coroutine
            def wrapper(self):
                result = yield from function(self)
                return result

            return wrapper


        class Reader:
            @watched
            @asyncio.coroutine
            def read(self):
                yield from asyncio.sleep(0)
        """
    server = """
        from base import Base


        class Server(Base):
            def handle(self, payload):
                yield from payload.read()
        """
    base = """
        class Base:
            def handle(self, payload):
                self.payload = payload
                return 1
        """
    done = program({"reader.py": reader, "server.py": server, "base.py": base})
    assert "    @asyncio.coroutine\n    def wrapper(self):\n" in done["reader.py"]
    assert "def handle(self, payload):\n        yield from payload.read()" in done["server.py"]


PASSED = {
    "manager.py": """
        class Base:
            def __init__(self, made):
                self._made = made

            def __iter__(self):
                return (yield from self._made)


        class Manager(Base):
            pass
        """,
    "session.py": """
        import asyncio
        from manager import Manager


        class Session:
            def get(self):
                return Manager(self._get())

            @asyncio.coroutine
            def _get(self):
                yield from asyncio.sleep(0)
                return 1
        """,
    "use.py": """
        import asyncio
        from session import Session


        @asyncio.coroutine
        def main():
            return (yield from Session().get())


        if __name__ == "__main__":
            print(asyncio.get_event_loop().run_until_complete(main()))
        """,
}


def test_what_another_file_passes_to_an_object_that_drives_it(program: type) -> None:
    done = program(PASSED)
    assert "async def _get(self):" in done["session.py"]
    assert "return (yield from self._made.__await__())" in done["manager.py"]


def test_what_another_file_passes_to_an_object_that_drives_a_generator_too(program: type) -> None:
    inside = (
        PASSED["manager.py"]
        + """

        @asyncio.coroutine
        def odd():
            yield 1


        def make():
            return Manager(odd())
        """
    )
    done = program({**PASSED, "manager.py": f"        import asyncio\n{inside}"})
    assert "@asyncio.coroutine\n    def _get(self):" in done["session.py"]
    assert "return (yield from self._made)" in done["manager.py"]


def test_await_that_drives_what_is_native_since_python_3_7(program: type) -> None:
    done = program(
        {
            "a.py": """
            class Connecting:
                def __init__(self, loop):
                    self._connecting = loop.create_connection(object)

                def __await__(self):
                    yield from self._connecting

                __iter__ = __await__
            """
        }
    )
    assert "yield from self._connecting.__await__()" in done["a.py"]


def test_tests_that_a_decorator_of_the_project_runs(program: type) -> None:
    done = program(
        {
            "util.py": """
            import asyncio
            import functools


            def asynctest(function):
                @functools.wraps(function)
                def run(self):
                    coroutine = asyncio.coroutine(function)(self)
                    return self.loop.run_until_complete(coroutine)

                return run
            """,
            "test_it.py": """
            import asyncio
            from unittest import TestCase
            from util import asynctest


            class ItTest(TestCase):
                @asynctest
                def test_it(self):
                    yield from asyncio.sleep(0)

                @asynctest
                def test_that(self):
                    self.assertTrue(self)
            """,
        }
    )
    assert "@asynctest\n    async def test_it(self):\n        await asyncio.sleep(0)" in done["test_it.py"]
    assert "@asynctest\n    async def test_that(self):" in done["test_it.py"]
    assert "coroutine = function(self)\n" in done["util.py"]
    assert done.left() == []


def test_tests_of_well_known_frameworks(program: type) -> None:
    done = program(
        {
            "test_it.py": """
            import asyncio
            from aiohttp.test_utils import AioHTTPTestCase, unittest_run_loop


            class ItTest(AioHTTPTestCase):
                @unittest_run_loop
                @asyncio.coroutine
                def test_it(self):
                    yield from self.client.get("/")


            @asyncio.coroutine
            def test_that(loop):
                yield from asyncio.sleep(0, loop=loop)
            """
        }
    )
    assert "    @unittest_run_loop\n    async def test_it(self):\n" in done["test_it.py"]
    assert "async def test_that(loop):\n    await asyncio.sleep(0)\n" in done["test_it.py"]


@pytest.mark.parametrize(
    ("returned", "more", "turned"),
    [("self", "", True), ("Other()", "", True), ("make()", "", False), ("self", "await Lines().__aiter__()", False)],
)
def test_what_gives_an_asynchronous_iterator(program: type, returned: str, more: str, turned: bool) -> None:
    lines = f"""
        import asyncio
        from elsewhere import Base, make


        class Other:
            pass


        class Lines(Base):
            if True:
                @asyncio.coroutine  # since 3.5
                def __aiter__(self):
                    return {returned}

            @asyncio.coroutine
            def __anext__(self):
                yield from asyncio.sleep(0)
                raise StopAsyncIteration


        async def main():
            async for line in Lines():
                print(line)
            {more}
        """
    done = program({"lines.py": lines})
    assert ("@asyncio.coroutine" not in done["lines.py"]) is turned
    assert f"        def __aiter__(self):\n            return {returned}\n" in done["lines.py"]
    assert "# since 3.5\n" in done["lines.py"]
    assert ("`__aiter__` gives its iterator" in done.said) is turned


HOOK = """
import asyncio


def pytest_pyfunc_call(pyfuncitem):
    if "run_loop" in pyfuncitem.keywords:
        loop = pyfuncitem.funcargs["loop"]
        {run}
        return True
"""


@pytest.mark.parametrize(
    ("run", "turned"),
    [
        ("loop.run_until_complete(pyfuncitem.obj())", True),
        ("loop.run_until_complete(asyncio.wait_for(pyfuncitem.obj(), 15))", True),
        ("list(pyfuncitem.obj())", False),
    ],
)
def test_generators_that_a_hook_of_the_project_runs(program: type, run: str, turned: bool) -> None:
    tests = """
        import asyncio
        import pytest


        @pytest.mark.run_loop
        def test_it(loop):
            yield from asyncio.sleep(0, loop=loop)


        @pytest.mark.other
        def test_other(loop):
            yield from asyncio.sleep(0, loop=loop)
        """
    done = program({"conftest.py": HOOK.format(run=run), "test_it.py": tests})
    assert ("async def test_it(loop):\n    await asyncio.sleep(0)\n" in done["test_it.py"]) is turned
    assert "\ndef test_other(loop):\n    yield from asyncio.sleep(0" in done["test_it.py"]


@pytest.mark.parametrize("decorator", ["aiohttp.test_utils.unittest_run_loop", "pytest.mark.asyncio"])
def test_generators_that_a_well_known_framework_runs(program: type, decorator: str) -> None:
    done = program(
        {
            "remote.py": f"{HEAD}\n\nclass Remote:\n    @asyncio.coroutine\n    def stop(self):\n        pass\n",
            "test_it.py": f"""
            import {decorator.rpartition(".")[0].removesuffix(".mark")}


            class TestIt:
                @{decorator}
                def test_it(self):
                    yield from self.remote.stop()
            """,
        }
    )
    assert "    async def stop(self):\n" in done["remote.py"]
    assert f"    @{decorator}\n    async def test_it(self):\n        await self.remote.stop()" in done["test_it.py"]
    assert done.left() == []


def test_a_test_that_a_conftest_may_drive_stays(program: type) -> None:
    done = program({"test_it.py": f"{HEAD}\n\ndef test_it():\n    yield from asyncio.sleep(0)\n"})
    assert "    yield from" in done["test_it.py"]


def test_a_generator_that_is_a_coroutine_in_some_cases_only_stays(program: type) -> None:
    source = """
        import asyncio
        import functools
        import inspect


        def patch(function, original):
            def generator(*args):
                return (yield from original(*args))

            patched = original
            if inspect.isgeneratorfunction(function):
                patched = generator
                if asyncio.iscoroutinefunction(function):
                    patched = asyncio.coroutine(patched)
            return functools.wraps(function)(patched)
        """
    done = program({"a.py": source})
    assert "    def generator(*args):\n        return (yield from original(*args))\n" in done["a.py"]


@pytest.mark.parametrize("body", ["return [(yield from f(i)) for i in x]", "return lambda: (yield from f(x))"])
def test_what_cannot_hold_an_await_is_refused(program: type, body: str) -> None:
    source = f"{HEAD}\n\n@asyncio.coroutine\ndef f(x):\n    yield from asyncio.sleep(0)\n    {body}\n"
    # No Python since 3.8 parses the first, and the second drives a coroutine in a function that is none.
    done = program({"a.py": source})
    assert done["a.py"] == source
    assert done.code in (1, 2)


def test_checks_for_generators_are_told_and_not_guessed(program: type) -> None:
    done = program(
        {
            "a.py": """
            import asyncio
            import inspect
            import types


            @asyncio.coroutine
            def call(f, kind):
                made = f()
                if isinstance(made, types.GeneratorType) or inspect.isgenerator(made) or asyncio.iscoroutine(made):
                    made = yield from made
                return made
            """
        }
    )
    assert "async def call" in done["a.py"]
    assert done.looks() == [
        "a.py:8: look: `asyncio.iscoroutine` is true of generators only until Python 3.11",
        "a.py:8: look: `inspect.isgenerator` is not true of coroutines",
        "a.py:8: look: `types.GeneratorType` is not the type of coroutines",
    ]


OLD_NAMES = {
    "compat.py": """
        import asyncio
        try:
            from asyncio import ensure_future
        except ImportError:
            ensure_future = asyncio.async
        """,
    "client.py": """
        class Client:
            def __init__(self, async=False):
                self.async = async

            def get(self, *, async=None):
                return async or self.async
        """,
    "use.py": """
        from client import Client


        def f(other):
            client = Client(async=True)
            client.get(async=client.async)
            return client
        """,
}


def test_async_as_a_name_of_the_project_s_own(program: type) -> None:
    done = program(OLD_NAMES)
    assert 'ensure_future = getattr(asyncio, "async")' in done["compat.py"]
    assert "def __init__(self, async_=False):\n        self.async_ = async_\n" in done["client.py"]
    assert "client.get(async_=client.async_)" in done["use.py"]
    assert done.left() == []
    for name in OLD_NAMES:
        compile(done[name], name, "exec")


def test_async_as_a_name_of_somebody_else(program: type) -> None:
    done = program({"use.py": "def f(other):\n    other.call(async=True)\n    return other.async\n"})
    assert done["use.py"] == ('def f(other):\n    other.call(**{"async": True})\n    return getattr(other, "async")\n')
    kept = "`async` is a keyword since Python 3.7, and keeps its name here"
    assert done.left() == [
        f"use.py:2: left: {kept}: `other.call` is not of these files, and may call it otherwise now",
        f"use.py:3: left: {kept}: it is the attribute of something that is not of these files",
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f(1, async = (x))", 'f(1, **{"async": (x)})'),
        ("f(async=x, y=2)", 'f(**{"async": x}, y=2)'),
        ("f(*x, async=f(async=1), **y)", 'f(*x, **{"async": f(**{"async": 1})}, **y)'),
        ("f(async=[1,\n  2],  # why\n  y=2)", 'f(**{"async": [1,\n  2]},  # why\n  y=2)'),
        ("x.async.async(y.await)", 'getattr(getattr(x, "async"), "async")(getattr(y, "await"))'),
        ("(x\n  .async)", '(getattr(x\n  , "async"))'),
        ("f(async=y.async)", 'f(**{"async": getattr(y, "async")})'),
        ("(x + 1).async.y", 'getattr((x + 1), "async").y'),
        ("f(async=1, *x)", None),
        ("f(async=  # why\n  1)", None),
        ("(x.  # why\n  async)", None),
        ("del x.async", None),
    ],
)
def test_the_spelling_of_what_keeps_its_name(program: type, before: str, after: str | None) -> None:
    done = program({"use.py": f"from other import f, x, y\n\n{before}\n"})
    assert done["use.py"].removeprefix("from other import f, x, y\n\n") == f"{after or before}\n"
    assert done.left()
    if after:
        ast.parse(done["use.py"])


def test_a_new_name_that_is_taken_is_not_given(program: type) -> None:
    source = "def f(async, async_):\n    return async, async_\n"
    done = program({"a.py": source})
    assert done["a.py"] == source
    assert "`async_` is another name in a.py" in done.said


LOOP = """
    import asyncio


    class Box:
        def __init__(self, loop):
            self.lock = asyncio.Lock(loop=loop)
            self.loop = loop

        @asyncio.coroutine
        def use(self):
            lock = asyncio.Lock(loop=self.loop)
            yield from asyncio.wait_for(lock.acquire(), 1, loop=self.loop)
    """


def test_loop_stays_where_python_3_8_learns_of_it_in_no_other_way(program: type) -> None:
    done = program({"a.py": LOOP})
    assert "self.lock = asyncio.Lock(loop=loop)" in done["a.py"]
    assert "lock = asyncio.Lock()\n        await asyncio.wait_for(lock.acquire(), 1)\n" in done["a.py"]
    assert "migrate `--to 3.10` to take it out" in done.said


def test_loop_goes_where_no_python_before_3_10_counts(program: type) -> None:
    done = program({"a.py": LOOP}, to="3.10")
    assert "loop=loop" not in done["a.py"]
    assert done.left() == []


COMPAT = """
    try:
        import asyncio
        from asyncio.queues import Queue
    except ImportError:
        import trollius as asyncio
        from trollius.queues import Queue
    """
HANDED_ON = """
    from {imported}

    def started(loop):
        return {name}(maxsize=3{loop})
    """


@pytest.mark.parametrize(
    ("imported", "name"),
    [
        ("pkg.compat import Queue", "Queue"),
        (".compat import Queue as Mailbox", "Mailbox"),
        (". import compat", "compat.Queue"),
        (".compat import asyncio", "asyncio.Queue"),
        (". import Queue", "Queue"),
    ],
)
def test_what_a_file_of_the_project_only_hands_on(program: type, imported: str, name: str) -> None:
    files = {"setup.py": "", "pkg/__init__.py": "from .compat import Queue\n", "pkg/compat.py": COMPAT}
    done = program({**files, "pkg/m.py": HANDED_ON.format(imported=imported, name=name, loop=", loop=loop")}, "3.11")
    assert done["pkg/m.py"] == dedent(HANDED_ON.format(imported=imported, name=name, loop="")).lstrip("\n")


@pytest.mark.parametrize(
    "compat",
    [
        "class Queue:\n    def __init__(self, maxsize, loop): ...\n",
        "from asyncio import Queue\n\nclass Queue(Queue):\n    def __init__(self, maxsize, loop): ...\n",
        "if fast:\n    from queues import Queue\nelse:\n    from asyncio import Queue\n",
        "try:\n    from uqueue import Queue\nexcept ImportError:\n    from asyncio import Queue\n",
        "try:\n    import fast\n    from asyncio import Queue\nexcept ImportError:\n    from queues import Queue\n",
        "from asyncio import Queue\ntry:\n    import fast\nexcept ImportError:\n    Queue = None\n",
        "from .compat import Queue\n",
    ],
)
def test_what_a_file_of_the_project_makes_itself_or_may_have_from_elsewhere(program: type, compat: str) -> None:
    text = dedent(HANDED_ON.format(imported=".compat import Queue", name="Queue", loop=", loop=loop")).lstrip("\n")
    assert program({"pkg/__init__.py": "", "pkg/compat.py": compat, "pkg/m.py": text}, "3.11")["pkg/m.py"] == text


def test_a_decorator_that_a_file_of_the_project_hands_on(program: type) -> None:
    compat = "from asyncio import coroutine, sleep\n"
    text = "from compat import coroutine, sleep\n\n@coroutine\ndef pause():\n    yield from sleep(1)\n"
    done = program({"compat.py": compat, "m.py": text}, "3.11")
    assert done["m.py"] == "from compat import sleep\n\nasync def pause():\n    await sleep(1)\n"
    assert done["compat.py"] == compat
    assert done.left() == [
        "compat.py:1: left: AIO401 `asyncio.coroutine` is gone since Python 3.11: it cannot be imported there"
    ]


def test_an_import_of_what_is_gone_that_nothing_comes_to_is_not_told(program: type) -> None:
    tried = "try:\n    from asyncio import coroutine\nexcept ImportError:\n    coroutine = None\n"
    asked = "import sys\nif sys.version_info < (3, 11):\n    from asyncio import coroutine\n"
    assert program({"a.py": tried, "b.py": asked}, "3.11").left() == []


def test_nothing_is_written_that_came_later(program: type) -> None:
    source = f"{HEAD}\n\n@asyncio.coroutine\ndef f():\n    yield from asyncio.wait([f()])\n"
    assert "asyncio.create_task(f())" in program({"a.py": source}, to="3.7")["a.py"]
    done = program({"a.py": source}, to="3.6")
    assert "await asyncio.wait([f()])" in done["a.py"]
    assert "`asyncio.create_task` came with Python 3.7" in done.said


def test_a_noqa_keeps_a_function(program: type) -> None:
    source = f"{HEAD}\n\n@asyncio.coroutine\ndef f():  # noqa: AIO401\n    yield from asyncio.sleep(0)\n"
    done = program({"a.py": source})
    assert done["a.py"] == source
    assert "a `# noqa` keeps it" in done.said


def test_nothing_to_do(program: type) -> None:
    done = program({"a.py": "print(1)\n"})
    assert (done.code, done.said) == (0, "Found nothing to migrate in 1 file.\n")


def test_the_difference_alone(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    source = f"{HEAD}\n\n@asyncio.coroutine\ndef f():\n    yield from asyncio.sleep(0)\n"
    (tmp_path / "a.py").write_text(source)
    assert main(["migrate", str(tmp_path), "--to", "3.11", "--isolated", "--diff"]) == 1
    said = capsysbinary.readouterr()
    assert b"+async def f():\n" in said.out
    assert said.err.endswith(
        b"Would turn 1 function into coroutines and mend 0 other places, in 1 of 1 file; left 0.\n"
    )
    assert (tmp_path / "a.py").read_text() == source


def test_a_file_that_does_not_parse_is_named_and_the_others_go_on(program: type) -> None:
    done = program({"a.py": "def f(:\n", "b.py": f"{HEAD}\n\n@asyncio.coroutine\ndef f():\n    yield from f()\n"})
    assert done.code == 2
    assert "a.py: syntax error in line 1" in done.said
    assert "async def f" in done["b.py"]


def test_all_files_are_written_or_none(program: type, tmp_path: Path) -> None:
    source = f"{HEAD}\n\n@asyncio.coroutine\ndef f():\n    yield from f()\n"
    write(tmp_path, {"b.py": source})
    (tmp_path / "b.py").chmod(0o444)
    done = program({"a.py": source})
    assert done.code == 2
    assert "b.py: read-only; no file was changed" in done.said
    assert done["a.py"] == source


def test_a_comment_that_would_be_lost_keeps_one_function_and_not_the_others(program: type) -> None:
    done = program(
        {
            "a.py": """
            import asyncio


            @asyncio.coroutine
            def f(x):
                yield from g(x)


            @asyncio.coroutine
            def g(x):
                yield \\
                    from x
            """
        }
    )
    assert "async def f(x):\n    await g(x)\n" in done["a.py"]


@pytest.mark.parametrize(("to", "why"), [("3", "no version"), ("2.7", "no version"), ("3.2", "known are"), ("x", "no")])
def test_versions(to: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", str(tmp_path), "--to", to]) == 2
    assert why in capsys.readouterr().err


def test_a_second_time_there_is_nothing_to_do(program: type, capsys: pytest.CaptureFixture[str]) -> None:
    done = program({"base.py": BASE, "derived.py": DERIVED.format(what="return 1"), **OLD_NAMES})
    assert done.code == 1
    assert main(["migrate", str(done.root), "--to", "3.8", "--isolated"]) == 0
    assert capsys.readouterr().err.startswith("Found nothing to migrate")


def test_a_decorator_that_a_function_of_the_project_makes(program: type) -> None:
    done = program(
        {
            "shown.py": """
            import asyncio


            def shown(name):
                def wrap(make):
                    @asyncio.coroutine
                    def wrapped(*args):
                        if asyncio.iscoroutinefunction(make):
                            called = make
                        else:
                            called = asyncio.coroutine(make)
                        return (yield from called(*args))

                    return wrapped

                return wrap
            """,
            "use.py": """
            import asyncio
            from shown import shown


            @shown("here")
            @asyncio.coroutine
            def view(request):
                yield from asyncio.sleep(0)
            """,
        }
    )
    assert '@shown("here")\nasync def view(request):\n' in done["use.py"]
    assert "async def wrapped(*args):" in done["shown.py"]


RETURNS = """
    import asyncio

    from thing import Thing


    class User:
        def __init__(self):
            self.thing = Thing()

        @asyncio.coroutine
        def f(self, x):
            return {value}
    """


@pytest.mark.parametrize(
    ("value", "after"),
    [
        ("self.thing.fetch()", "await self.thing.fetch()"),
        ("x.ready", "await x.ready"),
        ("self.thing.nothing()", "self.thing.nothing()"),
        ("Thing()", "Thing()"),
        ("os.getpid()", None),
        ("x.unknown()", None),
        ("self.thing.anything()", None),
    ],
)
def test_what_a_function_without_yield_returns(program: type, value: str, after: str | None) -> None:
    done = program(
        {
            "thing.py": """
            import asyncio
            from collections.abc import Sized


            class Thing(Sized):
                def __init__(self):
                    self.ready = asyncio.Future()

                def __len__(self):
                    return 0

                @asyncio.coroutine
                def fetch(self):
                    yield from asyncio.sleep(0)

                def nothing(self):
                    print()

                def anything(self):
                    return self.hook()
            """,
            "use.py": RETURNS.format(value=value),
        }
    )
    if after is None:
        assert "may be a future or a generator that the decorator awaits" in done.said
        assert "@asyncio.coroutine" in done["use.py"]
    else:
        assert f"    async def f(self, x):\n        return {after}\n" in done["use.py"]


def test_a_method_that_drives_methods_of_unknown_objects(program: type) -> None:
    """Where all methods of a name are coroutines, what drives one of them is one, too."""
    done = program(
        {
            "net.py": """
            import asyncio


            class Reader:
                @asyncio.coroutine
                def fetch_line(self):
                    yield from asyncio.sleep(0)
            """,
            "use.py": """
            import asyncio


            def handle(reader):
                return (yield from reader.fetch_line())


            asyncio.get_event_loop().run_until_complete(handle(None))
            """,
        }
    )
    assert "async def fetch_line(self):" in done["net.py"]
    assert "async def handle(reader):\n    return await reader.fetch_line()\n" in done["use.py"]


def test_a_generator_that_may_drive_a_generator_of_that_name_stays(program: type) -> None:
    done = program(
        {
            "net.py": """
            import asyncio


            class Reader:
                @asyncio.coroutine
                def read(self, size):
                    yield from asyncio.sleep(0)
            """,
            "buffer.py": """
            class Buffer:
                def read(self, size):
                    while len(self.data) < size:
                        self.data += yield
                    return self.data
            """,
            "parse.py": """
            def parse(buffer):
                yield from buffer.read(1)
            """,
        }
    )
    assert "@asyncio.coroutine\n    def read(self, size):" in done["net.py"]
    assert "def parse(buffer):\n    yield from buffer.read(1)\n" in done["parse.py"]


def test_what_a_decorator_puts_in_the_place_of_a_method_that_a_generator_drives_stays(program: type) -> None:
    source = """
        import asyncio
        import functools


        def resumed(function):
            @functools.wraps(function)
            @asyncio.coroutine
            def wrapper(self, *args):
                return (yield from function(self, *args))

            return wrapper


        class Reader:
            @resumed
            @asyncio.coroutine
            def read(self):
                yield from asyncio.sleep(0)


        def values(reader):
            yield 1
            yield from Reader.read(reader)
        """
    done = program({"a.py": source})
    assert "    @asyncio.coroutine\n    def wrapper(self, *args):\n" in done["a.py"]


MANY = """
    from .compat import asyncio
    from . import m{before:02}


    class Worker:
        @asyncio.coroutine
        def run(self, n):
            if n:
                yield from m{before:02}.Worker().run(n - 1)
            yield from asyncio.sleep(1, loop=asyncio.get_event_loop())


    @asyncio.coroutine
    def odd():
        yield (  # {before}: hands out values
            1
        )


    async def late():
        await asyncio.wait([late()])
"""


def test_the_same_in_any_number_of_processes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"app/m{n:02}.py": MANY.format(before=(n + 1) % 30) for n in range(30)}
    files |= {"app/__init__.py": "", "app/compat.py": "import asyncio\n"}
    monkeypatch.setattr(runner, "BATCH_FILES", 12)
    came = []
    for jobs in (1, 2, 3):
        root = tmp_path / f"of{jobs}"
        write(root, files)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(root)
            code = main(["migrate", "app", "--to", "3.11", "--isolated", f"-j{jobs}"])
        came.append((code, capsys.readouterr(), [path.read_text() for path in sorted(root.rglob("*.py"))]))
    assert came[1] == came[0]
    assert came[2] == came[0]
    assert "Turned 30 functions into coroutines" in came[0][1].err
    assert "async def run" in came[0][2][2]
    assert "asyncio.wait([asyncio.create_task(late())])" in came[0][2][2]
    assert "@asyncio.coroutine" in came[0][2][2]  # over `odd`


def test_nodes_are_the_same_in_another_parse_of_the_text() -> None:
    text = "import time\n\nasync def f():\n    time.sleep(1); time.sleep(1)\n    time.sleep(  # why\n        2)\n"
    module = Module.parse(text)
    fixes = [finding.fix for finding in check(module, [RULES["AIO101"]]) if finding.fix]
    assert len(fixes) == 3
    other = Module.parse(text)
    theirs = unpacked(other, packed(module, fixes))
    assert [ast.dump(edit.node, include_attributes=True) for fix in theirs for edit in fix.edits] == [
        ast.dump(edit.node, include_attributes=True) for fix in fixes for edit in fix.edits
    ]
    assert all(edit.node in other.parents for fix in theirs for edit in fix.edits)
    assert applied(other, theirs).text == applied(module, fixes).text


def test_progress_of_a_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    write(tmp_path, {"a.py": BASE, "b.py": "import asyncio\n"})
    monkeypatch.setattr(progress, "PATIENCE", 0)
    monkeypatch.setattr(progress, "EVERY", 0)
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert main(["migrate", str(tmp_path), "--to", "3.11", "--isolated", "-q"]) == 1
    said = [line.rstrip() for line in sys.stderr.getvalue().split("\r")]  # type: ignore[attr-defined]
    assert "read: 2 of 2 files" in said
    assert "round 1, looked at: 2 of 2 files" in said
    assert any(line.startswith("round 1, mended: 2 of 2 files, ") and line.endswith(("site", "sites")) for line in said)
    assert said[-1] == ""


def test_waits_for_coroutines_of_other_files(program: type) -> None:
    made = program(
        {
            "jobs.py": """
                import asyncio


                @asyncio.coroutine
                def fetch(url):
                    yield from asyncio.sleep(1)


                def plain(url):
                    return asyncio.Future()
                """,
            "main.py": """
                import asyncio

                import jobs
                from jobs import fetch, plain


                @asyncio.coroutine
                def everything(urls):
                    yield from asyncio.wait([fetch(url) for url in urls])
                    yield from asyncio.wait([jobs.fetch(url) for url in urls])
                    yield from asyncio.wait([plain(url) for url in urls])
                """,
        },
        to="3.11",
    )
    assert "[asyncio.create_task(fetch(url)) for url in urls]" in made["main.py"]
    assert "[asyncio.create_task(jobs.fetch(url)) for url in urls]" in made["main.py"]
    assert "await asyncio.wait([plain(url) for url in urls])" in made["main.py"]


GIVES_ANYTHING = {
    "a.py": """
        import asyncio


        class Local:
            @classmethod
            @asyncio.coroutine
            def open(cls, path):
                return cls(path)

            @asyncio.coroutine
            def ask(self, other):
                result = other
                return other.answer()
        """
}
RUNS = """
import asyncio
from a import Local

class Plain:
    def answer(self):
        return 42

class Lazy:
    async def answer(self):
        await asyncio.sleep(0)
        return 43

class Later:
    def answer(self):
        future = asyncio.get_running_loop().create_future()
        future.set_result(44)
        return future

async def main():
    local = await Local.open("x")
    return [await local.ask(other) for other in (Plain(), Lazy(), Later())]

Local.__init__ = lambda self, path: None
print(asyncio.run(main()))
"""


def test_what_may_give_anything_finds_out_when_it_runs_where_it_could_not_stay(program: type, tmp_path: Path) -> None:
    made = program(GIVES_ANYTHING, to="3.11")
    assert "asyncio.coroutine" not in made["a.py"]
    assert "return await outcome if inspect.isawaitable(outcome := other.answer()) else outcome" in made["a.py"]
    (tmp_path / "runs.py").write_text(RUNS)
    done = subprocess.run([sys.executable, "runs.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[42, 43, 44]\n", "")


def test_what_may_give_anything_stays_where_it_can(program: type) -> None:
    made = program(GIVES_ANYTHING, to="3.8")
    assert "asyncio.coroutine" in made["a.py"]
    assert "isawaitable" not in made["a.py"]


CALLS_ANYTHING = {
    "a.py": """
        import asyncio


        def ask(func):
            @asyncio.coroutine
            def asked(*given):
                coro = asyncio.coroutine(func)
                first = yield from coro(*given)
                second = yield from asyncio.coroutine(func)(*given)
                return first, second
            return asked
        """
}
CALLED = """
import asyncio
from a import ask

def plain(x, y):
    return x + y

async def lazy(x, y):
    await asyncio.sleep(0)
    return x * y

async def main():
    return await ask(plain)(2, 3), await ask(lazy)(2, 3)

print(asyncio.run(main()))
"""


def test_the_decorator_around_anything_finds_out_when_it_runs(program: type, tmp_path: Path) -> None:
    made = program(CALLS_ANYTHING, to="3.11")
    assert "asyncio.coroutine" not in made["a.py"]
    (tmp_path / "runs.py").write_text(CALLED)
    done = subprocess.run([sys.executable, "runs.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("((5, 5), (6, 6))\n", "")


def test_what_stands_for_the_decorator_does_not_call_itself(program: type) -> None:
    text = "import asyncio\n\ndef ask(func):\n    func = asyncio.coroutine(func)\n    return func\n"
    made = program({"a.py": text}, to="3.11")
    assert made["a.py"] == text


def test_the_name_for_what_is_returned_hides_none_that_a_function_inside_reads(program: type) -> None:
    text = """
        import asyncio

        result = 1


        @asyncio.coroutine
        def ask(other):
            def show():
                return result
            return other.answer(show)
        """
    made = program({"a.py": text}, to="3.11")
    assert "isawaitable(outcome := other.answer(show))" in made["a.py"]


LOOPS = {
    "server.py": """
        import asyncio


        def main():
            loop = asyncio.get_event_loop()
            loop.run_until_complete(asyncio.sleep(0))
            loop.run_forever()
        """,
    "once.py": """
        import asyncio


        def work():
            loop = asyncio.new_event_loop()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()
        """,
}
ASKS = """
    import asyncio

    from server import main
    from once import work


    class TestServer:
        def setUp(self):
            self.loop = asyncio.get_event_loop()
    """


def test_a_loop_that_others_ask_for_is_not_made_anew(program: type) -> None:
    done = program({**LOOPS, "test_server.py": ASKS})
    why = "`get_event_loop()` in {} may have to give the same loop; start with `asyncio.run()`"
    once, server = done.left()
    assert once.startswith("once.py:5: left: AIO409")
    assert once.endswith(why.format("server.py:5"))
    assert server.startswith("server.py:5: left: AIO403")
    assert server.endswith(why.format("test_server.py:9"))
    assert "asyncio.get_event_loop()" in done["server.py"]
    assert "asyncio.new_event_loop()" in done["once.py"]


def test_a_loop_that_others_ask_for_is_made_anew_where_nobody_else_makes_it(program: type) -> None:
    done = program({**LOOPS, "test_server.py": ASKS}, to="3.14")
    assert "loop = asyncio.new_event_loop()" in done["server.py"]
    assert "asyncio.run(asyncio.sleep(0))" in done["once.py"]


def test_a_loop_that_nobody_else_asks_for_is_made_anew(program: type) -> None:
    inside = ASKS.replace("def setUp", "async def setUp")
    done = program({**LOOPS, "test_server.py": inside})
    assert "loop = asyncio.new_event_loop()" in done["server.py"]
    assert "asyncio.run(asyncio.sleep(0))" in done["once.py"]


def test_a_program_of_its_own_makes_its_loop_whoever_asks_for_it_then(program: type) -> None:
    library = """
        import asyncio


        class Client:
            def __init__(self, loop=None):
                self.loop = loop or asyncio.get_event_loop()
        """
    example = """
        import asyncio

        from client import Client

        loop = asyncio.get_event_loop()
        client = Client()
        loop.run_until_complete(client.start())
        loop.run_until_complete(client.stop())
        """
    done = program({"client.py": library, "example.py": example})
    assert "loop = asyncio.new_event_loop()\nasyncio.set_event_loop(loop)\n" in done["example.py"]
    assert done.left() == []
