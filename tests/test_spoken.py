"""A flag that another file of the project may use stays what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from flake8_asyncpatterns.cli import main
from flake8_asyncpatterns.spoken import Spoken, spoken

CLIENT = """\
import asyncio

class Client:
    def __init__(self):
        self.{0} = False

    def on_connect(self):
        self.{0} = True

    async def send(self, message):
        while not self.{0}:
            await asyncio.sleep(0.1)
        await self.write(message)
"""
GLOBAL = """\
import asyncio

ready = False

def on_connect():
    global ready
    ready = True

async def send():
    while not ready:
        await asyncio.sleep(0.1)
"""


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("client.ready = True", Spoken.OF_OTHERS),
        ("client . ready", Spoken.OF_OTHERS),
        ("self.client.ready", Spoken.OF_OTHERS),
        ("myself.ready", Spoken.OF_OTHERS),
        ("x.self.ready", Spoken.OF_OTHERS),
        ("self.ready or client.ready", Spoken.OF_OTHERS),
        ("self.ready = self.ready", Spoken.OF_SELF),
        ("patch.object(client, 'ready', True)", Spoken.OF_OTHERS),
        ('getattr(client, "ready")', Spoken.OF_OTHERS),
        ("from client import closed, ready as is_ready", Spoken.OF_OTHERS),
        ("from client import (\n    closed,\n    ready,\n)", Spoken.OF_OTHERS),
        ("ready = True", Spoken.NEVER),
        ("from client import closed\nready = True", Spoken.NEVER),
        ("client.ready_made and client.already", Spoken.NEVER),
        ('print("ready or not")', Spoken.NEVER),
    ],
)
def test_how_a_file_speaks_of_a_name(text: str, how: Spoken) -> None:
    assert spoken("ready", text.encode()) is how


def left(folder: Path, capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What `fix` says of the one file; nothing: it has mended it."""
    before = (folder / "client.py").read_bytes()
    main(["fix", "--unsafe", "--isolated", "--no-cache", "--allow-dirty", "-j1", *arguments])
    said = capfd.readouterr().err
    assert ((folder / "client.py").read_bytes() != before) is (" left: " not in said)
    return said.partition(" left: ")[2].partition("\n")[0]


@pytest.mark.parametrize(
    ("other", "speaks"),
    [
        ("def f(client):\n    client.ready = True\n", True),
        # What inherits from the flag's class has the flag, by way of whatever file; what knows nothing of it may.
        ("from between import Between\nclass Own(Between):\n    def f(self):\n        self.ready = True\n", True),
        ("class Mixin:\n    def f(self):\n        return self.ready\n", True),
        ("class Server:\n    def f(self):\n        self.ready = True\n", False),
        ("class Server:\n    def f(self):\n        self.steady = True\n", False),
    ],
)
@pytest.mark.parametrize("paths", [["client.py"], ["."]])
def test_what_others_may_use_is_left(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    other: str,
    paths: list[str],
    *,
    speaks: bool,
) -> None:
    (tmp_path / "setup.cfg").touch()
    (tmp_path / "between.py").write_text("import client\nclass Between(client.Client):\n    pass\n")
    (tmp_path / "client.py").write_text(CLIENT.format("ready"))
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "other.py").write_text(other)
    monkeypatch.chdir(tmp_path)
    said = left(tmp_path, capfd, *paths)
    assert said == f"`{Path('tests', 'other.py')}` may use `ready`, too" * speaks
    if speaks:
        assert not left(tmp_path, capfd, *paths, "--no-project")


def test_a_global_is_seen_outside_and_a_local_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "setup.cfg").touch()
    (tmp_path / "other.py").write_text("import client\nclient.ready\n")
    (tmp_path / "client.py").write_text(GLOBAL)
    monkeypatch.chdir(tmp_path)
    assert "may use" in left(tmp_path, capfd, "client.py")
    inside = GLOBAL.replace("global", "nonlocal").partition("\n\n")[2].replace("\n", "\n    ")
    (tmp_path / "client.py").write_text(f"import asyncio\n\ndef main():\n    {inside}\n")
    assert not left(tmp_path, capfd, "client.py")


def test_nothing_tells_of_files_that_lie_around_without_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other.py").write_text("def f(client):\n    client.ready = True\n")
    (tmp_path / "client.py").write_text(CLIENT.format("ready"))
    monkeypatch.chdir(tmp_path)
    assert left(tmp_path, capfd, "client.py", "other.py")
    assert not left(tmp_path, capfd, "client.py")


def test_what_is_written_first_is_known_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """`a.py` is written before anybody asks for `client.py`; it has no `client.ready` any more by then."""
    (tmp_path / "a.py").write_text(
        CLIENT.format("ready") + "\ndef f():\n    client = Client()\n    client.ready = True\n"
    )
    (tmp_path / "client.py").write_text(CLIENT.format("ready"))
    monkeypatch.chdir(tmp_path)
    assert left(tmp_path, capfd, ".") == "`a.py` may use `ready`, too"
    assert "client._ready.set()" in (tmp_path / "a.py").read_text()
