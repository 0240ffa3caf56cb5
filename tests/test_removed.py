"""What asyncio lost, in the spellings that the fixtures leave out."""

from __future__ import annotations

import contextlib
import inspect
import pkgutil
import sys
import warnings

import pytest
from cases import codes, found, mended

from flake8_asyncpatterns.knowledge.removed import (
    ISCOROUTINEFUNCTION,
    ISCOROUTINEFUNCTION_NAME,
    LOST_LOOP_CLASSES,
    LOST_LOOP_FUNCTIONS,
    MOVED,
    POLICIES,
    REMOVED,
    REMOVED_MODULES,
)
from flake8_asyncpatterns.rules import RULES

HEAD = """\
import asyncio

async def work(): ...

@asyncio.coroutine
def old(): yield

class Client:
    def __init__(self):
        self.ready = asyncio.Event()
        self.idle = asyncio.Event()
        self.idle = None
        self.mixed = asyncio.Event() if self.idle else Client()

    async def run(self): ...

async def f(client, jobs, job):
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[work(), job]", "[asyncio.create_task(work()), job]"),
        ("(old(),)", "(asyncio.create_task(old()),)"),
        ("{client.ready.wait()}", "{asyncio.create_task(client.ready.wait())}"),
        ("list(work() for _ in jobs)", "list(asyncio.create_task(work()) for _ in jobs)"),
        ("[*jobs, *[work()]]", "[*jobs, *[asyncio.create_task(work())]]"),
        ("[work()] + jobs", "[asyncio.create_task(work())] + jobs"),
        ("fs={asyncio.sleep(1)}", "fs={asyncio.create_task(asyncio.sleep(1))}"),
    ],
)
def test_wait_on_coroutines(before: str, after: str) -> None:
    code = HEAD + f"    return await asyncio.wait({before})\n"
    assert codes(code, [RULES["AIO405"]]) == ["AIO405"]
    assert mended(code, rules=[RULES["AIO405"]]).text == HEAD + f"    return await asyncio.wait({after})\n"


@pytest.mark.parametrize(
    "built",
    [
        "x = [work()]",
        "x = []\n    x.append(work())",
        "x = set()\n    x.add(work())",
        "x = list()\n    for _ in jobs: x += [work()]",
        "x = []\n    x.extend(work() for _ in jobs)",
        "x = [work()]\n    done, x = await asyncio.wait(x)",
        "w = work()\n    x = [w]",
        "y = [work()]\n    x = list(y)",
    ],
)
def test_wait_on_what_is_built_before(built: str) -> None:
    code = HEAD + f"    {built}\n    return await asyncio.wait(x)\n"
    assert set(codes(code, [RULES["AIO405"]])) == {"AIO405"}
    assert "asyncio.create_task(w" in mended(code, rules=[RULES["AIO405"]]).text
    assert codes(mended(code, rules=[RULES["AIO405"]]).text, [RULES["AIO405"]]) == []


@pytest.mark.parametrize(
    "built",
    [
        "x = jobs",
        "x = [client.mixed.wait()]",
        "x = [client.run()]",
        "x = [client.unheard_of.wait()]",
        "x = [work()]\n    x = [asyncio.create_task(w) for w in x]",
        "x = [work()]\n    for x in jobs: pass",
        "x = work()\n    x = job\n    x = [x]",
        "x = [work]",
    ],
)
def test_wait_on_what_may_be_tasks(built: str) -> None:
    assert codes(HEAD + f"    {built}\n    return await asyncio.wait(x)\n", [RULES["AIO405"]]) == []


@pytest.mark.parametrize(
    ("code", "fixed"),
    [
        ("def g(loop): loop.run_until_complete(asyncio.wait([work()]))", "loop.create_task(work())"),
        ("def g(self): self.loop.run_until_complete(asyncio.wait([work()]))", "self.loop.create_task(work())"),
        ("def g(): asyncio.run(asyncio.wait([work()]))", ""),
        ("def g(): asyncio.get_event_loop().run_until_complete(asyncio.wait([work()]))", ""),
        ("g = lambda: asyncio.wait([work()])", ""),
    ],
)
def test_wait_outside_of_a_coroutine_needs_a_loop(code: str, fixed: str) -> None:
    code = HEAD + "    pass\n" + code + "\n"
    [finding] = found(code, [RULES["AIO405"]])
    assert bool(finding.fix) == bool(fixed)
    assert fixed in mended(code, rules=[RULES["AIO405"]]).text


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ("asyncio.gather(*x, loop=loop)", "no other way to learn of the loop"),
        ("asyncio.Lock(loop=make_loop())", "no longer called"),
        ("asyncio.Lock(loop=asyncio.get_event_loop())", ""),
        ("asyncio.Lock(loop=self.loop)", ""),
    ],
)
def test_an_argument_that_somebody_may_miss(call: str, why: str) -> None:
    [finding] = found(f"import asyncio\ndef f(self, x, loop): return {call}\n", [RULES["AIO404"]])
    assert finding.fix
    assert why in finding.fix.unsafe
    assert bool(why) == bool(finding.fix.unsafe)


@pytest.mark.parametrize(
    ("body", "found_it"),
    [
        ("return asyncio.Lock() if NEW else asyncio.Lock(loop=loop)", False),
        ("return asyncio.Lock(loop=loop) if OLD else asyncio.Lock()", False),
        ("if NEW:\n        return asyncio.Queue(1)\n    return asyncio.Queue(1, loop=loop)", False),
        ("if NEW:\n        x = asyncio.Queue(1)\n    else:\n        x = asyncio.Queue(1, loop=loop)", False),
        ("return asyncio.Lock() if loop is None else asyncio.Lock(loop=loop)", True),
        ("return asyncio.Lock() if self.loop is None else asyncio.Lock(loop=self.loop)", True),
        ("return asyncio.Queue(1) if NEW else asyncio.Queue(2, loop=loop)", True),
        ("return asyncio.Event() if NEW else asyncio.Lock(loop=loop)", True),
        ("if NEW:\n        asyncio.Lock()\n    return asyncio.Lock(loop=loop)", True),
    ],
)
def test_a_branch_that_does_the_same_without_a_loop_tells_pythons_apart(body: str, *, found_it: bool) -> None:
    code = f"import asyncio\nfrom versions import NEW, OLD\ndef f(self, loop):\n    {body}\n"
    assert codes(code, [RULES["AIO404"]]) == ["AIO404"] * found_it


@pytest.mark.parametrize(
    ("bases", "init", "found_it"),
    [
        ("asyncio.Queue", "super().__init__(loop=x)", True),
        ("asyncio.Queue", "super(A, self).__init__(loop=x)", False),
        ("asyncio.Queue", "asyncio.Queue.__init__(self, loop=x)", True),
        ("Generic[T], asyncio.Queue", "super().__init__(loop=x)", True),
        ("asyncio.Queue[int]", "super().__init__(loop=x)", True),
        ("Plain, asyncio.Queue", "super().__init__(loop=x)", True),
        ("Mixin, asyncio.Queue", "super().__init__(loop=x)", False),
        ("Between", "super().__init__(loop=x)", True),
        ("Taking", "super().__init__(loop=x)", False),
    ],
)
def test_loops_that_subclasses_hand_on(bases: str, init: str, *, found_it: bool) -> None:
    code = f"""\
