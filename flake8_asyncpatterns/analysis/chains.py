"""Plain functions of one file that block whoever calls them, themselves or by way of others."""

from __future__ import annotations

import ast
import itertools
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeGuard

from ..flow import body, ends, is_generator
from ..knowledge.blocking.entry import WAITS_FOR, Argument
from ..knowledge.decorators import CONTEXT_MANAGERS, PROPERTIES, RUNS_AT_ONCE
from ..module import Module
from ..rule import Related, Report
from .blocking import IN_A_THREAD, Blocks, blocks, in_a_thread, is_awaited, refusal
from .circumstances import iterated, passed
from .coroutines import runs_on_the_loop
from .testcode import is_test

if TYPE_CHECKING:
    from ..project import Elsewhere

# What a chain may end in. Reading or writing a file is usually short, and a matter of its own.
FOR_REAL = frozenset({"AIO101", "AIO102", "AIO103", "AIO106", "AIO107", "AIO108", "AIO115"})
FILES = frozenset({"AIO104"})

# Where what cannot be handed to a thread cannot be so by way of a function either.
OF_A_THREAD = frozenset({"AIO106", "AIO108"})

# Questions whose answer says that no event loop runs here, or that this is another thread than the loop's.
ASKS_FOR_A_LOOP = frozenset({"is_running", "get_running_loop", "_get_running_loop", "current_thread", "get_ident"})


# What runs a function: a call of it, or reading the attribute that it is the property of.
Use: TypeAlias = ast.Call | ast.Attribute


class Step(NamedTuple):
    """One call on the way: of a function, in which `then` is the next step; or of what blocks.

    `file` is the name of the file that the function stands in, when it is another than the call's.
    """

    call: Use
    function: ast.FunctionDef | None
    then: Step | None
    blocks: Blocks | None = None
    file: str = ""

    def steps(self) -> Iterator[Step]:
        """This step and those after it."""
        step: Step | None = self
        while step is not None:
            yield step
            step = step.then

    @property
    def end(self) -> Blocks:
        """What the chain blocks on."""
        *_, last = self.steps()
        assert last.blocks is not None
        return last.blocks


