"""Who keeps a task, and where a file may keep one."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest
from cases import codes, found, mended

from flake8_asyncpatterns.analysis.tasks import dropped, makes_task
from flake8_asyncpatterns.analysis.waits import cannot_fail, gathered
from flake8_asyncpatterns.check import project, settled
from flake8_asyncpatterns.facts import View
from flake8_asyncpatterns.module import Module
from flake8_asyncpatterns.rules import RULES

DROPPED = [RULES["AIO205"]]


def source(text: str) -> str:
    return textwrap.dedent(text).lstrip()


def first_call(text: str) -> tuple[ast.Call, Module]:
    module = Module.parse(source(text))
    calls = module.nodes(ast.Call)
    return min((c for c in calls if makes_task(c, module)), key=lambda c: (c.lineno, c.col_offset)), module


@pytest.mark.parametrize(
    "receiver", ["loop", "client.loop", "self._client._loop", "app.get_event_loop()", "WebPage.loop", "event_loop"]
)
def test_what_is_called_a_loop_is_one(receiver: str) -> None:
    assert codes(f"def f(self, client):\n    {receiver}.create_task(client.run())\n", DROPPED) == ["AIO205"]


@pytest.mark.parametrize("receiver", ["group", "tg", "hass", "self", "self.nursery", "pool.loops[0]"])
def test_what_is_not_called_a_loop_may_keep_its_tasks(receiver: str) -> None:
    assert codes(f"def f(self, client):\n    {receiver}.create_task(client.run())\n", DROPPED) == []


def test_other_libraries_have_other_loops() -> None:
    assert codes("import trio\n\ndef f(loop, x):\n    loop.create_task(x())\n", DROPPED) == []


@pytest.mark.parametrize(
    ("statement", "how"),
    [
        ("asyncio.create_task(x())", "statement"),
        ("asyncio.create_task(x()).add_done_callback(print)", "chained"),
        ("ready and asyncio.create_task(x())", "condition"),
        ("asyncio.create_task(x()) if ready else None", "inside"),
        ("[asyncio.create_task(x()) for _ in y]", "inside"),
        ("task = asyncio.create_task(x())", "name"),
        ("task: asyncio.Task = asyncio.create_task(x())", "name"),
        ("(task := asyncio.create_task(x()))", "name"),
        ("emitter.on('event', lambda: asyncio.create_task(x()))", "listener"),
    ],
)
def test_how_a_task_is_dropped(statement: str, how: str) -> None:
    call, module = first_call(f"import asyncio\ndef f(x, y, ready, emitter):\n    {statement}\n")
    where = dropped(call, module)
    assert where is not None
    assert where.how == how


@pytest.mark.parametrize(
    "body",
    [
        "task = asyncio.create_task(x())\n    await y",
        "task = asyncio.create_task(x())\n    async with y: pass",
        "task = asyncio.create_task(x())\n    try: pass\n    finally: await y",
        "async with y:\n        task = asyncio.create_task(x())",
        "task = asyncio.create_task(x())\n    return lambda: task",
        "task = asyncio.create_task(x())\n    yield",
        "global task\n    task = asyncio.create_task(x())",
        "self.task = asyncio.create_task(x())",
        "emitter.on('event', asyncio.create_task(x()))",
        "print(asyncio.create_task(x()))",
    ],
)
def test_a_task_is_kept(body: str) -> None:
    call, module = first_call(f"import asyncio\nasync def f(self, x, y, emitter):\n    {body}\n")
    assert dropped(call, module) is None


def test_a_loop_gives_a_variable_another_value() -> None:
    text = """
        import asyncio
        async def f(x):
            while True:
                await x
                task = asyncio.create_task(x())
    """
    assert codes(source(text), DROPPED) == ["AIO205"]


def test_dead_branches_are_silent() -> None:
    text = "import asyncio\nIS_SYNC = True\nasync def f(x):\n    if not IS_SYNC:\n        asyncio.create_task(x())\n"
    assert codes(text, DROPPED) == []
    assert codes(text.replace("True", "False"), DROPPED) == ["AIO205"]


def test_what_a_test_expects_to_fail_is_silent() -> None:
    text = "import asyncio\ndef f(self, x):\n    with self.assertRaises(OSError):\n        asyncio.create_task(x())\n"
    assert codes(text, DROPPED) == []
    assert codes(text.replace("self.assertRaises", "suppress"), DROPPED) == ["AIO205"]


def test_one_set_for_the_whole_file() -> None:
    text = """
        import asyncio
        from names import *

        def f(x):
            asyncio.create_task(x())
            asyncio.create_task(x())

        def g(x):
            asyncio.create_task(x())
    """
    result = mended(source(text), rules=DROPPED)
    assert result.text.count(" = set()") == 1
    assert result.text.count("background_tasks.add(task)") == 3
    assert not found(result.text, DROPPED)


def test_names_in_use_are_left_alone() -> None:
    text = """
        import asyncio

        background_tasks = []

        def f(x, task):
            asyncio.create_task(x())
            return task
    """
    result = mended(source(text), rules=DROPPED).text
    assert "_background_tasks: set[asyncio.Task] = set()" in result
    assert "    background_task = asyncio.create_task(x())\n    _background_tasks.add(background_task)\n" in result


def test_the_set_of_the_class_is_used_by_its_methods_only() -> None:
    text = """
        import asyncio

        class A:
            def __init__(self):
                self.jobs = set()

            def start(self, x):
                job = asyncio.create_task(x())
                self.jobs.add(job)
                job.add_done_callback(self.jobs.discard)

            def stop(self, x):
                asyncio.create_task(x())

        def other(x):
            asyncio.create_task(x())
    """
    result = mended(source(text), rules=DROPPED).text
    assert result.count("self.jobs.add(task)") == 1
    assert result.count("background_tasks.add(task)") == 1


def test_the_new_set_stands_behind_imports_and_apart_from_definitions() -> None:
    text = '"""Doc."""\nimport asyncio\n\n__all__ = ["f"]\n\n\n# Says why.\ndef f(x):\n    asyncio.create_task(x())\n'
    head, _, rest = text.partition("# Says why.")
    made = "background_tasks: set[asyncio.Task] = set()\n\n\n"
    assert mended(text, rules=DROPPED).text.startswith(head + made + "# Says why." + rest[:8])


@pytest.mark.parametrize(
    ("waits", "number"),
    [
        ("asyncio.wait([asyncio.create_task(x()), asyncio.create_task(y())])", 2),
        ("asyncio.gather(x(), y())", 2),
        ("asyncio.gather(*[x() for _ in z])", 1),
        ("asyncio.gather(*z)", 0),
        ("asyncio.wait(z)", 0),
        ("asyncio.wait(set(z.values()))", 0),
        ("asyncio.gather(x(), self.task)", 0),
    ],
)
def test_what_is_waited_for_and_is_nobody_elses(waits: str, number: int) -> None:
    module = Module.parse(f"import asyncio\nasync def f(self, x, y, z):\n    await {waits}\n")
    [call] = [node.value for node in module.nodes(ast.Await) if isinstance(node.value, ast.Call)]
    assert len(gathered(call, module)) == number


@pytest.mark.parametrize(
    ("body", "safe"),
    [
        ("try: await x\n    except Exception: pass", True),
        ("try: await x\n    except Exception: raise", False),
        ("try: await x\n    except ValueError: pass", False),
        ("await x", False),
        ("print(1)\n    while True:\n        try: await x\n        except Exception: print(2)", True),
    ],
)
def test_a_coroutine_that_catches_everything_cannot_fail(body: str, safe: bool) -> None:
    module = Module.parse(f"async def f(x):\n    {body}\n\nf(1)\n")
    call = next(node for node in module.nodes(ast.Call) if ast.unparse(node) == "f(1)")
    assert cannot_fail(call, module) is safe


@pytest.mark.parametrize(
    ("function", "fresh"),
    [
        ("async def work(): ...", True),
        ("def work():\n    return waiting", False),
        ("@decorated\ndef work():\n    return waiting", True),
        ("work = given()", True),
    ],
)
def test_a_plain_function_of_another_file_may_give_a_future_that_is_kept(
    tmp_path: Path, function: str, fresh: bool
) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "other.py").write_text(f"{function}\n")
    text = "import asyncio\nfrom other import work\nasyncio.ensure_future(work())\n"
    module = Module.parse(text, str(tmp_path / "main.py"), project=View())
    call = next(c for c in module.nodes(ast.Call) if c.args)
    assert settled(module, lambda module: makes_task(call, module) is not None, project()) is fresh


@pytest.mark.parametrize(
    ("decorator", "kept"),
    [("", "self.tasks"), ("@asyncio.coroutine", "self.tasks"), ("@staticmethod", "background_tasks")],
)
def test_a_set_that_the_class_has_for_its_tasks_keeps_more(decorator: str, kept: str) -> None:
    text = (
        "import asyncio\n\nclass Crawler:\n    def __init__(self):\n        self.tasks = set()\n\n"
        "    async def add(self):\n"
        "        task = asyncio.create_task(self.run())\n        self.tasks.add(task)\n"
        "        task.add_done_callback(self.tasks.discard)\n\n"
        f"    {decorator}\n    def go(self, url):\n        asyncio.Task(url.run())\n"
    )
    assert f"{kept}.add(task)" in mended(text, rules=DROPPED).text.partition("def go")[2]
