"""What is a lock: held from entering a `with` block to leaving it.

Source: "Synchronization Primitives" (asyncio) and "threading" in the library reference, CPython 3.11-3.14.
"""

ASYNC_LOCKS = frozenset({"asyncio.Lock", "asyncio.Condition", "asyncio.Semaphore", "asyncio.BoundedSemaphore"})
THREAD_LOCKS = frozenset(
    {"threading.Lock", "threading.RLock", "threading.Condition", "threading.Semaphore", "threading.BoundedSemaphore"}
)

# Decorators that leave a generator what it is. After any other it may be a context manager, a fixture, a task …
TRANSPARENT = frozenset(
    {
        "abc.abstractmethod",
        "builtins.classmethod",
        "builtins.staticmethod",
        "typing.final",
        "typing.override",
        "typing_extensions.final",
        "typing_extensions.override",
    }
)
