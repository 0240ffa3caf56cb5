"""What kind of thing an expression is."""

from __future__ import annotations

import ast
import textwrap

import pytest

from flake8_asyncpatterns.module import Module


def type_of_marked(text: str) -> str | None:
    """The type of what `mark(…)` is called with."""
    module = Module.parse(textwrap.dedent(text))
    (call,) = (c for c in module.nodes(ast.Call) if isinstance(c.func, ast.Name) and c.func.id == "mark")
    return module.type_of(call.args[0])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            """
            import asyncio
            class C:
                def __init__(self, lock=None):
                    self.lock = lock or asyncio.Lock()
                def use(self):
                    mark(self.lock)
            """,
            id="attribute with a default",
        ),
        pytest.param(
            """
            from asyncio.locks import Lock
            class Base:
                def connect(self):
                    self.lock = Lock()
            class C(Base):
                def use(self):
                    mark(self.lock)
            """,
            id="attribute of a base",
        ),
        pytest.param(
            """
            import asyncio
            from dataclasses import dataclass, field
            @dataclass
            class C:
                lock: asyncio.Lock = field(default_factory=asyncio.Lock)
                def use(self):
                    mark(self.lock)
            """,
            id="field of a dataclass",
        ),
        pytest.param(
            """
            import asyncio
            from typing import TYPE_CHECKING
            class C:
                if TYPE_CHECKING:
                    lock: asyncio.Lock
                def __init__(self):
                    self.lock = asyncio.Lock()
                def use(self):
                    mark(self.lock)
            """,
            id="declared for the type checker",
        ),
        pytest.param(
            """
            import asyncio
            lock = None
            def start():
                global lock
                lock = asyncio.Lock()
            def use():
                mark(lock)
            """,
            id="global",
        ),
        pytest.param(
            """
            import asyncio as aio
            async def use(lock: "aio.Lock | None"):
                mark(lock)
            """,
            id="parameter",
        ),
    ],
)
def test_a_lock_is_known_wherever_it_was_made(text: str) -> None:
    assert type_of_marked(text) == "asyncio.Lock"


def test_a_base_that_is_an_attribute_of_a_class_ends_no_search() -> None:
    text = """
    class Tests:
        server = None
        def first(self):
            class One(self.server): ...
            return mark(self.make())
        def second(self):
            class Two(self.server): ...
        def make(self) -> None: ...
    """
    assert type_of_marked(text) is None


def test_assignments_of_a_plain_attribute() -> None:
    module = Module.parse(
        """\
import asyncio, elsewhere
class A(asyncio.Protocol):
    on = False
    def __init__(self): self.on = True
    @property
    def both(self): return self._both
    def method(self):
        self.on, self.both, self.far = 1, 2, 3
class B(A):
    def __init__(self): self.on = 0
class C(elsewhere.Base):
    def __init__(self): self.on = True
class D(elsewhere.Base): pass
"""
    )

    def found(name: str, line: int) -> list[int] | None:
        [attribute] = [n for n in module.nodes(ast.Attribute) if n.attr == name and n.lineno == line]
        stores = module.assignments(attribute)
        return None if stores is None else sorted(store.lineno for store in stores)  # type: ignore[attr-defined]

    assert found("on", 4) == found("on", 10) == [3, 4, 8, 10]
    assert found("both", 8) is None
    assert found("_both", 6) == []
    assert found("far", 8) == [8]
    assert found("on", 12) is None


@pytest.mark.parametrize(
    "init",
    [
        pytest.param("self.loop = asyncio.get_event_loop()", id="made"),
        pytest.param("self.loop = loop or asyncio.get_event_loop()", id="or"),
        pytest.param("self.loop = loop if loop else asyncio.get_event_loop()", id="if expression"),
        pytest.param(
            """
                if loop:
                    self.loop = loop
                else:
                    self.loop = asyncio.get_event_loop()
            """,
            id="if",
        ),
        pytest.param(
            """
                if loop is None:
                    loop = asyncio.get_event_loop()
                self.loop = loop
            """,
            id="filled in",
        ),
    ],
)
def test_a_parameter_that_may_be_left_out_is_what_is_put_in_its_place(init: str) -> None:
    assert type_of_marked(_loop_kept("loop=None", init)) == "asyncio.AbstractEventLoop"


