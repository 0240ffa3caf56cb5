"""Generator coroutines, shape by shape: what the fix writes, and why there is none."""

from __future__ import annotations

import sys
from textwrap import dedent

import pytest
from cases import found, mended

from flake8_asyncpatterns.rules import RULES

RULES_HERE = [RULES["AIO401"], RULES["AIO402"]]
HEAD = "import asyncio\nimport os\n"
KEPT = "import os\n"


def fixed(code: str, *, unsafe: bool = False) -> str:
    """The code after its fixes, without the import that the decorator needed."""
    result = mended(HEAD + dedent(code), rules=RULES_HERE, unsafe=unsafe)
    assert result.left == []
    return result.text.removeprefix(HEAD).removeprefix(KEPT)


def coroutine(body: str, signature: str = "f(x, y=None)") -> str:
    lines = "".join(f"    {line}\n" for line in dedent(body).strip().splitlines())
    return f"@asyncio.coroutine\ndef {signature}:\n{lines}"


def native(body: str, signature: str = "f(x, y=None)") -> str:
    return coroutine(body, signature).removeprefix("@asyncio.coroutine\n").replace("def", "async def", 1)


def refusals(code: str) -> dict[int, str]:
    """Why each finding has no fix, by line of the code; nothing else may be found in it."""
    findings = found(HEAD + dedent(code), RULES_HERE)
    assert all(f.refusal and not f.fix for f in findings), [(f.line, f.fix) for f in findings]
    return {f.line - 2: f.refusal for f in findings}


def unsafe_reasons(code: str) -> set[str]:
    return {f.fix.unsafe for f in found(HEAD + dedent(code), RULES_HERE) if f.fix}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("yield from x()", "await x()"),
        ("return (yield from x())", "return await x()"),
        ("return(yield from x())", "return(await x())"),
        ("y = yield from x", "y = await x"),
        ("y = -(yield from x)", "y = -await x"),
        ("y = not (yield from x)", "y = not await x"),
        ("return (yield from x).name", "return (await x).name"),
        ("return (yield from x)[0]", "return (await x)[0]"),
        ("return (yield from x)(1)", "return (await x)(1)"),
        ("return (yield from x) + (yield from y)", "return await x + await y"),
        ("return (yield from x) ** 2", "return await x ** 2"),
        ("return 2 ** (yield from x)", "return 2 ** await x"),
        ("return (yield from x), (yield from y)", "return await x, await y"),
        ("return [(yield from x), *(yield from y)]", "return [await x, *await y]"),
        ("return print((yield from x), end=(yield from y))", "return print(await x, end=await y)"),
        ("return (yield from (yield from x))", "return await (await x)"),
        ("return (yield from x or y)", "return await (x or y)"),
        ("return (yield from x if y else os)", "return await (x if y else os)"),
        ("return 1 if (yield from x) else 2", "return 1 if await x else 2"),
        ("return (yield from x) if y else (yield from y)", "return await x if y else await y"),
        ("return (yield from x) and (yield from y)", "return await x and await y"),
        ("return (yield from x) == (yield from y)", "return await x == await y"),
        ("return {(yield from x): (yield from y)}", "return {await x: await y}"),
        ("return [i for i in (yield from x)]", "return [i for i in await x]"),
        ("x[(yield from y)] = 1", "x[await y] = 1"),
        ("x += yield from y", "x += await y"),
        ("raise (yield from x)", "raise await x"),
        ("assert (yield from x), y", "assert await x, y"),
        ("while (yield from x): pass", "while await x: pass"),
        ("for i in (yield from x): pass", "for i in await x: pass"),
        ("return (yield from\n        x())", "return (await x())"),
        ("return (  # why\n    yield from x\n)", "return (  # why\n    await x\n)"),
        ("yield from x()  # why", "await x()  # why"),
        ("yield", "await asyncio.sleep(0)"),
        ("x(); (yield); y()", "x(); await asyncio.sleep(0); y()"),
    ],
)
def test_what_becomes_of_each_yield(before: str, after: str) -> None:
    assert fixed(coroutine(before)) == native(after)


