"""Edits on text: what they write, what they keep, and that the proof catches what goes wrong."""

from __future__ import annotations

import ast
import sys
import textwrap
from collections.abc import Callable, Iterable

import pytest

from flake8_asyncpatterns import proof, rewrite
from flake8_asyncpatterns.edits import Refused
from flake8_asyncpatterns.module import Module
from flake8_asyncpatterns.rewrite import apply, mend
from flake8_asyncpatterns.rule import (
    Edit,
    Finding,
    Fix,
    MakeAsync,
    MakeSync,
    Remove,
    RemoveArgument,
    RemoveDecorator,
    Report,
    Rule,
    Symbol,
    insert,
    replace,
    replace_argument,
)

Planner = Callable[[Module], Iterable[Edit]]


def rewritten(source: str, plan: Planner) -> str:
    """`source` after one fix made of the planned edits; refusals fail."""
    module = Module.parse(source)
    fix = Fix(*plan(module))
    text, applied, refused = apply(module, [fix])
    assert not refused, refused[fix]
    assert applied == {fix}
    return text


def refusal(source: str, plan: Planner) -> str:
    module = Module.parse(source)
    fix = Fix(*plan(module))
    text, applied, refused = apply(module, [fix])
    assert (text, applied) == (source, set())
    return str(refused[fix])


def calls(name: str) -> Callable[[Module], list[ast.Call]]:
    return lambda module: sorted(
        (c for c in module.nodes(ast.Call) if isinstance(c.func, ast.Name) and c.func.id == name),
        key=lambda c: (c.lineno, c.col_offset),
    )


def awaiting(module: Module) -> Iterable[Edit]:
    """`f(…)` → `await g(…)`"""
    for call in calls("f")(module):
        yield replace(call, "await {call}", call=call)
        yield replace(call.func, "{g}", g=Symbol("asyncio.g"))


HEAD = "import asyncio\nasync def a():\n    "


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f(1)", "await asyncio.g(1)"),
        ("x = f(f(1))", "x = await asyncio.g(await asyncio.g(1))"),
        ("f(1).x", "(await asyncio.g(1)).x"),
        ("f(1)[0]", "(await asyncio.g(1))[0]"),
        ("f(1)()", "(await asyncio.g(1))()"),
        ("-f(1) ** 2", "-await asyncio.g(1) ** 2"),
        ("2 ** f(1)", "2 ** await asyncio.g(1)"),
        ("not f(1) and f(2)", "not await asyncio.g(1) and await asyncio.g(2)"),
        ("(f(1)).x", "(await asyncio.g(1)).x"),
        ("h(f(1), *f(2), k=f(3))", "h(await asyncio.g(1), *await asyncio.g(2), k=await asyncio.g(3))"),
        ("await f(1)", "await (await asyncio.g(1))"),
        ("x = f(  # why\n        1,\n        2)", "x = await asyncio.g(  # why\n        1,\n        2)"),
        ("f (1); f(2)", "await asyncio.g (1); await asyncio.g(2)"),
        ("x = {f(1): f(2)}", "x = {await asyncio.g(1): await asyncio.g(2)}"),
        ("x = f(1) if f(2) else f(3)", "x = await asyncio.g(1) if await asyncio.g(2) else await asyncio.g(3)"),
        ("assert f('日本'), f('é')", "assert await asyncio.g('日本'), await asyncio.g('é')"),
        ('x = """\n\t f(1)""", f(1)', 'x = """\n\t f(1)""", await asyncio.g(1)'),
        ("return f(i for i in x)", "return await asyncio.g(i for i in x)"),
    ],
)
def test_expressions_get_parentheses_where_they_need_them(before: str, after: str) -> None:
    assert rewritten(HEAD + before + "\n", awaiting) == HEAD + after + "\n"


def apart(module: Module) -> Iterable[Edit]:
    """`h(f(x))` → `h(f, x)`, and `h(k=f(x))` → `h(k=f, args=(x,))`"""
    for call in calls("f")(module):
        around = module.parent(call)
        place = around if isinstance(around, ast.keyword) else call
        template = "k={f}, args=({x},)" if place is around else "{f}, {x}"
        yield replace_argument(place, template, f=call.func, x=call.args[0])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("h(f(1))", "h(f, 1)"),
        ("h(0, f(1), *y, k=2)", "h(0, f, 1, *y, k=2)"),
        ("h((f(1)))", "h(f, 1)"),
        ("h(f((1)))", "h(f, 1)"),
        ("h((f)(1), 2)", "h(f, 1, 2)"),
        ("h(f((\n  1\n  if x\n  else 2\n)), 3)", "h(f, (\n  1\n  if x\n  else 2\n), 3)"),
        ("h(f(i for i in x))", "h(f, (i for i in x))"),
        ("h(f((yield)))", "h(f, (yield))"),
        ("h(f(*y))", "h(f, *y)"),
        ("h(f(g(f(1))))", "h(f, g(f, 1))"),
        ("h(k=f(1))", "h(k=f, args=(1,))"),
        ("h(0, k = f(1), l=2)", "h(0, k=f, args=(1,), l=2)"),
        ("h(k=f(g(f(1))))", "h(k=f, args=(g(f, 1),))"),
        ("h(\n        f(\n            1,\n        ),  # why\n    )", "h(\n        f, 1,  # why\n    )"),
        ("h(\n        f(  # é\n            1))", "h(\n        f,  # é\n        1)"),
        ("h(f(  # é\n            1))", "h(f,  # é\n    1)"),
        ("h(f((\n  1  # é\n  )))", "h(f, (\n  1  # é\n  ))"),
        ("h(f((  # (\n  # é\n\n  y)), 2)", "h(f, (  # (\n  # é\n\n  y), 2)"),
        ("h(f(( \\\n  1 \\\n  )))", "h(f, 1)"),
    ],
)
def test_one_argument_becomes_several(before: str, after: str) -> None:
    assert rewritten(HEAD + before + "\n", apart) == HEAD + after + "\n"


