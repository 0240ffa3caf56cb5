"""AIO301 in the small, and what its fix does to a real process."""

from __future__ import annotations

import signal
import sys

import pytest
from cases import found, mended
from processes import running

from flake8_asyncpatterns.rules import RULES

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
