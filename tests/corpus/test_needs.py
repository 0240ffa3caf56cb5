"""The scan over code that nobody here wrote: what is found without it is found with it.

    pytest -m slow tests/corpus/test_needs.py

Released packages (kept in the folder of ASYNCFIX_CORPUS, if set) and Python's own library; all rules.
"""

from __future__ import annotations

import os
import sysconfig
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from corpus.sources import source

from flake8_asyncpatterns import engine
from flake8_asyncpatterns.check import parse
from flake8_asyncpatterns.files import find
from flake8_asyncpatterns.needs import Scan
from flake8_asyncpatterns.rules import RULES
from flake8_asyncpatterns.settings import NONE
from flake8_asyncpatterns.source import Unreadable, decode

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]

PACKAGES = (
    "aiohttp==3.14.5", "distributed==2026.8.0", "discord.py==2.7.1", "prefect==3.9.1", "litellm==1.110.2",
    "homeassistant==2026.11.0", "asyncssh==1.18.0", "hbmqtt==0.9.6",
)  # fmt: skip


def lost(path: Path) -> list[str]:
    """What the scan of a file would lose: places and codes."""
    try:
        data = path.read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = engine.check(parse(decode(data).text, str(path)), RULES.values())
    except (Unreadable, OSError, RecursionError):
        return []
    speakers = Scan(RULES.values(), NONE, project=False).speakers(data)
    return [f"{path}:{f.line}: {f.rule.code}" for f in found if f.rule.code not in speakers]


def losses(folder: Path) -> Iterator[str]:
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for found in pool.map(lost, map(Path, find([folder], (), folder)), chunksize=50):
            yield from found


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_in_a_package_passes_by(package: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    kept = os.environ.get("ASYNCFIX_CORPUS")
    folder = source(package, Path(kept) if kept else tmp_path_factory.mktemp("corpus"))
    assert list(losses(folder)) == []


def test_nothing_in_the_standard_library_passes_by() -> None:
    assert list(losses(Path(sysconfig.get_paths()["stdlib"]))) == []