def test_a_parameter_that_must_be_given_may_be_anything() -> None:
    assert type_of_marked(_loop_kept("loop", "self.loop = loop")) is None
    assert type_of_marked(_loop_kept("loop", "self.loop = loop if loop else asyncio.get_event_loop()")) is None


def test_an_annotation_speaks_for_every_assignment() -> None:
    init = """
                self.loop = loop
                self.loop: asyncio.BaseEventLoop = given()
    """
    assert type_of_marked(_loop_kept("loop", init)) == "asyncio.AbstractEventLoop"


def test_annotations_that_disagree_say_nothing() -> None:
    init = """
                self.loop: asyncio.BaseEventLoop = loop
                self.loop: int = 1
    """
    assert type_of_marked(_loop_kept("loop", init)) is None


def _loop_kept(parameter: str, init: str) -> str:
    return f"""
        import asyncio
        class C:
            def __init__(self, {parameter}):
                {init.strip()}
            def use(self):
                mark(self.loop)
    """


def test_classes_that_inherit_through_attributes_of_each_other_come_to_an_end() -> None:
    module = Module.parse("class A(B.Inner): pass\nclass B(A.Inner): pass\nclass C(B): pass\n")
    a, b, c = sorted(module.nodes(ast.ClassDef), key=lambda cls: cls.name)
    assert module.bases(a) == [a, None]
    assert module.bases(c) == [c, b, None]


def test_a_base_may_be_an_attribute_of_another_class() -> None:
    module = Module.parse("class A:\n    class Inner: pass\nclass B(A.Inner): pass\n")
    b, inner = (next(c for c in module.nodes(ast.ClassDef) if c.name == name) for name in ("B", "Inner"))
    assert module.bases(b) == [b, inner]


@pytest.mark.parametrize(
    ("handler", "started"),
    [
        ("async def on(r, w): mark(w)", "asyncio.start_server(on, port=1)"),
        ("def on(r, w, /): mark(w)", "asyncio.start_unix_server(client_connected_cb=on, path='s')"),
        ("class S:\n    async def on(self, r, w): mark(w)", "asyncio.start_server(S().on, port=1)"),
    ],
)
def test_the_callback_of_a_server_is_given_streams(handler: str, started: str) -> None:
    assert type_of_marked(f"import asyncio\n{handler}\nasync def main(): await {started}") == "asyncio.StreamWriter"


@pytest.mark.parametrize(
    ("handler", "started"),
    [
        ("async def on(r, w, x): mark(w)", "asyncio.start_server(on, port=1)"),
        ("async def on(r, w): mark(w)", "anyio.start_server(on, port=1)"),
        ("async def on(r, w): mark(w)", "asyncio.start_server(wrap(on), port=1)"),
        ("@other.decorator\nasync def on(r, w): mark(w)", "asyncio.start_server(on, port=1)"),
        ("async def on(r, w=None): mark(w)", "asyncio.start_server(lambda r, w: on(r), port=1)"),
    ],
)
def test_other_callbacks_are_given_what_nobody_knows(handler: str, started: str) -> None:
    assert type_of_marked(f"import asyncio, anyio, other\n{handler}\nasync def main(): await {started}") is None


def test_an_analysis_is_made_once() -> None:
    made = []

    class Analysis:
        def __init__(self, module: Module) -> None:
            made.append(module)

    module = Module.parse("")
    assert module.analysis(Analysis) is module.analysis(Analysis)
    assert made == [module]


