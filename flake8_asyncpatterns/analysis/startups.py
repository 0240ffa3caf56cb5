"""Which places of a program ask for one event loop, where all its files are looked at together.

`asyncio.get_event_loop()` outside of a coroutine gives everybody in a thread the same loop, and keeps it. A loop that
one place makes anew, or `asyncio.run()`, which leaves none behind, take it from all the others.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from .starts import Starts, in_coroutine
from .testcode import is_test

if TYPE_CHECKING:
    from ..module import Module


class Startups:
    """The files of a program, and `is_imported`, which tells whether one of them is imported by another."""

    def __init__(self, modules: Sequence[Module], is_imported: Callable[[Module], bool]) -> None:
        self._modules = modules
        self._is_imported = is_imported
        self._asked: list[tuple[Module, ast.Call]] | None = None

    def shared(self, call: ast.Call, module: Module) -> str:
        """Where else the loop may be asked for that this call gives, or one that its run would take away; or nowhere.

        A file that is run as a program of its own shares its loop with nobody who has asked before.
        """
        if self._is_program(module):
            return ""
        if self._asked is None:
            self._asked = [*self._find_asked()]
        places = ((other, asked) for other, asked in self._asked if asked is not call)
        return next((f"{other.path}:{asked.lineno}" for other, asked in places), "")

    def _find_asked(self) -> Iterator[tuple[Module, ast.Call]]:
        for module in self._modules:
            if not self._is_program(module):
                asked = module.analysis(Starts).asked
                yield from ((module, call) for call in asked if not in_coroutine(call, module))

    def _is_program(self, module: Module) -> bool:
        """Is this file run by itself: imported by no other, and no test, of which many run in one process?"""
        return not self._is_imported(module) and not is_test(module.tree, module)
