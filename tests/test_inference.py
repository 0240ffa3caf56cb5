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


def test_an_analysis_is_made_once() -> None:
    made = []

    class Analysis:
        def __init__(self, module: Module) -> None:
            made.append(module)

    module = Module.parse("")
    assert module.analysis(Analysis) is module.analysis(Analysis)
    assert made == [module]
