"""What splices leave behind."""

from __future__ import annotations

import pytest

from flake8_asyncpatterns.module import Module
from flake8_asyncpatterns.rewrite import apply
from flake8_asyncpatterns.rule import Fix, Remove


def without_statement(text: str, index: int) -> str:
    module = Module.parse(text)
    return apply(module, [Fix(Remove(module.tree.body[index]))])[0]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("index", "before", "after"),
    [
        (0, "import a\n\nimport b\n", "import b\n"),
        (0, "import a\nimport b\n", "import b\n"),
        (1, '"""Doc."""\n\nimport a\n\nimport b\n', '"""Doc."""\n\nimport b\n'),
        (1, '"""Doc."""\n\nimport a\n\n\nx = 1\n', '"""Doc."""\n\n\nx = 1\n'),
        (1, "import a\nimport b\n\nimport c\n", "import a\n\nimport c\n"),
        (1, "import a\n\nimport b\n", "import a\n\n"),
    ],
)
def test_a_removed_import_leaves_no_double_gap(index: int, before: str, after: str, newline: str) -> None:
    assert without_statement(before.replace("\n", newline), index) == after.replace("\n", newline)
