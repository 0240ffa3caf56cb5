"""What can be entered or iterated over in a coroutine only: it has `__aenter__` and no `__enter__`, and so on."""

from __future__ import annotations

from . import runtime

# Types whose objects take `async with`, and raise for `with`.
# Sources: Lib/asyncio/{locks,taskgroups,timeouts}.py and Lib/contextlib.py of CPython 3.11-3.14; the packages, asked
# for `__enter__`: aiohttp 3.14 (which has one that raises), anyio 4.16, asyncpg 0.32, httpx 0.28, psycopg 3.3,
# redis 8.1, trio 0.35. (`with await lock` went in Python 3.9.)
MANAGERS = runtime.MANAGERS | frozenset({
    "asyncio.Barrier", "asyncio.BoundedSemaphore", "asyncio.Condition", "asyncio.Lock", "asyncio.Semaphore",
    "asyncio.TaskGroup", "asyncio.Timeout", "asyncio.AbstractServer", "asyncio.Server",
    "contextlib.AsyncExitStack", "contextlib.aclosing",
    "aiohttp.ClientSession",
    "anyio.Condition", "anyio.Lock", "anyio.Semaphore",
    "asyncpg.Pool", "asyncpg.pool.Pool",
    "httpx.AsyncClient",
    "psycopg.AsyncConnection", "psycopg.AsyncCursor",
    "redis.asyncio.Redis", "redis.asyncio.client.PubSub",
    "trio.Condition", "trio.Lock", "trio.Semaphore",
})  # fmt: skip

# Functions whose result is such an object.
MAKE_MANAGERS = runtime.MAKE_MANAGERS | frozenset({
    "asyncio.timeout", "asyncio.timeout_at",
    "aiohttp.ClientSession.delete", "aiohttp.ClientSession.get", "aiohttp.ClientSession.head",
    "aiohttp.ClientSession.options", "aiohttp.ClientSession.patch", "aiohttp.ClientSession.post",
    "aiohttp.ClientSession.put", "aiohttp.ClientSession.request", "aiohttp.ClientSession.ws_connect",
    "aiofiles.open", "aiosqlite.connect", "aiosqlite.Connection.execute", "anyio.create_task_group",
    "asyncpg.Pool.acquire", "asyncpg.create_pool", "asyncpg.pool.Pool.acquire", "httpx.AsyncClient.stream",
    "trio.open_nursery", "websockets.connect", "websockets.serve",
})  # fmt: skip

# Types whose objects take `async for`, and raise for `for`. Sources: Lib/asyncio/streams.py; aiohttp/streams.py.
ITERABLES = runtime.ITERABLES | frozenset({"asyncio.StreamReader", "aiohttp.ClientWebSocketResponse"})

# Functions that give an asynchronous iterator. Sources: httpx 0.28, redis 8.1, asked with `inspect`.
MAKE_ITERATORS = runtime.MAKE_ITERATORS | frozenset({
    "httpx.Response.aiter_bytes", "httpx.Response.aiter_lines", "httpx.Response.aiter_raw", "httpx.Response.aiter_text",
    "redis.asyncio.Redis.hscan_iter", "redis.asyncio.Redis.scan_iter", "redis.asyncio.Redis.sscan_iter",
    "redis.asyncio.Redis.zscan_iter", "redis.asyncio.client.PubSub.listen",
})  # fmt: skip
