"""Blocking reached by way of other files: the same findings in both fronts, in any order, wherever a helper lies."""

from __future__ import annotations

import json
import os
import pickle
import random
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from flake8_asyncpatterns.check import check, examine, facts, project
from flake8_asyncpatterns.cli import main
from flake8_asyncpatterns.facts import Answer, Facts, Question
from flake8_asyncpatterns.problem import Problem
from flake8_asyncpatterns.project import Project
from flake8_asyncpatterns.rules import RULES
from flake8_asyncpatterns.source import Unreadable, decode, read

ALL = list(RULES.values())
AIO110 = [RULES["AIO110"]]


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in {"pyproject.toml": "", **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))


def ways(root: Path, name: str = "main.py") -> list[str]:
    """What AIO110 says of the ways that a file goes."""
    path = root / name
    problems = check(read(path), str(path), AIO110, project=project())
    return [problem.message.partition(": ")[2].replace("`", "") for problem in problems]


BLOCKS = "import requests\ndef get(url):\n    return requests.get(url)\n"
GET = "get (http.py:2) → requests.get (http.py:3)"
CLIENT = """
    import requests
    class Base:
        def close(self):
            self._flush()
        def _flush(self):
            requests.post("x")
    class Client(Base):
        def __init__(self, url):
            self.url = url
        def get(self):
            return requests.get(self.url)
        def make(self):
            return Client(self.url)
        def later(self):
            import threading
            threading.Thread(target=self.get).start()
    def connect(url):
        return Client(url)
    async def connected(url):
        return Client(url)
    client = Client("x")
    """
CLIENT_GET = "get (client.py:11) → requests.get (client.py:12)"


