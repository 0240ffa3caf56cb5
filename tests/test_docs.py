"""The committed documentation is what the rules say."""

from __future__ import annotations

import re
import subprocess
import sys
import types
from pathlib import Path

import pytest
from cases import ROOT

from flake8_asyncpatterns.docs import Example, Script, examples, fix_note, page, pages, scripts
from flake8_asyncpatterns.rule import Rule
from flake8_asyncpatterns.rules import RULES

WRITTEN = dict(pages(RULES.values()))


@pytest.mark.parametrize("name", WRITTEN)
def test_page_is_up_to_date(name: str) -> None:
    path = ROOT / "docs" / name
    assert path.exists(), "run: python -m flake8_asyncpatterns.docs docs"
    assert path.read_text(encoding="utf-8") == WRITTEN[name], "run: python -m flake8_asyncpatterns.docs docs"


def test_no_page_is_left_over() -> None:
    assert {f"rules/{path.name}" for path in (ROOT / "docs" / "rules").glob("*.md")} == {*WRITTEN} - {"rules.md"}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_documentation_says_what_people_ask(rule) -> None:
    summary = rule.doc.strip().partition("\n")[0]
    assert summary.endswith("."), "the first line is a sentence"
    headings = re.findall(r"^## (.+)$", rule.doc, re.MULTILINE)
    assert headings == ["Fix", "When to ignore", "Other tools"]
    assert rule.code in page(rule)
    assert fix_note(rule)


def test_examples_come_in_pairs() -> None:
    rule = RULES["AIO101"]
    assert all(isinstance(example, Example) and example.bad != example.good for example in examples(rule))


def test_a_configuration_belongs_to_the_example_right_after_it() -> None:
    pair = "```python bad\n1\n```\n\n```python good\n2\n```\n"
    configured = f'```toml\n[tool.asyncfix]\nblocking = ["own.f"]\n```\n\n{pair}'
    module = types.ModuleType("documented")
    module.__doc__ = f"{pair}\n{configured}\nwords\n\n{pair}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "documented", module)
        check = types.FunctionType((lambda node, module: ()).__code__, {"__name__": "documented"})
        found = [example.settings.blocking for example in examples(Rule("AIO999", "x", (), check))]
    assert found == [frozenset(), {"own.f"}, frozenset()]


def test_every_code_is_in_the_changelog() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert {code for code in RULES if code not in changelog} == set()


SCRIPTS = [
    pytest.param(script, id=f"{rule.code}-{number}")
    for rule in RULES.values()
    for number, script in enumerate(scripts(rule))
]


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_print_what_the_page_says(script: Script, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(script.code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", path], capture_output=True, text=True, timeout=60, cwd=tmp_path
    )
    assert done.stdout == script.printed, done.stderr


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_page_shows_what_happens_at_run_time(rule) -> None:
    assert scripts(rule)
    assert all(script.printed for script in scripts(rule))


def test_codes_are_what_flake8_can_take() -> None:
    assert all(re.fullmatch(r"AIO[1-9][0-9]{2}", code) for code in RULES)
