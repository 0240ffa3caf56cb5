"""What raises CancelledError, what catches it, and what ends only because somebody else was cancelled."""

from __future__ import annotations

CANCELLED = "asyncio.CancelledError"
EVERYTHING = "builtins.BaseException"

# Calls that give the class of the exception a task is cancelled with. Source: the documentation of anyio 4.
CANCELLED_CLASS = frozenset({"anyio.get_cancelled_exc_class"})

# They wait for what they are given, and raise CancelledError when that was cancelled.
# Source: Lib/asyncio/tasks.py of CPython 3.11-3.14.
PASS_ON = frozenset({"asyncio.wait_for", "asyncio.gather", "asyncio.shield", "asyncio.wait", "asyncio.wrap_future"})

# With these a task looks at its own cancellation, so what it swallows it swallows knowingly.
# Source: "Task Object" in the library reference, CPython 3.11-3.14.
DELIBERATE = frozenset({"uncancel", "cancelling"})

# Words in the names of methods that end something. The task behind it may have been cancelled for that, and what they
# raise need not be the cancellation of whoever waits.
ENDING_WORDS = ("abort", "cancel", "clean", "close", "disconnect", "drain", "exit", "finish", "flush", "join", "kill",
                "leave", "quit", "release", "shutdown", "stop", "teardown", "terminate", "unsub")  # fmt: skip

# Words in the names of functions that tell people of an exception, and do nothing else with it.
TELLING_WORDS = ("log", "print", "warn")
TELLING = frozenset({"critical", "debug", "error", "exception", "fatal", "info"})

# Methods that hand an outcome to somebody else who waits for it.
OUTCOMES = frozenset({"set_exception", "set_result"})

# What reads the exception that is being handled, without its name. Source: the documentation of sys and traceback.
EXCEPTION_READERS = frozenset({"sys.exc_info", "sys.exception", "traceback.format_exc"})

# Functions that make a task of a coroutine, or run it by itself: nobody goes on when it ends. Many frameworks have
# methods of these names (TaskGroup, anyio, aiojobs, Home Assistant, discord.py …).
STARTERS = frozenset({
    "add_background_task", "add_future", "add_task", "async_create_background_task", "async_create_task",
    "create_background_task", "create_task", "ensure_future", "run", "run_coroutine_threadsafe", "run_until_complete",
    "spawn", "start_soon", "start_task", "Task",
})  # fmt: skip