@pytest.mark.parametrize(
    ("files", "way"),
    [
        # any number of files
        ({"a.py": "from http import get\n", "main.py": "from a import get"}, None),  # Python's own `http`
        (
            {"c.py": BLOCKS, "b.py": "import c\ndef two(): c.get(1)\n", "a.py": "from b import two\ndef one(): two()\n",
             "main.py": "from a import one\nasync def f():\n    one()"},
            "one (a.py:2) → two (b.py:2) → get (c.py:2) → requests.get (c.py:3)",
        ),
        # there and back
        (
            {"b.py": "import main\ndef there(): main.back()\n",
             "main.py": "import b, time\ndef back(): time.sleep(1)\nasync def f():\n    b.there()"},
            "there (b.py:2) → back (line 2) → time.sleep (line 2)",
        ),
        # in circles
        (
            {"a.py": "import b, time\ndef x():\n    b.y()\n    time.sleep(1)\n", "b.py": "import a\ndef y(): a.x()\n",
             "main.py": "from b import y\nasync def f():\n    y()"},
            "y (b.py:2) → x (a.py:2) → time.sleep (a.py:4)",
        ),
        # packages, re-exports, stars, relative imports
        (
            {"pkg/__init__.py": "from ._http import get as fetch\n", "pkg/_http.py": BLOCKS,
             "main.py": "import pkg\nasync def f():\n    pkg.fetch(1)"},
            "get (_http.py:2) → requests.get (_http.py:3)",
        ),
        (
            {"pkg/__init__.py": "from .inner import *\n", "pkg/inner/__init__.py": "from .http import *\n",
             "pkg/inner/http.py": BLOCKS, "main.py": "from pkg import get\nasync def f():\n    get(1)"},
            GET,
        ),
        (
            {"pkg/__init__.py": BLOCKS, "main.py": "from pkg import get\nasync def f():\n    get(1)"},
            "get (pkg/__init__.py:2) → requests.get (pkg/__init__.py:3)",
        ),
        (
            {"pkg/__init__.py": "", "pkg/http.py": BLOCKS, "pkg/sub/__init__.py": "",
             "pkg/sub/x.py": "from ..http import get\ndef load(): return get(1)\n",
             "main.py": "import pkg.sub.x as x\nasync def f():\n    x.load()"},
            f"load (x.py:2) → {GET}",
        ),
        ({"src/lib/__init__.py": "", "src/lib/http.py": BLOCKS,
          "main.py": "from lib.http import get\nasync def f():\n    get(1)"}, GET),
        ({"space/lib/http.py": BLOCKS, "main.py": "from space.lib import http\nasync def f():\n    http.get(1)"}, GET),
        ({"lib/http.py": BLOCKS, "lib/http/__init__.py": "", "main.py":
          "from lib.http import get\nasync def f():\n    get(1)"}, None),  # the package goes before the module
        (
            {"lib.py": "try:\n    from web import get\nexcept ImportError:\n    get = None\n", "web.py": BLOCKS,
             "main.py": "from lib import get\nasync def f():\n    get(1)"},
            "get (web.py:2) → requests.get (web.py:3)",
        ),
        ({"lib.py": BLOCKS + "fetch = get\n", "main.py": "from lib import fetch\nasync def f():\n    fetch(1)"},
         "get (lib.py:2) → requests.get (lib.py:3)"),
        # methods
        ({"client.py": CLIENT, "main.py":
          "from client import Client\nasync def f(c: Client):\n    c.get()"}, CLIENT_GET),
        ({"client.py": CLIENT, "main.py": "from client import Client\nasync def f():\n    Client(1).close()"},
         "close (client.py:4) → _flush (client.py:6) → requests.post (client.py:7)"),
        ({"client.py": CLIENT, "main.py":
          "from client import connect\nasync def f():\n    connect(1).get()"}, CLIENT_GET),
        ({"client.py": CLIENT, "main.py":
          "from client import connect\nasync def f():\n    c = connect(1)\n    c.make().get()"}, CLIENT_GET),
        ({"client.py": CLIENT, "main.py":
          "from client import connected\nasync def f():\n    (await connected(1)).get()"}, CLIENT_GET),
        ({"client.py": CLIENT, "main.py":
          "from client import connected\nasync def f():\n    connected(1).get()"}, None),
        ({"client.py": CLIENT, "main.py": "import client\nasync def f():\n    client.client.get()"}, CLIENT_GET),
        ({"client.py": CLIENT, "main.py": "from client import Client\nasync def f(c: Client):\n    c.later()"}, None),
        (
            {"client.py": CLIENT, "base.py": "from client import Client\nclass B:\n  def __init__(self):\n"
             "    self.client = Client(1)\n",
             "main.py": "from base import B\nclass C(B):\n  async def f(self):\n    self.client.get()"},
            CLIENT_GET,
        ),
        (
            {"client.py": CLIENT, "main.py":
             "from client import Client\nclass C(Client):\n  async def f(self): self.get()\n  def get(self): pass"},
            None,
        ),
        (
            {"client.py": CLIENT + "\n    class Other(Client):\n        def get(self): pass\n",
             "main.py": "from client import Client\nasync def f(c: Client):\n    c.get()"},
            None,
        ),
        (
            {"client.py": "import requests\nclass C:\n    def __init__(self): requests.get('x')\n",
             "main.py": "import client\nasync def f():\n    client.C()"},
            "client.C (client.py:3) → requests.get (client.py:3)",
        ),
        # what ends a way
        ({"c.py": BLOCKS, "a.py": "import asyncio, c\ndef one(): return asyncio.to_thread(c.get, 1)\n",
          "main.py": "import a\nasync def f():\n    await a.one()"}, None),
        ({"c.py": BLOCKS, "a.py": "import c\ndef one(pool): return pool.submit(c.get, 1)\n",
          "main.py": "import a\nasync def f(p):\n    a.one(p)"}, None),
        ({"c.py": BLOCKS, "a.py": "import c\nfrom d import wrap\n@wrap\ndef one(): c.get(1)\n",
          "main.py": "import a\nasync def f():\n    a.one()"}, None),
        ({"c.py": BLOCKS, "a.py": "import c\ndef one(): yield c.get(1)\n",
          "main.py": "import a\nasync def f():\n    return a.one()"}, None),
        ({"c.py": BLOCKS, "a.py": "import c\ndef one(): yield c.get(1)\n",
          "main.py": "import a\nasync def f():\n    return list(a.one())"},
         "one (a.py:2) → get (c.py:2) → requests.get (c.py:3)"),
        ({"c.py": BLOCKS, "a.py": "import c\nclass A:\n  def one(self):\n    if self.asynchronous: return None\n"
          "    c.get(1)\n", "main.py": "import a\nasync def f():\n    a.A().one()"}, None),
        # what the arguments say, further on
        ({"c.py": "import time\ndef c(wait):\n  if wait: time.sleep(1)\n", "b.py": "import c\ndef b(): c.c(False)\n",
          "main.py": "import b\nasync def f():\n    b.b()"}, None),
        ({"c.py": "import time\ndef c(wait):\n  if wait: time.sleep(1)\n", "b.py": "import c\ndef b(): c.c(True)\n",
          "main.py": "import b\nasync def f():\n    b.b()"}, "b (b.py:2) → c (c.py:2) → time.sleep (c.py:3)"),
        # what is worked on, and what is waited for
        ({"a.py": "def read(): return open('x').read()\n", "main.py": "import a\nasync def f():\n    a.read()"}, None),
    ],
)  # fmt: skip
def test_ways(tmp_path: Path, files: dict[str, str], way: str | None) -> None:
    write(tmp_path, files)
    assert ways(tmp_path) == ([] if way is None else [way])


