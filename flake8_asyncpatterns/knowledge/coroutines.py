"""What gives a coroutine when it is called: a thing that does nothing at all until somebody awaits it.

Futures and tasks are not here: they get on with their work whether they are awaited or not.
"""

from __future__ import annotations

from . import runtime


def _methods(owners: str, methods: str) -> frozenset[str]:
    return frozenset(f"{owner}.{method}" for owner in owners.split() for method in methods.split())


# asyncio's coroutine functions, and the methods of its classes that are some.
# Source: Lib/asyncio of CPython 3.11-3.14. tests/test_coroutines.py compares this with the Python that runs it.
ASYNCIO = frozenset().union(
    _methods(
        "asyncio",
        "create_subprocess_exec create_subprocess_shell open_connection open_unix_connection sleep start_server "
        "start_unix_server to_thread wait wait_for",
    ),
    _methods(
        "asyncio.AbstractEventLoop",
        "connect_accepted_socket connect_read_pipe connect_write_pipe create_connection create_datagram_endpoint "
        "create_server create_unix_connection create_unix_server getaddrinfo getnameinfo sendfile shutdown_asyncgens "
        "shutdown_default_executor sock_accept sock_connect sock_recv sock_recv_into sock_recvfrom sock_recvfrom_into "
        "sock_sendall sock_sendfile sock_sendto start_tls subprocess_exec subprocess_shell",
    ),
    _methods("asyncio.AbstractServer asyncio.Server", "serve_forever start_serving wait_closed"),
    _methods("asyncio.Barrier", "abort reset wait"),
    _methods("asyncio.Condition", "acquire wait wait_for"),
    _methods("asyncio.Event", "wait"),
    _methods("asyncio.Lock asyncio.Semaphore asyncio.BoundedSemaphore", "acquire"),
    _methods("asyncio.Queue asyncio.LifoQueue asyncio.PriorityQueue", "get join put"),
    _methods("asyncio.StreamReader", "read readexactly readline readuntil"),
    _methods("asyncio.StreamWriter", "drain start_tls wait_closed"),
    _methods("asyncio.subprocess.Process", "communicate wait"),
)

_COPY = "copy_from_query copy_from_table copy_records_to_table copy_to_table"
_SOCKET = "close ping pong receive receive_bytes receive_json receive_str send_bytes send_json send_str"
_RESPONSES = "aiohttp.web.Response aiohttp.web.StreamResponse aiohttp.web.WebSocketResponse"
_SITES = "aiohttp.web.TCPSite aiohttp.web.UnixSite aiohttp.web.SockSite"

