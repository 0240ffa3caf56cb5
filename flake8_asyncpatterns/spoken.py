"""Whether a file may speak of an attribute, or a global variable, that another one gives: told by its bytes."""

from __future__ import annotations

import re
from enum import Enum

# Behind a dot, in quotes (`setattr(client, "ready", True)`), or imported.
PLACES = (
    rb"(?P<own>(?<![\w.])self\s*)?\.\s*%(name)s\b"
    rb"|(?P<quote>['\"])%(name)s(?P=quote)"
    rb"|\bimport\b(?:[^\n(]*|\s*\([^)]*)\b%(name)s\b"
)


class Spoken(Enum):
    """How a file speaks of a name: not at all, as what its own `self` has, or in any other way."""

    NEVER = 0
    OF_SELF = 1
    OF_OTHERS = 2


def spoken(name: str, data: bytes) -> Spoken:
    """How a file with these bytes speaks of an attribute or a global of this name."""
    word = name.encode()
    if word not in data:  # most files do not
        return Spoken.NEVER
    places = [*re.finditer(PLACES % {b"name": re.escape(word)}, data)]
    if not places:
        return Spoken.NEVER
    return Spoken.OF_SELF if all(place["own"] for place in places) else Spoken.OF_OTHERS
