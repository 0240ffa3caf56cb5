"""What a name means: each test is a small program in which `HERE(...)` marks the expression that is asked about."""

from __future__ import annotations

import ast
import sys

import pytest

from flake8_asyncpatterns.module import Module


def name(source: str) -> str | None:
    """The qualified name of the argument of the one call of `HERE` in a program."""
    module = Module.parse(source)
    [call] = [c for c in module.nodes(ast.Call) if isinstance(c.func, ast.Name) and c.func.id == "HERE"]
    return module.name(call.args[0])


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import time\nHERE(time.sleep)", "time.sleep"),
        ("import time as t\nHERE(t.sleep)", "time.sleep"),
        ("from time import sleep\nHERE(sleep)", "time.sleep"),
        ("from time import sleep as s\nHERE(s)", "time.sleep"),
        ("import os.path\nHERE(os.path.join)", "os.path.join"),
        ("import os.path as p\nHERE(p.join)", "os.path.join"),
        ("import concurrent.futures.thread as c\nHERE(c.ThreadPoolExecutor)", "concurrent.futures.ThreadPoolExecutor"),
        ("from asyncio.locks import Lock\nHERE(Lock)", "asyncio.Lock"),
        ("import asyncio\nHERE(asyncio.tasks.sleep)", "asyncio.sleep"),
        ("from package import asyncio\nHERE(asyncio.sleep)", "asyncio.sleep"),
        ("import package.compat\nHERE(package.compat.asyncio.sleep)", "asyncio.sleep"),
        ("from redis import asyncio\nHERE(asyncio.Lock)", "redis.asyncio.Lock"),
        ("from . import util\nHERE(util.f)", ".util.f"),
        ("from ..pkg.util import f\nHERE(f)", "..pkg.util.f"),
        ("HERE(open)", "builtins.open"),
        ("HERE(unheard_of)", None),
        ("HERE(time.sleep)", None),
        ("HERE(asyncio.sleep)", "asyncio.sleep"),  # a snippet, printed without its imports
        ("from x import *\nHERE(asyncio.sleep)", None),
        ("def f(asyncio):\n    HERE(asyncio.sleep)", None),
    ],
)
def test_imports_and_builtins(source: str, expected: str | None) -> None:
    assert name(source) == expected


def test_function_level_import_is_seen_inside_and_not_outside() -> None:
    assert name("def f():\n    from time import sleep\n    HERE(sleep)") == "time.sleep"
    assert name("def f():\n    from time import sleep\nHERE(sleep)") is None


def test_conditional_imports_count_when_they_agree() -> None:
    assert name("try:\n    import time\nexcept ImportError:\n    time = None\nHERE(time.sleep)") == "time.sleep"
    assert name("if x:\n    import json\nelse:\n    import ujson as json\nHERE(json.loads)") is None
    assert name("try:\n    import ujson as json\nexcept ImportError:\n    import json\nHERE(json.loads)") is None


@pytest.mark.parametrize(
    "binding",
    [
        "time = make()",
        "for time in x: pass",
        "with x as time: pass",
        "(time := make())",
        "[a, *time] = x",
        "try: pass\nexcept E as time: pass",
        "def time(): pass",
        "class time: pass",
        "time += 1",
        "match x:\n    case time: pass",
        "match x:\n    case [*time]: pass",
        "match x:\n    case {**time}: pass",
        "match x:\n    case int() as time: pass",
        "global time\ntime = 1",
    ],
)
def test_rebinding_makes_a_name_unknown(binding: str) -> None:
    body = "\n    ".join(["def f(x):", *binding.splitlines(), "HERE(time.sleep)"])
    assert name(f"import time\n{body}") is None


def test_parameters_shadow() -> None:
    for parameters in ("time", "*time", "**time", "*, time", "time, /", "time=1"):
        assert name(f"import time\ndef f({parameters}):\n    HERE(time.sleep)") is None
    assert name("import time\nlambda time: HERE(time.sleep)") is None


def test_defaults_decorators_and_bases_are_evaluated_outside() -> None:
    assert name("import time\ndef f(time=HERE(time.sleep)): pass") == "time.sleep"
    assert name("import time\n@HERE(time.sleep)\ndef f(time): pass") == "time.sleep"
    assert name("import time\nclass C(HERE(time.sleep)):\n    time = 1") == "time.sleep"
    assert name("import time\nlambda time=HERE(time.sleep): 1") == "time.sleep"


def test_class_bodies_are_seen_by_themselves_only() -> None:
    assert name("import time\nclass C:\n    time = 1\n    HERE(time.sleep)") is None
    assert name("import time\nclass C:\n    time = 1\n    def f(self):\n        HERE(time.sleep)") == "time.sleep"
    assert name("import time\nclass C:\n    time = 1\n    x = [HERE(time.sleep) for _ in y]") == "time.sleep"
    assert name("import time\nclass C:\n    time = 1\n    x = [_ for _ in HERE(time.sleep)]") is None


