"""A program of the time of generator coroutines → the same with `async def`, all its files together.

The files are looked at as one: what a function is to others in whatever file decides whether it turns over, and what
only works together turns over together or not at all. Each round applies all that can be, to texts in memory, and looks
again, until nothing is left to do; nothing is written here.
"""

from __future__ import annotations

import ast
import gc
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from . import check, oldnames
from .analysis.conversions import Conversion, free_name, own_fix
from .analysis.coroutines import comprehensions
from .analysis.exports import Exports
from .analysis.generators import Generators
from .analysis.iterators import unwrapping
from .analysis.mentions import own_names
from .analysis.neighbours import Find, Neighbours
from .analysis.starts import in_coroutine
from .analysis.startups import Startups
from .analysis.together import Together
from .analysis.versions import is_over, reaches
from .collector import paused
from .elsewhere import Rewrite
from .facts import View
from .keywords import original
from .knowledge.awaitables import COROUTINE
from .knowledge.removed import LOOP_ARGUMENT, LOST_LOOP_CLASSES, LOST_LOOP_FUNCTIONS, MADE_LOOP, WAIT, Version
from .knowledge.since import SINCE
from .module import Module
from .progress import Progress
from .project import Project
from .rewrite import ROUNDS, Unsettled, apply
from .roots import Roots
from .rule import Finding, Fix, Symbol, replace
from .rules import RULES
from .scopes import imports
from .source import noqa
from .tuples import NamedTuple

CODES = ("AIO401", "AIO402", "AIO403", "AIO404", "AIO406", "AIO408", "AIO409")
WAITS = "AIO405"
# To go through all that is there takes long: it is worth it where a MANYth of the files have been replaced.
MANY = 4
# Their fixes make a loop where there may have been one.
NEW_LOOPS = ("AIO403", "AIO409")
# They take a loop when they are called; the others that lost their `loop=` are coroutines, and learn of it later.
AT_ONCE = LOST_LOOP_CLASSES | {"asyncio.as_completed", "asyncio.gather", "asyncio.shield"}
LATER = LOST_LOOP_FUNCTIONS - AT_ONCE
COROUTINE_REMOVED: Version = (3, 11)
# Since when asyncio's own coroutines are no generators.
NATIVE: Version = (3, 7)
MAY_BE_PLAIN = (
    "what it is given may be no coroutine function; give it an `async def` instead that calls that, and awaits what it "
    "returns if that can be awaited"
)
IMPORTED = "AIO401 `asyncio.coroutine` is gone since Python 3.11: it cannot be imported there"
DRIVES_NATIVE = "only a generator can be driven here, and this is none since Python 3.7; migrate `--to 3.7` to mend it"
LOOKS = {
    "asyncio.iscoroutine": "is true of generators only until Python 3.11",
    "inspect.isgenerator": "is not true of coroutines",
    "inspect.isgeneratorfunction": "is not true of coroutine functions",
    "types.GeneratorType": "is not the type of coroutines",
    "typing.Generator": "is not the type of coroutines",
    "collections.abc.Generator": "is not the type of coroutines",
}


class Note(NamedTuple):
    """Something at a place in a file, for people."""

    path: str
    line: int
    text: str


class Migrated(NamedTuple):
    """What became of a program.

    `texts` are the new texts by path, of all files. `turned` are the functions that have become `async def`, `fixed`
    what else was mended, both by the places where they were found; `left` what was not, and why, and `looks` the checks
    that somebody should look at, by their places in the new ones.
    """

    texts: dict[str, str]
    turned: list[Note]
    fixed: list[Note]
    left: list[Note]
    looks: list[Note]


class Round(NamedTuple):
    """The files as they are by now, and what is known of their generator coroutines and event loops."""

    modules: Mapping[str, Module]
    together: Together
    startups: Startups

    def project(self) -> Project:
        """What the files, as they are by now, are to each other."""
        here = {os.path.abspath(path): module for path, module in self.modules.items()}  # noqa: PTH100  # keeps links
        roots = Roots(next((module.settings.src for module in here.values()), ()))
        return Project(lambda path: check.told_by(here[path]) if path in here else None, roots)


