"""What is a lock: held from entering a `with` block to leaving it.

Source: "Synchronization Primitives" (asyncio) and "threading" in the library reference, CPython 3.11-3.14.
"""

from .decorators import SAME_RESULT

ASYNC_LOCKS = frozenset({"asyncio.Lock", "asyncio.Condition", "asyncio.Semaphore", "asyncio.BoundedSemaphore"})
THREAD_LOCKS = frozenset(
    {"threading.Lock", "threading.RLock", "threading.Condition", "threading.Semaphore", "threading.BoundedSemaphore"}
)
# What one thread has at a time, and mostly for a moment only. (Of a semaphore there may be none left for long.)
MUTEXES = frozenset({"threading.Lock", "threading.RLock", "threading.Condition"})

# Decorators that leave a generator what it is. After any other it may be a context manager, a fixture, a task …
TRANSPARENT = SAME_RESULT | {"abc.abstractmethod", "typing.final", "typing_extensions.final"}

# What `async with` enters without keeping anybody out. Of anything else that is not known it is assumed that it may.
NO_LOCKS = frozenset({
    "asyncio.timeout", "asyncio.timeout_at", "asyncio.TaskGroup", "async_timeout.timeout", "anyio.create_task_group",
    "asyncpatterns.TaskPool", "asyncpatterns.shutdown_signals",
    "contextlib.AsyncExitStack", "contextlib.aclosing", "aiohttp.ClientSession", "httpx.AsyncClient",
})  # fmt: skip
