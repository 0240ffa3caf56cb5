"""[tool.asyncfix], and which rules are on in the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from flake8_asyncpatterns.config import KEYS, Config, load, nearest
from flake8_asyncpatterns.misuse import Misuse
from flake8_asyncpatterns.rule import Rule
from flake8_asyncpatterns.rules import RULES
from flake8_asyncpatterns.selection import Layer, Selection, codes, select, within


@pytest.fixture(autouse=True)
def rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four rules, whatever the package has."""
    for code in list(RULES):
        monkeypatch.delitem(RULES, code)
    for code, name, default in [
        ("AIO101", "first", True),
        ("AIO105", "quiet-one", False),
        ("AIO201", "second", True),
        ("AIO209", "quiet-two", False),
    ]:
        monkeypatch.setitem(RULES, code, Rule(code, name, (), lambda node, module: [], default))


def on(*layers: Layer) -> list[str]:
    return [rule.code[3:] for rule in select(*layers)]


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([], "101 201"),
        ([Layer()], "101 201"),
        ([Layer(select=("AIO1",))], "101 105"),
        ([Layer(select=("AIO105",))], "105"),
        ([Layer(select=())], ""),
        ([Layer(select=("ALL",))], "101 105 201 209"),
        ([Layer(extend_select=("AIO105",))], "101 105 201"),
        ([Layer(extend_select=("ALL",))], "101 105 201 209"),
        ([Layer(ignore=("AIO1",))], "201"),
        ([Layer(ignore=("ALL",))], ""),
        ([Layer(ignore=("ALL",), extend_select=("AIO2",))], "201 209"),
        ([Layer(select=("AIO1",), ignore=("AIO105",))], "101"),
        ([Layer(select=("AIO105",), ignore=("AIO1",))], "105"),
        ([Layer(select=("AIO1",), ignore=("AIO1",))], ""),
        ([Layer(select=("ALL",), ignore=("AIO20",))], "101 105"),
        # The command line comes second.
        ([Layer(select=("AIO1",)), Layer(extend_select=("AIO209",))], "101 105 209"),
        ([Layer(select=("AIO1",)), Layer(ignore=("AIO105",))], "101"),
        ([Layer(select=("AIO1",)), Layer(select=("AIO2",))], "201 209"),
        ([Layer(ignore=("AIO101",)), Layer(select=("AIO1",))], "101 105"),
        ([Layer(ignore=("AIO101",)), Layer(extend_select=("AIO1",))], "101 105 201"),
        ([Layer(ignore=("AIO101",)), Layer(ignore=("AIO2",))], ""),
    ],
)
def test_layers(layers: list[Layer], expected: str) -> None:
    assert on(*layers) == expected.split()


def test_codes_may_be_written_small_and_as_beginnings() -> None:
    assert codes(["aio101", " AIO2 ", "all", ""], "here") == ("AIO101", "AIO2", "ALL")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("AIO2011", "here: no rule's code begins with 'AIO2011'; did you mean AIO201?"),
        ("quiet-on", "here: no rule's code begins with 'QUIET-ON'; did you mean AIO105?"),
        ("E501", "here: no rule's code begins with 'E501'"),
    ],
)
def test_unknown_codes(word: str, said: str) -> None:
    with pytest.raises(Misuse) as error:
        codes([word], "here")
    assert str(error.value) == said


@pytest.mark.parametrize(
    ("path", "glob", "expected"),
    [
        ("tests/a.py", "tests", True),
        ("tests/a.py", "tests/", True),
        ("tests/a.py", "tests/*", True),
        ("tests/deep/a.py", "tests/*", True),
        ("src/tests/a.py", "tests/*", False),
        ("src/tests/a.py", "**/tests/*", True),
        ("tests/a.py", "**/tests/*", True),
        ("src/tests/a.py", "tests", True),
        ("a.py", "a.py", True),
        ("src/a.py", "*.py", True),
        ("src/a.py", "./src/a.py", True),
        ("src/../src/a.py", "src/a.py", True),
        ("src/a.py", "src/b.py", False),
        ("testsuite/a.py", "tests", False),
        ("/elsewhere/a.py", "/elsewhere/*", True),
    ],
)
def test_globs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, glob: str, expected: bool) -> None:
    monkeypatch.chdir(tmp_path)
    assert within(Path(path), glob, tmp_path) is expected


