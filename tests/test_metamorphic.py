"""What must not matter does not: the same code, laid out differently, has the same findings and the same fix."""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
from collections.abc import Callable

import pytest
from cases import Case, cases, codes, mended
from hypothesis import given, settings
from hypothesis import strategies as st

CASES = list(cases())


def strings_span_lines(source: str) -> bool:
    """Would a change of indentation change a string?"""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return any(token.start[0] != token.end[0] and token.type != tokenize.NEWLINE for token in tokens if token.string)


def tabs(source: str) -> str:
    return re.sub(r"^( {4})+", lambda found: "\t" * (len(found[0]) // 4), source, flags=re.MULTILINE)


def after_non_ascii(source: str) -> str:
    """A wide string in front of every simple statement that is alone on its line."""
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant) and node.lineno == node.end_lineno:
            line = lines[node.lineno - 1]
            at = len(line) - len(line.lstrip())
            lines[node.lineno - 1] = f'{line[:at]}"日本é"; {line[at:]}'
    return "".join(lines)


def parenthesized(source: str) -> str:
    """Redundant parentheses around every right-hand side on one line."""
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        value = node.value if isinstance(node, (ast.Assign, ast.Return)) else None
        if value is not None and value.lineno == value.end_lineno and not isinstance(value, (ast.Yield, ast.YieldFrom)):
            line = lines[value.lineno - 1].encode()
            start, end = value.col_offset, value.end_col_offset
            assert end is not None
            if line.isascii():
                changed = line[:start] + b"(" + line[start:end] + b")" + line[end:]
                lines[value.lineno - 1] = changed.decode()
    return "".join(lines)


# A layout, and how its fixed text must relate to the fixed plain text.
SAME_FIX: dict[str, Callable[[str], str]] = {
    "crlf": lambda source: source.replace("\n", "\r\n"),
    "cr": lambda source: source.replace("\n", "\r"),
    "tabs": tabs,
    "no newline at the end": lambda source: source.rstrip("\n"),
    "form feed in front": lambda source: "\x0c\n" + source,
    "comment in front": lambda source: "#!/usr/bin/env python\n# coding: utf-8\n\n" + source,
}
SAME_CODES: dict[str, Callable[[str], str]] = {
    "parenthesized": parenthesized,
    "after non-ascii": after_non_ascii,
    "under an if": lambda source: "if True:\n" + textwrap.indent(source, "    "),
}


@pytest.mark.parametrize("layout", SAME_FIX)
@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_layout_does_not_change_findings_or_fix(case: Case, layout: str) -> None:
    change = SAME_FIX[layout]
    source = change(case.bad)
    assert codes(source, settings=case.settings) == codes(case.bad, settings=case.settings)
    assert mended(source, settings=case.settings).text == change(mended(case.bad, settings=case.settings).text)


@settings(max_examples=150, deadline=None)
@given(case=st.sampled_from(CASES), layouts=st.permutations([*SAME_CODES, "crlf", "tabs"]), count=st.integers(1, 4))
def test_layouts_combined_do_not_change_findings(case: Case, layouts: list[str], count: int) -> None:
    if "__main__" in case.bad or case.rule.code.startswith("AIO4"):
        return  # an entry point under an `if` is none; yields have parentheses of their own
    source = case.bad
    order = ["parenthesized", "after non-ascii", "under an if", "tabs", "crlf"]
    for layout in sorted(layouts[:count], key=order.index):
        if layout not in ("under an if", "tabs") or not strings_span_lines(source):
            source = {**SAME_CODES, **SAME_FIX}[layout](source)
    assert sorted(codes(source, settings=case.settings)) == sorted(codes(case.bad, settings=case.settings)), source
    result = mended(source, settings=case.settings)
    ast.parse(result.text)
    assert mended(result.text, settings=case.settings).text == result.text
    assert result.text.count("\r\n") in (0, result.text.count("\n"))
