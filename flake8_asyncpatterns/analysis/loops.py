"""Questions about loops: may anything end them early, and how many steps do they take for certain."""

from __future__ import annotations

import ast
import math
import operator
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from ..flow import LOOPS, body, exits, suspends, within, yields
from ..knowledge.loops import AS_LONG_AS_THEIR_ARGUMENT, CONSUMERS, ENDS_BY_RAISING, LEAVES, SWALLOWING
from ..scopes import COMPREHENSIONS, FUNCTIONS
from ..tuples import NamedTuple

if TYPE_CHECKING:
    from ..module import Module

Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Repeating: TypeAlias = ast.While | ast.For | Comprehension

OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
}
# Arithmetic is followed as far as this: numbers beyond it are no sensible trip counts.
LARGEST_OPERAND = 2**64
LARGEST_EXPONENT = 128
# Names of names are followed so far.
DEPTH = 8

# Exceptions that come from outside, whatever a loop does: catching them does not make them a way to end it.
FROM_OUTSIDE = frozenset({"builtins.KeyboardInterrupt", "asyncio.CancelledError"})


def repeated(loop: Repeating) -> list[ast.AST]:
    """The code that runs once in every round."""
    match loop:
        case ast.While():
            return [loop.test, *loop.body]
        case ast.For():
            return [*loop.body]
        case ast.DictComp():
            return [loop.key, loop.value, *loop.generators]
    return [loop.elt, *loop.generators]


def hands_over(loop: Repeating) -> bool:
    """May this loop let others run: the event loop by an await, a consumer by a yield?"""
    return suspends(*repeated(loop)) or yields(*repeated(loop))


def may_be_left(loop: Repeating, module: Module) -> bool:
    """May control leave this loop before its condition or its iterable says so, as far as its author meant it to?"""
    return (
        (isinstance(loop, LOOPS) and any(True for _ in exits(loop)))
        or any(leaves(call, module) for call in _calls(loop))
        or _exceptions_are_caught(loop, module)
    )


def may_raise_to_end(loop: Repeating, module: Module) -> bool:
    """Does this loop do anything that is known to raise at some time: an `assert`, taking from what is used up?"""
    return any(isinstance(node, ast.Assert) for node in within(*repeated(loop))) or any(
        _is_used_up(call, module) or _raises(call, module, set()) for call in _calls(loop)
    )


def _calls(loop: Repeating) -> Iterator[ast.Call]:
    return (node for node in within(*repeated(loop)) if isinstance(node, ast.Call))


def leaves(call: ast.Call, module: Module) -> bool:
    """Does what is called end the process or raise in any case, as far as its name or its annotation tells?"""
    if module.likely_callee(call) in LEAVES:
        return True
    definition = module.definition(call.func)
    returns = getattr(definition, "returns", None)
    return returns is not None and module.name(returns) in ("typing.NoReturn", "typing.Never")


def _is_used_up(call: ast.Call, module: Module) -> bool:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr in ENDS_BY_RAISING
    return module.likely(call.func) == "builtins.next" and len(call.args) == 1


def _raises(call: ast.Call, module: Module, seen: set[ast.AST]) -> bool:
    """Does a function of this file that is called here, or one that it calls, have a `raise` or an `assert`?"""
    definition = module.definition(call.func)
    if not isinstance(definition, ast.FunctionDef) or definition in seen:
        return False
    seen.add(definition)
    return any(
        isinstance(node, (ast.Raise, ast.Assert))
        or (
            isinstance(node, ast.Call)
            and (leaves(node, module) or _is_used_up(node, module) or _raises(node, module, seen))
        )
        for node in body(definition)
    )


def _exceptions_are_caught(loop: Repeating, module: Module) -> bool:
    """Does something around the loop, in its function, catch exceptions that may come out of it?"""
    came_from: ast.AST = loop
    for around in module.ancestors(loop):
        match around:
            case ast.Try() | ast.TryStar() if any(statement is came_from for statement in around.body):
                if not all(_only_from_outside(handler.type, module) for handler in around.handlers):
                    return True
            case ast.With() | ast.AsyncWith() if any(statement is came_from for statement in around.body):
                if not all(_lets_through(item.context_expr, module) for item in around.items):
                    return True
            case _ if isinstance(around, FUNCTIONS):
                return False
        came_from = around
    return False


