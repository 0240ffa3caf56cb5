"""Which code is a test's, and which a command's."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..module import Module

# Folders that hold tests, as people name them; how pytest and unittest find files is in their documentation.
FOLDERS = frozenset({"test", "tests", "_tests", "testing", "unit_tests", "integration_tests"})
PACKAGES = frozenset({"pytest"})
# Folders that hold what somebody runs at a terminal, one command at a time: the file's own, or the one around that.
# (`__main__.py` may start, and be, a whole service.)
COMMAND_FOLDERS = frozenset({"cli", "cmds", "scripts"})
COMMAND_FILE = "cli.py"
CASES = frozenset({"unittest.TestCase", "unittest.IsolatedAsyncioTestCase"})


def is_test(node: ast.AST, module: Module) -> bool:
    """Does this code belong to a test: by the file's place or name, by what it imports, by what it stands in?"""
    return module.analysis(is_test_file) or any(_is_test(around, module) for around in module.ancestors(node))


def is_command(module: Module) -> bool:
    """Does this file belong to a command line, by its place or name?"""
    *folders, name = _parts(module)
    return not COMMAND_FOLDERS.isdisjoint(folders[-2:]) or name == COMMAND_FILE


def _parts(module: Module) -> list[str]:
    return module.path.replace("\\", "/").split("/")


def is_test_file(module: Module) -> bool:
    """Is all of this file a test's, by its place or name, or by what it imports?"""
    *folders, name = _parts(module)
    return (
        not FOLDERS.isdisjoint(folders)
        or name == "conftest.py"
        or is_collected(module)
        or not PACKAGES.isdisjoint(module.packages())
    )


def is_collected(module: Module) -> bool:
    """Is this file, by its name, one that a test runner finds by itself, so that hardly any other imports it?"""
    *_, name = _parts(module)
    return name.startswith("test_") or name.endswith("_test.py")


def _is_test(node: ast.AST, module: Module) -> bool:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            # In a file that is known and no test's, `test_connection` is what it says.
            return not module.path and name.startswith("test_")
        case ast.ClassDef(bases=bases):
            return any(module.name(base) in CASES for base in bases)
    return False