class Chains:
    """For each call by which a coroutine runs a plain function of its file: how that comes to block.

    `real` ends in what may take long; `files` in work on files, for calls that do nothing worse.
    """

    def __init__(self, module: Module) -> None:
        self.module = module
        self.entered: dict[Use, ast.FunctionDef] = {}
        self.callers: dict[ast.FunctionDef, list[Use]] = {}
        self.ends: list[tuple[ast.FunctionDef, Step]] = []
        self.abroad: dict[Use, Elsewhere] = {}
        self._properties = {
            function.name
            for function in module.nodes(ast.FunctionDef)
            if any(_is_property(decorator, module) for decorator in function.decorator_list)
        }
        self._hindrances: dict[ast.FunctionDef, str] = {}
        self._collect()
        self.real = self._found(FOR_REAL)
        self.files = {call: step for call, step in self._found(FILES).items() if call not in self.real}

    def _collect(self) -> None:
        """Follow all calls that coroutines make of plain functions of the file."""
        todo = list(self._first())
        seen = set(todo)
        while todo:
            function = todo.pop()
            for call in self._calls(function):
                blocking = blocks(call, self.module) if isinstance(call, ast.Call) else None
                if blocking is not None:
                    self.ends.append((function, Step(call, None, None, blocking)))
                    continue
                entered = self._enter(call)
                if entered is not None and entered not in seen:
                    seen.add(entered)
                    todo.append(entered)

    def _first(self) -> Iterator[ast.FunctionDef]:
        """The plain functions that coroutines call themselves."""
        for function in self.module.nodes(ast.AsyncFunctionDef, ast.FunctionDef):
            for call in self._calls(function) if runs_on_the_loop(function, self.module) else ():
                entered = self._enter(call)
                if entered is not None:
                    yield entered

    def _calls(self, function: ast.AST) -> Iterator[Use]:
        """The calls that running a function makes on the same thread, as far as is certain."""
        for node in body(function):
            if (isinstance(node, ast.Call) or self._reads(node)) and not self._is_put_off(node, function):
                yield node

    def _reads(self, node: ast.AST) -> TypeGuard[ast.Attribute]:
        """May this read a property of the file?"""
        return isinstance(node, ast.Attribute) and node.attr in self._properties and isinstance(node.ctx, ast.Load)

    def _is_put_off(self, call: Use, function: ast.AST) -> bool:
        """Does this call run only later, or only where no event loop runs?"""
        came_from: ast.AST = call
        for around in self.module.ancestors(call):
            if around is function:
                return False
            match around:
                case ast.GeneratorExp():
                    if not iterated(around, self.module):
                        return True
                case ast.If(test=test) | ast.IfExp(test=test):
                    if came_from is not test and _asks(test):
                        return True
                case ast.Try(body=tried) if isinstance(came_from, ast.ExceptHandler):
                    if _asks(*tried):
                        return True
            came_from = around
        return False

    def _enter(self, call: Use) -> ast.FunctionDef | None:
        """The plain function of this file that a call runs; of one of another file a note is made."""
        function = self._called(call)
        if function is None:
            self._look_abroad(call)
            return None
        if not self._runs(function, call, self.module):
            return None
        self.entered[call] = function
        self.callers.setdefault(function, []).append(call)
        return function

    def _look_abroad(self, call: Use) -> None:
        found = self.module.elsewhere(call.func) if isinstance(call, ast.Call) else None
        if found is not None and isinstance(found.node, ast.FunctionDef) and self._runs(found.node, call, found.module):
            self.abroad[call] = found

    def _runs(self, function: ast.FunctionDef, call: Use, home: Module) -> bool:
        """Does this call run this function of a module, there and then?"""
        properties = [d for d in function.decorator_list if _is_property(d, home)]
        if bool(properties) is not isinstance(call, ast.Attribute):
            return False
        if is_generator(function):
            managers = [d for d in function.decorator_list if home.name(d) in CONTEXT_MANAGERS]
            runs = isinstance(self.module.parent(call), ast.withitem) if managers else iterated(call, self.module)
        else:
            managers, runs = [], True
        return runs and all(d in managers or d in properties or _runs_at_once(d, home) for d in function.decorator_list)

    def _called(self, call: Use) -> ast.FunctionDef | None:
        definition = self.module.definition(call.func if isinstance(call, ast.Call) else call)
        if isinstance(definition, ast.ClassDef):
            definition = self.module.method(definition, "__init__")
        return definition if isinstance(definition, ast.FunctionDef) else None

    def _found(self, codes: frozenset[str]) -> dict[Use, Step]:
        """The calls of coroutines that come to block so, each with its shortest way."""
        found = dict(self._found_abroad(codes))
        todo = deque(self._inside(codes, found))
        while todo:
            function, step = todo.popleft()
            for call in self.callers.get(function, ()):
                if call in found or not self._may_come_to(step.call, function, call):
                    continue
                found[call] = Step(call, function, step)
                around = self.module.function(call)
                if isinstance(around, ast.FunctionDef):
                    todo.append((around, found[call]))
        return {call: step for call, step in found.items() if runs_on_the_loop(self.module.function(call), self.module)}

    def _inside(self, codes: frozenset[str], abroad: dict[Use, Step]) -> Iterator[tuple[ast.FunctionDef, Step]]:
        """What blocks in plain functions of this file: calls that block, and calls of functions of other files."""
        yield from ((function, step) for function, step in self.ends if step.end.code in codes)
        for call, step in abroad.items():
            around = self.module.function(call)
            if isinstance(around, ast.FunctionDef) and not runs_on_the_loop(around, self.module):
                yield around, step

    def _found_abroad(self, codes: frozenset[str]) -> Iterator[tuple[Use, Step]]:
        for call, (home, function) in self.abroad.items():
            assert isinstance(function, ast.FunctionDef)
            there = home.analysis(Own)
            for step in there.ways(codes).get(function, ()):
                if there._may_come_to(step.call, function, call):
                    yield call, Step(call, function, step, file=PurePath(home.path).name)
                    break

    def _may_come_to(self, place: Use, function: ast.FunctionDef, call: Use) -> bool:
        """Is a place in a function reached with what this call gives it, as far as constants decide?"""
        came_from: ast.AST = place
        for around in self.module.ancestors(place):
            if isinstance(around, (ast.If, ast.While, ast.IfExp)):
                chosen = None if came_from is around.test else self._truth(around.test, function, call)
                first = around.body if isinstance(around.body, list) else [around.body]
                if chosen is not None and chosen is not any(part is came_from for part in first):
                    return False
            if isinstance(came_from, ast.stmt) and not all(
                self._truth(test, function, call) is not True for test in self._ways_out(came_from)
            ):
                return False
            if around is function:
                break
            came_from = around
        return True

    def _ways_out(self, statement: ast.stmt) -> Iterator[ast.expr]:
        """The conditions under which the code before a statement, in its block, leaves it."""
        try:
            block = self.module.block(statement)
        except LookupError:
            return
        for before in block:
            if before is statement:
                return
            if isinstance(before, ast.If) and ends(before.body):
                yield before.test

    def _truth(self, test: ast.expr, function: ast.FunctionDef, call: Use) -> bool | None:
        """What a condition on a function's parameters is for this call; None: unknown."""
        match test:
            case ast.Name():
                given = self._given(test, function, call)
                return bool(given.value) if given else None
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                inner = self._truth(operand, function, call)
                return None if inner is None else not inner
            case ast.Compare(left=ast.Name() as name, ops=[op], comparators=[ast.Constant(value=value)]):
                given = self._given(name, function, call)
                if given is not None and isinstance(op, (ast.Is, ast.Eq)):
                    return bool(given.value == value)
                if given is not None and isinstance(op, (ast.IsNot, ast.NotEq)):
                    return bool(given.value != value)
            case ast.BoolOp(op=op, values=values):
                deciding = isinstance(op, ast.Or)
                if any(self._truth(value, function, call) is deciding for value in values):
                    return deciding
        return None

    def _given(self, name: ast.Name, function: ast.FunctionDef, call: Use) -> ast.Constant | None:
        """The constant that a call gives a parameter."""
        if isinstance(call, ast.Attribute):
            return None
        match self.module.bindings(name):
            case [ast.arg() as parameter] if self.module.parent(parameter) is function.args:
                positional = [*function.args.posonlyargs, *function.args.args]
                bound = self.module.class_of(function) is not None and not any(
                    self.module.name(d) == "builtins.staticmethod" for d in function.decorator_list
                )
                place = positional.index(parameter) - bound if parameter in positional else -1
                value = passed(Argument(place, parameter.arg), call)
                spread = any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords)
                if value is None and not spread:
                    value = self.module.default(parameter)
                return value if isinstance(value, ast.Constant) else None
        return None

    def hindrance(self, function: ast.FunctionDef) -> str:
        """Why a thread cannot run a function, with all that it calls; empty: it can."""
        if function not in self._hindrances:
            self._hindrances[function] = self._hindrance(function)
        return self._hindrances[function]

    def _hindrance(self, function: ast.FunctionDef) -> str:
        todo, seen = [function], {function}
        while todo:
            current = todo.pop()
            for node in body(current):
                if not isinstance(node, (ast.Call, ast.Attribute)):
                    continue
                blocking = blocks(node, self.module) if isinstance(node, ast.Call) else None
                if blocking is not None and blocking.entry.bound and blocking.code in OF_A_THREAD:
                    return blocking.entry.bound
                name = (isinstance(node, ast.Call) and self.module.callee(node)) or ""
                if name.startswith("asyncio.") and not name.endswith("_threadsafe"):
                    return "what it calls works on the event loop, which only the loop's own thread may"
                entered = self.entered.get(node)
                if entered is not None and entered not in seen:
                    seen.add(entered)
                    todo.append(entered)
        return ""


