"""One file from bytes to mended bytes. The one door to the rewriter: what only checks never imports it."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import unified_diff

from .check import findings, parse, told_by
from .examined import TOO_DEEP
from .facts import WAYS, Answer, Facts, Question, View
from .keywords import original
from .module import Module
from .problem import Problem, describe
from .project import Project
from .proof import Unproven
from .rewrite import ROUNDS, Left, Round, Unsettled, rounds
from .rule import Finding, Rule
from .settings import NONE, Settings
from .source import Source, Unreadable, encode, lines
from .tuples import NamedTuple

RUNTIME = re.compile(r"^[ \t]*(?:import|from)[ \t]+asyncpatterns\b", re.MULTILINE)

# File names of such bytes stand in a diff as they are.
SPEAKABLE = re.compile(rb"[^\x00-\x1f\x7f\"\\]*")


class Kept(NamedTuple):
    """A problem that is still there, and why."""

    problem: Problem
    reason: str


class Mend(NamedTuple):
    """Something that was mended, by the line where it was found."""

    line: int
    code: str
    message: str


class Fixed(NamedTuple):
    """What became of a file."""

    path: str
    before: bytes = b""
    after: bytes = b""
    fixed: Sequence[Mend] = ()
    kept: Sequence[Kept] = ()
    needs_runtime: bool = False
    failure: str = ""


class Begun(NamedTuple):
    """A file that is being mended: its text by now (None: that of its source), what was mended in it, in so many
    rounds, and what the other files answer to what it asks with this text (None: they do not know)."""

    text: str | None = None
    stands_in: bool = False  # other names stand in for `async` and `await`
    fixed: tuple[Mend, ...] = ()
    rounds: int = 0
    known: Mapping[Question, Answer] = {}
    is_new: bool = False  # is it another text than the one with which the others were asked?


class Asking(NamedTuple):
    """What a file asks of the others at some round, for whom `facts` is what it tells then."""

    begun: Begun
    asked: Sequence[Question]
    facts: Facts

    def answers(self, path: str, project: Project) -> dict[Question, Answer]:
        """What the others answer."""
        return project.answers(path, lambda: self.facts, self.asked)

    def answered(self, answers: Mapping[Question, Answer]) -> Begun:
        """The file with these answers."""
        return self.begun._replace(known={**self.begun.known, **dict.fromkeys(self.asked), **answers}, is_new=False)


class Came(NamedTuple):
    """What came of a file if the others answer nothing to what it asked, round by round.

    Where they do, it is to be mended again from the first round on at which they do. `fixed` None: it goes no further
    than to the last. `data` are the bytes that it began with; `facts` what it told then, if it was asked for the first
    time.
    """

    fixed: Fixed | None
    data: bytes = b""
    asked: Sequence[Asking] = ()
    facts: Facts | None = None

    def again(self, path: str, project: Project) -> Begun | None:
        """Where it is to be mended from again; None: it is mended."""
        for asking in self.asked:
            answers = asking.answers(path, project)
            if answers or (self.fixed is None and asking is self.asked[-1]):
                return asking.answered(answers)
        return None


def fix(
    source: Source,
    path: str,
    rules: Sequence[Rule],
    settings: Settings = NONE,
    project: Project | None = None,
    *,
    unsafe: bool,
) -> Fixed:
    """Mend what these rules find in a file. Raises Unreadable when that cannot be done."""
    begun: Begun | None = Begun()
    while begun is not None:
        came = advance(source, path, rules, settings, begun, unsafe=unsafe, alone=project is None)
        begun = came.again(path, project) if project is not None else None
    assert came.fixed is not None  # else it would have to go on
    return came.fixed


def advance(
    source: Source,
    path: str,
    rules: Sequence[Rule],
    settings: Settings,
    begun: Begun,
    *,
    unsafe: bool,
    alone: bool = False,
) -> Came:
    """Mend a file as if nothing more was known of the others. `alone`: nothing is asked of them.

    The same goes in and out in any process. Raises Unreadable when the file cannot be mended.
    """
    asker = _Asker(source, path, rules, settings, begun, alone=alone)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the many parses need not tell again and again what the file has in it
            for step in rounds(asker.text, asker.look, unsafe=unsafe, most=ROUNDS - begun.rounds):
                asker.note(step)
    except _Stopped:
        return Came(None, source.data, asker.asked, asker.facts)
    except Unsettled as error:
        raise Unreadable(str(error)) from None
    except (RecursionError, MemoryError):  # the latter is what the parser raises when its own stack is full
        raise Unreadable(TOO_DEEP) from None
    return Came(_fixed(source, path, asker.begun, step), source.data, asker.asked, asker.facts)


def _fixed(source: Source, path: str, done: Begun, last: Round) -> Fixed:
    if not done.fixed or done.text is None:
        return Fixed(path, source.data, source.data, (), [*_kept(last.found, last.left, path, source.text)])
    text = original(done.text) if done.stands_in else done.text
    needs_runtime = bool(RUNTIME.search(text) and not RUNTIME.search(source.text))
    kept = [*_kept(last.found, last.left, path, text)]
    return Fixed(path, source.data, encode(source, text), done.fixed, kept, needs_runtime)


class _Stopped(Exception):
    """Without an answer there is no going on."""


class _Asker:
    """Looks at a file's texts with what is known of the others, and notes what it asks besides."""

    def __init__(
        self, source: Source, path: str, rules: Sequence[Rule], settings: Settings, begun: Begun, *, alone: bool
    ) -> None:
        self.source = source
        self.path = path
        self.rules = rules
        self.settings = settings
        self.begun = begun
        self.alone = alone
        self.asked: list[Asking] = []
        self.facts: Facts | None = None

    @property
    def text(self) -> str:
        """The file's text by now."""
        return self.source.text if self.begun.text is None else self.begun.text

    def look(self, text: str) -> tuple[Module, list[Finding]]:
        """What is found in the text. Raises _Stopped, and Unreadable when it is no Python."""
        known = self.begun.known
        if self.begun.is_new and WAYS in known:
            if known[WAYS]:  # these lead to lines, which have changed
                self.asked.append(Asking(self.begun, [WAYS], self._told(None)))
                raise _Stopped
            known = {question: answer for question, answer in known.items() if question != WAYS}
        view = View(known)
        module = parse(text, self.path, self.settings, view)
        found = findings(module, self.rules)
        if not self.alone:
            if self.begun == Begun():
                self.facts = told_by(module)
            asked = [question for question in view.asked if question not in known]
            if asked:
                asking = Asking(self.begun._replace(known=known), asked, self._told(module))
                self.asked.append(asking)
                self.begun = asking.answered({})
        if module.text != text:
            self.begun = self.begun._replace(stands_in=True)
        return module, found

    def note(self, step: Round) -> None:
        """Note what a round has done."""
        fixed = tuple(Mend(finding.line, finding.rule.code, finding.message) for finding in step.fixed)
        if fixed:
            begun = self.begun
            self.begun = Begun(step.text, begun.stands_in, (*begun.fixed, *fixed), begun.rounds + 1, begun.known, True)

    def _told(self, module: Module | None) -> Facts:
        """What the file tells by now; the module, if there is one, is it with what is known of the others."""
        if module is None or any(self.begun.known.values()):  # what a file tells is what it says by itself
            module = parse(self.text, self.path, self.settings, View())
        return told_by(module)


