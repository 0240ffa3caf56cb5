"""Callbacks: what is known of them, and what becomes of each kind."""

from __future__ import annotations

import importlib
import textwrap
from typing import Any

import pytest
from cases import found, mended

from flake8_asyncpatterns.check import project, settled
from flake8_asyncpatterns.engine import check
from flake8_asyncpatterns.facts import View
from flake8_asyncpatterns.knowledge.callbacks import RECEIVERS, RESULTS, UNMISTAKABLE
from flake8_asyncpatterns.module import Module
from flake8_asyncpatterns.rules import RULES

OURS = [RULES["AIO201"], RULES["AIO202"]]

MODULE = '''\
import asyncio
import atexit
import concurrent.futures
import contextlib
import functools
import signal
import threading


def plain(*args, **kwargs):
    print(args, kwargs)


async def work(*args, **kwargs):
    print(args, kwargs)


async def numbers():
    yield 1


def factory(*args):
    return plain


class Worker:
    def __init__(self, loop=None):
        self.loop = loop or asyncio.get_event_loop()
        self.queue = asyncio.Queue()

    def note(self, *args):
        print(args)

    def hook(self):
        """Others say what is to be done."""

    def other_hook(self):
        print("missing")
        raise NotImplementedError

    async def run(self, *args, **kwargs):
        print(args)

    async def scene(self, x, xs):
        loop = asyncio.get_running_loop()
        task = loop.create_task(asyncio.sleep(0))
        pool = concurrent.futures.ThreadPoolExecutor()
        stack = contextlib.AsyncExitStack()
        event = asyncio.Event()
        {line}
'''


def scene(line: str) -> str:
    return MODULE.replace("{line}", textwrap.indent(line, " " * 8).lstrip())


def becomes(line: str, *, unsafe: bool) -> str:
    """What the fix makes of one line in a coroutine method."""
    before = scene(line)
    result = mended(before, rules=OURS, unsafe=unsafe)
    assert not result.left, result.left
    head, _, _ = MODULE.partition("{line}")
    return textwrap.dedent(" " * 8 + result.text[len(head) :]).strip() if result.text.startswith(head) else result.text


@pytest.mark.parametrize(
    ("bad", "good"),
    [
        ("loop.call_soon(plain())", "loop.call_soon(plain)"),
        ("loop.call_soon(plain(x))", "loop.call_soon(plain, x)"),
        ("loop.call_soon((plain(x)))", "loop.call_soon(plain, x)"),
        ("loop.call_soon(plain((x)))", "loop.call_soon(plain, x)"),
        ("loop.call_soon(plain(x for x in xs))", "loop.call_soon(plain, (x for x in xs))"),
        ("loop.call_soon(plain(*xs, x))", "loop.call_soon(plain, *xs, x)"),
        ("loop.call_soon(plain(await work()))", "loop.call_soon(plain, await work())"),
        ("loop.call_soon(plain(x), context=None)", "loop.call_soon(plain, x, context=None)"),
        ("loop.call_soon(plain(x, k=1))", "loop.call_soon(functools.partial(plain, x, k=1))"),
        ("loop.call_soon(plain(**x))", "loop.call_soon(functools.partial(plain, **x))"),
        ("loop.call_soon(callback=plain(x))", "loop.call_soon(callback=functools.partial(plain, x))"),
        ("loop.call_later(1, plain(x))  # why", "loop.call_later(1, plain, x)  # why"),
        ("loop.call_at(x + 1, self.note(x))", "loop.call_at(x + 1, self.note, x)"),
        ("loop.call_soon_threadsafe(event.set())", "loop.call_soon_threadsafe(event.set)"),
        ("xs.call_soon_threadsafe(event.set())", "xs.call_soon_threadsafe(event.set)"),
        ("self.loop.call_later(1, task.cancel('late'))", "self.loop.call_later(1, task.cancel, 'late')"),
        ("loop.add_signal_handler(15, loop.stop())", "loop.add_signal_handler(15, loop.stop)"),
        ("loop.add_reader(0, plain(0))", "loop.add_reader(0, plain, 0)"),
        ("task.add_done_callback(plain(task))", "task.add_done_callback(plain)"),
        ("task.add_done_callback(plain(x))", "task.add_done_callback(lambda _: plain(x))"),
        ("task.add_done_callback(event.set())", "task.add_done_callback(lambda _: event.set())"),
        ("signal.signal(15, plain('bye'))", "signal.signal(15, lambda *_: plain('bye'))"),
        ("await loop.run_in_executor(None, plain(x))", "await loop.run_in_executor(None, plain, x)"),
        ("await asyncio.to_thread(plain(x, k=1))", "await asyncio.to_thread(plain, x, k=1)"),
        ("pool.submit(plain(x, k=1))", "pool.submit(plain, x, k=1)"),
        ("atexit.register(plain(x))", "atexit.register(plain, x)"),
        ("threading.Thread(target=plain()).start()", "threading.Thread(target=plain).start()"),
        ("threading.Thread(target=plain(x), daemon=True)", "threading.Thread(target=plain, args=(x,), daemon=True)"),
        ("threading.Thread(target=plain(k=1))", "threading.Thread(target=functools.partial(plain, k=1))"),
        ("threading.Timer(1, plain(x))", "threading.Timer(1, plain, args=(x,))"),
        ("stack.callback(plain(x))", "stack.callback(plain, x)"),
        (
            "loop.call_soon(\n    plain(\n        x,\n        1,\n    ),\n    context=None,  # ours\n)",
            "loop.call_soon(\n    plain, x, 1,\n    context=None,  # ours\n)",
        ),
    ],
)
def test_what_gives_nothing_is_handed_over_safely(bad: str, good: str) -> None:
    assert becomes(bad, unsafe=False) == good


