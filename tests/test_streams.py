"""Where the rules on locks and streams speak without a fix, and why."""

from __future__ import annotations

import textwrap

import pytest
from cases import found, mended

LOCKED = """\
import asyncio
import threading

class Source:
    def __init__(self):
        self._lock = asyncio.Lock()
        self._guard = threading.Condition()
        self._changed = asyncio.Condition()
        self._items = []

{method}
"""


def in_source(method: str) -> str:
    return LOCKED.format(method=textwrap.indent(textwrap.dedent(method).strip(), "    "))


@pytest.mark.parametrize(
    ("method", "line", "reason"),
    [
        pytest.param(
            """
            async def all(self):
                async with self._lock:
                    for item in self._items:
                        if item:
                            yield item
            """,
            15,
            "more is done under the lock than to take what is yielded",
            id="a choice in the loop",
        ),
        pytest.param(
            """
            async def all(self):
                async with self._lock:
                    for item in self.fetch():
                        yield item
            """,
            14,
            "more is done under the lock than to take what is yielded",
            id="perhaps a generator without an end",
        ),
        pytest.param(
            """
            async def all(self):
                while self._items:
                    async with self._lock:
                        yield self._items.pop()
                        yield None
            """,
            14,
            "the block yields in several places",
            id="two yields",
        ),
        pytest.param(
            """
            async def all(self):
                await self._lock.acquire()
                try:
                    while self._items:
                        yield self._items.pop()
                finally:
                    self._lock.release()
            """,
            15,
            "the lock is taken and released by hand",
            id="by hand",
        ),
        pytest.param(
            """
            async def all(self):
                async with self._changed:
                    while True:
                        yield len(self._items)
                        await self._changed.wait()
            """,
            14,
            "a change that comes while the consumer works would be lost: it waits without a predicate",
            id="state after each change",
        ),
        pytest.param(
            """
            def frames(self):
                while True:
                    with self._guard:
                        self._guard.wait()
                        yield self._items
            """,
            15,
            "a change that comes while the consumer works would be lost: it waits without a predicate",
            id="threads wait as well",
        ),
        pytest.param(
            """
            async def all(self, session):
                while self._items:
                    async with session, self._lock:
                        yield self._items.pop()
            """,
            14,
            "the `with` does more than to hold the lock",
            id="two context managers",
        ),
        pytest.param(
            """
            async def all(self, item):
                while self._items:
                    async with self._lock:
                        yield item
            """,
            14,
            "nothing but the yield is under the lock",
            id="nothing is taken",
        ),
    ],
)
def test_a_lock_held_across_yield_is_left_to_a_person(method: str, line: int, reason: str) -> None:
    (finding,) = found(in_source(method))
    assert (finding.rule.code, finding.line, finding.fix, finding.refusal) == ("AIO501", line, None, reason)


def test_of_two_locks_the_inner_one_goes_first() -> None:
    source = in_source(
        """
        async def all(self):
            while self._items:
                async with self._lock:
                    async with self._changed:
                        item = self._items.pop()
                        yield item
        """
    )
    (finding,) = found(source)
    assert "self._changed" in finding.message
    result = mended(source)
    assert [f.related[0].node.lineno for f in result.fixed] == [14, 13]  # type: ignore[attr-defined]  # statements
    assert result.text.endswith("pop()\n            yield item\n")


def test_what_is_kept_for_the_yield_has_a_name_of_its_own() -> None:
    source = in_source(
        """
        async def all(self, value):
            while True:
                async with self._lock:
                    value_ = self._items.pop()
                    yield value_ + value
        """
    )
    assert "value__ = value_ + value\n            yield value__\n" in mended(source).text


def test_an_iteration_that_begins_with_the_state_is_no_lost_change() -> None:
    source = in_source(
        """
        async def update(self, item):
            async with self._changed:
                self._items = item
                self._changed.notify_all()

        async def states(self):
            async with self._changed:
                while True:
                    yield self._items
                    await self._changed.wait()
        """
    )
    assert [finding.rule.code for finding in found(source)] == ["AIO501"]


