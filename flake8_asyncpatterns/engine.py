"""module → findings: every rule is handed just the nodes it asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

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


def quiet(findings: Iterable[Finding], silenced: Mapping[int, Collection[str]]) -> list[Finding]:
    """The findings that no `# noqa` silences; `silenced` are lines and the codes they name (none: all)."""
    return [finding for finding in findings if not _silenced(finding, silenced)]


def _silenced(finding: Finding, silenced: Mapping[int, Collection[str]]) -> bool:
    codes = silenced.get(finding.line)
    return codes is not None and (not codes or finding.rule.code.startswith(tuple(codes)))
