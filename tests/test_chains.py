"""How a coroutine comes to block by way of plain functions."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from cases import codes, found, mended

from flake8_asyncpatterns.analysis.chains import Chains
from flake8_asyncpatterns.check import project, settled
from flake8_asyncpatterns.engine import check
from flake8_asyncpatterns.facts import View
from flake8_asyncpatterns.module import Module
from flake8_asyncpatterns.rules import RULES
from flake8_asyncpatterns.settings import NONE

IMPORTS = "import asyncio, contextlib, functools, requests, threading, time\n"
SLEEPS = "def slow(*args): time.sleep(1)\n"


def chains(text: str) -> list[str]:
    """The ways to what blocks, `f → g → time.sleep`, in the order of the calls."""
    module = Module.parse(IMPORTS + dedent(text))
    found = sorted(module.analysis(Chains).real.items(), key=lambda item: item[0].lineno)
    return [" → ".join(step.name for step in way.steps) for _, way in found]


def test_the_shortest_way_is_shown_and_circles_are_no_matter() -> None:
    text = """
    def far(): near(); far()
    def near(): slow(); far()
    async def f(): far()
    async def g(): near()
    """
    assert chains(SLEEPS + dedent(text)) == ["far → near → slow → time.sleep", "near → slow → time.sleep"]


@pytest.mark.parametrize(
    "text",
    [
        "async def f(): await asyncio.to_thread(slow)",
        "async def f(): threading.Thread(target=slow).start()",
        "async def f(): return functools.partial(slow, 1)",
        "async def f(): return lambda: slow()",
        "async def f(): return (slow() for _ in range(3))",
        "def gen():\n    yield slow()\nasync def f(): return gen()",
        "async def other(): slow()\nasync def f(): await other()",
        "def g():\n    def inner(): slow()\n    return inner\nasync def f(): return g()",
        "def g():\n    if not asyncio.get_event_loop().is_running(): slow()\nasync def f(): g()",
        "def g(loop):\n    return None if loop.is_running() else slow()\nasync def f(loop): g(loop)",
        "@decorated\ndef g(): slow()\nasync def f(): g()",
        "class A:\n    def g(self): slow()\n    async def f(self): self.g()\nclass B(A):\n    def g(self): pass",
        "def g(wait=False):\n    if wait: slow()\nasync def f(): g()",
        "def g(wait):\n    if not wait: return\n    slow()\nasync def f(): g(False)",
        "def g(a, *, mode='x'):\n    if mode == 'y' and a: slow()\nasync def f(a): g(a)",
        "def g(a=0, b=''):\n    if a or b: slow()\nasync def f(): g()",
        "def g(a, b):\n    if a and b: return\n    slow()\nasync def f(): g(1, True)",
        "class A:\n    def g(self, now):\n        if now is None: slow()\n    async def f(self): self.g(1)",
        "def g(): h(False)\ndef h(wait):\n    if wait: slow()\nasync def f(): g()",
        "def g(wait=False): h(wait)\ndef h(wait):\n    if wait: slow()\nasync def f(): g()",
        "def g(wait): h(now=wait)\ndef h(*, now): i(1, now)\ndef i(a, b):\n    if b: slow()\nasync def f(): g(False)",
        "def g(a, b): h(b, a)\ndef h(a, b):\n    if a: slow()\nasync def f(x): g(x, None)",
        "def g(n, wait=False):\n    if n: g(0, wait)\n    if wait: slow()\nasync def f(): g(3)",
        "lock = threading.Lock()\ndef g(): lock.acquire()\nasync def f(): g()",
        "SYNC = False\ndef g():\n    if SYNC: slow()\nasync def f(): g()",
    ],
)
def test_what_does_not_block(text: str) -> None:
    before = "async def other(): pass\n" if "await other" in text else ""
    ways = chains(before + SLEEPS + text)
    assert ways == (["slow → time.sleep"] if "await other" in text else [])


def test_constants_of_any_kind_are_handed_on() -> None:
    text = """
    def g(wait): h(wait)
    def h(wait):
        if wait != 3: slow()
    async def f():
        CALLS
    """
    given = ["None", "1", "'x'", "3", "b'x'", "...", "1.5", "2j", "True", "wait=3", "-3"]
    calls = "\n        ".join(f"g({one})" for one in given)
    assert len(chains(SLEEPS + dedent(text.replace("CALLS", calls)))) == len(given) - 2


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("async def f(): slow()", "slow"),
        ("async def f(): return [slow() for _ in range(3)]", "slow"),
        ("async def f(): return any(slow() for _ in range(3))", "slow"),
        ("async def f():\n    def inner(): slow()\n    inner()", "inner → slow"),
        ("def gen():\n    yield slow()\nasync def f():\n    for _ in gen(): pass", "gen → slow"),
        ("@functools.cache\ndef g(): slow()\nasync def f(): g()", "g → slow"),
        ("@contextlib.contextmanager\ndef g():\n    yield slow()\nasync def f():\n    with g(): pass", "g → slow"),
        ("def g(wait=True):\n    if wait: slow()\nasync def f(): g()", "g → slow"),
        ("def g(wait):\n    if wait: slow()\nasync def f(w): g(w)", "g → slow"),
        ("def g(wait=False):\n    if wait: slow()\nasync def f(**o): g(**o)", "g → slow"),
        ("def g(wait=False): h(wait)\ndef h(wait):\n    if wait: slow()\nasync def f(): g(True)", "g → h → slow"),
        ("def g(wait=False): h(wait)\ndef h(wait):\n    if wait: slow()\nasync def f(w): g(w)", "g → h → slow"),
        ("def g(wait=0):\n    wait = 1\n    h(wait)\ndef h(w):\n    if w: slow()\nasync def f(): g()", "g → h → slow"),
        ("def g(wait=0): h(wait)\ndef h(w):\n    slow()\nasync def f(): g()", "g → h → slow"),
        ("def g(a): h(*a)\ndef h(w=0):\n    if w: slow()\nasync def f(): g(0)", "g → h → slow"),
        ("class A:\n    def __init__(self): slow()\nasync def f(): return A()", "A → slow"),
        ("class A:\n    @classmethod\n    def g(cls): slow()\n    async def f(self): self.g()", "g → slow"),
        ("class A:\n    def g(self): slow()\nclass B(A):\n    async def f(self): self.g()", "g → slow"),
        ("class A:\n    def g(self): slow()\nasync def f(a: A): a.g()", "g → slow"),
        ("@asyncio.coroutine\ndef f():\n    slow()\n    yield from asyncio.sleep(0)", "slow"),
    ],
)
def test_what_blocks(text: str, way: str) -> None:
    assert chains(SLEEPS + text) == [f"{way} → time.sleep"]


def test_every_place_on_the_way_is_told() -> None:
    text = """\