def test_a_comment_that_finds_no_place_among_arguments_is_not_lost() -> None:
    assert "comment" in refusal("h(f(1  # why\n))\n", apart)
    assert "comment" in refusal("h((  # why\nf(1)))\n", apart)


def without_loop(module: Module) -> Iterable[Edit]:
    """`f(…, loop=…)` → `f(…)`"""
    yield from (RemoveArgument(keyword) for keyword in module.nodes(ast.keyword) if keyword.arg == "loop")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f(loop=x)", "f()"),
        ("f( loop = x , )", "f()"),
        ("f(\n    loop=x,\n)", "f()"),
        ("f(\n    loop=(\n        x\n    )\n)", "f()"),
        ("f(1, loop=x)", "f(1)"),
        ("f(1, loop=x,)", "f(1,)"),
        ("f((1), loop=(x))", "f((1))"),
        ("f((1) , loop=x )", "f((1) )"),
        ("f(loop=x, a=1)", "f(a=1)"),
        ("f( loop=x, a=1)", "f( a=1)"),
        ("f(1, loop=x, *y, **z)", "f(1, *y, **z)"),
        ("f(1, *(y), loop=x)", "f(1, *(y))"),
        ("f(loop=x, **(z))", "f(**(z))"),
        ("f(a, loop=x, b=[i for i in y])", "f(a, b=[i for i in y])"),
        ("f(1, k=g(2, loop=y), loop=x)", "f(1, k=g(2))"),
        ("f(1,\n  loop=x)", "f(1)"),
        ("f(\n    1,\n    loop=x,\n)", "f(\n    1,\n)"),
        ("f(\n    1,\n    loop=x\n)", "f(\n    1\n)"),
        ("f(\n    loop=x,\n    a='é',\n)", "f(\n    a='é',\n)"),
        ("f(\n    1,  # one\n    loop=x,\n)", "f(\n    1,  # one\n)"),
        ("f(\n    1,  # one\n    loop=x,  # two\n    a=3\n)", "f(\n    1,  # one\n    # two\n    a=3\n)"),
        ("f(\n    1,  # one\n    loop=x  # two\n)", "f(\n    1,  # one\n    # two\n)"),
        ("f(  # one\n    loop=x,\n)", "f(  # one\n)"),
        ("f('日本', loop=x)  # é", "f('日本')  # é"),
        ("x = f(1, loop=\\\n  x)", "x = f(1)"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_an_argument_goes_with_its_comma(before: str, after: str, newline: str) -> None:
    text = rewritten((before + "\n").replace("\n", newline), without_loop)
    assert text == (after + "\n").replace("\n", newline)


@pytest.mark.parametrize(
    "code", ["f(1,  # one\n  loop=x)\n", "f(\n  loop=x  # one\n  , a=1)\n", "f(\n  loop=(x  # one\n  ))\n"]
)
def test_an_argument_does_not_take_a_comment_along(code: str) -> None:
    assert "comment" in refusal(code, without_loop) or "shares its line" in refusal(code, without_loop)


def negating(module: Module) -> Iterable[Edit]:
    """`f(…)` → `not g`"""
    yield from (replace(call, "not g") for call in calls("f")(module))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("while f() and x: pass", "while not g and x: pass"),
        ("x = y or f()", "x = y or not g"),
        ("x = not f()", "x = not not g"),
        ("x = f() is True", "x = (not g) is True"),
        ("x = -f()", "x = -(not g)"),
        ("x = [i for i in y if f()]", "x = [i for i in y if (not g)]"),
        ("x = 1 if f() else 2", "x = 1 if (not g) else 2"),
    ],
)
def test_a_negation_is_put_in_parentheses_only_among_operators_that_bind_tighter(before: str, after: str) -> None:
    assert rewritten(HEAD + before + "\n", negating) == HEAD + after + "\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_newlines_and_everything_else_stay(newline: str) -> None:
    lines = ["# é", "import os  ", "\x0c", "async def a():", "\tf(1) ; \\", "  g(2)", "", "x=1 # no newline at the end"]
    after = ["# é", "import asyncio", "import os  ", "\x0c", "async def a():", "\tawait asyncio.g(1) ; \\", *lines[5:]]
    assert rewritten(newline.join(lines), awaiting) == newline.join(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f()", "import asyncio\n\nawait asyncio.g()"),
        ('"""doc"""\nf()', '"""doc"""\n\nimport asyncio\nawait asyncio.g()'),
        (
            "from __future__ import a\nimport os\nf()",
            "from __future__ import a\nimport asyncio\nimport os\nawait asyncio.g()",
        ),
        ("import abc\nimport os\nf()", "import abc\nimport asyncio\nimport os\nawait asyncio.g()"),
        ("from abc import x\nf()", "import asyncio\nfrom abc import x\nawait asyncio.g()"),
        ("import requests\nf()", "import asyncio\n\nimport requests\nawait asyncio.g()"),
        (
            "#!/bin/python\n# coding: utf-8\nimport os\nf()",
            "#!/bin/python\n# coding: utf-8\nimport asyncio\nimport os\nawait asyncio.g()",
        ),
    ],
)
def test_a_missing_import_goes_where_imports_are(before: str, after: str) -> None:
    assert rewritten(before, awaiting) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f()\n", "import asyncio\n\ny = asyncio.g\nf()\n"),
        ('"""doc"""\nf()\n', '"""doc"""\n\nimport asyncio\ny = asyncio.g\nf()\n'),
    ],
)
def test_a_missing_import_stands_in_front_of_what_else_is_put_there(before: str, after: str) -> None:
    assert rewritten(before, lambda m: [insert(m.tree.body[-1], "y = {g}", g=Symbol("asyncio.g"))]) == after