def test_a_yield_that_is_never_reached_goes() -> None:
    assert fixed(coroutine("return 1\nyield")) == native("return 1")


def test_the_import_goes_with_its_last_use() -> None:
    before = "from asyncio import coroutine, sleep\n\n\n@coroutine\ndef f():\n    yield from sleep(1)\n"
    after = "from asyncio import sleep\n\n\nasync def f():\n    await sleep(1)\n"
    assert mended(before, rules=RULES_HERE).text == after


def test_an_import_that_is_still_used_stays() -> None:
    before = "import asyncio as aio\n\n\n@aio.coroutine\ndef f():\n    yield from aio.sleep(1)\n"
    after = "import asyncio as aio\n\n\nasync def f():\n    await aio.sleep(1)\n"
    assert mended(before, rules=RULES_HERE).text == after


def test_windows_newlines_stay() -> None:
    before = HEAD + coroutine("yield\nreturn (yield from x)")
    after = HEAD + native("await asyncio.sleep(0)\nreturn await x")
    assert mended(before.replace("\n", "\r\n"), rules=RULES_HERE).text == after.replace("\n", "\r\n")


def test_tabs_stay() -> None:
    before = f"{HEAD}class A:\n\t@asyncio.coroutine\n\tdef f(self):\n\t\tyield from os\n"
    after = f"{KEPT}class A:\n\tasync def f(self):\n\t\tawait os\n"
    assert mended(before, rules=RULES_HERE).text == after


def test_comments_around_the_decorator_stay() -> None:
    before = """\
    # above
    @asyncio.coroutine  # beside
    # between
    def f(x):  # behind
        yield from x  # inside
    """
    after = """\
    # above
    # beside
    # between
    async def f(x):  # behind
        await x  # inside
    """
    assert fixed(before) == dedent(after)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the place of code inside an f-string is known since 3.12")
def test_in_an_f_string() -> None:
    assert fixed(coroutine('return f"{(yield from x)!r}"')) == native('return f"{await x!r}"')


def test_in_an_f_string_whose_text_it_is() -> None:
    source = HEAD + coroutine('return f"{(yield from x)=}"')
    result = mended(source, rules=RULES_HERE)
    assert result.text == source
    assert [left.finding.rule.code for left in result.left] == ["AIO401"]


def test_nested_functions_have_their_own_yields() -> None:
    body = """
    def numbers():
        yield from range(3)
        yield 4
    pick = lambda: (yield from y)
    async def inner():
        await x
    yield from x
    return numbers, pick, inner
    """
    assert fixed(coroutine(body)) == native(body.replace("    yield from x\n    return", "    await x\n    return"))


def test_a_nested_coroutine_turns_by_itself() -> None:
    before = coroutine("@asyncio.coroutine\ndef inner():\n    yield from x\nyield from inner()")
    after = native("async def inner():\n    await x\nawait inner()")
    assert fixed(before) == after


@pytest.mark.parametrize(
    ("lock", "made"),
    [
        ("lock", "lock = asyncio.Lock()\n"),
        ("lock", "lock = asyncio.Condition()\n"),
        ("locks[0]", "locks = [asyncio.Lock(), asyncio.Semaphore(2)]\n"),
        ("locks[x]", "locks = {None: asyncio.Lock()}\n"),
    ],
)
def test_with_a_known_lock(lock: str, made: str) -> None:
    before = made + coroutine(f"with (yield from {lock}):\n    yield from x")
    assert unsafe_reasons(before) == {""}
    assert fixed(before).endswith(native(f"async with {lock}:\n    await x"))


def test_with_a_lock_of_self_and_a_name() -> None:
    before = """\
    class A:
        def __init__(self):
            self.lock = asyncio.Lock()
        @asyncio.coroutine
        def f(self):
            with (yield from self.lock) as held:
                return held
    """
    after = before.replace("@asyncio.coroutine\n        def", "async def").replace(
        "with (yield from self.lock)", "async with self.lock"
    )
    assert fixed(before) == dedent(after)