UNSAFE = [
    # A coroutine was made.
    ("t = loop.call_soon(work(x))", "t = loop.create_task(work(x))"),
    ("loop.call_soon_threadsafe(work(x))", "asyncio.run_coroutine_threadsafe(work(x), loop)"),
    ("loop.call_later(1, work(x, k=1))", "loop.call_later(1, lambda: asyncio.create_task(work(x, k=1)))"),
    (
        "loop.call_later(1, work(self.kept))",
        "loop.call_later(1, lambda *args: asyncio.create_task(work(*args)), self.kept)",
    ),
    (
        "loop.add_signal_handler(15, work(signal.SIGINT))",
        "loop.add_signal_handler(15, lambda: asyncio.create_task(work(signal.SIGINT)))",
    ),
    ("task.add_done_callback(plain(x.y))", "task.add_done_callback(lambda _: plain(x.y))"),
    ("loop.call_later(1, self.queue.put(x))", "loop.call_later(1, lambda: asyncio.create_task(self.queue.put(x)))"),
    (
        "for x in xs:\n    loop.call_later(1, work(x, 2))",
        "for x in xs:\n    loop.call_later(1, lambda *args: asyncio.create_task(work(*args)), x, 2)",
    ),
    ("loop.add_signal_handler(15, self.run())", "loop.add_signal_handler(15, lambda: asyncio.create_task(self.run()))"),
    ("task.add_done_callback(work(x))", "task.add_done_callback(lambda _: asyncio.create_task(work(x)))"),
    ("await loop.run_in_executor(None, work(x))", "await work(x)"),
    ("fut = loop.run_in_executor(None, work(x))", "fut = loop.create_task(work(x))"),
    ("await asyncio.to_thread(work(x))", "await work(x)"),
    ("threading.Thread(target=work(x))", "threading.Thread(target=asyncio.run, args=(work(x),))"),
    ("threading.Timer(1, work(x))", "threading.Timer(1, asyncio.run, args=(work(x),))"),
    ("pool.submit(work(x))", "pool.submit(asyncio.run, work(x))"),
    ("atexit.register(work(x))", "atexit.register(lambda: asyncio.run(work(x)))"),
    ("stack.callback(work(x))", "stack.push_async_callback(work, x)"),
    # A coroutine function was handed over.
    ("t = loop.call_soon(work, x)", "t = loop.create_task(work(x))"),
    ("loop.call_soon_threadsafe(self.queue.put, x)", "asyncio.run_coroutine_threadsafe(self.queue.put(x), loop)"),
    ("loop.call_later(1, self.run)", "loop.call_later(1, lambda: asyncio.create_task(self.run()))"),
    ("loop.call_later(1, work, x)", "loop.call_later(1, lambda *args: asyncio.create_task(work(*args)), x)"),
    (
        "loop.call_at(1, functools.partial(self.run, k=1))",
        "loop.call_at(1, lambda: asyncio.create_task(self.run(k=1)))",
    ),
    (
        "loop.call_at(1, functools.partial(work, 1), x)",
        "loop.call_at(1, lambda *args: asyncio.create_task(work(1, *args)), x)",
    ),
    (
        "late = functools.partial(work, x)\nloop.call_later(1, late)",
        "late = functools.partial(work, x)\nloop.call_later(1, lambda: asyncio.create_task(late()))",
    ),
    ("loop.call_later(1, lambda: work(x))", "loop.call_later(1, lambda: asyncio.create_task(work(x)))"),
    ("task.add_done_callback(work)", "task.add_done_callback(lambda done: asyncio.create_task(work(done)))"),
    ("await loop.run_in_executor(None, work, x)", "await work(x)"),
    ("await asyncio.to_thread(self.run, x, k=1)", "await self.run(x, k=1)"),
    ("threading.Thread(target=work)", "threading.Thread(target=lambda: asyncio.run(work()))"),
    ("threading.Thread(target=work, args=(x,))", "threading.Thread(target=asyncio.run, args=(work(x),))"),
    (
        "threading.Thread(target=work, args=xs)",
        "threading.Thread(target=lambda *args: asyncio.run(work(*args)), args=xs)",
    ),
    ("threading.Timer(1, work, args=(x,))", "threading.Timer(1, lambda *args: asyncio.run(work(*args)), args=(x,))"),
    ("threading.Thread(target=work, args=[*xs])", "threading.Thread(target=asyncio.run, args=(work(*xs),))"),
    ("pool.submit(work, x, k=1)", "pool.submit(asyncio.run, work(x, k=1))"),
    ("atexit.register(work)", "atexit.register(lambda: asyncio.run(work()))"),
    (
        "atexit.register(work, x, k=1)",
        "atexit.register(lambda *args, **kwargs: asyncio.run(work(*args, **kwargs)), x, k=1)",
    ),
    ("stack.callback(work, x)", "stack.push_async_callback(work, x)"),
    # A lambda that may see other values.
    (
        "for x in xs:\n    task.add_done_callback(plain(x.y))",
        "for x in xs:\n    task.add_done_callback(lambda _, x=x: plain(x.y))",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "good"), UNSAFE)
