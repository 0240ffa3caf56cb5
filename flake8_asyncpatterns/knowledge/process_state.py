"""What the whole process has but once, and what changes it for the length of a block.

Sources: the pages of contextlib, warnings, unittest.mock, os, sys and locale in the library reference, CPython
3.11-3.14. (`decimal.localcontext()` and `contextvars` are each task's own.)
"""

from __future__ import annotations

# Context managers that change something for everybody, and put it back at the end: what they change.
CHANGES = {
    "contextlib.redirect_stdout": "`sys.stdout`",
    "contextlib.redirect_stderr": "`sys.stderr`",
    "contextlib.chdir": "the working directory",
    "warnings.catch_warnings": "the warning filters",
    "unittest.mock.patch": "what it patches",
    "unittest.mock.patch.dict": "what it patches",
    "unittest.mock.patch.multiple": "what it patches",
    "unittest.mock.patch.object": "what it patches",
    "mock.patch": "what it patches",
    "mock.patch.dict": "what it patches",
    "mock.patch.multiple": "what it patches",
    "mock.patch.object": "what it patches",
}
PATCHES = "what it patches"

# Functions that change it until they are called again.
SETTERS = {
    "os.chdir": "the working directory",
    "os.fchdir": "the working directory",
    "os.umask": "the umask",
    "locale.setlocale": "the locale",
}
VARIABLES = {f"sys.{name}": f"`sys.{name}`" for name in ("argv", "stderr", "stdin", "stdout")}
