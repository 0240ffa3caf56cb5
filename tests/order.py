"""Fixes of one file, rule by rule."""

from __future__ import annotations

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
        if one_by_one != at_once.text:
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
