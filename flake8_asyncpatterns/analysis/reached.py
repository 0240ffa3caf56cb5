"""Under which circumstances the code of a function comes to a place in it, as far as others can tell when it does."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from ..facts import CONDITIONAL, FAILED, Condition, Constant, When
from ..flow import always_true, ends
from ..narrowing import dotted
from ..tuples import NamedTuple
from .circumstances import iterated

if TYPE_CHECKING:
    from ..module import Module
    from ..rule import FunctionDef

# Questions whose answer says that no event loop runs here, or that this is another thread than the loop's.
ASKS_FOR_A_LOOP = frozenset({"is_running", "get_running_loop", "_get_running_loop", "current_thread", "get_ident"})

# Attributes and variables by which an object says in which of two ways it works.
SAYS_WHICH_WAY = frozenset({"asynchronous", "is_async", "_is_async", "is_asynchronous", "async_mode", "in_async_call"})
# What such a thing is compared with where it is a word: `if colour == "async"`.
IS_ASYNCHRONOUS = frozenset({"async", "asynchronous"})

# Longer strings are no switches.
LONGEST = 80

# A condition, and how it must come out.
Decided: TypeAlias = tuple[ast.expr, bool]


class Reached(NamedTuple):
    """How the code of a function comes to a place.

    `put_off`: it does so only later, or only where no event loop runs; nothing else is told of it then. `conditions`
    decide it, the nearest first; `when` are those that are about the function's parameters, `own` those about
    attributes of `self`; `doubt` is that which no caller's constants take away. See Use in facts.py.
    """

    put_off: bool = False
    conditions: tuple[Decided, ...] = ()
    when: tuple[When, ...] = ()
    own: tuple[tuple[str, bool], ...] = ()
    doubt: int = 0


PUT_OFF = Reached(put_off=True)
# What stands right in one of these may be reached only under some circumstances.
DECIDING = (
    ast.If, ast.While, ast.IfExp, ast.BoolOp, ast.GeneratorExp, ast.Try, ast.ExceptHandler, ast.match_case,
)  # fmt: skip


class Places:
    """The answers for the places in one function, those that all of a statement share worked out once."""

    def __init__(self, function: FunctionDef, module: Module) -> None:
        self.function = function
        self.module = module
        own = function.args
        self._parameters = frozenset((*own.posonlyargs, *own.args, *own.kwonlyargs))
        self._asks = module.analysis(_speaks_of_loops)
        self._reached: dict[ast.AST, Reached] = {function: Reached()}
        self._exits: dict[ast.stmt, tuple[ast.If, ...]] = {}
        self._tests: dict[ast.expr, Condition] = {}

    def reached(self, place: ast.AST) -> Reached:
        """How the function comes to a node that runs as a part of it."""
        # Expressions up to their statement, statements up to one that is known, or the function; then back again.
        inside: list[ast.AST] = []
        node = place
        while node not in self._reached:
            inside.append(node)
            node = self.module.parents[node]
        found, around = self._reached[node], node
        while inside:
            node = inside.pop()
            found = self._further(found, node, around)
            if isinstance(node, ast.stmt):
                self._reached[node] = found
            around = node
        return found

    def _further(self, found: Reached, inner: ast.AST, around: ast.AST) -> Reached:
        """What becomes of what is known of a node for one that stands right in it."""
        exits = self._before(inner) if isinstance(inner, ast.stmt) else ()
        if not exits and not isinstance(around, DECIDING):
            return found
        if found.put_off or self._puts_off(around, inner) or (self._asks and _any_asks_which_way(exits)):
            return PUT_OFF
        decided = (*_decides(around, inner), *((way.test, False) for way in exits))
        doubt = max(found.doubt, self._doubt(around, inner, exits))
        if not decided:
            return found if doubt == found.doubt else found._replace(doubt=doubt)
        conditions = (*decided, *found.conditions)
        return Reached(False, conditions, (*self._when(decided), *found.when), tuple(self._own(conditions)), doubt)

    def _puts_off(self, around: ast.AST, inner: ast.AST) -> bool:
        """Does what stands in a node run only later, or only where no event loop runs?"""
        match around:
            case ast.GeneratorExp():
                return not iterated(around, self.module)
            case ast.If(test=test) | ast.IfExp(test=test):
                return self._asks and inner is not test and _asks(test)
            case ast.Try(body=tried) if isinstance(inner, ast.ExceptHandler):
                return self._asks and _asks(*tried)
        return False

    def _before(self, statement: ast.stmt) -> tuple[ast.If, ...]:
        """Where the code before a statement, in its block, may leave that, and on what conditions."""
        if statement not in self._exits:
            around = self.module.parents[statement]
            for field in ("body", "orelse", "finalbody"):
                block = getattr(around, field, None)
                left: tuple[ast.If, ...] = ()
                for one in block if isinstance(block, list) else ():
                    self._exits[one] = left
                    if isinstance(one, ast.If) and ends(one.body):
                        left = (*left, one)
        return self._exits.get(statement, ())

    def _doubt(self, around: ast.AST, inner: ast.AST, exits: Iterable[ast.If]) -> int:
        """The doubt about a part of a function that comes of what is right around it, and before it in its block."""
        match around:
            case ast.ExceptHandler():
                return FAILED
            case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test) if inner is not test:
                if not always_true(test) and not _is_known(self._test(test)):
                    return CONDITIONAL
            case ast.BoolOp(values=[first, *_]) if inner is not first:
                return CONDITIONAL
            case ast.match_case():
                return CONDITIONAL
        return int(any(map(self._leads_out, exits)))

    def _leads_out(self, way: ast.If) -> bool:
        """Is this a `return` on a condition that no caller's constants decide?

        (What it raises is nothing that anybody counts on.)
        """
        returns = isinstance(way.body[-1], (ast.Return, ast.Continue, ast.Break))
        return returns and not _is_known(self._test(way.test))

    def _when(self, conditions: Iterable[Decided]) -> Iterator[When]:
        """Those of the conditions under which a place is reached that are about the function's parameters."""
        for test, so in conditions:
            told = self._test(test)
            if _is_known(told):
                yield When(told, so)

    def _own(self, conditions: Iterable[Decided]) -> Iterator[tuple[str, bool]]:
        """Those of the conditions under which a place is reached that are about attributes of `self`. See Use."""
        todo = list(conditions)
        for test, so in todo:
            match test:
                case ast.UnaryOp(op=ast.Not(), operand=operand):
                    todo.append((operand, not so))
                case ast.BoolOp(op=op, values=values) if isinstance(op, ast.And if so else ast.Or):
                    todo += ((value, so) for value in values)
                case ast.Attribute() if self.module.owner(test):
                    yield dotted(test), so
                case ast.Compare(left=ast.Attribute() as left, ops=[op], comparators=[ast.Constant() as value]) if (
                    self.module.owner(left) and isinstance(op, (ast.Is, ast.IsNot, ast.Eq, ast.NotEq))
                ):
                    is_so = so is isinstance(op, (ast.Is, ast.Eq))
                    yield f"{dotted(left)} is {value.value!r}", is_so
                    if is_so:
                        yield dotted(left), bool(value.value)

    def _test(self, test: ast.expr) -> Condition:
        if test not in self._tests:
            self._tests[test] = self._told(test)
        return self._tests[test]

    def _told(self, test: ast.expr) -> Condition:
        match test:
            case ast.Name() if self.is_parameter(test):
                return Condition("given", test.id)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Condition("not", parts=(self._told(operand),))
            case ast.Compare(left=ast.Name() as name, ops=[op], comparators=[ast.Constant() as value]):
                told = constant(value)
                if told is not None and self.is_parameter(name):
                    if isinstance(op, (ast.Is, ast.Eq)):
                        return Condition("is", name.id, told)
                    if isinstance(op, (ast.IsNot, ast.NotEq)):
                        return Condition("is not", name.id, told)
            case ast.BoolOp(op=op, values=values):
                kind = "or" if isinstance(op, ast.Or) else "and"
                return Condition(kind, parts=tuple(self._told(value) for value in values))  # type: ignore[arg-type]  # one of both
        return Condition("unknown")

    def is_parameter(self, name: ast.Name) -> bool:
        """Is this what the function was given for one of its parameters?"""
        match self.module.bindings(name):
            case [ast.arg() as parameter]:
                return parameter in self._parameters
        return False