def test_an_import_is_not_added_where_its_name_is_taken() -> None:
    assert "means something else" in refusal("def x(asyncio):\n    f()", awaiting)
    assert "means something else" in refusal("asyncio = 1\ndef x():\n    f()", awaiting)
    assert "several statements" in refusal("import abc, os; f()", awaiting)
    assert "backslash" in refusal("import abc \\\n  \nf()", awaiting)


def test_asyncio_is_not_brought_into_a_file_of_another_loop() -> None:
    assert "runs under trio" in refusal("import trio\nasync def a():\n    f()", awaiting)
    assert "asyncio.g" in rewritten("import trio, asyncio\nasync def a():\n    f()", awaiting)


def statement(source: str, template: str, **symbols: Symbol) -> Planner:
    """Replace the statement that starts with `source` by a template whose `{call}` is its call."""

    def plan(module: Module) -> Iterable[Edit]:
        [call] = calls(source)(module)
        holes = {"call": call, **symbols} if "{call}" in template else symbols
        yield replace(module.statement(call), template, **holes)

    return plan


def test_a_statement_becomes_several_in_the_files_own_indentation() -> None:
    plan = statement("f", "with {s}(x):\n    await {call}\n", s=Symbol("contextlib.suppress"))
    source = "import contextlib\nasync def a():\n\tif x:\n\t\tf(1)  # why\n\tg()\n"
    assert rewritten(source, plan) == (
        "import contextlib\nasync def a():\n\tif x:\n\t\twith contextlib.suppress(x):\n\t\t\tawait f(1)  # why\n\tg()\n"
    )


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("if 1:\n    f(2)  # why\n    g()\n", "if 1:\n    x = f(2)  # why\n    keep(x)\n    g()\n"),
        ("if 1: f(2) # why\ng()\n", "if 1:\n    x = f(2)  # why\n    keep(x)\ng()\n"),
        ("y\nf(2)  # why", "y\nx = f(2)  # why\nkeep(x)"),
    ],
)
def test_a_comment_stays_behind_the_code_it_was_behind(before: str, after: str, newline: str) -> None:
    plan = statement("f", "x = {call}\nkeep(x)")
    assert rewritten(before.replace("\n", newline), plan) == after.replace("\n", newline)


def test_a_comment_behind_several_statements_stays_at_the_end_with_the_last_of_them() -> None:
    assert rewritten("f(2)  # why\n", statement("f", "x()\n{call}")) == "x()\nf(2)  # why\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_comment_above_a_statement_stands_there_once_when_others_come_behind_it(newline: str) -> None:
    def plan(module: Module) -> Iterable[Edit]:
        [call] = calls("f")(module)
        yield replace(module.statement(call), "{it}\nend()", it=[module.statement(call)])

    before, after = "if x:\n\t# why\n\n\t# é\n\tf(1)\ng()\n", "if x:\n\t# why\n\n\t# é\n\tf(1)\n\tend()\ng()\n"
    assert rewritten(before.replace("\n", newline), plan) == after.replace("\n", newline)
    assert rewritten("# why\nf(1)  # é\n", plan) == "# why\nf(1)  # é\nend()\n"


def test_an_expression_of_several_lines_gets_the_indentation_of_its_own() -> None:
    def plan(module: Module) -> Iterable[Edit]:
        [call] = calls("f")(module)
        yield replace(call, "g(\n    {a},\n    b,\n)", a=call.args[0])

    assert rewritten("if 1:\n\tx = f(0)\n", plan) == "if 1:\n\tx = g(\n\t\t0,\n\t\tb,\n\t)\n"


def test_a_statement_that_shares_its_line_is_left() -> None:
    plan = statement("f", "with x:\n    {call}\n")
    assert "shares its line" in refusal("f(); g()", plan)
    assert "shares its line" in refusal("if x: f(); g()", plan)