import asyncio
from typing import Generic
from mixins import Mixin
class Plain: ...
class Between(asyncio.Lock): ...
class Taking(asyncio.Lock):
    def __init__(self, loop): ...
class A({bases}):
    def __init__(self, x):
        {init}
"""
    assert codes(code, [RULES["AIO404"]]) == ["AIO404"] * found_it


def test_names_are_found_however_they_are_imported() -> None:
    code = """\
import asyncio.compat
from asyncio import JoinableQueue, get_child_watcher
from asyncio import iscoroutinefunction as is_async
from asyncio.compat import PY35
from asyncio.tasks import Task as T
T.all_tasks()
is_async(T)
from asyncio.futures import CancelledError, Future
from asyncio import streams
streams.LimitOverrunError
"""
    rules = [RULES[code] for code in ("AIO406", "AIO407", "AIO408")]
    assert [(f.line, f.rule.code) for f in found(code, rules)] == [
        (1, "AIO408"),
        (2, "AIO408"),
        (2, "AIO407"),
        (4, "AIO408"),
        (6, "AIO408"),
        (7, "AIO406"),
        (8, "AIO408"),
        (10, "AIO408"),
    ]


def test_the_table_is_right_about_the_python_that_runs_this() -> None:
    elsewhere = ("uvloop.", "winloop.", "asyncio.Windows")
    for name, gone in {**REMOVED, **REMOVED_MODULES, **MOVED, **POLICIES}.items():
        if not name.startswith(elsewhere):
            assert _exists(name) == (sys.version_info < gone.removed), name
    assert not [name for name in MOVED.values() if not _exists(name.successor)]
    assert _exists(ISCOROUTINEFUNCTION_NAME) == (sys.version_info < ISCOROUTINEFUNCTION.removed)


@pytest.mark.parametrize("name", sorted((LOST_LOOP_CLASSES | LOST_LOOP_FUNCTIONS) - {"asyncio.JoinableQueue"}))
def test_nothing_that_lost_it_takes_a_loop(name: str) -> None:
    assert "loop" not in inspect.signature(pkgutil.resolve_name(name)).parameters


def _exists(name: str) -> bool:
    """Is this in asyncio, be it in a module that it hides?"""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for home in (name, name.replace("asyncio.", "asyncio.coroutines.", 1)):
            with contextlib.suppress(ImportError, AttributeError):
                pkgutil.resolve_name(home)
                return True
    return False


def test_what_a_file_brings_back_is_not_replaced() -> None:
    source = """\
import asyncio

asyncio.iscoroutinefunction = is_marked
asyncio.Task.all_tasks = asyncio.all_tasks
"""
    assert mended(source, rules=[RULES["AIO406"], RULES["AIO408"]]).text == source
