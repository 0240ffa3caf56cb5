"""What a table's names mean in the Python that runs, and whether a call really keeps an event loop waiting."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import io
import multiprocessing
import sys
import threading
import time
import warnings
from collections.abc import Callable

from flake8_asyncpatterns.knowledge.blocking import Blocking

REMOVED_MODULES = frozenset({"crypt", "nntplib", "telnetlib"})  # in Python 3.13
# Attributes that only objects have.
PARTS: dict[str, object] = {
    "subprocess.Popen.stdout": io.TextIOWrapper,
    "threading.Lock": threading.Lock(),
    "threading.RLock": threading.RLock(),
    "threading.Condition": threading.Condition(),
    **{
        f"multiprocessing.synchronize.{name}": getattr(multiprocessing, name)()
        for name in ("Lock", "RLock", "Semaphore", "BoundedSemaphore")
    },
}
# A call that does not wait has long returned by then. (On a slow machine it may not have: then it is not found out.)
GRACE = 0.02
PATIENCE = 30


def is_standard(name: str) -> bool:
    """Is this a name of the standard library, of this Python or an older one?"""
    top = name.partition(".")[0]
    return top in sys.stdlib_module_names or top in REMOVED_MODULES


def exists_here(entry: Blocking) -> bool:
    """Does a table say that the entry exists on this platform, in this Python?"""
    return all(_holds(word) for word in entry.only.split())


def _holds(word: str) -> bool:
    if word.startswith((">=", "<")):
        version = tuple(int(part) for part in word.lstrip("<>=").split("."))
        return (sys.version_info[:2] >= version) == word.startswith(">=")
    platform = {"unix": sys.platform != "win32", "linux": sys.platform == "linux", "windows": sys.platform == "win32"}
    return platform[word]


def resolve(name: str) -> object:
    """What a qualified name stands for. Raises ImportError or AttributeError when there is no such thing."""
    for part, value in PARTS.items():
        if name == part or name.startswith(f"{part}."):
            return getattr(value, name[len(part) + 1 :]) if name != part else value
    module, _, rest = name.partition(".")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # telnetlib and its like say so when they are imported
        found: object = importlib.import_module(module)
        for part in rest.removesuffix(".*").split("."):
            if not hasattr(found, part):
                with contextlib.suppress(ImportError):
                    importlib.import_module(f"{module}.{part}")
            found = getattr(found, part)
            module = f"{module}.{part}"
    return found


def waits(call: Callable[[], object], release: Callable[[], object]) -> bool:
    """Does a coroutine that makes this call keep its event loop from doing anything else before `release`?"""
    began, turned = threading.Event(), threading.Event()

    async def main() -> None:
        asyncio.get_running_loop().call_soon(turned.set)
        began.set()
        with contextlib.suppress(Exception):  # being released may be an error
            call()
        await asyncio.sleep(0)

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    assert began.wait(PATIENCE)
    had_a_turn = turned.wait(GRACE)
    release()
    thread.join(PATIENCE)
    assert not thread.is_alive(), "it still waits"
    return not had_a_turn


def takes(call: Callable[[], object], seconds: float) -> bool:
    """Does a coroutine that makes this call keep its event loop for so long? (A busy machine makes it longer.)"""

    async def main() -> float:
        began = time.monotonic()
        with contextlib.suppress(TimeoutError):
            call()
        return time.monotonic() - began

    return asyncio.run(main()) >= seconds * 0.99  # clocks are not that precise


class Audit:
    """The events of `sys.audit` that the standard library raises before it asks the operating system to wait."""

    def __init__(self) -> None:
        self.events: list[str] | None = None
        sys.addaudithook(self._note)  # there is no way to take it out again

    def _note(self, event: str, args: tuple[object, ...]) -> None:
        if self.events is not None:
            self.events.append(event)

    def of(self, call: Callable[[], object]) -> list[str]:
        """The events that a call raises."""
        self.events = []
        try:
            with contextlib.suppress(Exception):
                call()
            return self.events
        finally:
            self.events = None
