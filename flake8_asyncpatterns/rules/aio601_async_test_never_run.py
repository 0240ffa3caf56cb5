"""An `async def` test in a plain `unittest.TestCase` passes without running.

A `TestCase` calls its tests, and looks no further. Called, a coroutine function gives a coroutine, and raises nothing:
the test has passed, and not one line of it ran. Python 3.11 and later print a DeprecationWarning at least.

```python run
import sys
import unittest


class Sums(unittest.TestCase):
    async def test_sum(self):
        self.assertEqual(1 + 1, 3)


result = unittest.TextTestRunner(sys.stderr).run(unittest.defaultTestLoader.loadTestsFromTestCase(Sums))
print("tests:", result.testsRun, "failures:", len(result.failures))
```

```text
tests: 1 failures: 0
```

```python bad
import unittest

class ClientTest(unittest.TestCase):
    def setUp(self):
        self.client = Client("test")

    async def test_ping(self):
        self.assertEqual(await self.client.ping(), "pong")
```

```python good
import unittest

class ClientTest(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.client = Client("test")

    async def test_ping(self):
        self.assertEqual(await self.client.ping(), "pong")
```

An `async def setUp`, `tearDown`, `setUpClass` or `tearDownClass` does nothing either, in an `IsolatedAsyncioTestCase`
as little as in a plain one: there it is called `asyncSetUp` and `asyncTearDown`. And a plain one knows nothing of
these.

## Fix

Safe: the base becomes `unittest.IsolatedAsyncioTestCase`, which has everything a `TestCase` has, and runs plain tests
as before. Expect tests to fail that never ran. A `setUp` has to be renamed by hand.

## When to ignore

Where something else runs the tests of a plain `TestCase`. Classes with bases from elsewhere (Django's `TestCase` does
await its tests), with a `run` of their own, under a decorator or a metaclass are not reported, and no test under a
decorator that may run it.

## Other tools

Python itself warns, from 3.11 on, that a test returned something that is not None. No linter has it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property

from ..knowledge.unittests import ASYNC_CASE, ASYNC_FIXTURES, CASE, FIXTURES, KEEPS_TEST, RUNS_TESTS
from ..module import Module
from ..needs import calls
from ..rule import Fix, Report, Symbol, replace, rule
from ..signs import ASYNC


@rule("AIO601", "async-test-never-run", ast.AsyncFunctionDef, needs=calls({CASE, ASYNC_CASE}, ASYNC))
def async_test_never_run(function: ast.AsyncFunctionDef, module: Module) -> Iterator[Report]:
    """Report `async def test_x` in a `unittest.TestCase`."""
    name = function.name
    if not name.startswith("test") and name not in FIXTURES and name not in ASYNC_FIXTURES:
        return
    cls = module.class_of(function)
    if cls is None or function not in cls.body:
        return
    case = module.analysis(Cases).case(cls)
    if case is None or not all(_keeps(decorator, module) for decorator in function.decorator_list):
        return
    if case.is_async:
        if name in FIXTURES:
            yield Report(function, _message(name), refusal=_rename(name))
    elif name not in ASYNC_FIXTURES:
        yield Report(function, _message(name), case.fix)
    elif not module.attributes(name):
        yield Report(
            function, f"`{name}` is for `IsolatedAsyncioTestCase`; a plain `TestCase` never calls it", case.fix
        )


def _message(name: str) -> str:
    if name in FIXTURES:
        return f"unittest calls `{name}` and does not await it: it never runs"
    return f"`{name}` passes without running: `unittest.TestCase` does not await its tests"


def _rename(name: str) -> str:
    if name in ("setUp", "tearDown"):
        return f"name it `async{name[0].upper()}{name[1:]}`"
    return "nothing awaits what is done for a whole class"


def _keeps(decorator: ast.expr, module: Module) -> bool:
    return module.decorator(decorator) in KEEPS_TEST


class Case:
    """A class of tests: is it an asynchronous one, and what makes it one? Classes with the same base share this."""

    def __init__(self, base: ast.expr, *, is_async: bool) -> None:
        self.is_async = is_async
        self.fix = Fix(
            replace(base, "{case}", case=Symbol(ASYNC_CASE)),
            supersedes=(CASE,),
        )


class Cases:
    """The classes of tests of one Module: `module.analysis(Cases)`."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self._roots: dict[ast.expr, Case] = {}
        self._cases: dict[ast.ClassDef, Case | None] = {}

    def case(self, cls: ast.ClassDef) -> Case | None:
        """What is known of a class; None: it is no class of tests, or something else may run them."""
        if cls not in self._cases:
            self._cases[cls] = self._case(cls)
        return self._cases[cls]

    def _case(self, cls: ast.ClassDef) -> Case | None:
        family = self._family(cls)
        if not all(map(self._is_plain, family)):
            return None
        roots = [base for c in family for base in c.bases if not isinstance(self.module.definition(base), ast.ClassDef)]
        roots = [base for base in roots if self.module.name(base) != "builtins.object"]
        names = {self.module.name(base) for base in roots}
        if names not in ({CASE}, {ASYNC_CASE}):
            return None
        return self._roots.setdefault(roots[0], Case(roots[0], is_async=names == {ASYNC_CASE}))

    def _family(self, cls: ast.ClassDef) -> list[ast.ClassDef]:
        """The class, those that it inherits from, those that inherit from it, and what these inherit from."""
        derived = [c for c in self.module.nodes(ast.ClassDef) if cls in self.module.bases(c)]
        return list(dict.fromkeys(base for c in (cls, *derived) for base in self.module.bases(c) if base))

    def _is_plain(self, cls: ast.ClassDef) -> bool:
        """Does nothing about a class suggest that it has its own way to run its tests?"""
        own = {node.name for node in cls.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
        return not cls.decorator_list and not cls.keywords and not own & RUNS_TESTS and cls not in self._changed

    @cached_property
    def _changed(self) -> set[ast.AST | None]:
        """The classes to which the file sets attributes by `setattr`."""
        calls = (call for call in self.module.nodes(ast.Call) if isinstance(call.func, ast.Name) and call.args)
        return {
            self.module.definition(call.args[0])
            for call in calls
            if self.module.likely(call.func) == "builtins.setattr"
        }
