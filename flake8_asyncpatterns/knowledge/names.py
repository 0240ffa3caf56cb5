"""The many names of one thing, and what kind of thing a call gives."""

from __future__ import annotations

from . import blocking, runtime

# Modules whose public names their package exports: the package's name is the one that tables use.
# Source: the imports in the __init__.py of each package (CPython 3.11-3.14).
HOMES = {
    **dict.fromkeys(
        (
            f"asyncio.{module}"
            for module in (
                "base_events", "base_futures", "coroutines", "events", "exceptions", "futures", "locks", "protocols",
                "queues", "runners", "streams", "taskgroups", "tasks", "threads", "timeouts", "transports",
                "unix_events", "windows_events",
            )
        ),
        "asyncio",
    ),
    "concurrent.futures._base": "concurrent.futures",
    "concurrent.futures.process": "concurrent.futures",
    "concurrent.futures.thread": "concurrent.futures",
    **runtime.HOMES,
}  # fmt: skip

# Libraries with an event loop of their own, under which nothing of asyncio works. (Twisted can be put on top of
# asyncio's; a file that counts on that imports asyncio, too.)
OTHER_LOOPS = frozenset({"curio", "trio", "twisted"})

# The coroutine of each library that does what `asyncio.sleep` does. anyio's works under asyncio and trio alike, and
# so is right wherever anyio is at hand. Source: the documentation of each. Twisted has none.
SLEEPS = {"asyncio": "asyncio.sleep", "anyio": "anyio.sleep", "curio": "curio.sleep", "trio": "trio.sleep"}

# What runs a function in a thread and is awaited, by library. Only asyncio's passes keyword arguments on.
THREADS = {
    "asyncio": "asyncio.to_thread",
    "anyio": "anyio.to_thread.run_sync",
    "curio": "curio.run_in_thread",
    "trio": "trio.to_thread.run_sync",
}
# Packages that import their modules themselves: `import trio` is enough for `trio.to_thread.run_sync`.
WHOLE_PACKAGES = frozenset({"anyio", "curio", "trio"})

# Types that have every method of the one that tables speak of.
SAME_TYPE = {
    "asyncio.BaseEventLoop": "asyncio.AbstractEventLoop",
    "asyncio.SelectorEventLoop": "asyncio.AbstractEventLoop",
    "asyncio.ProactorEventLoop": "asyncio.AbstractEventLoop",
    "asyncio.EventLoop": "asyncio.AbstractEventLoop",
    "uvloop.Loop": "asyncio.AbstractEventLoop",
    **blocking.SAME,
}

# Packages of stubs, one for each service, that say of which class a client of boto3 is. (Those of aioboto3 are called
# `types_aiobotocore_…`.) Source: the documentation of mypy-boto3-builder.
_STUBS = ("mypy_boto3_", "types_boto3_")
_STUBBED = {"Client": "botocore.client.BaseClient", "ServiceResource": "boto3.resources.base.ServiceResource"}


def same_type(name: str) -> str:
    """The name of a type that tables use: `mypy_boto3_s3.S3Client` → `botocore.client.BaseClient`."""
    if name.startswith(_STUBS):
        return next((kind for ending, kind in _STUBBED.items() if name.endswith(ending)), name)
    return SAME_TYPE.get(name, name)


# The functions that hand two streams to a callback.
SERVERS = frozenset({"asyncio.start_server", "asyncio.start_unix_server"})
STREAMS = ("asyncio.StreamReader", "asyncio.StreamWriter")

