from __future__ import annotations

from typing import assert_type

from asyncpatterns import SizedQueue

blobs = SizedQueue[bytes](1024)
assert_type(blobs, SizedQueue[bytes])
counted = SizedQueue[int](10, size=lambda number: number)
assert_type(counted, SizedQueue[int])
declared: SizedQueue[str] = SizedQueue(10)
assert_type(declared, SizedQueue[str])


def weight(item: float) -> int:
    return round(item)


inferred = SizedQueue(10, size=weight)
assert_type(inferred, SizedQueue[float])


async def use() -> None:
    await blobs.put(b"bytes")
    blobs.put_nowait("text")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert_type(await blobs.get(), bytes)
    assert_type(counted.get_nowait(), int)
    assert_type(blobs.total_size, int)


SizedQueue[int](10, size=len)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
SizedQueue[int](10, len)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
SizedQueue[int]()  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