def _only_from_outside(caught: ast.expr | None, module: Module) -> bool:
    if isinstance(caught, ast.Tuple):
        return all(_only_from_outside(one, module) for one in caught.elts)
    return caught is not None and module.name(caught) in FROM_OUTSIDE


def _lets_through(manager: ast.expr, module: Module) -> bool:
    """Is this a context manager that is known not to swallow exceptions?"""
    kind = module.callee(manager) if isinstance(manager, ast.Call) else module.type_of(manager)
    top = kind.partition(".")[0] if kind else ""
    return top in sys.stdlib_module_names and top not in SWALLOWING


def number(expression: ast.expr, module: Module, depth: int = DEPTH) -> float | None:
    """The number that an expression of literals, and of names bound once to such, is; None: unknown."""
    match expression:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = number(operand, module, depth)
            return None if inner is None else -inner
        case ast.BinOp(left=left, op=op, right=right):
            return _calculated(op, number(left, module, depth), number(right, module, depth))
        case ast.Call(args=[inside], keywords=[]) if module.callee(expression) == "builtins.int":
            inner = number(inside, module, depth)
            return int(inner) if inner is not None and math.isfinite(inner) else None
        case ast.Name() if depth and (bound := only_value(expression, module)):
            return number(bound, module, depth - 1)
        case ast.Attribute() if module.name(expression) == "sys.maxsize":
            return sys.maxsize
    return None


def _calculated(op: ast.operator, left: float | None, right: float | None) -> float | None:
    made = OPERATORS.get(type(op))
    if made is None or left is None or right is None or max(abs(left), abs(right)) > LARGEST_OPERAND:
        return None
    if isinstance(op, (ast.Pow, ast.LShift)) and not 0 <= right <= LARGEST_EXPONENT:
        return None
    try:
        return made(left, right)
    except (ArithmeticError, TypeError):
        return None


def whole(expression: ast.expr, module: Module) -> int | None:
    """The whole number that an expression is; None: unknown, or not one."""
    found = number(expression, module)
    return found if isinstance(found, int) else None


def only_value(name: ast.Name, module: Module) -> ast.expr | None:
    """The value of a variable that the file binds in one place only."""
    match module.bindings(name):
        case [bound]:
            return module.given(bound) if isinstance(bound, ast.Name) else module.value(bound)
    return None


def span(call: ast.Call, module: Module) -> range | None:
    """The range that a call of `range` with known numbers gives."""
    if module.callee(call) != "builtins.range" or call.keywords or not 1 <= len(call.args) <= 3:
        return None
    numbers = [whole(argument, module) for argument in call.args]
    known = [n for n in numbers if n is not None]
    return range(*known) if len(known) == len(numbers) and known[2:] != [0] else None


def rounds(iterable: ast.expr, module: Module) -> float | None:
    """How many items an iterable has for certain (`math.inf`: it never ends); None: unknown."""
    match iterable:
        case ast.Constant(value=str() | bytes() as text):
            return len(text)
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return None if any(isinstance(item, ast.Starred) for item in items) else len(items)
        case ast.BinOp(op=ast.Mult(), left=ast.List() | ast.Tuple() as items, right=times):
            return _product([rounds(items, module), whole(times, module)])
        case ast.Name():
            bound = only_value(iterable, module)
            return _length(bound, module) if isinstance(bound, ast.Call) and span(bound, module) else None
        case ast.Call(args=arguments) if not any(isinstance(a, ast.Starred) for a in arguments):
            return _length(iterable, module)
    return None


def _length(call: ast.Call, module: Module) -> float | None:
    name, arguments = module.callee(call), call.args
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    match name, arguments:
        case "builtins.range", _:
            found = span(call, module)
            return None if found is None else _len(found)
        case "itertools.count", _:
            return math.inf
        case "itertools.cycle", [over]:
            return 0 if rounds(over, module) == 0 else math.inf
        case "itertools.repeat", [_, *more]:
            times = more[0] if more else keywords.get("times")
            return math.inf if times is None else whole(times, module)
        case "itertools.islice", [over, stop] if not keywords:
            return _least([rounds(over, module), whole(stop, module)])
        case "builtins.zip", [_, *_]:
            return _least([rounds(argument, module) for argument in arguments])
        case (("builtins.map" | "itertools.starmap"), [_, _, *_]):
            return _least([rounds(argument, module) for argument in arguments[1:]])
        case "itertools.product", [_, *_]:
            times = keywords.get("repeat")
            found_times = 1 if times is None else whole(times, module)
            factors = [rounds(argument, module) for argument in arguments]
            endless = math.inf in factors or found_times is None or not 0 <= found_times <= DEPTH
            return None if endless else _product(factors * (found_times or 0))
        case str(), [over, *_] if name in AS_LONG_AS_THEIR_ARGUMENT and (
            len(arguments) == 1 or name != "builtins.iter"
        ):
            return rounds(over, module)
    return None


