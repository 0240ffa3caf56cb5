"""What the code around a call says of it: is there anything to wait for?"""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest
from cases import codes

from flake8_asyncpatterns.analysis.blocking import blocks
from flake8_asyncpatterns.module import Module

IMPORTS = """\
import asyncio, concurrent.futures, fcntl, gzip, io, multiprocessing, os, queue, tarfile, tempfile, threading, zipfile
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
"""


def blocked(text: str) -> list[str]:
    """The calls in a text that block, in order."""
    module = Module.parse(IMPORTS + dedent(text))
    calls = [call for call in module.nodes(ast.Call) if blocks(call, module)]
    return [ast.unparse(call) for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset))]


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("async def f(q: queue.Queue): q.get()", ["q.get()"]),
        ("async def f(q: queue.Queue): q.put(1)", []),
        ("async def f():\n    q = queue.Queue(0)\n    q.put(1)", []),
        ("async def f(n):\n    q = queue.Queue(n)\n    q.put(1)", ["q.put(1)"]),
        ("async def f():\n    q = queue.Queue(maxsize=2)\n    q.put(1)", ["q.put(1)"]),
        ("async def f():\n    q = queue.Queue(2)\n    if not q.full():\n        q.put(1)", []),
        ("async def f(q: queue.Queue):\n    while not q.empty():\n        q.get()", []),
        ("async def f(q: queue.Queue, p: queue.Queue):\n    while not p.empty():\n        q.get()", ["q.get()"]),
        ("async def f(q: queue.SimpleQueue):\n    if q.qsize():\n        return q.get()", []),
        ("async def f(c: multiprocessing.connection.Connection):\n    return c.recv()", ["c.recv()"]),
    ],
)
def test_queues(text: str, calls: list[str]) -> None:
    assert blocked(text) == calls


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("async def f(p: ThreadPoolExecutor, g):\n    return p.submit(g).result()", ["p.submit(g).result()"]),
        ("async def f(p: ThreadPoolExecutor, g):\n    x = p.submit(g)\n    return x.result()", ["x.result()"]),
        ("async def f(p: ThreadPoolExecutor, g):\n    x = p.submit(g)\n    if x.done():\n        x.result()", []),
        ("async def f(x: Future):\n    await asyncio.wrap_future(x)\n    return x.result()", []),
        ("def f(x: Future):\n    return x.result()", []),
        ("async def f(x: Future):\n    return x.result()", ["x.result()"]),
        ("async def f(x: Future):\n    x.set_result(1)\n    return x.result()", []),
        ("async def f(x: Future, y: Future):\n    y.set_result(1)\n    return x.result()", ["x.result()"]),
        ("async def f(x: Future, y):\n    if y:\n        x.set_result(y)\n    x.result()", ["x.result()"]),
        (
            """
            def f():
                x = Future()
                x.set_result(1)
                return x
            async def g():
                y = f()
                y.result()
            """,
            [],
        ),
        (
            """
            def f(pool: ThreadPoolExecutor, x) -> Future:
                try:
                    y = pool.submit(x)
                except OSError:
                    y = Future()
                    y.set_result(x())
                    return y
                return y
            async def g(pool, x):
                y = f(pool, x)
                y.result()
            """,
            ["y.result()"],
        ),
        (
            """
            class Attempt:
                outcome: Future | None = None
                def succeed(self, x):
                    y = Future()
                    y.set_result(x)
                    self.outcome, self.time = y, 1
                def reset(self):
                    self.outcome = None
                async def last(self):
                    return self.outcome.result()
            async def f(attempt: Attempt):
                y = attempt.outcome
                return y.result()
            """,
            [],
        ),
        (
            """
            class Attempt:
                outcome: Future | None = None
                def start(self, pool: ThreadPoolExecutor, x):
                    self.outcome, self.time = pool.submit(x), 1
                async def last(self):
                    return self.outcome.result()
            async def f(attempt: Attempt):
                y = attempt.outcome
                return y.result()
            """,
            ["self.outcome.result()", "y.result()"],
        ),
        ("async def f(xs):\n    return [x.result() for x in as_completed(xs)]", ["as_completed(xs)"]),
        ("async def f(xs):\n    for i, x in enumerate(as_completed(xs)):\n        x.result()", ["as_completed(xs)"]),
        ("async def f(xs):\n    return as_completed(xs)", []),
        ("async def f(p: ThreadPoolExecutor, g, xs):\n    p.map(g, xs)", []),
        ("async def f(p: ThreadPoolExecutor, g, xs):\n    return sum(p.map(g, xs))", ["p.map(g, xs)"]),
        ("async def f(p: ThreadPoolExecutor):\n    p.shutdown(False)", []),
    ],
)
def test_futures(text: str, calls: list[str]) -> None:
    assert blocked(text) == calls


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("async def f():\n    x = threading.Lock()\n    x.acquire()", []),
        ("async def f(g):\n    x = threading.Lock()\n    await g(x)\n    x.acquire()", ["x.acquire()"]),
        ("async def f(x: threading.Lock):\n    x.acquire(timeout=0)", []),
        ("async def f(x: threading.Event):\n    if not x.is_set():\n        x.wait()", ["x.wait()"]),
        (
            "async def f(x: threading.Event):\n    while not x.is_set():\n        await asyncio.sleep(1)\n    x.wait()",
            [],
        ),
        ("async def f(x: threading.Thread):\n    while x.is_alive():\n        x.join(1)", ["x.join(1)"]),
        (
            "async def f(g, x):\n    t = threading.Thread(target=g, args=[x])\n    await x\n    t.join()",
            [],
        ),
        ("async def f(g, x):\n    t = threading.Thread(target=g)\n    await x\n    t.join()", ["t.join()"]),
        ("def f(x):\n    fcntl.flock(x, fcntl.LOCK_EX)", ["fcntl.flock(x, fcntl.LOCK_EX)"]),
        ("def f(x):\n    fcntl.flock(x, fcntl.LOCK_EX | fcntl.LOCK_NB)", []),
    ],
)
def test_locks_and_threads(text: str, calls: list[str]) -> None:
    assert blocked(text) == calls


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("async def f(p):\n    with open(p) as x:\n        return x.read(), x.read()", ["open(p)"]),
        ("async def f():\n    return open('/dev/null'), open(os.devnull), Path('/proc/stat').read_text()", []),
        ("async def f(d):\n    b = io.BytesIO(d)\n    return zipfile.ZipFile(b), gzip.GzipFile(fileobj=b)", []),
        ("async def f(d):\n    return tarfile.open(fileobj=io.BytesIO(d))", []),
        ("async def f(p):\n    return zipfile.ZipFile(p)", ["zipfile.ZipFile(p)"]),
        ("async def f(p):\n    x = await asyncio.to_thread(open, p)\n    return x.read()", ["x.read()"]),
        (
            "async def f(p: Path):\n    return (p / 'x').parent.joinpath('y').read_text()",
            ["(p / 'x').parent.joinpath('y').read_text()"],
        ),
        (
            "async def f(p: Path):\n    for x in p.iterdir():\n        x.write_text('')",
            ["p.iterdir()", "x.write_text('')"],
        ),
        ("async def f(x: tempfile.SpooledTemporaryFile):\n    return x.read()", []),
    ],
)
def test_files(text: str, calls: list[str]) -> None:
    assert blocked(text) == calls


