from __future__ import annotations

import asyncio
from typing import assert_type

from asyncpatterns import TaskPool


async def repeat(word: str, *, times: int = 2) -> list[str]:
    return [word] * times


def plain(word: str) -> str:
    return word


async def use() -> None:
    async with TaskPool(2) as pool:
        assert_type(pool, TaskPool)
        task = await pool.spawn(repeat, "word", times=3)
        assert_type(task, asyncio.Task[list[str]])
        assert_type(await task, list[str])
        assert_type(pool.try_spawn(repeat, "word"), asyncio.Task[list[str]] | None)
        await pool.spawn(repeat, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        await pool.spawn(repeat)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        await pool.spawn(repeat, "word", twice=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        await pool.spawn(plain, "word")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        await pool.spawn(repeat("word"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]


TaskPool("2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