def test_globs_start_from_the_configuration_wherever_we_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tests").mkdir()
    monkeypatch.chdir(tmp_path / "tests")
    selection = Selection(select(), (("tests/*", ("AIO1",)),), tmp_path)
    assert selection.codes_of(["a.py", "../a.py"]) == {"a.py": ("AIO201",), "../a.py": selection.codes}


def write(folder: Path, table: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "pyproject.toml"
    path.write_text(table, encoding="utf-8")
    return path


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        [tool.asyncfix]
        select = ["AIO1"]
        extend-select = ["aio201"]
        ignore = ["ALL"]
        exclude = ["docs/*"]
        per-file-ignores = { "tests/*" = ["AIO101", "AIO2"] }
        """,
    )
    layer = Layer(("AIO1",), ("AIO201",), ("ALL",))
    assert load(path) == Config(layer, ("docs/*",), (("tests/*", ("AIO101", "AIO2")),), tmp_path)


def test_the_nearest_file_that_has_the_table(tmp_path: Path) -> None:
    write(tmp_path, "[tool.asyncfix]\nignore = ['AIO1']\n")
    write(tmp_path / "inner", "[tool.other]\nx = 1\n")
    assert nearest(tmp_path / "inner") == Config(Layer(ignore=("AIO1",)), root=tmp_path)
    write(tmp_path / "inner", "[tool.asyncfix]\n")
    assert nearest(tmp_path / "inner") == Config(root=tmp_path / "inner")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("[tool.asyncfix]\nselct = []", "[tool.asyncfix] unknown key 'selct'; did you mean 'select'?"),
        (
            "[tool.asyncfix]\nwhatever = 1",
            f"[tool.asyncfix] unknown key 'whatever'; known are {', '.join(KEYS)}",
        ),
        ("[tool.asyncfix]\nselect = 'AIO1'", "[tool.asyncfix] 'select' must be a list of strings"),
        ("[tool.asyncfix]\nexclude = [1]", "[tool.asyncfix] 'exclude' must be a list of strings"),
        (
            "[tool.asyncfix]\nper-file-ignores = []",
            "[tool.asyncfix] 'per-file-ignores' must be a table of globs and lists of codes",
        ),
        (
            "[tool.asyncfix.per-file-ignores]\n'tests/*' = 'AIO101'",
            "[tool.asyncfix] 'per-file-ignores' 'tests/*' must be a list of strings",
        ),
        (
            "[tool.asyncfix]\nignore = ['AIO2011']",
            "[tool.asyncfix] 'ignore': no rule's code begins with 'AIO2011'; did you mean AIO201?",
        ),
        ("[tool.asyncfix]\nruntime = 'yes'", "[tool.asyncfix] 'runtime' must be true or false"),
        ("[tool.asyncfix]\nruntime = 1", "[tool.asyncfix] 'runtime' must be true or false"),
        ("[tool]\nasyncfix = 3", "[tool.asyncfix] must be a table"),
    ],
)
def test_mistakes_are_named_with_key_and_file(tmp_path: Path, table: str, said: str) -> None:
    path = write(tmp_path, table)
    with pytest.raises(Misuse) as error:
        nearest(tmp_path)
    assert str(error.value) == f"{path}: {said}"


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "[tool.asyncfix\n")
    with pytest.raises(Misuse, match=r"pyproject.toml: is no TOML: .*line 1"):
        nearest(tmp_path)
    path.write_bytes(b"x = '\xff'\n")
    with pytest.raises(Misuse, match="is no TOML: it is not utf-8"):
        load(path)
    path.write_text("x = " + "[" * 100_000)
    with pytest.raises(Misuse, match="is nested too deeply"):
        load(path)


def test_a_named_file_must_have_something_to_say(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="has no table"):
        load(write(tmp_path, "[project]\n"))
    with pytest.raises(Misuse, match="no such file"):
        load(tmp_path / "none.toml")


def test_names_of_the_project(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(
        '[tool.asyncfix]\nblocking = ["mylib.fetch", "mylib.Client.get"]\nnot-blocking = ["time.sleep"]\n'
        'entry-points = ["mylib.cli:main"]\nrunners = ["mylib.serve"]\n'
    )
    assert load(path).settings == (
        {"mylib.fetch", "mylib.Client.get"}, {"time.sleep"}, {"mylib.cli.main"}, {"mylib.serve"}, (), False
    )  # fmt: skip


@pytest.mark.parametrize(("table", "preferred"), [("", False), ("runtime = false", False), ("runtime = true", True)])
def test_the_runtime_is_preferred_only_where_it_is_asked_for(tmp_path: Path, table: str, preferred: bool) -> None:
    assert nearest(write(tmp_path, f"[tool.asyncfix]\n{table}").parent).settings.runtime is preferred


@pytest.mark.parametrize("key", ["blocking", "not-blocking", "entry-points", "runners"])
def test_what_is_no_qualified_name_is_named(tmp_path: Path, key: str) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(f'[tool.asyncfix]\n{key} = ["mylib.fetch()"]\n')
    with pytest.raises(Misuse, match=rf"'{key}': 'mylib.fetch\(\)' is no qualified name"):
        load(path)


def test_directories_of_packages(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    for folder in ("packages/a/src", "packages/b/src", "lib"):
        (tmp_path / folder).mkdir(parents=True)
    path.write_text("[tool.asyncfix]\nsrc = ['lib', 'packages/*/src', 'li?', 'none*']\n")
    found = [Path(folder).relative_to(tmp_path).as_posix() for folder in load(path).settings.src]
    assert found == ["lib", "packages/a/src", "packages/b/src"]


@pytest.mark.parametrize(
    ("glob", "said"),
    [
        ("scr", "is no directory here"),
        ("pyproject.toml", "is no directory here"),
        ("", "must be a directory or a pattern, seen from here"),
        ("/", "must be a directory or a pattern, seen from here"),
        ("/usr/*", "must be a directory or a pattern, seen from here"),
    ],
)
def test_what_is_no_directory_is_named(tmp_path: Path, glob: str, said: str) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(f"[tool.asyncfix]\nsrc = ['{glob}']\n")
    with pytest.raises(Misuse) as error:
        load(path)
    assert f"'src': '{glob}' {said}" in str(error.value)


def test_the_commands_of_the_nearest_project_are_entry_points(tmp_path: Path) -> None:
    inner = tmp_path / "inner" / "src"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(
        '[project.scripts]\nouter = "outer:main"\n[tool.asyncfix]\nignore = ["AIO101"]\nentry-points = ["named.start"]'
    )
    assert nearest(inner).settings.entry_points == {"outer.main", "named.start"}
    (tmp_path / "inner" / "pyproject.toml").write_text(
        '[project.scripts]\na = "pkg.cli:app [extra]"\nb = "pkg:Class.run"\nc = "no function"\nd = 1\n'
    )
    found = nearest(inner)
    assert found.layer.ignore == ("AIO101",)
    assert found.settings.entry_points == {"pkg.cli.app", "pkg.Class.run", "named.start"}
    assert load(tmp_path / "pyproject.toml").settings.entry_points == {"outer.main", "named.start"}


@pytest.mark.parametrize("text", ["project = 1\n", "[project]\nscripts = 1\n", "[project]\n"])
def test_a_project_without_commands_has_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    assert nearest(tmp_path).settings.entry_points == frozenset()