KNOWN = {
    "loop variable of a list": ("asyncio.Task", """
        def f(tasks: list[asyncio.Task]):
            for task in tasks:
                mark(task)
    """),
    "loop variable of an attribute": ("asyncio.Task", """
        class C:
            def __init__(self):
                self.tasks: set["asyncio.Task[int]"] = set()
            def f(self):
                for task in list(self.tasks):
                    mark(task)
    """),
    "loop variable over values": ("asyncio.Task", """
        def f(tasks: dict[str, asyncio.Task]):
            for task in tasks.values():
                mark(task)
    """),
    "loop variable over items": ("asyncio.Task", """
        def f(tasks: dict[str, asyncio.Task]):
            for name, task in tasks.items():
                mark(task)
    """),
    "what is put into a set": ("asyncio.Task", """
        class C:
            def __init__(self):
                self.tasks = set()
            def start(self):
                self.tasks.add(asyncio.create_task(work()))
            def f(self):
                return [mark(task) for task in self.tasks]
    """),
    "what is put under a key": ("asyncio.Future", """
        waiters = {}
        def wait(name):
            waiters[name] = asyncio.get_running_loop().create_future()
        def wake(name):
            mark(waiters.pop(name, None))
    """),
    "subscript": ("asyncio.Lock", """
        from collections import defaultdict
        locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        def f(name):
            mark(locks[name])
    """),
    "enumerate": ("asyncio.Task", """
        def f(tasks: tuple[asyncio.Task, ...]):
            for number, task in enumerate(tasks):
                mark(task)
    """),
    "zip": ("asyncio.Task", """
        def f(names, tasks: list[asyncio.Task]):
            for name, task in zip(names, tasks):
                mark(task)
    """),
    "comprehension": ("asyncio.Task", """
        def f(xs):
            tasks = [asyncio.create_task(x) for x in xs]
            mark(tasks[0])
    """),
    "unpacked": ("asyncio.StreamWriter", """
        async def f():
            reader, writer = await asyncio.open_connection("a", 1)
            mark(writer)
    """),
    "done and pending": ("asyncio.Task", """
        async def f(tasks):
            done, pending = await asyncio.wait(tasks)
            for task in pending:
                mark(task)
    """),
    "swapped": ("asyncio.Event", """
        def f():
            lock, event = asyncio.Lock(), asyncio.Event()
            mark(event)
    """),
    "instance of a class of the file": ("asyncio.Lock", """
        class C:
            def __init__(self):
                self.lock = asyncio.Lock()
        def f():
            c = C()
            mark(c.lock)
    """),
    "attribute of an attribute": ("asyncio.Lock", """
        class C:
            lock: asyncio.Lock
        class D:
            def __init__(self, c: C):
                self.c = c
            def f(self):
                mark(self.c.lock)
    """),
    "property": ("asyncio.AbstractEventLoop", """
        class C:
            @property
            def loop(self):
                return asyncio.get_running_loop()
            def f(self):
                mark(self.loop)
    """),
    "inferred return": ("asyncio.Queue", """
        def make(big):
            if big:
                return asyncio.Queue(1000)
            return asyncio.Queue()
        def f():
            mark(make(True))
    """),
    "inferred return of a coroutine": ("asyncio.Queue", """
        async def make():
            return asyncio.Queue()
        async def f():
            queue = await make()
            mark(queue)
    """),
    "inferred return of a method": ("asyncio.Queue", """
        class C:
            def make(self):
                return self.queue
            def __init__(self):
                self.queue = asyncio.Queue()
        def f(c: "C | None"):
            mark(c.make())
    """),
    "isinstance": ("asyncio.Future", """
        def f(thing):
            if isinstance(thing, asyncio.Future):
                mark(thing)
    """),
    "isinstance and more": ("asyncio.Future", """
        def f(self):
            if self.ok and isinstance(self.thing, asyncio.Future):
                mark(self.thing)
    """),
    "isinstance and a question": ("asyncio.Future", """
        def f(thing, ok):
            return ok and (isinstance(thing, asyncio.Future) and not mark(thing))
    """),
    "not isinstance or a question": ("asyncio.Future", """
        def f(thing):
            return not isinstance(thing, asyncio.Future) or mark(thing)
    """),
    "made of itself": ("pathlib.Path", """
        def f(folder, names):
            path = pathlib.Path(folder)
            for name in names:
                path = path / name
            path /= "x"
            path = path.parent.resolve() / "y"
            mark(path)
    """),
    "made of itself, with an annotation": ("pathlib.Path", """
        def f(path):
            path: pathlib.Path = path
            path = path.anything()
            mark(path)
    """),
    "made of a parameter with an annotation": ("pathlib.Path", """
        def f(path: pathlib.Path):
            path = path.expanduser()
            mark(path)
    """),
    "assert isinstance": ("asyncio.Future", """
        def f(thing):
            assert isinstance(thing, asyncio.Future)
            while True:
                mark(thing)
    """),
    "not isinstance and out": ("asyncio.Future", """
        def f(thing):
            if not isinstance(thing, asyncio.Future):
                return
            mark(thing)
    """),
    "of a union": ("asyncio.Future", """
        def f(thing: int | asyncio.Future):
            if isinstance(thing, asyncio.Future):
                mark(thing)
    """),
    "self": ("asyncio.Queue", """
        class Q(asyncio.Queue[int]):
            def f(self):
                mark(self)
    """),
    "async with its own class": ("asyncio.Queue", """
        class Q(asyncio.Queue):
            async def __aenter__(self):
                return self
        async def f():
            async with Q() as queue:
                mark(queue)
    """),
    "context manager function": ("asyncio.Queue", """
        import contextlib
        @contextlib.contextmanager
        def queue():
            yield asyncio.Queue()
        def f():
            with queue() as q:
                mark(q)
    """),
    "context manager with a type": ("asyncio.Queue", """
        from collections.abc import AsyncIterator
        from contextlib import asynccontextmanager
        @asynccontextmanager
        async def queue() -> AsyncIterator[asyncio.Queue]:
            yield make()
        async def f():
            async with queue() as q:
                mark(q)
    """),
    "in a thread": ("concurrent.futures.ThreadPoolExecutor", """
        import concurrent.futures
        async def f():
            pool = await asyncio.to_thread(concurrent.futures.ThreadPoolExecutor, 3)
            mark(pool)
    """),
    "union of one and None": ("asyncio.Lock", """
        import typing
        def f(lock: typing.Union[asyncio.Lock, None]):
            mark(lock)
    """),
    "class method": ("asyncio.Queue", """
        class Q(asyncio.Queue):
            @classmethod
            def big(cls):
                return cls(1000)
        def f():
            mark(Q.big())
    """),
}  # fmt: skip

