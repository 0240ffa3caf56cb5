"""Problems → SARIF 2.1.0, which code scanning services read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from json import dumps
from pathlib import Path
from typing import Any
from urllib.parse import quote

from . import docs
from .problem import Place, Problem
from .rules import RULES

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif(problems: Sequence[Problem], failures: Mapping[str, str], version: str) -> str:
    """A log of one run. `failures` are files that could not be checked, and why."""
    codes = sorted({problem.code for problem in problems})
    run = {
        "tool": {
            "driver": {
                "name": "asyncfix",
                "fullName": "flake8-asyncpatterns",
                "version": version,
                "rules": [_rule(code) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, codes.index(problem.code)) for problem in problems],
        "invocations": [
            {
                "executionSuccessful": not failures,
                "toolExecutionNotifications": [
                    {
                        "level": "error",
                        "message": {"text": reason},
                        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(path)}}}],
                    }
                    for path, reason in failures.items()
                ],
            }
        ],
    }
    return dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(code: str) -> dict[str, Any]:
    rule = RULES[code]
    page = docs.page(rule)
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.summary.replace("`", "")},
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"enabled": rule.default, "level": "error"},
    }


def _result(problem: Problem, index: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": problem.code,
        "ruleIndex": index,
        "level": "error",
        "message": {"text": problem.message},
        "locations": [_location(problem.place)],
    }
    if problem.notes:
        result["relatedLocations"] = [
            {"id": number, **_location(note.place), "message": {"text": note.message}}
            for number, note in enumerate(problem.notes)
        ]
    steps = [note for note in problem.notes if note.is_step]
    if steps:
        flow = [(problem.place, problem.message), *((note.place, note.message) for note in steps)]
        locations = [{"location": {**_location(place), "message": {"text": text}}} for place, text in flow]
        result["codeFlows"] = [{"threadFlows": [{"locations": locations}]}]
    return result


def _location(place: Place) -> dict[str, Any]:
    region = {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    }
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(place.path)}, "region": region}}


def _uri(path: str) -> str:
    return Path(path).as_uri() if Path(path).is_absolute() else quote(os.fsencode(Path(path).as_posix()))
