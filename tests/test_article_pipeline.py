"""The pipeline of functions: the flawed module does not import, the mended one computes."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from cases import FIXTURES, codes, mended

ARTICLE = FIXTURES / "article"

# As terse as such code is usually printed.
TERSE = """\
import asyncio
@asyncio.coroutine
def inc(n): return n + 1
@asyncio.coroutine
def sq(n): return n * n
def chain(fs):
    def run(*a, **k):
        r = yield from fs[0](*a, **k)
        for f in fs[1:]: r = yield from f(r)
        return r
    return run
both = chain([inc, sq])
"""
TERSE_MENDED = """\
async def inc(n): return n + 1
async def sq(n): return n * n
def chain(fs):
    async def run(*a, **k):
        r = await fs[0](*a, **k)
        for f in fs[1:]: r = await f(r)
        return r
    return run
both = chain([inc, sq])
"""


def imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(sys.version_info < (3, 11), reason="the decorator is there until 3.10")
def test_the_flawed_module_does_not_import() -> None:
    with pytest.raises(AttributeError, match="coroutine"):
        imported(ARTICLE / "pipeline.py")


def test_the_mended_module_computes() -> None:
    module = imported(ARTICLE / "mended" / "pipeline.py")
    assert asyncio.run(module.pipeline(1)) == 64


def test_fix_makes_the_mended_module() -> None:
    result = mended((ARTICLE / "pipeline.py").read_text())
    assert result.text == (ARTICLE / "mended" / "pipeline.py").read_text()
    assert result.left == []


def test_without_unsafe_fixes_nothing_changes_because_all_must_change_together() -> None:
    flawed = (ARTICLE / "pipeline.py").read_text()
    assert mended(flawed, unsafe=False).text == flawed


def test_the_terse_form_is_mended_as_well() -> None:
    assert codes(TERSE) == ["AIO401", "AIO401", "AIO402"]
    assert mended(TERSE).text == TERSE_MENDED
    namespace: dict[str, object] = {}
    exec(compile(TERSE_MENDED, "terse", "exec"), namespace)
    both = namespace["both"]
    assert callable(both)
    assert asyncio.run(both(2)) == 9
