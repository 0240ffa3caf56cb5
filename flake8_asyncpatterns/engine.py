"""module → findings: every rule is handed just the nodes it asked for."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from .module import Module
from .rule import Finding, Rule


def check(module: Module, rules: Iterable[Rule]) -> list[Finding]:
    """What these rules find in a module, by place, then code."""
    findings = [
        Finding(rule, *report)
        for rule in rules
        for node in module.nodes(*rule.on)
        for report in rule.check(node, module)
    ]
    return sorted(findings, key=_place)


def _place(finding: Finding) -> tuple[int, int, str]:
    column: int = getattr(finding.node, "col_offset", 0)
    return finding.line, column, finding.rule.code


def quiet(findings: Iterable[Finding], module: Module, silenced: Iterable[tuple[int, frozenset[str]]]) -> list[Finding]:
    """The findings that no `# noqa` silences; `silenced` are lines and the codes they name (none: all)."""
    marks = dict(silenced)
    if not marks:
        return list(findings)
    return [
        finding
        for finding in findings
        if not any(
            line in marks and (not marks[line] or any(finding.rule.code.startswith(c) for c in marks[line]))
            for line in _lines(finding.node, module)
        )
    ]


def _lines(node: ast.AST, module: Module) -> range:
    """The lines of the logical line that a node begins on, as flake8 counts them for `# noqa`."""
    while not isinstance(node, (ast.stmt, ast.excepthandler)):
        node = module.parents[node]
    first, last = node.lineno, node.end_lineno or node.lineno
    inner = getattr(node, "body", None) or getattr(node, "cases", None)
    if inner:
        start = getattr(inner[0], "lineno", None) or inner[0].pattern.lineno
        last = max(first, start - 1)
    return range(first, last + 1)