def test_a_statement_on_its_headers_line_becomes_several_on_their_own() -> None:
    plan = statement("f", "with x:\n    {call}\n")
    assert rewritten("if 1:\n  if x: f()  # why\n  else: g()\n", plan) == (
        "if 1:\n  if x:\n    with x:\n      f()  # why\n  else: g()\n"
    )
    assert rewritten("if x: g()\nelse:  f()\n", plan) == "if x: g()\nelse:\n    with x:\n        f()\n"


def test_a_comment_inside_what_is_replaced_is_not_lost() -> None:
    assert "comment" in refusal("f(\n  # why\n)", statement("f", "g()"))
    assert rewritten("f(\n  # why\n)", statement("f", "x = {call}")) == "x = f(\n  # why\n)"


def test_an_elif_is_no_statement_of_its_own() -> None:
    def plan(module: Module) -> Iterable[Edit]:
        [_, branch] = sorted(module.nodes(ast.If), key=lambda node: node.lineno)
        yield insert(branch, "x()")

    assert "elif" in refusal("if 1:\n    a()\nelif 2:\n    b()\n", plan)
    assert rewritten("if 1:\n    a()\nelse:\n    if 2:\n        b()\n", plan) == (
        "if 1:\n    a()\nelse:\n    x()\n    if 2:\n        b()\n"
    )


def block_into(template: str) -> Planner:
    def plan(module: Module) -> Iterable[Edit]:
        [loop] = module.nodes(ast.While)
        yield replace(loop, template, body=loop.body)

    return plan


def test_a_moved_block_keeps_its_strings_and_comments() -> None:
    source = (
        'while 1:\n    # first\n    x = """\n    text\n"""\n\n    y = f"""{\n    a}\n    z"""\n'
        "    g(  1,\n  2)  # last\nend()\n"
    )
    assert rewritten(source, block_into("if 1:\n    if 2:\n        {body}\n")) == (
        'if 1:\n    if 2:\n        # first\n        x = """\n    text\n"""\n\n        y = f"""{\n    a}\n    z"""\n'
        "        g(  1,\n  2)  # last\nend()\n"
    )
    assert rewritten("while 1:\n  a()\n  b()\n", block_into("{body}\n")) == "a()\nb()\n"
    assert rewritten("while 1:\n  a()\n  b()  # last\n", block_into("{body}\n")) == "a()\nb()  # last\n"


def test_a_comment_on_what_goes_does_not_come_to_speak_of_a_moved_block() -> None:
    source = "while 1:\n    a(){}\nelse:\n    b()  # last\n"
    assert "another statement" in refusal(source.format(""), block_into("{body}\n"))
    assert "another statement" in refusal(source.format("  # first"), block_into("{body}\n"))


def inserting(template: str) -> Planner:
    def plan(module: Module) -> Iterable[Edit]:
        [loop] = module.nodes(ast.While)
        yield insert(loop.body[0], template)

    return plan


def test_insertion_goes_above_the_comments_of_a_statement() -> None:
    source = "while 1:\n\n    # about x\n    # more\n    x()\n"
    assert rewritten(source, inserting("y()")) == "while 1:\n\n    y()\n    # about x\n    # more\n    x()\n"
    assert rewritten("while 1: x()", inserting("y()")) == "while 1: y(); x()"
    assert rewritten("while 1:\n    @d\n    def x(): pass", inserting("y()")) == (
        "while 1:\n    y()\n    @d\n    def x(): pass"
    )


@pytest.mark.parametrize(
    "head", ["#!/usr/bin/python\n", "# coding: latin-1\n", "#!/usr/bin/python\n# vim: fileencoding=utf-8\n"]
)
def test_what_a_file_begins_with_stays_in_front(head: str) -> None:
    def plan(module: Module) -> Iterable[Edit]:
        yield insert(module.tree.body[0], "x = {made}", made=Symbol("asyncio.Event"))

    added = "import asyncio\n\nx = asyncio.Event\n"
    assert rewritten(f"{head}f()\n", plan) == f"{head}{added}f()\n"
    assert rewritten(f"{head}# about f\nf()\n", plan) == f"{head}{added}# about f\nf()\n"
    assert rewritten(f"{head}\n# about f\nf()\n", plan) == f"{head}\n{added}# about f\nf()\n"


def test_insertion_opens_up_a_body_on_its_headers_line_for_what_cannot_stand_there() -> None:
    def plan(module: Module) -> Iterable[Edit]:
        [call] = calls("x")(module)
        yield insert(module.statement(call), "if 1:\n    y()")

    assert rewritten("while 1: x()", plan) == "while 1:\n    if 1:\n        y()\n    x()"
    assert rewritten("if 0:\n\twhile 1:  x(); z()  # why\n", plan) == (
        "if 0:\n\twhile 1:\n\t\tif 1:\n\t\t\ty()\n\t\tx(); z()  # why\n"
    )
    assert rewritten("for a in (\n  1,\n  2): x(\n)\nelse: pass\n", plan) == (
        "for a in (\n  1,\n  2):\n    if 1:\n        y()\n    x(\n)\nelse: pass\n"
    )
    assert rewritten("if a: pass\nelif b: x()\nelse: z()\n", plan) == (
        "if a: pass\nelif b:\n    if 1:\n        y()\n    x()\nelse: z()\n"
    )
    assert rewritten("if a: pass\nelse: x()\n", plan) == "if a: pass\nelse:\n    if 1:\n        y()\n    x()\n"
    assert rewritten("while 1: \\\n    x()", inserting("y()")) == "while 1: \\\n    y(); x()"
    assert rewritten("while 1:  # \\\n    x()", inserting("y()")) == "while 1:  # \\\n    y()\n    x()"
    assert "shares its line" in refusal("while 1: z(); x()", plan)


