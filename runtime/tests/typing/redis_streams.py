"""What type checkers infer of RedisChangeStream; checked, never run."""

from __future__ import annotations

import json
from typing import Any, assert_type

from asyncpatterns import Change, RedisChangeStream
from asyncpatterns.redis import RedisSubscription
from redis.asyncio import Redis


class City:
    name: str


def to_bytes(city: City) -> bytes:
    return city.name.encode()


def to_city(payload: bytes) -> City:
    raise NotImplementedError


async def infer(client: Redis) -> None:
    cities = RedisChangeStream(client, "cities", encode=to_bytes, decode=to_city)
    assert_type(cities, RedisChangeStream[City])
    assert_type(await cities.publish(City()), str)
    assert_type(await cities.position(), str)
    assert_type(cities.subscribe(after="0-0"), RedisSubscription[City])
    async with cities.subscribe() as changes:
        async for change in changes:
            assert_type(change, Change[City])
            assert_type(change.position, str)
            assert_type(change.value, City)
            position, city = change
            assert_type(position, str)
            assert_type(city, City)
    texts = RedisChangeStream(client, "texts", encode=str.encode, decode=bytes.decode)
    assert_type(texts, RedisChangeStream[str])
    untyped = RedisChangeStream[Any](client, "any", encode=lambda value: json.dumps(value).encode(), decode=json.loads)
    assert_type(await anext(untyped.subscribe()), Change[Any])


async def refuse(client: Redis) -> None:
    cities = RedisChangeStream(client, "cities", encode=to_bytes, decode=to_city)
    await cities.publish("Leipzig")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    RedisChangeStream(client, "cities", decode=to_city)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    RedisChangeStream[str](client, "texts", encode=str, decode=bytes.decode)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    cities.subscribe(after=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