def test_comprehensions_have_a_scope_of_their_own() -> None:
    assert name("import time\n[time for time in x]\nHERE(time.sleep)") == "time.sleep"
    assert name("import time\n[HERE(time.sleep) for time in x]") is None
    assert name("import time\n[1 for time in HERE(time.sleep)]") == "time.sleep"
    assert name("import time\n[1 for time in x for y in HERE(time.sleep)]") is None


def test_walrus_in_a_comprehension_binds_around_it() -> None:
    assert name("import time\ndef f():\n    [(time := 1) for _ in x]\n    HERE(time.sleep)") is None
    assert name("import time\ndef f():\n    [[(time := 1) for _ in x] for y in z]\n    HERE(time.sleep)") is None
    assert name("import time\ndef f():\n    [(time := 1) for _ in x]\nHERE(time.sleep)") == "time.sleep"


def test_global_reaches_over_functions_between() -> None:
    assert name("import time\ndef f():\n    time = 1\n    def g():\n        global time\n        HERE(time.sleep)") == (
        "time.sleep"
    )


def test_global_assignment_elsewhere_makes_a_name_unknown() -> None:
    assert name("import time\ndef f():\n    global time\n    time = 1\nHERE(time.sleep)") is None


def test_nonlocal_assignment_counts_for_the_function_it_means() -> None:
    source = (
        "import time\ndef f():\n    time = None\n    def g():\n        nonlocal time\n        {}\n    HERE(time.sleep)"
    )
    assert name(source.format("time = 1")) is None
    assert name(source.format("import time")) == "time.sleep"


def test_star_import_makes_builtins_unknown() -> None:
    assert name("from x import *\nHERE(open)") is None
    assert name("from x import *\nimport time\nHERE(time.sleep)") == "time.sleep"


def test_aliases_are_followed() -> None:
    assert name("import time\nsleep = time.sleep\nHERE(sleep)") == "time.sleep"
    assert name("import time\nnap = sleep = time.sleep\nHERE(nap)") == "time.sleep"
    assert name("import time\nt = time\ndef f():\n    HERE(t.sleep)") == "time.sleep"
    assert name("a = b\nb = a\nHERE(a)") is None


def test_variables_that_all_stand_for_each_other_take_no_time() -> None:
    names = [f"x{n}" for n in range(16)]
    swaps = "\n".join(f"{a} = {b}" for a in names for b in names)
    assert name(f"import time\nx0 = time.sleep\n{swaps}\nHERE(x0)") is None


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters came with Python 3.12")
def test_type_parameters_shadow() -> None:
    assert name("import T\ndef f[T](x):\n    HERE(T)") is None
    assert name("import T\nclass C[T]:\n    HERE(T)") is None


def function_name(source: str) -> str | None:
    module = Module.parse(source)
    [call] = [c for c in module.nodes(ast.Call) if isinstance(c.func, ast.Name) and c.func.id == "HERE"]
    function = module.function(call)
    return getattr(function, "name", None if function is None else "lambda")


def test_the_function_that_runs_an_expression() -> None:
    assert function_name("HERE()") is None
    assert function_name("def f():\n    HERE()") == "f"
    assert function_name("def f():\n    class C:\n        HERE()") == "f"
    assert function_name("def f():\n    [HERE() for _ in x]") == "f"
    assert function_name("def f():\n    lambda: HERE()") == "lambda"
    assert function_name("def f():\n    lambda x=HERE(): 1") == "f"
    assert function_name("def f():\n    @HERE()\n    def g(): pass") == "f"
    assert function_name("def f():\n    def g(x=HERE()) -> int: pass") == "f"


def spelled(source: str, qualified: str) -> str | None:
    module = Module.parse(source)
    [call] = [c for c in module.nodes(ast.Call) if isinstance(c.func, ast.Name) and c.func.id == "HERE"]
    return module.spelling(qualified, call)


def test_spelling_follows_the_imports_of_the_file() -> None:
    assert spelled("import asyncio\nHERE()", "asyncio.sleep") == "asyncio.sleep"
    assert spelled("import asyncio as aio\nHERE()", "asyncio.sleep") == "aio.sleep"
    assert spelled("from asyncio import sleep as nap\nHERE()", "asyncio.sleep") == "nap"
    assert spelled("from asyncio import wait\nHERE()", "asyncio.sleep") is None
    assert spelled("import asyncio\nimport asyncio.queues\nHERE()", "asyncio.sleep") == "asyncio.sleep"
    assert spelled("import asyncio\nimport trio as asyncio\nHERE()", "asyncio.sleep") is None


def test_spelling_wants_the_import_to_have_run() -> None:
    assert spelled("HERE()\nimport asyncio", "asyncio.sleep") is None
    assert spelled("def f():\n    HERE()\nimport asyncio", "asyncio.sleep") == "asyncio.sleep"
    assert spelled("if TYPE_CHECKING:\n    import asyncio\ndef f():\n    HERE()", "asyncio.sleep") is None
    assert spelled("def f():\n    HERE()\n    import asyncio", "asyncio.sleep") is None
    assert spelled("def f():\n    import asyncio\ndef g():\n    HERE()", "asyncio.sleep") is None


def test_spelling_is_not_fooled_by_shadowing() -> None:
    assert spelled("import asyncio\ndef f(asyncio):\n    HERE()", "asyncio.sleep") is None
