from __future__ import annotations

from typing import assert_type

from asyncpatterns import Subscription, Value

state = Value(1)
assert_type(state, Value[int])
assert_type(state.value, int)
state.value = 2
state.value = "two"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]

optional = Value[str | None](None)
optional.value = "set"
assert_type(state.changes(), Subscription[tuple[int, int]])


async def use() -> None:
    assert_type(await state.wait_for(lambda value: value > 1), int)
    await state.wait_for(str.isdigit)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    async for old, new in optional.changes():
        assert_type(old, str | None)
        assert_type(new, str | None)


Value()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
