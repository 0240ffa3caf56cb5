"""AIO301 in the small, and what its fix does to a real process."""

from __future__ import annotations

import signal
import sys

import pytest
from cases import found, mended
from processes import running

from flake8_asyncpatterns.check import project, settled
from flake8_asyncpatterns.engine import check
from flake8_asyncpatterns.facts import View
from flake8_asyncpatterns.module import Module
from flake8_asyncpatterns.rules import RULES
from flake8_asyncpatterns.settings import Settings

SERVICE = """\
import asyncio

async def work():
    try:
        while True:
            print("working", flush=True)
            await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0.01)
        print("cleaned up", flush=True)

async def main():
    await asyncio.gather(work(), asyncio.sleep(0))

if __name__ == "__main__":
    asyncio.run(main(), debug=False)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that a program could handle")
@pytest.mark.parametrize(("source", "cleaned"), [(SERVICE, []), (mended(SERVICE).text, ["cleaned up"])])
def test_only_the_mended_service_cleans_up_when_terminated(source: str, cleaned: list[str], tmp_path) -> None:
    with running(source, tmp_path) as program:
        program.wait_for_line("working")
        program.terminate()
        assert program.status() == -signal.SIGTERM  # its parent is to see what ended it
        assert program.lines == ["working", *cleaned]


def reports(source: str) -> list[tuple[int, str]]:
    return [(f.line, f.refusal) for f in found(source) if f.rule.code == "AIO301"]


ENDLESS = [
    "while True: await asyncio.sleep(1)",
    "await asyncio.Event().wait()",
    "await asyncio.Future()",
    "await asyncio.sleep(float('inf'))",
    "await asyncio.sleep(math.inf)",
    "return await asyncio.gather(done(), never())",
    "await asyncio.wait([asyncio.create_task(never())])",
    "await asyncio.create_task(never())",
    "task = asyncio.create_task(never()); await task",
    "over = asyncio.Event(); await over.wait()",
    "tasks = [asyncio.create_task(done()), never()]; await asyncio.gather(*tasks)",
    "over = asyncio.get_running_loop().create_future(); await over",
    "server = await asyncio.start_server(print); await server.serve_forever()",
    "async with asyncio.TaskGroup() as group: group.create_task(never())",
    "async with await asyncio.start_server(print) as server: await server.serve_forever()",
    "await Service().run()",
    "service = Service(); await service.run()",
    "if len('') > 1: return\n    await never()",
]
ENDING = [
    "await asyncio.sleep(1)",
    "await done()",
    "await asyncio.gather(done(), done())",
    "await asyncio.wait([asyncio.create_task(never())], timeout=1)",
    "await asyncio.wait_for(never(), 1)",
    "async with asyncio.timeout(1): await never()",
    "over = asyncio.Event(); on_end(over.set); await over.wait()",
    "task = asyncio.create_task(never()); on_end(task.cancel); await task",
    "over = asyncio.get_running_loop().create_future(); on_end(over); return await over",
    "task = asyncio.create_task(never()); tasks.add(task); await task",
    "server = await other.start_server(print); await server.serve_forever()",
    "while True: await asyncio.sleep(1); sys.exit()",
    "while True: await asyncio.sleep(1); leave()",
    "while True: print(1)",
    "if len('') > 1: await never()",
    "never()",
]
AROUND = """\
import asyncio, math, sys
import other

async def never():
    await asyncio.Event().wait()

async def done():
    pass

def leave():
    sys.exit()

class Service:
    async def run(self):
        await never()

async def main():
    {body}