def _decides(around: ast.AST, inner: ast.AST) -> Iterator[Decided]:
    """The condition of a node that decides whether what stands in it is reached."""
    if isinstance(around, (ast.If, ast.While, ast.IfExp)) and inner is not around.test:
        first = around.body if isinstance(around.body, list) else [around.body]
        yield around.test, any(part is inner for part in first)


def _speaks_of_loops(module: Module) -> bool:
    """Is there anything in the file that may ask so? (Else nobody has to look for it.)"""
    named = any(module.spelled(name) or module.attributes(name) for name in ASKS_FOR_A_LOOP | SAYS_WHICH_WAY)
    return named or any(map(_says_which_way, module.nodes(ast.Compare)))


def _asks(*nodes: ast.AST) -> bool:
    """Does this code ask whether an event loop runs, in which thread, or whether the caller awaits?"""
    return any(_asks_so(node) for around in nodes for node in ast.walk(around))


def _any_asks_which_way(ways: Iterable[ast.If]) -> bool:
    """Does one of these conditions ask whether the caller awaits?"""
    return any(_says_which_way(node) for way in ways for node in ast.walk(way.test))


def _asks_so(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name in ASKS_FOR_A_LOOP:
            return True
    return _says_which_way(node)


def _says_which_way(node: ast.AST) -> bool:
    """Does this say whether the caller awaits: `self.is_async`, `colour == "async"`?"""
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name in SAYS_WHICH_WAY
        case ast.Compare(comparators=[ast.Constant(value=str() as value)]):
            return value in IS_ASYNCHRONOUS
    return False


def _is_known(test: Condition) -> bool:
    return any(map(_is_known, test.parts)) if test.parts else test.kind != "unknown"


def constant(node: ast.expr | None) -> Constant | None:
    """The constant that an expression is, as others are told it; None: it is none."""
    if not isinstance(node, ast.Constant):
        return None
    return None if isinstance(node.value, (str, bytes)) and len(node.value) > LONGEST else (node.value,)
