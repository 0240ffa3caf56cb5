"""Links the Facts of many files: what a name of one means in another, and what a call comes to by way of others.

Nothing is ever run, and no tree is kept. Facts are asked for when a question leads to their file, and every answer is
the same in whatever order the questions come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from .collector import paused
from .facts import (
    AWAITED,
    CALLED,
    OWN,
    UNSURE,
    Answer,
    Class,
    Facts,
    Function,
    Loop,
    Named,
    Question,
    Ref,
    Told,
)
from .roots import Roots
from .shelf import seen_from_here
from .tuples import NamedTuple
from .ways import Ways

# Re-exports are followed so far.
HOPS = 8
# Functions between a coroutine and what runs a loop are followed so far.
DEPTH = 3
# A method of a project's own whose name says that it never returns.
SAY_SO = frozenset({"run_forever", "serve_forever"})


class Place(NamedTuple):
    """A function or class, by its number, and the path of its file."""

    path: str
    ref: Ref


class Instance(NamedTuple):
    """An instance of a class of the project."""

    cls: Place


# What a name leads to: a definition, an instance of a class of the project, or of one from elsewhere.
Thing: TypeAlias = Place | Instance | Told
Texts: TypeAlias = Callable[[str], Iterable[tuple[str, bytes]]]


class Project:
    """The first-party files around those that are checked.

    `load` gives the Facts of a file, by its absolute path; None: it cannot be read. It is asked once for each. `roots`
    says which file an import means, `ways` how calls come to block. `texts` gives the absolute paths and the bytes of
    all files of the project that a file is in; None: nobody reads them all.
    """

    def __init__(
        self, load: Callable[[str], Facts | None], roots: Roots | None = None, texts: Texts | None = None
    ) -> None:
        self._load = load
        self.roots = roots or Roots()
        self._texts = texts
        self._facts: dict[str, Facts | None] = {}
        # The files that names in a file lead to, by absolute path, as far as somebody has followed them.
        self.links: dict[str, dict[str, None]] = {}
        self.ways = Ways(self.facts, self.function)
        self._named: dict[tuple[str, Named], Thing | None] = {}

    @property
    def consulted(self) -> Mapping[str, Facts | None]:
        """The files whose Facts were asked for, by absolute path."""
        return self._facts

    @property
    def folders(self) -> Mapping[str, frozenset[str]]:
        """The directories that were looked into, and the names in them."""
        return self.roots.folders

    def facts(self, path: str) -> Facts | None:
        """The Facts of a file; None: it cannot be read."""
        if path not in self._facts:
            self._facts[path] = self._load(path)
        return self._facts[path]

    def answers(self, path: str, facts: Callable[[], Facts], asked: Iterable[Question]) -> dict[Question, Answer]:
        """What is known of what a file asks; what is not known is left out.

        `path` is the file's own name, `facts` gives what it says now, which may be another text than is on disk.
        """
        at = str(Path(path).absolute())
        project = self._with(at, facts) if any(question.about == "ways" for question in asked) else self
        with paused():  # what is found out meanwhile is kept
            found = ((question, project._answer(at, question)) for question in asked)
            return {question: answer for question, answer in found if answer}

    def _with(self, path: str, facts: Callable[[], Facts]) -> Project:
        """This project, in which a file tells this."""
        now = facts()
        if self._facts.setdefault(path, now) == now:
            return self
        others = self.facts
        return Project(lambda other: now if other == path else others(other), self.roots, self._texts)

    def _answer(self, path: str, question: Question) -> Answer:
        if question.about == "ways":
            return self.ways.abroad(path)
        if question.about == "signals":
            return any(facts.signals for facts in self._imported(path))
        if question.about == "library":
            return question.named is not None and self._is_a_librarys(path, question.named)
        if question.about == "speaker":
            return self._speaker(path, question.named) if question.named else None
        thing = self.named(path, question.named) if question.named else None
        if question.about == "type":
            return self._foreign(thing)
        if not isinstance(thing, Place) or thing.ref.kind != "function":
            return None
        function = self._function(thing)
        match question.about:
            case "kind":
                return self._kind(thing, frozenset())
            case "plain":
                return function.plain and self._kind(thing, frozenset()) is None
            case "nothing":
                return function.gives_nothing
            case "endless":
                return self._is_endless(thing, frozenset())
            case "loop":
                return self._loop(thing, DEPTH)
        return None

    def _foreign(self, thing: Thing | None) -> Told | None:
        """What is known of a thing, without what only its file knows."""
        if not isinstance(thing, Told) or (thing.name or ".").startswith((OWN, ".")):
            return None
        item, value = self._foreign(thing.item), self._foreign(thing.value)
        return Told(thing.name, item, value, tuple(map(self._foreign, thing.parts)))

    def _is_a_librarys(self, path: str, named: Named) -> bool:
        """Does what a module or an instance has come from outside: is it named by no file of this project?"""
        if len(named.start) != 1 or named.start[0] == UNSURE:
            return False
        if self._leads_out(path, named.start[0], HOPS):
            return True
        *made, attribute = named.path or (CALLED,)
        thing = self._find(path, named.start[0], HOPS) if made in ([], [CALLED]) else None
        if attribute == CALLED or not isinstance(thing, Place) or thing.ref.kind != "class":
            return False
        family = [*self._family([thing])]
        own = [self._class(place) for place in family if place is not None]
        return None in family and not any(attribute in cls.attributes or attribute in cls.methods for cls in own)

    def _speaker(self, path: str, named: Named) -> str | None:
        """The name of another file that may speak of an attribute or a global of this one."""
        from .spoken import Spoken, spoken  # late: only those who mend have an answer

        [name] = named.path
        for other, data in self._texts(path) if self._texts else ():
            how = spoken(name, data) if other != path else Spoken.NEVER
            if how is Spoken.OF_OTHERS or (how is Spoken.OF_SELF and not self._has_its_own(other, name, path)):
                return seen_from_here(other)
        return None

    def _has_its_own(self, path: str, name: str, others: str) -> bool:
        """Is there an attribute of this name in a file's classes, none of which inherits from one of another's?"""
        facts = self.facts(path)
        classes = [Place(path, Ref("class", number)) for number in range(len(facts.classes))] if facts else []
        family = [place for place in self._family([*classes]) if place is not None]
        return not any(place.path == others for place in family) and any(
            name in cls.attributes or name in cls.methods for cls in map(self._class, family)
        )

    def _leads_out(self, path: str, qualified: str, hops: int) -> bool:
        """Is what a qualified name in a file means imported from outside, there or by way of other files?"""
        found = self._file(path, qualified)
        if found is None:
            return not qualified.startswith(".")  # what is imported so is the package's own, wherever it lies
        further, names = found
        facts = self.facts(further) if names and hops else None
        bound = facts.names.get(names[0]) if facts else None
        return isinstance(bound, str) and self._leads_out(further, ".".join([bound, *names[1:]]), hops - 1)

    def _function(self, place: Place) -> Function:
        facts = self.facts(place.path)
        assert facts is not None  # they have led to it
        return facts.functions[place.ref.number]

    def _class(self, place: Place) -> Class:
        facts = self.facts(place.path)
        assert facts is not None  # as above
        return facts.classes[place.ref.number]

    def _kind(self, place: Place, met: frozenset[Place]) -> str | None:
        """What a call of a function gives that does nothing yet."""
        function = self._function(place)
        if function.kind is not None or not function.hands_on or place in met:
            return function.kind
        kinds = set()
        for named in function.hands_on:
            thing = self.named(place.path, named)
            is_function = isinstance(thing, Place) and thing.ref.kind == "function"
            kinds.add(self._kind(thing, met | {place}) if is_function else None)  # type: ignore[arg-type]  # a Place
        return "coroutine" if kinds == {"coroutine"} else None

    def _is_endless(self, place: Place, met: frozenset[Place]) -> bool:
        """Does a coroutine function never return, and does no file on the way speak of signals?"""
        facts, function = self.facts(place.path), self._function(place)
        if facts is None or facts.signals or place in met or not function.on_loop:
            return False
        if function.endless or function.name in SAY_SO:
            return True
        things = (self.named(place.path, named) for named in function.needs)
        places = [thing for thing in things if isinstance(thing, Place) and thing.ref.kind == "function"]
        return any(self._is_endless(other, met | {place}) for other in places)

    def _loop(self, place: Place, depth: int) -> Loop | None:
        """Where a plain function runs an event loop, whenever it runs."""
        function = self._function(place)
        if function.loop is not None or not depth:
            return Loop(place.path, *function.loop) if function.loop else None
        things = (self.named(place.path, named) for named in function.always)
        places = (thing for thing in things if isinstance(thing, Place) and thing.ref.kind == "function")
        return next((found for other in places if (found := self._loop(other, depth - 1))), None)

    def _imported(self, path: str) -> Iterator[Facts]:
        """The Facts of all files that a file imports, itself or by way of others."""
        todo, seen = [path], {path}
        while todo:
            current = todo.pop()
            facts = self.facts(current)
            if facts is None:
                continue
            if current != path:
                yield facts
            for module in facts.modules:
                found = self._file(current, module)
                if found and found[0] not in seen:
                    seen.add(found[0])
                    todo.append(found[0])

    def function(self, path: str, named: Named) -> tuple[str, int] | None:
        """The function that a call of what a name in a file means runs; None: none of this project, or unsure."""
        thing = self.named(path, named)
        if not isinstance(thing, Place):
            return None
        if thing.ref.kind == "class":
            made = self._step(thing, "__init__", HOPS) if self._class(thing).plain else None
            return (made.path, made.ref.number) if isinstance(made, Place) and made.ref.kind == "function" else None
        return thing.path, thing.ref.number

    def named(self, path: str, named: Named) -> Thing | None:
        """What a name in a file means; None: nothing of this project, or unsure."""
        key = (path, named)
        if key not in self._named:
            self._named[key] = None  # while it is worked out: what leads to itself is unknown
            self._named[key] = self._walk(path, named)
        return self._named[key]

    def _walk(self, path: str, named: Named) -> Thing | None:
        steps = list(named.path)
        if named.start == () or UNSURE in named.start[:1]:
            return None
        thing: Thing | None
        if len(named.start) == 1:
            thing = self._find(path, named.start[0], HOPS)
        else:
            bases = [self._base(path, start) for start in named.start]
            thing = self._inherited(bases, steps.pop(0), HOPS) if steps else None
        for step in steps:
            thing = self._step(thing, step, HOPS) if thing is not None else None
        return thing

    def _file(self, path: str, qualified: str) -> tuple[str, tuple[str, ...]] | None:
        """The file that a qualified name in a file leads to, and what is left of the name there."""
        found = self.roots.file(path, qualified)
        if found is not None:
            self.links.setdefault(path, {})[found[0]] = None
        return found

    def _find(self, path: str, qualified: str, hops: int) -> Thing | None:
        """What a qualified name means in a file."""
        found = self._file(path, qualified) if hops else None
        if found is None or not found[1]:
            return None
        return self._top(found[0], found[1], hops)

    def _top(self, path: str, names: tuple[str, ...], hops: int) -> Thing | None:
        """What dotted names mean at the top of a file."""
        facts = self.facts(path) if hops else None
        if facts is None:
            return None
        if names[0] not in facts.names:
            starred = self._starred(path, names[0])
            return self._top(starred, names, hops - 1) if starred else None
        bound = facts.names[names[0]]
        if isinstance(bound, str):
            return self._find(path, ".".join([bound, *names[1:]]), hops - 1)
        thing = Place(path, bound) if isinstance(bound, Ref) else self._told(path, bound, hops - 1)
        for name in names[1:]:
            thing = self._step(thing, name, hops - 1) if thing is not None else None
        return thing

    def _starred(self, path: str, name: str) -> str | None:
        """The file from which `from x import *`, there or further on, brings a name."""
        todo, seen = [path], {path}
        for current in todo:
            facts = self.facts(current)
            if facts is None:
                continue
            if name in facts.names:
                return current
            for star in facts.stars:
                # What is asked for is of no matter: it leads to the module itself.
                found = self._file(current, f"{star}*" if star.endswith(".") else f"{star}.*")
                if found and found[1] == ("*",) and found[0] not in seen:
                    seen.add(found[0])
                    todo.append(found[0])
        return None

    def _told(self, path: str, told: Told | None, hops: int) -> Thing | None:
        """The thing of this type, as a file calls that."""
        if told is None or told.name is None or not hops:
            return None
        if told.name.startswith(OWN):
            thing = self._top(path, (told.name.removeprefix(OWN),), hops)
        else:
            thing = self._find(path, told.name, hops)
        if isinstance(thing, Place) and thing.ref.kind == "class":
            return Instance(thing)
        return told if thing is None else None

    def _step(self, thing: Thing, step: str, hops: int) -> Thing | None:
        """What an attribute of a thing is, or what a call of it gives."""
        if not hops:
            return None
        match thing:
            case Place(ref=Ref(kind="function")):
                function = self._function(thing)
                if step not in (CALLED, AWAITED) or function.on_loop is not (step == AWAITED):
                    return None
                return self._told(thing.path, function.gives, hops - 1)
            case Place() if step == CALLED:
                return Instance(thing) if self._class(thing).plain else None
            case Place() as cls:
                return self._inherited([cls], step, hops)
            case Instance(cls=cls) if step not in (CALLED, AWAITED):
                return self._inherited([cls], step, hops)
        return None

    def _inherited(self, bases: list[Place | None], name: str, hops: int) -> Thing | None:
        """What a name is for an instance of a class with these bases, as they, in whatever file, say; None: unsure."""
        for own in self._family(bases):
            if own is None:
                return None
            cls = self._class(own)
            if name in cls.attributes:
                return self._told(own.path, cls.attributes[name], hops - 1)
            if name in cls.methods:
                return Place(own.path, Ref("function", cls.methods[name])) if name not in cls.overridden else None
        return None

    def _family(self, bases: list[Place | None]) -> Iterator[Place | None]:
        """These classes and those that they inherit from, each once; None: one that is unknown."""
        todo = list(bases)
        seen: set[Place] = set()
        for own in todo:
            if own is None:
                yield None
            elif own not in seen:
                seen.add(own)
                yield own
                todo += [
                    Place(own.path, Ref("class", base)) if isinstance(base, int) else self._base(own.path, base)
                    for base in self._class(own).bases
                ]

    def _base(self, path: str, qualified: str | None) -> Place | None:
        thing = self._find(path, qualified, HOPS) if qualified else None
        return thing if isinstance(thing, Place) and thing.ref.kind == "class" else None