def test_a_file_that_another_function_opened_is_told_once() -> None:
    text = """
    class Log:
        def __init__(self):
            self.file = open("log")

        async def write(self, line):
            self.file.write(line)
            self.file.flush()
    """
    assert blocked(text) == ["open('log')", "self.file.write(line)"]


def test_a_loop_that_reads_piece_by_piece_is_told_of_itself() -> None:
    text = """
    async def send(path, write):
        with open(path, "rb") as file:
            write(file.read(10))
            while piece := file.read(1024):
                write(piece)
                write(file.read(16))
        with gzip.open(io.BytesIO(b"")) as memory:
            while piece := memory.read(1024):
                write(piece)
    """
    assert blocked(text) == ["open(path, 'rb')", "file.read(1024)"]


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("if p.poll() is not None:\n        p.wait()", []),
        ("if p.poll() is None or late:\n        return\n    else:\n        p.wait()", []),
        ("if not (p.returncode is None):\n        p.communicate()", []),
        ("if p.poll() is not None or late:\n        p.wait()", ["p.wait()"]),
        ("if p.poll() is None:\n        p.wait()", ["p.wait()"]),
        ("if q.poll() is not None:\n        p.wait()", ["p.wait()"]),
        ("while p.poll() is None:\n        await asyncio.sleep(1)\n    p.wait()", []),
        ("while p.poll() is None:\n        if late: break\n    p.wait()", ["p.wait()"]),
    ],
)
def test_processes(text: str, calls: list[str]) -> None:
    head = "import subprocess\nasync def f(p: subprocess.Popen, q: subprocess.Popen, late):\n"
    assert blocked(f"{head}    {text}") == calls


