"""A fix touches nothing outside of its edits: not a byte of another line, not a comment."""

from __future__ import annotations

import tokenize
from collections.abc import Callable

import pytest
from cases import Case, cases, mended
from test_metamorphic import SAME_FIX
from untouched import comments, harm, watched

from flake8_asyncpatterns.module import Module
from flake8_asyncpatterns.rule import Remove

CASES = list(cases())


def commented(source: str) -> str:
    """A comment behind each line, if all of them have room for one."""
    lines = source.splitlines()
    tried = "".join(f"{line}  # {number}\n" if line.strip() else "\n" for number, line in enumerate(lines))
    try:
        found = comments(tried)
    except (SyntaxError, tokenize.TokenError):  # behind a backslash, say
        return source
    return tried if len(found) >= sum(bool(line.strip()) for line in lines) else source


LAYOUTS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "commented": commented,
    **{name: SAME_FIX[name] for name in ("crlf", "tabs", "no newline at the end")},
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_nothing_outside_of_an_edit_changes(case: Case, layout: str) -> None:
    with watched() as wrong:
        mended(LAYOUTS[layout](case.bad), settings=case.settings)
    assert wrong == []


def test_what_is_outside_is_seen() -> None:
    before = "import a\n\n# why\nb()\nc()\nd()  # so\n"
    edit = Remove(Module.parse(before).tree.body[2])
    assert [*harm(before, [edit], before.replace("c()\n", ""))] == []
    for after in (
        before.replace("c()\n", "").replace("b()", "b ()"),
        before.replace("c()\n", "").replace("import a\n", "import a\n\n"),
        before.replace("c()\n", "").replace("d()  # so\n", "d()  # so"),
        before.replace("c()\n", "").replace("# why\n", ""),
        before.replace("c()\n", "# so\n").replace("  # so\n", "\n"),
        before.replace("c()\n", "x()\r\n"),
    ):
        assert [*harm(before, [edit], after)], after