def _len(numbers: range) -> int:
    # `len` cannot say more than sys.maxsize.
    return max(0, (numbers[-1] - numbers.start) // numbers.step + 1) if numbers else 0


def _least(counts: Iterable[float | None]) -> float | None:
    known = [*counts]
    return None if None in known else min(count for count in known if count is not None)


def _product(counts: Iterable[float | None]) -> float | None:
    known = [*counts]
    return None if None in known else math.prod(count for count in known if count is not None)


class Nest(NamedTuple):
    """A loop with a certain number of rounds, and the loops that run in every one of them."""

    loop: ast.For | Comprehension
    rounds: float
    inner: tuple[Nest, ...]

    @property
    def steps_a_round(self) -> float:
        """How many inmost steps one round takes, at least."""
        return max(1, sum(inner.steps for inner in self.inner))

    @property
    def steps(self) -> float:
        """How many inmost steps the whole takes, at least."""
        return self.rounds * self.steps_a_round


def nest(loop: ast.For | Comprehension, module: Module) -> Nest | None:
    """A loop measured; None: it hands control to others, may be left early, or its rounds are not known."""
    if isinstance(loop, ast.For):
        counted = rounds(loop.iter, module)
        inner = _certain(loop.body, module)
    else:
        if isinstance(loop, ast.GeneratorExp) and not _consumed(loop, module):
            return None
        counted, certain = _generated(loop, module)
        inner = _inside(repeated(loop)[: -len(loop.generators)]) if certain else iter(())
    if not counted or hands_over(loop) or may_be_left(loop, module):
        return None
    if counted == math.inf and may_raise_to_end(loop, module):
        return None
    measured = (nest(one, module) for one in inner)
    return Nest(loop, counted, tuple(found for found in measured if found))


def _generated(comprehension: Comprehension, module: Module) -> tuple[float | None, bool]:
    """How many rounds a comprehension makes at least, and whether each of them gets to the element."""
    total: float | None = None
    for generator in comprehension.generators:
        found = rounds(generator.iter, module)
        if found is None:
            return total, False
        total = found if total is None else total * found
        if generator.ifs:
            return total, False
    return total, True


def _consumed(generator: ast.GeneratorExp, module: Module) -> bool:
    """Is a generator expression run to its end right where it stands?"""
    match module.parent(generator):
        case ast.Call(args=[first, *_]) as call if first is generator:
            if module.callee(call) in CONSUMERS:
                return True
            match call.func:
                case ast.Attribute(value=ast.Constant(value=str() | bytes()), attr="join"):
                    return True
    return False


def _certain(block: Iterable[ast.stmt], module: Module) -> Iterator[ast.For | Comprehension]:
    """The loops in a block that run whenever the block runs."""
    for statement in block:
        match statement:
            case ast.For():
                yield from _inside([statement.iter])
                yield statement
            case ast.With() | ast.Try():
                yield from _certain(statement.body, module)
            case ast.If(test=test) | ast.While(test=test):
                yield from _inside([test])
            case ast.Expr() | ast.Assign() | ast.AugAssign() | ast.AnnAssign():
                yield from _inside([statement])
        if any(isinstance(node, ast.Continue) for node in within(statement)):
            return


def _inside(nodes: Iterable[ast.AST]) -> Iterator[Comprehension]:
    """The outmost comprehensions in expressions that are evaluated for certain."""
    for node in nodes:
        if isinstance(node, COMPREHENSIONS):
            yield node
        elif not isinstance(node, (ast.BoolOp, ast.IfExp, *FUNCTIONS)):
            yield from _inside(ast.iter_child_nodes(node))
