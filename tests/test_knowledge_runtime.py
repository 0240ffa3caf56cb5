"""The tables about the runtime against the runtime itself, and what the rules make of them."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import asyncpatterns
import pytest
from cases import codes

from flake8_asyncpatterns.knowledge import runtime
from flake8_asyncpatterns.knowledge.names import canonical

PUBLIC = {f"asyncpatterns.{name}": getattr(asyncpatterns, name) for name in asyncpatterns.__all__}


def members(which: object) -> set[str]:
    """The public names of the runtime, methods with their class, of which something is true."""
    assert callable(which)
    found = {name for name, thing in PUBLIC.items() if which(thing)}
    for name, thing in PUBLIC.items():
        if inspect.isclass(thing):
            found |= {f"{name}.{method}" for method, f in vars(thing).items() if method[0] != "_" and which(f)}
    return found


def resolved(name: str) -> object:
    """What a table's name means; None: there is no such class or function."""
    thing = PUBLIC.get(".".join(name.split(".")[:2]))
    for part in name.split(".")[2:] if thing is not None else ():
        thing = getattr(thing, part)
    return thing


def test_every_coroutine_function_is_in_the_table() -> None:
    assert members(inspect.iscoroutinefunction) - runtime.COROUTINES == set()


@pytest.mark.parametrize("name", sorted(runtime.COROUTINES))
def test_what_the_table_says_is_a_coroutine_function_is_one(name: str) -> None:
    thing = resolved(name)
    assert thing is None or inspect.iscoroutinefunction(thing)


@pytest.mark.parametrize("name", sorted(runtime.MANAGERS))
def test_managers_take_async_with_only(name: str) -> None:
    thing = resolved(name)
    assert thing is None or (hasattr(thing, "__aenter__") and not hasattr(thing, "__enter__"))


@pytest.mark.parametrize("name", sorted(runtime.ITERABLES))
def test_iterables_take_async_for_only(name: str) -> None:
    thing = resolved(name)
    assert thing is None or (hasattr(thing, "__aiter__") and not hasattr(thing, "__iter__"))


def test_the_modules_names_are_the_packages() -> None:
    for module in pkgutil.iter_modules(asyncpatterns.__path__, "asyncpatterns."):
        exported = getattr(importlib.import_module(module.name), "__all__", ()) if module.name in runtime.HOMES else ()
        for name in exported:
            assert canonical(f"{module.name}.{name}") == f"asyncpatterns.{name}"
    homes = {f"{thing.__module__}.{thing.__name__}" for thing in PUBLIC.values() if hasattr(thing, "__module__")}
    assert {canonical(name).count(".") for name in homes if name.startswith("asyncpatterns.")} == {1}


USES = """\
import signal
import asyncpatterns
from asyncpatterns import ChangeStream, Stop, TaskPool, checkpoint, cooperative, shutdown_signals
from asyncpatterns.stop import Stop as Latch

async def use(stop: Stop, stream: ChangeStream, latch: Latch, fetch, loop):
    {use}
"""


@pytest.mark.parametrize(
    ("use", "found"),
    [
        ("stop.sleep(3)", "AIO203"),
        ("latch.sleep(3)", "AIO203"),
        ("stop.wait()", "AIO203"),
        ("stream.publish(1)", "AIO203"),
        ("stream.add_change(1)", "AIO203"),
        ("checkpoint()", "AIO203"),
        ("asyncpatterns.checkpoint()", "AIO203"),
        ("if stop.sleep(3): pass", "AIO204"),
        ("while stop.sleep(3): fetch()", "AIO204"),
        ("for item in cooperative([1]): fetch(item)", "AIO214"),
        ("for change in stream.subscribe(): fetch(change)", "AIO214"),
        ("for change in stream: fetch(change)", "AIO214"),
        ("for tick in stop.every(1): fetch(tick)", "AIO214"),
        ("with TaskPool(3): pass", "AIO214"),
        ("with shutdown_signals(): pass", "AIO214"),
        ("async with TaskPool(3) as pool: pool.spawn(fetch)", "AIO203"),
        ("async with shutdown_signals() as told: told.sleep(1)", "AIO203"),
        ("loop.add_signal_handler(signal.SIGTERM, stop.set())", None),  # not known to be a loop
        ("__import__('asyncio').sleep(1); asyncpatterns.run(use(1, 2, 3, 4, 5))", "AIO209"),
        ("asyncpatterns.run(use)", "AIO209"),
        ("await stop.sleep(3)", None),
        ("await stream.publish(1)", None),
        ("stream.publish_nowait(1)", None),
        ("stop.set()", None),
        ("async with TaskPool(3) as pool: await pool.spawn(fetch)", None),
        ("async with TaskPool(3) as pool: pool.try_spawn(fetch)", None),
        ("with stream.subscribe() as changes: pass", None),
        ("async for item in cooperative(range(10**7)): fetch(item)", None),
        ("async for tick in stop.every(1): fetch(tick)", None),
        ("while True: await checkpoint()", None),
    ],
)
def test_the_rules_know_the_runtime(use: str, found: str | None) -> None:
    assert codes(USES.format(use=use)) == ([found] if found else [])
