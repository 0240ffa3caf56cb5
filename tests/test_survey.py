"""A run as a whole: the same words on any number of processes, with and without what is known from before."""

from __future__ import annotations

import os
import pickle
import time
from pathlib import Path

import pytest

from flake8_asyncpatterns import cache, check, memory, runner
from flake8_asyncpatterns.cache import Store
from flake8_asyncpatterns.cli import main
from flake8_asyncpatterns.facts import Facts
from flake8_asyncpatterns.settings import Settings
from flake8_asyncpatterns.source import Source

FORMATS = ("text", "json", "github", "sarif")
BLOCKS = "import requests\n\ndef load(url):\n    return requests.get(url)\n"
CALLS = (
    "from .low import load\n\nasync def fetch{0}(url):\n    return load(url)\n\nasync def f{0}():\n    fetch{0}(1)\n"
)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose files have something to tell each other; they were written a while ago."""
    package = tmp_path / "app"
    package.mkdir()
    (tmp_path / "pyproject.toml").write_text("[tool.asyncfix]\n")
    (package / "__init__.py").write_text("")
    (package / "low.py").write_text(BLOCKS)
    for number in range(30):
        (package / f"m{number:02}.py").write_text(CALLS.format(number))
    (package / "broken.py").write_text("async def f(:\n    time.sleep(1)\n")
    for path in tmp_path.rglob("*"):
        age(path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runner, "FEW", 2)
    monkeypatch.setattr(runner, "BATCH_FILES", 4)
    return package


def age(path: Path, seconds: int = 3600) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


class Run:
    """A run of `asyncfix check`: its exit code, what it said, and how many files it looked at."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.capsys = capsys
        self.looked_at: list[str] = []
        examine = check.examine

        def counted(source, path, *arguments, **options):  # type: ignore[no-untyped-def]
            self.looked_at.append(Path(path).name)
            return examine(source, path, *arguments, **options)

        monkeypatch.setattr(check, "examine", counted)

    def __call__(self, *arguments: str, jobs: int = 1) -> tuple[int, str, str]:
        self.looked_at.clear()
        code = main(["check", f"-j{jobs}", *arguments])
        return (code, *self.capsys.readouterr())


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(capsys, monkeypatch)


@pytest.mark.parametrize("project_or_not", [(), ("--no-project",)], ids=["project", "alone"])
@pytest.mark.parametrize("style", FORMATS)
def test_the_same_words(run: Run, style: str, project_or_not: tuple[str, ...]) -> None:
    asked = ("--output-format", style, *project_or_not)
    wanted = run("--no-cache", *asked)
    assert wanted[0] == 2  # for there is a broken file
    assert len(wanted[1]) > 1000
    for jobs in (1, 3):
        assert run("--no-cache", *asked, jobs=jobs) == wanted
    assert run(*asked, jobs=3) == wanted  # cold
    assert run(*asked) == wanted  # warm
    assert run.looked_at == []
    shuffled = sorted(map(str, Path("app").iterdir()), key=hash)
    assert run(*asked, *shuffled) == run("--no-cache", *asked, *shuffled)


def test_only_what_has_changed_is_looked_at_again(run: Run, project: Path) -> None:
    before = run()
    assert run() == before
    assert run.looked_at == []
    (project / "m03.py").write_text("import time\n\nasync def f():\n    time.sleep(1)\n")
    after = run()
    assert run.looked_at == ["m03.py"]
    assert after == run("--no-cache")
    assert after != before
    assert run() == after
    assert run.looked_at == []


def test_a_file_that_was_only_touched_is_not_looked_at(run: Run, project: Path) -> None:
    before = run()
    age(project / "m03.py", 7200)
    assert run() == before
    assert run.looked_at == []


@pytest.mark.parametrize(
    "change",
    [
        lambda app: (app / "low.py").write_text("def load(url):\n    return url\n"),
        lambda app: (app / "low.py").unlink(),
        lambda app: (app / "new.py").write_text("import time\n\nasync def f():\n    time.sleep(1)\n"),
        lambda app: (app / "m07.py").unlink(),
        lambda app: (app / "broken.py").write_text("x = 1\n"),
        lambda app: (app.parent / "pyproject.toml").write_text('[tool.asyncfix]\nignore = ["AIO110"]\n'),
    ],
    ids=["other facts", "no facts", "more", "fewer", "mended", "configuration"],
)
def test_whatever_changes_the_words_are_those_of_a_run_without_a_cache(run: Run, project: Path, change) -> None:  # type: ignore[no-untyped-def]
    before = run(jobs=3)
    change(project)
    after = run()
    assert after != before
    assert after == run("--no-cache")
    assert run() == after


