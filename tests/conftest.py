"""What all tests need."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the cache of whoever runs it, or that of another test."""
    folder = tmp_path_factory.mktemp("cache") / "asyncfix"
    monkeypatch.setenv("ASYNCFIX_CACHE_DIR", str(folder))
    return folder