UNKNOWN = {
    "entered lock": """
        async def f(lock: asyncio.Lock):
            async with lock as got:
                mark(got)
    """,
    "list that others fill": """
        class C:
            def __init__(self, more):
                self.tasks = []
                self.tasks.append(asyncio.create_task(work()))
                self.tasks.extend(more)
            def f(self):
                for task in self.tasks:
                    mark(task)
    """,
    "isinstance of another": """
        def f(thing, other):
            if isinstance(other, asyncio.Future):
                mark(thing)
    """,
    "made of itself, and of another type": """
        def f(folder):
            path = pathlib.Path(folder)
            path = path.name
            mark(path)
    """,
    "made of itself, nobody knows what": """
        def f(folder):
            path = pathlib.Path(folder)
            path = path.other() / "x"
            mark(path)
    """,
    "made of itself alone": """
        def f():
            path = path / "x"
            mark(path)
    """,
    "made of a parameter": """
        def f(path):
            path = path / "x"
            path /= "y"
            mark(path)
    """,
    "made of itself with the wrong operator": """
        def f(folder):
            path = pathlib.Path(folder)
            path //= "x"
            mark(path)
    """,
    "isinstance or a question": """
        def f(thing):
            return isinstance(thing, asyncio.Future) or mark(thing)
    """,
    "not isinstance and a question": """
        def f(thing):
            return not isinstance(thing, asyncio.Future) and mark(thing)
    """,
    "a question and isinstance": """
        def f(thing):
            return mark(thing) and isinstance(thing, asyncio.Future)
    """,
    "isinstance and a new value": """
        def f(thing):
            return isinstance(thing, asyncio.Future) and (thing := thing.result()) and mark(thing)
    """,
    "isinstance and a function": """
        def f(thing):
            return isinstance(thing, asyncio.Future) and (lambda: mark(thing))
    """,
    "isinstance or": """
        def f(thing, ok):
            if ok or isinstance(thing, asyncio.Future):
                mark(thing)
    """,
    "isinstance of one of two": """
        def f(thing):
            if isinstance(thing, (asyncio.Future, int)):
                mark(thing)
    """,
    "isinstance, then another": """
        def f(thing):
            if isinstance(thing, asyncio.Future):
                thing = thing.result()
                mark(thing)
    """,
    "not isinstance": """
        def f(thing):
            if not isinstance(thing, asyncio.Future):
                mark(thing)
    """,
    "after isinstance": """
        def f(thing):
            if isinstance(thing, asyncio.Future):
                pass
            mark(thing)
    """,
    "else of isinstance": """
        def f(thing):
            if isinstance(thing, asyncio.Future):
                pass
            else:
                mark(thing)
    """,
    "two kinds of return": """
        def make(big):
            return asyncio.Queue() if big else asyncio.Event()
        def f():
            mark(make(1))
    """,
    "decorated": """
        import elsewhere
        @elsewhere.wrapped
        def make():
            return asyncio.Queue()
        def f():
            mark(make())
    """,
    "class that is decorated": """
        import elsewhere
        @elsewhere.proxy
        class Q(asyncio.Queue): ...
        def f():
            mark(Q())
    """,
    "two bases": """
        import elsewhere
        class Q(asyncio.Queue, elsewhere.Q): ...
        def f():
            mark(Q())
    """,
    "coroutine that is not awaited": """
        async def make():
            return asyncio.Queue()
        async def f():
            mark(make())
    """,
}