asyncio.run(main())
"""


@pytest.mark.parametrize("body", ENDLESS)
def test_what_never_ends_is_reported(body: str) -> None:
    assert len(reports(AROUND.format(body=body))) == 1


@pytest.mark.parametrize("body", ENDING)
def test_what_ends_is_not_reported(body: str) -> None:
    assert reports(AROUND.format(body=body)) == []


@pytest.mark.parametrize(
    "handling",
    [
        "import uvicorn",
        "from aiohttp.web import run_app; run_app(1)",
        "from aiogram import Dispatcher",
        "from asyncpatterns import shutdown_signals",
        "from ours import install_signal_handlers",
        "import signal",
    ],
)
def test_a_file_that_leaves_signals_to_something_is_not_reported(handling: str) -> None:
    assert reports(f"{handling}\n{AROUND.format(body='await never()')}") == []


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ("def start():\n    asyncio.run(main())\nif __name__ == '__main__':\n    start()\n", 5),
        ("def start():\n    asyncio.run(main())\n", None),
        ("import click\n@click.command()\ndef start():\n    asyncio.run(main())\nstart()\n", 7),
        ("import typer\napp = typer.Typer()\n@app.command()\ndef start():\n    asyncio.run(main())\napp()\n", 8),
        ("import typer\napp = typer.Typer()\n@app.command()\ndef start():\n    asyncio.run(main())\n", None),
        ("async def other():\n    asyncio.run(main())\n", None),
    ],
)
def test_only_what_the_program_runs_is_reported(entry: str, line: int | None) -> None:
    source = f"import asyncio\nasync def main():\n    await asyncio.Future()\n{entry}"
    assert [number for number, _ in reports(source)] == ([line] if line else [])


@pytest.mark.parametrize(
    ("entry", "refusal"),
    [
        ("asyncio.new_event_loop().run_until_complete(main())", "the loop is run by hand: start with `asyncio.run()`"),
        ("asyncio.new_event_loop().run_forever()", "the loop is run by hand: start with `asyncio.run()`"),
        ("asyncio.run(main(), **options)", "it is not called with one coroutine by position"),
    ],
)
def test_a_loop_run_otherwise_is_left_to_people(entry: str, refusal: str) -> None:
    source = f"import asyncio\nasync def main():\n    await asyncio.Future()\n{entry}\n"
    assert reports(source) == [(4, refusal)]
    assert mended(source, rules=[RULES["AIO301"]]).text == source


SERVED = "import asyncio\nasync def serve():\n    await asyncio.Future()\n"


def in_a_project(source: str, path: str, **settings: set[str]) -> list[int]:
    names = {key: frozenset(value) for key, value in settings.items()}
    module = Module.parse(source, path, Settings(**names))
    return [finding.line for finding in check(module, [RULES["AIO301"]])]


@pytest.mark.parametrize(
    ("path", "entry", "start", "line"),
    [
        ("src/pkg/cli.py", "pkg.cli.start", "def start():\n    asyncio.run(serve())\n", 5),
        ("pkg/cli/__init__.py", "pkg.cli.start", "def start():\n    asyncio.run(serve())\n", 5),
        ("pkg\\cli.py", "pkg.cli.start", "def start():\n    asyncio.run(serve())\n", 5),
        ("pkg/cli.py", "pkg.cli.begin", "def begin(): start()\ndef start():\n    asyncio.run(serve())\n", 6),
        ("pkg/cli.py", "pkg.cli.App.run", "class App:\n    def run(self):\n        asyncio.run(serve())\n", 6),
        ("cli.py", "cli.app", "app = Typer()\n@app.command()\ndef start():\n    asyncio.run(serve())\n", 7),
        ("pkg/cli.py", "pkg.cli.stop", "def start():\n    asyncio.run(serve())\n", None),
        ("pkg/cli.py", "other.cli.start", "def start():\n    asyncio.run(serve())\n", None),
        ("pkg/xcli.py", "cli.start", "def start():\n    asyncio.run(serve())\n", None),
        ("", "cli.start", "def start():\n    asyncio.run(serve())\n", None),
    ],
)
def test_the_project_names_its_entry_points(path: str, entry: str, start: str, line: int | None) -> None:
    source = SERVED + start
    assert in_a_project(source, path, entry_points={entry}) == ([line] if line else [])
    assert in_a_project(source, path) == []


@pytest.mark.parametrize(
    ("imported", "runner", "silent"),
    [
        ("from pkg.service import run", "pkg.service.run", True),
        ("from pkg.service import run", "pkg.service", True),
        ("from pkg.service import run", "pkg", True),
        ("from .service import run", "pkg.service.run", True),
        ("from pkg.service import run", "pkg.service.runner", False),
        ("from pkg import services as run", "pkg.service", False),
        ("from .service import run", "pkg.other", False),
    ],
)
def test_the_project_names_its_runners(imported: str, runner: str, silent: bool) -> None:
    source = f"{imported}\n{SERVED}run()\nasyncio.run(serve())\n"
    assert in_a_project(source, "pkg/cli.py", runners={runner}) == ([] if silent else [6])


@pytest.mark.parametrize(
    ("start", "line"),
    [
        ("def main():\n    asyncio.run(serve())\n", 5),
        ("def begin():\n    try:\n        asyncio.run(serve())\n    except KeyboardInterrupt:\n        pass\n", 6),
        ("def begin():\n    try:\n        asyncio.run(serve())\n    except (OSError, KeyboardInterrupt): ...\n", 6),
        ("def begin():\n    try:\n        asyncio.run(serve())\n    except OSError:\n        pass\n", None),
        ("def begin():\n    try: ...\n    except KeyboardInterrupt:\n        asyncio.run(serve())\n", None),
        ("class Service:\n    def main(self):\n        asyncio.run(serve())\n", None),
    ],
)
def test_what_looks_like_the_start_of_a_program_is_one(start: str, line: int | None) -> None:
    assert in_a_project(SERVED + start, "pkg/service.py") == ([line] if line else [])


@pytest.mark.parametrize(
    ("said", "speaks"),
    [
        ("from blinker import Signal", False),
        ("bus.on_signal = None", False),
        ("from .ours import install_signal_handlers", True),
        ("import signal", True),
        ("loop.add_signal_handler(15, print)", True),
        ("stop_on_sigterm()", True),
    ],
)
def test_not_every_signal_is_the_processs(said: str, speaks: bool) -> None:
    source = f"{SERVED}def main():\n    {said}\n    asyncio.run(serve())\n"
    assert in_a_project(source, "pkg/service.py") == ([] if speaks else [6])


def test_services_of_other_files_are_looked_at(tmp_path) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "main.py").write_text(
        "import asyncio\nfrom server import Server\nasync def main():\n    server = Server()\n"
        "    await server.{method}()\nasyncio.run(main())\n"
    )
    template = (tmp_path / "main.py").read_text()
    methods = (
        "    async def listen(self):\n        await asyncio.Event().wait()\n"
        "    async def serve_forever(self):\n        await self.closed\n"
        "    async def close(self):\n        await asyncio.sleep(1)\n"
    )
    for handling, method, reported in [
        ("", "listen", [6]),
        ("", "serve_forever", [6]),
        ("", "close", []),
        ("import signal\n", "listen", []),
        ("import aiorun\n", "serve_forever", []),
    ]:
        (tmp_path / "server.py").write_text(f"import asyncio\n{handling}class Server:\n{methods}")
        source, path = template.format(method=method), str(tmp_path / "main.py")
        module = Module.parse(source, path, project=View())
        found = settled(module, lambda module: check(module, [RULES["AIO301"]]), project())
        assert [finding.line for finding in found] == reported