def migrate(
    modules: Mapping[str, Module],
    to: Version,
    parse: Callable[[str, str], Module],
    find: Find,
    rewrite: Rewrite,
    progress: Progress,
) -> Migrated:
    """Bring files, by path, to what Python `to` and all later ones run.

    `parse` makes a Module of a text and its path, `find` says which file an import means, `rewrite` applies fixes.
    Raises Unsettled when the fixes do not come to an end, Unreadable when a file is nested too deeply.
    """
    Exports(modules, find).provide()
    renamed = oldnames.rename(modules)
    turned: list[Note] = []
    fixed: list[Note] = [*(Note(*note) for note in renamed.done)]
    blocked: dict[tuple[str, str], str] = {}
    news = renamed.texts
    # What can be known of a coroutine is found out first; only then are those taken that nobody knows enough of.
    gone = False
    for number in range(ROUNDS):
        modules = {path: parse(news[path], path) if path in news else module for path, module in modules.items()}
        with paused():  # trees are thrown away as a whole, round by round
            progress.begin(f"round {number + 1}, looked at", len(modules))
            if news or not number:
                neighbours = _neighbours(modules, find)
            state = _look(neighbours, blocked, to, gone=gone)
            step = _Step(state, to, rewrite, progress)
            step.take(blocked)
            turned += step.turned
            fixed += step.fixed
            is_stable = not step.changed and not step.news
            if is_stable and (gone or to < COROUTINE_REMOVED):
                left = [*_left(step.remaining, state, renamed.left)]
                texts = {path: module.text for path, module in modules.items()}
                return Migrated(texts, turned, fixed, left, [*_looks(modules.values())])
            news, gone = step.changed, is_stable
            del state, step
            if news:
                del neighbours
            if len(news) > len(modules) // MANY:
                gc.collect()
    raise Unsettled("the migration does not come to an end; please report this")


def _neighbours(modules: Mapping[str, Module], find: Find) -> Neighbours:
    Exports(modules, find).provide()
    return Neighbours([*modules.values()], find)


def _look(neighbours: Neighbours, blocked: Mapping[tuple[str, str], str], to: Version, *, gone: bool) -> Round:
    files = [Generators(module, meanings) for module, meanings in neighbours.meanings.items()]
    together = Together(files, whole=True, native=to >= NATIVE, gone=gone)
    for conversion in together.conversions.values():
        path = conversion.home.module.path
        conversion.stay(blocked.get((path, conversion.key), ""))
        if conversion.function.lineno in noqa(conversion.home.module.text):
            conversion.stay("a `# noqa` keeps it")
    together.settle()
    for file in files:
        file.module.provide(Generators, file)
    modules = {file.module.path: file.module for file in files}
    return Round(modules, together, Startups([*modules.values()], neighbours.is_imported))


