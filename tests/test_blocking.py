"""What blocks, whom, and how it is handed to a thread."""

from __future__ import annotations

import ast
import textwrap

import pytest
from cases import found, mended

from flake8_asyncpatterns.analysis.blocking import blocks
from flake8_asyncpatterns.module import Module
from flake8_asyncpatterns.settings import Settings


def blocking_names(text: str, path: str = "", **settings: frozenset[str]) -> set[str]:
    """The qualified names of all calls in a text that block."""
    module = Module.parse(textwrap.dedent(text), path, Settings(**settings))
    return {found.name for call in module.nodes(ast.Call) if (found := blocks(call, module))}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("import requests\ndef f(u): requests.get(u)", "requests.get", id="in a plain function"),
        pytest.param("import requests.sessions as s\ns.Session().get(1)", "requests.Session.get", id="another name"),
        pytest.param("import boto3\nboto3.client('s3').list_buckets()", "botocore.client.BaseClient.list_buckets"),
        pytest.param("import boto3\nboto3.client('s3').generate_presigned_url('x')", "", id="one that does not"),
        pytest.param(
            "import boto3\nfrom mypy_boto3_s3 import S3Client\nclass C:\n"
            "    def __init__(self, client: 'S3Client | None' = None):\n        if client:\n"
            "            self.client = client\n        else:\n            self.client = boto3.client('s3')\n"
            "    def f(self):\n        self.client.list_buckets()",
            "botocore.client.BaseClient.list_buckets",
            id="a client that may be given",
        ),
        pytest.param("import smtplib\nsmtplib.SMTP('a')\nsmtplib.LMTP()", "smtplib.SMTP", id="connects with a host"),
        pytest.param("import smtplib\nsmtplib.SMTP(host=None)", "", id="None is no host"),
        pytest.param("import smtplib\nsmtplib.SMTP(*address)", "", id="arguments that cannot be seen"),
        pytest.param("import os\nos.waitpid(1, 0)\nos.waitpid(1, os.WNOHANG)", "os.waitpid"),
        pytest.param("import os\nos.spawnv(os.P_WAIT, 'a', [])\nos.spawnl(os.P_NOWAIT, 'a')", "os.spawnv"),
        pytest.param("from urllib.request import urlopen\nurlopen('data:,x')", "", id="a data URL"),
        pytest.param("import requests, respx\nrespx.start()\nrequests.get(1)", "", id="nothing is sent"),
        pytest.param("import socket\ns = socket.socket()\ns.settimeout(1)\ns.recv(1)", "socket.socket.recv"),
        pytest.param("import socket\ns = socket.socket()\ns.settimeout(0)\ns.recv(1)", "", id="non-blocking"),
        pytest.param("import sqlite3\nsqlite3.connect('a').cursor().execute('')",
                     "sqlite3.connect sqlite3.Cursor.execute"),
        pytest.param("import sqlite3\nsqlite3.connect(':memory:')", "", id="in memory"),
        pytest.param("import pymongo\npymongo.MongoClient()['db'].users.old.find_one({})",
                     "pymongo.collection.Collection.find_one"),
        pytest.param("from redis.asyncio import Redis\nRedis().get('k')", "", id="the asynchronous twin"),
        pytest.param("async def f(s):\n    import httpx\n    await httpx.get(s)", "", id="awaited"),
        pytest.param("import asyncio, httpx\nasyncio.gather(1, httpx.get(2))", "", id="gathered"),
        pytest.param("import openai\nopenai.OpenAI().chat.completions.create()", "openai.OpenAI.create"),
        pytest.param("from sqlalchemy.orm import scoped_session, sessionmaker\nS = scoped_session(sessionmaker())\n"
                     "S.execute('')\nS().commit()",
                     "sqlalchemy.orm.scoped_session.execute sqlalchemy.orm.Session.commit"),
        pytest.param("import subprocess\np = subprocess.Popen([])\np.stdout.read()\np.poll()",
                     "subprocess.Popen.stdout.read"),
    ],
)  # fmt: skip
def test_what_blocks(text: str, names: str) -> None:
    assert blocking_names(text) == set(names.split())


