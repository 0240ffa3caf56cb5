"""How unittest runs tests.

Source: Lib/unittest/{case,async_case}.py of CPython 3.11-3.14.
"""

from __future__ import annotations

CASE = "unittest.TestCase"
ASYNC_CASE = "unittest.IsolatedAsyncioTestCase"

# What it calls before and after tests, and awaits in no class; what it awaits in an asynchronous one.
FIXTURES = frozenset({"setUp", "setUpClass", "tearDown", "tearDownClass"})
ASYNC_FIXTURES = frozenset({"asyncSetUp", "asyncTearDown"})

# Methods with which a class has its own way to run its tests.
RUNS_TESTS = frozenset({
    "__call__", "__getattribute__", "__init__", "__init_subclass__", "_callSetUp", "_callTestMethod", "debug", "run",
})  # fmt: skip

# Decorators under which a coroutine function is one still.
KEEPS_TEST = frozenset({
    "builtins.classmethod", "typing.override", "typing_extensions.override",
    "unittest.expectedFailure", "unittest.skipIf", "unittest.skipUnless",
    "unittest.mock.patch", "unittest.mock.patch.dict", "unittest.mock.patch.object",
})  # fmt: skip
