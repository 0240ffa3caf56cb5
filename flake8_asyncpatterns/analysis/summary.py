"""Module → Facts: what a file tells the others, and which nodes of its tree that speaks of."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

from ..facts import (
    Block,
    Class,
    Condition,
    Constant,
    Facts,
    Function,
    Given,
    LoopRun,
    Named,
    Parameter,
    Ref,
    Span,
    Told,
    Use,
)
from ..flow import position
from ..knowledge.decorators import CONTEXT_MANAGERS, KEEPS_CLASS, PROPERTIES, RUNS_AT_ONCE, SAME_RESULT
from ..knowledge.locks import MUTEXES
from ..narrowing import dotted
from ..problem import locate
from ..reference import reference, written_bases
from ..scopes import imports
from ..source import lines
from ..types import tell
from .blocking import Blocks, blocks, is_awaited, is_dead
from .callbacks import returns_nothing
from .circumstances import iterated
from .coroutines import Coroutines, runs_on_the_loop
from .nested import Helpers
from .reached import Places, constant
from .services import Endless, leaves_them_to_another, needs, speaks_of_signals

if TYPE_CHECKING:
    from ..module import Module
    from ..rule import FunctionDef

# Where what cannot be handed to a thread cannot be so by way of a function either.
OF_A_THREAD = frozenset({"AIO106", "AIO108"})

# A sleep of fewer seconds takes no longer than much that nobody waits for.
BRIEF = 0.01

ON_THE_LOOP = "what it calls works on the event loop, which only the loop's own thread may"

# What runs a function: a call of it, or reading the attribute that it is the property of.
Run: TypeAlias = ast.Call | ast.Attribute


def own_ways(module: Module) -> Summary:
    """The Summary of a file that no other file asks: `module.analysis(own_ways)`."""
    return Summary(module, told=False)


def runs_at(spans: Iterable[Span], module: Module) -> dict[Span, Run]:
    """The nodes that uses at these places speak of."""
    first = {span.line for span in spans}
    runs = [run for run in module.nodes(ast.Call, ast.Attribute) if run.lineno in first] if first else []
    split = lines(module.text) if runs else []
    return {_span(run, split): run for run in sorted(runs, key=_outer_first)}


class Summary:
    """The Facts of one Module: `module.analysis(Summary)`.

    `told`: is there somebody to ask for more than how the file's own functions come to block?
    """

    def __init__(self, module: Module, *, told: bool = True) -> None:
        self._is_told = told
        self.module = module
        self._lines = lines(module.text)
        self._functions = sorted(module.nodes(ast.FunctionDef, ast.AsyncFunctionDef), key=position)
        self._classes = sorted(module.nodes(ast.ClassDef), key=position)
        self._numbers: dict[ast.AST, int] = {
            node: number for nodes in (self._functions, self._classes) for number, node in enumerate(nodes)
        }
        self._properties = {f.name for f in self._functions if any(_is_property(d, module) for d in f.decorator_list)}
        self._kinds = module.analysis(Coroutines)
        self._ran = self._by_function()
        # With nobody to ask, a coroutine comes to block only by a call of what has such a name.
        self._blocking: frozenset[str] | None = None if told else frozenset(self._may_block())
        self._entered = self._may_be_entered(self._blocking) if self._blocking is not None else frozenset()
        self.facts = Facts(
            dict(self._names()) if told else {},
            tuple(_starred(module)),
            tuple(sorted(modules(module))),
            tuple(map(self._function, self._functions)),
            tuple(map(self._class, self._classes)) if told else (),
            told and (speaks_of_signals(module) or leaves_them_to_another(module)),
        )

    def _by_function(self) -> dict[ast.AST | None, list[Run]]:
        """What may run functions, by the function that it is a part of, in the order of the code."""
        found: dict[ast.AST | None, list[Run]] = {}
        runs: list[Run] = [*self.module.nodes(ast.Call)]
        runs += filter(self._reads, self.module.nodes(ast.Attribute))
        for run in sorted(runs, key=_outer_first):
            found.setdefault(self.module.function(run), []).append(run)
        return found

    def _may_block(self) -> set[str]:
        """The names of functions and classes of the file, a call of which may come to block by way of others of it."""
        found = {
            getattr(function, "name", "")
            for function, runs in self._ran.items()
            if any(isinstance(run, ast.Call) and blocks(run, self.module) for run in runs)
        }
        calls = [(getattr(f, "name", ""), {_last(run) for run in runs}) for f, runs in self._ran.items()]
        before = 0
        while len(found) > before:
            before = len(found)
            if "__init__" in found:
                found |= {cls.name for cls in self._classes}
            found |= {name for name, called in calls if not called.isdisjoint(found)}
        return found

    def _may_be_entered(self, blocking: frozenset[str]) -> frozenset[str]:
        """The names of what coroutines call that may come to block, and of all that is called on the way."""
        called: dict[str, set[str]] = {}
        todo: list[str] = []
        for function, runs in self._ran.items():
            names = {_last(run) for run in runs}
            if runs_on_the_loop(function, self.module):
                todo += names & blocking
            else:
                called.setdefault(getattr(function, "name", ""), set()).update(names)
        made = {cls.name for cls in self._classes}
        found: set[str] = set()
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += called.get(name, ())
                todo += ["__init__"] if name in made else []
        return frozenset(found)

    def _names(self) -> Iterator[tuple[str, str | Ref | Told | None]]:
        """What is bound at the top of the file."""
        module = self.module
        for name in module.bound():
            found = [(node, imported) for node, imported in module.top_level(name) if not self._is_none(node)]
            imported = {qualified for _, qualified in found}
            if len(imported) == 1 and None not in imported:
                yield name, imported.pop()
            elif len(found) != 1:
                yield name, None
            else:
                yield name, self._bound(found[0][0])

    def _is_none(self, node: ast.AST) -> bool:
        """Is this `x = None`, which stands for an import that failed?"""
        value = self.module.value(node)
        return isinstance(value, ast.Constant) and value.value is None

    def _bound(self, node: ast.AST) -> str | Ref | Told | None:
        if node in self._numbers:
            return self._ref(node)
        value = self.module.value(node)
        if isinstance(value, (ast.Name, ast.Attribute)):
            definition = self.module.definition(value)
            if definition is not None:
                return self._ref(definition)
            name = self.module.name(value)
            if name is not None:
                return name
        return tell(self.module.type(node), self.module) if isinstance(node, ast.Name) else None

    def _ref(self, node: ast.AST) -> Ref:
        return Ref("class" if isinstance(node, ast.ClassDef) else "function", self._numbers[node])

    def _class(self, cls: ast.ClassDef) -> Class:
        module = self.module
        below = module.subclasses(cls)
        methods: dict[str, int] = {}
        attributes: dict[str, Told | None] = {}
        for name in module.members(cls):
            match module.member(cls, name):
                case [ast.FunctionDef() | ast.AsyncFunctionDef() as found] if not module.sets(cls, name):
                    methods[name] = self._numbers[found]
                    if found.name in self._properties:
                        attributes[name] = tell(module.attribute(cls, name), module)
                case _:
                    attributes[name] = tell(module.attribute(cls, name), module)
        return Class(
            cls.name,
            tuple(self._bases(cls)),
            methods,
            attributes,
            tuple(name for name in methods if any(module.member(other, name) for other in below)),
            not cls.keywords and all(module.decorator(d) in KEEPS_CLASS for d in cls.decorator_list),
        )

    def _bases(self, cls: ast.ClassDef) -> Iterator[int | str | None]:
        for base in written_bases(cls, self.module):
            yield base if base is None or isinstance(base, str) else self._numbers[base]

    def _function(self, function: FunctionDef) -> Function:
        module = self.module
        owner = module.class_of(function)
        uses = tuple(self._uses(function))
        asked = frozenset(name for use in uses for when in use.when for name in _names(when.test))
        asked |= {name for use in uses if use.given is not None for name in use.given.handed_on()}
        runs = self._runs(function)
        found = Function(
            function.name,
            owner.name if owner else "",
            function.lineno,
            runs,
            any(_is_property(decorator, module) for decorator in function.decorator_list),
            runs_on_the_loop(function, module),
            dict(self._parameters(function, asked)) if asked else {},
            uses,
            self._hindrance(function) if runs and self._matters(function) else "",
        )
        return self._asked_for(found, function) if self._is_told else found

    def _matters(self, function: FunctionDef) -> bool:
        """May anybody ask what this function runs?"""
        return self._is_told or function.name in self._entered or runs_on_the_loop(function, self.module)

    def _asked_for(self, found: Function, function: FunctionDef) -> Function:
        """A function with what only other files ask for."""
        module = self.module
        plain = all(module.name(decorator) in SAME_RESULT for decorator in function.decorator_list)
        endless = isinstance(function, ast.AsyncFunctionDef) and Endless(module).running(function)
        kind = self._kinds.kind(function)
        return found._replace(
            kind=kind,
            hands_on=tuple(self._kinds.hands_on(function)) if kind is None else (),
            plain=isinstance(function, ast.FunctionDef) and not function.decorator_list,
            gives_nothing=isinstance(function, ast.FunctionDef) and plain and returns_nothing(function, module),
            endless=endless,
            needs=tuple(needs(function, module)) if isinstance(function, ast.AsyncFunctionDef) and not endless else (),
            loop=self._loop(function),
            always=tuple(self._always(function)),
            gives=tell(module.result(function), module),
        )

    def _runs(self, function: FunctionDef) -> str:
        """How a call must stand so that the function runs there and then."""
        if not isinstance(function, ast.FunctionDef):
            return ""
        properties = [d for d in function.decorator_list if _is_property(d, self.module)]
        managers = [d for d in function.decorator_list if self.module.name(d) in CONTEXT_MANAGERS]
        generator = self.module.is_generator(function)
        known = (*properties, *managers) if generator else properties
        if not all(d in known or self.module.decorator(d) in RUNS_AT_ONCE for d in function.decorator_list):
            return ""
        return "called" if not generator else "entered" if managers else "iterated"

    def _parameters(self, function: FunctionDef, asked: frozenset[str]) -> Iterator[tuple[str, Parameter]]:
        arguments = function.args
        positional = [*arguments.posonlyargs, *arguments.args]
        bound = self.module.class_of(function) is not None and not any(
            self.module.name(d) == "builtins.staticmethod" for d in function.decorator_list
        )
        for parameter in (p for p in (*positional, *arguments.kwonlyargs) if p.arg in asked):
            place = positional.index(parameter) - bound if parameter in positional else -1
            yield parameter.arg, Parameter(place, constant(self.module.default(parameter)))

    def _uses(self, function: FunctionDef) -> Iterator[Use]:
        """What running a function runs on the same thread, as far as is certain."""
        runs = self._ran.get(function, []) if self._matters(function) else []
        if self._blocking is not None and isinstance(function, ast.AsyncFunctionDef):
            runs = [run for run in runs if _last(run) in self._blocking]
        places = Places(function, self.module)
        for node in runs:
            target = self._target(node)
            if target is None:
                continue
            reached = places.reached(node)
            if reached.put_off or (reached.conditions and is_dead(node, self.module)):
                continue
            yield Use(
                _span(node, self._lines),
                _called(node),
                target,
                tuple(self._stands(node)),
                None if isinstance(target, Block) else _given(node, places),
                reached.when,
                reached.doubt,
                reached.own,
                self._is_on_self(node),
            )

    def _reads(self, node: ast.AST) -> TypeGuard[ast.Attribute]:
        """May this read a property of the file?"""
        return isinstance(node, ast.Attribute) and node.attr in self._properties and isinstance(node.ctx, ast.Load)

    def _target(self, node: Run) -> Block | int | Named | None:
        if isinstance(node, ast.Attribute):
            definition = self.module.definition(node)
            return self._numbers[definition] if isinstance(definition, ast.FunctionDef) else None
        blocking = blocks(node, self.module)
        if blocking is not None:
            return None if _is_brief(node, blocking) else Block(blocking.name, blocking.code, blocking.entry.bound)
        definition = self.module.definition(node.func)
        if isinstance(definition, ast.ClassDef):
            definition = self.module.method(definition, "__init__")
        if isinstance(definition, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return self._numbers[definition]
        return reference(node.func, self.module)

    def _stands(self, node: Run) -> Iterator[str]:
        around = self.module.parent(node)
        if isinstance(node, ast.Attribute):
            yield "read"
        if isinstance(around, ast.withitem):
            yield "entered"
        if iterated(node, self.module):
            yield "iterated"
        if isinstance(node, ast.Call) and is_awaited(node, self.module):
            yield "awaited"

    def _is_on_self(self, node: Run) -> bool:
        """Does this run a method of `self`?"""
        function = node.func if isinstance(node, ast.Call) else node
        return isinstance(function, ast.Attribute) and self.module.owner(function) is not None

    def _loop(self, function: FunctionDef) -> LoopRun | None:
        """Where a function runs an event loop, whenever it runs."""
        run = self.module.analysis(Helpers).found.get(function)
        return LoopRun(_span(run, self._lines), ast.unparse(run.func)) if run is not None else None

    def _always(self, function: FunctionDef) -> Iterator[Named]:
        """What a plain function calls in other files, whenever it runs."""
        if isinstance(function, ast.AsyncFunctionDef) or function.decorator_list:
            return
        calls = [node for node in self._ran.get(function, ()) if isinstance(node, ast.Call)]
        named = [(call, found) for call in calls if (found := reference(call.func, self.module)) is not None]
        always = self.module.analysis(Helpers).always(function) if named else ()
        yield from (found for call, found in named if call in always)

    def _hindrance(self, function: FunctionDef) -> str:
        """Why no thread can run the function's own code."""
        for node in self._ran.get(function, ()):
            if not isinstance(node, ast.Call):
                continue
            blocking = blocks(node, self.module)
            if blocking is not None and blocking.entry.bound and blocking.code in OF_A_THREAD:
                return blocking.entry.bound
            name = self.module.callee(node) or ""
            if name.startswith("asyncio.") and not name.endswith("_threadsafe"):
                return ON_THE_LOOP
        return ""


