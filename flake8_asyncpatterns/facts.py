"""What one file tells the others: small, without its tree, and the same wherever and whenever it is worked out.

`analysis/summary.py` makes Facts of a Module; `project.py` links the Facts of many files. What a file may ask of the
others is a Question; the answers, like the Facts, can be sent to other processes and kept on disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from .tuples import NamedTuple

# On the way of a Named: what a call of it gives, and what awaiting that call does. All else are attributes.
CALLED = "()"
AWAITED = "await ()"
# At the start of a Named: from here on, what comes is unsure. And before the name of a class of the same file.
UNSURE = ""
OWN = "@"
# The doubt about a Use that is reached only under a condition, and only after something has failed.
CONDITIONAL, FAILED = 2, 5


class Told(NamedTuple):
    """What is known of a thing: the qualified name of its class, and what is in it (see Type in types.py).

    The name of a class of the same file begins with OWN.
    """

    name: str | None = None
    item: Told | None = None
    value: Told | None = None
    parts: tuple[Told | None, ...] = ()


class Span(NamedTuple):
    """A stretch of a file. Lines and columns count from 1, columns in characters; the end is just behind it."""

    line: int
    column: int
    end_line: int
    end_column: int


class Named(NamedTuple):
    """What code of one file names in another: where it begins, and the way from there.

    `start` is one qualified name, as the file sees it, or those of the base classes of one of its own classes, nearest
    first. `path` are attributes, and calls on the way.
    """

    start: tuple[str, ...]
    path: tuple[str, ...] = ()


# A constant, in a tuple of its own: None is one, too.
Constant: TypeAlias = tuple[Any]


class Given(NamedTuple):
    """The arguments of a call, as far as they are constants, or parameters of the caller's own, by their names (None:
    another value).

    `positional` ends before the first that is unpacked; `spread`: some are.
    """

    positional: tuple[Constant | str | None, ...]
    keywords: Mapping[str, Constant | str | None]
    spread: bool

    def handed_on(self) -> tuple[str, ...]:
        """The caller's own parameters among them."""
        return tuple(one for one in (*self.positional, *self.keywords.values()) if isinstance(one, str))


class Parameter(NamedTuple):
    """Where a call passes a parameter by position (-1: nowhere), and its default where that is a constant."""

    place: int
    default: Constant | None = None


class Condition(NamedTuple):
    """A condition on parameters: `given` (is it true), `is`, `is not` (a constant), `not`, `and`, `or`, or unknown."""

    kind: Literal["given", "is", "is not", "not", "and", "or", "unknown"]
    name: str = ""
    value: Constant | None = None
    parts: tuple[Condition, ...] = ()


class When(NamedTuple):
    """A place is reached only where a condition is so (as far as it is known)."""

    test: Condition
    so: bool


class Block(NamedTuple):
    """A call that holds up whoever makes it: its qualified name, the code of the rule, and why a thread cannot."""

    name: str
    code: str
    bound: str = ""


class Use(NamedTuple):
    """What runs a function, in another function: a call of it, or reading the property that it is.

    `target` is what blocks, a function of the file (by its number), or what has a name in another file. `called` is
    how it is written there. `stands` says how: "read", "entered" (by `with`), "iterated", "awaited". `doubt`:
    CONDITIONAL where it is reached only under a condition that `when` does not tell, 1 where such a one may lead to a
    `return` before it, FAILED where it is reached only after something has failed.
    `own` are conditions on what `self` has, as they are written, and whether they are so where it is reached;
    `on_self`: what runs is a method of that same object.
    """

    span: Span
    called: str
    target: Block | int | Named
    stands: tuple[str, ...] = ()
    given: Given | None = None
    when: tuple[When, ...] = ()
    doubt: int = 0
    own: tuple[tuple[str, bool], ...] = ()
    on_self: bool = False


class LoopRun(NamedTuple):
    """A call that runs an event loop, as it is written."""

    span: Span
    called: str


class Function(NamedTuple):
    """A function or method.

    `runs` is how a call must stand so that it surely runs: "called", "entered", "iterated"; empty: it is unsure, or
    another matter, as for coroutines (`on_loop`). `reads`: it is a property. `parameters` are those that conditions in
    `uses` are about, or that these hand on. `hindrance` is why no thread can run it, if one surely could.
    `kind` is what a call gives that does nothing yet (see analysis/coroutines.py), `hands_on` what that is left to.
    `plain`: no coroutine function, and nothing decorates it. `gives_nothing`: what it returns is surely None.
    `endless`: it never returns; `needs`: … if one of these never does. `loop` is where it runs an event loop, in any
    case, `always` what may do so that it calls in any case. `gives` is the type of what it returns.
    """

    name: str
    owner: str
    line: int
    runs: str
    reads: bool
    on_loop: bool
    parameters: Mapping[str, Parameter]
    uses: tuple[Use, ...]
    hindrance: str
    kind: str | None = None
    hands_on: tuple[Named, ...] = ()
    plain: bool = False
    gives_nothing: bool = False
    endless: bool = False
    needs: tuple[Named, ...] = ()
    loop: LoopRun | None = None
    always: tuple[Named, ...] = ()
    gives: Told | None = None


