"""flake8: a thin adapter. Codes, selection and `# noqa` are flake8's own."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from . import check, engine
from .facts import View
from .module import Module
from .project import Project
from .rule import Rule
from .rules import RULES
from .settings import NONE, Settings
from .source import Unreadable, characters

if TYPE_CHECKING:
    import argparse

    from flake8.options.manager import OptionManager


class Plugin:
    """Called by flake8 with each file; the parameters' names say what it wants."""

    # The rules that flake8's options leave on; told once, before the first file.
    rules: ClassVar[Sequence[Rule]] = tuple(RULES.values())
    # What `[tool.asyncfix]` says that flake8 has no options for, and the files around.
    settings: ClassVar[Settings] = NONE
    project: ClassVar[Project] = check.project()

    def __init__(self, tree: ast.Module, filename: str, lines: Sequence[str]) -> None:
        self.tree = tree
        self.filename = filename
        self.lines = lines

    @staticmethod
    def add_options(manager: OptionManager) -> None:
        """Opt-in rules are off until they are selected."""
        manager.extend_default_ignore([rule.code for rule in RULES.values() if not rule.default])

    @classmethod
    def parse_options(cls, options: argparse.Namespace) -> None:
        """Leave out the rules that flake8 would not report: it runs every plugin even under `--select F`."""
        from flake8.style_guide import Decision, DecisionEngine  # late: others may want the class alone

        decide = DecisionEngine(options).decision_for
        # `ignore =` in a configuration replaces the default ignores, ours with them; opt-in rules must not wake up.
        chosen = (*(options.select or ()), *(options.extend_select or ()))
        cls.rules = tuple(
            rule
            for rule in RULES.values()
            if decide(rule.code) is Decision.Selected and (rule.default or rule.code.startswith(chosen))
        )
        if cls.rules:
            cls.settings = _settings()
            cls.project = check.project(cls.settings)

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        """What flake8 reports: line, column in characters from 0, code and message."""
        if not self.rules:
            return
        try:
            module = Module(self.tree, "".join(self.lines), self.filename, self.settings, View())
            findings = check.settled(module, lambda module: engine.check(module, self.rules), self.project)
        except (RecursionError, Unreadable):
            return  # nested so deeply that flake8's own checks give up as well
        for finding in findings:
            offset: int = getattr(finding.node, "col_offset", 0)
            column = characters(self.lines[finding.line - 1], offset)
            yield finding.line, column, f"{finding.rule.code} {finding.message}", Plugin


def _settings() -> Settings:
    """What the project's pyproject.toml tells the rules. Raises flake8's own error where it is wrong."""
    from pathlib import Path  # late: where no rule of ours is on, flake8 is spared this

    from flake8.exceptions import ExecutionError

    from .config import nearest
    from .misuse import Misuse

    try:
        return nearest(Path.cwd()).settings
    except (Misuse, OSError) as error:
        raise ExecutionError(str(error)) from None
