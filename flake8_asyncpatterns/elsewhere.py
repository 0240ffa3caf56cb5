"""Fixes applied to many files, in this process or in others: trees stay here, and their nodes go there as numbers.

Two parses of one text give the same nodes in the same order; so a node's number in that says which one is meant.
"""

from __future__ import annotations

import ast
import io
import pickle
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from .module import Module
from .rewrite import Reason, apply, without_superfluous_imports
from .rule import Fix
from .runner import Runner
from .scopes import imports
from .tuples import NamedTuple

# Applying the fixes of a file takes about so many times as long as looking at it.
EFFORT = 4


class Applied(NamedTuple):
    """A file's text after its fixes, and which of them were applied and which refused; the others have to wait."""

    text: str
    applied: set[Fix]
    refused: dict[Fix, Reason]


# A file and what is to be fixed in it.
File: TypeAlias = tuple[Module, Sequence[Fix]]
# Applies fixes to files; gives what came of each, in their order.
Rewrite: TypeAlias = Callable[[Sequence[File]], Iterator[Applied]]


class Job(NamedTuple):
    """A file, its text as bytes, its pickled fixes, and which names stand for which that its imports bring."""

    name: str
    data: bytes | None
    fixes: bytes
    meanings: Mapping[str, str]


class Outcome(NamedTuple):
    """The same as Applied, with the fixes by their numbers."""

    text: str
    applied: list[int]
    refused: dict[int, Reason]


def rewriting(runner: Runner) -> Rewrite:
    """What applies fixes to files, in as many processes as the runner has."""

    def rewrite(files: Sequence[File]) -> Iterator[Applied]:
        if runner.jobs == 1:
            yield from (applied(*file) for file in files)
            return
        jobs = [
            Job(module.path, module.text.encode(), packed(module, fixes), _meanings(module))
            for module, fixes in files
            if fixes
        ]
        outcomes = runner.run(work, jobs, EFFORT)
        for module, fixes in files:
            if not fixes:
                yield applied(module, fixes)
                continue
            outcome = next(outcomes)
            refused = {fixes[number]: reason for number, reason in outcome.refused.items()}
            yield Applied(outcome.text, {fixes[number] for number in outcome.applied}, refused)

    return rewrite


def applied(module: Module, fixes: Sequence[Fix]) -> Applied:
    """What comes of one file."""
    text, done, refused = apply(module, fixes)
    return Applied(without_superfluous_imports(text, module, done) if done else text, done, refused)


def work(jobs: Sequence[Job]) -> list[Outcome]:
    """What comes of some files. The same in every process."""
    return [_outcome(job) for job in jobs]


def _outcome(job: Job) -> Outcome:
    assert job.data is not None  # it was sent
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "\\d" and its like are the business of others
        module = Module.parse(job.data.decode(), job.name)
        module.look_through(lambda name: job.meanings.get(name, name))
        fixes = unpacked(module, job.fixes)
        came = applied(module, fixes)
    numbers = {fix: number for number, fix in enumerate(fixes)}
    return Outcome(
        came.text, [numbers[fix] for fix in came.applied], {numbers[f]: why for f, why in came.refused.items()}
    )


def _meanings(module: Module) -> dict[str, str]:
    """What the imports of a file stand for that stand for something else."""
    found = (name for statement in module.nodes(ast.Import, ast.ImportFrom) for _, _, name in imports(statement))
    return {name: meant for name in found if (meant := module.meant(name)) != name}


def packed(module: Module, fixes: Sequence[Fix]) -> bytes:
    """Fixes of a file as bytes."""
    numbers = {node: number for number, node in enumerate(module.parents)}

    class Pickler(pickle.Pickler):
        def persistent_id(self, value: object) -> int | None:
            return numbers.get(value) if isinstance(value, ast.AST) else None

    out = io.BytesIO()
    Pickler(out, pickle.HIGHEST_PROTOCOL).dump([*fixes])
    return out.getvalue()


def unpacked(module: Module, data: bytes) -> list[Fix]:
    """Fixes of a file from bytes that were made of another parse of its text."""
    nodes = [*module.parents]

    class Unpickler(pickle.Unpickler):
        def persistent_load(self, number: int) -> ast.AST:
            return nodes[number]

    fixes: list[Fix] = Unpickler(io.BytesIO(data)).load()
    return fixes