def test_the_configuration_names_more_calls_and_takes_some_away() -> None:
    text = "import requests, own\nown.fetch(1)\nown.load(1)\nrequests.get(1)\nown.Client().ask()"
    listed = frozenset({"own.fetch", "own.Client.ask", "own.load"})
    found = blocking_names(text, blocking=listed, not_blocking=frozenset({"requests.get", "own.load"}))
    assert found == {"own.fetch", "own.Client.ask"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("src/own/cli.py", "from .client import fetch\nfetch()"),
        ("src/own/sub/cli.py", "from ..client import fetch as f\nf()"),
        ("own/client.py", "def fetch(): ...\nfetch()"),
        ("lib/own/client/__init__.py", "def fetch(): ...\nfetch()"),
    ],
)
def test_the_configuration_means_the_projects_own_functions(path: str, text: str) -> None:
    assert blocking_names(text, path, blocking=frozenset({"own.client.fetch"})) == {"own.client.fetch"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("src/other/cli.py", "from .client import fetch\nfetch()"),
        ("own/client.py", "def f():\n    def fetch(): ...\n    fetch()"),
        ("own/client.py", "class C:\n    def fetch(self): self.fetch()"),
        ("", "def fetch(): ...\nfetch()"),
    ],
)
def test_the_configuration_means_nothing_else(path: str, text: str) -> None:
    assert blocking_names(text, path, blocking=frozenset({"own.client.fetch"})) == set()


HEAD = "import asyncio\nimport requests\n\nasync def f(u, s: requests.Session, *a, **k):\n    "


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("requests.get(u)", "await asyncio.to_thread(requests.get, u)"),
        ("s.get(url=u)", "await asyncio.to_thread(s.get, url=u)"),
        ("s.get(*a, **k)", "await asyncio.to_thread(s.get, *a, **k)"),
        ("requests.get(**k)", "await asyncio.to_thread(requests.get, **k)"),
        ("requests.session().get(u)", "await asyncio.to_thread(requests.session().get, u)"),
        ("requests.get(u).text", "(await asyncio.to_thread(requests.get, u)).text"),
        ("requests.post(x for x in a)", "await asyncio.to_thread(requests.post, (x for x in a))"),
        ("requests.post(u, await k)", "await asyncio.to_thread(requests.post, u, await k)"),
        ("requests.post(  # why\n        u)", "await asyncio.to_thread(  # why\n        requests.post,\n        u)"),
    ],
)
def test_a_call_goes_to_a_thread(before: str, after: str) -> None:
    assert mended(f"{HEAD}{before}\n").text == f"{HEAD}{after}\n"


@pytest.mark.parametrize(
    ("library", "before", "after"),
    [
        ("anyio", "requests.get(u)", "await anyio.to_thread.run_sync(requests.get, u)"),
        ("trio", "requests.get(u)", "await trio.to_thread.run_sync(requests.get, u)"),
        ("trio", "requests.get(u, x=1)", "await trio.to_thread.run_sync(functools.partial(requests.get, u, x=1))"),
        ("trio", "g().get(u, x=1)", "await trio.to_thread.run_sync(functools.partial(g().get, u, x=1))"),
        ("curio", "requests.get(u)", "await curio.run_in_thread(requests.get, u)"),
    ],
)
def test_other_libraries_have_threads_of_their_own(library: str, before: str, after: str) -> None:
    head = f"import functools\n\nimport {library}\nimport requests\n\ndef g() -> requests.Session: ...\n"
    body = "async def f(u):\n    "
    assert mended(f"{head}{body}{before}\n").text == f"{head}{body}{after}\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import sqlite3\nasync def f(): sqlite3.connect('a')", "another thread"),
        ("import requests, types\n@types.coroutine\ndef f():\n    requests.get(1)\n    yield", "async def"),
        ("import requests\nfrom twisted import web\nasync def f(): requests.get(1)", "twisted has its own"),
        ("import requests\nasync def f(us): return sum(requests.get(u).n for u in us)", "generator expression"),
        ("import requests\nasync def f():\n    class C:\n        x = requests.get(1)", "the body of a class"),
        ("import httpx\nasync def f():\n    with httpx.stream('GET', 'x'): pass", "where it is entered"),
    ],
)
def test_what_no_thread_can_do_is_left_with_a_reason(text: str, why: str) -> None:
    (finding,) = [f for f in found(text) if f.rule.code in ("AIO102", "AIO106")]
    assert finding.fix is None
    assert why in finding.refusal


