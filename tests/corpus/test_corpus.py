"""Both commands over released packages: no crash, no unproven fix, nothing left to do after a fix.

    pytest -m slow -s tests/corpus/test_corpus.py

Fetches sources by name and version from the package index (into the folder of ASYNCFIX_CORPUS, if set, to keep them)
and prints what it saw.
"""

from __future__ import annotations

import ast
import io
import json
import os
import shutil
import time
import tokenize
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from cases import mended
from corpus.sources import source

from flake8_asyncpatterns.cli import main
from flake8_asyncpatterns.proof import Unproven
from flake8_asyncpatterns.rewrite import Unsettled
from flake8_asyncpatterns.source import Unreadable, read

# pip leaves the files of an index open that is a folder.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]

PACKAGES = ("asyncssh==1.18.0", "hbmqtt==0.9.6", "aiohttp==3.13.2", "distributed==2026.8.0")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    kept = os.environ.get("ASYNCFIX_CORPUS")
    return Path(kept) if kept else tmp_path_factory.mktemp("corpus")


@pytest.fixture(params=PACKAGES)
def package(request: pytest.FixtureRequest, corpus: Path, tmp_path: Path) -> Path:
    """A copy of a package's sources, to be rewritten."""
    copy = tmp_path / request.param
    shutil.copytree(source(request.param, corpus), copy)
    return copy


def asyncfix(*arguments: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main([*arguments, "--isolated"])
    return status, out.getvalue(), err.getvalue()


def parsed(package: Path) -> Iterator[tuple[Path, str, ast.Module]]:
    """The files that parse on this Python."""
    for path in sorted(package.rglob("*.py")):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of invalid escapes and the like, in the package's own code
                text = read(path).text
                yield path, text, ast.parse(text)
        except (Unreadable, SyntaxError, ValueError):
            continue


def comments(text: str) -> Counter[str]:
    lines = io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n"))
    return Counter(t.string for t in tokenize.generate_tokens(lines.readline) if t.type == tokenize.COMMENT)


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_check_and_fix(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: text for path, text, _ in parsed(package)}
    lines = sum(text.count("\n") for text in before.values())

    start = time.perf_counter()
    status, out, err = asyncfix("check", str(package), "--select", "ALL", "--output-format", "json")
    checked = time.perf_counter() - start
    found = Counter(finding["code"] for finding in json.loads(out))
    assert status in (0, 1, 2)
    assert "Traceback" not in err

    start = time.perf_counter()
    status, _, err = asyncfix("fix", str(package), "--select", "ALL", "--unsafe")
    fixed = time.perf_counter() - start
    assert "Traceback" not in err

    after = {path: text for path, text, _ in parsed(package)}
    assert after.keys() == before.keys(), "what parsed still parses"
    changed = [path for path in after if after[path] != before[path]]
    for path in changed:
        assert not comments(before[path]) - comments(after[path]), path
    again = {path: path.read_bytes() for path in after}
    asyncfix("fix", str(package), "--select", "ALL", "--unsafe")
    assert {path: path.read_bytes() for path in after} == again, "a second fix changes nothing"

    left = Counter(finding["code"] for finding in json.loads(asyncfix(
        "check", str(package), "--select", "ALL", "--output-format", "json")[1]))  # fmt: skip
    with capsys.disabled():
        print(f"\n{package.name}: {len(before)} files, {lines} lines; check {checked:.1f} s, fix {fixed:.1f} s, ")
        print(
            f"  {len(changed)} files rewritten; found {dict(sorted(found.items()))}; left {dict(sorted(left.items()))}"
        )


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_no_fix_is_unproven(package: Path) -> None:
    unproven = []
    for path, text, _ in parsed(package):
        try:
            result = mended(text)
        except Unsettled as error:
            unproven.append((path, 0, error))
            continue
        unproven += [
            (path, left.finding.line, left.reason) for left in result.left if isinstance(left.reason, Unproven)
        ]
    assert unproven == []