def test_removal_leaves_comments_and_a_pass() -> None:
    def plan(module: Module) -> Iterable[Edit]:
        for name in ("f", "g"):
            yield from (Remove(module.statement(call)) for call in calls(name)(module))

    assert rewritten("if x:\n    f()  # why\n\n    y()\n", plan) == "if x:\n    # why\n\n    y()\n"
    assert rewritten("if x:\n    # why\n    f()\n\n    y()\n", plan) == "if x:\n    # why\n\n    y()\n"
    assert rewritten("if x:\n    y()\n    f()  # why\nz()\n", plan) == "if x:\n    y()\n    # why\nz()\n"
    assert rewritten("if x:\n    f()\n    g()  # g\n", plan) == "if x:\n    pass\n    # g\n"
    assert rewritten("f()\n", plan) == ""
    assert "shares its line" in refusal("f(); \\\ny()", plan)
    assert "comment" in refusal("f(\n# why\n)\ny()", plan)


@pytest.mark.parametrize(
    "code",
    [
        "f()  # why\ny()\n",
        "# why\nf()\ny()\n",
        "x()\n# why\nf()\n# about y\ny()\n",
        "import f  # why\nimport y\n",
        "# why\nimport f\ny()\n",
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_comment_does_not_come_to_speak_of_another_statement(code: str, newline: str) -> None:
    def plan(module: Module) -> Iterable[Edit]:
        yield from (Remove(module.statement(call)) for call in calls("f")(module))
        yield from (Remove(node) for node in module.nodes(ast.Import) if node.names[0].name == "f")

    assert "comment" in refusal(code.replace("\n", newline), plan)
    assert "comment" in refusal(f"if x:\n{textwrap.indent(code, '    ')}".replace("\n", newline), plan)


def test_a_comment_stays_with_what_one_fix_makes_of_several_statements() -> None:
    def plan(module: Module) -> Iterable[Edit]:
        [first, second] = module.tree.body
        yield Remove(first)
        yield replace(second, "g(1)")

    assert rewritten("x = 1  # why\nf(x)\n", plan) == "# why\ng(1)\n"


def test_comments_do_not_change_places() -> None:
    def plan(module: Module) -> Iterable[Edit]:
        [call] = calls("f")(module)
        yield replace(call, "f({b}, {a})", a=call.args[0], b=call.args[1])

    assert rewritten("f(1, 2)\n", plan) == "f(2, 1)\n"
    assert "change places" in refusal("f([\n  # a\n  1], [\n  # b\n  2])\n", plan)


def test_a_heading_of_imports_stays() -> None:
    def plan(module: Module) -> Iterable[Edit]:
        yield Remove(module.tree.body[0])

    assert rewritten("# standard\nimport f\nimport y\n", plan) == "# standard\nimport y\n"


def test_def_with_and_for_turn_async_and_back() -> None:
    def plan(module: Module) -> Iterable[Edit]:
        for node in module.nodes(ast.FunctionDef, ast.With, ast.For):
            yield MakeAsync(node)
        for made in module.nodes(ast.AsyncFunctionDef, ast.AsyncWith, ast.AsyncFor):
            yield MakeSync(made)

    plain = "@d\n# note\ndef f():\n    with a as b, c:\n        for x in y: pass\n"
    turned = "@d\n# note\nasync def f():\n    async with a as b, c:\n        async for x in y: pass\n"
    assert rewritten(plain, plan) == turned
    assert rewritten(turned, plan) == plain


def test_decorators_go_one_by_one() -> None:
    def plan(module: Module) -> Iterable[Edit]:
        [function] = module.nodes(ast.FunctionDef)
        yield RemoveDecorator(function, function.decorator_list[1])
        yield MakeAsync(function)

    assert rewritten("class A:\n  @a\n  @ b . c  # why\n  # about\n  def f(): pass", plan) == (
        "class A:\n  @a\n  # why\n  # about\n  async def f(): pass"
    )


def test_parentheses_that_only_a_yield_needed_go() -> None:
    def plan(module: Module) -> Iterable[Edit]:
        for node in module.nodes(ast.YieldFrom):
            yield replace(node, "await {value}", value=node.value)
        for function in module.nodes(ast.FunctionDef):
            yield MakeAsync(function)

    def check(before: str, after: str) -> None:
        assert rewritten(f"def a():\n    {before}\n", plan) == f"async def a():\n    {after}\n"

    check("x = (yield from f())", "x = await f()")
    check("x = yield from f()", "x = await f()")
    check("f((yield from f()))", "f(await f())")
    check("f(k=(yield from f()))", "f(k=await f())")
    check("return (yield from f()).x", "return (await f()).x")
    check("if not (yield from f()): pass", "if not await f(): pass")
    check("yield from (yield from f())", "await (await f())")
    check("yield from a or b", "await (a or b)")
    check("yield from (a or\n   b)", "await (a or\n   b)")
    check("x = (yield from\n   f())", "x = (await f())")
    check("yield from asyncio.sleep(1, (yield from f()))", "await asyncio.sleep(1, await f())")
    check("return [(yield from f()), 1 + (yield from g())]", "return [await f(), 1 + await g()]")
    check("x = (\n        yield from f())", "x = (\n        await f())")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="before Python 3.12 the place of code in f-strings is uncertain")
def test_code_inside_an_f_string() -> None:
    assert rewritten(HEAD + "x = f'{f(1)!r:>{f(2)}} é {f(3)}'", awaiting) == (
        HEAD + "x = f'{await asyncio.g(1)!r:>{await asyncio.g(2)}} é {await asyncio.g(3)}'"
    )


def test_the_text_of_a_self_documenting_f_string_is_not_changed() -> None:
    assert "self-documenting" in refusal(HEAD + "x = f'{f(1)=}'", awaiting)
    assert "self-documenting" in refusal(HEAD + "x = f'{(f(1)) = !r:>4}'", awaiting)


FIX_F = Rule("AIO999", "fix-f", (ast.Call,), lambda call, module: fix_f(call, module))


def fix_f(call: ast.Call, module: Module) -> Iterable[Report]:
    if isinstance(call.func, ast.Name) and call.func.id == "f":
        yield Report(call, "f", Fix(replace(call.func, "g")))


def check_f(module: Module) -> list[Finding]:
    return [Finding(FIX_F, *report) for call in module.nodes(ast.Call) for report in fix_f(call, module)]


def breaking(monkeypatch: pytest.MonkeyPatch, broken: Callable[[bytes], bytes]) -> None:
    """Let the rewriter write something else than it should."""
    render = rewrite.render

    def wrong(text, splices):
        data, lost = render(text, splices)
        return broken(data), lost

    monkeypatch.setattr(rewrite, "render", wrong)


def test_a_refused_fix_is_left_out_alone() -> None:
    result = mend("f(1)\nx = f'{f(2)=}'\nf(3)\nf(4)\n", check_f)
    assert result.text == "g(1)\nx = f'{f(2)=}'\ng(3)\ng(4)\n"
    assert [(left.finding.line, type(left.reason)) for left in result.left] == [(2, Refused)]
    assert len(result.fixed) == 3


def test_an_unproven_fix_is_left_out_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    breaking(monkeypatch, lambda data: data.replace(b"g(2)", b"g(5)"))
    result = mend("f(1)\nf(2)\nf(3)\nf(4)\n", check_f)
    assert result.text == "g(1)\nf(2)\ng(3)\ng(4)\n"
    assert [(left.finding.line, type(left.reason)) for left in result.left] == [(2, proof.Unproven)]


@pytest.mark.parametrize(
    "broken",
    [
        lambda data: data.replace(b"g(1)", b"g(2)"),
        lambda data: data.replace(b"g(1)", b"(g(1),)"),
        lambda data: data.replace(b"g(1)", b"g(1))"),
        lambda data: data.replace(b"# note", b""),
        lambda data: data.replace(b"# note", b"# note\n# note"),
        lambda data: data + b"more()\n",
        lambda data: data.replace(b"'text'", b"'Text'"),
    ],
    ids=["other value", "other shape", "no Python", "lost comment", "doubled comment", "added code", "changed string"],
)
def test_the_proof_refuses_what_a_broken_rewriter_writes(broken, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "f(1)  # note\nx = 'text'\n"
    assert mend(source, check_f).text == "g(1)  # note\nx = 'text'\n"
    breaking(monkeypatch, broken)
    result = mend(source, check_f)
    assert result.text == source
    assert len(result.left) == 1


def test_two_fixes_of_one_node_are_applied_one_after_the_other() -> None:
    def check(module: Module) -> list[Finding]:
        return [
            Finding(FIX_F, call, "f", Fix(replace(call, f"{name}({{call}})", call=call)), "", ())
            for call in calls("f")(module)
            for name in ("a", "b")
            if not isinstance(module.parent(call), ast.Call)
        ]

    assert mend("f(1)", check).text == "a(f(1))"


def test_a_fix_inside_another_waits_for_its_round() -> None:
    def check(module: Module) -> list[Finding]:
        found = []
        for call in calls("f")(module):
            inner = call.args[0] if call.args else None
            template = "g({x})" if inner else "g()"
            holes = {"x": inner} if inner else {}
            found.append(Finding(FIX_F, call, "f", Fix(replace(call, template, **holes)), "", ()))
        return found

    assert mend("f(f(f()))", check).text == "g(g(g()))"


def test_fixes_that_undo_each_other_are_given_up() -> None:
    def check(module: Module) -> list[Finding]:
        [name] = [n for n in module.nodes(ast.Name) if n.id in "ab"]
        return [Finding(FIX_F, name, "", Fix(replace(name, "b" if name.id == "a" else "a")), "", ())]

    with pytest.raises(rewrite.Unsettled):
        mend("a", check)


def test_an_import_that_only_served_what_was_replaced_goes() -> None:
    def check(module: Module) -> list[Finding]:
        return [
            Finding(FIX_F, c, "", Fix(replace(c.func, "g"), supersedes=("m.f",)), "", ())
            for c in module.nodes(ast.Call)
            if module.name(c.func) == "m.f"
        ]

    assert mend("from m import f\nf()", check).text == "g()"
    assert mend("from m import f, h\nf()", check).text == "from m import h\ng()"
    assert mend("from m import (\n    h,\n    f,\n)\nf()", check).text == "from m import (\n    h,\n)\ng()"
    assert (
        mend("from m import (\n    f,  # why\n    h,\n)\nf()", check).text
        == "from m import (\n    # why\n    h,\n)\ng()"
    )
    assert mend("from m import (\n    h,  # h\n    f  # f\n)\nf()", check).text == (
        "from m import (\n    h,  # h\n    # f\n)\ng()"
    )
    assert mend("import m\nm.f()", check).text == "g()"
    assert mend("import m, os\nm.f()", check).text == "import os\ng()"
    assert mend("import m\nm.f(m.x)", check).text == "import m\ng(m.x)"
    assert mend("from m import f\n__all__ = ['f']\nf()", check).text == "from m import f\n__all__ = ['f']\ng()"
    assert mend("try:\n    from m import f\nexcept ImportError:\n    x = 1\nf()", check).text == (
        "try:\n    pass\nexcept ImportError:\n    x = 1\ng()"
    )


def test_difference_sees_every_kind() -> None:
    def different(a: str, b: str) -> str:
        return proof.difference(ast.parse(a), ast.parse(b))

    assert different("x = 1", "x  =  (1)") == ""
    for a, b in [
        ("1", "1.0"),
        ("1", "True"),
        ("x", "y"),
        ("f(x)", "f(x, y)"),
        ("'a'", "b'a'"),
        ("x; y", "y; x"),
        ("a.b", "a.c"),
    ]:
        assert different(a, b)


def _without_import(before: str) -> str:
    module = Module.parse(before)
    removed = [Fix(Remove(s)) for s in module.tree.body if isinstance(s, ast.Import) and s.names[0].name == "gone"]
    return apply(module, removed)[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import gone\n\n\ndef f(): pass\n", "def f(): pass\n"),
        ('"""Doc."""\n\nimport gone\n\n\ndef f(): pass\n', '"""Doc."""\n\n\ndef f(): pass\n'),
        ("import a\n\nimport gone\n\nimport b\n", "import a\n\nimport b\n"),
        ("import a\nimport gone\n\nx = 1\n", "import a\n\nx = 1\n"),
        ("# Licence\n\nimport gone\n\nx = 1\n", "# Licence\n\nx = 1\n"),
        ("# about it\nimport gone\n\nx = 1\n", "# about it\n\nx = 1\n"),
        ("x = 1\n\nimport gone\n", "x = 1\n\n"),
        ("import gone\r\n\r\nx = 1\r\n", "x = 1\r\n"),
    ],
)
def test_a_removed_import_leaves_no_gap(before: str, after: str) -> None:
    assert _without_import(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return(yield from x)", "return(await x)"),
        ("return (yield from x)if x else(yield from y)", "return (await x)if x else(await y)"),
        ("return [(yield from x)]", "return [await x]"),
    ],
)
def test_the_parentheses_of_a_yield_stay_where_they_part_words(before: str, after: str) -> None:
    def plan(module: Module) -> Iterable[Edit]:
        yield MakeAsync(module.nodes(ast.FunctionDef)[0])
        for node in module.nodes(ast.YieldFrom):
            yield replace(node, "await {value}", value=node.value)

    assert rewritten(f"def f():\n    {before}\n", plan) == f"async def f():\n    {after}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def g():\n    a()\n\n    f()\n\n\nb()\n", "def g():\n    a()\n\n\nb()\n"),
        ("a()\n\nf()\n\nb()\n", "a()\n\nb()\n"),
        ("a()\nf()\n\nb()\n", "a()\n\nb()\n"),
        ("a()\n\nf()\nb()\n", "a()\n\nb()\n"),
        ("a()\n\nf()  # why\n\nb()\n", "a()\n\n# why\n\nb()\n"),
    ],
)
def test_a_removed_statement_leaves_no_gap_on_top_of_another(before: str, after: str) -> None:
    assert rewritten(before, lambda module: [Remove(module.statement(c)) for c in calls("f")(module)]) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f(); y()  # why", "y()  # why"),
        ("x() ; f()", "x()"),
        ("x(); f() ; y();", "x(); y();"),
        ("if x: f(); y()", "if x: y()"),
        ("if x: y(); f()", "if x: y()"),
        ("if x: f()", "if x: pass"),
    ],
)
def test_removal_from_a_line_of_several_statements(before: str, after: str) -> None:
    assert rewritten(before, lambda module: [Remove(module.statement(c)) for c in calls("f")(module)]) == after


