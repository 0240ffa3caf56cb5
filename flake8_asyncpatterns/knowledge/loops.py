"""What loops are made of: endless iterators, calls that never come back, state that only the event loop changes."""

from __future__ import annotations

# Calls after which the code behind them does not run: they end the process, or raise in any case.
# Source: the documentation of sys, os, signal and pytest.
LEAVES = frozenset({
    "builtins.exit", "builtins.quit", "sys.exit", "os._exit", "os.abort", "os.execl", "os.execle", "os.execlp",
    "os.execlpe", "os.execv", "os.execve", "os.execvp", "os.execvpe", "os.kill", "os.killpg", "signal.raise_signal",
    "pytest.exit", "pytest.fail", "pytest.skip", "pytest.xfail",
})  # fmt: skip

# Methods whose exception is how a loop around them is meant to end: what they take from is used up or full, a
# generator is done, a test has failed. A rule says nothing where it sees one, whatever the receiver.
ENDS_BY_RAISING = frozenset({
    "pop", "popleft", "popitem", "get_nowait", "put_nowait", "receive_nowait", "send_nowait", "remove", "index",
    "__next__", "next", "send", "throw", "close", "fail", "skipTest", "exit", "abort",
})  # fmt: skip

# Questions about asyncio's objects whose answers change only while the event loop runs (none is thread-safe).
# Source: "Concurrency and multithreading" and the pages of these classes in the asyncio documentation.
ASKS_THE_LOOP = frozenset({
    "asyncio.Event.is_set", "asyncio.Lock.locked", "asyncio.Condition.locked", "asyncio.Semaphore.locked",
    "asyncio.BoundedSemaphore.locked", "asyncio.Future.done", "asyncio.Future.cancelled", "asyncio.Task.done",
    "asyncio.Task.cancelled", "asyncio.Queue.empty", "asyncio.Queue.full", "asyncio.Queue.qsize",
    "asyncio.PriorityQueue.empty", "asyncio.PriorityQueue.full", "asyncio.PriorityQueue.qsize",
    "asyncio.LifoQueue.empty", "asyncio.LifoQueue.full", "asyncio.LifoQueue.qsize",
})  # fmt: skip

# Methods of the event loop that call what they are given on the loop's own thread.
CALLS_ON_THE_LOOP = frozenset({
    f"asyncio.AbstractEventLoop.{name}"
    for name in (
        "call_soon", "call_soon_threadsafe", "call_later", "call_at", "add_signal_handler", "add_reader", "add_writer",
    )
})  # fmt: skip

# Classes whose methods of these names the event loop calls. Source: the asyncio documentation, "Protocols".
PROTOCOLS = frozenset({
    "asyncio.BaseProtocol", "asyncio.Protocol", "asyncio.BufferedProtocol", "asyncio.DatagramProtocol",
    "asyncio.SubprocessProtocol",
})  # fmt: skip
PROTOCOL_CALLBACKS = frozenset({
    "connection_made", "connection_lost", "pause_writing", "resume_writing", "data_received", "eof_received",
    "buffer_updated", "datagram_received", "error_received", "pipe_data_received", "pipe_connection_lost",
    "process_exited",
})  # fmt: skip

# Builtins that change nothing, and whose answers depend on nothing but their arguments; and `print`.
HARMLESS = frozenset(
    f"builtins.{name}"
    for name in ("abs", "bool", "float", "int", "len", "max", "min", "print", "range", "repr", "round", "str", "sum")
)

# What runs a generator expression to its end. (`any`, `all` and `next` may stop early.)
CONSUMERS = frozenset({
    "builtins.bytearray", "builtins.bytes", "builtins.dict", "builtins.frozenset", "builtins.list", "builtins.max",
    "builtins.min", "builtins.set", "builtins.sorted", "builtins.sum", "builtins.tuple", "collections.Counter",
    "collections.deque", "math.fsum", "math.prod", "statistics.fmean", "statistics.mean",
})  # fmt: skip

# What iterates over its argument at once, and may not come to its end.
STOP_EARLY = frozenset({"builtins.all", "builtins.any", "builtins.next"})

# Iterators with as many items as their first argument has.
AS_LONG_AS_THEIR_ARGUMENT = frozenset({
    "builtins.enumerate", "builtins.iter", "builtins.list", "builtins.reversed", "builtins.sorted", "builtins.tuple",
    "itertools.accumulate",
})  # fmt: skip

# Modules of the standard library some of whose context managers swallow exceptions.
SWALLOWING = frozenset({"contextlib", "test", "unittest"})

# Packages that see to it that the main thread has an event loop before any runs; in a browser one always runs.
# Source: the documentation of each; for tornado, IOLoop.current.
SETS_THE_LOOP = frozenset({"asyncqt", "js", "nest_asyncio", "pyodide", "qasync", "quamash", "tornado"})

# Methods (and `print`) whose only effect is that somebody reads what happened.
LOGGING = frozenset({
    "critical", "debug", "error", "exception", "fatal", "info", "log", "print", "trace", "warn", "warning",
})  # fmt: skip

# What asks for the time. Source: "time", "datetime" and the event loop in the library reference; anyio's, trio's.
CLOCKS = frozenset({
    "anyio.current_time", "asyncio.AbstractEventLoop.time", "datetime.datetime.now", "datetime.datetime.today",
    "datetime.datetime.utcnow", "time.monotonic", "time.monotonic_ns", "time.perf_counter", "time.perf_counter_ns",
    "time.time", "time.time_ns", "trio.current_time",
})  # fmt: skip