class _Step:
    """One round: which fixes there are, and what comes of them."""

    def __init__(self, state: Round, to: Version, rewrite: Rewrite, progress: Progress) -> None:
        self.state = state
        self.project = state.project()
        self.to = to
        self.rewrite = rewrite
        self.progress = progress
        self.changed: dict[str, str] = {}
        self.turned: list[Note] = []
        self.fixed: list[Note] = []
        self.remaining: list[tuple[str, Finding, str]] = []
        self.news = False
        self._found: dict[str, list[tuple[Finding, Fix]]] = {}
        self._done: dict[str, tuple[str, set[Fix]]] = {}

    def take(self, blocked: dict[tuple[str, str], str]) -> None:
        """Apply what can be applied; note in `blocked` what turns out to be impossible."""
        bundles = [bundle for bundle in self.state.together.bundles if bundle]
        shared = {fix for bundle in bundles for fix in bundle.values()}
        for path, module in self.state.modules.items():
            self._found[path] = [*self._fixes(path, module, shared)]
            self.progress.count()
        refused = self._apply(bundles, {*self.state.modules})
        told = dict(refused)
        while broken := [b for b in bundles if not all(fix in self._done[f.module.path][1] for f, fix in b.items())]:
            for bundle in broken:
                reasons = [str(refused[fix]) for fix in bundle.values() if fix in refused]
                if reasons:
                    self._block(bundle, reasons[0], blocked)
            bundles = [bundle for bundle in bundles if bundle not in broken]
            refused = self._apply(bundles, {file.module.path for bundle in broken for file in bundle})
            told.update(refused)
        self._note(bundles, told)

    def _fixes(self, path: str, module: Module, shared: set[Fix]) -> Iterator[tuple[Finding, Fix]]:
        """What rules find in a file and can be mended now; what cannot is noted with its reason."""
        # These are told of as conversions, and by `oldnames`.
        told = {*module.nodes(ast.FunctionDef), *(node for node, _ in own_names(module))}
        for finding in (*check.findings(module, [RULES[code] for code in CODES]), *self._waits(module)):
            fix = finding.fix or self._of_call(finding, module)
            if fix in shared:
                continue
            why = self._premature(finding, fix, module) if fix else finding.refusal
            if isinstance(finding.node, ast.Call) and finding.rule.code == "AIO401":
                why = why and MAY_BE_PLAIN
            if fix and not why:
                yield finding, fix
            elif finding.node not in told:
                self.remaining.append((path, finding, why or "has no fix"))

    def _waits(self, module: Module) -> list[Finding]:
        """Waits for coroutines, by now, of other files, too."""
        if not any(module.callee(call) == WAIT for call in module.nodes(ast.Call)):
            return []
        return check.settled(module.beside(View()), lambda seen: check.findings(seen, [RULES[WAITS]]), self.project)

    def _of_call(self, finding: Finding, module: Module) -> Fix | None:
        """`asyncio.coroutine(f)` → `f`, where all that `f` may be are coroutine functions already."""
        call = finding.node
        if isinstance(call, ast.Call) and module.name(call.func) == COROUTINE:
            found = module.analysis(Generators).meanings.of(call.args[0])
            if found and all(isinstance(one, ast.AsyncFunctionDef) for one in found):
                return Fix(replace(call, "{made}", made=call.args[0]), supersedes=(COROUTINE,))
            if self.to >= COROUTINE_REMOVED:
                return _asked_when_run(call, module)
        return None

    def _premature(self, finding: Finding, fix: Fix, module: Module) -> str:
        """Why a fix is not for all the Pythons that the result is to run on; empty: it is."""
        for name in _written(fix):
            if self.to < SINCE.get(name, self.to):
                return f"`{name}` came with Python {_said(SINCE[name])}"
        if finding.rule.code in NEW_LOOPS and isinstance(finding.node, ast.Call) and self.to < MADE_LOOP.removed:
            asked = self.state.startups.shared(finding.node, module)
            if asked:
                return f"`get_event_loop()` in {asked} may have to give the same loop; start with `asyncio.run()`"
        call = module.parent(finding.node)
        if finding.rule.code == "AIO404" and self.to < LOOP_ARGUMENT.removed and isinstance(call, ast.Call):
            name = (module.callee(call) or "").removesuffix(".__init__")
            if name not in LATER and not in_coroutine(call, module):
                return "before Python 3.10 it learns of the loop in no other way; migrate `--to 3.10` to take it out"
        if finding.rule.code == "AIO406" and self.to < COROUTINE_REMOVED:
            return "before Python 3.11 only asyncio's function knows other people's generator coroutines"
        if finding.rule.code == "AIO406" and any(self.state.together.candidates()):
            return "only asyncio's function knows the generator coroutines that are left"
        return ""

    def _apply(self, bundles: Sequence[Mapping[Generators, Fix]], paths: set[str]) -> dict[Fix, Exception]:
        """Apply the bundles' and the other fixes to the texts of some files; gives those refused, with the reason."""
        refused: dict[Fix, Exception] = {}
        own: dict[Module, list[Fix]] = {}
        for bundle in bundles:
            for file, fix in bundle.items():
                own.setdefault(file.module, []).append(fix)
        files = []
        for path in sorted(paths):
            module = self.state.modules[path]
            fixes = list(dict.fromkeys([*own.get(module, ()), *(fix for _, fix in self._found[path])]))
            files.append((module, fixes))
        self.progress.begin(self.progress.what.replace("looked at", "mended"), len(files))
        for (module, _), (text, applied, not_applied) in zip(files, self.rewrite(files), strict=True):
            refused.update(not_applied)
            self._done[module.path] = (text, applied)
            self.progress.count(self._sites(module, applied))
        return refused

    def _sites(self, module: Module, applied: set[Fix]) -> int:
        """How many places these fixes mend."""
        found = (fix for _, fix in self._found[module.path])
        return sum(fix in applied for fix in (*found, *module.analysis(Generators).fixes.values()))

    def _block(self, bundle: Mapping[Generators, Fix], reason: str, blocked: dict[tuple[str, str], str]) -> None:
        """Note which of those that turn over together cannot be written; all, where it is none by itself."""
        group = [c for file in bundle for c, fix in file.fixes.items() if fix is bundle[file]]
        alone: dict[Conversion, str] = {}
        for conversion in group:
            fix = own_fix(conversion)
            _, _, refused = apply(conversion.home.module, [fix])
            if fix in refused:
                alone[conversion] = str(refused[fix])
        for conversion, why in (alone or dict.fromkeys(group, reason)).items():
            key = (conversion.home.module.path, conversion.key)
            self.news = self.news or key not in blocked
            blocked.setdefault(key, why)

    def _note(self, bundles: Sequence[Mapping[Generators, Fix]], refused: Mapping[Fix, Exception]) -> None:
        """Note what was done."""
        for path, (text, applied) in self._done.items():
            if applied:
                self.changed[path] = text
            for finding, fix in self._found[path]:
                if fix in applied:
                    self.fixed.append(_note(path, finding, finding.message))
                else:
                    why = str(refused.get(fix, "another change is in the way"))
                    self.remaining.append((path, finding, why))
        for bundle in bundles:
            for file, fix in bundle.items():
                for conversion, own in file.fixes.items():
                    if own is fix:
                        text = f"`{conversion.function.name}` is a coroutine now"
                        self.turned.append(Note(file.module.path, conversion.function.lineno, text))
                for function, own in file.iterators.items():
                    if own is fix:
                        text = f"`{function.name}` gives its iterator without being awaited, since Python 3.5.2"
                        self.fixed.append(Note(file.module.path, function.lineno, text))


