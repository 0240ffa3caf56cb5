"""From where the functions of a file come to run, and whether two of them may do so at the same time.

A function that another one calls, and a coroutine that another one awaits, run as a part of that. Something begins by
itself where a coroutine is made a task, where a function is handed over to be called later, and with a function that
nobody in the file calls, so that somebody elsewhere does.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, TypeAlias

from ..flow import LOOPS, Loop, body, position, within
from ..knowledge.decorators import ABSTRACT, CONTEXT_MANAGERS, PROPERTIES, RUNS_AT_ONCE
from ..knowledge.task_scopes import TASK_GROUPS
from ..knowledge.tasks import START_IN_GROUP
from ..scopes import COMPREHENSIONS
from ..tuples import NamedTuple
from .calls import Calls
from .starts import RUNS
from .tables import lookups, table
from .tasks import maker

if TYPE_CHECKING:
    from ..module import Module
    from ..rule import FunctionDef

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
TRANSPARENT = RUNS_AT_ONCE | PROPERTIES | CONTEXT_MANAGERS | ABSTRACT
# What waits for the coroutine that it is given, and does nothing besides.
WAITS_FOR_IT = frozenset({"asyncio.wait_for"})

# What becomes of a function where it is spoken of: it runs as a part of what is around, or in a task of its own, or
# somebody is told of it.
How: TypeAlias = Literal["called", "started", "handed over"]


class Origin(NamedTuple):
    """Something that begins by itself: with `function`, at `place` (None: elsewhere).

    `alone`: it is not begun again before it has ended, as far as can be seen.
    """

    function: FunctionDef
    place: ast.expr | None
    how: How
    alone: bool


class Ways(NamedTuple):
    """The ways that lead to a function: where they begin, and the places in other functions that they go through."""

    origins: frozenset[Origin]
    places: frozenset[ast.expr]


class State(NamedTuple):
    """Whose the state is that code works on.

    `home`: it is a variable of this function, and each call of that has its own. `of_self`: it is an attribute, and
    each object has its own.
    """

    home: FunctionDef | None = None
    of_self: bool = False


class Origins:
    """The answers for one Module: `module.analysis(Origins)`."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.calls = module.analysis(Calls)
        self._leads: dict[FunctionDef, list[tuple[ast.expr | None, How]]] = {}
        self._alone: dict[tuple[FunctionDef, State], bool] = {}

    def may_meet(self, loop: ast.AST, change: ast.AST, state: State) -> bool:
        """May the code at `change` run while that at `loop` waits, both working on the same state?"""
        waiting, changing = self._around(loop), self._around(change)
        if waiting is None or changing is None:
            return True
        if state.home is waiting and self._is_helper(changing, waiting):
            return False
        ours, theirs = self._ways(waiting, state), self._ways(changing, state)
        if any(loop in self.module.ancestors(place) for place in theirs.places):
            return True  # the loop does it itself
        return any(
            not one.alone
            if one == other
            else not (self._in_turn(one, change, state) or self._in_turn(other, loop, state))
            for one in ours.origins
            for other in theirs.origins
        )

    def has_a_task(self, function: FunctionDef) -> bool:
        """Is it one task, started in this file, that alone runs a function, and that one after the other?"""
        origins = self._ways(function, State()).origins
        return len(origins) == 1 and all(origin.how == "started" and origin.alone for origin in origins)

    def has_only_friends(self, function: FunctionDef) -> bool:
        """Is this something private that only other files come to: a base class, say?"""
        origins = self._ways(function, State()).origins
        return all(origin.place is None and _is_private(origin.function.name) for origin in origins)

    def is_part_of(self, inner: FunctionDef, outer: FunctionDef) -> bool:
        """Does a function run in nothing but the calls of another one, which waits for it?"""
        return all(origin.function is outer for origin in self._ways(inner, State(outer)).origins)

    def _is_helper(self, inner: FunctionDef, outer: FunctionDef) -> bool:
        """Is this a function inside of another one, and somewhere called, rather than handed to others only?"""
        return self.module.function(inner) is outer and any(how == "called" for _, how in self._leads_to(inner))

    def _around(self, node: ast.AST) -> FunctionDef | None:
        function = self.module.function(node)
        return function if isinstance(function, FUNCTIONS) else None

    def _ways(self, function: FunctionDef, state: State) -> Ways:
        """How a function comes to run. What leads to where the state is made is not asked."""
        origins: dict[Origin, None] = {}
        places: dict[ast.expr, None] = {}
        todo = [function]
        for inner in todo:
            if inner is state.home:
                origins[Origin(inner, None, "called", alone=True)] = None
                continue
            for place, how in self._leads_to(inner):
                around = self.module.function(place) if place is not None else None
                if place is not None:
                    places[place] = None
                if how != "called" or not isinstance(around, FUNCTIONS):
                    origins[Origin(inner, place, how, self._is_alone(inner, place, how, state))] = None
                elif state.of_self and place is not None and self._is_of_a_new_object(place, around):
                    origins[Origin(around, None, how, alone=True)] = None
                elif around not in todo:
                    todo.append(around)
        if not origins:  # nobody but itself
            origins[Origin(function, None, "called", self._comes_alone(function))] = None
        return Ways(frozenset(origins), frozenset(places))

    def _is_of_a_new_object(self, place: ast.expr, around: FunctionDef) -> bool:
        """Is this a method of what the function around has made itself?"""
        match place:
            case ast.Call(func=ast.Attribute(value=ast.Name() as name)):
                bound = self.module.bindings(name) or ()
                made = self.module.only_value(name)
                inside = all(self.module.function(one) is around for one in bound)
                return inside and isinstance(made, ast.Call) and self.module.instance_of(made) is not None
        return False

    def _leads_to(self, function: FunctionDef) -> list[tuple[ast.expr | None, How]]:
        """Where a function is called, started or handed over; None: elsewhere, as far as can be seen."""
        if function not in self._leads:
            known: list[tuple[ast.expr | None, How]] = []
            doubtful: list[tuple[ast.expr | None, How]] = []
            for mention in self.calls.mentions(function):
                if isinstance(mention, (ast.Name, ast.Attribute)) and isinstance(mention.ctx, ast.Load):
                    surely = self._is_of(mention, function)
                    if surely is not False:
                        (known if surely else doubtful).extend(self._use(mention, function))
            # A decorator of what the file itself calls is there to wrap it, and tells nobody of it.
            if not known:
                known += [(decorator, "handed over") for decorator in self._registering(function)]
            if not known:
                known.append((None, "called"))
            self._leads[function] = known + doubtful
        return self._leads[function]

    def _registering(self, function: FunctionDef) -> Iterator[ast.expr]:
        """The decorators that may tell somebody of a function."""
        for decorator in function.decorator_list:
            is_accessor = isinstance(decorator, ast.Attribute) and decorator.attr in ("setter", "deleter", "getter")
            if not is_accessor and self.module.decorator(decorator) not in TRANSPARENT:
                yield decorator

    def _is_of(self, mention: ast.expr, function: FunctionDef) -> bool | None:
        """Is it this function that is spoken of, and not one of the same name? None: unknown."""
        cls = self.module.class_of(function)
        if cls is None or not isinstance(mention, ast.Attribute):
            return True
        match mention.value:
            case ast.Call(func=ast.Name(id="super")):
                method = self.module.function(mention)
                below = self.module.class_of(method) if method is not None else None
                return below is not None and cls is not below and cls in self.module.bases(below)
        whose = self.module.owner(mention) or self.module.instance_of(mention.value)
        if whose is not None:
            return cls in self.module.bases(whose) or whose in self.module.bases(cls)
        if self.module.definition(mention) is function:
            return True
        return None if self._may_be(mention, function) else False

    def _may_be(self, mention: ast.Attribute, function: FunctionDef) -> bool:
        """May a method of something unknown be this function: is it awaited, or handed on, if that is a coroutine?"""
        around = self._around(mention)
        if self.module.name(mention) is not None or (around is not None and around.name == function.name):
            return False  # `close` closes all that it has
        call = self.module.parent(mention)
        if isinstance(function, ast.FunctionDef) or not isinstance(call, ast.Call) or call.func is not mention:
            return True
        return isinstance(self.module.parent(call), (ast.Await, ast.Call, ast.Return, ast.AsyncFor, ast.keyword))

    def _use(self, mention: ast.Name | ast.Attribute, function: FunctionDef) -> Iterator[tuple[ast.expr, How]]:
        """What becomes of a function where it is spoken of."""
        around = self.module.parent(mention)
        call = self.module.parent(around) if isinstance(around, ast.keyword) else around
        if isinstance(around, ast.Call) and around.func is mention:
            yield around, self._how(around, function)
        elif any(self.module.decorator(d) in PROPERTIES for d in function.decorator_list):
            yield mention, "called"
        elif isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in START_IN_GROUP:
            yield mention, "started"
        else:
            kept = table(mention, self.module)
            called = lookups(kept, self.module) if kept is not None else None
            if not called:
                yield mention, "handed over"
            else:
                yield from ((lookup, self._how(lookup, function)) for lookup in called)

    def _how(self, call: ast.Call, function: FunctionDef) -> How:
        """Does the code around a call wait for the function to end?"""
        around = self.module.parent(call)
        if self.module.is_generator(function):
            driven = (ast.For, ast.AsyncFor, ast.comprehension, ast.YieldFrom, ast.withitem)
            return "called" if isinstance(around, driven) else "handed over"
        if isinstance(function, ast.FunctionDef):
            return "called"
        if isinstance(around, ast.Call) and self.module.callee(around) in WAITS_FOR_IT:
            around = self.module.parent(around)
        return "called" if isinstance(around, ast.Await) else "started"

    def _is_alone(self, function: FunctionDef, place: ast.expr | None, how: How, state: State) -> bool:
        """Does something that begins here, or elsewhere, end before it begins another time?"""
        if place is None:
            return self._comes_alone(function)
        around = self.module.function(place)
        if how == "handed over" or isinstance(around, ast.Lambda) or self._is_repeated(place):
            return False
        if around is None or how == "called" or self._is_kept(place):
            return True
        if any(isinstance(node, ast.Attribute) and node.attr in RUNS for node in body(around)):
            return True
        return self._waited_for(place) is not None and self._runs_alone(around, state)

    def _runs_alone(self, function: FunctionDef, state: State) -> bool:
        """Does a function run only once at a time, as far as the state is concerned?"""
        if (function, state) not in self._alone:
            self._alone[function, state] = False  # where it starts itself
            self._alone[function, state] = all(origin.alone for origin in self._ways(function, state).origins)
        return self._alone[function, state]

    def _comes_alone(self, function: FunctionDef) -> bool:
        """Is a function that nobody in the file calls one that is not called for this or for that?"""
        arguments = function.args
        given = [*arguments.posonlyargs, *arguments.args][self.module.class_of(function) is not None :]
        return len(given) <= len(arguments.defaults) and None not in arguments.kw_defaults

    def _is_repeated(self, place: ast.expr) -> bool:
        """Does a loop of its function come here again and again?"""
        function = self.module.function(place)
        return any(isinstance(node, (*LOOPS, *COMPREHENSIONS)) for node in self.module.ancestors(place, below=function))

    def _is_kept(self, place: ast.expr) -> bool:
        """Is what is started kept where only one has its place: in an attribute, or a variable of the module?"""
        match self.module.statement(place):
            case ast.Assign(targets=[target]) | ast.AnnAssign(target=target):
                if isinstance(target, ast.Name):
                    return bool(self.module.declarations(target))
                kept = isinstance(target, ast.Attribute) and self.module.owner(target) is not None
                return kept and self._is_argument(place)
        return False

    def _is_argument(self, place: ast.expr) -> bool:
        """Is this all that the statement is about: is it given to calls only?"""
        inner = self.module.ancestors(place, below=self.module.statement(place))
        return all(isinstance(node, (ast.Call, ast.Await, ast.keyword)) for node in inner)

    def _waited_for(self, place: ast.expr) -> ast.AST | None:
        """What ends only when a task that is started here has ended: an `await`, a group of tasks; None: nothing."""
        inner: ast.AST = place
        around = self.module.parent(place)
        while isinstance(around, (ast.Call, ast.Starred, ast.List, ast.Tuple, ast.keyword, *COMPREHENSIONS)):
            if isinstance(around, ast.Call) and not self._makes_task(around):
                break
            inner, around = around, self.module.parent(around)
        if isinstance(around, ast.Await):
            return around if inner is not place else None
        if not isinstance(around, ast.Call) or not isinstance(around.func, ast.Attribute):
            return None
        if around.func.attr not in START_IN_GROUP or self._makes_task(around):
            return None
        blocks = self.module.ancestors(place, below=self.module.function(place))
        return next((b for b in blocks if isinstance(b, ast.AsyncWith) and any(map(self._is_group, b.items))), None)

    def _makes_task(self, call: ast.Call) -> bool:
        return maker(call.func, self.module) is not None

    def _is_group(self, item: ast.withitem) -> bool:
        manager = item.context_expr
        return isinstance(manager, ast.Call) and self.module.callee(manager) in TASK_GROUPS

    def _in_turn(self, task: Origin, node: ast.AST, state: State) -> bool:
        """Has a task not begun yet, or has it ended, whenever the code at `node` runs?"""
        around = self._around(task.place) if task.place is not None and task.how == "started" else None
        function = self._around(node)
        if around is None or task.place is None or function is None or not self._runs_alone(around, state):
            return False
        places: list[ast.AST] = [node]
        if function is not around:
            ways = self._ways(function, State(around))
            if any(origin.function is not around for origin in ways.origins):
                return False  # it runs without the function that starts the task, too
            places = [place for place in ways.places if self.module.function(place) is around]
        return all(self._is_before(place, task.place) or self._is_outside(place, task.place) for place in places)

    def _is_before(self, place: ast.AST, start: ast.expr) -> bool:
        """Is this code over once the task is started, and the task once this comes again?"""
        around = [*self.module.ancestors(start, below=self.module.function(start))]
        statement = self.module.statement(place)
        if statement in around or position(statement) > position(start):
            return False
        ours = {*self.module.ancestors(place)}
        shared = next((node for node in around if isinstance(node, LOOPS) and node in ours), None)
        return shared is None or self._is_cancelled(start, shared)

    def _is_cancelled(self, start: ast.expr, loop: Loop) -> bool:
        """Does a round of the loop cancel, whatever happens, what it has started?"""
        return any(
            isinstance(node, ast.Attribute) and node.attr == "cancel"
            for guarded in within(*loop.body)
            if isinstance(guarded, ast.Try) and _end(guarded) > position(start)
            for node in within(*guarded.finalbody)
        )

    def _is_outside(self, place: ast.AST, start: ast.expr) -> bool:
        """Does this code not run while something waits for the task to end?"""
        waiting = self._waited_for(start)
        return waiting is not None and waiting not in self.module.ancestors(place)


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def _end(node: ast.stmt) -> tuple[int, int]:
    return node.end_lineno or 0, node.end_col_offset or 0