def test_with_a_lock_of_another_object_of_the_file() -> None:
    before = """\
    class A:
        def __init__(self):
            self.lock = asyncio.Lock()
    class B:
        def __init__(self, a):
            self.a = a
        @asyncio.coroutine
        def f(self):
            with (yield from self.a.lock):
                pass
    """
    assert unsafe_reasons(before) == {""}
    assert "async with self.a.lock:" in fixed(before)


def test_with_what_may_be_no_lock_is_unsafe() -> None:
    before = coroutine("with (yield from x):\n    pass")
    assert unsafe_reasons(before) == {"`x` is taken for a lock of asyncio"}
    assert fixed(before, unsafe=True) == native("async with x:\n    pass")


def test_with_a_context_manager_that_is_awaited() -> None:
    assert fixed(coroutine("with (yield from x.get()) as y:\n    pass")) == native("with await x.get() as y:\n    pass")
    assert fixed(coroutine("with (yield from x) as y:\n    pass")) == native("with await x as y:\n    pass")


def test_with_several_managers_is_refused() -> None:
    code = "lock = asyncio.Lock()\n" + coroutine("with (yield from lock), x:\n    pass")
    assert refusals(code) == {3: "the `with` in line 6 has several managers"}


@pytest.mark.parametrize(
    ("body", "after"),
    [
        ("pass", "pass"),
        ("return", "return"),
        ("return 1", "return 1"),
        ("return x == y", "return x == y"),
        ("return x + 1", "return x + 1"),
        ("return f'{x}'", "return f'{x}'"),
        ("return [x, y]", "return [x, y]"),
        ("return len(x)", "return len(x)"),
        ("return ', '.join(x)", "return ', '.join(x)"),
        ("return 1 if x else None", "return 1 if x else None"),
        ("total = 0\nreturn total", "total = 0\nreturn total"),
        ("return asyncio.sleep(1)", "return await asyncio.sleep(1)"),
        ("return asyncio.Future()", "return await asyncio.Future()"),
        ("if x:\n    return asyncio.sleep(1)\nreturn 2", "if x:\n    return await asyncio.sleep(1)\nreturn 2"),
    ],
)
def test_without_a_yield(body: str, after: str) -> None:
    assert fixed(coroutine(body)) == native(after)


def test_without_a_yield_returning_a_coroutine_of_this_file() -> None:
    helpers = "async def g(): pass\n@asyncio.coroutine\ndef h():\n    yield from g()\ndef later():\n    return h()\n"
    turned = "async def g(): pass\nasync def h():\n    await g()\ndef later():\n    return h()\n"
    for call in ("g()", "h()", "later()"):
        assert fixed(helpers + coroutine(f"return {call}")) == turned + native(f"return await {call}")


def test_without_a_yield_returning_a_function_or_self() -> None:
    before = """\
    class A:
        @asyncio.coroutine
        def __aenter__(self):
            return self
        @asyncio.coroutine
        def factory(self):
            def handler():
                return 1
            return handler
    """
    assert fixed(before) == dedent(before).replace("    @asyncio.coroutine\n    def", "    async def")


def test_without_a_yield_a_web_handler_may_return_its_response() -> None:
    before = """
    import asyncio
    from aiohttp import web
    @asyncio.coroutine
    def get(request):
        return web.Response(text="here")
    @asyncio.coroutine
    def post(request):
        response = web.HTTPCreated()
        return response
    """
    after = dedent(before).replace("@asyncio.coroutine\ndef", "async def")
    assert fixed(before) == after.replace("import asyncio\n", "")