@pytest.mark.parametrize(
    ("one", "two", "found"),
    [
        ("two.get(1)", "requests.get(1)", True),
        ("two.get(1)", "if self.url: requests.get(1)", False),
        ("self.url and two.get(1)", "requests.get(1)", False),
        ("if self.url: requests.get(1)", "pass", True),
        ("if self.url: self.url or requests.get(1)", "pass", True),
        ("if self.url: self.more()", "pass", True),
        ("if self.url: self.most()", "pass", False),
        ("for _ in self.url: two.get(1)", "requests.get(1)", True),
        ("while True: two.get(1)", "requests.get(1)", True),
        ("if self.off: return\n    two.get(1)", "requests.get(1)", True),
        ("if self.off: return\n    two.get(1)", "if self.off: return\n    requests.get(1)", False),
        ("if self.off: raise OSError\n    two.get(1)", "if self.off: return\n    requests.get(1)", True),
    ],
)
def test_far_away_only_what_is_sure_is_told(tmp_path: Path, one: str, two: str, *, found: bool) -> None:
    write(
        tmp_path,
        {
            "two.py": f"import requests\ndef get(self):\n    {two}\n",
            "one.py": f"import requests, two\nclass One:\n  def run(self):\n    {one}\n"
            "  def more(self):\n    if self.url: requests.get(1)\n"
            "  def most(self):\n    if self.url: self.more()\n",
            "main.py": "from one import One\nasync def f(one: One):\n    if one:\n        one.run()\n",
        },
    )
    assert bool(ways(tmp_path)) is found


@pytest.mark.parametrize(("seconds", "found"), [("0.001", False), ("0", False), ("0.5", True), ("x", True)])
def test_a_sleep_may_be_too_short_to_matter(tmp_path: Path, seconds: str, *, found: bool) -> None:
    write(tmp_path, {"main.py": f"import time\ndef g(x): time.sleep({seconds})\nasync def f(): g(1)\n"})
    assert bool(ways(tmp_path)) is found


def test_packages_may_lie_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, {"packages/a/pyproject.toml": "", "packages/a/src/a/__init__.py": BLOCKS})
    write(tmp_path, {"packages/b/pyproject.toml": "", "packages/b/b.py": "import a\nasync def f():\n    a.get(1)\n"})
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == 0
    write(tmp_path, {"pyproject.toml": "[tool.asyncfix]\nsrc = ['packages/*/src']\n"})
    assert main(["check"]) == 1
    assert "(a/__init__.py:2)" in capsys.readouterr().out


