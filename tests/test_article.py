"""The patterns that the project began from: each flaw is reported, and each file mended.

`fixtures/article/` retells them; `test_article_<pattern>.py` run what the fix makes of them. The snippets as they are
printed in the article are not ours to copy: they are tried where the file that holds them lies beside the checkout.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from cases import FIXTURES, ROOT, codes, found, mended

ARTICLE = ROOT.parent / "shared" / "ARTICLE.md"
RETOLD = sorted((FIXTURES / "article").glob("*.py"))

printed = pytest.mark.skipif(not ARTICLE.exists(), reason="the article's own snippets are not beside this checkout")


def marks(text: str) -> list[tuple[int, str]]:
    lines = enumerate(text.splitlines(), 1)
    return [
        (n, code) for n, line in lines if "#" in line for code in re.findall(r"\bAIO\d{3}\b", line.split("#", 1)[1])
    ]


def test_all_five_patterns_are_retold() -> None:
    assert {path.stem for path in RETOLD} == {
        "cancelable_sleeps", "change_stream", "long_runner", "main_loop", "pipeline",
    }  # fmt: skip


@pytest.mark.parametrize("path", RETOLD, ids=lambda path: path.stem)
def test_every_flaw_is_reported_where_it_is(path: Path) -> None:
    text = path.read_text()
    assert marks(text)
    assert sorted((f.line, f.rule.code) for f in found(text)) == sorted(marks(text))


@pytest.mark.parametrize("path", RETOLD, ids=lambda path: path.stem)
def test_fix_mends_the_whole_file(path: Path) -> None:
    good = (path.parent / "mended" / path.name).read_text()
    assert mended(path.read_text()).text == good
    assert codes(good) == []


def snippet(words: str) -> str:
    """The one snippet of the article with these words in it."""
    blocks = re.findall(r"^```python\n(.*?)^```$", ARTICLE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    [block] = [block for block in blocks if words in block]
    return block


@printed
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("check_and_execute_work", {"AIO303": 1}),
        ("long_runner", {"AIO201": 1}),
        ("add_change", {"AIO501": 1, "AIO502": 1}),
        ("def connect", {"AIO401": 3, "AIO402": 1}),
    ],
)
def test_the_printed_snippets_are_reported_and_mended(words: str, expected: dict[str, int]) -> None:
    text = snippet(words)
    assert Counter(codes(text)) == expected
    result = mended(text)
    assert result.left == []
    assert codes(result.text) == []


@printed
def test_the_printed_main_loop_ends_at_once_when_it_is_mended(tmp_path: Path) -> None:
    work = "async def check_and_execute_work():\n    print('working', flush=True)\n\n"
    program = tmp_path / "main.py"
    fixed = mended(snippet("check_and_execute_work")).text
    program.write_text(fixed.replace("async def main", f"{work}async def main", 1))
    process = subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True, env={**os.environ})
    assert process.stdout
    with process:
        try:
            assert process.stdout.readline() == "working\n"
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0  # instead of 60 seconds later; a busy machine may need some
        finally:
            process.kill()


@printed
def test_the_printed_long_runner_reaches_the_end_when_it_is_mended() -> None:
    space: dict[str, object] = {}
    exec(compile("import asyncio\nreached = []\n" + mended(snippet("long_runner")).text, "long_runner", "exec"), space)
    source = "async def main():\n    long_runner(0)\n    turns = 0\n    while turns < 1100:\n"
    source += "        await asyncio.sleep(0)\n        turns += 1\n"
    calls = []
    original = space["long_runner"]
    assert callable(original)

    def counted(value: int) -> None:
        calls.append(value)
        original(value)

    space["long_runner"] = counted
    exec(source, space)
    main = space["main"]
    assert callable(main)
    asyncio.run(main())
    assert calls == list(range(1002))


@printed
def test_the_printed_stream_delivers_to_a_consumer_that_adds_a_change_when_it_is_mended() -> None:
    space: dict[str, object] = {}
    exec(compile(mended(snippet("add_change")).text, "change_stream", "exec"), space)
    stream_class = space["ChangeStream"]
    assert callable(stream_class)

    async def main() -> list[int]:
        stream = stream_class()
        seen: list[int] = []

        async def consume() -> None:
            async for change in stream:
                seen.append(change)
                if change < 5:
                    await stream.add_change(change + 1)
                else:
                    return

        task = asyncio.create_task(consume())
        await asyncio.sleep(0)
        await stream.add_change(0)
        await asyncio.wait_for(task, 20)
        return seen

    assert asyncio.run(main()) == [0, 1, 2, 3, 4, 5]


@printed
def test_the_printed_pipeline_computes_when_it_is_mended() -> None:
    space: dict[str, object] = {}
    exec(compile(mended(snippet("def connect")).text, "pipeline", "exec"), space)
    pipeline = space["pipeline"]
    assert callable(pipeline)
    assert asyncio.run(pipeline(1)) == 64
