"""Calls that wait for another thread, another process or a signal."""

from __future__ import annotations

from .entry import Argument, Blocking, each

NO_TIME = (0, 0.0)
NOT_BLOCKING = (False, 0)
_SAME_THREAD = "only the thread that acquired it can release it"
_HELD = "a task that is cancelled meanwhile would leave it acquired; have an `asyncio` one in its place"
_MAIN_THREAD = "the main thread gets the signals; `loop.add_signal_handler()` does not block"
_ITERATED = "iterate over `asyncio.as_completed()` of futures that `asyncio.wrap_future()` made awaitable"


def _within(position: int, keyword: str = "timeout") -> Blocking:
    """It waits, but not where its timeout is 0."""
    return Blocking("AIO108", unless=(Argument(position, keyword, NO_TIME),))


def _acquired(instead: str, bound: str) -> Blocking:
    return Blocking(
        "AIO108",
        instead,
        unless=(Argument(0, "blocking", NOT_BLOCKING), Argument(1, "timeout", NO_TIME)),
        bound=bound,
    )


def _moved(position: int) -> Blocking:
    """Something goes into or out of a queue: `block` and `timeout` say how long it waits."""
    return Blocking(
        "AIO108",
        "asyncio.Queue",
        unless=(Argument(position, "block", NOT_BLOCKING), Argument(position + 1, "timeout", NO_TIME)),
    )


_WAITS = Blocking("AIO108")
_LAZY = Blocking("AIO108", bound="the items of its iterator are what is waited for")
_SHUTDOWN = Blocking("AIO108", unless=(Argument(0, "wait", NOT_BLOCKING),))

# The executors of the standard library. Source: Lib/concurrent/futures, CPython 3.11-3.14.
THREADS = frozenset({"concurrent.futures.ThreadPoolExecutor"})
PROCESSES = "concurrent.futures.ProcessPoolExecutor"
_EXECUTORS = THREADS | {"concurrent.futures.Executor", PROCESSES}
_INTERPRETERS = "concurrent.futures.InterpreterPoolExecutor"
EXECUTORS = _EXECUTORS | {_INTERPRETERS}
_QUEUES = ("queue.Queue", "queue.LifoQueue", "queue.PriorityQueue")
_PROCESS_QUEUES = ("multiprocessing.queues.Queue", "multiprocessing.queues.JoinableQueue")
_POOLS = ("multiprocessing.pool.Pool", "multiprocessing.pool.ThreadPool")
_SYNCHRONIZE = "multiprocessing.synchronize"

# What a queue that may be full is made with, and where in the call.
MAXSIZE = Argument(0, "maxsize")
# Queues that are bounded only where they were told a size; what goes into others never waits.
BOUNDED = frozenset((*_QUEUES, *_PROCESS_QUEUES))

# They give an iterator at once; whoever takes from it waits.
WHEN_ITERATED = frozenset({
    "concurrent.futures.as_completed",
    *(f"{executor}.map" for executor in EXECUTORS),
    *(f"{pool}.{name}" for pool in _POOLS for name in ("imap", "imap_unordered")),
})  # fmt: skip

# What gives the outcome of a future, and waits for it where there is none yet.
FINISHES = frozenset({"result", "exception"})
# What gives a future its outcome.
SETTLES = frozenset({"set_result", "set_exception"})

# Flags by which a file is locked without waiting, or let go.
NO_WAIT = frozenset({"LOCK_NB", "LOCK_UN"})

# Methods whose answer may be there already, and the questions that tell whether it is.
ASKED_BY = {
    "get": frozenset({"empty", "qsize", "_reader"}),  # the last is what select() is given of another process's queue
    "put": frozenset({"full", "qsize"}),
    "result": frozenset({"done", "cancelled", "exception"}),
    "exception": frozenset({"done", "cancelled"}),
    "recv": frozenset({"poll"}),
    "recv_bytes": frozenset({"poll"}),
}
# The same for those that tell it when their answer changes: a loop that asks until it did leaves nothing to wait for.
POLLED_BY = {
    "join": frozenset({"is_alive"}),
    "wait": frozenset({"is_set", "ready"}),
    "acquire": frozenset({"locked"}),
    "result": frozenset({"done", "running"}),
    "get": frozenset({"empty", "qsize", "ready"}),
}

# What waits until futures are done. Source: "Waiting Primitives" and "Module Functions" in the library reference.
MAKES_DONE = frozenset({
    "asyncio.gather", "asyncio.wait", "asyncio.wait_for", "asyncio.wrap_future", "concurrent.futures.as_completed",
    "concurrent.futures.wait",
})  # fmt: skip

