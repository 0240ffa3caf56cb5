"""What type checkers see of `pipeline`. Checked, never run."""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Iterable, Iterator
from typing import TypeGuard, assert_type

from asyncpatterns import Pipeline, pipeline


def length(x: str) -> int:
    return len(x)


async def half(x: int) -> float:
    return x / 2


def half_later(x: int) -> Awaitable[float]:
    return half(x)


async def is_even(x: int) -> bool:
    return x % 2 == 0


def is_text(x: object) -> TypeGuard[str]:
    return isinstance(x, str)


async def words() -> AsyncIterator[str]:
    yield "word"


async def characters(x: str) -> AsyncIterator[bytes]:
    yield x.encode()


async def characters_soon(x: str) -> list[bytes]:
    return [x.encode()]


async def stream_soon(x: str) -> AsyncIterable[bytes]:
    return characters(x)


def lines(x: str) -> Iterator[str]:
    yield x


async def totals(numbers: AsyncIterator[int]) -> AsyncIterator[float]:
    async for number in numbers:
        yield number / 2


def nothing(numbers: AsyncIterable[int]) -> Iterable[bytes]:
    return []


assert_type(pipeline(["a"]), Pipeline[str])
assert_type(pipeline(words()), Pipeline[str])
assert_type(pipeline(words()).map(length), Pipeline[int])
assert_type(pipeline([1]).map(half), Pipeline[float])
assert_type(pipeline([1]).map(half_later), Pipeline[float])
assert_type(pipeline(["a"]).map(length).map(half, concurrency=3, ordered=False, buffer=9), Pipeline[float])
assert_type(pipeline([1]).map(lambda x: str(x)).map(str.encode), Pipeline[bytes])
assert_type(pipeline(["a"]).map(int), Pipeline[int])
assert_type(pipeline([1]).filter(is_even), Pipeline[int])
assert_type(pipeline([1]).filter(lambda x: x > 1), Pipeline[int])
assert_type(pipeline([1, ""]).filter(is_text), Pipeline[str])
assert_type(pipeline(["a"]).flat_map(characters), Pipeline[bytes])
assert_type(pipeline(["a"]).flat_map(characters_soon), Pipeline[bytes])
assert_type(pipeline(["a"]).flat_map(stream_soon, concurrency=2), Pipeline[bytes])
assert_type(pipeline(["a"]).flat_map(lines), Pipeline[str])
assert_type(pipeline(["a"]).flat_map(str.split), Pipeline[str])
assert_type(pipeline([1]).through(totals), Pipeline[float])
assert_type(pipeline([1]).through(nothing, buffer=3), Pipeline[bytes])
assert_type(pipeline([1]).batch(3, within=0.5), Pipeline[list[int]])
assert_type(pipeline([True]).batch(2).map(len), Pipeline[int])
wider: Pipeline[float] = pipeline([1])


async def run() -> None:
    numbers = pipeline([1]).map(half)
    async with numbers as items:
        assert_type(items, AsyncIterator[float])
        async for item in items:
            assert_type(item, float)
    assert_type(await numbers.collect(), list[float])
    assert_type(await numbers.drain(), int)
    async for _ in numbers:  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
        pass


pipeline(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
pipeline([1], [2])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
pipeline([1]).map(length)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
pipeline([1]).map(half).map(is_even)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
pipeline([1]).map(half, 3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
pipeline([1]).filter(length)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
pipeline([1]).flat_map(half)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
pipeline(["a"]).flat_map(length)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
pipeline(["a"]).through(totals)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
pipeline([1]).batch()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def narrower(numbers: Pipeline[float]) -> Pipeline[int]:
    return numbers  # type: ignore[return-value]  # pyright: ignore[reportReturnType]