@pytest.mark.parametrize(
    "value", ["x", "x.name", "x()", "x[0]", "y or x", "(i for i in x)", "1 if x else x()", "await_(x)"]
)
def test_without_a_yield_returning_what_may_be_a_future_is_refused(value: str) -> None:
    [reason] = refusals(coroutine(f"return {value}")).values()
    assert reason.endswith("which it returns, may be a future or a generator that the decorator awaits")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("yield x", "`(yield x)` in line 5 hands a value to whoever drives the generator"),
        ("y = yield", "the value of a bare `yield` is used in line 5"),
        ("y = yield x", "`(yield x)` in line 5 hands a value to whoever drives the generator"),
        ("yield from [x]", "`[x]` in line 5 is iterated, and cannot be awaited"),
        ("yield from range(x)", "`range(x)` in line 5 is iterated, and cannot be awaited"),
        ("yield from {}.items()", "`{}.items()` in line 5 is iterated, and cannot be awaited"),
        ("yield from ()", "`()` in line 5 is iterated, and cannot be awaited"),
        ("return ((yield from i) for i in x)", "a comprehension yields in line 5"),
        ("return [(yield from i) for i in x]", "a comprehension yields in line 5"),
        ("def g(z=(yield from x)): pass", "a default or a decorator yields in line 5"),
        ("return lambda z=(yield from x): z", "a default or a decorator yields in line 5"),
    ],
)
def test_yields_that_refuse(body: str, reason: str) -> None:
    assert refusals(coroutine(body)) == {2: reason}


@pytest.mark.parametrize("name", ["__iter__", "__await__", "__next__"])
def test_what_must_be_an_iterator_stays_one(name: str) -> None:
    code = f"class A:\n    @asyncio.coroutine\n    def {name}(self):\n        yield from os\n"
    assert refusals(code) == {3: f"`{name}` must return an iterator, which a coroutine is not"}


@pytest.mark.parametrize("name", ["__iter__", "__await__"])
def test_what_is_an_iterator_by_another_name_stays_one(name: str) -> None:
    code = f"class A:\n    @asyncio.coroutine\n    def f(self):\n        yield from os\n    {name} = f\n"
    assert refusals(code) == {3: f"it is assigned to `{name}`, which must return an iterator"}


def test_what_python_calls_itself_stays() -> None:
    code = "class A:\n    @asyncio.coroutine\n    def __del__(self):\n        yield from os\n"
    assert refusals(code) == {3: "Python itself calls `__del__`, and awaits nothing"}


@pytest.mark.parametrize("name", ["__aenter__", "__aexit__", "__anext__", "__call__"])
def test_what_is_awaited_turns_over(name: str) -> None:
    code = f"class A:\n    @asyncio.coroutine\n    def {name}(self):\n        yield from os\n"
    assert f"async def {name}(self):\n        await os" in fixed(code)


@pytest.mark.parametrize("decorator", ["staticmethod", "classmethod", "property"])
def test_harmless_decorators_stay(decorator: str) -> None:
    before = f"class A:\n    @{decorator}\n    @asyncio.coroutine\n    def f(x):\n        yield from x\n"
    assert fixed(before) == f"class A:\n    @{decorator}\n    async def f(x):\n        await x\n"


def test_wraps_is_harmless_above_and_below() -> None:
    for first, second in (("asyncio.coroutine", "functools.wraps(y)"), ("functools.wraps(y)", "asyncio.coroutine")):
        before = f"import functools\n@{first}\n@{second}\ndef f(x):\n    yield from x\n"
        assert fixed(before) == "import functools\n@functools.wraps(y)\nasync def f(x):\n    await x\n"


def test_an_unknown_decorator_may_look_at_the_generator() -> None:
    code = f"import retry\n@retry.often(3)\n{coroutine('yield from x')}"
    assert refusals(code) == {4: "`@retry.often` may look at the generator"}


def test_a_decorator_of_this_file_that_only_awaits_is_harmless() -> None:
    before = """\
    def connected(function):
        @asyncio.coroutine
        def wrapper(*args):
            return (yield from function(*args))
        return wrapper
    @connected
    @asyncio.coroutine
    def f(x):
        yield from x
    """
    after = """\
    def connected(function):
        async def wrapper(*args):
            return await function(*args)
        return wrapper
    @connected
    async def f(x):
        await x
    """
    assert fixed(before) == dedent(after)


def test_a_decorator_of_this_file_that_does_more_is_not() -> None:
    code = "def deco(function):\n    return list(function())\n@deco\n" + coroutine("yield from x")
    assert refusals(code) == {5: "`@deco` may look at the generator"}


def test_calls_of_the_decorator_are_reported() -> None:
    code = "def g(x):\n    return x\ng = asyncio.coroutine(g)\nh = asyncio.coroutine(lambda: g(1))\n"
    assert list(refusals(code)) == [3, 4]


