"""Function composition: the result of each function is the argument of the next, sync and async mixed."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

__all__ = ["connect"]

P = ParamSpec("P")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
F = TypeVar("F")

# Two overloads for each number of functions, because mypy cannot tell what `Awaitable[X] | X` gives for
# the last one (for those before it, the next one's parameter settles it). Pyright is content with either.


@overload
def connect(a: Callable[P, Awaitable[A]], /) -> Callable[P, Coroutine[Any, Any, A]]: ...
@overload
def connect(a: Callable[P, A], /) -> Callable[P, Coroutine[Any, Any, A]]: ...
@overload
def connect(
    a: Callable[P, Awaitable[A] | A], b: Callable[[A], Awaitable[B]], /
) -> Callable[P, Coroutine[Any, Any, B]]: ...
@overload
def connect(a: Callable[P, Awaitable[A] | A], b: Callable[[A], B], /) -> Callable[P, Coroutine[Any, Any, B]]: ...
@overload
def connect(
    a: Callable[P, Awaitable[A] | A], b: Callable[[A], Awaitable[B] | B], c: Callable[[B], Awaitable[C]], /
) -> Callable[P, Coroutine[Any, Any, C]]: ...
@overload
def connect(
    a: Callable[P, Awaitable[A] | A], b: Callable[[A], Awaitable[B] | B], c: Callable[[B], C], /
) -> Callable[P, Coroutine[Any, Any, C]]: ...
@overload
def connect(
    a: Callable[P, Awaitable[A] | A],
    b: Callable[[A], Awaitable[B] | B],
    c: Callable[[B], Awaitable[C] | C],
    d: Callable[[C], Awaitable[D]],
    /,
) -> Callable[P, Coroutine[Any, Any, D]]: ...
@overload
def connect(
    a: Callable[P, Awaitable[A] | A],
    b: Callable[[A], Awaitable[B] | B],
    c: Callable[[B], Awaitable[C] | C],
    d: Callable[[C], D],
    /,
) -> Callable[P, Coroutine[Any, Any, D]]: ...
@overload
def connect(
    a: Callable[P, Awaitable[A] | A],
    b: Callable[[A], Awaitable[B] | B],
    c: Callable[[B], Awaitable[C] | C],
    d: Callable[[C], Awaitable[D] | D],
    e: Callable[[D], Awaitable[E]],
    /,
) -> Callable[P, Coroutine[Any, Any, E]]: ...
@overload
def connect(
    a: Callable[P, Awaitable[A] | A],
    b: Callable[[A], Awaitable[B] | B],
    c: Callable[[B], Awaitable[C] | C],
    d: Callable[[C], Awaitable[D] | D],
    e: Callable[[D], E],
    /,
) -> Callable[P, Coroutine[Any, Any, E]]: ...
@overload
def connect(
    a: Callable[P, Awaitable[A] | A],
    b: Callable[[A], Awaitable[B] | B],
    c: Callable[[B], Awaitable[C] | C],
    d: Callable[[C], Awaitable[D] | D],
    e: Callable[[D], Awaitable[E] | E],
    f: Callable[[E], Awaitable[F]],
    /,
) -> Callable[P, Coroutine[Any, Any, F]]: ...
@overload
def connect(
    a: Callable[P, Awaitable[A] | A],
    b: Callable[[A], Awaitable[B] | B],
    c: Callable[[B], Awaitable[C] | C],
    d: Callable[[C], Awaitable[D] | D],
    e: Callable[[D], Awaitable[E] | E],
    f: Callable[[E], F],
    /,
) -> Callable[P, Coroutine[Any, Any, F]]: ...


@overload
def connect(
    a: Callable[P, Any],
    b: Callable[[Any], Any],
    c: Callable[[Any], Any],
    d: Callable[[Any], Any],
    e: Callable[[Any], Any],
    f: Callable[[Any], Any],
    g: Callable[[Any], Any],
    /,
    *more: Callable[[Any], Any],
) -> Callable[P, Coroutine[Any, Any, Any]]: ...


def connect(*functions: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Connect functions into one coroutine function.

    The first function takes whatever arguments the result is called with, each other one the result of
    the one before it. Whatever is awaitable among the results is awaited first, so plain functions,
    coroutine functions and functions that return a coroutine, task or future go together. A plain function
    runs in the event loop: one that computes for long or waits belongs into `asyncio.to_thread`.

    Type checkers see the parameters of the first function and the result of the last; from seven
    functions on the result is `Any`.

    Raises `TypeError` at once when there is no function, or when something given is not callable. What a
    function raises comes out unchanged, and the functions after it are not called.

    >>> import asyncio
    >>> def add(x: int) -> int:
    ...     return x + 1
    >>> async def double(x: int) -> int:
    ...     await asyncio.sleep(0)
    ...     return x * 2
    >>> asyncio.run(connect(add, double, str)(1))
    '4'
    """
    if not functions:
        raise TypeError("connect() needs at least one function")
    for position, function in enumerate(functions, start=1):
        if not callable(function):
            raise TypeError(f"connect(f, g, ...): argument {position} is not callable: {function!r}")
    first, *rest = functions

    async def connected(*args: Any, **kwargs: Any) -> Any:
        result = first(*args, **kwargs)
        if inspect.isawaitable(result):
            result = await result
        for function in rest:
            result = function(result)
            if inspect.isawaitable(result):
                result = await result
        return result

    return connected