def test_a_comment_in_the_last_statement_of_a_block_is_not_lost() -> None:
    def plan(module: Module) -> Iterable[Edit]:
        return [Remove(module.statement(c)) for c in calls("f")(module)]

    assert "comment" in refusal("if x:\n    f(\n    # why\n    )\n", plan)


def test_what_only_the_compiler_refuses_is_not_written() -> None:
    assert "in this place" in refusal(HEAD + "class A:\n        f(1)\n", awaiting)


def test_no_generator_expression_becomes_asynchronous() -> None:
    assert "asynchronous" in refusal(HEAD + "x = list(f(y) for y in z)\n", awaiting)
    assert "asynchronous" in refusal(HEAD + "x = any(y for y in z if f(y))\n", awaiting)
    assert rewritten(HEAD + "x = any(y for y in f(z))\n", awaiting) == HEAD + "x = any(y for y in await asyncio.g(z))\n"
    assert rewritten(HEAD + "x = [f(y) for y in z]\n", awaiting) == HEAD + "x = [await asyncio.g(y) for y in z]\n"


def test_what_shares_the_parentheses_of_a_call_gets_its_own() -> None:
    def plan(module: Module) -> Iterable[Edit]:
        [generator] = module.nodes(ast.GeneratorExp)
        yield replace(generator, "list({g})", g=generator)

    assert rewritten("f(x for x in y)", plan) == "f(list((x for x in y)))"
    assert rewritten("f((x for x in y), 1)", plan) == "f(list((x for x in y)), 1)"


