"""`asyncfix` from its arguments to its output, exit code and files."""

from __future__ import annotations

import ast
import io
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flake8_asyncpatterns import progress
from flake8_asyncpatterns.cli import main
from flake8_asyncpatterns.config import KEYS
from flake8_asyncpatterns.module import Module
from flake8_asyncpatterns.rule import Fix, Related, Report, Rule, Symbol, replace
from flake8_asyncpatterns.rules import RULES

BAD = "import time\n\n\nasync def f():\n    time.sleep(1)\n"
GOOD = "import asyncio\nimport time\n\n\nasync def f():\n    await asyncio.sleep(1)\n"
MESSAGE = "`time.sleep()` blocks the event loop; await `asyncio.sleep()`"
not_on_windows = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX system")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)
    return tmp_path


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Exit code, stdout and stderr of a command."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return run


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    return lambda data: monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def write(**files: str) -> None:
    for name, text in files.items():
        path = Path(name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


# Rules that do what no rule of ours needs to do alike: fix unsafely, refuse, quarrel, speak of other places.


def calls(name: str, then: Callable[[ast.Call], Report]) -> Callable[[ast.Call, Module], Iterator[Report]]:
    def check(call: ast.Call, module: Module) -> Iterator[Report]:
        if isinstance(call.func, ast.Name) and call.func.id == name:
            yield then(call)

    return check


def renamed(to: str, unsafe: str = "") -> Callable[[ast.Call], Report]:
    return lambda call: Report(call, f"say {to}", Fix(replace(call.func, "{to}", to=Symbol(to)), unsafe=unsafe))


@pytest.fixture
def odd_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = {
        "AIO901": calls("risky", renamed("asyncpatterns.run", "it may bite")),
        "AIO902": calls("hopeless", lambda call: Report(call, "no way", refusal="nobody knows how")),
        "AIO903": calls("silent", lambda call: Report(call, "hm", related=(Related(call.func, "its name"),))),
        "AIO904": calls("max", renamed("builtins.min")),
        "AIO905": calls("min", renamed("builtins.max")),
    }
    for code, check in rules.items():
        monkeypatch.setitem(RULES, code, Rule(code, f"odd-{code}", (ast.Call,), check))


def test_check_whole_output(run: Run) -> None:
    write(b=BAD, a="import time as t\n\nasync def g():\n\tt.sleep(2)  # ä\n\tx = 'ä漢', t.sleep(3)\n", c=GOOD)
    assert run("check") == (
        1,
        (
            f"a.py:4:2: AIO101 [*] {MESSAGE}\n"
            "   4 | \tt.sleep(2)  # ä\n"
            "     | \t^^^^^^^^^^\n"
            f"a.py:5:12: AIO101 [*] {MESSAGE}\n"
            "   5 | \tx = 'ä漢', t.sleep(3)\n"
            "     | \t           ^^^^^^^^^^\n"
            f"b.py:5:5: AIO101 [*] {MESSAGE}\n"
            "   5 |     time.sleep(1)\n"
            "     |     ^^^^^^^^^^^^^\n"
            "Found 3 errors in 2 files; 3 [*] can be fixed with `asyncfix fix`.\n"
        ),
        "",
    )


def test_check_finds_nothing(run: Run) -> None:
    write(a=GOOD)
    assert run("check") == (0, "Found no errors in 1 file.\n", "")
    assert run("check", "-q") == (0, "", "")


def test_check_shows_other_places(run: Run, odd_rules: None) -> None:
    write(a="silent()\n")
    _, out, _ = run("check", "-q")
    assert out == "a.py:1:1: AIO903 hm\n   1 | silent()\n     | ^^^^^^^^\n     = a.py:1:1: its name\n"


def test_exit_zero_is_for_what_was_found_only(run: Run) -> None:
    write(a=BAD)
    assert run("check", "--exit-zero")[0] == 0
    assert run("check", "--exit-zero", "none.py")[0] == 2


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--select", "AIO101"], 1),
        (["--select", "aio1"], 1),
        (["--select", "ALL"], 1),
        (["--ignore", "AIO101"], 0),
        (["--ignore", "AIO1"], 0),
        (["--ignore", "AIO901,AIO101"], 0),
        (["--ignore", "AIO901", "--ignore", "AIO101"], 0),
        (["--select", "AIO9"], 0),
        (["--select", "AIO9", "--extend-select", "AIO1"], 1),
        (["--exclude", "a.py"], 0),
        (["--exclude", "*.py", "a.py"], 1),
    ],
)
def test_selection(run: Run, odd_rules: None, arguments: list[str], expected: int) -> None:
    write(a=BAD)
    assert run("check", *arguments)[0] == expected