# The same of other libraries. Sources: their packages, asked with `inspect.iscoroutinefunction` in the versions named.
LIBRARIES = frozenset().union(
    # aiofiles 25.1
    _methods(
        "aiofiles.os",
        "access getcwd link listdir makedirs mkdir readlink remove removedirs rename renames replace rmdir scandir "
        "stat statvfs symlink unlink",
    ),
    # aiohttp 3.14
    _methods("aiohttp.ClientSession", "close"),
    _methods("aiohttp.ClientResponse", "json read text"),
    _methods("aiohttp.ClientWebSocketResponse", _SOCKET),
    _methods("aiohttp.StreamReader", "read readany readchunk readexactly readline readuntil wait_eof"),
    _methods(_RESPONSES, "prepare write write_eof"),
    _methods("aiohttp.web.WebSocketResponse", _SOCKET),
    _methods("aiohttp.web.Request", "json multipart post read text"),
    _methods("aiohttp.web.AppRunner aiohttp.web.ServerRunner", "cleanup setup"),
    _methods(_SITES, "start stop"),
    # aiosqlite 0.22 (what `execute` and the like give can be awaited or entered)
    _methods("aiosqlite.Connection", "backup close commit create_function interrupt rollback"),
    _methods("aiosqlite.Cursor", "close execute executemany executescript fetchall fetchmany fetchone"),
    # anyio 4.16
    _methods(
        "anyio",
        "aclose_forcefully connect_tcp connect_unix create_tcp_listener create_udp_socket create_unix_listener "
        "getaddrinfo open_file open_process run_process sleep sleep_forever sleep_until wait_all_tasks_blocked",
    ),
    _methods("anyio.to_thread anyio.to_process", "run_sync"),
    _methods("anyio.lowlevel trio.lowlevel", "cancel_shielded_checkpoint checkpoint checkpoint_if_cancelled"),
    _methods("anyio.Event trio.Event", "wait"),
    _methods("anyio.Lock anyio.Semaphore trio.Lock trio.Semaphore", "acquire"),
    _methods("anyio.Condition trio.Condition", "acquire wait"),
    _methods(
        "anyio.Path",
        "chmod exists is_dir is_file lstat mkdir open read_bytes read_text rename replace resolve rmdir stat "
        "symlink_to touch unlink write_bytes write_text",
    ),
    # asyncpg 0.32
    _methods("asyncpg", "connect"),
    _methods(
        "asyncpg.Connection asyncpg.Pool asyncpg.connection.Connection asyncpg.pool.Pool",
        f"close execute executemany fetch fetchrow fetchval {_COPY}",
    ),
    _methods("asyncpg.Connection asyncpg.connection.Connection", "add_listener prepare remove_listener reset"),
    _methods("asyncpg.Pool asyncpg.pool.Pool", "expire_connections release"),
    # httpx 0.28
    _methods("httpx.AsyncClient", "aclose delete get head options patch post put request send"),
    _methods("httpx.Response", "aclose aread"),
    # psycopg 3.3
    _methods("psycopg.AsyncConnection", "close commit connect execute rollback set_autocommit"),
    _methods("psycopg.AsyncCursor", "close execute executemany fetchall fetchmany fetchone scroll"),
    # redis 8.1 (its commands are plain functions that return the coroutine of `execute_command`)
    _methods(
        "redis.asyncio.Redis redis.asyncio.client.Redis redis.asyncio.StrictRedis",
        "aclose append blpop brpop close dbsize decr decrby delete exists execute_command expire expireat flushall "
        "flushdb get getdel getset hdel hexists hget hgetall hincrby hkeys hlen hmget hset hsetnx hvals incr incrby "
        "keys lindex llen lpop lpush lrange lrem ltrim mget mset persist pexpire ping publish rename rpop rpush sadd "
        "scard scan set setex setnx sismember smembers srem strlen ttl type unlink xack xadd xread xreadgroup zadd "
        "zcard zincrby zrange zrank zrem zscore",
    ),
    _methods(
        "redis.asyncio.client.PubSub",
        "aclose close connect get_message psubscribe punsubscribe run subscribe unsubscribe",
    ),
    # trio 0.35
    _methods(
        "trio",
        "aclose_forcefully open_file open_ssl_over_tcp_stream open_tcp_listeners open_tcp_stream open_unix_socket "
        "run_process serve_listeners serve_tcp sleep sleep_forever sleep_until",
    ),
    _methods("trio.to_thread", "run_sync"),
    # websockets 17.4
    _methods(
        "websockets.ClientConnection websockets.ServerConnection websockets.WebSocketClientProtocol "
        "websockets.WebSocketServerProtocol websockets.asyncio.client.ClientConnection "
        "websockets.asyncio.server.ServerConnection",
        "close ping pong recv send wait_closed",
    ),
)  # fmt: skip

COROUTINES = ASYNCIO | LIBRARIES | runtime.COROUTINES

# What can be awaited or entered with `async with`, and does nothing before.
# Sources: aiohttp/client.py, asyncpg/pool.py, websockets/asyncio/client.py.
LAZY = frozenset().union(
    _methods("aiohttp.ClientSession", "delete get head options patch post put request ws_connect"),
    _methods("asyncpg", "create_pool"),
    _methods("asyncpg.Pool asyncpg.pool.Pool", "acquire"),
    _methods("websockets websockets.asyncio.client", "connect"),
    _methods("aiosqlite", "connect"),
    _methods("aiosqlite.Connection", "execute executemany executescript execute_fetchall execute_insert"),
)

