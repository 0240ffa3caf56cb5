"""What makes tasks and futures, and who throws away what a callback gives.

Sources: CPython's Lib/asyncio/{base_events,events,tasks}.py of 3.11 to 3.14; pyee/base.py and Node's EventEmitter,
whose method names the emitters of Python libraries share.
"""

from __future__ import annotations

LOOP_CREATE_TASK = "asyncio.AbstractEventLoop.create_task"
ENSURE_FUTURE = "asyncio.ensure_future"
GATHER = "asyncio.gather"
SHIELD = "asyncio.shield"
WAIT = "asyncio.wait"
THREADSAFE = "asyncio.run_coroutine_threadsafe"

# They make a task of a coroutine, and take nothing else.
FROM_COROUTINE = frozenset({"asyncio.create_task", "asyncio.Task", LOOP_CREATE_TASK})
# They make a task of a coroutine; a task or future that is handed to them stays what it is.
FROM_ANYTHING = frozenset({ENSURE_FUTURE, SHIELD, GATHER})
MAKERS = FROM_COROUTINE | FROM_ANYTHING
# They take what is to be awaited; all but `gather` as their first argument.
AWAITING = frozenset(
    f"asyncio.{name}" for name in ("create_task", "ensure_future", "gather", "run", "shield", "wait_for")
)
# Whatever coroutine they are handed runs.
TAKES_COROUTINES = AWAITING | FROM_COROUTINE | {
    THREADSAFE, "asyncio.AbstractEventLoop.run_until_complete", "asyncio.TaskGroup.create_task",
}  # fmt: skip

# Their result is held by who will set its outcome, such as an executor, or is nobody's before it is awaited.
HELD = frozenset(
    {
        "asyncio.AbstractEventLoop.run_in_executor", "asyncio.AbstractEventLoop.create_future", "asyncio.wrap_future",
        "asyncio.to_thread", "asyncio.wait",
    }
)  # fmt: skip
# Parts of the names of methods that start something and keep it themselves.
STARTERS = ("create_task", "create_background_task", "executor", "spawn", "submit")
# Methods of a group of tasks that start one there; but for the first, they are given a function.
# Sources: "Task Groups" in the library reference, CPython 3.11-3.14; the documentation of anyio, trio and curio.
START_IN_GROUP = frozenset({"create_task", "spawn", "start_soon"})
# What makes `asyncio.wait()` return before all is done; the constants are these strings.
ENDS_EARLY = frozenset(
    {"FIRST_COMPLETED", "FIRST_EXCEPTION", "asyncio.FIRST_COMPLETED", "asyncio.FIRST_EXCEPTION"}
    | {f"concurrent.futures.{name}" for name in ("FIRST_COMPLETED", "FIRST_EXCEPTION")}
)
# Coroutines that raise nothing, as they are used (a queue can be shut down only since Python 3.13).
NEVER_FAIL = frozenset(
    {"asyncio.Queue.put", "asyncio.LifoQueue.put", "asyncio.PriorityQueue.put", "asyncio.sleep", "asyncio.Event.wait"}
)
FUTURES = frozenset({"asyncio.Future", "asyncio.Task"})
# Only those that were told a size are ever full.
QUEUES = frozenset({"asyncio.Queue", "asyncio.LifoQueue", "asyncio.PriorityQueue"})
# What only a coroutine is said to be by an annotation.
COROUTINE_TYPES = frozenset(
    {"typing.Coroutine", "collections.abc.Coroutine", "types.CoroutineType", "typing.Generator"}
)

# Methods of a future that give nothing: who calls them on a new task has no name for it.
GIVE_NOTHING = frozenset({"add_done_callback", "set_name"})

# Methods that take an event and a listener, and have no use for what the listener gives.
EMITTERS = frozenset(
    {"on", "once", "add_listener", "addListener", "add_event_listener", "addEventListener", "prependListener"}
)

# What a plain function calls to run the loop, so that its own variables live as long as that runs, or to wait for it.
RUNS_ON = ("run", "serve", "start", "wait", "join", "sleep", "exec", "loop", "main", "result")