def test_what_makes_a_coroutine_is_mended_only_when_asked(bad: str, good: str) -> None:
    assert becomes(bad, unsafe=False) == bad
    assert becomes(bad, unsafe=True) == good


UNCLEAR = "it is not clear what the further arguments of `{}()` are for"
REPEATED = "`add_reader()` calls it as long as there is something to read or write; a task comes too late"
LATER = "in a lambda its arguments would be evaluated later, when they may be others"
ANOTHER = "`functools.partial(work, x)` may be another when it is called"
BACK = "`work` is taken back by itself, which a lambda in its place would not be"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("loop.call_soon(plain(x), x)", UNCLEAR.format("call_soon")),
        ("threading.Thread(target=plain(x), args=(x,))", UNCLEAR.format("Thread")),
        ("loop.add_reader(0, work)", REPEATED),
        ("signal.signal(15, work)", "what `signal()` calls cannot await a coroutine"),
        ("task.add_done_callback(plain(await work()))", "a lambda can neither await nor yield"),
        ("for x in xs:\n    loop.call_later(1, work(k=x))", LATER),
        ("for x in xs:\n    loop.call_later(1, functools.partial(work, x))", ANOTHER),
        ("atexit.register(work)\natexit.unregister(work)", BACK),
        ("task.add_done_callback(work)\ntask.remove_done_callback(work)", BACK),
    ],
)  # fmt: skip
def test_what_cannot_be_mended_says_why(line: str, why: str) -> None:
    assert [(f.fix, f.refusal) for f in found(scene(line), OURS)] == [(None, why)]


