"""What a piece of code sets off, as far as one file shows."""

from __future__ import annotations

import ast

import pytest

from flake8_asyncpatterns.analysis.calls import Calls
from flake8_asyncpatterns.module import Module

SOURCE = """\
import asyncio, signal, sys

class Service:
    def start(self):
        self._task = asyncio.create_task(self.run())
        asyncio.create_task(self.other())

    def stop(self):
        self._end()

    def _end(self):
        self._task.cancel()

    def leave(self):
        sys.exit(1)

    def mark(self):
        self.done = True

    async def run(self):
        while True:
            self.mark()

    async def other(self):
        await self.task.cancelled()

def handle():
    service.stop()

signal.signal(signal.SIGTERM, lambda *_: handle())
loop.add_signal_handler(signal.SIGTERM, print)
"""
MODULE = Module.parse(SOURCE)
CALLS = Calls(MODULE)


def function(name: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    [found] = CALLS.functions[name]
    return found


def test_calls_are_followed() -> None:
    assert {f.name for f in CALLS.reached(function("handle"))} == {"stop", "_end"}


@pytest.mark.parametrize(
    ("name", "ends"),
    [("stop", True), ("_end", True), ("leave", True), ("mark", False), ("other", False), ("handle", True)],
)
def test_what_ends_a_task_or_the_process_at_once(name: str, ends: bool) -> None:
    assert CALLS.ends_at_once(function(name)) is ends


def test_a_task_that_is_kept_and_cancelled() -> None:
    run, other = function("run"), function("other")
    assert isinstance(run, ast.AsyncFunctionDef)
    assert isinstance(other, ast.AsyncFunctionDef)
    assert CALLS.cancelled(run)
    assert not CALLS.cancelled(other)


def test_what_only_a_loop_calls_is_the_loops_own() -> None:
    [loop] = MODULE.nodes(ast.While)
    assert CALLS.only_from(loop, function("mark"))
    assert not CALLS.only_from(loop, function("stop"))


def test_handlers_of_signals() -> None:
    assert [call.lineno for call in CALLS.handlers(function("stop"))] == [30]
    assert CALLS.handlers(function("mark")) == []


def test_what_runs_in_a_thread() -> None:
    source = """
import asyncio, threading
def by_name(): ...
def by_keyword(): ...
def in_pool(): ...
def on_loop(): ...
async def main(pool, loop):
    await asyncio.to_thread(by_name)
    threading.Thread(target=by_keyword).start()
    pool.submit(in_pool)
    loop.call_soon(on_loop)
"""
    module = Module.parse(source)
    calls = Calls(module)
    functions = {function.name: function for function in module.nodes(ast.FunctionDef)}
    assert {n for n, f in functions.items() if calls.in_thread(f)} == {"by_name", "by_keyword", "in_pool"}
    assert calls.has_threads()
    assert not Calls(Module.parse("import asyncio\nasyncio.to_thread(print)")).has_threads()
