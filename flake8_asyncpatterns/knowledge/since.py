"""Since which Python there is what fixes write.

From the documentation of each: its "Added in version".
"""

from __future__ import annotations

from .removed import Version

SINCE: dict[str, Version] = {
    "asyncio.ensure_future": (3, 4),
    "inspect.iscoroutinefunction": (3, 5),
    **dict.fromkeys(
        (
            "asyncio.all_tasks", "asyncio.create_task", "asyncio.current_task", "asyncio.get_running_loop",
            "asyncio.run",
        ),
        (3, 7),
    ),
    "asyncio.to_thread": (3, 9),
    **dict.fromkeys(("asyncio.Runner", "asyncio.TaskGroup", "asyncio.timeout", "asyncio.timeout_at"), (3, 11)),
}  # fmt: skip