def test_a_helper_may_lie_in_any_file(tmp_path: Path) -> None:
    helper = "def slow(seconds):\n    time.sleep(seconds)\n"
    caller = "async def f():\n    slow(1)\n"
    write(tmp_path, {"one.py": f"import time\n{helper}{caller}", "two.py": f"import time\n{helper}"})
    write(tmp_path, {"three.py": f"from two import slow\n{caller}"})
    assert ways(tmp_path, "one.py") == ["slow (line 2) → time.sleep (line 3)"]
    assert ways(tmp_path, "three.py") == ["slow (two.py:2) → time.sleep (two.py:3)"]


def test_facts_are_the_same_in_every_process(tmp_path: Path) -> None:
    write(tmp_path, {"client.py": CLIENT, "all.py": Path(__file__).read_text()})
    for path in tmp_path.glob("*.py"):
        told = facts(read(path), "")
        assert pickle.loads(pickle.dumps(told)) == told
        code = (
            "import sys; from flake8_asyncpatterns.check import *; print(facts(read(Path(sys.argv[1])), sys.argv[1]))"
        )
        for seed in "01":
            ran = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True,
                                 env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONUTF8": "1"})  # fmt: skip
            assert ran.stdout == f"{told}\n"


PROJECT = {
    "app/__init__.py": "from .net import *\n",
    "app/net.py": "import requests, time\nfrom . import retry\n"
    "def load():\n    retry.again()\n    requests.get('x')\nasync def ping(): ...\n",
    "app/retry.py": "import time\nfrom . import net\ndef again():\n    net.load()\n    time.sleep(1)\n",
    "app/work.py": "import asyncio\nimport app\nasync def work():\n    app.load()\n    app.ping()\n"
    "    asyncio.get_running_loop().call_later(1, app.ping)\n",
    "app/other.py": "from app.retry import again\nasync def other():\n    again()\n",
}


def examined(root: Path, order: list[str]) -> dict[str, list[Problem]]:
    """All problems of a project, as processes find that know a file each, and one that links what they tell."""
    told: dict[str, Facts] = {}
    asked: dict[str, tuple[Question, ...]] = {}
    problems: dict[str, list[Problem]] = {}
    for name in order:
        source = decode((root / name).read_bytes())
        found = pickle.loads(pickle.dumps(examine(source, str(root / name), ALL)))
        told[str(root / name)], asked[name], problems[name] = found.facts, found.asked, found.problems
    around = Project(told.get)
    for name in order:
        answers: dict[Question, Answer] = {}
        path = str(root / name)
        while more := around.answers(path, lambda path=path: told[path], set(asked[name]) - answers.keys()):
            answers |= pickle.loads(pickle.dumps(more))
            found = examine(decode((root / name).read_bytes()), path, ALL, answers=answers)
            asked[name], problems[name] = found.asked, found.problems
    return problems


@pytest.mark.parametrize("seed", range(5))
def test_neither_order_nor_process_matters(tmp_path: Path, seed: int) -> None:
    write(tmp_path, PROJECT)
    order = list(PROJECT)
    random.Random(seed).shuffle(order)
    around = project()
    alone = {name: check(read(tmp_path / name), str(tmp_path / name), ALL, project=around) for name in order}
    assert examined(tmp_path, order) == alone
    assert sum(map(len, alone.values())) == 4


def test_both_fronts_say_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, PROJECT)
    monkeypatch.chdir(tmp_path)
    main(["check", "--output-format", "json"])
    ours = [(p["path"], p["line"], p["column"], p["code"], p["message"]) for p in json.loads(capsys.readouterr().out)]
    for jobs in "12":
        ran = subprocess.run(
            [sys.executable, "-m", "flake8", f"-j{jobs}", "--select", "AIO"],
            capture_output=True, text=True, encoding="utf-8", check=False,
        )  # fmt: skip
        theirs = [line.removeprefix("./").split(":", 3) for line in ran.stdout.splitlines()]
        split = [(path, int(line), int(column), *said.strip().split(" ", 1)) for path, line, column, said in theirs]
        assert sorted(split) == sorted(ours)
    assert len(ours) == 4


