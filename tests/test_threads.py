"""What runs in a thread, and what a thread does to a loop."""

from __future__ import annotations

import pytest
from cases import found, mended

from flake8_asyncpatterns.rules import RULES

AROUND = """\
import asyncio, functools, threading, _thread
import anyio
from concurrent.futures import ThreadPoolExecutor, ProcessPoolExecutor
from multiprocessing.pool import ThreadPool
from starlette.concurrency import run_in_threadpool

def wake(event, *more, ready=None):
    event.set()

def through(event):
    wake(event)

class Waker:
    def __init__(self):
        self.event = asyncio.Event()

    def wake(self):
        self.event.set()

    @staticmethod
    def other(event):
        event.set()

async def main(pool: ThreadPoolExecutor, processes: ProcessPoolExecutor, other):
    event = asyncio.Event()
    {body}
"""


def lines(source: str) -> list[int]:
    return [finding.line for finding in found(source, [RULES["AIO210"]])]


@pytest.mark.parametrize(
    "body",
    [
        "threading.Thread(target=wake, args=(event,)).start()",
        "threading.Thread(target=wake, kwargs={'event': event}).start()",
        "threading.Timer(1, wake, [event]).start()",
        "threading.Timer(1, function=wake, args=[event]).start()",
        "_thread.start_new_thread(lambda: wake(event), ())",
        "pool.submit(wake, event)",
        "pool.submit(wake, event=event)",
        "await asyncio.to_thread(wake, event, 1)",
        "await asyncio.to_thread(functools.partial(wake, event), ready=1)",
        "await asyncio.get_running_loop().run_in_executor(None, wake, event)",
        "await other.loop.run_in_executor(pool, through, event)",
        "await anyio.to_thread.run_sync(wake, event)",
        "await run_in_threadpool(wake, event)",
        "ThreadPool().map(lambda number: wake(event), range(3))",
        "pool.map(lambda number: wake(event), range(3))",
        "work = wake\n    await asyncio.to_thread(work, event)",
    ],
)
def test_a_function_is_followed_into_its_thread(body: str) -> None:
    assert lines(AROUND.format(body=body)) == [8]


@pytest.mark.parametrize(
    "body",
    [
        "wake(event)",
        "processes.submit(wake, event)",
        "other.submit(wake, event)",
        "await asyncio.to_thread(wake, threading.Event())",
        "await asyncio.to_thread(wake, *other)",
        "asyncio.get_running_loop().call_soon_threadsafe(wake, event)",
        "await asyncio.to_thread(other.wake, event)",
        "waker = Waker()\n    waker.wake()",
    ],
)
def test_what_runs_elsewhere_or_is_unknown_is_not_reported(body: str) -> None:
    assert lines(AROUND.format(body=body)) == []


def test_a_method_is_bound_and_a_static_one_is_not() -> None:
    source = AROUND.format(body="await asyncio.to_thread(Waker.other, event)")
    assert lines(source) == [22]
    assert lines(
        source + "\nclass Timed(Waker):\n    def go(self):\n        threading.Timer(1, self.wake).start()"
    ) == [18, 22]


TOUCH = """\
import asyncio

class Service:
    def __init__(self, loop=None):
        {init}

    def work(self):
        {work}

    async def start(self):
        {start}
"""


@pytest.mark.parametrize(
    ("init", "work", "start", "mends"),
    [
        (
            "self.done = asyncio.Event()",
            "self.done.set()",
            "self.loop = asyncio.get_running_loop(); await asyncio.to_thread(self.work)",
            "self.loop.call_soon_threadsafe(self.done.set)",
        ),
        (
            "self.task = asyncio.create_task(x())",
            "self.task.cancel('late')",
            "await asyncio.to_thread(self.work)",
            "self.task.get_loop().call_soon_threadsafe(self.task.cancel, 'late')",
        ),
        (
            "self.loop = loop or asyncio.get_event_loop()",
            "return self.loop.call_soon(print, context=self)",
            "await asyncio.to_thread(self.work)",
            "return self.loop.call_soon_threadsafe(print, context=self)",
        ),
        (
            "self.queue = asyncio.Queue()",
            "self.queue.put_nowait(1)",
            "await asyncio.to_thread(self.work)",
            None,
        ),
        (
            "self.task = asyncio.create_task(x())",
            "return self.task.cancel()",
            "await asyncio.to_thread(self.work)",
            None,
        ),
    ],
)
def test_the_loop_in_reach_is_told(init: str, work: str, start: str, mends: str | None) -> None:
    source = TOUCH.format(init=init, work=work, start=start)
    assert lines(source) == [8]
    after = TOUCH.format(init=init, work=mends or work, start=start)
    assert mended(source, unsafe=False, rules=[RULES["AIO210"]]).text == after


@pytest.mark.parametrize(
    ("work", "unsafe"),
    [
        ("def work():\n        queue.put_nowait(1)", False),
        (
            "def work():\n        try:\n            queue.put_nowait(1)\n        except Exception:\n            pass",
            True,
        ),
        ("def work():\n        queue.put_nowait(1)\n    work()", True),
    ],
)
def test_what_may_be_missed_makes_the_fix_unsafe(work: str, unsafe: bool) -> None:
    main = f"async def main():\n    queue = asyncio.Queue(1)\n    {work}\n    await asyncio.to_thread(work)\n"
    source = f"import asyncio\n{main}"
    (finding,) = found(source, [RULES["AIO210"]])
    assert finding.fix is not None
    assert bool(finding.fix.unsafe) is unsafe
    assert "    loop = asyncio.get_running_loop()\n    await asyncio.to_thread(work)\n" in mended(source).text


def test_a_coroutines_variable_is_not_the_thread_loops() -> None:
    body = "def work():\n        asyncio.run(main())\n        {}.set()\n    await asyncio.to_thread(work)"
    around = "import asyncio\nshared = asyncio.Event()\nasync def main():\n    event = asyncio.Event()\n    "
    assert lines(around + body.format("event")) == [7]
    assert lines(around + body.format("shared")) == []


def test_what_a_thread_and_coroutines_call_alike_is_not_reported() -> None:
    source = """\
import asyncio, threading

class Router:
    def __init__(self):
        self.wake = asyncio.Event()

    def route(self):
        self.wake.set()

    def read(self):
        self.route()

    def start(self):
        threading.Thread(target=self.read).start()
"""
    assert lines(source) == [8]
    assert lines(f"{source}\n    async def pump(self):\n        self.route()\n") == []