def test_what_does_not_parse_is_tried_once(run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    work_out = check.facts

    def spy(source: Source, path: str, settings: Settings) -> Facts:
        parsed.append(Path(path).name)
        return work_out(source, path, settings)

    monkeypatch.setattr(check, "facts", spy)
    importer, broken = project / "m31.py", project / "broken.py"
    importer.write_text("from .broken import load\n\nasync def f(u):\n    return load(u)\n")
    age(importer)
    run()
    assert "broken.py" in parsed
    parsed.clear()
    importer.write_text(importer.read_text() + "# more\n")
    run()
    assert "broken.py" not in parsed
    with broken.open("a") as file:  # it still tells nothing, so that nobody is asked again
        file.write("# more\n")
    before = run()
    assert parsed == ["broken.py"]
    broken.write_text(BLOCKS)
    after = run()
    assert "m31.py:4:12: AIO110" in after[1]
    assert after == run("--no-cache")
    broken.write_text("def load(:\n")
    assert run()[1] == before[1]


def test_a_file_outside_of_what_is_checked_matters(run: Run, project: Path) -> None:
    before = run("app/m01.py")
    assert "AIO110" in before[1]
    assert run("app/m01.py") == before
    assert run.looked_at == []
    (project / "low.py").write_text("def load(url):\n    return url\n")
    after = run("app/m01.py")
    assert "AIO110" not in after[1]
    assert run("app/m01.py", "--no-cache") == after


def test_a_new_file_that_an_import_now_means(run: Run, project: Path) -> None:
    (project / "m01.py").write_text("from .late import load\n\nasync def f(u):\n    return load(u)\n")
    age(project / "m01.py")
    assert "AIO110" not in run("app/m01.py")[1]
    (project / "late.py").write_text(BLOCKS)
    assert "AIO110" in run("app/m01.py")[1]


def test_a_file_that_changes_within_a_tick_of_the_clock(run: Run, project: Path) -> None:
    path = project / "m01.py"
    path.write_text("import time\n\nasync def f():\n    time.sleep(1)\n")
    same = path.stat()
    before = run("app/m01.py")
    path.write_text("import time\n\nasync def f():\n    print( (1))\n  ")
    os.utime(path, ns=(same.st_atime_ns, same.st_mtime_ns))
    assert path.stat().st_size == same.st_size
    assert run("app/m01.py") != before


def test_other_questions_have_other_answers(run: Run) -> None:
    assert run("--select", "AIO203")[1] != run("--select", "AIO110")[1]
    assert run("--select", "AIO203")[1] != run("--ignore", "AIO203")[1]
    assert run("--no-project")[1] != run()[1]
    assert run("app/m01.py")[1] != run("app/m02.py")[1]


def test_another_tool_begins_anew(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run()
    monkeypatch.setattr(memory, "_tool", lambda: [("rule.py", (1, 2, 3))])
    run()
    assert len(run.looked_at) > 30


def test_every_file_of_ours_makes_the_tool() -> None:
    package = Path(memory.__file__).parent
    assert [*map(Path, dict(memory._tool()))] == sorted(package.rglob("*.py"))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(path.read_bytes() + b"x"),
        lambda path: path.write_bytes(os.urandom(200)),
        lambda path: path.write_bytes(path.read_bytes()[:32] + pickle.dumps(print)),
        lambda path: path.chmod(0o666),
        lambda path: (path.unlink(), path.mkdir()),
    ],
    ids=["empty", "short", "long", "noise", "foreign", "writable by all", "a directory"],
)
def test_damaged_records_are_none(run: Run, spoil, own_cache: Path) -> None:  # type: ignore[no-untyped-def]
    wanted = run()
    records = [path for path, _ in Store(own_cache).records()]
    assert len(records) > 30
    for path in records:
        spoil(path)
    assert run() == wanted
    assert len(run.looked_at) > 30


def test_a_record_of_something_else(run: Run, own_cache: Path) -> None:
    wanted = run()
    store = Store(own_cache)
    for path, _ in store.records():
        store.save(path.name.removesuffix(cache.SUFFIX), {"not": "a record"})
    assert run() == wanted


def test_where_nothing_can_be_written_nothing_is_kept(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wanted = run("--no-cache")
    (tmp_path / "file").write_text("")
    assert run("--cache-dir", str(tmp_path / "file" / "cache")) == wanted

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert run() == wanted
    assert run() == wanted
    assert len(run.looked_at) > 30


def test_a_full_disk_leaves_no_half_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "cache")
    store.save("a", [1])
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    store.save("a", [2])
    assert store.load("a") == [1]
    assert sorted(path.name for path in store.folder.iterdir()) == [".gitignore", cache.TAG, "a.asyncfix"]


def test_the_cache_is_bounded(tmp_path: Path) -> None:
    store = Store(tmp_path, limit=5000)
    for number in range(8):
        store.save(f"r{number}", bytes(1000))
        age(tmp_path / f"r{number}{cache.SUFFIX}", 100 - number)
        store.load("r0")  # used again and again
    kept = {path.name for path, _ in store.records()}
    assert kept == {f"r{number}{cache.SUFFIX}" for number in (0, 5, 6, 7)}


def test_the_command_for_the_cache(run: Run, own_cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "dir"]) == 0
    assert capsys.readouterr().out == f"{own_cache}\n"
    assert main(["cache", "clear"]) == 0  # there is none yet
    capsys.readouterr()
    run()
    assert (own_cache / cache.TAG).read_bytes().startswith(b"Signature: 8a477f597d28d172789f06886806bc55")
    (own_cache / "mine.txt").write_text("")
    assert main(["cache", "clear"]) == 0
    assert "Freed 0." in capsys.readouterr().out
    assert {path.name for path in own_cache.iterdir()} == {cache.TAG, ".gitignore", "mine.txt"}
    (own_cache / "mine.txt").unlink()
    assert main(["cache", "clear", "--cache-dir", str(own_cache)]) == 0
    assert not own_cache.exists()


@pytest.mark.parametrize("jobs", ["0", "-1", "many"])
def test_no_such_number_of_jobs(capsys: pytest.CaptureFixture[str], jobs: str) -> None:
    assert main(["check", "-j", jobs]) == 2
    assert "--jobs" in capsys.readouterr().err