def test_each_file_on_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, PROJECT)
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == 1
    assert main(["check", "--no-project"]) == 0
    assert main(["fix", "--no-project", "--diff", "--unsafe"]) == 0
    assert main(["fix", "--diff", "--unsafe"]) == 1
    capsys.readouterr()


def test_the_fix_wraps_the_first_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, PROJECT)
    monkeypatch.chdir(tmp_path)
    main(["fix", "--unsafe", "--select", "AIO110"])
    assert "    await asyncio.to_thread(app.load)\n" in (tmp_path / "app/work.py").read_text()
    assert main(["check", "--select", "AIO110"]) == 0


def test_the_whole_way_is_told_to_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, PROJECT)
    monkeypatch.chdir(tmp_path)
    main(["check", "--output-format", "json", "app/other.py"])
    [problem] = json.loads(capsys.readouterr().out)
    assert [(place["path"], place["line"], place["message"]) for place in problem["related"]] == [
        ("app/retry.py", 5, "`again` calls `time.sleep`")
    ]
    main(["check", "--output-format", "sarif", "app/other.py"])
    [result] = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    [flow] = result["codeFlows"][0]["threadFlows"]
    places = [step["location"]["physicalLocation"] for step in flow["locations"]]
    assert [(place["artifactLocation"]["uri"], place["region"]["startLine"]) for place in places] == [
        ("app/other.py", 3),
        ("app/retry.py", 5),
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("time.sleep(1)", "all that it waits for is a sleep"),
        ("time.sleep(1)\n    requests.get('x')", "it will run in another thread, and other tasks in the meantime"),
    ],
)
def test_whether_it_only_sleeps(tmp_path: Path, body: str, reason: str) -> None:
    write(tmp_path, {"lib.py": f"import requests, time\ndef slow():\n    {body}\n"})
    write(tmp_path, {"main.py": "import lib\nasync def f():\n    lib.slow()\n"})
    path = tmp_path / "main.py"
    [problem] = check(read(path), str(path), AIO110, project=project())
    assert reason in problem.why
    assert ("asyncio.sleep" in problem.why) is ("only" in reason or "all that" in reason)


def test_what_hinders_a_thread_may_lie_in_another_file(tmp_path: Path) -> None:
    write(tmp_path, {"loop.py": "import asyncio\ndef stop(): asyncio.get_event_loop().stop()\n"})
    write(
        tmp_path, {"main.py": "import loop, time\ndef g():\n    time.sleep(1)\n    loop.stop()\nasync def f(): g()\n"}
    )
    path = tmp_path / "main.py"
    [problem] = check(read(path), str(path), AIO110, project=project())
    assert not problem.fix
    assert "event loop" in problem.why


def test_a_shorter_way_is_hindered_by_what_lies_on_a_longer_one(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "base.py": "import requests\nclass B:\n  def __init__(self): self.session = requests.Session()\n",
            "lib.py": "import asyncio, time\ndef slow():\n  time.sleep(1)\n  asyncio.get_event_loop().stop()\n",
            "main.py": "import base, lib\nclass C(base.B):\n  def g(self):\n    self.session.get('x')\n"
            "    lib.slow()\n  async def f(self):\n    self.g()\n",
        },
    )
    assert ways(tmp_path) == ["g (line 3) → requests.Session.get (line 4)"]
    path = tmp_path / "main.py"
    [problem] = check(read(path), str(path), AIO110, project=project())
    assert not problem.fix
    assert "event loop" in problem.why


def test_a_file_may_say_something_else_than_on_disk(tmp_path: Path) -> None:
    write(tmp_path, {"b.py": "import main\ndef there(): main.back()\n", "main.py": "def back(): pass\n"})
    text = "import b, time\ndef back(): time.sleep(1)\nasync def f():\n    b.there()\n"
    around = project()
    for _ in range(2):
        [problem] = check(decode(text.encode()), str(tmp_path / "main.py"), AIO110, project=around)
        assert "`back` (line 2)" in problem.message
    other = tmp_path / "other.py"
    other.write_text("import b\nasync def f():\n    b.there()\n")
    assert check(read(other), str(other), AIO110, project=project()) == []


