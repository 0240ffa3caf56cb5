"""The order of the fixes does not matter: rule by rule in any order, or all at once, the text is the same in the end.

But for how a name is spelled: where a file has both `import asyncio` and `from asyncio import run as go`, a fix writes
`go`, unless another rule came first that took the last use of it, and with it the import, away. And but for rules that
mend the same call (`order.EXPLAINED`), and for where an import stands that was in the midst of a file.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from random import Random

import pytest
from cases import cases
from order import differences

from flake8_asyncpatterns.settings import NONE

TOGETHER = 4  # examples in one file: by themselves they are for one rule each


def programs() -> Iterator[Sequence[tuple[str, str]]]:
    """All examples, some at a time, in an order of no meaning: names and texts."""
    examples = [(case.name, case.bad) for case in cases() if case.settings == NONE]
    # What must be first in a file cannot be behind another; the second is the exception.
    examples = [
        (name, text) for name, text in examples if not re.search(r"__future__|from asyncio import \w+ as", text)
    ]
    Random(0).shuffle(examples)
    for start in range(0, len(examples), TOGETHER):
        yield examples[start : start + TOGETHER]


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("examples", [pytest.param(p, id="+".join(name for name, _ in p)) for p in programs()])
def test_the_order_of_the_rules_does_not_matter(examples: Sequence[tuple[str, str]], nested: bool) -> None:
    text = "\n\n".join(text for _, text in examples)
    if nested:
        text = "if x:\n" + "".join(f"    {line}" if line.strip() else line for line in text.splitlines(keepends=True))
    ast.parse(text)
    assert not "\n".join(differences(text))