def test_on_an_async_def_the_decorator_just_goes() -> None:
    assert fixed("@asyncio.coroutine\nasync def f(x):\n    await x\n") == "async def f(x):\n    await x\n"


def test_types_coroutine_only_where_it_wraps_what_is_known() -> None:
    before = "import types\n@types.coroutine\ndef f():\n    yield from asyncio.sleep(1)\n"
    assert mended(HEAD + before, rules=RULES_HERE).text == HEAD + "async def f():\n    await asyncio.sleep(1)\n"
    for body in ("yield", "yield from x", "x = yield 1", "yield from asyncio.sleep(1)\n    yield"):
        assert found(f"{HEAD}import types\n@types.coroutine\ndef f(x):\n    {body}\n", RULES_HERE) == []


# What turns over together


def test_a_hierarchy_turns_over_in_one_fix() -> None:
    code = """\
    class A:
        @asyncio.coroutine
        def f(self):
            raise NotImplementedError
    class B(A):
        @asyncio.coroutine
        def f(self):
            yield from os
    class C(B):
        @asyncio.coroutine
        def f(self):
            yield from super().f()
    """
    fixes = {f.fix for f in found(HEAD + dedent(code), RULES_HERE)}
    assert len(fixes) == 1
    assert fixes != {None}
    assert fixed(code).count("async def f") == 3


def test_a_hierarchy_with_a_plain_function_is_refused() -> None:
    code = """\
    class A:
        def f(self):
            return 1
    class B(A):
        @asyncio.coroutine
        def f(self):
            yield from os
    """
    assert refusals(code) == {6: "`A.f` (line 4) is no coroutine"}


@pytest.mark.parametrize("body", ["raise NotImplementedError", "return asyncio.sleep(1)", "return g()"])
def test_a_hierarchy_with_a_function_that_agrees(body: str) -> None:
    code = f"""\
    async def g(): pass
    class A:
        def f(self):
            {body}
    class B(A):
        @asyncio.coroutine
        def f(self):
            yield from os
    """
    assert "async def f(self):\n        await os" in fixed(code)


def test_one_override_that_cannot_keeps_all() -> None:
    code = """\
    class A:
        @asyncio.coroutine
        def f(self):
            yield from os
    class B(A):
        @asyncio.coroutine
        def f(self):
            yield 1
    """
    assert list(refusals(code)) == [3, 7]
    assert "it must turn over together with `f` (line 9)" in refusals(code)[3]


def test_a_decorated_function_that_stays_does_not_keep_those_it_drives() -> None:
    before = coroutine("yield from os", "f()") + coroutine("yield 1\nyield from f()", "g()")
    after = native("await os", "f()") + coroutine("yield 1\nyield from f()", "g()")
    assert fixed(before) == after


def test_a_helper_without_decorator_turns_with_its_driver() -> None:
    before = "def helper(x):\n    return (yield from x.read())\n" + coroutine("yield from helper(x)")
    assert unsafe_reasons(before) == {""}
    assert fixed(before) == "async def helper(x):\n    return await x.read()\n" + native("await helper(x)")


def test_a_helper_that_cannot_turn_keeps_its_driver() -> None:
    code = "def helper(x):\n    yield 1\n    yield from asyncio.sleep(x)\n" + coroutine("yield from helper(x)")
    [reason] = refusals(code).values()
    assert reason.startswith("it must turn over together with `helper` (line 3)")


STORES = "class G:\n    def __init__(self, c):\n        self.c = c\n"


@pytest.mark.parametrize(
    "driver",
    [
        "@os.collected\ndef g():\n    yield from f(1)\n",
        "@os.collected\ndef g():\n    made = f(1)\n    yield from made\n",
        "class G:\n    def f(self): return f(1)\n    @os.collected\n    def g(self):\n        yield from self.f()\n",
        "g = lambda: (yield from f(1))\n",
        "def test_f():\n    yield from f(1)\n",
        "class G(metaclass=os.Meta):\n    def g(self):\n        yield from f(1)\n",
        f"{STORES}    def __await__(self):\n        yield from self.c\nG(f(1))\n",
        f"{STORES}class H(G):\n    def __iter__(self):\n        yield from self.c\nH(f(1))\n",
        "def g(h):\n    yield from h()\n    yield 1\nos.register(f)\n",
    ],
)
def test_a_plain_generator_that_stays_keeps_what_it_drives(driver: str) -> None:
    assert 2 in refusals(coroutine("yield from x") + driver)