def test_a_tuple_gets_parentheses() -> None:
    def plan(module: Module) -> Iterable[Edit]:
        [call] = calls("f")(module)
        yield replace(call, "{call}, 1", call=call)

    assert rewritten("g(f(2))", plan) == "g((f(2), 1))"
    assert rewritten("for x in f(): pass", plan) == "for x in (f(), 1): pass"


def test_an_attribute_of_a_number_gets_parentheses() -> None:
    def plan(module: Module) -> Iterable[Edit]:
        [call] = calls("f")(module)
        yield replace(call, "{x}.real", x=call.args[0])

    assert rewritten("f(1)", plan) == "(1).real"


def test_positional_arguments_do_not_come_behind_keywords() -> None:
    assert "positional" in refusal(
        "h(f(1), 2)", lambda m: [replace_argument(c, "k={x}", x=c.args[0]) for c in calls("f")(m)]
    )
    assert "positional" in refusal(
        "h(a=1, k=f(1))",
        lambda m: [replace_argument(k, "{x}", x=k.value) for k in m.nodes(ast.keyword) if k.arg == "k"],
    )


def test_patterns_and_the_text_of_f_strings_are_no_code() -> None:
    def plan(module: Module) -> Iterable[Edit]:
        [text] = (node for node in module.nodes(ast.Constant) if node.value == "text")
        yield replace(text, "g()")

    assert "pattern" in refusal("match x:\n    case 'text': pass\n", plan)
    assert "f-string" in refusal("f'text{x}'", plan)