STREAM = """\
import asyncio

class Stream:
    def __init__(self):
        self._condition = asyncio.Condition()
        self._slot = None

    async def put(self, value):
        async with self._condition:
            self._slot = value
            self._condition.notify_all()

    async def follow(self):
        while True:
            async with self._condition:
                await self._condition.wait()
                value = self._slot
            yield value
"""


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            "class Stream:",
            "def last(stream):\n    return stream._slot\n\nclass Stream:",
            "`stream._slot` serves for something else in line 4",
        ),
        ("yield value", "yield value, 1", "`follow` is more than a loop that waits and yields"),
        ("_slot = None", "_slot = Stream", "`self._slot` begins with a value of its own"),
        ("Condition()", "Condition(LOCK)", "the condition is not made here, or shares its lock"),
        ("notify_all()", "notify()", "`notify()` gives each change to one of the waiters"),
        ("notify_all()\n", "notify_all()\n            print()\n", "more is done under the condition in line 9"),
        ("    async def follow", "    @traced\n    async def follow", "`follow` is decorated"),
        (
            "    async def follow",
            "    def last(self):\n        return self._slot\n\n    async def follow",
            "`self._slot` serves for something else in line 14",
        ),
        (
            "class Stream:\n",
            'class Stream:\n    __slots__ = ("_slot",)\n',
            "`_slot` is also named in a string or a class body",
        ),
        ("import asyncio\n", "import asyncio\n\nclass Derived: ...\n", None),
        (
            "follow(self)",
            "follow(self) -> Follower",
            "`follow` is annotated as something other than an async iterator",
        ),
        (
            "            yield value\n",
            "            yield value\n\nclass Derived(Stream): ...\n",
            "other classes of the file inherit from this one",
        ),
    ],
)
def test_a_lost_change_is_left_to_a_person(old: str, new: str, reason: str | None) -> None:
    (finding,) = found(STREAM.replace(old, new))
    assert finding.rule.code == "AIO502"
    assert (finding.fix is None, finding.refusal) == (reason is not None, reason or "")


def test_the_stream_keeps_the_condition_s_name_where_another_has_its_own() -> None:
    source = STREAM.replace("        self._slot = None\n", "        self._slot = None\n        self._changes = 0\n")
    assert "self._condition = asyncpatterns.ChangeStream()" in mended(source).text


def test_an_iterator_s_next_step_is_reported_too() -> None:
    step = """
    async def __anext__(self):
        async with self._condition:
            await self._condition.wait()
            return self._slot
"""
    source = STREAM[: STREAM.index("    async def follow") - 1] + step
    (finding,) = found(source)
    assert finding.rule.code == "AIO502"
    assert finding.refusal == "`__anext__` is more than a loop that waits and yields"
    assert found(source.replace("__anext__", "next_change")) == []


def test_several_iterators_are_mended_together() -> None:
    source = STREAM + STREAM[STREAM.index("    async def follow") - 1 :].replace("follow", "watch")
    result = mended(source)
    assert result.left == []
    assert result.text.count("return self._changes.subscribe()") == 2
    assert found(result.text) == []


@pytest.mark.parametrize(
    "imported",
    [
        "from collections.abc import AsyncGenerator",
        "from collections.abc import AsyncGenerator, AsyncIterator",
        "from typing import AsyncGenerator",
    ],
)
def test_what_was_a_generator_is_annotated_as_an_iterator(imported: str) -> None:
    source = STREAM.replace("follow(self)", "follow(self) -> AsyncGenerator[int, None]").replace(
        "import asyncio", f"import asyncio\n{imported}"
    )
    result = mended(source)
    assert result.left == []
    assert "    def follow(self) -> " in result.text
    assert "AsyncIterator[int]:\n        return self._changes.subscribe()" in result.text
    assert "AsyncGenerator" not in result.text


def test_a_public_condition_is_said_to_be_one() -> None:
    (finding,) = found(STREAM.replace("._condition", ".changed"))
    assert finding.fix
    assert finding.fix.unsafe.endswith("; `changed` may be used by other files")


def test_two_classes_of_one_file_are_mended_each_by_itself() -> None:
    result = mended(STREAM + "\n" + STREAM[STREAM.index("class") :].replace("Stream", "Other"))
    assert result.left == []
    assert result.text.count("self._changes = asyncpatterns.ChangeStream()") == 2


@pytest.mark.parametrize(
    ("decorated", "lines"),
    [
        ("async def f():\n    async with LOCK:\n        async for x in source():\n            yield x", [7]),
        (
            "async def f():\n    async with LOCK:\n        for x in source():\n            yield x\n            break",
            [],
        ),
        ("async def f():\n    while True:\n        async with LOCK:\n            yield 1\n            return", []),
        ("def f():\n    with GUARD:\n        for x in source():\n            yield x", []),
    ],
)
def test_under_an_unknown_decorator_only_what_yields_for_each_item_is_a_stream(
    decorated: str, lines: list[int]
) -> None:
    setup = (
        "import asyncio, threading, tools; LOCK = asyncio.Lock(); GUARD = threading.Lock()\n\n@tools.tool(name='f')\n"
    )
    assert [f.line for f in found(setup + decorated) if f.rule.code == "AIO501"] == lines
