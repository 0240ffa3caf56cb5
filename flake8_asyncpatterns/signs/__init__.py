"""What the bytes of a file show of its statements, without being parsed: for `needs`.

Everything here may be mistaken for being there (in a string, in a comment), and never for being absent.
"""

from __future__ import annotations

import re

from ..keywords import may_be_names
from ..knowledge.awaitables import GENERATOR_COROUTINES
from ..needs import Group, Text, last, words

ASYNC = words("async")
AWAIT = words("await")
FOR = words("for")
YIELD = words("yield")
# A coroutine: an `async def`, or a generator that is decorated.
ON_THE_LOOP = ASYNC | last(GENERATOR_COROUTINES)


def _pattern(text: bytes) -> Group:
    return frozenset({re.compile(text)})


# Each begins with letters that can be searched for, and never goes back: that is what makes it fast.
WITH = _pattern(rb"\n[ \t\f]*+with\b")
BARE_EXCEPT = _pattern(rb"except[ \t\f\\\n]*+:")
YIELD_FROM = _pattern(rb"yield[ \t\f\\\n]++from\b")
WITH_AWAIT = _pattern(rb"\n[ \t\f]*+with[ \t\f\\\n(]++await\b")
LOOP_KEYWORD = _pattern(rb"loop[ \t\f\\\n]*+=")
# `asyncio.wait(…)` has arguments, `event.wait()` has none.
HAS_ARGUMENTS = _pattern(rb"wait[ \t\f\\]*+(?:\([ \t\f\\\n]*+[^)]|as\b)")

NAME = re.compile(rb"[^\W\d]\w*+")
HANDS_OVER = re.compile(rb"\b(?:await|async|yield)\b")


def _may_have_keywords_as_names(text: Text) -> bool:
    return may_be_names(text.data)


KEYWORD_AS_NAME: Group = frozenset({_may_have_keywords_as_names})