def test_the_signals_may_be_handled_in_another_file(tmp_path: Path) -> None:
    main = "import asyncio\nimport setup\nasync def main():\n    await asyncio.Event().wait()\nasyncio.run(main())\n"
    path = tmp_path / "main.py"
    for text, count in (("import far\n", 0), ("import near\n", 1)):
        write(tmp_path, {"setup/__init__.py": text, "far.py": "import signal\n", "near.py": "", "main.py": main})
        assert len(check(read(path), str(path), [RULES["AIO301"]], project=project())) == count


def test_a_function_of_another_file_that_gives_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"lib.py": "def work(x):\n    print(x)\ndef made(x):\n    return print\n"})
    text = "import asyncio, lib\nasync def f():\n    loop = asyncio.get_running_loop()\n    loop.call_soon(lib.{}(1))\n"
    path = str(tmp_path / "main.py")
    for name, count in (("work", 1), ("made", 0)):
        found = check(decode(text.format(name).encode()), path, [RULES["AIO201"]], project=project())
        assert len(found) == count


@pytest.mark.parametrize(
    ("imports", "polled"),
    [
        ("from library import Server as Made", False),
        ("from own import Server as Made", False),
        ("from own import Quiet as Made", False),
        ("from own import Told as Made", True),
        ("from own import Plain as Made", True),
    ],
)
def test_what_only_a_library_sets_has_no_event(tmp_path: Path, imports: str, *, polled: bool) -> None:
    own = """
        from library import Server
        class Quiet(Server):
            def install(self):
                pass
        class Told(Server):
            def run(self):
                self.started = True
        class Plain:
            pass
        """
    main = f"""
        import asyncio
        {imports}
        async def wait():
            server = Made()
            while not server.started:
                await asyncio.sleep(0.1)
        """
    write(tmp_path, {"own.py": own, "main.py": main})
    path = tmp_path / "main.py"
    problems = check(read(path), str(path), [RULES["AIO304"]], project=project())
    assert [problem.code for problem in problems] == ["AIO304"] * polled


@pytest.mark.parametrize(
    ("entered", "polled"),
    [
        ("with library.limit(5) as scope", False),
        ("async with library.limit(5) as scope", False),
        ("with own.Scope() as scope", True),
        ("with library.limit(5) as scope, other() as scope", True),
    ],
)
def test_what_a_with_block_of_a_library_gives_is_the_librarys(tmp_path: Path, entered: str, *, polled: bool) -> None:
    own = """
        class Scope:
            def __enter__(self):
                return self
            def __exit__(self, *error):
                pass
        """
    main = f"""
        import asyncio, library, own
        async def wait(other):
            {entered}:
                while not scope.called:
                    await asyncio.sleep(0.1)
        """
    write(tmp_path, {"own.py": own, "main.py": main})
    path = tmp_path / "main.py"
    problems = check(read(path), str(path), [RULES["AIO304"]], project=project())
    assert [problem.code for problem in problems] == ["AIO304"] * polled


@pytest.mark.parametrize(("call", "count"), [("load()", 0), ("load(None)", 0), ("load(wait=1)", 1), ("load(x)", 0)])
def test_a_constant_is_handed_on_from_file_to_file(tmp_path: Path, call: str, count: int) -> None:
    """What is unknown stays a doubt, as it is without another call between."""
    files = {
        "http.py": "import requests\ndef get(url, *, wait):\n    if wait:\n        requests.get(url)\n",
        "files.py": "from .http import get\ndef load(wait=None):\n    get('x', wait=wait)\n",
        "main.py": f"from .files import load\nasync def f(x):\n    {call}\n",
    }
    write(tmp_path, {"app/__init__.py": "", **{f"app/{name}": text for name, text in files.items()}})
    assert len(ways(tmp_path, "app/main.py")) == count