def test_configuration_and_what_goes_before_it(run: Run) -> None:
    write(a=BAD, tests__b=BAD)
    Path("pyproject.toml").write_text("[tool.asyncfix]\nignore = ['AIO101']\n")
    assert run("check")[0] == 0
    assert run("check", "--isolated")[0] == 1
    assert run("check", "--select", "AIO1")[0] == 1
    Path("pyproject.toml").write_text("[tool.asyncfix]\nper-file-ignores = { 'tests/*' = ['AIO1'] }\n")
    assert "Found 1 error in 1 file" in run("check")[1]
    assert run("check", "tests/b.py")[0] == 0
    Path("other.toml").write_text("[tool.asyncfix]\nexclude = ['tests', 'a.py']\n")
    assert run("check", "--config", "other.toml")[1] == "Found no errors in 0 files.\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "--select", "AI0101"], "--select: no rule's code begins with 'AI0101'; did you mean AIO101?"),
        (["check", "--select", " ,"], "--select names no rule"),
        (["check", "--ignore", "X"], "--ignore: no rule's code begins with 'X'"),
        (["check", "--config", "none.toml"], "none.toml: no such file"),
        (["check", "--config", "x", "--isolated"], "--isolated and --config exclude each other"),
        (["check", "--output-format", "xml"], "argument --output-format: invalid choice: 'xml'"),
        (["check", "--selct", "AIO1"], "unrecognized arguments: --selct"),
        (["chekc"], "argument COMMAND: invalid choice: 'chekc'"),
        ([], "the following arguments are required: COMMAND"),
        (["fix", "-", "a.py"], "- stands alone: its mended text goes to stdout"),
        (["rule", "blocking-slep"], "there is no rule 'blocking-slep'; did you mean AIO101?"),
    ],
)
def test_mistakes_are_told_in_a_line(run: Run, arguments: list[str], said: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"asyncfix: {said}")
    assert err.count("\n") == 1


def test_mistakes_in_the_configuration_are_told_in_a_line(run: Run) -> None:
    Path("pyproject.toml").write_text("[tool.asyncfix]\nselekt = []\n")
    code, _, err = run("check")
    assert code == 2
    assert err.endswith("[tool.asyncfix] unknown key 'selekt'; did you mean 'select'?\n")
    Path("pyproject.toml").write_text("[tool.asyncfix\n")
    code, _, err = run("check")
    assert code == 2
    assert err.count("\n") == 1


BROKEN = {
    b"x = 1\nasync def f(:\n": "syntax error in line 2, column 13: invalid syntax",
    b"x = '\xe4'\n": "not utf-8, and no coding cookie says what else",
    b"# coding: klingon\n": "unknown encoding: klingon",
    b"if x:\npass\n": "syntax error in line 2, column 1: expected an indented block after 'if' statement on line 1",
    b"x = \x00\n": "null byte",
    b"x = " + b"(" * 300: "too many nested parentheses",
    b"x = " + b"-" * 200_000 + b"1\n": "is nested too deeply",
}