import requests
def get():
    return requests.get("x")
def load():
    return get()
async def f():
    load()
"""
    [finding] = found(text, [RULES["AIO110"]])
    assert finding.line == 7
    assert finding.message.endswith("`load` (line 4) → `get` (line 2) → `requests.get` (line 3)")
    assert [(place.node.line, place.message) for place in finding.related] == [
        (5, "`load` calls `get`"),
        (3, "`get` calls `requests.get`"),
    ]


@pytest.mark.parametrize(("decorator", "count"), [("run_in_thread", 0), ("tools.threaded(2)", 0), ("retried", 1)])
def test_a_coroutine_that_a_thread_runs(decorator: str, count: int) -> None:
    text = f"import time\ndef g(): time.sleep(1)\n@{decorator}\nasync def f(): g()\n"
    assert codes(text) == ["AIO110"] * count


def test_work_on_files_is_told_apart() -> None:
    text = "def g(p): return open(p)\ndef h(p):\n    g(p)\n    input()\nasync def f(p):\n    g(p)\n    h(p)\n"
    assert codes(text) == ["AIO114", "AIO110"]


@pytest.mark.parametrize(
    "text",
    [
        "def g():\n    time.sleep(1)\n    asyncio.get_running_loop().stop()\nasync def f(): g()\n",
        "def g():\n    yield time.sleep(1)\nasync def f(): list(g())\n",
        "def g():\n    time.sleep(1)\n    return asyncio.sleep(1)\nasync def f(): await g()\n",
        "told = threading.Condition()\ndef g(): told.wait()\nasync def f(): g()\n",
    ],
)
def test_what_a_thread_cannot_run_is_left(text: str) -> None:
    [finding] = found(IMPORTS + text, [RULES["AIO110"]])
    assert finding.refusal
    assert finding.fix is None
    assert mended(IMPORTS + text, rules=[RULES["AIO110"]]).text == IMPORTS + text


@pytest.mark.parametrize("wait", ["time.sleep(1)", "items.get()", "slow()", "requests.get('x')"])
def test_a_loop_that_blocks_is_the_matter_of_the_rule_for_that(wait: str) -> None:
    text = f"import queue\n{IMPORTS}{SLEEPS}async def f(items: queue.Queue):\n    while True:\n        {wait}\n"
    assert "AIO111" not in codes(text)
    assert len(codes(text)) == 1


def test_a_loop_that_asks_about_files_is_still_one_without_an_await() -> None:
    assert codes("import os\nasync def f(p):\n    while True:\n        print(os.stat(p))\n") == ["AIO111", "AIO105"]


LIBRARY = """\
import requests
import time

