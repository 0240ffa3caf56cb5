"""What stands in the block of a `with`, as far as the bytes of a file show: for `needs`."""

from __future__ import annotations

import re
from functools import partial

from ..layout import block, line_start, start_of
from ..needs import Group, Text
from . import HANDS_OVER

ENTERS = re.compile(rb"[ \t\f]*+(?:async[ \t]++)?with\b")


def under(names: Group, sign: re.Pattern[bytes] | None = None) -> Group:
    """Is there a `with` of one of these calls in whose block this is to be found; None: where nothing awaits?"""
    return frozenset({partial(_under, names, sign)})


def _under(names: Group, sign: re.Pattern[bytes] | None, text: Text) -> bool:
    data = text.data
    for name in names & text.words:
        assert isinstance(name, bytes)
        for found in re.finditer(name + rb"[ \t]*+(?:\(|as\b)", data):
            if found[0].endswith(b"as"):
                return True  # it is called by another name
            start = line_start(data, found.start())
            if not ENTERS.match(data, start):
                start = line_start(data, start_of(data, found.start()))
            if entered := ENTERS.match(data, start):
                inside = block(data, entered.end())
                if (HANDS_OVER.search(inside) is None) if sign is None else (sign.search(inside) is not None):
                    return True
    return False
