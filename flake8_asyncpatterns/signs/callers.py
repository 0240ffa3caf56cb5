"""Which kind of function makes a call, as far as the bytes of a file show: for `needs`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from ..needs import Group, Need, Needs, Text
from ..uses import calls_of, is_awaited, is_renamed
from . import ON_THE_LOOP


def made_by_coroutines(needs: Iterable[Need], *, awaited: bool = False) -> Needs:
    """The needs of `calls`, where it has to be a coroutine function that makes the call, and (unless `awaited`) does
    not await it."""
    return Needs(lambda: (_made(need, partial(_by_coroutine, awaited)) for need in needs))


def made_for_coroutines(needs: Iterable[Need]) -> Needs:
    """The needs of `calls`, where it has to be a plain function that makes the call, and one that a coroutine function
    speaks of, or of what calls it, and so on."""
    return Needs(lambda: (_made(need, _by_plain_function) for need in needs))


def _made(need: Need, sign: Callable[[Group, Group, Text], bool]) -> Need:
    if not need.words:
        return need._replace(words=(ON_THE_LOOP,))
    names, *_ = need.words
    # What no type has is a function of the package itself: imported by its own name, or called as `package.f()`.
    modules = need.known[0] | {b""} if len(need.known) == 1 else frozenset()
    return need._replace(words=(*need.words, ON_THE_LOOP, frozenset({partial(sign, names, modules)})))


def _by_coroutine(awaited: bool, names: Group, modules: Group, text: Text) -> bool:
    code, inside = text.code, text.coroutines
    return _any_renamed(names | modules, code) or _any_called(names, modules, inside, awaited=awaited)


def _by_plain_function(names: Group, modules: Group, text: Text) -> bool:
    code, inside = text.code, text.coroutines
    if _any_renamed(names | modules, code):
        return True
    plain = text.plain_functions
    blocking = {name for name, body in plain if _any_called(names, modules, body)}
    before = 0
    while len(blocking) > before:
        before = len(blocking)
        if b"__init__" in blocking:
            blocking |= text.classes
        blocking |= {name for name, body in plain if not blocking.isdisjoint(body.words)}
    return not blocking.isdisjoint(inside.words) or _any_renamed(frozenset(blocking), code)


def _any_renamed(names: Group, code: Text) -> bool:
    return any(is_renamed(name, code.data) for name in names & code.words if isinstance(name, bytes))


def _any_called(names: Group, modules: Group, code: Text, *, awaited: bool = False) -> bool:
    return any(
        awaited or not is_awaited(call, code.data)
        for name in names & code.words
        if isinstance(name, bytes)
        for call in calls_of(name, code.data, modules)
    )
