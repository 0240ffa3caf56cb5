"""What a file must contain: `cases.found` holds every finding of every test to it; here is what else is promised."""

from __future__ import annotations

import pytest

from flake8_asyncpatterns.needs import LARGE, Scan, Text, calls, things
from flake8_asyncpatterns.rules import RULES
from flake8_asyncpatterns.settings import NONE, Settings

SLEEPS = "import time\n\nasync def f():\n    time.sleep(1)\n"


def speakers(text: str | bytes, settings: Settings = NONE, *, project: bool = False) -> frozenset[str]:
    data = text.encode() if isinstance(text, str) else text
    return Scan(RULES.values(), settings, project=project).speakers(data)


def test_every_rule_says_what_it_needs() -> None:
    assert [code for code, rule in RULES.items() if not [*rule.needs]] == []


def test_nothing_speaks_of_a_file_in_which_nothing_is() -> None:
    assert speakers("") == frozenset()
    assert speakers("def f(x):\n    return x + 1\n") == frozenset()
    assert speakers("async def f(self):\n    await self.g()\n\nasync def g():\n    return await f()\n") == frozenset()


@pytest.mark.parametrize(
    "text",
    [
        SLEEPS,
        "from time import sleep as nap\n\nasync def f():\n    nap(1)\n",
        "import time as t\n\nasync def f():\n    t.sleep(1)\n",
        SLEEPS.replace("\n", "\r"),
        "\ufeff" + SLEEPS,
        SLEEPS.replace("sleep", "ｓｌｅｅｐ"),  # Python reads wide letters as plain ones
    ],
)
def test_a_sleep_is_seen_under_any_name(text: str) -> None:
    assert "AIO101" in speakers(text)


@pytest.mark.parametrize(
    "line",
    [
        "g()", "x = g()", "if g(): pass", "async with g(): pass", "async for x in g(): pass", "print(1, g())",
        "await g().x", "[g()]", "x = (\n        g()\n    )", "yield g() or 1", "return g() == 1", "f'{g()}'",
    ],
)  # fmt: skip
def test_a_coroutine_that_nobody_awaits_is_seen(line: str) -> None:
    assert "AIO203" in speakers(f"async def g(): pass\n\nasync def f():\n    {line}\n")


@pytest.mark.parametrize(
    "line",
    ["await g()", "return g()", "await wait(1, g())", "self.x = g()", "start(\n        g(),\n    )", "yield g()"],
)
def test_a_coroutine_that_is_awaited_or_handed_on_needs_no_parser(line: str) -> None:
    assert "AIO203" not in speakers(f"async def g(): pass\n\nasync def f(self):\n    {line}\n")


def test_an_encoding_in_which_letters_are_others_is_read_by_the_parser() -> None:
    assert speakers(b"# coding: utf-7\n") == frozenset(RULES)
    assert speakers(b"# coding: latin-1\n") == frozenset()
    assert speakers(b"\n\n# coding: utf-7\n") == frozenset()  # no cookie in the third line


def test_what_the_configuration_names_is_needed_where_it_does() -> None:
    text = "async def f(client):\n    client.fetch()\n"
    assert "AIO115" not in speakers(text)
    assert {"AIO110", "AIO115"} <= speakers(text, Settings(blocking=frozenset({"lib.Client.fetch"})))


def test_another_file_may_know_the_type() -> None:
    text = "from .base import Base\n\nclass Client(Base):\n    async def f(self):\n        self.session.get('/')\n"
    assert "AIO102" not in speakers(text)
    assert "AIO102" in speakers(text, project=True)


def test_a_large_file_is_left_to_the_parser() -> None:
    text = "async def f():\n    pass\n" + "# " + "x" * LARGE + "\n"
    assert "AIO111" in speakers(text)


@pytest.mark.parametrize(
    ("need", "text", "is_met"),
    [
        (calls({"time.sleep"}), b"import time; time.sleep", True),
        (calls({"time.sleep"}), b"import time", False),
        (calls({"time.sleep"}), b"sleep", False),
        (calls({"builtins.open"}), b"open(x)", True),
        (calls({"builtins.open"}), b"self.open(x)", False),
        (calls({"builtins.open"}), b"o = open\n", True),
        (calls({"a.Client.*"}), b"from a import Client", True),
        (calls({"a.Client.*"}), b"import a", False),
        (calls({"io.FileIO.read"}), b"open(x).read()", True),  # for `open` gives one
        (things({"asyncio.AbstractEventLoop"}), b"asyncio.get_running_loop()", True),
        (things({"asyncio.AbstractEventLoop"}), b"asyncio.sleep()", False),
    ],
)
def test_names_lead_back_to_where_things_come_from(need: tuple, text: bytes, is_met: bool) -> None:
    shown = Text(text)
    assert any(all(map(shown.has, (*way.words, *way.known))) for way in need) is is_met
