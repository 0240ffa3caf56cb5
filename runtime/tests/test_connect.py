from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Generator
from typing import Any

import pytest
from asyncpatterns import connect


def add(value: int) -> int:
    return value + 1


async def double(value: int) -> int:
    await asyncio.sleep(0)
    return value * 2


def cube_later(value: int) -> Awaitable[int]:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    future.get_loop().call_soon(future.set_result, value**3)
    return future


@pytest.mark.asyncio
async def test_sync_async_and_awaitable_returning_functions_go_together() -> None:
    assert await connect(add, double, cube_later)(1) == 64
    assert await connect(double, add)(1) == 3
    assert await connect(add)(1) == 2
    assert await connect(lambda value: double(value), add)(2) == 5


@pytest.mark.asyncio
async def test_more_than_six_functions_go_together() -> None:
    assert await connect(add, double, add, double, add, double, add, double)(0) == 30


@pytest.mark.asyncio
async def test_the_first_function_takes_any_arguments() -> None:
    async def total(*values: int, start: int = 0) -> int:
        return sum(values, start)

    assert await connect(total, add)(1, 2, 3, start=10) == 17


def test_the_result_is_a_coroutine_function() -> None:
    assert inspect.iscoroutinefunction(connect(add))


def test_no_function_is_a_type_error_at_once() -> None:
    with pytest.raises(TypeError, match="at least one"):
        connect()  # type: ignore[call-overload]  # what is tested


def test_what_is_not_callable_is_a_type_error_at_once() -> None:
    with pytest.raises(TypeError, match="argument 2 is not callable: 3"):
        connect(add, 3)  # type: ignore[call-overload]  # what is tested
    with pytest.raises(TypeError, match="argument 1"):
        connect([add, double])  # type: ignore[call-overload]  # what is tested


@pytest.mark.asyncio
async def test_an_exception_comes_out_unchanged_and_ends_the_call() -> None:
    called: list[int] = []
    error = ValueError("no")

    async def fail(value: int) -> int:
        raise error

    with pytest.raises(ValueError, match="no") as caught:
        await connect(add, fail, called.append)(1)
    assert caught.value is error
    assert not called


@pytest.mark.asyncio
async def test_calls_do_not_share_anything() -> None:
    pipeline = connect(double, add)
    assert await asyncio.gather(*(pipeline(n) for n in range(20))) == [2 * n + 1 for n in range(20)]


@pytest.mark.asyncio
async def test_flawed_connect_cannot_be_awaited() -> None:
    def flawed_connect(functions: list[Callable[..., Any]]) -> Callable[..., Generator[Any, Any, Any]]:
        def wrapper(*arguments: Any) -> Generator[Any, Any, Any]:  # noqa: AIO402  # the flaw that the test shows
            result = yield from functions[0](*arguments)
            for function in functions[1:]:
                result = yield from function(result)
            return result

        return wrapper

    flawed_connect([])  # no complaint before it is called
    with pytest.raises(TypeError):
        await flawed_connect([double, double])(1)  # type: ignore[misc]  # the flaw
