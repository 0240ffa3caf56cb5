"""Where code runs as seen from the event loop."""

from __future__ import annotations

import pytest
from cases import codes, mended

from flake8_asyncpatterns.analysis.starts import Starts
from flake8_asyncpatterns.module import Module
from flake8_asyncpatterns.rules import RULES

BY_HAND, ASKED = [RULES["AIO409"]], [RULES["AIO403"]]
HEAD = "import asyncio\nasync def main(): ...\n"


def starts(code: str) -> Starts:
    return Module.parse(HEAD + code).analysis(Starts)


@pytest.mark.parametrize(
    "code",
    [
        "asyncio.get_event_loop().run_until_complete(main())",
        "loop = asyncio.get_event_loop()\nloop.run_until_complete(main())",
        "loop = asyncio.get_event_loop()\nx = loop.run_until_complete(main())\nloop.close()\nprint(x)",
        "def f():\n  loop = asyncio.get_event_loop()\n  loop.run_until_complete(main())\n  loop.close()\n  return 1",
        "def f():\n  asyncio.new_event_loop().run_until_complete(main())\n  return 1",
        "loop = asyncio.new_event_loop()\nasyncio.set_event_loop(loop)\nloop.run_until_complete(main())",
        "if x:\n  try: asyncio.get_event_loop().run_until_complete(main())\n  except OSError: pass",
        "x = asyncio.new_event_loop()\nx.run_until_complete(main())\nx.run_until_complete(x.shutdown_asyncgens())",
    ],
)
def test_a_loop_for_one_run(code: str) -> None:
    assert len(starts(code).by_hand) == 1
    assert codes(HEAD + code, BY_HAND + ASKED) == ["AIO409"]
    assert codes(mended(HEAD + code, rules=BY_HAND + ASKED).text, BY_HAND + ASKED) == []


@pytest.mark.parametrize(
    "code",
    [
        # what comes behind may count on the loop
        "loop = asyncio.get_event_loop()\napp = loop.run_until_complete(main())\nrun_app(app)",
        "if x:\n  asyncio.get_event_loop().run_until_complete(main())\nrun_app()",
        "loop = asyncio.new_event_loop()\nasyncio.set_event_loop(loop)\nloop.run_until_complete(main())\nrun_app()",
        # it is not closed, and may run again
        "def f():\n  loop = asyncio.get_event_loop()\n  loop.run_until_complete(main())",
        "def f(x):\n  loop = asyncio.new_event_loop()\n  while x: loop.run_until_complete(main())\n  loop.close()",
        "asyncio.get_event_loop().run_until_complete(main())\nasyncio.get_event_loop().run_until_complete(main())",
        # it is another's as well
        "loop = asyncio.new_event_loop()\ndef f(): loop.stop()\nloop.run_until_complete(main())\nloop.close()",
        "loop = asyncio.new_event_loop()\nx = loop.close()\nloop.run_until_complete(main())",
        "def f():\n  global loop\n  loop = asyncio.new_event_loop()\n  loop.run_until_complete(main())\n  loop.close()",
        "loop = other = asyncio.new_event_loop()\nloop.run_until_complete(main())\nloop.close()",
        "async def f():\n  loop = asyncio.new_event_loop()\n  loop.run_until_complete(main())\n  loop.close()",
        "asyncio.get_event_loop().run_until_complete(client.disconnected)",
        "loop = asyncio.get_event_loop()\nloop.run_until_complete(client.disconnected)\nloop.close()",
    ],
)
def test_a_loop_for_more(code: str) -> None:
    assert not starts(code).by_hand


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("asyncio.get_event_loop().run_until_complete(start())", "may be something else"),
        ("asyncio.new_event_loop().run_until_complete(asyncio.gather(main()))", "may be something else"),
        ("asyncio.new_event_loop().run_until_complete(asyncio.wait([asyncio.ensure_future(main())]))", "made"),
    ],
)
def test_what_is_run_must_be_a_coroutine_that_needs_no_loop_before(code: str, why: str) -> None:
    [finding] = mended(HEAD + code, rules=BY_HAND).remaining
    assert finding.fix is None
    assert why in finding.refusal


@pytest.mark.parametrize(
    "code",
    [
        "LOOP = asyncio.get_event_loop()",
        "class A:\n  loop = asyncio.get_event_loop()",
        "def f(loop=asyncio.get_event_loop()): pass",
        "def f():\n  loop = asyncio.get_event_loop()\n  loop.create_task(main())\n  loop.run_forever()",
        "def f(x=None):\n  loop = x or asyncio.get_event_loop()\n  return loop.run_until_complete(main())",
        "class A:\n  def f(self):\n    self.x = asyncio.get_event_loop()\n    self.x.run_forever()",
        "def f(): return asyncio.get_event_loop()\ndef g(): f()\nif __name__ == '__main__': g()",
        "def f():\n  try: asyncio.get_event_loop().run_until_complete(x())\n  except KeyboardInterrupt: pass",
        "def f():\n  try:\n    l = asyncio.get_event_loop()\n    l.run_until_complete(x())\n  except Exception: pass",
        "def f():\n  coro = main()\n  asyncio.get_event_loop().run_until_complete(coro)",
        "def f(coro): asyncio.get_event_loop().run_until_complete(coro)",
        "asyncio.set_event_loop(None)\nLOOP = asyncio.get_event_loop()",
    ],
)
def test_where_no_loop_is_yet(code: str) -> None:
    assert codes(HEAD + code, ASKED) == ["AIO403"]


@pytest.mark.parametrize(
    "code",
    [
        "def f(): return asyncio.get_event_loop()",
        "def f(): return asyncio.get_event_loop()\nf()",
        "def f(): return asyncio.get_event_loop()\ncallback = f\nif __name__ == '__main__': f()",
        "@x\ndef f(): return asyncio.get_event_loop()\nif __name__ == '__main__': f()",
        "def f(): return asyncio.get_event_loop()\nasync def g(): f()\nif __name__ == '__main__': f()",
        "LOOP = lambda: asyncio.get_event_loop()",
        "asyncio.set_event_loop(x)\nLOOP = asyncio.get_event_loop()",
        "import nest_asyncio\nLOOP = asyncio.get_event_loop()",
        "try: LOOP = asyncio.get_event_loop()\nexcept RuntimeError: LOOP = None",
        "from x import *\ntry: LOOP = asyncio.get_event_loop()\nexcept RuntimeError: LOOP = None",
        "def f():\n  start()\n  asyncio.get_event_loop().run_forever()",
        "def f():\n  loop = asyncio.get_event_loop()\n  try: loop.run_forever()\n  finally: loop.close()",
        "def f(): asyncio.get_event_loop().run_until_complete(client.disconnected)",
        "import pytest\n@pytest.fixture()\ndef rows(db): return asyncio.get_event_loop().run_until_complete(db.rows())",
        "import sys\nif sys.version_info < (3, 14): LOOP = asyncio.get_event_loop()",
        "async def f(): return asyncio.get_event_loop()",
        "@asyncio.coroutine\ndef f():\n  loop = asyncio.get_event_loop()\n  loop.run_forever()",
    ],
)
def test_where_a_loop_may_be(code: str) -> None:
    assert codes(HEAD + code, ASKED) == []
