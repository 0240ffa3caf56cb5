"""Programs that nobody would write: examples, mutilated at random, and laid out in every way there is."""

from __future__ import annotations

import ast
import io
import keyword
import re
import sysconfig
import textwrap
import tokenize
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import TypeAlias

from cases import FIXTURES, cases
from hypothesis import strategies as st

Mutation: TypeAlias = Callable[[str, Random], str]

LARGEST = 12_000  # characters: what is larger takes long and shows no more
STANDARD = Path(sysconfig.get_path("stdlib"))

HEADERS = (
    "if x:", "else_ = 1\nif x: pass\nelse:", "while True:", "for i in y:", "with a as b:", "with a, b:", "try:",
    "def g():", "async def g(self, *args, loop=None):", "async def h():\n    async with a as b:",
    "async def k():\n    async for i in y:", "class C:", "class D(Base):\n    def m(self):",
    "match x:\n    case [1, *_]:", "@decorated\nasync def n():", "import asyncio, time\nif 1:",
)  # fmt: skip
COMMENTS = ("# why", "# noqa", "# noqa: AIO101", "# type: ignore", "#", "# ä 漢", "# é = '''", "#\tx # y")
TOKENS = (
    *keyword.kwlist, "asyncio", "loop", "self", "time", "print", "sleep", "_", "yield from", "*", "**", "(", ")", "[",
    "]", ":", ",", ";", "=", ":=", "->", ".", "...", "@", "-", "0", "''", "b''", "f'{x}'",
)  # fmt: skip
FORMS = (
    "({})", "(({}))", "( {} )", "f'{{{}}}'", "f'{{{}=}}'", "(v := {})", "[{}]", "{},", "not {}", "-{}", "lambda: {}",
    "(await {})", "(yield {})", "f({})", "*{}", "{}.a", "{}()", "(\n{}  # why\n)", "{} if {} else {}",
    "[{} for i in y]", "({} for i in y)", "1 + {}", "{} ** 2", "f(a={})", "{} \\\n",
)  # fmt: skip


@cache
def flawed() -> tuple[str, ...]:
    """The programs in which there is something to fix."""
    return tuple(dict.fromkeys(case.bad for case in cases()))


@cache
def seeds() -> tuple[str, ...]:
    """The programs that are mutilated: examples and fixtures, and the standard library's asynchronous code."""
    found = [text for case in cases() for text in (case.bad, case.good)]
    found += [path.read_text("utf-8") for path in sorted(FIXTURES.glob("**/*.py"))]
    files = [*(STANDARD / "asyncio").glob("*.py"), *(STANDARD / "concurrent" / "futures").glob("*.py")]
    files += [STANDARD / name for name in ("queue.py", "sched.py", "socketserver.py", "selectors.py", "contextlib.py")]
    found += [part for path in sorted(files) for part in _parts(path.read_text("utf-8"))]
    return tuple(dict.fromkeys(text for text in found if 0 < len(text) < LARGEST))


def _parts(text: str) -> Iterator[str]:
    """A file's imports with one of its definitions each."""
    body = ast.parse(text).body
    lines = text.splitlines(keepends=True)
    head = "".join(
        "".join(lines[s.lineno - 1 : s.end_lineno]) for s in body if isinstance(s, (ast.Import, ast.ImportFrom))
    )
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield head + "\n\n" + "".join(lines[statement.lineno - 1 : statement.end_lineno])


def _tree(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _blocks(text: str) -> list[tuple[int, int, str]]:
    """Runs of whole lines, each a statement: first and last line, and the indentation."""
    tree, lines = _tree(text), text.split("\n")
    found = []
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.stmt):
            first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
            line = lines[first - 1]
            found.append((first, node.end_lineno or first, line[: len(line) - len(line.lstrip())]))
    return found


def _tokens(text: str) -> list[tokenize.TokenInfo]:
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.string.strip():
                found.append(token)
    except (tokenize.TokenError, SyntaxError):
        pass  # as far as it goes
    return found


def _replaced(text: str, token: tokenize.TokenInfo, new: str) -> str:
    lines = text.split("\n")
    (row, start), (last, end) = token.start, token.end
    if row == last:
        lines[row - 1] = lines[row - 1][:start] + new + lines[row - 1][end:]
    return "\n".join(lines)


def _nodes(text: str) -> list[tuple[ast.expr, int, int]]:
    """Expressions on one line, with their places in the text."""
    tree = _tree(text)
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return [
        (node, starts[node.lineno - 1] + node.col_offset, starts[node.lineno - 1] + (node.end_col_offset or 0))
        for node in (ast.walk(tree) if tree and text.isascii() else ())
        if isinstance(node, ast.expr) and node.lineno == node.end_lineno
    ]


def splice(text: str, chance: Random) -> str:
    """Put statements of another program in."""
    other = chance.choice(chance.choice((flawed(), seeds())))
    theirs, ours = _blocks(other), _blocks(text)
    if not theirs or not ours:
        return text
    first, last, _ = chance.choice(theirs)
    lines = text.split("\n")
    at, _, indent = chance.choice(ours)
    taken = textwrap.dedent("\n".join(other.split("\n")[first - 1 : last]))
    lines[at - 1 : at - 1] = textwrap.indent(taken, indent).split("\n")
    return "\n".join(lines)


def delete(text: str, chance: Random) -> str:
    return _changed_block(text, chance, lambda lines, indent: [indent + "pass"] if chance.random() < 0.5 else [])


def duplicate(text: str, chance: Random) -> str:
    return _changed_block(text, chance, lambda lines, indent: [*lines, *lines])