@pytest.mark.parametrize(("data", "why"), BROKEN.items(), ids=[str(data[:12]) for data in BROKEN])
@pytest.mark.parametrize("command", ["check", "fix"])
def test_what_cannot_be_done_is_named_and_the_others_go_on(run: Run, command: str, data: bytes, why: str) -> None:
    write(good=GOOD, worse=BAD)
    Path("bad.py").write_bytes(data)
    code, out, err = run(command)
    assert code == 2
    (line,) = (line for line in err.splitlines() if line.startswith("bad.py"))
    assert line.startswith("bad.py: ")
    assert why in line
    assert Path("bad.py").read_bytes() == data
    assert "worse.py:5" in out + err


def test_missing_path(run: Run) -> None:
    write(a=BAD)
    code, out, err = run("check", "none.py", "a.py", "nowhere/")
    assert code == 2
    assert err == "none.py: no such file or directory\nnowhere: no such file or directory\n"
    assert "a.py:5:5" in out


@not_on_windows
@pytest.mark.parametrize("command", ["check", "fix"])
def test_what_is_no_file(run: Run, command: str) -> None:
    os.mkfifo("pipe.py")
    Path("loop.py").symlink_to("loop.py")
    Path("dangling.py").symlink_to("nowhere.py")
    Path("folder.py").mkdir()
    write(folder__a=GOOD)
    code, _, err = run(command, "-q")
    assert code == 2
    assert err.splitlines() == [
        "dangling.py: no such file or directory",
        "loop.py: too many levels of symbolic links",
        "pipe.py: not a regular file",
    ]


