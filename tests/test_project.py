"""What the other files of a project say."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest

from flake8_asyncpatterns.check import project, settled
from flake8_asyncpatterns.facts import View
from flake8_asyncpatterns.module import Module
from flake8_asyncpatterns.project import Place, Thing
from flake8_asyncpatterns.reference import reference


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))


def asked(root: Path, name: str) -> str | None:
    """The definition that the function of the last call in a file names in another, `file.py:name`."""
    path = root / name
    module = Module.parse(path.read_text(), str(path))
    named = reference(max(module.nodes(ast.Call), key=lambda call: call.lineno).func, module)
    around = project()
    return place(around.named(str(path), named) if named else None, root)


def place(thing: Thing | None, root: Path) -> str | None:
    if not isinstance(thing, Place):
        return None
    facts = project().facts(thing.path)
    assert facts
    definitions = facts.classes if thing.ref.kind == "class" else facts.functions
    return f"{Path(thing.path).relative_to(root)}:{definitions[thing.ref.number].name}"


LIBRARY = {
    "pkg/__init__.py": "from .net import fetch as get\nfrom .base import *\n",
    "pkg/net.py": "async def fetch(): ...\nif True:\n    def either(): ...\nelse:\n    def either(): ...\n",
    "pkg/base.py": """
        class Base:
            async def close(self): ...
            def open(self): ...
            def __init__(self):
                self.callback = None
            def callback(self): ...
        """,
    "pkg/sub/__init__.py": "",
}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("pkg/a.py", "from .net import fetch\nfetch()", "pkg/net.py:fetch"),
        ("pkg/a.py", "from . import net\nnet.fetch()", "pkg/net.py:fetch"),
        ("pkg/a.py", "from pkg.net import fetch as f\nf()", "pkg/net.py:fetch"),
        ("pkg/a.py", "import pkg.net\npkg.net.fetch()", "pkg/net.py:fetch"),
        ("pkg/a.py", "def f():\n    from pkg import net\n    net.fetch()", "pkg/net.py:fetch"),
        ("pkg/sub/a.py", "from ..net import fetch\nfetch()", "pkg/net.py:fetch"),
        ("pkg/sub/a.py", "from .. import get\nget()", "pkg/net.py:fetch"),
        ("main.py", "import pkg\npkg.get()", "pkg/net.py:fetch"),
        ("examples/main.py", "from pkg import get\nget()", "pkg/net.py:fetch"),
        ("main.py", "from pkg import Base\nBase().close()", "pkg/base.py:close"),
        ("main.py", "from pkg import Base\ndef f(b: Base | None):\n    b.close()", "pkg/base.py:close"),
        ("main.py", "from pkg import Base\nclass B(Base):\n  def f(self): self.close()", "pkg/base.py:close"),
        ("main.py", "from pkg import Base\nclass B(Base): ...\nclass C(B): ...\nC().open()", "pkg/base.py:open"),
        ("main.py", "from pkg import Base\nclass B(Base):\n  def f(self): self.other()", None),
        ("main.py", "import pkg\nclass B(pkg.Base):\n  def close(self): ...\nB().close()", None),
        ("main.py", "from pkg import Base\nclass B(Base): ...\nclass C(B):\n  close = 1\ndef f(b: B): b.close()", None),
        ("main.py", "from pkg import Base\nBase().callback()", None),
        ("main.py", "from pkg import Base\nimport other\nclass B(other.X, Base): ...\nB().close()", None),
        ("main.py", "from pkg.net import either\neither()", None),
        ("main.py", "from pkg.net import missing\nmissing()", None),
        ("main.py", "from elsewhere import fetch\nfetch()", None),
        ("main.py", "import pkg\npkg()", None),
        ("main.py", "from ..... import far\nfar()", None),
        ("main.py", "print()", None),
    ],
)  # fmt: skip
def test_found(tmp_path: Path, name: str, text: str, expected: str | None) -> None:
    write(tmp_path, {**LIBRARY, "pyproject.toml": "", name: text})
    assert asked(tmp_path, name) == expected


OWNERS = {
    "pkg/__init__.py": "",
    "pkg/base.py": """
        import asyncio
        from .own import Lock
        class Plain: ...
        class Root(Plain):
            ready: asyncio.Event
            def __init__(self, loop=None):
                self.loop = loop or asyncio.get_event_loop()
                self.lock = Lock()
                self.mine = Plain()
                self.tasks: list[asyncio.Task] = []
                self.either = asyncio.Lock()
            @property
            def queue(self):
                return asyncio.Queue()
            def reset(self):
                self.either = asyncio.Event()
        class Base(Root):
            done = None
        """,
    "pkg/own.py": "class Lock: ...\n",
}


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ("loop", "asyncio.AbstractEventLoop"),
        ("ready", "asyncio.Event"),
        ("tasks", "builtins.list"),
        ("tasks[0]", "asyncio.Task"),
        ("queue", "asyncio.Queue"),
        ("lock", None),
        ("mine", None),
        ("either", None),
        ("done", None),
        ("own", None),
        ("missing", None),
    ],
)
def test_attributes_are_inherited_from_other_files(tmp_path: Path, attribute: str, expected: str | None) -> None:
    text = f"""
        from pkg.base import Base
        class Middle(Base):
            own = None
        class C(Middle):
            def f(self):
                print(self.{attribute})
        """
    write(tmp_path, {**OWNERS, "main.py": text})
    assert printed(tmp_path) == expected


@pytest.mark.parametrize("bases", ["other.X, Base", "make(Base)", "Base"])
def test_attributes_of_unsure_bases_are_unknown(tmp_path: Path, bases: str) -> None:
    text = f"""
        import other
        from pkg.base import Base
        class C({bases}):
            loop = None
            def f(self):
                print(self.loop)
        """
    write(tmp_path, {**OWNERS, "main.py": text if bases == "Base" else text.replace("loop = None", "x = 1")})
    assert printed(tmp_path) is None


def printed(root: Path) -> str | None:
    """The type of what main.py prints."""
    path = root / "main.py"
    module = Module.parse(path.read_text(), str(path), project=View())
    (call,) = (c for c in module.nodes(ast.Call) if module.name(c.func) == "builtins.print")
    return settled(module, lambda module: module.type_of(call.args[0]), project())


def test_a_package_in_src_is_found_from_the_tests(tmp_path: Path) -> None:
    write(tmp_path, {f"src/{name}": text for name, text in LIBRARY.items()})
    write(tmp_path, {"pyproject.toml": "", "tests/test_a.py": "from pkg import get\nget()"})
    assert asked(tmp_path, "tests/test_a.py") == "src/pkg/net.py:fetch"


def test_a_project_ends_where_its_configuration_lies(tmp_path: Path) -> None:
    write(tmp_path, {**LIBRARY, "inner/pyproject.toml": "", "inner/a.py": "from pkg import get\nget()"})
    assert asked(tmp_path, "inner/a.py") is None


def test_a_file_named_like_a_module_of_python_is_not_mistaken_for_it(tmp_path: Path) -> None:
    write(tmp_path, {"logging.py": "async def info(): ...", "a.py": "import logging\nlogging.info()"})
    assert asked(tmp_path, "a.py") is None


@pytest.mark.parametrize("text", ["def f(:", "\x00", "from .a import f", "from .b import f"])
def test_what_cannot_be_read_or_runs_in_circles_is_unknown(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"pkg/__init__.py": "", "pkg/a.py": "from .b import f\nf()", "pkg/b.py": text})
    assert asked(tmp_path, "pkg/a.py") is None


@pytest.mark.parametrize("asker", ["from .pkg import f", "from .more import f"])
def test_names_in_circles_come_to_an_end(tmp_path: Path, asker: str) -> None:
    write(
        tmp_path,
        {"pkg/__init__.py": "from .a import *", "pkg/a.py": "from . import f", "more.py": "from .pkg import f"},
    )
    write(tmp_path, {"__init__.py": "", "asker.py": f"{asker}\nf()"})
    assert asked(tmp_path, "asker.py") is None


def test_bases_in_circles_come_to_an_end(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a.py": "from b import B\nclass A(B): ...\nA().close()",
            "b.py": "from a import A\nclass B(A): ...",
        },
    )
    assert asked(tmp_path, "a.py") is None


def test_without_a_project_nothing_is_asked(tmp_path: Path) -> None:
    write(tmp_path, LIBRARY)
    text = "from pkg import get\nget()\n"
    module = Module.parse(text, str(tmp_path / "a.py"))
    assert settled(module, lambda module: module.project, None) is None