class Own(Chains):
    """All plain functions of a file, for those who call them from other files. It does not look further itself."""

    def __init__(self, module: Module) -> None:
        self._ways: dict[frozenset[str], dict[ast.FunctionDef, list[Step]]] = {}
        super().__init__(module)

    def _first(self) -> Iterator[ast.FunctionDef]:
        yield from self.module.nodes(ast.FunctionDef)

    def _look_abroad(self, call: Use) -> None:
        pass

    def ways(self, codes: frozenset[str]) -> dict[ast.FunctionDef, list[Step]]:
        """For each function that blocks: the calls in it by which it does, the shortest ways first."""
        if codes not in self._ways:
            ways = self._ways[codes] = {}
            seen: set[Use] = set()
            todo = deque((function, step) for function, step in self.ends if step.end.code in codes)
            while todo:
                function, step = todo.popleft()
                ways.setdefault(function, []).append(step)
                for call in self.callers.get(function, ()):
                    around = self.module.function(call)
                    if call in seen or not isinstance(around, ast.FunctionDef):
                        continue
                    if self._may_come_to(step.call, function, call):
                        seen.add(call)
                        todo.append((around, Step(call, function, step)))
        return self._ways[codes]


def _is_property(decorator: ast.expr, module: Module) -> bool:
    return module.name(decorator) in PROPERTIES