# Decorators under which a coroutine function still is one, and what it is called with and gives does not change who
# has to await it. Any other decorator may have made a plain function of it.
# Sources: the library reference of CPython 3.11-3.14; tornado/web.py; jupyter_server/auth/decorator.py; the
# documentation of tenacity and backoff.
KEEPS_COROUTINE = frozenset({
    "abc.abstractmethod", "typing.final", "typing.no_type_check", "typing_extensions.final", "asyncio.coroutine",
    "types.coroutine", "tornado.web.authenticated", "jupyter_server.auth.authorized",
    "jupyter_server.auth.decorator.authorized", "jupyter_server.auth.decorator.allow_unauthenticated",
    "tenacity.retry",
})  # fmt: skip
# The same for decorators that are called first: `@deprecated("…")`.
KEEPS_COROUTINE_CALLED = frozenset({
    "functools.wraps", "warnings.deprecated", "typing_extensions.deprecated", "jupyter_server.auth.authorized",
    "jupyter_server.auth.decorator.authorized", "tenacity.retry", "backoff.on_exception", "backoff.on_predicate",
})  # fmt: skip

# Annotations of what surely is a coroutine. (An `Awaitable` may be a task.)
COROUTINE_TYPES = frozenset({"typing.Coroutine", "collections.abc.Coroutine", "types.CoroutineType"})

# Calls that neither keep nor await what they are given, and look at it as if it were a plain value.
LOOKS_AT = frozenset(
    f"builtins.{name}"
    for name in (
        "all", "any", "ascii", "bytes", "dict", "enumerate", "filter", "float", "format", "frozenset", "int", "iter",
        "len", "list", "max", "min", "next", "print", "repr", "reversed", "round", "set", "sorted", "str", "sum",
        "tuple", "zip",
    )
).union(
    _methods("logging logging.Logger", "critical debug error exception info log warning"),
    _methods("json", "dumps loads"),
)  # fmt: skip

# Calls that ask of what kind a thing is.
ASKS_KIND = frozenset({
    "builtins.callable", "builtins.hasattr", "builtins.isinstance", "builtins.issubclass", "builtins.type",
    "asyncio.iscoroutine", "asyncio.isfuture", "inspect.isawaitable", "inspect.iscoroutine", "inspect.isgenerator",
})  # fmt: skip

# What a coroutine object has: asking for any other attribute raises AttributeError.
# Source: "Coroutine Objects" in the language reference, and "inspect" in the library reference.
COROUTINE_ATTRIBUTES = frozenset({
    "send", "throw", "close", "cr_await", "cr_code", "cr_frame", "cr_origin", "cr_running", "cr_suspended",
    "gi_code", "gi_frame", "gi_running", "gi_yieldfrom", "__await__",
})  # fmt: skip

# Methods of unittest's test cases that test, or compare, what they are given; and how many of the arguments.
ASSERTS = {
    "assertTrue": 1, "assertFalse": 1, "assertIsNone": 1, "assertIsNotNone": 1, "assertEqual": 2, "assertEquals": 2,
    "assertNotEqual": 2, "assertIn": 2, "assertNotIn": 2, "assertGreater": 2, "assertGreaterEqual": 2, "assertLess": 2,
    "assertLessEqual": 2, "assertAlmostEqual": 2, "assertDictEqual": 2, "assertListEqual": 2, "assertCountEqual": 2,
}  # fmt: skip

# Context managers that expect what is in them to go wrong.
EXPECTS_FAILURE = frozenset({
    "assertRaises", "assertRaisesRegex", "assertWarns", "assertWarnsRegex", "catch_warnings", "check_warnings",
    "deprecated_call", "raises", "warns",
})  # fmt: skip
