"""Names that are keywords by now: `async` and `await` of a project's own become `async_` and `await_`.

It comes before all else in a migration, because a file in which they are names does not parse. What the project itself
defines gets its new name wherever it is spoken of; what is somebody else's, such as the parameter of a function from
elsewhere, keeps its name and is told, because nobody here knows what it is called now. It is spelled as a string, where
it can be, so that the file parses. `asyncio.async` is AIO408's.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from .analysis.mentions import own_names
from .keywords import STAND_INS, stands_in
from .module import Module
from .places import Text
from .scopes import FUNCTIONS
from .tuples import NamedTuple

# A place that speaks of a name: path, line, and what there is to say.
Told: TypeAlias = tuple[str, int, str]


# What stands at a span of the text now.
Put: TypeAlias = tuple[int, int, str]


class Renamed(NamedTuple):
    """The new texts of the files that have changed, what was renamed, and what was not and why."""

    texts: dict[str, str]
    done: list[Told]
    left: list[Told]


class _Own(NamedTuple):
    """What the project defines by such names: parameters of functions (by the functions' names), and attributes."""

    takers: frozenset[tuple[str, str]]
    attributes: frozenset[str]
    top: frozenset[str]


def rename(modules: Mapping[str, Module]) -> Renamed:
    """Rename them in files, by path, in which other names stand in for `async` and `await`."""
    old = {path: [*own_names(module)] for path, module in modules.items() if module.analysis(stands_in)}
    own = _own(modules, old)
    taken = {word: path for word in STAND_INS for path, m in modules.items() if _speaks_of(m, f"{word}_")}
    texts: dict[str, str] = {}
    done: list[Told] = []
    left: list[Told] = []
    for path, names in old.items():
        module, puts = modules[path], list[Put]()
        text = Text(module)
        for node, word in names:
            line: int = node.lineno  # type: ignore[attr-defined]  # all of these have a place
            why = _foreign(node, word, module, own)
            if why:
                puts += _as_string(node, word, text)
            if word in taken:
                why = f"`{word}_` is another name in {taken[word]}"
            if why:
                left.append((path, line, f"`{word}` is a keyword since Python 3.7, and keeps its name here: {why}"))
                continue
            puts += ((at, at + len(word), f"{word}_") for at in _places(node, word, text))
            done.append((path, line, f"`{word}` is called `{word}_` now"))
        if puts:
            texts[path] = _replaced(text.data, puts)
    return Renamed(texts, done, left)


def _own(modules: Mapping[str, Module], old: Mapping[str, list[tuple[ast.AST, str]]]) -> _Own:
    takers, attributes, top = set(), set(), set()
    for path, names in old.items():
        module = modules[path]
        for node, word in names:
            around = module.parent(node)
            if isinstance(node, ast.arg):
                function = module.parent(around) if around else None
                cls = module.class_of(function) if function else None
                name = getattr(function, "name", "")
                takers.add((cls.name if cls and name == "__init__" else name, word))
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                attributes.add(word)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) or (
                isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            ):
                if module.class_of(node):
                    attributes.add(word)
                elif module.function(node) is None:
                    top.add(word)
    return _Own(frozenset(takers), frozenset(attributes), frozenset(top))


def _foreign(node: ast.AST, word: str, module: Module, own: _Own) -> str:
    """Why a name may be somebody else's; empty: it is the project's own."""
    match node:
        case ast.keyword():
            call = module.parent(node)
            called = getattr(call, "func", None)
            name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
            if (name, word) not in own.takers:
                return (
                    f"`{ast.unparse(called) if called else name}` is not of these files, and may call it otherwise now"
                )
        case ast.Attribute() if word not in own.attributes and not (
            word in own.top and module.name(node.value) is not None
        ):
            return "it is the attribute of something that is not of these files"
        case ast.Import():
            return "a module is called so"
        case ast.ImportFrom():
            if STAND_INS[word] in (node.module or "").split("."):
                return "a module is called so"
            if word not in own.top:
                return "it is imported from something that is not of these files"
        case ast.Name():
            bindings = module.bindings(node)
            if not bindings:
                return "it is not defined in this file"
            if any(isinstance(bound, ast.Import) for bound in bindings):
                return "a module is called so"
    return ""


def _speaks_of(module: Module, name: str) -> bool:
    return name in module.text and re.search(rf"\b{name}\b", module.text) is not None


def _places(node: ast.AST, word: str, text: Text) -> Iterator[int]:
    """Where the name stands in the text."""
    name = STAND_INS[word].encode()
    if isinstance(node, ast.Attribute):
        yield text.end(node) - len(name)
    elif isinstance(node, (ast.Name, ast.arg, ast.keyword)):
        yield text.at(node)
    else:
        # A definition or an import: the name stands before its body, and nothing else there is spelled so.
        end = text.at(node.body[0]) if isinstance(node, (*FUNCTIONS[:2], ast.ClassDef)) else text.end(node)
        found = re.compile(rb"\b%s\b" % name).search(text.data, text.at(node), end)
        if found:
            yield found.start()


def _as_string(node: ast.AST, word: str, text: Text) -> Iterator[Put]:
    """`f(async=x)` → `f(**{"async": x})`, `x.async` → `getattr(x, "async")`; nothing where that cannot be written."""
    name = re.escape(STAND_INS[word].encode())
    match node, text.module.parent(node):
        case ast.keyword(value=value), ast.Call(args=arguments):
            at = text.at(node)
            start, end = text.parentheses(value) or (text.at(value), text.end(value))
            is_last = all(text.at(one) < at for one in arguments)  # no `*arguments` may follow on `**`
            if is_last and re.fullmatch(rb"%s[ \t]*=[ \t]*" % name, text.data[at:start]):
                yield at, start, f'**{{"{word}": '
                yield end, end, "}"
        case ast.Attribute(value=value, ctx=ast.Load()), _:
            at, end = text.at(node), text.end(node)
            dot = re.compile(rb"[)\s]*\.[ \t]*%s" % name).fullmatch(text.data, text.end(value), end)
            if dot:
                yield at, at, "getattr("
                yield text.data.rindex(b".", at, end), end, f', "{word}")'


def _replaced(data: bytes, puts: Iterable[Put]) -> str:
    pieces: list[bytes] = []
    done = 0
    for start, end, what in sorted(puts, key=lambda put: put[:2]):
        pieces += [data[done:start], what.encode()]
        done = end
    return b"".join([*pieces, data[done:]]).decode()
