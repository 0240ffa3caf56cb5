"""What type checkers see of `connect`. Checked, never run."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, assert_type

from asyncpatterns import connect


async def a(x: int, y: str = "") -> str:
    return y


def b(x: str) -> float:
    return 0.0


async def c(x: float) -> bytes:
    return b""


def d(x: float) -> Awaitable[bytes]:
    return c(x)


async def e(x: bytes) -> int:
    return 0


async def each() -> None:
    assert_type(await connect(a)(1, y=""), str)
    assert_type(await connect(b)(""), float)
    assert_type(await connect(a, b)(1), float)
    assert_type(await connect(a, b, c)(1), bytes)
    assert_type(await connect(a, b, d, e)(1), int)


sync_last: Callable[[str], Coroutine[Any, Any, bytes]] = connect(b, abs, c)
six: Callable[[int, str], Coroutine[Any, Any, list[int]]] = connect(a, b, d, e, range, list[int])

connect(a, c)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
connect()  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
connect(a)("")  # type: ignore[arg-type, unused-coroutine]  # pyright: ignore[reportArgumentType, reportUnusedCoroutine]
