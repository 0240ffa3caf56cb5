"""rule → its page. The same text serves `asyncfix rule` and `docs/rules/*.md`.

`python -m flake8_asyncpatterns.docs docs` writes all pages.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from .config import loads
from .engine import check
from .module import Module
from .rule import Rule
from .settings import NONE, Settings
from .tuples import NamedTuple

RUN = re.compile(r"^```python run\n(.*?)^```$(?:\s*^```text\n(.*?)^```$)?", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^```python (bad|good)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# A configuration may stand right before an example that needs one.
EXAMPLE = re.compile(rf"(?:^```toml\n(.*?)^```$\s*)?{BLOCK.pattern}", BLOCK.flags)


class Example(NamedTuple):
    """Flawed code, and what the rule's fix makes of it (or what a person should, where there is no fix)."""

    bad: str
    good: str
    settings: Settings = NONE


def examples(rule: Rule) -> list[Example]:
    """The pairs of `python bad` and `python good` blocks in a rule's documentation, in order.

    A `toml` block right before a pair is the configuration that both are looked at with.
    """
    blocks = EXAMPLE.findall(rule.doc)
    if [kind for _, kind, _ in blocks] != ["bad", "good"] * (len(blocks) // 2):
        raise ValueError(f"{rule.code}: bad and good examples must take turns")
    return [
        Example(bad, good, loads(toml).settings if toml else NONE)
        for (toml, _, bad), (_, _, good) in zip(blocks[::2], blocks[1::2], strict=True)
    ]


class Script(NamedTuple):
    """A whole program that shows what happens at run time, and what it prints."""

    code: str
    printed: str


def scripts(rule: Rule) -> list[Script]:
    """The `python run` blocks in a rule's documentation, each with the `text` block that follows it."""
    return [Script(code, printed) for code, printed in RUN.findall(rule.doc)]


def page(rule: Rule) -> str:
    """A rule's page in Markdown."""
    default = "On by default." if rule.default else f"Off by default; select `{rule.code}` to turn it on."
    body = BLOCK.sub(lambda found: f"{found[1].capitalize()}:\n\n```python\n{found[2]}```", rule.doc.strip())
    body = RUN.sub(lambda found: f"```python\n{found[1]}```\n\nprints\n\n```text\n{found[2] or ''}```", body)
    return f"# {rule.code}: {rule.name}\n\n{default} {fix_note(rule)}\n\n{body}\n"


def fix_note(rule: Rule) -> str:
    """What `asyncfix fix` does about this rule: derived from its examples, so that it cannot be wrong."""
    found = [
        f for example in examples(rule) for f in check(Module.parse(example.bad, settings=example.settings), [rule])
    ]
    reasons = {f.fix.unsafe for f in found if f.fix}
    if not reasons:
        return "`asyncfix` finds this, and leaves it to you."
    if reasons == {""}:
        return "`asyncfix fix` mends this."
    unsafe = "; ".join(sorted(reasons - {""}))
    if "" in reasons:
        return f"`asyncfix fix` mends this; `--unsafe` mends more ({unsafe})."
    return f"`asyncfix fix --unsafe` mends this ({unsafe})."


def index(rules: Iterable[Rule]) -> str:
    """A table of rules in Markdown, each linked to its page."""
    rows = [
        f"| [{rule.code}](rules/{rule.code}.md) | {rule.name} | {rule.summary} | {'yes' if rule.default else 'no'} | "
        f"{kind_of_fix(rule)} |"
        for rule in rules
    ]
    return "\n".join(["| code | name | what | on | fix |", "| --- | --- | --- | --- | --- |", *rows]) + "\n"


def kind_of_fix(rule: Rule) -> str:
    """`safe`, `unsafe`, `safe or unsafe`, or `–`, as the examples show."""
    found = [
        f for example in examples(rule) for f in check(Module.parse(example.bad, settings=example.settings), [rule])
    ]
    kinds = {("unsafe" if f.fix.unsafe else "safe") for f in found if f.fix}
    return " or ".join(sorted(kinds)) or "–"


def pages(rules: Iterable[Rule]) -> Iterator[tuple[str, str]]:
    """The files of the documentation: path below `docs`, and text."""
    rules = list(rules)
    yield "rules.md", f"# Rules\n\n{index(rules)}"
    for rule in rules:
        yield f"rules/{rule.code}.md", page(rule)


def write(folder: Path, rules: Iterable[Rule]) -> None:
    """Write the documentation into a folder."""
    for name, text in pages(rules):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    from .rules import RULES

    write(Path(sys.argv[1]), RULES.values())