def post(payload):
    return requests.post("https://hooks.example", json=payload)

def notify(payload, *, wait=True):
    if wait:
        return post(payload)

def plain(payload):
    return dict(payload)

class Client:
    def close(self):
        time.sleep(1)
"""


def in_project(root: Path, text: str) -> list[str]:
    """What AIO110 says of a file beside a library of the same project."""
    (root / "library.py").write_text(LIBRARY)
    path = root / "app.py"
    path.write_text(text)
    module = Module.parse(text, str(path), NONE, View())
    found = settled(module, lambda module: check(module, [RULES["AIO110"]]), project())
    return [finding.message for finding in found]


def test_a_function_of_another_file_is_followed(tmp_path: Path) -> None:
    [message] = in_project(tmp_path, "from library import notify\nasync def f():\n    notify({})\n")
    assert message.endswith("`notify` (library.py:7) → `post` (library.py:4) → `requests.post` (library.py:5)")


def test_by_way_of_a_function_of_its_own(tmp_path: Path) -> None:
    text = "import library\ndef tell():\n    library.post({})\nasync def f():\n    tell()\n"
    [message] = in_project(tmp_path, text)
    assert message.endswith("`tell` (line 2) → `post` (library.py:4) → `requests.post` (library.py:5)")


def test_a_method_of_a_class_of_another_file(tmp_path: Path) -> None:
    text = "from library import Client\nasync def f(client: Client):\n    client.close()\n"
    assert len(in_project(tmp_path, text)) == 1


def test_a_property_runs_where_it_is_read() -> None:
    text = """
    class C:
        @property
        def answer(self): return requests.get(self.url)
        @functools.cached_property
        def text(self): return self.answer.text
        async def f(self): return self.text
    """
    assert chains(text) == ["text → answer → requests.get"]
    [report] = check(Module.parse(IMPORTS + dedent(text)), [RULES["AIO110"]])
    assert report.message.startswith("`text` blocks the event loop, waiting for the network: `text` (line 7)")
    assert "property" in report.refusal
    assert [related.message for related in report.related] == ["`text` reads `answer`", "`answer` calls `requests.get`"]


@pytest.mark.parametrize(
    "text",
    [
        "def answer(self): return requests.get(self.url)",
        "@property\n    def answer(self): yield requests.get(self.url)",
        "@property\n    def answer(self): return asyncio.to_thread(requests.get, self.url)",
        "@property\n    def answer(self): return 1\n    @answer.setter\n    def answer(self, u): requests.get(u)",
    ],
)
def test_what_is_read_without_waiting(text: str) -> None:
    read = "    async def f(self): return self.answer"
    assert chains(f"class C:\n    {text}\n{read}\n") == []


@pytest.mark.parametrize(
    "line",
    [
        "plain({})",
        "notify({}, wait=False)",
        "await asyncio.to_thread(notify, {})",
        "asyncio.get_running_loop().run_in_executor(None, lambda: notify({}))",
        "mended = notify",
    ],
)
def test_what_does_not_block_in_another_file(tmp_path: Path, line: str) -> None:
    text = f"import asyncio\nfrom library import notify, plain\nasync def f():\n    {line}\n"
    assert in_project(tmp_path, text) == []


def test_files_that_import_each_other(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text("import app\nimport time\ndef back():\n    app.go()\n    time.sleep(1)\n")
    assert len(in_project(tmp_path, "import other\ndef go():\n    other.back()\nasync def f():\n    go()\n")) == 1


@pytest.mark.parametrize(
    ("first", "second", "count"),
    [
        ("if self.text: self.load()", "if not self.text: slow()", 0),
        ("if self.text and self.old: self.load()", "if self.text: return\n        slow()", 0),
        ("if not (self.text or self.old): self.load()", "if self.old: slow()", 0),
        ("if self.text is not None: self.load()", "if self.text is None: slow()", 0),
        ("if self.text: self.load()", "if self.text is None: slow()", 0),
        ("if self.mode == 'a': self.load()", "if self.mode != 'a': slow()", 0),
        ("if self.text: self.far()", "if not self.text: slow()", 0),
        ("if self.text: self.load()", "if self.old: slow()", 1),
        ("if self.text or self.old: self.load()", "if not self.text: slow()", 1),
        ("if self.text: self.other.load()", "if not self.text: slow()", 1),
        ("if self.mode == 'a': self.load()", "if self.mode != 'b': slow()", 1),
    ],
)
def test_what_is_true_of_an_object_stays_so_on_the_way(first: str, second: str, count: int) -> None:
    text = f"""
    class A:
        def __init__(self, other: "A"): self.other = other
        def load(self):
            {dedent(second)}
        def far(self): self.load()
        def near(self):
            {first}
        async def f(self): self.near()
    """
    assert len(chains(SLEEPS + dedent(text.replace("\n        slow()", "\n            slow()")))) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("async def main():\n    slow()\n    await serve()\nasyncio.run(main())", 0),
        ("async def main():\n    with x: slow()\n    await serve()\nasyncio.run(main())", 0),
        ("async def main():\n    for x in y: slow()\nasyncio.run(main())", 0),
        ("async def main():\n    await serve()\n    slow()\nasyncio.run(main())", 1),
        ("async def main():\n    for x in y:\n        slow()\n        await serve()\nasyncio.run(main())", 1),
        ("async def main():\n    async with x: slow()\nasyncio.run(main())", 1),
        ("async def main():\n    x.create_task(serve())\n    slow()\nasyncio.run(main())", 1),
        ("async def main():\n    asyncio.ensure_future(serve())\n    slow()\nasyncio.run(main())", 1),
        ("async def main():\n    slow()\nasyncio.run(main())\nasync def f(): await main()", 1),
        ("async def main():\n    slow()\nrun(main())", 1),
        ("async def main(): slow()", 1),
    ],
)
def test_what_comes_first_of_all_keeps_nobody_waiting(text: str, count: int) -> None:
    assert codes(f"{IMPORTS}{SLEEPS}async def serve(): pass\n{text}\n", [RULES["AIO110"]]) == ["AIO110"] * count


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("app/cli/serve.py", 0),
        ("app/cli/sub/serve.py", 0),
        ("scripts/mend.py", 0),
        ("app/cli.py", 0),
        ("client/app.py", 1),
        ("scripts/far/away/app.py", 1),
        ("app/__main__.py", 1),
    ],
)
def test_a_command_keeps_nobody_waiting(path: str, count: int) -> None:
    module = Module.parse(f"{IMPORTS}{SLEEPS}async def f(): slow()\n", path)
    assert len(list(check(module, [RULES["AIO110"]]))) == count