@pytest.mark.parametrize(
    "line",
    [
        "loop.call_soon(factory(x))",
        "loop.call_soon(self.hook())",
        "loop.call_soon(unknown(x))",
        "loop.call_soon(self.other_hook())",
        "loop.call_soon(numbers())",
        "loop.call_soon(numbers)",
        "loop.call_soon(functools.partial(plain, x))",
        "loop.call_soon(lambda: plain(x))",
        "loop.call_soon(lambda: asyncio.create_task(work()))",
        "loop.call_soon(plain, x)",
        "xs.call_soon(plain(x))",
        "xs.call_later(1, work)",
        "xs.add_done_callback(work)",
        "xs.submit(work(x))",
        "loop.call_soon(*xs, plain(x))",
        "threading.Thread(target=asyncio.run, args=(work(),))",
        "await (await asyncio.to_thread(work, x))",
        "made = await loop.run_in_executor(None, work)\nawait made",
        "await asyncio.to_thread(asyncio.run, work())",
        "stack.push_async_callback(work, x)",
    ],
)
def test_what_may_be_right_is_left_alone(line: str) -> None:
    assert found(scene(line), OURS) == []


def test_a_method_of_ones_own_name_is_not_asyncios() -> None:
    text = """
    class Bridge:
        def call_soon_threadsafe(self, made): ...

        def use(self, event):
            self.call_soon_threadsafe(print(event))
    """
    assert found(textwrap.dedent(text), OURS) == []


def test_a_sleep_meant_for_a_thread_is_one_finding() -> None:
    text = "import asyncio, time\nasync def f():\n    await asyncio.to_thread(time.sleep(1))\n"
    assert [f.rule.code for f in found(text)] == ["AIO201"]
    assert mended(text).text == text.replace("time.sleep(1)", "time.sleep, 1")


def test_comments_between_arguments_stay() -> None:
    bad = """
    loop.call_soon(
        plain(  # soon
            # the place
            x,  # of it
            1,
        )
    )
    """
    good = """
    loop.call_soon(
        plain,  # soon
        # the place
        x,  # of it
        1
    )
    """
    assert becomes(textwrap.dedent(bad).strip(), unsafe=False) == textwrap.dedent(good).strip()


RUNNING = """
import asyncio
import functools
import threading

ran = []


async def work(*args, **kwargs):
    await asyncio.sleep(0)
    ran.append((*args, *kwargs.values()))


async def main():
    loop = asyncio.get_running_loop()
    kept = [
        loop.call_soon(work, 1),
        loop.call_soon(work(2)),
        loop.call_later(0, work, 3),
        loop.call_later(0, functools.partial(work, 4), 5),
        loop.call_at(0, work(6, k=7)),
        loop.call_soon_threadsafe(work, 8),
        loop.create_future().add_done_callback(work),
    ]
    await asyncio.to_thread(work, 9)
    await loop.run_in_executor(None, work(10))
    threads = [threading.Thread(target=work), threading.Thread(target=work, args=(11,))]
    for number in (12, 13):
        kept.append(loop.call_later(0, work(number)))
    for thread in threads:
        thread.start()
        thread.join()
    done = loop.create_future()
    done.add_done_callback(work(14))
    done.set_result(None)
    await asyncio.sleep(0.05)


asyncio.run(main())
"""


