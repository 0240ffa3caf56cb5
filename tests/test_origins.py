"""From where functions come to run, and which of them never do so at the same time."""

from __future__ import annotations

import ast

import pytest

from flake8_asyncpatterns.analysis.origins import Origins, State
from flake8_asyncpatterns.module import Module

PREFIX = "import asyncio, anyio, functools\n"
ONE_TASK = """
    def start(self):
        self.task = asyncio.create_task(self.run())
    async def run(self):
        await self.look()
        self.change()
"""


def may_meet(methods: str, state: State | None = None) -> bool:
    """May `change` run while the loop in `look` waits, in a class with these methods, too?"""
    source = f"""{PREFIX}
class Service:
    async def look(self):
        for item in self.items.values():
            await item.look()
    def change(self):
        self.items.pop(self.key)
{methods}
"""
    module = Module.parse(source)
    [loop] = [node for node in module.nodes(ast.For) if ast.unparse(node.iter) == "self.items.values()"]
    [change] = [call for call in module.nodes(ast.Call) if ast.unparse(call) == "self.items.pop(self.key)"]
    return Origins(module).may_meet(loop, change, State(of_self=True) if state is None else state)


@pytest.mark.parametrize(
    "methods",
    [
        ONE_TASK,
        ONE_TASK.replace("await self.look()", "await asyncio.wait_for(self.look(), 1)"),
        ONE_TASK.replace("self.task = asyncio", "self.task: asyncio.Task = asyncio"),
        ONE_TASK.replace("self.change()", "self.also()") + "    def also(self): self.change()",
        ONE_TASK + "class Other:\n    async def run(self): self.change()",
        # nobody calls it for this or for that
        """
    async def refresh(self):
        await self.look()
        self.change()
""",
        # the loop of its own
        """
    def main(self, loop):
        loop.create_task(self.go())
        loop.run_forever()
    async def go(self):
        self.change()
        await self.look()
""",
        # before, and after
        """
    async def run(self):
        self.change()
        self.task = asyncio.create_task(self.look())
""",
        """
    async def run(self):
        await asyncio.gather(self.also(), asyncio.sleep(1))
        await self.look()
    async def also(self): self.change()
""",
        """
    async def run(self):
        async with anyio.create_task_group() as group:
            group.start_soon(self.also)
        await self.look()
    async def also(self): self.change()
""",
    ],
)
def test_what_is_done_in_turn(methods: str) -> None:
    assert not may_meet(methods)


TABLE = """
    def start(self):
        self.table = {1: self.look, 2: self.also}
        self.task = asyncio.create_task(self.run())
    async def run(self):
        for number in self.numbers:
            do = self.table.get(number)
            if do is not None:
                await do()
        print(len(self.table), [number for number, do in self.table.items() if callable(do)])
    async def also(self):
        self.change()
"""


def test_what_one_task_looks_up_in_a_table() -> None:
    assert not may_meet(TABLE)
    assert not may_meet(TABLE.replace("do = self.table.get(number)", "if number: await self.table[number]()"))
    assert not may_meet(TABLE.replace("{1: self.look, 2: self.also}", "{2: self.also}; self.table[1] = self.look"))
    assert may_meet(TABLE.replace("await do()", "self.tasks.append(asyncio.create_task(do()))"))
    assert may_meet(TABLE.replace("await do()", "self.call(do)"))
    assert may_meet(TABLE.replace("callable(do)", "self.call(do)"))
    assert may_meet(TABLE + "    def all(self): return self.table")
    assert may_meet(TABLE + "    def one(self): return self.table.pop(1)")