def test_what_a_constant_does_not_rule_out_is_reported() -> None:
    code = "    if not IS_SYNC: requests.get(1)\n    elif f: requests.put(1)"
    text = f"import requests\nIS_SYNC = False\nasync def f():\n{code}"
    assert [f.line for f in found(text) if f.rule.code == "AIO102"] == [4]


@pytest.mark.parametrize(
    ("imported", "end", "expected"),
    [
        ("queue", "StopIteration", set()),
        ("asyncio", "StopIteration", {"AIO101", "AIO102", "AIO110", "AIO503"}),
        ("queue", "OSError", {"AIO101", "AIO102", "AIO110", "AIO503"}),
    ],
)
def test_a_file_that_runs_its_coroutines_by_hand_has_no_loop_to_hold_up(
    imported: str, end: str, expected: set[str]
) -> None:
    text = f"""
        import requests, threading, time
        import {imported}
        LOCK = threading.Lock()
        def run(coroutine):
            try:
                coroutine.send(None)
            except {end} as error:
                return error.value
        def ask(url):
            return requests.get(url)
        async def wait(url):
            with LOCK:
                await fetch(url)
        async def fetch(url):
            time.sleep(1)
            ask(url)
            return requests.get(url)
        """
    assert {one.rule.code for one in found(textwrap.dedent(text)) if one.rule.default} == expected


def test_a_lock_of_threads_around_it_is_a_reason_of_its_own() -> None:
    text = (
        "import requests, threading\nlock = threading.Lock()\nasync def f():\n    with lock:\n        requests.get(1)"
    )
    (fix,) = [f.fix for f in found(text) if f.rule.code == "AIO102"]
    assert fix is not None
    assert "`lock` would be held" in fix.unsafe


@pytest.mark.parametrize(
    "text",
    [
        "import requests\ndef f(): requests.get(1)",
        "import requests\nasync def f(): return lambda: requests.get(1)",
        "import requests\nasync def f():\n    def g(): requests.get(1)",
        "import requests\nIS_SYNC = False\nasync def f():\n    if IS_SYNC: requests.get(1)",
        "import requests\nIS_SYNC = False\nasync def f():\n    if not IS_SYNC: pass\n    else: requests.get(1)",
        "import requests\nasync def f():\n    if True: pass\n    else: requests.get(1)",
        "import requests\nasync def f():\n    if not 1: requests.get(1)",
        "import requests\nimport asyncio\nasync def f(): asyncio.get_running_loop().call_soon(requests.get(1))",
    ],
)
def test_what_no_coroutine_calls_itself_is_not_reported(text: str) -> None:
    assert not [f for f in found(text) if f.rule.code == "AIO102"]


@pytest.mark.parametrize(
    ("handled", "safe"),
    [("KeyboardInterrupt", False), ("(EOFError, KeyboardInterrupt)", False), ("EOFError", True), ("Exception", True)],
)
def test_what_ctrl_c_interrupts_is_left_to_people(handled: str, *, safe: bool) -> None:
    text = f"async def f():\n    try:\n        return input()\n    except {handled}:\n        return ''\n"
    [finding] = found(text)
    assert finding.fix
    assert (not finding.fix.unsafe) is safe


def test_a_pool_of_its_own_is_given_up_only_where_a_person_looks() -> None:
    """The threads of the event loop may all be busy with what waits for this very call."""
    text = (
        "import asyncio\nfrom concurrent.futures import ThreadPoolExecutor\nasync def f(loop, kill):\n"
        "    with ThreadPoolExecutor(max_workers=1) as pool:\n        await loop.run_in_executor(pool, kill)\n"
    )
    assert mended(text, unsafe=False).text == text
    assert "await asyncio.to_thread(kill)" in mended(text).text