class Class(NamedTuple):
    """A class. `bases` are classes of the file (by number) or qualified names; None: unknown.

    `methods` are functions by number; `attributes` all other names that its instances have, and properties, with
    their types. `overridden` are methods that subclasses in the file define anew. `plain`: calling it makes one.
    """

    name: str
    bases: tuple[int | str | None, ...]
    methods: Mapping[str, int]
    attributes: Mapping[str, Told | None]
    overridden: tuple[str, ...]
    plain: bool


class Ref(NamedTuple):
    """A function or class of the same file, by its number."""

    kind: Literal["function", "class"]
    number: int


class Facts(NamedTuple):
    """What a file tells the others.

    `names` is what is bound at its top: the qualified name of what is imported, a definition, a variable's type; None:
    unsure. `stars` are the modules of which everything is imported, `modules` all that anything is imported from.
    `signals`: it has to do with the signals of the process.
    """

    names: Mapping[str, str | Ref | Told | None]
    stars: tuple[str, ...]
    modules: tuple[str, ...]
    functions: tuple[Function, ...]
    classes: tuple[Class, ...]
    signals: bool


class Step(NamedTuple):
    """One step of a way: what is run at a place (`path` and `span`).

    Of a function its name, and the file and line where it is defined; of what blocks its qualified name and the place
    itself. `called` is how it is written there. `reads`: it is a property that is read.
    """

    path: str
    span: Span
    name: str
    called: str
    reads: bool
    defined: str
    line: int


class Way(NamedTuple):
    """How a call comes to block: its steps, what it ends in, why no thread can go it, whether it is a generator's, and
    whether all that it ever waits for are sleeps."""

    steps: tuple[Step, ...]
    end: Block
    hindrance: str
    generator: bool
    sleeps: bool


class Loop(NamedTuple):
    """Where a loop is run, and how that is written there."""

    path: str
    span: Span
    called: str


class Question(NamedTuple):
    """What a file asks of the others; `named` is what about."""

    about: Literal["kind", "type", "plain", "nothing", "endless", "loop", "ways", "signals", "library", "speaker"]
    named: Named | None = None


WAYS = Question("ways")
# To that: for each place in the file that comes to block by way of other files, and for the rule that speaks of it.
Ways: TypeAlias = Mapping[Span, Way]
Answer: TypeAlias = Any


class View:
    """What one file may ask of the others, and what it has asked. Without an answer, nothing is known."""

    def __init__(self, answers: Mapping[Question, Answer] | None = None) -> None:
        self.answers = answers or {}
        self.asked: dict[Question, None] = {}

    def _ask(self, question: Question) -> Answer:
        self.asked[question] = None
        return self.answers.get(question)

    def kind(self, named: Named) -> Any:
        """What a call of it gives that does nothing yet: see analysis/coroutines.py."""
        return self._ask(Question("kind", named))

    def type(self, named: Named) -> Told | None:
        """What it is an instance of: only what is no class of this project."""
        found: Told | None = self._ask(Question("type", named))
        return found

    def is_a_librarys(self, named: Named) -> bool:
        """Is it what a module or an object of a library has, and no class of this project gives it?"""
        return bool(self._ask(Question("library", named)))

    def speaker(self, name: str) -> str | None:
        """Another file that may speak of an attribute, or a global, of this name that this one gives.

        That is asked of those who mend, as it takes the bytes of all files; to others it has no answer.
        """
        found: str | None = self._ask(Question("speaker", Named((UNSURE,), (name,))))
        return found

    def is_plain(self, named: Named) -> bool:
        """Is it an undecorated plain function that gives no coroutine?"""
        return bool(self._ask(Question("plain", named)))

    def gives_nothing(self, named: Named) -> bool:
        """Is it a function that surely returns None?"""
        return bool(self._ask(Question("nothing", named)))

    def is_endless(self, named: Named) -> bool:
        """Is it a coroutine function that never returns, in a file that leaves signals alone?"""
        return bool(self._ask(Question("endless", named)))

    def runs_a_loop(self, named: Named) -> Loop | None:
        """Where a plain function runs an event loop, whenever it runs."""
        found: Loop | None = self._ask(Question("loop", named))
        return found

    def ways(self) -> Ways:
        """The uses in this file that come to block by way of other files."""
        return self._ask(WAYS) or {}

    def handles_signals(self) -> bool:
        """Has any file that this one imports, itself or by way of others, to do with the signals of the process?"""
        return bool(self._ask(Question("signals")))