def test_permission(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")  # root, who may run this, is refused nothing

    write(a=BAD)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert run("check", "a.py", "-q", "--isolated") == (2, "", "a.py: permission denied\n")


def test_deep_nesting_in_a_rule(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def give_up(node: ast.AST, module: Module) -> Iterator[Report]:
        raise RecursionError

    write(a=BAD)
    monkeypatch.setitem(RULES, "AIO901", Rule("AIO901", "odd", (ast.Call,), give_up))
    assert run("check", "-q") == (2, "", "a.py: is nested too deeply\n")


@pytest.mark.parametrize("error", [RecursionError, MemoryError])
def test_deep_nesting_in_what_a_fix_wrote(run: Run, monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def give_up(*_: object) -> None:
        raise error

    write(a=BAD)
    monkeypatch.setattr("flake8_asyncpatterns.rewrite.render", give_up)
    assert run("fix", "-q") == (2, "", "a.py: is nested too deeply\n")
    assert Path("a.py").read_text() == BAD


def test_files(run: Run) -> None:
    taken = ["a.py", "b.pyw", "sub/c.py", "sub/deep/d.py"]
    left = [
        ".hidden/a.py", ".venv/a.py", "env/pyvenv.cfg", "env/lib/a.py", "sub/__pycache__/a.py", "node_modules/x/a.py",
        "build/a.py", "dist/a.py", "lib/site-packages/a.py", "stub.pyi", "script", "a.txt",
    ]  # fmt: skip
    for name in taken + left:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(BAD)

    def seen(*arguments: str) -> list[str]:
        return [problem["path"] for problem in json.loads(run("check", "--output-format", "json", *arguments)[1])]

    slashes = [str(Path(name)) for name in taken]
    assert seen() == seen(".") == seen("a.py", ".", "sub", "sub/c.py") == slashes
    assert seen("script", "stub.pyi", ".hidden/a.py", "env") == sorted(
        map(str, map(Path, ["script", "stub.pyi", ".hidden/a.py", "env/lib/a.py"]))
    )
    assert seen("--exclude", "sub") == slashes[:2]
    assert seen("--exclude", "sub/deep/*,*.pyw") == [slashes[0], slashes[2]]
    assert seen(str(Path.cwd())) == [str(Path.cwd() / name) for name in taken]


@not_on_windows
def test_a_file_is_handled_once_however_it_is_reached(run: Run) -> None:
    write(a=BAD, real__b=BAD)
    Path("link.py").symlink_to("a.py")
    Path("linked").symlink_to("real")
    _, out, _ = run("check", ".", "./a.py", str(Path("a.py").absolute()), "linked")
    assert "Found 2 errors in 2 files" in out


def test_stdin(run: Run, stdin: Callable[[bytes], None]) -> None:
    stdin(BAD.encode())
    code, out, _ = run("check", "-")
    assert code == 1
    assert out.startswith("stdin:5:5: AIO101")
    Path("pyproject.toml").write_text("[tool.asyncfix]\nper-file-ignores = { 'tests/*' = ['AIO1'] }\n")
    stdin(BAD.encode())
    assert run("check", "-", "--stdin-filename", "tests/a.py")[0] == 0
    stdin(b"async def f(:\n")
    code, out, err = run("check", "-q", "--stdin-filename", "x.py", "-")
    assert (code, out, err) == (2, "", "x.py: syntax error in line 1, column 13: invalid syntax\n")


def test_formats_for_programs_have_stdout_to_themselves(run: Run) -> None:
    write(a=BAD, broken="(")
    code, out, err = run("check", "--output-format", "json", "--statistics")
    assert code == 2
    assert [(p["path"], p["line"], p["column"], p["end_line"], p["end_column"]) for p in json.loads(out)] == [
        ("a.py", 5, 5, 5, 18)
    ]
    assert "broken.py: syntax error" in err
    assert "AIO101" in err
    (result,) = json.loads(run("check", "--output-format", "sarif")[1])["runs"][0]["results"]
    assert result["ruleId"] == "AIO101"
    assert run("check", "--output-format", "github")[1] == (
        f"::error file=a.py,line=5,col=5,endLine=5,endColumn=18,title=AIO101 (blocking-sleep)::{MESSAGE}\n"
    )


def test_statistics(run: Run) -> None:
    write(a=BAD, b=BAD)
    assert run("check", "--statistics")[1].splitlines()[-2].split() == ["2", "AIO101", "blocking-sleep"]


def test_colours(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write(a=BAD)
    assert "\x1b[" in run("check", "--color", "always")[1]
    assert "\x1b[" not in run("check")[1]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b[" in run("check")[1]
    assert "\x1b[" not in run("check", "--color", "never")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run("check")[1]


def test_fix(run: Run) -> None:
    write(a=BAD, b=GOOD)
    Path("a.py").chmod(0o755)
    assert run("fix") == (1, "", f"a.py:5: AIO101 fixed: {MESSAGE}\nFixed 1 error in 1 file.\n")
    assert "await asyncio.sleep(1)" in Path("a.py").read_text()
    assert Path("b.py").read_text() == GOOD
    assert run("fix") == (0, "", "Found nothing to fix in 2 files.\n")
    assert run("fix", "-q") == (0, "", "")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_fix_keeps_bytes(run: Run, newline: str, encoding: str) -> None:
    def written(text: str) -> bytes:
        cookie = "# coding: latin-1\n" if encoding == "latin-1" else ""
        return (cookie + text + "    'ä'\f\n    # ö").replace("\n", newline).encode(encoding)

    Path("a.py").write_bytes(written(GOOD.replace("import asyncio\n", "").replace("await asyncio", "time")))
    assert run("fix")[0] == 1
    assert Path("a.py").read_bytes() == written(GOOD)


@pytest.mark.filterwarnings("error")
def test_fix_does_not_tell_what_the_parser_thinks_of_the_file(run: Run) -> None:
    write(a=f'DIGITS = "\\d"\n{BAD}')
    assert run("fix", "a.py")[0] == 1
    assert "await asyncio.sleep(1)" in Path("a.py").read_text()


def test_fix_shows_a_diff_that_patch_can_read(run: Run) -> None:
    write(a=BAD.rstrip("\n"))
    before = Path("a.py").read_bytes()
    code, out, err = run("fix", "--diff")
    assert code == 1
    assert Path("a.py").read_bytes() == before
    assert out == (
        "--- a.py\n+++ a.py\n@@ -1,5 +1,6 @@\n+import asyncio\n import time\n \n \n async def f():\n"
        "-    time.sleep(1)\n\\ No newline at end of file\n"
        "+    await asyncio.sleep(1)\n\\ No newline at end of file\n"
    )
    assert err == f"a.py:5: AIO101 would be fixed: {MESSAGE}\nWould fix 1 error in 1 file.\n"
    run("fix")
    after = Path("a.py").read_bytes()
    Path("a.py").write_bytes(before)
    subprocess.run(["git", "apply", "-p0"], input=out.encode(), check=True)
    assert Path("a.py").read_bytes() == after


ODD = [
    "a b.py",
    " a.py",
    "new\nline.py",
    "tab\t.py",
    "esc\x1b[31m.py",
    "quote'\".py",
    "back\\slash.py",
    "\udcff.py",
    "漢" * 80 + ".py",
]


@not_on_windows
@pytest.mark.parametrize("tool", ["git apply -p0", "patch -s -p0"])
def test_odd_names(tmp_path: Path, tool: str) -> None:
    if not shutil.which(tool.split()[0]):
        pytest.skip(f"needs {tool}")
    for name in ODD:
        Path(name).write_bytes(BAD.encode())
    lines = shell("asyncfix check").stdout.splitlines()
    assert [line.partition(":")[2] for line in lines[::3]][:-1] == [f"5:5: AIO101 [*] {MESSAGE}"] * len(ODD)
    assert "esc\\x1b[31m.py:5:5: " in "\n".join(lines)
    assert shell(f"asyncfix fix --diff -q > {tmp_path}/it.diff; {tool} < {tmp_path}/it.diff").stderr == ""
    assert [Path(name).read_text() for name in ODD] == [GOOD] * len(ODD)
    for name in ODD:
        Path(name).write_bytes(BAD.encode())
    assert "esc\\x1b[31m.py:5: AIO101 fixed" in shell("asyncfix fix").stderr
    assert [Path(name).read_text() for name in ODD] == [GOOD] * len(ODD)


def test_of_a_long_line_a_part_is_shown(run: Run) -> None:
    write(a=f"import time\n\nasync def f(): x = {'1' * 1000}; time.sleep({'2' * 1000}); y = {'3' * 1000}\n")
    _, excerpt, carets, _ = run("check")[1].splitlines()
    assert excerpt.startswith("   3 | …111")
    assert excerpt.endswith("222…")
    assert excerpt.index("time.sleep") == carets.index("^")
    assert len(excerpt) == 409
    assert excerpt[carets.index("^") : carets.rindex("^") + 2].endswith("2…")


def test_fix_of_stdin(run: Run, stdin: Callable[[bytes], None]) -> None:
    stdin(b"\xef\xbb\xbf" + BAD.replace("\n", "\r\n").encode())
    code, out, err = run("fix", "-")
    assert (code, out) == (1, "\ufeff" + GOOD.replace("\n", "\r\n"))
    assert err == f"stdin:5: AIO101 fixed: {MESSAGE}\nFixed 1 error in 1 file.\n"
    stdin(GOOD.encode())
    assert run("fix", "-", "-q") == (0, GOOD, "")
    stdin(b"(")
    assert run("fix", "-", "-q") == (2, "(", "stdin: syntax error in line 1, column 1: '(' was never closed\n")
    stdin(BAD.encode())
    assert run("fix", "--diff", "-", "--stdin-filename", "x.py")[1].startswith("--- x.py\n")


def test_fix_tells_what_it_leaves_and_why(run: Run, odd_rules: None) -> None:
    write(a="x = risky()\nhopeless()\nsilent()\n")
    assert run("fix") == (
        1,
        "",
        (
            "a.py:1:5: AIO901 left: needs `--unsafe`: it may bite\n"
            "a.py:2:1: AIO902 left: nobody knows how\n"
            "a.py:3:1: AIO903 left: has no fix; see `asyncfix rule AIO903`\n"
            "Fixed nothing, left 3; `--unsafe` would fix 1 more.\n"
        ),
    )
    assert "[!] say" in run("check")[1]


def test_fix_names_the_new_dependency_once(run: Run, odd_rules: None) -> None:
    write(a="x = risky()\n", b="y = risky()\n")
    code, _, err = run("fix", "--unsafe")
    assert code == 1
    assert Path("a.py").read_text() == "import asyncpatterns\n\nx = asyncpatterns.run()\n"
    assert err.splitlines()[2:] == [
        "Fixed 2 errors in 2 files.",
        "Add `asyncpatterns` to your dependencies: the mended code imports it.",
    ]


def test_fix_tells_why_a_fix_cannot_be_made(run: Run, odd_rules: None) -> None:
    write(a="asyncpatterns = 1\nx = risky()\n")
    _, _, err = run("fix", "--unsafe")
    assert "a.py:2:5: AIO901 left: `asyncpatterns.run` is needed, but `asyncpatterns` means something else" in err


def test_fixes_that_undo_each_other_leave_the_file_alone(run: Run, odd_rules: None) -> None:
    text = "max(1, 2)\n"
    write(a=text, b=BAD)
    code, _, err = run("fix", "-q")
    assert code == 2
    assert err == "a.py: its fixes do not come to an end; please report this\n"
    assert Path("a.py").read_text() == text
    assert "asyncio" in Path("b.py").read_text()


def test_fix_leaves_what_is_read_only(run: Run) -> None:
    write(a=BAD, b=BAD)
    Path("a.py").chmod(0o444)
    assert run("fix") == (
        2,
        "",
        f"a.py: read-only\nb.py:5: AIO101 fixed: {MESSAGE}\nFixed 1 error in 1 file.\n",
    )
    assert Path("a.py").read_text() == BAD
    assert run("check", "a.py")[0] == 1


def test_rule_explains_one(run: Run) -> None:
    code, out, _ = run("rule", "AIO101")
    assert code == 0
    assert out.startswith("# AIO101: blocking-sleep\n")
    assert run("rule", "blocking-sleep")[1] == run("rule", "aio101")[1] == out
    told = json.loads(run("rule", "AIO101", "--output-format", "json")[1])
    assert told["documentation"] == out


def test_rule_lists_all(run: Run) -> None:
    code, out, _ = run("rule")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:]] == sorted(RULES)
    assert "AIO101  blocking-sleep" in out
    listed = json.loads(run("rule", "--output-format", "json")[1])
    assert listed[0] == {
        "code": "AIO101", "name": "blocking-sleep", "default": True, "fix": "safe", "summary": RULES["AIO101"].summary,
    }  # fmt: skip


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["fix", "--help"], ["rule", "--help"]])
def test_help(run: Run, arguments: list[str]) -> None:
    code, out, err = run(*arguments)
    assert (code, err) == (0, "")
    if arguments != ["rule", "--help"]:
        assert "exit codes:" in out


@pytest.mark.parametrize("page", ["README.md", "help"])
def test_the_configuration_we_show_is_one(page: str, run: Run) -> None:
    text = run("check", "--help")[1] if page == "help" else (Path(__file__).parents[1] / page).read_text("utf-8")
    lines = [line.strip() for line in text.rpartition("[tool.asyncfix]\n")[2].splitlines()]
    shown = list(itertools.takewhile(re.compile(r"[a-z-]+ = ").match, lines))
    assert {line.partition(" = ")[0] for line in shown} == {*KEYS} - {"select"}
    Path("pyproject.toml").write_text("\n".join(["[tool.asyncfix]", *shown]), "utf-8")
    assert run("check") == (0, "Found no errors in 0 files.\n", "")


def test_version(run: Run) -> None:
    code, out, _ = run("--version")
    assert code == 0
    assert out.startswith("asyncfix ")


def test_interrupted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    write(a=BAD)
    monkeypatch.setattr("flake8_asyncpatterns.check.examine", interrupt)
    assert run("check") == (130, "", "asyncfix: interrupted; no file is half written\n")


@not_on_windows
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_a_file_is_written_waits_until_it_is(
    run: Run, monkeypatch: pytest.MonkeyPatch, number: int, code: int
) -> None:
    def fsync(_: int) -> None:
        os.kill(os.getpid(), number)

    write(a=BAD, b=BAD)
    before = signal.getsignal(number)
    monkeypatch.setattr(os, "fsync", fsync)
    assert run("fix") == (code, "", "asyncfix: interrupted; no file is half written\n")
    assert Path("a.py").read_text() == GOOD
    assert Path("b.py").read_text() == BAD
    assert sorted(Path().iterdir()) == [Path("a.py"), Path("b.py")]
    assert signal.getsignal(number) is before


@not_on_windows
def test_interrupted_before_all_is_loaded() -> None:
    code = """
import signal, sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "flake8_asyncpatterns.cli":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
from flake8_asyncpatterns.__main__ import main
sys.exit(main())
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a run of two steps shows."""
    monkeypatch.setattr(sys, "stderr", stream)
    with progress.Progress() as line:
        line.begin("looked at", 2)
        line.count()
        line.wipe()
        line.begin("mended", 12)
        for sites in (0, 1, 3):
            line.count(sites)
    return stream.getvalue()


def test_progress_is_shown_on_a_terminal_and_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0)
    monkeypatch.setattr(progress, "EVERY", 0)
    assert shown(Terminal(), monkeypatch).split("\r") == [
        "", "looked at: 1 of 2 files", " " * 23, "",
        "mended: 1 of 12 files", "mended: 2 of 12 files, 1 site", "mended: 3 of 12 files, 4 sites", " " * 30, "",
    ]  # fmt: skip