def wrap(text: str, chance: Random) -> str:
    """Put a statement into a block, deeper in."""
    *above, header = chance.choice(HEADERS).split("\n")
    inner = " " * (len(header) - len(header.lstrip()) + chance.choice((1, 2, 4, 4, 8)))
    tail = ["finally: pass"] if header == "try:" else []
    return _changed_block(
        text,
        chance,
        lambda lines, indent: [
            *(indent + line for line in (*above, header)),
            *(indent + inner + line.removeprefix(indent) if line.strip() else line for line in lines),
            *(indent + line for line in tail),
        ],
    )


def on_one_line(text: str, chance: Random) -> str:
    """Join a statement with the one behind it, or with its header."""
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    if at + 1 < len(lines) and lines[at].strip() and lines[at + 1].strip():
        joint = " " if lines[at].rstrip().endswith(":") else "; "
        lines[at : at + 2] = [lines[at] + joint + lines[at + 1].lstrip()]
    return "\n".join(lines)


def _changed_block(text: str, chance: Random, change: Callable[[list[str], str], list[str]]) -> str:
    blocks = _blocks(text)
    if not blocks:
        return text
    first, last, indent = chance.choice(blocks)
    lines = text.split("\n")
    lines[first - 1 : last] = change(lines[first - 1 : last], indent)
    return "\n".join(lines)


def comment(text: str, chance: Random) -> str:
    """Comments behind some lines, and above some."""
    lines = text.split("\n")
    for _ in range(chance.randrange(1, 8)):
        at = chance.randrange(len(lines))
        if chance.random() < 0.7:
            lines[at] += chance.choice(("  ", "", " \x0c")) + chance.choice(COMMENTS)
        else:
            indent = re.match(r"\s*", lines[at])
            lines.insert(at, (indent[0] if indent else "") + chance.choice(COMMENTS))
    return "\n".join(lines)


def break_lines(text: str, chance: Random) -> str:
    """Line breaks inside of brackets, with comments; backslashes elsewhere."""
    for _ in range(chance.randrange(1, 6)):
        tokens = _tokens(text)
        if not tokens:
            break
        token = chance.choice(tokens)
        if token.string in ("(", "[", "{", ","):
            text = _replaced(text, token, token.string + chance.choice(("\n", "  # why\n", "\n\n  # so\n   ", "\n\t")))
        elif chance.random() < 0.3:
            text = _replaced(text, token, token.string + " \\\n  ")
    return text


def another_token(text: str, chance: Random) -> str:
    """Change, take out or swap tokens."""
    for _ in range(chance.randrange(1, 4)):
        tokens = _tokens(text)
        if not tokens:
            break
        token, other = chance.choice(tokens), chance.choice(tokens)
        match chance.randrange(4):
            case 0:
                text = _replaced(text, token, chance.choice(TOKENS))
            case 1:
                text = _replaced(text, token, "")
            case 2:
                text = _replaced(text, token, other.string)
            case 3:
                same = [t for t in tokens if t.type == token.type]
                text = _replaced(text, token, chance.choice(same).string)
    return text


def dress_expression(text: str, chance: Random) -> str:
    """Put an expression into parentheses, into an f-string, behind a `:=` and the like."""
    nodes = _nodes(text)
    if not nodes:
        return text
    _, start, end = chance.choice(nodes)
    form = chance.choice(FORMS)
    return text[:start] + form.replace("{}", text[start:end]).replace("{{", "{").replace("}}", "}") + text[end:]


MUTATIONS: tuple[Mutation, ...] = (
    splice, splice, delete, duplicate, wrap, wrap, on_one_line, comment, comment, break_lines, another_token,
    dress_expression, dress_expression,
)  # fmt: skip

# What the bytes of a program may look like.
LAYOUTS: dict[str, Callable[[str], str]] = {
    "crlf": lambda text: text.replace("\n", "\r\n"),
    "cr": lambda text: text.replace("\n", "\r"),
    "mixed newlines": lambda text: text.replace(":\n", ":\r\n"),
    "tabs": lambda text: re.sub(r"^( {4})+", lambda m: "\t" * (len(m[0]) // 4), text, flags=re.MULTILINE),
    "one blank": lambda text: re.sub(r"^( {4})+", lambda m: " " * (len(m[0]) // 4), text, flags=re.MULTILINE),
    "no end": lambda text: text.rstrip("\n"),
    "blanks at ends": lambda text: text.replace("\n", " \t\n"),
    "form feeds": lambda text: text.replace("\n\n", "\n\x0c\n"),
    "unicode": lambda text: text.replace("x", "ä").replace("self", "sélf"),
}  # fmt: skip
ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "utf-8": str.encode,
    "with a mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "cookie": lambda text: f"# coding: utf-8\n{text}".encode(),
    "latin-1": lambda text: f"# -*- coding: latin-1 -*-\n# ä\n{text}".encode("latin-1", "ignore"),
    "koi8-r": lambda text: f"#!/usr/bin/python\n# vim: set fileencoding=koi8-r :\n# привет\n{text}".encode(
        "koi8-r", "ignore"
    ),
}


@st.composite
def programs(draw: st.DrawFn) -> bytes:
    """The bytes of a program, or of what once was one."""
    text = draw(st.sampled_from(flawed()) | st.sampled_from(seeds()) | st.sampled_from(flawed()))
    for mutation, seed in draw(st.lists(st.tuples(st.sampled_from(MUTATIONS), st.integers(0, 2**32)), max_size=8)):
        changed = mutation(text, Random(seed))
        # Mostly keep to what is still a program: of what is none, little can be learnt.
        if len(changed) < 2 * LARGEST and (seed % 8 == 0 or _tree(changed) is not None):
            text = changed
    for layout in draw(st.lists(st.sampled_from(sorted(LAYOUTS)), max_size=2, unique=True)):
        text = LAYOUTS[layout](text)
    return ENCODINGS[draw(st.sampled_from(sorted(ENCODINGS)))](text)
