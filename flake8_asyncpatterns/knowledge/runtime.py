"""What the names of the runtime mean, `asyncpatterns`: the other tables take theirs from here.

Source: runtime/asyncpatterns, the other distribution of this repository; tests/test_knowledge_runtime.py compares.
"""

from __future__ import annotations


def _methods(owner: str, methods: str) -> frozenset[str]:
    return frozenset(f"asyncpatterns.{owner}.{method}" for method in methods.split())


# Modules whose public names the package exports.
HOMES = dict.fromkeys(
    (
        f"asyncpatterns.{module}"
        for module in (
            "composition",
            "pipelines",
            "queues",
            "redis",
            "service",
            "stop",
            "streams",
            "tasks",
            "turns",
            "values",
        )
    ),
    "asyncpatterns",
)

RUN = "asyncpatterns.run"

# Coroutine functions, and methods that are some.
COROUTINES = frozenset({"asyncpatterns.checkpoint"}).union(
    _methods("ChangeStream", "add_change publish"),
    _methods("Pipeline", "collect drain"),
    _methods("SizedQueue", "get join put"),
    _methods("Stop", "sleep wait"),
    _methods("TaskPool", "spawn"),
    _methods("cooperative", "aclose"),
    _methods("Value", "wait_for"),
    _methods("RedisChangeStream", "position publish"),
)

# What takes `async with` and raises for `with`; functions whose result does.
MANAGERS = frozenset({"asyncpatterns.Pipeline", "asyncpatterns.TaskPool"})
MAKE_MANAGERS = frozenset({"asyncpatterns.pipeline", "asyncpatterns.shutdown_signals"})

# What takes `async for` and raises for `for`; functions whose result does.
ITERABLES = frozenset({"asyncpatterns.ChangeStream", "asyncpatterns.Subscription"})
MAKE_ITERATORS = frozenset({"asyncpatterns.cooperative", "asyncpatterns.Stop.every"}).union(
    _methods("ChangeStream", "subscribe"),
    _methods("Value", "changes"),
    _methods("RedisChangeStream", "subscribe"),
)

# What methods give that give nothing to call.
NONE = _methods("ChangeStream", "close publish_nowait") | _methods("Stop", "set set_threadsafe")
BOOLS = _methods("Stop", "is_set")

# What a call gives; what awaiting it gives; what `async with x as y` makes of `y`.
RETURNS = {
    "asyncpatterns.ChangeStream.publish_threadsafe": "concurrent.futures.Future",
    "asyncpatterns.ChangeStream.subscribe": "asyncpatterns.Subscription",
}
AWAITED = {"asyncpatterns.TaskPool.spawn": "asyncio.Task"}
ENTERED = {"asyncpatterns.shutdown_signals": "asyncpatterns.Stop"}
