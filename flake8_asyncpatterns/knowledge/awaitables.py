"""What can be awaited, what surely cannot, and which decorators do not mind the difference.

Sources: the documentation of asyncio (3.4 to 3.14) and of the decorators named.
"""

from __future__ import annotations

from .coroutines import COROUTINES
from .decorators import SAME_RESULT

# Decorators that make a generator awaitable.
COROUTINE = "asyncio.coroutine"
TYPES_COROUTINE = "types.coroutine"
GENERATOR_COROUTINES = frozenset({COROUTINE, TYPES_COROUTINE})


def _methods(kind: str, *names: str) -> frozenset[str]:
    return frozenset(f"asyncio.{kind}.{name}" if kind else f"asyncio.{name}" for name in names)


# Functions and methods whose result is awaited: coroutine functions, and those that give a future.
AWAITABLES = COROUTINES.union(
    _methods(
        "", "gather", "shield", "ensure_future", "create_task", "wrap_future", "run_in_executor", "Future", "Task"
    ),
    _methods("AbstractEventLoop", "create_task", "create_future", "run_in_executor"),
    _methods("JoinableQueue", "get", "put", "join"),
)

FUTURES = frozenset({"asyncio.Future", "asyncio.Task"})

# Locks that `with (yield from lock)` was made for.
LOCKS = frozenset({"asyncio.Lock", "asyncio.Condition", "asyncio.Semaphore", "asyncio.BoundedSemaphore"})

# Functions that run a coroutine that is handed to them, a generator included (until Python 3.12).
DRIVERS = AWAITABLES | {
    "asyncio.run",
    "asyncio.run_coroutine_threadsafe",
    "asyncio.as_completed",
    "asyncio.iscoroutine",
    "asyncio.AbstractEventLoop.run_until_complete",
    COROUTINE,
    TYPES_COROUTINE,
}

# Decorators that neither call a function nor look at what it returns.
HARMLESS_DECORATORS = SAME_RESULT | frozenset({
    "builtins.property", "abc.abstractmethod",
    "abc.abstractproperty", "abc.abstractclassmethod", "abc.abstractstaticmethod", "functools.wraps",
    "typing.final", "typing.no_type_check", "typing_extensions.final",
    # aiohttp/test_utils.py of 1.0 to 3.13: hands what it decorates to `run_until_complete`, or does nothing.
    "aiohttp.test_utils.unittest_run_loop",
    "unittest.skip", "unittest.skipIf", "unittest.skipUnless", "unittest.expectedFailure",
})  # fmt: skip
# Decorators that have what a test returns run in an event loop, and take generators as well as coroutines.
RUNS_TESTS = frozenset({
    "aiohttp.test_utils.unittest_run_loop",  # see above
    "pytest.mark.asyncio",  # pytest_asyncio/plugin.py of 0.5 to 0.10; later ones take coroutines only
})  # fmt: skip
HARMLESS_DECORATOR_FAMILIES = ("pytest.mark.",)

# Built-in callables whose result is iterated and never awaited.
ITERABLES = frozenset(
    f"builtins.{name}"
    for name in (
        "range", "list", "tuple", "set", "frozenset", "dict", "str", "bytes", "bytearray", "sorted", "reversed",
        "enumerate", "zip", "map", "filter", "iter", "open",
    )
) | {
    f"itertools.{name}" for name in ("chain", "chain.from_iterable", "count", "cycle", "islice", "product", "repeat")
}  # fmt: skip

# Types of what is iterated. (A `Generator` may well be a coroutine.)
ITERABLE_TYPES = ITERABLES | {
    f"{module}.{name}"
    for module in ("typing", "collections.abc")
    for name in ("Collection", "Iterable", "Iterator", "Mapping", "MutableMapping", "MutableSequence", "Sequence")
} | {f"typing.{name}" for name in ("Dict", "FrozenSet", "List", "Set", "Tuple")}  # fmt: skip

# Callables whose result cannot be awaited.
PLAIN = ITERABLES | {
    f"io.{kind}.{method}"
    for kind in ("BytesIO", "StringIO")
    for method in ("getvalue", "read", "readline", "readlines", "seek", "tell", "truncate", "write")
} | {
    f"builtins.{name}"
    for name in (
        "abs", "all", "any", "bin", "bool", "chr", "complex", "float", "format", "hash", "hex", "id", "int",
        "isinstance", "issubclass", "len", "memoryview", "object", "oct", "ord", "repr", "round", "slice", "type",
    )
} | {
    # aiohttp/web_{response,ws,fileresponse,exceptions}.py of 0.17 to 3.13 (web_reqrep.py before 2): no response has an
    # `__await__`.
    f"aiohttp.web.{name}"
    for name in (
        "FileResponse", "Response", "StreamResponse", "WebSocketResponse", "json_response",
        "HTTPAccepted", "HTTPBadGateway", "HTTPBadRequest", "HTTPConflict", "HTTPCreated", "HTTPForbidden", "HTTPFound",
        "HTTPGone", "HTTPInternalServerError", "HTTPMethodNotAllowed", "HTTPMovedPermanently", "HTTPNoContent",
        "HTTPNotAcceptable", "HTTPNotFound", "HTTPNotImplemented", "HTTPNotModified", "HTTPOk", "HTTPPartialContent",
        "HTTPPermanentRedirect", "HTTPPreconditionFailed", "HTTPRequestEntityTooLarge", "HTTPSeeOther",
        "HTTPServiceUnavailable", "HTTPTemporaryRedirect", "HTTPTooManyRequests", "HTTPUnauthorized",
        "HTTPUnprocessableEntity", "HTTPUnsupportedMediaType", "HTTPUpgradeRequired",
    )
}  # fmt: skip

# Modules of the standard library none of whose functions gives anything to await.
PLAIN_MODULES = (
    "base64.", "binascii.", "collections.", "datetime.", "hashlib.", "hmac.", "json.", "math.", "os.", "pickle.",
    "random.", "re.", "struct.", "textwrap.", "time.", "urllib.parse.", "uuid.", "zlib.",
)  # fmt: skip

# Modules whose classes have no `__await__`, but for a few.
PLAIN_BASES = ("abc.", "builtins.", "collections.", "enum.", "logging.", "threading.", "typing.", "unittest.")
AWAITABLE_BASES = frozenset(
    f"{module}.{name}" for module in ("collections.abc", "typing") for name in ("Awaitable", "Coroutine")
)

# Calls that look at a generator or drive it by hand: what they are given must stay what it is.
INSPECTING = frozenset({
    "builtins.next", "builtins.list", "builtins.tuple", "builtins.set", "builtins.sorted", "builtins.sum",
    "builtins.iter", "builtins.dict", "inspect.isgenerator", "inspect.getgeneratorstate",
    "inspect.getgeneratorlocals",
})  # fmt: skip
HAND_DRIVEN = frozenset({"send", "throw", "__next__", "gi_frame", "gi_running", "gi_code", "gi_yieldfrom"})