def _outer_first(node: Run) -> tuple[int, int, int, int]:
    return node.lineno, node.col_offset, -(node.end_lineno or 0), -(node.end_col_offset or 0)


def _span(run: Run, split: Sequence[str]) -> Span:
    return Span(*locate(run, "", split)[1:])


def _is_property(decorator: ast.expr, module: Module) -> bool:
    return module.name(decorator) in PROPERTIES


def _names(test: Condition) -> Iterator[str]:
    """The parameters that a condition is about."""
    if test.name:
        yield test.name
    for part in test.parts:
        yield from _names(part)


def _is_brief(call: ast.Call, blocking: Blocks) -> bool:
    """Is this a sleep of a constant time that nobody notices, or the wait for a lock?

    A helper that acquires a lock is like one with a `with lock:`, which says nothing of how long others hold it.
    """
    match call.args:
        case [ast.Constant(value=int(seconds) | float(seconds))] if blocking.code == "AIO101":
            return seconds < BRIEF
    owner, _, method = blocking.name.rpartition(".")
    return owner in MUTEXES and method == "acquire"


def _last(node: Run) -> str:
    """The last name of what is called or read."""
    function = node.func if isinstance(node, ast.Call) else node
    return getattr(function, "attr", getattr(function, "id", ""))


def _called(node: Run) -> str:
    function = node.func if isinstance(node, ast.Call) else node
    return dotted(function) or getattr(function, "attr", "")


