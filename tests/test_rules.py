"""Every example, from documentation and fixtures alike, keeps the same promises."""

from __future__ import annotations

import ast
import re

import pytest
from cases import FIXTURES, ROOT, Case, cases, codes, found, mended

from flake8_asyncpatterns.docs import examples
from flake8_asyncpatterns.rules import RULES
from flake8_asyncpatterns.settings import NONE

every_case = pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in cases()])
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
SILENT = sorted((FIXTURES / "silent").glob("*.py"))


class Desync(ast.NodeTransformer):
    """The same code without asyncio: plain functions, no awaits. What is left has no loop to block."""

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        self.generic_visit(node)
        return ast.FunctionDef(**dict(ast.iter_fields(node)))

    def visit_Await(self, node: ast.Await) -> ast.AST:
        self.generic_visit(node)
        return node.value

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        self.generic_visit(node)
        return ast.For(**dict(ast.iter_fields(node)))

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        self.generic_visit(node)
        return ast.With(**dict(ast.iter_fields(node)))

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        self.generic_visit(node)
        node.is_async = 0
        return node


@every_case
def test_bad_is_found_by_its_rule_alone(case: Case) -> None:
    assert set(codes(case.bad, settings=case.settings)) == {case.rule.code}


@every_case
def test_marked_lines_are_the_found_lines(case: Case) -> None:
    lines = enumerate(case.bad.splitlines(), 1)
    marked = [(n, code) for n, line in lines if "#" in line for code in re.findall(r"# (AIO\d{3})\b", line)]
    if marked:
        assert [(f.line, f.rule.code) for f in found(case.bad, settings=case.settings)] == marked


@every_case
def test_good_is_silent_for_every_rule(case: Case) -> None:
    assert codes(case.good, settings=case.settings) == []


@every_case
def test_fix_turns_bad_into_good(case: Case) -> None:
    if any(f.fix for f in found(case.bad, settings=case.settings)):
        result = mended(case.bad, settings=case.settings)
        assert result.text == case.good
        assert result.left == []


@every_case
def test_fixing_again_changes_nothing(case: Case) -> None:
    once = mended(case.bad, settings=case.settings).text
    assert mended(once, settings=case.settings).text == once


@every_case
def test_safe_fixes_alone_leave_what_is_unsafe(case: Case) -> None:
    unsafe = [f for f in found(case.bad, settings=case.settings) if f.fix and f.fix.unsafe]
    result = mended(case.bad, unsafe=False, settings=case.settings)
    assert not [f for f in result.fixed if f.fix and f.fix.unsafe]
    if unsafe and not any(f.fix and not f.fix.unsafe for f in found(case.bad, settings=case.settings)):
        assert result.text == case.bad


@pytest.mark.parametrize("path", SILENT, ids=lambda path: path.stem)
def test_good_code_is_silent(path) -> None:
    text = path.read_text()
    for settings in (NONE, NONE._replace(runtime=True)):
        assert [(f.line, f.rule.code, f.message) for f in found(text, settings=settings)] == []


@pytest.mark.parametrize("path", SILENT, ids=lambda path: path.stem)
def test_good_code_is_silent_whatever_a_star_import_may_bring(path) -> None:
    lines = path.read_text().splitlines()
    last = max(n.end_lineno for n in ast.parse("\n".join(lines)).body if isinstance(n, (ast.Import, ast.ImportFrom)))
    lines.insert(last, "from elsewhere import *")
    assert [(f.line - 1, f.rule.code, f.message) for f in found("\n".join(lines))] == []


@every_rule
def test_every_rule_has_an_example_and_a_fixture(rule) -> None:
    assert examples(rule)
    assert list(FIXTURES.glob(f"{rule.code.lower()}_*/bad.py"))


@every_rule
def test_every_rule_has_eight_lookalikes_on_which_it_is_silent(rule) -> None:
    files = list((FIXTURES / "silent").glob(f"{rule.code.lower()}_*.py"))
    assert len(files) == 1
    defined = [
        n
        for n in ast.parse(files[0].read_text()).body
        if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    ]
    assert len(defined) >= 8


@every_rule
def test_every_rule_is_in_a_file_of_its_name(rule) -> None:
    stem = f"{rule.code.lower()}_{rule.name.replace('-', '_')}"
    assert (ROOT / "flake8_asyncpatterns" / "rules" / f"{stem}.py").exists()
    assert (FIXTURES / stem).is_dir()


@every_case
def test_the_same_code_without_asyncio_is_silent(case: Case) -> None:
    if case.rule.plain:
        pytest.skip("speaks of plain functions, too")
    plain = ast.unparse(ast.fix_missing_locations(Desync().visit(ast.parse(case.bad))))
    assert case.rule.code not in codes(plain, settings=case.settings)
