"""New values that come of old ones, with an await between, as far as the bytes of a file show: for `needs`."""

from __future__ import annotations

import re
from collections import defaultdict

from ..layout import statement
from ..needs import Group, Text
from . import NAME

# `x += …`
CHANGED = re.compile(rb"[-+*/%&|^@<>]=(?<![^<]<=)(?<![^>]>=)")
# `x.y = …`, `x[y] = …`; `x = …` where that may be another function's.
KEPT = re.compile(rb"[\n;][ \t]*+(\w++[ \t]*+(?:[.\[][^\n=(]*+)++)=(?!=)([^\n]*+)")
BOUND = re.compile(rb"[\n;][ \t]*+([\w.\[\]'\"]++)[ \t]*+(?::[^=\n]*+)?=(?!=)([^\n]*+)")
# A variable that is an attribute, an item or a variable, and nothing else.
READ = re.compile(rb"[\n;:=(,.][ \t]*+(\w++)[ \t]*+(?::[^=\n]*+)?=[ \t]*+([\w.]++(?:\[[^\n]*+)?)[ \t]*+[\n;#]")
LAST_NAME = re.compile(rb"([^\W\d]\w*)[ \t]*(?:\[[^\n]*)?[ \t]*(?::[^\n]*)?$")
OPERATOR = re.compile(rb"[-+*/%&|^@]|<<|>>|[(\[{\\]$")


def _may_be_update(text: Text) -> bool:
    """Is there an update whose new value awaits, or one with an old value that was read before?

    What is not an attribute or an item is no other task's, unless it is declared to be.
    """
    data = text.coroutines.data
    if any(b"await" in statement(data, found.end()) for found in CHANGED.finditer(data)):
        return True
    shared = KEPT if text.words.isdisjoint((b"global", b"nonlocal")) else BOUND
    written: dict[bytes, set[bytes]] = defaultdict(set)
    for found in shared.finditer(data):
        if OPERATOR.search(found[2]) and (target := LAST_NAME.search(found[1])):
            value = statement(data, found.start(2))
            if b"await" in value and target[1] in NAME.findall(value):
                return True
            written[target[1]].update(NAME.findall(value))
    return bool(written) and any(
        found[1] in written.get(read[1], ()) for found in READ.finditer(data) if (read := LAST_NAME.search(found[2]))
    )


UPDATE: Group = frozenset({_may_be_update})
