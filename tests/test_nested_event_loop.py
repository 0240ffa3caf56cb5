"""AIO209: what is run inside of a running loop, and who waits for himself."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import found, mended

from flake8_asyncpatterns.check import check, project
from flake8_asyncpatterns.rules import RULES
from flake8_asyncpatterns.source import decode

AROUND = """\
import asyncio, anyio, uvloop

async def work():
    pass

def fetch():
    return asyncio.run(work())

def twice():
    with open("log") as log:
        log.write(fetch())

class Client:
    def get(self):
        return fetch()

    async def main(self, other, loop: asyncio.AbstractEventLoop):
        {body}
"""


def fixed(body: str) -> str:
    rules = [RULES["AIO209"]]
    source = AROUND.format(body=body)
    assert len(found(source, rules)) == 1
    return mended(source, rules=rules).text.partition("AbstractEventLoop):\n        ")[2].strip()


@pytest.mark.parametrize(
    ("body", "after"),
    [
        ("asyncio.run(work())", "await work()"),
        ("uvloop.run(work())", "await work()"),
        ("await asyncio.run(work())", "await work()"),
        ("print(loop.run_until_complete(other))", "print(await other)"),
        ("self.client.loop.run_until_complete(work())", "await work()"),
        ("asyncio.run_coroutine_threadsafe(work(), asyncio.get_running_loop()).result()", "await work()"),
        (
            "r = asyncio.get_running_loop(); f = asyncio.run_coroutine_threadsafe(work(), loop=r); f.result()",
            "r = asyncio.get_running_loop(); f = asyncio.run_coroutine_threadsafe(work(), loop=r); await {wrap}(f)",
        ),
        ("asyncio.run(work(), loop_factory=other)", "asyncio.run(work(), loop_factory=other)"),
        ("anyio.run(work)", "anyio.run(work)"),
        ("loop.run_forever()", "loop.run_forever()"),
        ("fetch()", "fetch()"),
        ("twice()", "twice()"),
        ("self.get()", "self.get()"),
        ("list(asyncio.run(work()) for _ in other)", "list(asyncio.run(work()) for _ in other)"),
    ],
)
def test_a_loop_in_a_loop(body: str, after: str) -> None:
    assert fixed(body) == after.replace("{wrap}", "asyncio.wrap_future")


@pytest.mark.parametrize(
    "body",
    [
        "asyncio.run_coroutine_threadsafe(work(), loop).result()",
        "asyncio.run_coroutine_threadsafe(work(), other.loop).result()",
        "await asyncio.to_thread(fetch)",
        "await asyncio.to_thread(lambda: fetch())",
        "other.run(work())",
        "try: asyncio.run(work())\n        except (ValueError, RuntimeError): pass",
        "if not loop.is_running(): loop.run_until_complete(work())",
        "with other.assertRaisesRegex(RuntimeError, 'x'): asyncio.run(work())",
        "import nest_asyncio\n        asyncio.run(work())",
        "import trio\n        asyncio.run(work())",
        "with patch('asyncio.run'): asyncio.run(work())",
    ],
)
def test_no_loop_in_a_loop(body: str) -> None:
    assert found(AROUND.format(body=body), [RULES["AIO209"]]) == []


def test_a_loop_run_in_another_file(tmp_path: Path) -> None:
    for name, text in {
        "lib.py": "import asyncio, far\nasync def work(): ...\ndef run():\n    asyncio.run(work())\n"
        "def twice():\n    far.again()\ndef perhaps(x):\n    if x:\n        asyncio.run(work())\n",
        "far.py": "import lib\ndef again():\n    return lib.run()\n",
    }.items():
        (tmp_path / name).write_text(text)
    for call, line in {"lib.run()": 4, "lib.twice()": 4, "lib.perhaps(1)": 0, "await to_thread(lib.run)": 0}.items():
        text = f"import lib\nfrom asyncio import to_thread\nasync def f():\n    {call}\n"
        problems = check(decode(text.encode()), str(tmp_path / "main.py"), [RULES["AIO209"]], project=project())
        assert [note.place.line for problem in problems for note in problem.notes] == [line] * (line > 0)