def _runs_at_once(decorator: ast.expr, module: Module) -> bool:
    """Does a function under this decorator run when it is called?"""
    named = decorator.func if isinstance(decorator, ast.Call) else decorator
    return module.name(named) in RUNS_AT_ONCE


def _asks(*nodes: ast.AST) -> bool:
    """Does this code ask whether an event loop runs, or in which thread?"""
    return any(
        isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in ASKS_FOR_A_LOOP
        for around in nodes
        for node in ast.walk(around)
    )


def report(found: Mapping[Use, Step], module: Module) -> Iterator[Report]:
    """The check of the rules that tell of such calls: the whole way, and how a thread can go it."""
    chains = module.analysis(Chains)
    for call, first in found.items():
        if is_test(call, module):
            continue
        ways = [*itertools.pairwise(first.steps())]
        here = itertools.takewhile(lambda pair: not pair[0].file, ways)
        related = tuple(
            Related(step.call, f"`{_called(before)}` {_verb(step)} `{_called(step)}`") for before, step in here
        )
        way = " → ".join(_places(first))
        waiting = f", waiting for {WAITS_FOR[first.end.code]}" if first.end.code in WAITS_FOR else ""
        shown = f"{_called(first)}()" if isinstance(call, ast.Call) else _called(first)
        message = f"`{shown}` blocks the event loop{waiting}: {way}"
        refused = _refusal(first, chains, module)
        fix = in_a_thread(call, module, unsafe=_reason(first)) if isinstance(call, ast.Call) and not refused else None
        yield Report(call, message, fix, refused, related)


def _called(step: Step) -> str:
    if step.function is None:
        return step.end.name.removeprefix("builtins.")
    if step.function.name == "__init__" and isinstance(step.call, ast.Call):
        return ast.unparse(step.call.func)
    return step.function.name


def _verb(step: Step) -> str:
    return "calls" if isinstance(step.call, ast.Call) else "reads"


def _places(first: Step) -> Iterator[str]:
    """Each step, with its line, and its file where that is another than before."""
    for step in first.steps():
        line = step.call.lineno if step.function is None else step.function.lineno
        yield f"`{_called(step)}` ({step.file}:{line})" if step.file else f"`{_called(step)}` (line {line})"


def _refusal(first: Step, chains: Chains, module: Module) -> str:
    """Why a thread cannot make the first call; empty: it can."""
    assert first.function is not None
    if isinstance(first.call, ast.Attribute):
        return "a thread cannot be given a property; it could be given a method"
    if isinstance(module.parent(first.call), ast.withitem):
        return "it is the `with` block that waits, where it is entered"
    if is_generator(first.function):
        return "a generator runs bit by bit, where it is iterated over; have a thread do all of it"
    if is_awaited(first.call, module):
        return "what it gives is awaited, and must come from the event loop's thread"
    abroad = chains.abroad.get(first.call)
    there = abroad.module.analysis(Own) if abroad else chains
    return refusal(first.call, there.hindrance(first.function), module)


def _reason(first: Step) -> str:
    if first.end.code == "AIO101":
        return f"{IN_A_THREAD}; if the sleep is all that it waits for, a coroutine with `asyncio.sleep()` is better"
    return IN_A_THREAD