@pytest.mark.parametrize(
    "methods",
    [
        "",
        ONE_TASK.replace("self.task = ", ""),
        ONE_TASK.replace("self.task = ", "self.peer.task = "),
        ONE_TASK.replace("self.task = asyncio.create_task(self.run())", "self.tasks = [self.run() for _ in range(2)]"),
        ONE_TASK.replace("def start(self):", "def start(self):\n      while True:"),
        ONE_TASK + "        asyncio.get_running_loop().call_soon(self.change)",
        ONE_TASK.replace("        self.change()", "        asyncio.create_task(self.look())\n        self.change()"),
        ONE_TASK + "    def other(self): print(self.change)",
        ONE_TASK + "        later = functools.partial(self.change)",
        ONE_TASK + "        later = lambda: self.change()",
        ONE_TASK + "async def other(service): service.change()",
        ONE_TASK + "async def other(): await Service().look()",
        """
    async def refresh(self, key):
        await self.look()
        self.change()
""",
        """
    @app.get('/')
    async def refresh(self):
        await self.look()
        self.change()
""",
        # while the task runs
        """
    async def run(self):
        self.task = asyncio.create_task(self.look())
        self.change()
""",
        """
    async def run(self):
        async with anyio.create_task_group() as group:
            group.start_soon(self.also)
            await self.look()
    async def also(self): self.change()
""",
        """
    async def run(self):
        while True:
            self.change()
            self.task = asyncio.create_task(self.look())
""",
        """
    async def run(self):
        async with anyio.create_task_group():
            asyncio.create_task(self.also())
        await self.look()
    async def also(self): self.change()
""",
    ],
)
def test_what_may_come_between(methods: str) -> None:
    assert may_meet(methods)


def test_a_loop_that_leads_to_the_change_itself() -> None:
    module = Module.parse(
        """
class Service:
    async def run(self):
        for item in self.items.values():
            await self.end(item)
    async def end(self, item):
        self.items.pop(item.key)
"""
    )
    [loop] = module.nodes(ast.For)
    [change] = [call for call in module.nodes(ast.Call) if ast.unparse(call.func) == "self.items.pop"]
    assert Origins(module).may_meet(loop, change, State(of_self=True))


def test_each_call_has_its_own_variables() -> None:
    source = """
import asyncio
async def main(source, keys):
    found = {{}}
    async def fetch():
        for key in found.values():
            await key
    async def forget(key):
        found.pop(key)
    {use}
"""
    for use, expected in (
        ("await fetch(); await forget(1)", False),
        ("source.on_end(forget); await fetch()", True),
        ("await asyncio.gather(fetch(), forget(1))", True),
    ):
        module = Module.parse(source.format(use=use))
        [main] = [f for f in module.nodes(ast.AsyncFunctionDef) if f.name == "main"]
        [loop] = module.nodes(ast.For)
        [change] = [call for call in module.nodes(ast.Call) if ast.unparse(call.func) == "found.pop"]
        assert Origins(module).may_meet(loop, change, State(main)) is expected


def test_objects_that_nobody_else_has() -> None:
    methods = """
async def handle(request):
    own = Service()
    await own.look()
    own.change()
app.add_route(handle)
"""
    assert not may_meet(methods)
    assert may_meet(methods, State())
    assert may_meet(methods.replace("own = Service()", "own = services[request.name]"))


def test_whose_a_function_is() -> None:
    module = Module.parse(
        """
import asyncio
class Service:
    def start(self):
        self.one = asyncio.create_task(self.run())
        self.two = asyncio.create_task(self.twice())
    def restart(self):
        self.two = asyncio.create_task(self.twice())
    async def run(self):
        await self.step()
        def inner(): ...
        inner()
    async def step(self): ...
    async def twice(self): await self.both()
    async def both(self): ...
    async def public(self): ...
    async def _private(self): await self._deeper()
    async def _deeper(self): ...
    async def __aenter__(self): ...
"""
    )
    origins = Origins(module)
    functions = {f.name: f for f in module.nodes(ast.FunctionDef, ast.AsyncFunctionDef)}
    tasks = {name for name, function in functions.items() if origins.has_a_task(function)}
    assert tasks == {"run", "step", "inner"}
    friends = {name for name, function in functions.items() if origins.has_only_friends(function)}
    assert friends == {"_private", "_deeper"}
    parts = {name for name, function in functions.items() if origins.is_part_of(function, functions["run"])}
    assert parts == {"run", "step", "inner"}
