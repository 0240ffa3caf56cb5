from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import assert_type

from asyncpatterns import checkpoint, cooperative


async def numbers() -> AsyncIterator[int]:
    yield 1


async def use() -> None:
    await checkpoint()
    await checkpoint(2)
    await checkpoint("2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    async for letter in cooperative("letters", max_ms=2.5):
        assert_type(letter, str)
    async with aclosing(cooperative(number for number in range(3))) as kept:
        assert_type(await anext(kept), int)
    same: AsyncIterator[int] = cooperative([1])
    print(same)
    cooperative([1], 2.5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    cooperative(numbers())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    for _ in cooperative([1]):  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]  # noqa: AIO214
        pass
