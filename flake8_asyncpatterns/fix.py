"""One file from bytes to mended bytes. The one door to the rewriter: what only checks never imports it."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from difflib import unified_diff
from typing import NamedTuple

from .check import TOO_DEEP, findings, parse, settled
from .facts import View
from .keywords import original
from .module import Module
from .problem import Problem, describe
from .project import Project
from .proof import Unproven
from .rewrite import Left, Unsettled, mend
from .rule import Finding, Rule
from .settings import NONE, Settings
from .source import Source, Unreadable, encode, lines

RUNTIME = re.compile(r"^[ \t]*(?:import|from)[ \t]+asyncpatterns\b", re.MULTILINE)

# File names of such bytes stand in a diff as they are.
SPEAKABLE = re.compile(rb"[^\x00-\x1f\x7f\"\\]*")


class Kept(NamedTuple):
    """A problem that is still there, and why."""

    problem: Problem
    reason: str


class Fixed(NamedTuple):
    """What became of a file."""

    path: str
    before: bytes = b""
    after: bytes = b""
    fixed: Sequence[Finding] = ()
    kept: Sequence[Kept] = ()
    needs_runtime: bool = False
    failure: str = ""


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

    def found_in(module: Module) -> list[Finding]:
        return settled(module, lambda module: findings(module, rules), project)

    module = parse(source.text, path, settings, View())
    found = found_in(module)
    if not any(finding.fix and (unsafe or not finding.fix.unsafe) for finding in found):
        return Fixed(path, source.data, source.data, (), list(_kept(found, (), path, source.text)))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the many parses need not tell again and again what the file has in it
            mended = mend(module.text, found_in, unsafe=unsafe, path=path, settings=settings)
    except Unsettled as error:
        raise Unreadable(str(error)) from None
    except (RecursionError, MemoryError):  # the latter is what the parser raises when its own stack is full
        raise Unreadable(TOO_DEEP) from None
    text = mended.text if module.text == source.text else original(mended.text)
    after = encode(source, text)
    return Fixed(
        path,
        source.data,
        after,
        mended.fixed,
        list(_kept(mended.remaining, mended.left, path, text)),
        bool(RUNTIME.search(text) and not RUNTIME.search(source.text)),
    )


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
