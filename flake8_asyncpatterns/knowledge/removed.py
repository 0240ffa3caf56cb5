"""What asyncio had and has no more, or is about to lose, and since which Python.

Looked up in the `asyncio` of CPython 3.6 to 3.13, on Linux: that each name is there until the Python before it is gone
and not from then on, and which functions and classes have a parameter `loop` (3.10 has it in classes, to raise the
TypeError). What came or went outside of these Pythons is from the documentation: "What's New in Python" for 3.4 and
3.14, the announcements for 3.16 there, Windows' policies and loops from the library reference. That `JoinableQueue`
went with 3.5 is what `Lib/asyncio/queues.py` of 3.6 says.
"""

from __future__ import annotations

from typing import TypeAlias

from ..tuples import NamedTuple

Version: TypeAlias = tuple[int, int]

# Before this, no Python is asked about: nobody gets fixes for it any more, and nothing here must still run there.
OLDEST: Version = (3, 8)


class Gone(NamedTuple):
    """Since when something is deprecated and gone (or will be), and what came in its place.

    `successor` is a qualified name that takes the same arguments; empty: there is none.
    """

    deprecated: Version
    removed: Version
    successor: str = ""


# AIO408. What other rules speak of is not here: `asyncio.coroutine` (AIO401), policies and watchers (below).
REMOVED = {
    "asyncio.async": Gone((3, 4), (3, 7), "asyncio.ensure_future"),
    "asyncio.JoinableQueue": Gone((3, 4), (3, 5), "asyncio.Queue"),
    "asyncio.Task.all_tasks": Gone((3, 7), (3, 9), "asyncio.all_tasks"),
    "asyncio.Task.current_task": Gone((3, 7), (3, 9), "asyncio.current_task"),
    # Classes and helpers of `Lib/asyncio/coroutines.py`
    "asyncio.CoroWrapper": Gone((3, 8), (3, 11)),
    "asyncio.debug_wrapper": Gone((3, 7), (3, 7)),
}

# AIO408, too: modules inside asyncio.
REMOVED_MODULES = {
    "asyncio.compat": Gone((3, 7), (3, 7)),
    "asyncio.selectors": Gone((3, 7), (3, 7), "selectors"),
    "asyncio.test_utils": Gone((3, 7), (3, 7)),
}

# AIO408, too: where exceptions once lived inside asyncio. Elsewhere `canonical` makes one name of all homes.
MOVED = {
    f"asyncio.{home}.{name}": Gone((3, 8), (3, 8), f"asyncio.{name}")
    for home, names in {
        "base_futures": ("CancelledError", "InvalidStateError", "TimeoutError"),
        "events": ("SendfileNotAvailableError",),
        "futures": ("CancelledError", "InvalidStateError", "TimeoutError"),
        "streams": ("IncompleteReadError", "LimitOverrunError"),
    }.items()
    for name in names
}

# AIO404: the parameter `loop`, in Python 3.8 and 3.9 with a warning. (`Future`, `Task`, `StreamReader`,
# `StreamReaderProtocol`, `ensure_future`, `wrap_future`, `run_coroutine_threadsafe` … still have theirs.)
LOOP_ARGUMENT = Gone((3, 8), (3, 10))
LOST_LOOP_FUNCTIONS = frozenset(
    f"asyncio.{name}"
    for name in (
        "as_completed", "create_subprocess_exec", "create_subprocess_shell", "gather", "open_connection",
        "open_unix_connection", "shield", "sleep", "start_server", "start_unix_server", "wait", "wait_for",
        "subprocess.create_subprocess_exec", "subprocess.create_subprocess_shell",
    )
)  # fmt: skip
LOST_LOOP_CLASSES = frozenset(
    f"asyncio.{name}"
    for name in (
        "BoundedSemaphore", "Condition", "Event", "JoinableQueue", "LifoQueue", "Lock", "PriorityQueue", "Queue",
        "Semaphore",
    )
)  # fmt: skip

# AIO405: coroutines handed to it.
WAIT = "asyncio.wait"
COROUTINES_TO_WAIT = Gone((3, 8), (3, 11))

# AIO403: a loop that `asyncio.get_event_loop` makes where there is none. It is the making that is removed.
MADE_LOOP = Gone((3, 12), (3, 14))

# AIO406
ISCOROUTINEFUNCTION_NAME = "asyncio.iscoroutinefunction"
ISCOROUTINEFUNCTION = Gone((3, 14), (3, 16), "inspect.iscoroutinefunction")

_POLICY, _WATCHER = Gone((3, 14), (3, 16)), Gone((3, 12), (3, 14))
# AIO407. uvloop's are here because they are policies: `uvloop.install` sets one, and warns since Python 3.12.
POLICIES = {
    **dict.fromkeys(
        (
            "asyncio.AbstractEventLoopPolicy", "asyncio.DefaultEventLoopPolicy", "asyncio.get_event_loop_policy",
            "asyncio.WindowsProactorEventLoopPolicy", "asyncio.WindowsSelectorEventLoopPolicy",
            "asyncio.set_event_loop_policy",
            "uvloop.EventLoopPolicy", "uvloop.install", "winloop.EventLoopPolicy", "winloop.install",
        ),
        _POLICY,
    ),
    **dict.fromkeys(
        (
            "asyncio.AbstractChildWatcher", "asyncio.FastChildWatcher", "asyncio.MultiLoopChildWatcher",
            "asyncio.PidfdChildWatcher", "asyncio.SafeChildWatcher", "asyncio.ThreadedChildWatcher",
            "asyncio.get_child_watcher", "asyncio.set_child_watcher",
        ),
        _WATCHER,
    ),
}  # fmt: skip
# What makes the loop that a policy would make.
LOOP_FACTORIES = {
    "asyncio.DefaultEventLoopPolicy": "asyncio.new_event_loop",
    "asyncio.WindowsProactorEventLoopPolicy": "asyncio.ProactorEventLoop",
    "asyncio.WindowsSelectorEventLoopPolicy": "asyncio.SelectorEventLoop",
    "uvloop.EventLoopPolicy": "uvloop.new_event_loop",
    "uvloop.install": "uvloop.new_event_loop",
    "winloop.EventLoopPolicy": "winloop.new_event_loop",
    "winloop.install": "winloop.new_event_loop",
}

# AIO408: `with await lock`
AWAITED_LOCK = Gone((3, 7), (3, 9))
