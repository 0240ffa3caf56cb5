"""What an `isinstance` says of a variable: behind its `and`, inside of its `if`, and after an `assert` or a way out."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeAlias

from .flow import ends, within

if TYPE_CHECKING:
    from .module import Module

Test: TypeAlias = ast.If | ast.While | ast.IfExp | ast.Assert


class Narrowing:
    """The `isinstance` calls of one Module, by the dotted name that they speak of."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.kinds: dict[str, list[tuple[ast.expr, ast.Call]]] = {}
        for call in module.nodes(ast.Call):
            match call:
                case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name() | ast.Attribute() as asked, kind]):
                    if not isinstance(kind, ast.Tuple) and (text := dotted(asked)):
                        self.kinds.setdefault(text, []).append((kind, call))

    def kind(self, node: ast.expr, text: str) -> ast.expr | None:
        """The class that an expression is surely an instance of where it stands; None: nothing says so."""
        return next((kind for kind, call in self.kinds[text] if self._speaks(call, node, text)), None)

    def _speaks(self, call: ast.Call, node: ast.expr, text: str) -> bool:
        if self._leads_to(call, node, text):
            return True
        test, negated = self._test(call)
        if test is None or self.module.function(test) is not self.module.function(node):
            return False
        if not negated and not isinstance(test, ast.Assert):
            held = test.body if isinstance(test.body, list) else [test.body]
            return self._runs_in(node, held) and not any(_sets(part, text) for part in held)
        if isinstance(test, ast.IfExp) or (negated and isinstance(test, (ast.Assert, ast.While))):
            return False
        if isinstance(test, ast.If) and (test.orelse or not ends(test.body)):
            return False
        return self._comes_after(node, test, text)

    def _leads_to(self, call: ast.Call, node: ast.expr, text: str) -> bool:
        """Is `node` in what a condition asks only where this call was true (`isinstance(a, B) and a.b()`)?"""
        inner: ast.AST = call
        negated = False
        for around in self.module.ancestors(call):
            match around:
                case ast.UnaryOp(op=ast.Not()):
                    negated = not negated
                case ast.BoolOp(op=op, values=values) if isinstance(op, ast.Or if negated else ast.And):
                    later = values[next(i for i, value in enumerate(values) if value is inner) + 1 :]
                    if self._runs_in(node, later):
                        same = self.module.function(call) is self.module.function(node)
                        return same and not any(_sets(value, text) for value in later)
                case _:
                    return False
            inner = around
        return False

    def _test(self, call: ast.Call) -> tuple[Test | None, bool]:
        """The statement that this call decides by itself, and whether by being false."""
        node: ast.AST = call
        negated = False
        while True:
            around = self.module.parent(node)
            match around:
                case ast.UnaryOp(op=ast.Not()):
                    negated = not negated
                case ast.BoolOp(op=op) if isinstance(op, ast.Or if negated else ast.And):
                    pass
                case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) | ast.Assert(test=test):
                    return (around if test is node else None), negated
                case _:
                    return None, negated
            assert around is not None
            node = around

    def _runs_in(self, node: ast.AST, held: list[ast.AST] | list[ast.stmt] | list[ast.expr]) -> bool:
        return any(part is around for around in (node, *self.module.ancestors(node)) for part in held)

    def _comes_after(self, node: ast.expr, test: ast.stmt, text: str) -> bool:
        """Does `node` run after the test in its block, with nothing in between that sets the variable?"""
        block = self.module.block(test)
        around: ast.AST | None = self.module.statement(node)
        while around is not None and not any(s is around for s in block):
            around = self.module.parent(around)
        if around is None:
            return False
        first, last = (next(i for i, s in enumerate(block) if s is one) for one in (test, around))
        return first < last and not any(_sets(statement, text) for statement in block[first + 1 : last + 1])


def dotted(node: ast.expr) -> str:
    """`self.a.b` as text; empty: it is something else."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(names)]) if isinstance(node, ast.Name) else ""


def _sets(node: ast.AST, text: str) -> bool:
    """May this code set the variable, or what it is an attribute of?"""
    return any(
        isinstance(part, (ast.Name, ast.Attribute))
        and not isinstance(part.ctx, ast.Load)
        and f"{text}.".startswith(f"{dotted(part)}.")
        for part in within(node)
    )