@pytest.mark.parametrize(
    ("own", "called", "silent"),
    [
        ("class Own(client.Response):\n    def read(self): return 1", "(await client.send(Own)).read()", True),
        ("class Own(client.Response):\n    def read(self): return 1", "r.read()", True),
        ("class Own(client.Response):\n    async def read(self): return 1", "r.read()", False),
        ("class Own(client.Response):\n    def close(self): return 1", "r.read()", False),
        ("class Own:\n    def read(self): return 1", "r.read()", False),
        ("class Own(client.Response):\n    def read(self): return 1", "client.read()", False),
        # What an object of one's own class has, is known.
        ("class Own(client.Response):\n    def read(self): return 1", "Mine().check()", False),
    ],
)
def test_an_object_may_be_of_a_subclass_of_ones_own(tmp_path: Path, own: str, called: str, *, silent: bool) -> None:
    client = """
        class Response:
            async def read(self): return 1
        async def read(): return 1
        async def send(response_class=None) -> Response:
            return (response_class or Response)()
        """
    mine = "class Mine(client.Response):\n    def check(self):\n        return not self.read()"
    main = f"import client\n{own}\n{mine}\nasync def f(r: client.Response):\n    assert {called} == 1\n"
    write(tmp_path, {"client.py": client, "main.py": main})
    path = tmp_path / "main.py"
    lines = [one.place.line for one in check(read(path), str(path), [RULES["AIO204"]], project=project())]
    assert lines == [6] + [8] * (not silent and "check" not in called)


def test_what_cannot_be_read_tells_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"lib.py": "def f(:\n", "main.py": "import lib\nasync def f():\n    lib.f()\n"})
    assert ways(tmp_path) == []
    with pytest.raises(Unreadable):
        facts(read(tmp_path / "lib.py"), str(tmp_path / "lib.py"))


@pytest.mark.parametrize(
    ("call", "codes"),
    [
        ("shop.pay()", ["AIO203"]),
        ("shop.hand_on()", ["AIO203"]),
        ("shop.either(1)", []),
        ("shop.circle()", []),
        ("shop.Till().pay()", ["AIO203"]),
        ("loop.call_later(1, shop.hand_on)", ["AIO202"]),
        ("loop.call_soon(shop.pay())", ["AIO201"]),
        ("await shop.hand_on()", []),
    ],
)
def test_what_gives_a_coroutine_may_come_from_far_away(tmp_path: Path, call: str, codes: list[str]) -> None:
    write(
        tmp_path,
        {
            "far.py": "import shop\nasync def pay(): ...\ndef circle(): return shop.circle()\n",
            "shop.py": "import far\nfrom far import pay\ndef hand_on(): return far.pay()\n"
            "def either(x):\n    if x: return None\n    return far.pay()\n"
            "def circle(): return far.circle()\nclass Till:\n    async def pay(self): print()\n",
        },
    )
    text = f"import asyncio, shop\nasync def f():\n    loop = asyncio.get_running_loop()\n    {call}\n"
    found = check(decode(text.encode()), str(tmp_path / "main.py"), ALL, project=project())
    assert [problem.code for problem in found] == codes


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("x = load()\n    time.sleep(1)", 1),
        ("if late(): time.sleep(1)", 0),  # a pause
        ("if late(): requests.get('x')", 1),
        ("if late(): time.sleep(1)\n    if bad(): requests.get('x')", 1),
        ("try: load()\n    except OSError: requests.get('x')", 0),
        ("try: load()\n    except OSError:\n        if late(): requests.get('x')", 0),
    ],
)
def test_what_another_file_seldom_comes_to(tmp_path: Path, body: str, count: int) -> None:
    write(tmp_path, {"lib.py": f"import requests, time\ndef slow():\n    {body}\n"})
    write(tmp_path, {"main.py": "import lib\nasync def f():\n    lib.slow()\n"})
    assert len(ways(tmp_path)) == count