def _given(node: Run, places: Places) -> Given | None:
    if isinstance(node, ast.Attribute):
        return None
    handed_on = isinstance(places.function, ast.FunctionDef)  # what a coroutine is given, nobody tells

    def told(value: ast.expr) -> Constant | str | None:
        return value.id if handed_on and isinstance(value, ast.Name) and places.is_parameter(value) else constant(value)

    starred = next((at for at, a in enumerate(node.args) if isinstance(a, ast.Starred)), None)
    return Given(
        tuple(map(told, node.args[:starred])),
        {keyword.arg: told(keyword.value) for keyword in node.keywords if keyword.arg},
        starred is not None or any(keyword.arg is None for keyword in node.keywords),
    )


def _starred(module: Module) -> Iterator[str]:
    """The modules of which everything is imported."""
    for statement in sorted(module.nodes(ast.ImportFrom), key=position):
        for local, _, qualified in imports(statement):
            if local == "*":
                yield qualified.removesuffix("*").rstrip(".") or "."


def modules(module: Module) -> set[str]:
    """The qualified names of all that is imported anywhere in the file."""
    return {
        alias.name if isinstance(statement, ast.Import) else qualified
        for statement in module.nodes(ast.Import, ast.ImportFrom)
        for _, alias, qualified in imports(statement)
    }
