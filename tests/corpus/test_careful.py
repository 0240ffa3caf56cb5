"""What fixes leave alone in released packages, and that their order does not matter there.

    pytest -m slow -s tests/corpus/test_careful.py

Every rule, unsafe fixes too: lines outside of an edit stay byte for byte, comments stay in their order, nothing is
unproven, and rule by rule in any order or all at once ends in the same text. Sources are fetched as for
test_corpus.py.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from cases import mended
from corpus.sources import source
from order import differences
from untouched import watched

from flake8_asyncpatterns.proof import Unproven
from flake8_asyncpatterns.source import Unreadable, read

# pip leaves the files of an index open that is a folder.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]

PACKAGES = (
    "hbmqtt==0.9.6", "aiohttp==1.3.5", "aiomysql==0.0.12", "aioxmpp==0.10.4", "opsdroid==0.8.1", "asyncssh==1.18.0",
    "aiohttp==3.14.5", "distributed==2026.8.0", "redis==8.1.0", "discord.py==2.7.1", "faust-streaming==0.15.3",
    "jupyter_server==2.21.1", "rasa==3.6.21", "quart==0.23.1", "telethon==1.45.0",
)  # fmt: skip
LARGEST = 100_000  # characters


def looked(path: Path) -> tuple[int, list[str]]:
    """How much was fixed in a file, and what went wrong."""
    try:
        text = read(path).text
    except Unreadable:
        return 0, []
    if len(text) > LARGEST or not re.search("async|thread|signal", text):
        return 0, []
    with warnings.catch_warnings(), watched() as wrong:
        warnings.simplefilter("ignore")  # of the package's own code
        try:
            once = mended(text)
        except (SyntaxError, ValueError):
            return 0, []  # of another age, or meant to be broken
        wrong += [str(left.reason) for left in once.left if isinstance(left.reason, Unproven)]
        wrong += differences(text)
    return len(once.fixed), [f"{path}: {what}" for what in wrong]


def results(root: Path) -> Iterator[tuple[int, list[str]]]:
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(looked, sorted(path for path in root.rglob("*.py") if path.is_file()), chunksize=8)


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_else_changes_in_any_order(
    package: str, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = os.environ.get("ASYNCFIX_CORPUS")
    root = source(package, Path(kept) if kept else tmp_path_factory.mktemp("corpus"))
    found = list(results(root))
    with capsys.disabled():
        print(f"\n{package}: {sum(fixed for fixed, _ in found)} fixed in {sum(fixed > 0 for fixed, _ in found)} files")
    assert [line for _, wrong in found for line in wrong] == []
