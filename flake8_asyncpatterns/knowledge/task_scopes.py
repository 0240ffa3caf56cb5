"""Blocks that belong to the task that enters them: timeouts, cancel scopes, groups of tasks."""

from __future__ import annotations

# Blocks that end by a TimeoutError of their own, raised where the block is left.
# Sources: "Timeouts" in the library reference, CPython 3.11-3.14; the documentation of async_timeout and anyio.
RAISES_TIMEOUT = frozenset({
    "asyncio.timeout", "asyncio.timeout_at", "async_timeout.timeout", "async_timeout.timeout_at", "anyio.fail_after",
})  # fmt: skip

# All blocks with a time limit. (trio raises TooSlowError; `move_on_after` and its kin raise nothing.)
TIME_LIMITS = RAISES_TIMEOUT | {
    "anyio.move_on_after", "trio.fail_after", "trio.fail_at", "trio.move_on_after", "trio.move_on_at",
}  # fmt: skip

TIMEOUT_ERRORS = frozenset({"builtins.TimeoutError", "asyncio.TimeoutError"})

# Source: "Task Groups" in the library reference, CPython 3.11-3.14.
TASK_GROUP = "asyncio.TaskGroup"

# Groups of tasks that cancel the task inside of them, when one of the others fails. Source: PEP 789.
CANCELLING_GROUPS = frozenset({
    TASK_GROUP, "asyncpatterns.TaskPool", "anyio.create_task_group", "trio.open_nursery",
})  # fmt: skip
# Blocks that end when the tasks that were started in them have. Sources: the documentation of anyio, trio and curio.
TASK_GROUPS = CANCELLING_GROUPS | {"curio.TaskGroup"}

# Blocks that end what awaits in them, when time is up or somebody says so, and let the task go on behind them.
CANCEL_SCOPES = TIME_LIMITS | {"anyio.CancelScope", "trio.CancelScope"}

# Blocks that cancel the task inside of them, which must be the one that entered them. Source: PEP 789.
TASK_SCOPES = CANCEL_SCOPES | CANCELLING_GROUPS

# Parts of the names of calls that may raise a TimeoutError by themselves: that of the operating system, or of a limit
# of their own.
OWN_TIMEOUTS = ("connect", "dial", "sock", "timeout", "wait_for", "within")
