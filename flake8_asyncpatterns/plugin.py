"""flake8: a thin adapter. Codes, selection and `# noqa` are flake8's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from . import memory
from .cache import Store, directory
from .settings import Settings
from .single import Desk

if TYPE_CHECKING:
    import argparse
    import ast

    from flake8.options.manager import OptionManager


class Plugin:
    """Called by flake8 with each file; the parameters' names say what it wants."""

    # Told once, by flake8's options, before the first file; None: no rule of ours is on.
    desk: ClassVar[Desk | None] = None

    def __init__(self, tree: ast.Module, filename: str, lines: Sequence[str]) -> None:
        self.tree = tree
        self.filename = filename
        self.lines = lines

    @staticmethod
    def add_options(manager: OptionManager) -> None:
        """Opt-in rules are off until they are selected."""
        manager.extend_default_ignore([code for code, default in _catalogue(_store()).items() if not default])

    @classmethod
    def parse_options(cls, options: argparse.Namespace) -> None:
        """Leave out the rules that flake8 would not report: it runs every plugin even under `--select F`."""
        from flake8.style_guide import Decision, DecisionEngine  # late: others may want the class alone

        decide = DecisionEngine(options).decision_for
        store = _store()
        # `ignore =` in a configuration replaces the default ignores, ours with them; opt-in rules must not wake up.
        chosen = (*(options.select or ()), *(options.extend_select or ()))
        codes = tuple(
            code
            for code, default in _catalogue(store).items()
            if decide(code) is Decision.Selected and (default or code.startswith(chosen))
        )
        cls.desk = Desk(codes, _settings(), store) if codes else None

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        """What flake8 reports: line, column in characters from 0, code and message."""
        for report in self.desk.reports(self.tree, self.filename, self.lines) if self.desk is not None else ():
            yield *report, Plugin


def _store() -> Store | None:
    folder = directory()
    return Store(folder) if folder is not None else None


def _catalogue(store: Store | None) -> Mapping[str, bool]:
    """The codes of all rules, and which are on by default: to know more takes longer than all else where nothing
    has changed."""
    name = memory.key("rules")
    kept = store.load(name) if store is not None else None
    if isinstance(kept, dict):
        return kept
    from .rules import RULES  # late, as it says

    found = {code: card.default for code, card in RULES.cards.items()}
    if store is not None:
        store.save(name, found)
    return found


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