def test_a_block_alone_takes_the_place_of_what_is_around_it() -> None:
    assert rewritten("if 1:\n    while 1:\n        # a\n        a()\n        b()\n    c()\n", block_into("{body}")) == (
        "if 1:\n    # a\n    a()\n    b()\n    c()\n"
    )


def test_what_is_put_in_front_of_a_function_does_not_part_it_from_its_async() -> None:
    def plan(module: Module) -> Iterable[Edit]:
        [function] = module.nodes(ast.FunctionDef)
        yield MakeAsync(function)
        yield insert(function, "y()")

    assert rewritten("def f(): pass\n", plan) == "y()\nasync def f(): pass\n"


def test_several_edits_at_one_statement() -> None:
    def plan(module: Module) -> Iterable[Edit]:
        [call] = calls("f")(module)
        yield insert(module.statement(call), "a()")
        yield insert(module.statement(call), "b()")
        yield Remove(module.statement(call))

    assert rewritten("if 1:\n    f()\n    g()\n", plan) == "if 1:\n    a()\n    b()\n    g()\n"


def test_what_stands_in_two_holes_is_changed_in_both() -> None:
    def plan(module: Module) -> Iterable[Edit]:
        [call] = calls("f")(module)
        yield replace(call, "{x} or {x}", x=call)
        yield replace(call.func, "g")

    assert rewritten("x = f(1)", plan) == "x = g(1) or g(1)"


@pytest.mark.parametrize("annotation", ["m.f", "List[m.f]", "dict[str, 'm.f']"])
def test_an_import_that_a_string_annotation_uses_stays(annotation: str) -> None:
    def check(module: Module) -> list[Finding]:
        return [
            Finding(FIX_F, c, "", Fix(replace(c.func, "g"), supersedes=("m.f",)), "", ())
            for c in module.nodes(ast.Call)
            if module.name(c.func) == "m.f"
        ]

    assert mend(f'import m\nx: "{annotation}" = m.f()', check).text.startswith("import m\n")


@pytest.mark.parametrize("call", ["f((1, 2))", "f(3)[1, 2]"])
def test_a_tuple_is_one_context_manager(call: str) -> None:
    def plan(module: Module) -> Iterable[Edit]:
        [pair] = module.nodes(ast.Tuple)
        yield replace(module.statement(pair), "with {pair}:\n    pass", pair=pair)

    assert rewritten(call, plan) == "with ((1, 2)):\n    pass"