@pytest.mark.parametrize(
    ("path", "rest", "count"),
    [
        ("':memory:'", "self.db.execute('x')", 0),
        ("':memory:'", "self.db.cursor().execute('x')", 0),
        ("':memory:'", "cursor = self.db.cursor()\n        cursor.fetchall()", 0),
        ("':memory:'", "with self.db as db:\n            db.execute('x')", 0),
        ("':memory:'", "with contextlib.closing(self.db.cursor()) as cursor:\n            cursor.execute('x')", 0),
        ("'a.db'", "with contextlib.closing(self.db.cursor()) as cursor:\n            cursor.execute('x')", 1),
        ("'a.db'", "with self.db as db:\n            db.execute('x')", 1),
        ("path", "self.db.execute('x')", 1),
        ("'a.db'", "cursor = self.db.cursor()\n        cursor.fetchall()", 1),
    ],
)
def test_a_database_in_memory(path: str, rest: str, count: int) -> None:
    text = (
        "import contextlib, sqlite3\nclass A:\n    db: sqlite3.Connection\n"
        "    def __init__(self, path):\n        self.db = sqlite3.connect({})\n"
    )
    found = codes(f"{text.format(path)}    async def f(self):\n        {rest}\n")
    assert found == ["AIO106"] * count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("socket.gethostbyname(host)", 1),
        ("socket.gethostbyname('localhost')", 0),
        ("socket.getaddrinfo(None, 80)", 0),
        ("socket.getaddrinfo(host='localhost', port=80)", 0),
        ("if host and host == 'localhost': socket.gethostbyname(host)", 0),
        ("if host == 'localhost': socket.gethostbyname(other)", 1),
        ("if host == 'localhost': pass\n    else: socket.gethostbyname(host)", 1),
        ("if host == 'far': socket.gethostbyname(host)", 1),
        ("if host != 'localhost': socket.gethostbyname(host)", 1),
        ("if host == 'localhost' or late: socket.gethostbyname(host)", 1),
    ],
)
def test_the_name_of_this_machine_needs_no_network(text: str, count: int) -> None:
    assert codes(f"import socket\nasync def f(host, other, late):\n    {text}\n") == ["AIO102"] * count


@pytest.mark.parametrize(("condition", "found"), [("not self.jobs.empty()", []), ("self.running", ["AIO110"])])
def test_a_class_around_a_queue_is_asked_as_the_queue_is(condition: str, found: list[str]) -> None:
    text = f"""
        class Jobs:
            def __init__(self):
                self.queue = queue.PriorityQueue()
            def get(self):
                return self.queue.get()[1]
            def empty(self):
                return self.queue.empty()

        class Worker:
            def __init__(self):
                self.jobs = Jobs()
            async def work(self):
                while {condition}:
                    await self.jobs.get()()
                    await asyncio.sleep(0)
    """
    assert codes(IMPORTS + dedent(text)) == found


def test_a_socket_that_the_loop_is_handed_does_not_block() -> None:
    text = """
        import socket

        class Link(asyncio.Protocol):
            def __init__(self, sock: socket.socket):
                self.sock = sock
            async def ask(self, data):
                self.sock.send(data)

        async def link(sock, loop):
    """
    handed = "    return await loop.connect_accepted_socket(lambda: Link(sock), sock)\n"
    assert blocked(dedent(text) + handed) == []
    assert blocked(dedent(text) + "    return Link(sock)\n") == ["self.sock.send(data)"]
