"""What people and programs get to read about problems."""

from __future__ import annotations

import json

import pytest

from flake8_asyncpatterns import report
from flake8_asyncpatterns.problem import Note, Place, Problem, describe
from flake8_asyncpatterns.report import Style
from flake8_asyncpatterns.rules import RULES
from flake8_asyncpatterns.sarif import sarif
from flake8_asyncpatterns.source import lines

PLAIN = Style(colour=False)


def problem(excerpt: str, column: int, end_column: int, end_line: int = 4, **more: object) -> Problem:
    place = Place("app.py", 4, column, end_line, end_column)
    return Problem(place, "AIO101", "blocking-sleep", "it blocks", "safe", "", (), excerpt)._replace(**more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("excerpt", "column", "end_column", "end_line", "shown", "carets"),
    [
        ("    nap(1)  # x", 5, 11, 4, "    nap(1)  # x", "    ^^^^^^"),
        ("\tnap(1)", 2, 8, 4, "\tnap(1)", "\t^^^^^^"),
        ("x = '漢字', nap(1)", 11, 17, 4, "x = '漢字', nap(1)", "            ^^^^^^"),
        ("nap('漢字')", 1, 10, 4, "nap('漢字')", "^" * 11),
        ("x = 'é', nap(1)", 10, 16, 4, "x = 'é', nap(1)", " " * 9 + "^" * 6),
        ("x = 'e\u0301', nap(1)", 11, 17, 4, "x = 'e\u0301', nap(1)", " " * 9 + "^" * 6),
        ("    nap(  ", 5, 6, 6, "    nap(  ", "    ^^^^"),
        ("\x0cnap(1)", 2, 8, 4, " nap(1)", " ^^^^^^"),
        ("x = '\x1b[31m', nap(1)", 14, 20, 4, "x = '\ufffd[31m', nap(1)", " " * 13 + "^" * 6),
        ("x", 1, 1, 4, "x", "^"),
    ],
)
def test_carets_stand_under_the_span(
    excerpt: str, column: int, end_column: int, end_line: int, shown: str, carets: str
) -> None:
    _, source, under = report.text(problem(excerpt, column, end_column, end_line), PLAIN)
    assert source == f"   4 | {shown}"
    assert under == f"     | {carets}"


def test_the_whole_text_of_a_problem() -> None:
    note = Note(Place("app.py", 1, 1, 1, 2), "begun here")
    whole = "\n".join(report.text(problem("    nap(1)", 5, 11, fix="unsafe", notes=(note,)), PLAIN))
    assert whole == (
        "app.py:4:5: AIO101 [!] it blocks\n   4 |     nap(1)\n     |     ^^^^^^\n     = app.py:1:1: begun here"
    )


def test_colours_come_and_go_in_pairs() -> None:
    for line in report.text(problem("    nap(1)", 5, 11), Style(colour=True)):
        assert "\x1b[" in line
        assert line.count("\x1b[0m") * 2 == line.count("\x1b[")


@pytest.mark.parametrize(
    ("fixes", "said"),
    [
        ([], "Found no errors in 7 files."),
        ([""], "Found 1 error in 1 file."),
        (["safe", ""], "Found 2 errors in 1 file; 1 [*] can be fixed with `asyncfix fix`."),
        (["unsafe"], "Found 1 error in 1 file; 1 [!] can be fixed with `asyncfix fix --unsafe`."),
        (
            ["safe", "safe", "unsafe"],
            "Found 3 errors in 1 file; 2 [*] can be fixed with `asyncfix fix`, 1 [!] with `asyncfix fix --unsafe`.",
        ),
    ],
)
def test_summary(fixes: list[str], said: str) -> None:
    assert report.summary([problem("", 1, 1, fix=fix) for fix in fixes], 7) == said


def test_statistics_begin_with_the_most_frequent() -> None:
    problems = [problem("", 1, 1, code=code) for code in ("AIO101", "AIO205", "AIO205", "AIO102")]
    assert [line.split()[:2] for line in report.statistics(problems)] == [
        ["2", "AIO205"],
        ["1", "AIO101"],
        ["1", "AIO102"],
    ]


def test_github_command_is_escaped() -> None:
    place = Place("odd,na:me%.py", 4, 5, 6, 7)
    said = report.github(problem("", 1, 1, place=place, message="50 %, or:\nso\r"))
    assert said == (
        "::error file=odd%2Cna%3Ame%25.py,line=4,col=5,endLine=6,endColumn=7,title=AIO101 (blocking-sleep)"
        "::50 %25, or:%0Aso%0D"
    )


def test_json_has_exactly_these_keys() -> None:
    note = Note(Place("app.py", 1, 2, 3, 4), "begun here")
    made = json.loads(report.json([problem("    nap(1)", 5, 11, notes=(note,)), problem("", 1, 1, fix="")]))
    assert made[0] == {
        "path": "app.py",
        "line": 4,
        "column": 5,
        "end_line": 4,
        "end_column": 11,
        "code": "AIO101",
        "name": "blocking-sleep",
        "message": "it blocks",
        "fix": "safe",
        "related": [{"path": "app.py", "line": 1, "column": 2, "message": "begun here"}],
    }
    assert made[1].keys() == made[0].keys()
    assert made[1]["fix"] is None
    assert json.loads(report.json([])) == []


def test_sarif_has_what_its_readers_need() -> None:
    note = Note(Place("app.py", 1, 2, 1, 4), "begun here")
    odd = problem("", 1, 1, place=Place("odd dir/ä.py", 1, 1, 1, 2))
    log = json.loads(sarif([problem("", 5, 11, notes=(note,)), odd], {"broken.py": "syntax error"}, "1.2"))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("asyncfix", "1.2")
    (rule,) = driver["rules"]
    assert rule["id"] == "AIO101"
    assert rule["shortDescription"]["text"] == RULES["AIO101"].summary.replace("`", "")
    assert "## Fix" in rule["help"]["markdown"]
    assert rule["help"]["text"]
    first, second = run["results"]
    assert (first["ruleId"], first["ruleIndex"], first["level"]) == ("AIO101", 0, "error")
    assert first["message"] == {"text": "it blocks"}
    assert first["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "app.py"},
                "region": {"startLine": 4, "startColumn": 5, "endLine": 4, "endColumn": 11},
            }
        }
    ]
    assert first["relatedLocations"][0]["message"] == {"text": "begun here"}
    assert second["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "odd%20dir/%C3%A4.py"
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"][0]["message"] == {"text": "syntax error"}


def test_places_count_characters_and_leave_bodies_out() -> None:
    import ast

    from flake8_asyncpatterns.rule import Finding

    text = "if 'ä': x = 'ö', nap(1)\r\nclass A:  # x\r\n    y = (1,\r\n'ü')\r\n"
    tree = ast.parse(text)

    def place(node: ast.AST) -> tuple[int, ...]:
        found = Finding(RULES["AIO101"], node, "", None, "", ())
        return describe(found, "a.py", lines(text)).place[1:]

    call = next(node for node in ast.walk(tree) if isinstance(node, ast.Call))
    assert place(call) == (1, 18, 1, 24)
    assert place(tree.body[1]) == (2, 1, 2, 14)
    assert place(tree.body[1].body[0]) == (3, 5, 4, 5)  # type: ignore[attr-defined]
