"""Who takes a callback, where, and what it is called with; and which calls surely give nothing to call.

Receivers that accept coroutine functions (tornado's loop, APScheduler, Home Assistant …) are not here at all.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from ..tuples import NamedTuple
from . import runtime

# Where a callback runs, which decides how a coroutine can be run there:
# once on the loop; on the loop from another thread; on the loop whenever something is ready; in a thread of its own
# or of a pool; in whatever thread; in another process; at exit; as a signal handler; on leaving a `with`.
Where: TypeAlias = Literal[
    "loop",
    "loop from outside",
    "loop repeatedly",
    "thread",
    "awaited thread",
    "any thread",
    "process",
    "exit",
    "signal",
    "leaving",
]


class Receiver(NamedTuple):
    """How one function or method takes a callback.

    `position` counts from 0, without `self`; `keyword` is the parameter's name, empty where it is positional only.
    `rest`: further positional arguments are the callback's; `keywords`: so are the keyword arguments. `given` says
    how many arguments of its own it hands the callback. `done` is what becomes of the callback, in a word.
    """

    position: int
    keyword: str
    where: Where
    done: str = "scheduled"
    rest: bool = True
    keywords: bool = False
    given: int = 0


_SUBMIT = Receiver(0, "", "thread", "submitted", keywords=True)
_DONE = Receiver(0, "", "loop", "registered", rest=False, given=1)
_START = Receiver(1, "target", "thread", "the thread's target", rest=False)
_ON_LEAVING = Receiver(0, "", "leaving", "registered", keywords=True)

# Source: CPython's documentation and Lib/ of 3.11 to 3.14, each signature read there.
RECEIVERS = {
    # Lib/asyncio/events.py, class AbstractEventLoop
    "asyncio.AbstractEventLoop.call_soon": Receiver(0, "callback", "loop"),
    "asyncio.AbstractEventLoop.call_soon_threadsafe": Receiver(0, "callback", "loop from outside"),
    "asyncio.AbstractEventLoop.call_later": Receiver(1, "callback", "loop"),
    "asyncio.AbstractEventLoop.call_at": Receiver(1, "callback", "loop"),
    "asyncio.AbstractEventLoop.add_signal_handler": Receiver(1, "callback", "loop", "registered"),
    "asyncio.AbstractEventLoop.add_reader": Receiver(1, "callback", "loop repeatedly", "registered"),
    "asyncio.AbstractEventLoop.add_writer": Receiver(1, "callback", "loop repeatedly", "registered"),
    "asyncio.AbstractEventLoop.run_in_executor": Receiver(1, "func", "awaited thread", "submitted"),
    # Lib/asyncio/futures.py, Lib/asyncio/threads.py
    "asyncio.Future.add_done_callback": _DONE,
    "asyncio.Task.add_done_callback": _DONE,
    "asyncio.to_thread": Receiver(0, "", "awaited thread", "handed to a thread", keywords=True),
    # Lib/concurrent/futures; whichever thread finishes the future calls the callback
    "concurrent.futures.Future.add_done_callback": _DONE._replace(where="any thread"),
    "concurrent.futures.Executor.submit": _SUBMIT,
    "concurrent.futures.ThreadPoolExecutor.submit": _SUBMIT,
    "concurrent.futures.ProcessPoolExecutor.submit": _SUBMIT._replace(where="process"),
    # Lib/threading.py, Lib/multiprocessing/process.py
    "threading.Thread": _START,
    "threading.Timer": _START._replace(keyword="function", done="the timer's function"),
    "multiprocessing.Process": _START._replace(where="process", done="the process's target"),
    # Modules/atexitmodule.c, Lib/signal.py, Lib/contextlib.py
    "atexit.register": Receiver(0, "", "exit", "registered", keywords=True),
    "signal.signal": Receiver(1, "", "signal", "registered", rest=False, given=2),
    "contextlib.ExitStack.callback": _ON_LEAVING,
    "contextlib.AsyncExitStack.callback": _ON_LEAVING,
}

# Only asyncio's loops have a method of this name, so it needs no type.
UNMISTAKABLE = {"call_soon_threadsafe": "asyncio.AbstractEventLoop.call_soon_threadsafe"}


def _methods(owners: str, methods: str, result: str) -> dict[str, str]:
    return {f"{owner}.{method}": result for owner in owners.split() for method in methods.split()}


# Calls that give nothing that could be called, and what they give instead.
# Source: CPython's documentation and Lib/ of 3.11 to 3.14; typeshed's annotations agree.
RESULTS = {
    **dict.fromkeys(runtime.NONE, "None"),
    **dict.fromkeys(runtime.BOOLS, "a bool"),
    **_methods(
        "asyncio.AbstractEventLoop",
        "stop close call_exception_handler default_exception_handler set_debug set_default_executor "
        "set_exception_handler set_task_factory add_signal_handler add_reader add_writer",
        "None",
    ),
    **_methods(
        "asyncio.AbstractEventLoop", "remove_signal_handler remove_reader remove_writer is_running is_closed", "a bool"
    ),
    **_methods("asyncio.Event threading.Event", "set clear", "None"),
    **_methods("asyncio.Event threading.Event", "is_set", "a bool"),
    **_methods("asyncio.Future concurrent.futures.Future", "set_result set_exception add_done_callback", "None"),
    **_methods("asyncio.Future asyncio.Task concurrent.futures.Future", "cancel done cancelled", "a bool"),
    **_methods("asyncio.Task", "add_done_callback", "None"),
    **_methods("asyncio.Queue asyncio.PriorityQueue asyncio.LifoQueue", "put_nowait task_done", "None"),
    **_methods("asyncio.Lock asyncio.Semaphore asyncio.BoundedSemaphore asyncio.Condition", "release", "None"),
    **_methods("asyncio.Condition threading.Condition", "notify notify_all", "None"),
    **_methods("asyncio.Handle asyncio.TimerHandle", "cancel", "None"),
    **_methods(
        "asyncio.BaseTransport asyncio.Transport asyncio.DatagramTransport asyncio.SubprocessTransport", "close", "None"
    ),
    **_methods("asyncio.Transport asyncio.WriteTransport", "write writelines write_eof abort", "None"),
    **_methods("asyncio.StreamWriter", "write writelines write_eof close", "None"),
    **_methods("asyncio.StreamReader", "feed_data feed_eof set_exception", "None"),
    **_methods("asyncio.Server asyncio.AbstractServer", "close", "None"),
    **_methods("asyncio.subprocess.Process", "send_signal terminate kill", "None"),
    **_methods("queue.Queue queue.LifoQueue queue.PriorityQueue queue.SimpleQueue", "put put_nowait", "None"),
    **_methods("threading.Thread threading.Timer", "start join", "None"),
    **_methods("threading.Timer", "cancel", "None"),
    **_methods("threading.Lock threading.RLock threading.Semaphore threading.BoundedSemaphore", "release", "None"),
    **_methods(
        "concurrent.futures.Executor concurrent.futures.ThreadPoolExecutor concurrent.futures.ProcessPoolExecutor",
        "shutdown",
        "None",
    ),
    **_methods("logging.Logger logging", "debug info warning error exception critical log", "None"),
    **_methods("builtins", "print delattr setattr", "None"),
    **_methods("sys builtins", "exit", "None"),
    **_methods("os", "_exit", "None"),
    **_methods("os", "kill killpg remove unlink rmdir", "None"),
    **_methods("time", "sleep", "None"),
}