def _asked_when_run(made: ast.Call, module: Module) -> Fix | None:
    """`asyncio.coroutine(f)` where `f` may give anything: that is awaited if it can be, as the decorator did."""
    of, around = made.args[0], module.parent(made)
    called = module.parent(around) if isinstance(around, ast.Call) and around.func is made else None
    function = module.function(made)
    asks = Symbol("inspect.isawaitable")
    if isinstance(called, ast.Await) and function is not None:
        name = free_name(function)
        if not name or comprehensions(called, module):
            return None
        template = f"await {name} if {{asks}}({name} := {{called}}) else {name}"
        edits = (replace(called, template, asks=asks, called=called.value), replace(made, "{of}", of=of))
        return Fix(*edits, supersedes=(COROUTINE,))
    match around, of:
        case ast.Assign(targets=[ast.Name(id=name)]), ast.Name() if name != of.id and _is_fixed(of, module):
            template = (
                f"async def {name}(*args, **kwargs):\n    result = {{of}}(*args, **kwargs)\n"
                "    return await result if {asks}(result) else result"
            )
            return Fix(replace(around, template, of=of, asks=asks), supersedes=(COROUTINE,))
    return None


def _is_fixed(name: ast.Name, module: Module) -> bool:
    """Does this name mean one thing, whenever it is read?"""
    return len(module.bindings(name) or ()) == 1 and name.id not in ("args", "kwargs", "result")


def _written(fix: Fix) -> Iterator[str]:
    """The qualified names that a fix writes."""
    for edit in fix.edits:
        for hole in (getattr(edit, "holes", None) or {}).values():
            if isinstance(hole, Symbol):
                yield hole.name


def _said(version: Version) -> str:
    return ".".join(map(str, version))


def _note(path: str, finding: Finding, text: str) -> Note:
    return Note(path, finding.line, f"{finding.rule.code} {original(text)}")


def _left(
    remaining: Iterable[tuple[str, Finding, str]], state: Round, names: Iterable[tuple[str, int, str]]
) -> Iterator[Note]:
    """What was not mended, by place."""
    found = [_note(path, finding, f"{finding.message}: {why}") for path, finding, why in remaining]
    for module in state.modules.values() if state.together.gone else ():
        found += (Note(module.path, statement.lineno, IMPORTED) for statement in _imports_what_is_gone(module))
    for file in state.together.files if not state.together.native else ():
        found += (Note(file.module.path, edit.node.lineno, DRIVES_NATIVE) for edit in unwrapping(file))
    for conversion in state.together.candidates():
        why = conversion.reason
        if is_over(conversion.function, conversion.home.module):
            why = "this branch is for Pythons before 3.8, and may go as a whole"
        text = f"`{conversion.function.name}` stays a generator: {why}"
        found.append(Note(conversion.home.module.path, conversion.function.lineno, text))
    found += (Note(*note) for note in names)
    yield from sorted(dict.fromkeys(found))


def _imports_what_is_gone(module: Module) -> Iterator[ast.ImportFrom]:
    """The imports of `asyncio.coroutine` itself, which a Python that does not have it comes to."""
    for statement in module.nodes(ast.ImportFrom):
        names = [qualified for _, _, qualified in imports(statement)]
        if COROUTINE in names and reaches(statement, module, COROUTINE_REMOVED):
            yield statement


def _looks(modules: Iterable[Module]) -> Iterator[Note]:
    """The places that ask whether something is a generator or a coroutine."""
    found = []
    for module in modules:
        for node in module.nodes(ast.Attribute, ast.Name):
            name = module.name(node)
            if name in LOOKS and _is_asked(node, module):
                found.append(Note(module.path, node.lineno, f"`{name}` {LOOKS[name]}"))
    yield from sorted(found)


def _is_asked(node: ast.expr, module: Module) -> bool:
    """Is this called, or what `isinstance` asks for?"""
    around = module.parent(node)
    if isinstance(around, ast.Tuple):
        around = module.parent(around)
    return isinstance(around, ast.Call) and (around.func is node or module.name(around.func) == "builtins.isinstance")
