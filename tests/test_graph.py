"""`asyncfix graph`: what a coroutine reaches that blocks."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from flake8_asyncpatterns.cli import main

FILES = {
    "pyproject.toml": "",
    "app/__init__.py": "",
    "app/client.py": """
        import requests
        from .retry import again

        class Client:
            def fetch(self, wait=True):
                if wait:
                    again()
                return self._get()

            def _get(self):
                return requests.get("x")

            def quick(self):
                return 1

        class Other:
            def quick(self):
                return 2
        """,
    "app/retry.py": """
        import time

        def again():
            time.sleep(1)
            once_more()

        def once_more():
            again()
        """,
    "app/work.py": """
        import asyncio
        from app.client import Client

        async def step(client: Client):
            client.fetch()

        async def run():
            client = Client()
            client.quick()
            await step(client)
            client.fetch(wait=False)
            await asyncio.gather(step(client), asyncio.to_thread(client.fetch))
            step(client)
        """,
}

TREE = """\
async run (app/work.py:8)
├─ line 11: async step (app/work.py:5)
│  └─ line 6: Client.fetch (app/client.py:6)
│     ├─ line 8: again (app/retry.py:4)
│     │  ├─ line 5: time.sleep waits for a sleep
│     │  └─ line 6: once_more (app/retry.py:8)
│     │     └─ line 9: again (app/retry.py:4) – see above
│     └─ line 9: Client._get (app/client.py:11)
│        └─ line 12: requests.get waits for the network
├─ line 12: Client.fetch (app/client.py:6)
│  └─ line 9: Client._get (app/client.py:11) – see above
└─ line 13: async step (app/work.py:5) – see above
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(text))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("function", ["app.work:run", "app/work.py:run"])
def test_a_tree(capsys: pytest.CaptureFixture[str], function: str) -> None:
    assert main(["graph", function]) == 1
    assert capsys.readouterr().out == TREE


@pytest.mark.parametrize("function", ["app.client:Client.fetch", "app.client:fetch"])
def test_a_method(capsys: pytest.CaptureFixture[str], function: str) -> None:
    assert main(["graph", function]) == 1
    assert capsys.readouterr().out.startswith("Client.fetch (app/client.py:6)\n├─ line 8: again")


def test_nothing_that_blocks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "app.client:Client.quick"]) == 0
    assert capsys.readouterr().out == "app.client:Client.quick reaches nothing that is known to block.\n"


def test_the_language_of_graphviz(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "app.retry:again", "--format", "dot"]) == 1
    assert (
        capsys.readouterr().out
        == """\
digraph asyncfix {
  rankdir=LR; node [shape=box];
  n0 [label="again (app/retry.py:4)"];
  n1 [label="time.sleep waits for a sleep (app/retry.py:5)", style=filled, fillcolor=lightcoral];
  n2 [label="once_more (app/retry.py:8)"];
  n0 -> n1 [label="5"];
  n0 -> n2 [label="6"];
  n2 -> n0 [label="9"];
}
"""
    )


def test_the_language_of_mermaid(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "app.work:step", "--format", "mermaid"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[:3] == [
        "flowchart LR",
        '  n0(["async step (app/work.py:5)"])',
        '  n1["Client.fetch (app/client.py:6)"]',
    ]
    assert "  n0 -->|6| n1" in said
    assert said[-1].endswith(" blocks")


@pytest.mark.parametrize("form", ["dot", "mermaid"])
def test_a_picture_of_nothing_is_one(capsys: pytest.CaptureFixture[str], form: str) -> None:
    assert main(["graph", "app.client:Client.quick", "--format", form]) == 0
    assert "Client.quick (app/client.py:14)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("app.wrok:run", "no module 'app.wrok' from here on; did you mean app.work?"),
        ("json:dumps", "no module 'json' from here on"),
        ("app/wrok.py:run", "app/wrok.py is no file"),
        ("app.work:rum", "app.work has no function 'rum'; did you mean run?"),
        ("app.work:zzz", "app.work has no function 'zzz'"),
        ("app.client:quick", "app.client has more than one quick: Client.quick, Other.quick"),
        ("app.work", "which function of app.work? Say app.work:FUNCTION; its coroutines: step, run"),
        ("app.client:", "which function of app.client? Say app.client:FUNCTION"),
        (":run", "no module '' from here on"),
        ("broken:run", "broken.py cannot be read, or is no Python"),
    ],
)
def test_what_cannot_be_shown(folder: Path, capsys: pytest.CaptureFixture[str], function: str, said: str) -> None:
    (folder / "broken.py").write_text("def run(:\n")
    assert main(["graph", function]) == 2
    assert capsys.readouterr().err == f"asyncfix: {said}\n"


def test_the_configuration_is_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "pyproject.toml").write_text('[tool.asyncfix]\nnot-blocking = ["time.sleep"]\n')
    assert main(["graph", "app.retry:again"]) == 0
    assert main(["graph", "app.retry:again", "--isolated"]) == 1
    capsys.readouterr()