# What a call of a function gives: a qualified class, or a built-in container of some. (A call of a class gives that
# class, and needs no entry.)
RETURNS = {
    "asyncio.get_running_loop": "asyncio.AbstractEventLoop",
    "asyncio.get_event_loop": "asyncio.AbstractEventLoop",
    "asyncio.new_event_loop": "asyncio.AbstractEventLoop",
    "uvloop.new_event_loop": "asyncio.AbstractEventLoop",
    "asyncio.Runner.get_loop": "asyncio.AbstractEventLoop",
    "asyncio.Task.get_loop": "asyncio.AbstractEventLoop",
    "asyncio.Future.get_loop": "asyncio.AbstractEventLoop",
    "asyncio.create_task": "asyncio.Task",
    "asyncio.ensure_future": "asyncio.Future",
    "asyncio.current_task": "asyncio.Task",
    "asyncio.wrap_future": "asyncio.Future",
    "asyncio.run_coroutine_threadsafe": "concurrent.futures.Future",
    "asyncio.AbstractEventLoop.create_task": "asyncio.Task",
    "asyncio.AbstractEventLoop.create_future": "asyncio.Future",
    "asyncio.AbstractEventLoop.run_in_executor": "asyncio.Future",
    "asyncio.AbstractEventLoop.call_soon": "asyncio.Handle",
    "asyncio.AbstractEventLoop.call_later": "asyncio.TimerHandle",
    "asyncio.TaskGroup.create_task": "asyncio.Task",
    "asyncio.gather": "asyncio.Future",
    "asyncio.all_tasks": "set[asyncio.Task]",
    "logging.getLogger": "logging.Logger",
    **blocking.RETURNS,
    **runtime.RETURNS,
}

# What awaiting a call of a function gives. Source: the asyncio documentation.
AWAITED = {
    "asyncio.create_subprocess_exec": "asyncio.subprocess.Process",
    "asyncio.create_subprocess_shell": "asyncio.subprocess.Process",
    "asyncio.open_connection": "tuple[asyncio.StreamReader, asyncio.StreamWriter]",
    "asyncio.open_unix_connection": "tuple[asyncio.StreamReader, asyncio.StreamWriter]",
    "asyncio.start_server": "asyncio.Server",
    "asyncio.start_unix_server": "asyncio.Server",
    "asyncio.wait": "tuple[set[asyncio.Task], set[asyncio.Task]]",
    "asyncio.AbstractEventLoop.create_server": "asyncio.Server",
    "asyncio.AbstractEventLoop.create_unix_server": "asyncio.Server",
    **runtime.AWAITED,
}

# What `with x as y` makes of `y` where it is not the `x` itself.
# Sources: Lib/{asyncio/locks,tempfile,threading}.py of CPython 3.13, and the library reference.
ENTERED = {
    "asyncio.Condition": "None",
    "asyncio.Lock": "None",
    "asyncio.Semaphore": "None",
    "asyncio.BoundedSemaphore": "None",
    "contextlib.nullcontext": "None",
    "contextlib.suppress": "None",
    "tempfile.TemporaryDirectory": "str",
    "threading.BoundedSemaphore": "bool",
    "threading.Condition": "bool",
    "threading.Lock": "bool",
    "threading.RLock": "bool",
    "threading.Semaphore": "bool",
    **runtime.ENTERED,
}

# What `/` makes of one of these and something else is one of them again.
PATHS = frozenset({"pathlib.Path", "pathlib.PurePath", "anyio.Path", "trio.Path"})

# Of which type the attributes and the items of a type are: see `knowledge.blocking`.
ATTRIBUTES = {**blocking.ATTRIBUTES}


# Names that no other package's module called `asyncio` has (redis and SQLAlchemy, say, have such modules): where one is
# asked for, the package only hands on what it imported itself, as `compat` modules do.
HANDED_ON = frozenset({
    "CancelledError", "Event", "Future", "Task", "TimeoutError", "all_tasks", "coroutine", "create_task",
    "current_task", "ensure_future", "gather", "get_event_loop", "get_running_loop", "iscoroutinefunction",
    "new_event_loop", "open_connection", "run_coroutine_threadsafe", "shield", "sleep", "start_server", "to_thread",
    "wait_for",
})  # fmt: skip


def canonical(name: str) -> str:
    """The name that the tables use: `asyncio.locks.Lock` → `asyncio.Lock`, `compat.asyncio.sleep` → `asyncio.sleep`."""
    if name.partition(".")[0] not in ("asyncio", "asyncpatterns", "concurrent"):
        owner, _, attribute = name.rpartition(".")
        return f"asyncio.{attribute}" if attribute in HANDED_ON and owner.endswith(".asyncio") else name
    for home, public in HOMES.items():
        if name.startswith(f"{home}."):
            return f"{public}.{name[len(home) + 1 :]}"
    return name