# Sources: "threading", "queue", "concurrent.futures", "multiprocessing", "select", "selectors", "signal", "fcntl" and
# "time" in the library reference, CPython 3.11-3.14; janus/__init__.py of janus 2; filelock/_api.py of filelock 3.
CALLS: dict[str, Blocking] = {
    **each(("threading.Lock", f"{_SYNCHRONIZE}.Lock"), "acquire", _acquired("asyncio.Lock", _HELD)),
    **each(("threading.RLock", f"{_SYNCHRONIZE}.RLock"), "acquire", _acquired("asyncio.Lock", _SAME_THREAD)),
    **each("threading.Condition", "acquire", _acquired("asyncio.Condition", _SAME_THREAD)),
    **each("threading.Condition", "wait", _within(0)._replace(instead="asyncio.Condition", bound=_SAME_THREAD)),
    **each("threading.Condition", "wait_for", _within(1)._replace(instead="asyncio.Condition", bound=_SAME_THREAD)),
    **each(
        (f"{module}.{kind}" for module in ("threading", _SYNCHRONIZE) for kind in ("Semaphore", "BoundedSemaphore")),
        "acquire",
        _acquired("asyncio.Semaphore", _HELD),
    ),
    **each(("threading.Event", f"{_SYNCHRONIZE}.Event"), "wait", _within(0)._replace(instead="asyncio.Event")),
    **each(("threading.Barrier", f"{_SYNCHRONIZE}.Barrier"), "wait", _within(0)._replace(instead="asyncio.Barrier")),
    **each(("threading.Thread", "threading.Timer", "multiprocessing.Process"), "join", _within(0)),
    **each((*_QUEUES, *_PROCESS_QUEUES, "queue.SimpleQueue"), "get", _moved(0)),
    **each((*_QUEUES, *_PROCESS_QUEUES), "put", _moved(1)),
    **each((*_QUEUES, "multiprocessing.queues.JoinableQueue"), "join", Blocking("AIO108", "asyncio.Queue")),
    **each("multiprocessing.queues.SimpleQueue", "get", _WAITS),
    **each("janus.SyncQueue", "get", _moved(0)._replace(instead="janus.Queue.async_q")),
    **each("janus.SyncQueue", "join", Blocking("AIO108", "janus.Queue.async_q")),
    **each("concurrent.futures.Future", "result exception", _within(0)._replace(instead="asyncio.wrap_future")),
    **each("concurrent.futures", "wait", _within(1)._replace(instead="asyncio.wait")),
    **each("concurrent.futures", "as_completed", Blocking("AIO108", "asyncio.as_completed", bound=_ITERATED)),
    **each(_EXECUTORS, "map", _LAZY),
    **each(_EXECUTORS, "shutdown", _SHUTDOWN),
    **each(_INTERPRETERS, "map", _LAZY._replace(only=">=3.14")),
    **each(_INTERPRETERS, "shutdown", _SHUTDOWN._replace(only=">=3.14")),
    **each(_POOLS, "apply map starmap join", _WAITS),
    **each(_POOLS, "imap imap_unordered", _LAZY),
    **each("multiprocessing.pool.AsyncResult", "get wait", _within(0)),
    **each("multiprocessing.connection.Connection", "recv recv_bytes", _WAITS),
    **each("multiprocessing.connection.Listener", "accept", _WAITS),
    **each("multiprocessing.connection", "wait", _within(1)),
    **each("select", "select", _within(3, "")),
    **each("selectors.DefaultSelector", "select", _within(0)),
    **each("signal", "sigwait sigwaitinfo pause", Blocking("AIO108", bound=_MAIN_THREAD, only="unix")),
    **each("fcntl", "flock lockf", Blocking("AIO108", only="unix")),
    **each("filelock.FileLock", "acquire", _within(0)._replace(instead="filelock.AsyncFileLock")),
}
NEVER: frozenset[str] = frozenset()
RETURNS: dict[str, str] = {
    **{f"{executor}.submit": "concurrent.futures.Future" for executor in _EXECUTORS},
    **{
        f"{pool}.{name}": "multiprocessing.pool.AsyncResult"
        for pool in _POOLS
        for name in ("apply_async", "map_async", "starmap_async")
    },
    "multiprocessing.connection.Client": "multiprocessing.connection.Connection",
    "multiprocessing.connection.Listener.accept": "multiprocessing.connection.Connection",
    # A context has what the module has.
    "multiprocessing.get_context": "multiprocessing",
}
# The names in `multiprocessing` are methods of its default context, and are used in annotations all the same.
SAME: dict[str, str] = {
    **{
        f"multiprocessing.{name}": f"multiprocessing.queues.{name}"
        for name in ("Queue", "JoinableQueue", "SimpleQueue")
    },
    **{
        f"multiprocessing.{name}": f"{_SYNCHRONIZE}.{name}"
        for name in ("Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition", "Event", "Barrier")
    },
    "multiprocessing.Pool": "multiprocessing.pool.Pool",
    "multiprocessing.dummy.Pool": "multiprocessing.pool.ThreadPool",
    "multiprocessing.pool.ApplyResult": "multiprocessing.pool.AsyncResult",
    "multiprocessing.pool.MapResult": "multiprocessing.pool.AsyncResult",
    "multiprocessing.context.Process": "multiprocessing.Process",
    "multiprocessing.process.BaseProcess": "multiprocessing.Process",
    "filelock.UnixFileLock": "filelock.FileLock",
    "filelock.SoftFileLock": "filelock.FileLock",
    "filelock.BaseFileLock": "filelock.FileLock",
    "selectors.SelectSelector": "selectors.DefaultSelector",
    "selectors.PollSelector": "selectors.DefaultSelector",
    "selectors.EpollSelector": "selectors.DefaultSelector",
    "selectors.BaseSelector": "selectors.DefaultSelector",
}
ATTRIBUTES: dict[str, str] = {"janus.Queue.sync_q": "janus.SyncQueue"}