def test_no_progress_where_nobody_looks_or_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(Terminal(), monkeypatch) == ""
    monkeypatch.setattr(progress, "PATIENCE", 0)
    assert shown(io.StringIO(), monkeypatch) == ""


def test_progress_of_a_fix(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write(a=BAD, b=BAD, c="import asyncio\n")
    monkeypatch.setattr(progress, "PATIENCE", 0)
    monkeypatch.setattr(progress, "EVERY", 0)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert run("fix", "-q")[0] == 1
    said = terminal.getvalue().split("\r")
    assert "worked out: 3 of 3 files, 2 sites" in said
    assert said[-1] == ""


def process(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flake8_asyncpatterns", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload, no-any-return]


def test_as_a_process() -> None:
    write(a=BAD)
    ran = process("check", "-q")
    assert (ran.returncode, ran.stderr) == (1, "")
    assert ran.stdout.startswith("a.py:5:5: AIO101 [*]")


def test_a_terminal_without_the_letters() -> None:
    write(ä=BAD.replace("(1)", "(1)  # 漢"))
    ran = process("check", env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "\\xe4.py:5:5" in ran.stdout


@not_on_windows
def test_head_has_seen_enough() -> None:
    write(**{f"a{number}": BAD * 1 for number in range(300)})
    command = f"{sys.executable} -m flake8_asyncpatterns check | head -n 1"
    ran = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    assert ran.stdout.startswith("a0.py:5:5")


def shell(command: str) -> subprocess.CompletedProcess[str]:
    command = command.replace("asyncfix", f"{sys.executable} -m flake8_asyncpatterns")
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("command", ["check", "check --output-format json", "fix --diff", "rule", "--version"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_has_no_room(command: str, unbuffered: str) -> None:
    write(a=BAD)
    ran = shell(f"PYTHONUNBUFFERED={unbuffered} asyncfix {command} > /dev/full")
    assert ran.returncode == 2
    assert ran.stderr.splitlines()[-1] == "asyncfix: output cannot be written: no space left on device"
    assert "Traceback" not in ran.stderr
    ran = shell(f"PYTHONUNBUFFERED={unbuffered} asyncfix check missing.py 2> /dev/full")
    assert (ran.returncode, ran.stdout) == (2, "")


@not_on_windows
@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("asyncfix check >&-", (1, "", "")),
        ("asyncfix fix --diff -q >&-", (1, "", "")),
        ("asyncfix rule >&-", (0, "", "")),
        ("asyncfix check --output-format json missing.py 2>&-", (2, "[]\n", "")),
        ("asyncfix check -q - <&-", (2, "", "stdin: is closed\n")),
        ("asyncfix fix -q - <&-", (2, "", "stdin: is closed\n")),
    ],
)
def test_closed_streams(command: str, expected: tuple[int, str, str]) -> None:
    write(a=BAD)
    ran = shell(command)
    assert (ran.returncode, ran.stdout, ran.stderr) == expected


@not_on_windows
def test_a_directory_that_is_gone() -> None:
    Path("gone").mkdir()
    ran = shell("cd gone && rmdir ../gone && asyncfix check")
    assert (ran.returncode, ran.stderr) == (2, "asyncfix: the current directory: no such file or directory\n")


def test_a_name_that_no_file_can_have(run: Run) -> None:
    write(a=BAD)
    name = "x" * 5000
    assert run("check", "-q", name, "a.py")[::2] == (2, f"{name}: file name too long\n")


def test_what_may_not_be_looked_at(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = os.stat

    def refuse(path: str, *arguments: object, **options: object) -> os.stat_result:
        if "closed" in str(path):
            raise PermissionError(13, "Permission denied")  # root, who may run this, is refused nothing
        return plain(path, *arguments, **options)  # type: ignore[arg-type]

    Path("closed").mkdir()
    write(closed__a=BAD, b=BAD)
    monkeypatch.setattr(os, "stat", refuse)
    assert run("check", "-q", "closed/a.py", "b.py")[::2] == (2, "closed/a.py: permission denied\n")
    monkeypatch.chdir("closed")
    code, out, _ = run("check", "-q", "../b.py")  # a pyproject.toml that cannot be looked for
    assert code == 1
    assert out.startswith("../b.py:5:5")


SPY = """
import sys
from flake8_asyncpatterns.cli import main
main(sys.argv[1:])
print(*sorted(sys.modules), sep=" ")
"""


def test_check_starts_lean() -> None:
    write(a=BAD)
    Path("pyproject.toml").unlink(missing_ok=True)
    ran = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}\n{SPY}", "check", "--isolated"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    *said, modules = ran.stdout.splitlines()
    loaded = set(modules.split())
    assert said[0].startswith("a.py:5:5: AIO101")
    for late in ("rewrite", "lower", "places", "splice", "proof", "imports", "edits", "fix", "docs", "sarif", "plugin"):
        assert f"flake8_asyncpatterns.{late}" not in loaded
    heavy = {"libcst", "json", "difflib", "tomllib", "logging", "tempfile", "dataclasses", "importlib.metadata"}
    assert not loaded & {*heavy, "flake8", "asyncio", "subprocess", "multiprocessing"}


def test_source_that_would_turn_the_terminal_s_text_around(run: Run) -> None:
    write(a="import time\n\nasync def f(): '\u202e\u2028\x1bä　'; time.sleep(1)\n")
    _, excerpt, carets, _ = run("check")[1].splitlines()
    assert excerpt == "   3 | async def f(): '���ä　'; time.sleep(1)"
    assert carets == "     | " + " " * 25 + "^" * 13  # one of the characters is two wide
