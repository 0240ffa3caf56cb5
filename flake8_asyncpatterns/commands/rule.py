"""`asyncfix rule`: explain a rule, or list them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..misuse import Misuse
from . import CLEAN

if TYPE_CHECKING:
    import argparse

    from ..rule import Rule


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    from .. import docs
    from ..rules import RULES
    from ..selection import suggestion

    if options.code is None:
        rules = [RULES[code] for code in sorted(RULES)]
        if options.output_format == "json":
            print(_json([_entry(rule, docs.kind_of_fix(rule)) for rule in rules]))
        else:
            _print_table(rules, docs.kind_of_fix)
        return CLEAN
    names = {rule.name: rule for rule in RULES.values()}
    rule = RULES.get(options.code.upper()) or names.get(options.code.lower())
    if rule is None:
        raise Misuse(f"there is no rule {options.code!r}{suggestion(options.code.lower())}")
    if options.output_format == "json":
        print(_json({**_entry(rule, docs.kind_of_fix(rule)), "documentation": docs.page(rule)}))
    else:
        print(docs.page(rule), end="")
    return CLEAN


def _entry(rule: Rule, fix: str) -> dict[str, object]:
    return {
        "code": rule.code,
        "name": rule.name,
        "default": rule.default,
        "fix": None if fix == "–" else fix,
        "summary": rule.summary,
    }


def _json(value: object) -> str:
    from json import dumps  # late: only this format needs it

    return dumps(value, indent=2)


def _print_table(rules: Sequence[Rule], kind_of_fix: Callable[[Rule], str]) -> None:
    rows = [("code", "name", "on", "fix", "what")]
    rows += [(r.code, r.name, "on" if r.default else "off", kind_of_fix(r), r.summary) for r in rules]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
