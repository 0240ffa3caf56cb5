"""What has its callable run in another thread, and what of asyncio only the event loop's own thread may touch."""

from __future__ import annotations

# Functions and methods, and the position of the callable they have run in a thread of a pool or one of its own; those
# that take callbacks in general are in `callbacks.RECEIVERS`. Sources: the documentation of each; CPython 3.11-3.14.
HAND_TO_THREAD = {
    "_thread.start_new_thread": 0,
    "anyio.to_thread.run_sync": 0,
    "asgiref.sync.SyncToAsync": 0,
    "asgiref.sync.sync_to_async": 0,
    "concurrent.futures.Executor.map": 0,
    "concurrent.futures.ThreadPoolExecutor.map": 0,
    "fastapi.concurrency.run_in_threadpool": 0,
    "multiprocessing.pool.ThreadPool.apply": 0,
    "multiprocessing.pool.ThreadPool.apply_async": 0,
    "multiprocessing.pool.ThreadPool.imap": 0,
    "multiprocessing.pool.ThreadPool.imap_unordered": 0,
    "multiprocessing.pool.ThreadPool.map": 0,
    "multiprocessing.pool.ThreadPool.map_async": 0,
    "starlette.concurrency.run_in_threadpool": 0,
}
# Those of them that hand the arguments after it on to the callable.
HAND_ARGUMENTS_ON = frozenset({
    "anyio.to_thread.run_sync", "fastapi.concurrency.run_in_threadpool", "starlette.concurrency.run_in_threadpool",
})  # fmt: skip
# Only event loops have a method of this name: asyncio's, and tornado's, which takes the same arguments.
RUN_IN_EXECUTOR = "run_in_executor"

# Classes whose `run` is what a thread runs.
THREADS = frozenset({"threading.Thread", "threading.Timer"})

# Who calls one of these has an event loop in its own thread, made there or being made the thread's.
OWN_LOOP = frozenset({
    "asyncio.run", "asyncio.Runner", "asyncio.new_event_loop", "asyncio.set_event_loop", "uvloop.run",
    "uvloop.new_event_loop", "anyio.run", "trio.run", "asyncio.AbstractEventLoop.run_until_complete",
    "asyncio.AbstractEventLoop.run_forever",
})  # fmt: skip
# Methods of these names do that on whatever loop; the last is tornado's.
RUNS_A_LOOP = frozenset({"run_until_complete", "run_forever", "run_sync"})
# Who asks one of these knows which thread it may be in.
ASKS_FOR_THE_THREAD = frozenset({
    "asyncio.get_running_loop", "asyncio._get_running_loop", "asyncio.current_task", "threading.current_thread",
    "threading.get_ident", "threading.main_thread",
})  # fmt: skip

LOOP = "asyncio.AbstractEventLoop"
# Functions that start a task in the loop that runs in this thread: in another there is none.
START_A_TASK = frozenset({"asyncio.create_task", "asyncio.ensure_future"})


def _methods(owners: str, methods: str) -> frozenset[str]:
    return frozenset(f"asyncio.{owner}.{method}" for owner in owners.split() for method in methods.split())


# Methods that have the loop call something soon, which it learns only when it wakes for another reason.
# Source: "Concurrency and multithreading" in the asyncio documentation: almost no object of asyncio is thread-safe;
# Lib/asyncio/{events,base_events,futures,tasks,locks,queues,streams}.py.
SCHEDULES = _methods("AbstractEventLoop", "call_soon call_later call_at create_task stop")
TOUCHES_THE_LOOP = frozenset().union(
    SCHEDULES,
    _methods("AbstractEventLoop", "add_reader remove_reader add_writer remove_writer"),
    _methods("Event", "set"),
    _methods("Queue LifoQueue PriorityQueue", "put_nowait"),
    _methods("Queue LifoQueue PriorityQueue", "shutdown"),
    _methods("Future", "set_result set_exception cancel"),
    _methods("Task", "cancel"),
    _methods("Lock Semaphore BoundedSemaphore", "release"),
    _methods("Condition", "notify notify_all"),
    _methods("Transport WriteTransport StreamWriter", "write writelines write_eof"),
    _methods("DatagramTransport", "sendto"),
)  # fmt: skip
