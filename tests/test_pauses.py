"""Which awaits let others run."""

from __future__ import annotations

import ast

import pytest

from flake8_asyncpatterns.analysis.pauses import is_pause
from flake8_asyncpatterns.flow import body
from flake8_asyncpatterns.module import Module

SOURCE = """
import asyncio

class Base:
    async def hook(self):
        pass
    async def default(self):
        return None

class Service(Base):
    def __init__(self):
        self.queue = asyncio.Queue()
        self.small = asyncio.LifoQueue(3)
        self.large = asyncio.PriorityQueue(maxsize=0)

    async def ready(self):
        return self.state == "ready"
    async def also_ready(self):
        return await self.ready()
    async def waits(self):
        await self.also_ready()
        await asyncio.sleep(1)
    @elsewhere
    async def wrapped(self):
        return self.state
    async def run(self):
        {code}
"""


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("await self.ready()", False),
        ("await self.also_ready()", False),
        ("await self.waits()", True),
        ("await self.wrapped()", True),
        ("await self.hook()", True),
        ("await self.default()", True),
        ("await self.run()", True),
        ("await self.queue.put(1)", False),
        ("await self.queue.get()", True),
        ("await self.small.put(1)", True),
        ("await self.large.put(1)", False),
        ("await self.other.put(1)", True),
        ("async with self.lock: pass", True),
        ("async for x in self.items(): pass", True),
        ("x = [one async for one in self.items()]", True),
        ("x = [one for one in self.items]", False),
        ("x = self.task", False),
        ("await self.task", True),
    ],
)
def test_what_lets_others_run(code: str, expected: bool) -> None:
    module = Module.parse(SOURCE.format(code=code))
    [run] = [f for f in module.nodes(ast.AsyncFunctionDef) if f.name == "run"]
    assert any(is_pause(node, module) for node in body(run)) is expected
