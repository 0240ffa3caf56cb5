"""findings → new text: fixes are applied until none is left, and every step is proven."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from .edits import AnyEdit, Refused, target
from .facts import View
from .imports import Speller, additions, superfluous
from .lower import lower
from .module import Module
from .places import Text
from .proof import Unproven, prove
from .rule import Finding, Fix, MakeAsync, MakeSync, Remove, RemoveArgument, Replace, ReplaceArgument
from .settings import NONE, Settings
from .splice import Splice, render
from .tuples import NamedTuple

# A fix may uncover another; fixes that still find work after so many rounds undo each other.
ROUNDS = 25


class Unsettled(Exception):
    """The fixes do not come to an end: two rules disagree. The file is to be left as it was."""


# Why a fix is left out: its edits cannot be made here, or the result is not what they describe (a bug of ours).
Reason: TypeAlias = Refused | Unproven


class Left(NamedTuple):
    """A finding that was to be fixed and was left as it is, and why."""

    finding: Finding
    reason: Reason


class Mended(NamedTuple):
    """A file's new text, the findings that were fixed, and those left although a fix was asked for.

    The places of `left`, and of `remaining`, which is all that is found in the new text, are those in the new text;
    the places of `fixed` those in the text they were found in.
    """

    text: str
    fixed: list[Finding]
    left: list[Left]
    remaining: list[Finding]


class Round(NamedTuple):
    """One round: the text after it, the findings that it fixed, those that it was to fix and left, and all that were
    found before it. Where nothing is fixed, nothing is left to do."""

    text: str
    fixed: list[Finding]
    left: list[Left]
    found: list[Finding]


def mend(
    text: str,
    check: Callable[[Module], list[Finding]],
    *,
    unsafe: bool = False,
    path: str = "",
    settings: Settings = NONE,
) -> Mended:
    """Fix what `check` finds until nothing is left that can be fixed; unsafe fixes only when asked for.

    Raises SyntaxError when the text does not parse, Unsettled when the fixes never end.
    """

    def look(text: str) -> tuple[Module, list[Finding]]:
        module = Module.parse(text, path, settings, View())
        return module, check(module)

    *before, last = rounds(text, look, unsafe=unsafe)
    return Mended(last.text, [finding for one in before for finding in one.fixed], last.left, last.found)


def rounds(
    text: str, look: Callable[[str], tuple[Module, list[Finding]]], *, unsafe: bool, most: int = ROUNDS
) -> Iterator[Round]:
    """Fix what `look` finds in a text, round by round; the last one has nothing to fix.

    Raises Unsettled after so many rounds that fixed something.
    """
    for _ in range(most):
        module, found = look(text)
        findings = [f for f in found if f.fix and (unsafe or not f.fix.unsafe)]
        fixes = list(dict.fromkeys(f.fix for f in findings if f.fix))
        text, applied, refused = apply(module, fixes)
        if applied:
            text = without_superfluous_imports(text, module, applied)
        left = [Left(f, refused[f.fix]) for f in findings if f.fix in refused]
        yield Round(text, [f for f in findings if f.fix in applied], left, found)
        if not applied:
            return
    raise Unsettled("its fixes do not come to an end; please report this")


def without_superfluous_imports(text: str, before: Module, applied: Iterable[Fix]) -> str:
    """The text without the imports that served only what these fixes, of the file before, have done away with."""
    superseded = [name for fix in applied for name in fix.supersedes]
    if superseded:
        module = Module.parse(text, before.path)
        module.look_through(before.meant)
        text, _, _ = apply(module, [Fix(edit) for edit in superfluous(module, superseded)])  # type: ignore[arg-type]  # RemoveAlias is an edit of ours alone
    return text


def apply(module: Module, fixes: Sequence[Fix]) -> tuple[str, set[Fix], dict[Fix, Reason]]:
    """The text with these fixes; those applied; those refused, with the reason.

    A fix in neither was in the way of another, and may be applied in the next round. One that cannot be
    proven is left out alone.
    """
    if not fixes:
        return module.text, set(), {}
    step = Step(module)
    refused: dict[Fix, Reason] = {}
    able = list(step.able(fixes, refused))
    good, text = _provable(step, able, refused)
    return text, set(good), refused


def _provable(step: Step, fixes: Sequence[Fix], refused: dict[Fix, Reason]) -> tuple[list[Fix], str]:
    """The most of these fixes that are proven together, and the text they give: halve, and try again."""
    if not fixes:
        return [], step.module.text
    fixes, text, reason = step.attempt(fixes)
    if not reason:
        return list(fixes), text
    if len(fixes) == 1:
        refused[fixes[0]] = reason
        return [], step.module.text
    half = len(fixes) // 2
    good = [fix for part in (fixes[:half], fixes[half:]) for fix in _provable(step, part, refused)[0]]
    kept, text, reason = step.attempt(good)
    if not reason:
        return list(kept), text
    # Each half is right by itself and the two together are not: keep what can be added one by one.
    kept, text = [], step.module.text
    for fix in good:
        more, longer, reason = step.attempt([*kept, fix])
        if reason:
            refused[fix] = reason
        else:
            kept, text = list(more), longer
    return list(kept), text


class Step:
    """One round over one text."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.text = Text(module)

    def able(self, fixes: Iterable[Fix], refused: dict[Fix, Reason]) -> Iterator[Fix]:
        """The fixes whose every edit can be made here, each node being claimed by one fix only."""
        claimed: set[tuple[str, ast.AST]] = set()
        for fix in fixes:
            claims = {(_manner(edit), target(edit)) for edit in fix.edits}
            if claims & claimed:
                continue
            try:
                self._lowered([fix], Speller(self.module))
            except Refused as reason:
                refused[fix] = reason
            else:
                claimed |= claims
                yield fix

    def attempt(self, fixes: Sequence[Fix]) -> tuple[Sequence[Fix], str, Reason | None]:
        """Those of the fixes that fit together, the text they give, and why it is not right (None: it is)."""
        while True:
            speller = Speller(self.module)
            try:
                splices = self._lowered(fixes, speller)
                added = list(additions(self.module, speller.missing))
                extra = [s for edit in added for s in lower(edit, self.text, speller, frozenset())]
                # Imports first: what another edit puts at the same place may need them.
                data, lost = render(self.text, [*extra, *splices])
            except Refused as reason:
                return fixes, self.module.text, reason
            if not lost:
                break
            if lost & set(extra):
                return fixes, self.module.text, Refused("an import it needs finds no place")
            if len(fixes) == 1:
                return fixes, self.module.text, Refused("its edits overlap")
            fixes = [fix for fix in fixes if not any(splices[s] is fix for s in lost)]
        edits: list[AnyEdit] = [edit for fix in fixes for edit in fix.edits]
        try:
            prove(self.module.text, [*added, *edits], speller, after := data.decode())
        except (Refused, Unproven) as reason:
            return fixes, self.module.text, reason
        except RecursionError:
            return fixes, self.module.text, Refused("the code is nested too deeply")
        return fixes, after, None

    def _lowered(self, fixes: Iterable[Fix], speller: Speller) -> dict[Splice, Fix]:
        removed = frozenset(e.node for fix in fixes for e in fix.edits if isinstance(e, Remove))
        return {
            s: fix
            for fix in fixes
            for kin in [frozenset(target(e) for e in fix.edits if not isinstance(e, Remove))]
            for edit in fix.edits
            for s in lower(edit, self.text, speller, removed, kin)
        }


def _manner(edit: AnyEdit) -> str:
    """Edits of one manner at one node exclude each other."""
    match edit:
        case Replace() | ReplaceArgument() | Remove() | RemoveArgument():
            return "replace"
        case MakeAsync() | MakeSync():
            return "async"
    return f"{type(edit).__name__} {id(edit)}"