@pytest.mark.parametrize(("expected", "text"), KNOWN.values(), ids=KNOWN)
def test_known(expected: str, text: str) -> None:
    assert type_of_marked("import asyncio\nimport pathlib\n" + textwrap.dedent(text)) == expected


@pytest.mark.parametrize("text", UNKNOWN.values(), ids=UNKNOWN)
def test_unknown(text: str) -> None:
    assert type_of_marked("import asyncio\nimport pathlib\n" + textwrap.dedent(text)) is None


def callee_of_last(text: str) -> tuple[str | None, str | None]:
    """The qualified name, and the name of the definition, of what the last call calls."""
    module = Module.parse("import asyncio, threading\n" + textwrap.dedent(text))
    call = max(module.nodes(ast.Call), key=lambda c: c.lineno)
    definition = module.definition(call.func)
    return module.callee(call), definition.name if definition else None


def test_a_method_is_its_own_or_its_base_s() -> None:
    worker = """
    class Worker(threading.Thread):
        def run(self): ...
        def stop(self):
    """
    assert callee_of_last(worker + "        self.join()") == ("threading.Thread.join", None)
    assert callee_of_last(worker + "        super().join()") == ("threading.Thread.join", None)
    assert callee_of_last(worker + "        self.run()") == (None, "run")
    assert callee_of_last(worker + "        super().run()") == ("threading.Thread.run", None)
    assert callee_of_last(worker + "        self.other = self.name\n        self.other()") == (None, None)
    outside = worker + "        ...\n    w = Worker()\n"
    assert callee_of_last(outside + "    w.join()") == ("threading.Thread.join", None)
    assert callee_of_last(outside + "    w.run()") == (None, "run")


def test_a_method_that_a_subclass_overrides_is_unknown_unless_the_class_is_known() -> None:
    text = """
    class A:
        def f(self): ...
        def g(self):
            self.f()
    class B(A):
        def f(self): ...
    """
    module = Module.parse(textwrap.dedent(text))
    (call,) = module.nodes(ast.Call)
    assert module.definition(call.func) is None


def test_a_long_chain_of_names_is_unknown_and_no_error() -> None:
    lines = ["import asyncio", "x0 = asyncio.Lock()", *(f"x{n + 1} = x{n} or None" for n in range(3000)), "mark(x3000)"]
    assert type_of_marked("\n".join(lines)) is None


def test_what_binds_a_variable_is_looked_at_once_for_all_its_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[ast.AST] = []
    value = Module.value

    def counted(self: Module, target: ast.AST) -> ast.expr | None:
        looked.append(target)
        return value(self, target)

    monkeypatch.setattr(Module, "value", counted)
    parts = "".join(f"    x = make.T{number}()\n    x.send()\n" for number in range(100))
    module = Module.parse(f"def f(make):\n{parts}")
    for call in module.nodes(ast.Call):
        module.callee(call)
    assert len(looked) < 1000
