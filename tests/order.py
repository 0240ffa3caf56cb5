"""Fixes of one file, rule by rule."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from difflib import unified_diff
from random import Random

from cases import mended

from flake8_asyncpatterns.rules import RULES

ENOUGH = 30  # rounds

# Rules that both mend the same call, so that it depends on the order which of the two finds something; and why.
EXPLAINED = {
    frozenset({"AIO210", "AIO212"}): "a future's result that comes late, from another thread: once AIO210 has handed"
    " `set_result` to the loop, there is no call any more that AIO212 could guard",
}


def differences(text: str) -> Iterator[str]:
    """The orders of rules in which a text becomes another one than by all rules at once, with the difference."""
    at_once = mended(text)
    codes = sorted({finding.rule.code for finding in at_once.fixed})
    if any(rules.issubset(codes) for rules in EXPLAINED):
        return
    for order in [codes, codes[::-1], Random(0).sample(codes, len(codes))] if len(codes) > 1 else []:
        one_by_one = in_order(text, order)
        if _unplaced(one_by_one, text) != _unplaced(at_once.text, text):
            lines = unified_diff(at_once.text.splitlines(), one_by_one.splitlines(), "at once", " ".join(order), n=1)
            yield "\n".join(lines)


def in_order(text: str, order: Sequence[str]) -> str:
    """A text after all fixes of one rule after the other, until no rule finds anything to fix any more."""
    for _ in range(ENOUGH):
        before = text
        for code in order:
            text = mended(text, rules=[RULES[code]]).text
        if text == before:
            return text
    raise AssertionError(f"no end: {order}")


def _unplaced(text: str, original: str) -> str:
    """A text; where the original has imports behind other code, without empty lines, and with all imports in front.

    Where one rule takes the last use of such an import, and another needs it again, it depends on the order whether it
    stays or comes back at the top.
    """
    kinds = [isinstance(statement, (ast.Import, ast.ImportFrom)) for statement in ast.parse(original).body[1:]]
    if kinds == sorted(kinds, reverse=True):
        return text
    imports = re.compile(r"^(?:import|from) .*\n", re.MULTILINE)
    rest = "".join(line for line in imports.sub("", text).splitlines(keepends=True) if line.strip())
    return "".join(sorted(set(imports.findall(text)))) + rest
