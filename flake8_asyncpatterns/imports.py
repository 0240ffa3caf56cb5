"""The imports of fixed code: how it spells a Symbol, where a missing import goes, which are needed no more."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping

from .edits import AddImports, Refused, RemoveAlias
from .module import Module
from .rule import Remove, Symbol
from .scopes import imports

WORD = re.compile(r"\w+")
# No `__all__` and no annotation has strings as long as this.
LONG_STRING = 1000


class Speller:
    """How one module's fixed code spells Symbols, and which modules it must import for that."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.missing: set[str] = set()

    def __call__(self, symbol: Symbol, at: ast.AST) -> str:
        """The spelling of a symbol where `at` stands. Raises Refused when there is none."""
        module, _, _ = symbol.name.rpartition(".")
        if not module or module == "builtins":
            name = symbol.name.rpartition(".")[2]
            if self.module.visible(name, at):
                raise Refused(f"`{name}` means something else here")
            return name
        if symbol.name.startswith("asyncio.") and (other := self.module.other_loop()):
            raise Refused(f"this file runs under {other}, and `{symbol.name}` does not")
        spelled = self.module.spelling(symbol.name, at)
        if spelled is not None:
            return spelled
        top = module.partition(".")[0]
        if self.module.visible(top, at) or self.module.visible(top, self.module.tree):
            raise Refused(f"`{symbol.name}` is needed, but `{top}` means something else here")
        self.missing.add(module)
        return symbol.name


def additions(module: Module, missing: Iterable[str]) -> Iterator[AddImports]:
    """Where the missing imports go: among the first run of imports, in its order. Raises Refused."""
    places: dict[tuple[ast.stmt, bool, bool, bool], list[str]] = {}
    for name in sorted(missing, key=lambda name: (not _standard(name), name)):
        places.setdefault((*_place(module.tree.body, name), _standard(name)), []).append(name)
    for (anchor, after, gap, _), names in places.items():
        lines = range(anchor.lineno, (anchor.end_lineno or anchor.lineno) + 1)
        if any(s is not anchor and (s.lineno in lines or s.end_lineno in lines) for s in module.tree.body):
            raise Refused(f"`import {names[0]}` is needed, and the line it belongs next to has several statements")
        yield AddImports(tuple(names), anchor, after, gap)


def _place(body: list[ast.stmt], name: str) -> tuple[ast.stmt, bool, bool]:
    """The statement that an import goes next to; whether after it; whether with an empty line between."""
    head = _head(body)
    run = []
    for statement in body[head:]:
        if not isinstance(statement, (ast.Import, ast.ImportFrom)):
            break
        run.append(statement)
    if not run:
        if head:
            return body[head - 1], True, True
        return body[0], False, True
    standard = _standard(name)
    same = [s for s in run if _standard(_imported(s)) == standard]
    if not same:
        return (run[0], False, True) if standard else (run[-1], True, True)
    before = [s for s in same if isinstance(s, ast.Import) and _imported(s) < name]
    if before:
        return before[-1], True, False
    return same[0], False, False


def _head(body: list[ast.stmt]) -> int:
    """How many statements must stay in front: the docstring and `from __future__` imports."""
    head = 0
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *_]:
            head = 1
    while head < len(body) and isinstance(s := body[head], ast.ImportFrom) and s.module == "__future__":
        head += 1
    return head


def _imported(statement: ast.Import | ast.ImportFrom) -> str:
    if isinstance(statement, ast.Import):
        return statement.names[0].name
    return "." * statement.level + (statement.module or "")


def _standard(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names


def superfluous(module: Module, superseded: Mapping[str, object] | Iterable[str]) -> Iterator[Remove | RemoveAlias]:
    """The imports that brought these qualified names, and that nothing in the file uses any more."""
    names = set(superseded)
    tops = {name.rpartition(".")[0] for name in names} - {""}
    if module.path.endswith("__init__.py"):
        return  # what a package's __init__ imports may be there for others
    used = {node.id for node in module.nodes(ast.Name)} | _exported(module)
    for statement in module.nodes(ast.Import, ast.ImportFrom):
        unused = [
            alias
            for local, alias, qualified in imports(statement)
            if module.meant(qualified) in names | tops and local not in used
        ]
        if len(unused) == len(statement.names):
            yield Remove(statement)
        else:
            yield from (RemoveAlias(statement, alias) for alias in unused)


def _exported(module: Module) -> set[str]:
    """The strings of `__all__`, however it is put together, and of string annotations that may use a name."""
    return {
        word
        for node in module.nodes(ast.Constant)
        if isinstance(node.value, str)
        for word in WORD.findall(node.value[:LONG_STRING])
    }