def _kept(remaining: Iterable[Finding], left: Iterable[Left], path: str, text: str) -> Iterator[Kept]:
    reasons = {_key(one.finding): _left_reason(one) for one in left}
    split = lines(text)
    for finding in remaining:
        problem = describe(finding, path, split)
        yield Kept(problem, reasons.get(_key(finding)) or _reason(problem))


def _key(finding: Finding) -> tuple[object, ...]:
    return finding.rule.code, finding.line, getattr(finding.node, "col_offset", 0), finding.message


def _left_reason(left: Left) -> str:
    if isinstance(left.reason, Unproven):
        return f"its fix went wrong and was not made; please report this: {left.reason}"
    return str(left.reason)


def _reason(problem: Problem) -> str:
    if problem.fix == "unsafe":
        return f"needs `--unsafe`: {problem.why}"
    return problem.why or f"has no fix; see `asyncfix rule {problem.code}`"


def diff(fixed: Fixed) -> bytes:
    """What was changed in a file, byte for byte, as `patch` reads it."""
    # One character a byte, whatever the encoding: so a BOM, and what only looks like a line end, stay as they are.
    before, after = (re.findall(r"[^\n]*\n|[^\n]+", data.decode("latin-1")) for data in (fixed.before, fixed.after))
    name = _quoted(fixed.path)
    head = [b"--- " + name + b"\n", b"+++ " + name + b"\n"]
    body = (line.encode("latin-1") for line in list(unified_diff(before, after))[2:])
    return b"".join(
        line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n" for line in [*head, *body]
    )


def _quoted(path: str) -> bytes:
    """A file's name as `git apply` and `patch` read it in the head of a diff."""
    name = os.fsencode(path.replace(os.sep, "/"))
    if name.startswith(b" ") or not SPEAKABLE.fullmatch(name):
        return b'"' + b"".join(b"%c" % b if SPEAKABLE.fullmatch(b"%c" % b) else b"\\%03o" % b for b in name) + b'"'
    return name + b"\t" if b" " in name else name  # what follows a blank would be taken for a date