def test_what_is_mended_runs() -> None:
    names: dict[str, Any] = {}
    result = mended(RUNNING, rules=OURS)
    assert not result.left
    exec(result.text, names)
    assert sorted(names["ran"]) == [
        (), (1,), (2,), (3,), (4, 5), (6, 7), (8,), (9,), (10,), (11,), (12,), (13,), (14,),
    ]  # fmt: skip


def test_the_message_says_what_happens() -> None:
    (first,) = found(scene("loop.call_soon(plain(x))"), OURS)
    assert first.message == "`plain(…)` is called now; its result, None, is scheduled"
    (second,) = found(scene("loop.call_soon(self.run)"), OURS)
    assert second.message == "`self.run` is a coroutine function; `call_soon()` has it called, and nothing awaits it"


@pytest.mark.parametrize("name", [*RECEIVERS, *RESULTS, *UNMISTAKABLE.values()])
def test_every_name_of_the_tables_exists(name: str) -> None:
    parts = name.split(".")
    for size in range(len(parts) - 1, 0, -1):
        try:
            thing: Any = importlib.import_module(".".join(parts[:size]))
        except ModuleNotFoundError:
            continue
        for part in parts[size:]:
            made = thing if hasattr(thing, part) else thing()  # a lock's methods are seen on instances only
            thing = getattr(made, part)
        assert callable(thing)
        return
    pytest.fail(name)


@pytest.mark.parametrize(
    "code",
    [
        "try:\n        pass\n    except ValueError as error:\n        future.add_done_callback({})\n",
        "error = 1\n    future.add_done_callback({})\n    del error\n",
        "class A:\n        error = 1\n        future.add_done_callback({})\n",
        "for error in range(3):\n        future.add_done_callback({})\n",
        "def add():\n        future.add_done_callback({})\n\n    for error in range(3):\n        add()\n",
        "[future.add_done_callback({}) for error in range(3)]\n",
    ],
)
def test_a_lambda_keeps_what_is_gone_or_another_when_it_runs(code: str) -> None:
    source = f"import asyncio\n\n\ndef plain(x):\n    print(x)\n\n\nasync def main(future: asyncio.Future):\n    {code}"
    made = mended(source.format("plain(error)"), unsafe=False, rules=OURS).text
    assert made == source.format("lambda _, error=error: plain(error)")


def test_a_lambda_leaves_a_comprehension_its_own_variables() -> None:
    source = (
        "import asyncio\n\n\ndef plain(x):\n    print(x)\n\n\n"
        "async def main(future: asyncio.Future, many):\n    future.add_done_callback({})\n"
    )
    made = mended(source.format("plain([one for one in many])"), unsafe=False, rules=OURS).text
    assert made == source.format("lambda _: plain([one for one in many])")


@pytest.mark.parametrize(
    ("base", "reported"),
    [
        ("def __init__(self, loop=None):\n        self.loop = loop or asyncio.get_event_loop()", True),
        ("def __init__(self, loop: asyncio.AbstractEventLoop):\n        self.loop = loop", True),
        ("loop: asyncio.AbstractEventLoop", True),
        ("def __init__(self, loop):\n        self.loop = loop", False),
        ("def loop(self): pass", False),
        ("pass", False),
    ],
)
def test_the_loop_that_a_base_class_in_another_file_keeps(base: str, reported: bool, tmp_path) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "far.py").write_text(f"import asyncio\nclass Far:\n    {base}\n")
    (tmp_path / "near.py").write_text("from far import Far\nclass Near(Far):\n    pass\n")
    source = """\
from functools import partial
from near import Near

class Client(Near):
    async def expire(self, why):
        pass

    def start(self):
        expire = partial(self.expire, "late")
        self.timer = self.loop.call_later(5, expire)
        self.loop.call_soon(self.expire("now"))
"""
    module = Module.parse(source, str(tmp_path / "client.py"), project=View())
    reports = settled(module, lambda module: check(module, [RULES["AIO201"], RULES["AIO202"]]), project())
    expected = {("AIO202", 10), ("AIO201", 11)} if reported else set()
    assert {(f.rule.code, f.line) for f in reports} == expected
