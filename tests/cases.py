"""Every example of every rule: the pairs in the docstrings and those in `fixtures/`, under one roof."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from flake8_asyncpatterns.config import load
from flake8_asyncpatterns.docs import examples
from flake8_asyncpatterns.engine import check, quiet
from flake8_asyncpatterns.module import Module
from flake8_asyncpatterns.needs import Scan
from flake8_asyncpatterns.rewrite import Mended, mend
from flake8_asyncpatterns.rule import Finding, Rule
from flake8_asyncpatterns.rules import RULES
from flake8_asyncpatterns.settings import NONE, Settings
from flake8_asyncpatterns.source import noqa

ROOT = Path(__file__).parents[1]
FIXTURES = ROOT / "fixtures"


class Case(NamedTuple):
    """Flawed code, what it must become, the rule that it is about, and the configuration that it needs."""

    rule: Rule
    bad: str
    good: str
    name: str
    settings: Settings = NONE


def cases() -> Iterator[Case]:
    for rule in RULES.values():
        for number, (bad, good, settings) in enumerate(examples(rule)):
            yield Case(rule, bad, good, f"{rule.code}-doc{number}", settings)
    for path in sorted(FIXTURES.glob("aio*/*bad.py")):
        good_path = path.with_name(path.name.replace("bad", "good"))
        rule = RULES[path.parent.name.partition("_")[0].upper()]
        configured = path.with_name("pyproject.toml")
        settings = load(configured).settings if configured.exists() else NONE
        name = f"{path.parent.name}/{path.stem}"
        yield Case(rule, path.read_text(), good_path.read_text(), name, settings)
        # What the fix makes of the same file where it may use the runtime.
        with_runtime = good_path.with_stem(f"{good_path.stem}_runtime")
        if with_runtime.exists():
            configured_so = settings._replace(runtime=True)
            yield Case(rule, path.read_text(), with_runtime.read_text(), f"{name}-runtime", configured_so)


def found(source: str, rules: Iterable[Rule] | None = None, settings: Settings = NONE) -> list[Finding]:
    """What all rules (opt-in ones too), or these, find in a text; `# noqa` silences.

    Nothing is found by a rule that the scan of the text would not have asked.
    """
    module = Module.parse(source, settings=settings)
    findings = check(module, RULES.values() if rules is None else rules)
    speakers = Scan(RULES.values(), settings, project=False).speakers(source.encode(errors="surrogatepass"))
    assert {finding.rule.code for finding in findings} <= speakers
    return quiet(findings, noqa(source))


def codes(source: str, rules: Iterable[Rule] | None = None, settings: Settings = NONE) -> list[str]:
    return [finding.rule.code for finding in found(source, rules, settings)]


def mended(
    source: str, *, unsafe: bool = True, rules: Iterable[Rule] | None = None, settings: Settings = NONE
) -> Mended:
    """A text after all fixes (of all rules, opt-in ones too, or of these)."""
    chosen = list(RULES.values() if rules is None else rules)
    return mend(
        source, lambda module: quiet(check(module, chosen), noqa(module.text)), unsafe=unsafe, settings=settings
    )
