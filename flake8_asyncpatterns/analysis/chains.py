"""How the coroutines of a file come to block by way of plain functions, of this file and of others."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import PurePath

from ..facts import WAYS, Named, Span, Step, Way
from ..flow import LOOPS, body, suspends
from ..knowledge.blocking.entry import WAITS_FOR
from ..knowledge.services import RUN
from ..module import Module
from ..narrowing import dotted
from ..needs import Need, Needs, either
from ..problem import Place, shown_path
from ..reference import is_foreign
from ..rule import Related, Report
from ..scopes import FUNCTIONS
from ..signs import ON_THE_LOOP
from ..signs.callers import made_for_coroutines
from ..tuples import NamedTuple
from ..ways import FILES, Ways
from .blocking import CONFIGURED, IN_A_THREAD, blocking_calls, blocks, candidates, in_a_thread, is_awaited, refusal
from .circumstances import asks_first
from .coroutines import runs_by_hand
from .summary import Run, Summary, modules, own_ways, runs_at
from .testcode import is_command, is_test, is_test_file

# Methods that give the event loop something else to do.
STARTS = frozenset({"create_task", "start_soon", "ensure_future"})


def needs(ends: frozenset[str]) -> Needs:
    """The needs of a rule that speaks of ways that end in a call which the tables have under one of these codes."""
    configured = (Need((ON_THE_LOOP,), configured=True),) if CONFIGURED.code in ends else ()
    own = made_for_coroutines(blocking_calls(ends))
    return either(own, configured, (Need((ON_THE_LOOP,), abroad=True),))


class Chains:
    """For each call by which a coroutine runs a plain function that blocks: the way to that.

    `real` ends in what may take long; `files` in work on files, for calls that do nothing worse.
    """

    def __init__(self, module: Module) -> None:
        self.real: dict[Run, Way] = {}
        self.files: dict[Run, Way] = {}
        if _holds_up_nobody(module):
            return
        ways = _own(module)
        if module.project and _leads_on(module):
            for span, way in module.project.ways().items():
                ways[span] = _better(way, ways[span]) if span in ways else way
        runs = runs_at(ways, module)
        found = {runs[span]: way for span, way in sorted(ways.items()) if span in runs}
        self.real = {run: way for run, way in found.items() if way.end.code not in FILES}
        self.files = {run: way for run, way in found.items() if way.end.code in FILES}


def _holds_up_nobody(module: Module) -> bool:
    """Is there nobody but the one who waits for what this file does: a test, a command, one who runs no event loop?"""
    return module.analysis(is_test_file) or is_command(module) or module.analysis(runs_by_hand)


def _own(module: Module) -> dict[Span, Way]:
    """The ways that a file shows by itself."""
    if not _blocks_in_plain_code(module):
        return {}
    # Before the others are asked, what the file tells them is worked out anyway.
    summary = module.analysis(Summary if _is_told(module) else own_ways)
    ways = Ways({module.path: summary.facts}.get, lambda _path, _named: None).here(module.path)
    return {span: way for span, (way, _) in ways.items()}


def _leads_on(module: Module) -> bool:
    """May a call in this file lead to another?"""
    if _is_told(module):
        functions = module.analysis(Summary).facts.functions
        return any(isinstance(use.target, Named) for function in functions for use in function.uses)
    return any(map(is_foreign, modules(module)))


def _is_told(module: Module) -> bool:
    """Are the others yet to be told what this file says, by itself, before they can answer?"""
    if module.project is None:
        return False
    answers = module.project.answers
    return WAYS not in answers and not any(answers.values())


def _blocks_in_plain_code(module: Module) -> bool:
    """Does a plain function of this file make a call that blocks? Without one, no way of its own ends anywhere."""
    return any(
        isinstance(module.function(call), ast.FunctionDef) and blocks(call, module) for call in candidates(module)
    )


def _better(abroad: Way, own: Way) -> Way:
    """The way to tell of; what hinders a thread on the other one does so on this one."""
    chosen = min(abroad, own, key=lambda way: (way.end.code in FILES, len(way.steps)))
    hindrance = chosen.hindrance or abroad.hindrance or own.hindrance
    return chosen._replace(hindrance=hindrance, sleeps=abroad.sleeps and own.sleeps)


def report(found: Mapping[Run, Way], module: Module) -> Iterator[Report]:
    """The check of the rules that tell of such calls: the whole way, and how a thread can go it."""
    for run, way in found.items():
        if is_test(run, module) or _is_left_to_a_thread(run, module) or _comes_first(run, module):
            continue
        if isinstance(run, ast.Call) and asks_first(run, way.end.name, module):
            continue
        first, *_ = way.steps
        related = tuple(_related(before, step, module) for before, step in pairwise(way.steps))
        shown = " → ".join(_place(step, module) for step in way.steps)
        waiting = f", waiting for {WAITS_FOR[way.end.code]}" if way.end.code in WAITS_FOR else ""
        called = f"{first.name}()" if isinstance(run, ast.Call) else first.name
        message = f"`{called}` blocks the event loop{waiting}: {shown}"
        refused = _refusal(run, way, module)
        fix = in_a_thread(run, module, unsafe=_reason(way)) if isinstance(run, ast.Call) and not refused else None
        yield Report(run, message, fix, refused, related)


def _is_left_to_a_thread(run: Run, module: Module) -> bool:
    """Does a decorator say, by its name, that it has another thread, and so another event loop, run this code?"""
    functions = (around for around in module.ancestors(run) if isinstance(around, FUNCTIONS))
    decorators = (d for function in functions for d in getattr(function, "decorator_list", ()))
    return any("thread" in dotted(d.func if isinstance(d, ast.Call) else d).lower() for d in decorators)


def _comes_first(run: Run, module: Module) -> bool:
    """Is this done at the very start of what the event loop was started for, while it has nothing else to do?"""
    coroutine = module.function(run)
    if not isinstance(coroutine, ast.AsyncFunctionDef) or not _is_started_with(coroutine, module):
        return False
    repeated = (around for around in module.ancestors(run) if isinstance(around, LOOPS))
    if any(suspends(around) for around in repeated):
        return False
    place = (run.lineno, run.col_offset)
    before = (n for n in body(coroutine) if (getattr(n, "lineno", place[0]), getattr(n, "col_offset", 0)) < place)
    return not any(_lets_others_run(node, module) for node in before)


def _is_started_with(coroutine: ast.AsyncFunctionDef, module: Module) -> bool:
    """Is all that the file does with a coroutine function to run the event loop for it?"""
    uses = [use for use in module.nodes(ast.Name) if use.id == coroutine.name and module.definition(use) is coroutine]
    return bool(uses) and all(_is_run(module.parent(use), module) for use in uses)


def _is_run(made: ast.AST | None, module: Module) -> bool:
    """Is this `main()` in `asyncio.run(main())`?"""
    around = module.parent(made) if isinstance(made, ast.Call) else None
    return isinstance(around, ast.Call) and made in around.args and module.callee(around) in RUN


def _lets_others_run(node: ast.AST, module: Module) -> bool:
    """Does this node await something, or start what else the event loop is to do?"""
    if isinstance(node, (ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Yield, ast.YieldFrom)):
        return True
    if isinstance(node, ast.comprehension):
        return bool(node.is_async)
    if not isinstance(node, ast.Call):
        return False
    method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    return method in STARTS or (module.callee(node) or "").startswith("asyncio.")


class File(NamedTuple):
    """Another file on the way: as a path like that of the file that is looked at, and in a word."""

    path: str
    name: str


def _file(path: str, module: Module) -> File | None:
    """Where a step is; None: in the file itself."""
    own = module.path
    if path in (own, os.path.abspath(own)):  # noqa: PTH100  # as Path.absolute, without `..`
        return None
    pure = PurePath(path)
    return File(shown_path(path, own), f"{pure.parent.name}/{pure.name}" if pure.name == "__init__.py" else pure.name)


def _place(step: Step, module: Module) -> str:
    """A step, with its line, and its file where that is another."""
    file = _file(step.defined, module)
    return f"`{_name(step)}` ({file.name}:{step.line})" if file else f"`{_name(step)}` (line {step.line})"


def _related(before: Step, step: Step, module: Module) -> Related:
    file = _file(step.path, module)
    verb = "reads" if step.reads else "calls"
    place = Place(file.path if file else module.path, *step.span)
    return Related(place, f"`{before.name}` {verb} `{_name(step)}`", is_step=True)


def _name(step: Step) -> str:
    return step.name.removeprefix("builtins.")


def _refusal(run: Run, way: Way, module: Module) -> str:
    """Why a thread cannot make the first call; empty: it can."""
    if isinstance(run, ast.Attribute):
        return "a thread cannot be given a property; it could be given a method"
    if isinstance(module.parent(run), ast.withitem):
        return "it is the `with` block that waits, where it is entered"
    if way.generator:
        return "a generator runs bit by bit, where it is iterated over; have a thread do all of it"
    if is_awaited(run, module):
        return "what it gives is awaited, and must come from the event loop's thread"
    return refusal(run, way.hindrance, module)


def _reason(way: Way) -> str:
    if way.sleeps:
        return f"{IN_A_THREAD}; all that it waits for is a sleep: a coroutine with `asyncio.sleep()` is better"
    return IN_A_THREAD