def test_await_drives_through_await() -> None:
    before = """\
    class A:
        @asyncio.coroutine
        def f(self):
            yield from os
        def __await__(self):
            return (yield from self.f())
        __iter__ = __await__
    """
    after = """\
    class A:
        async def f(self):
            await os
        def __await__(self):
            return (yield from self.f().__await__())
        __iter__ = __await__
    """
    assert fixed(before) == dedent(after)


@pytest.mark.parametrize(
    "use",
    [
        "next(f(1))", "f(1).send(None)", "f(1).throw(ValueError)", "c = f(1)\nnext(c)", "list(f(1))",
        "for step in f(1): pass", "[*f(1)]", "[i for i in f(1)]", "f(1).gi_frame",
    ],
)  # fmt: skip
def test_what_is_driven_by_hand_stays(use: str) -> None:
    [reason] = refusals(f"{coroutine('yield from x')}{use}\n").values()
    assert reason.startswith("it is driven by hand in line ")


@pytest.mark.parametrize(
    "use",
    ["inspect.isgenerator(f(1))", "inspect.isgeneratorfunction(f)", "isinstance(f(1), types.GeneratorType)"],
)
def test_what_is_told_from_its_type_stays(use: str) -> None:
    [reason] = refusals(f"import inspect, types\n{coroutine('yield from x')}{use}\n").values()
    assert reason.startswith("it is driven by hand in line ")


def test_an_iterable_class_cannot_be_awaited() -> None:
    code = "class Steps:\n    def __iter__(self):\n        return iter(())\n" + coroutine("yield from Steps()")
    assert refusals(code) == {5: "`Steps()` in line 8 is iterated, and cannot be awaited"}


def test_star_imports_and_other_decorators_of_that_name_are_not_ours() -> None:
    for head in ("from tornado.gen import coroutine", "from asyncio import *", "def coroutine(f): return f"):
        assert found(f"{head}\n@coroutine\ndef f(x):\n    yield x\n", RULES_HERE) == []


def test_what_drives_a_plain_generator_of_the_file_stays() -> None:
    code = dedent("""
        import asyncio

        def pause():
            yield

        @asyncio.coroutine
        def main():
            yield from pause()
    """)
    assert fixed(code, unsafe=True) == code
    assert "iterated" in refusals(code)[8]


CONNECTION = """
import asyncio

class Connection:
    def read(self):
        yield from {driven}

@asyncio.coroutine
def main(connection):
    return (yield from connection.read())
"""


def test_what_may_drive_a_generator_that_stays_is_unsafe() -> None:
    code = CONNECTION.format(driven="self.future")
    assert fixed(code) == code
    assert any("may be the generator `read`" in reason for reason in unsafe_reasons(code))


def test_what_a_decorator_makes_of_a_generator_is_not_suspected() -> None:
    code = CONNECTION.format(driven="self.future").replace("    def read", "    @wrapped\n    def read")
    assert "await connection.read()" in fixed(code)


def test_what_may_drive_a_generator_turns_over_with_it() -> None:
    code = CONNECTION.format(driven="asyncio.sleep(1)")
    made = fixed(code)
    assert "async def read" in made
    assert "await connection.read()" in made


@pytest.mark.parametrize(
    ("signature", "value"),
    [
        ("f(n)", "[None] * n"),
        ("f(n)", "n * (None,)"),
        ("f(n)", "open(n)"),
        ("f(n: list)", "n"),
        ('f(n: "list[int]")', "n"),
        ("f(n: typing.Iterable[int])", "n"),
    ],
)
def test_what_drives_things_to_iterate_stays(signature: str, value: str) -> None:
    code = f"import asyncio, typing\n\n@asyncio.coroutine\ndef {signature}:\n    yield from {value}\n"
    assert fixed(code, unsafe=True) == code
