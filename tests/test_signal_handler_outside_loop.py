"""AIO302: which handlers are reported, and how they are given to the loop."""

from __future__ import annotations

import pytest
from cases import found, mended

from flake8_asyncpatterns.rules import RULES

AROUND = """\
import asyncio, functools, signal, sys, os

stop = asyncio.Event()

def handler(number, frame, event=stop):
    {handler}

async def main(task: asyncio.Task):
    {body}
"""


def reports(handler: str, body: str) -> list[str]:
    return [f.refusal for f in found(AROUND.format(handler=handler, body=body), [RULES["AIO302"]])]


@pytest.mark.parametrize(
    "handler",
    [
        "stop.set()",
        "asyncio.get_running_loop().call_soon(print)" + "; stop.set()",
        "asyncio.create_task(main())",
        "print(number); stop.set()",
    ],
)
def test_a_handler_that_touches_the_loop_is_reported(handler: str) -> None:
    assert reports(handler, "signal.signal(signal.SIGTERM, handler)") == [""]


@pytest.mark.parametrize(
    ("handler", "body"),
    [
        ("print(number)", "signal.signal(signal.SIGTERM, handler)"),
        ("stop.set(); raise KeyboardInterrupt", "signal.signal(signal.SIGTERM, handler)"),
        ("stop.set(); sys.exit(1)", "signal.signal(signal.SIGTERM, handler)"),
        ("main.loop.call_soon_threadsafe(stop.set)", "signal.signal(signal.SIGTERM, handler)"),
        ("stop.set()", "signal.signal(signal.SIGTERM, signal.SIG_DFL)"),
        ("stop.set()", "signal.signal(signal.SIGBREAK, handler)"),
        ("stop.set()", "sys.platform.startswith('win') or signal.getsignal(1)"),
        ("stop.set()", "if os.name == 'nt': signal.signal(signal.SIGTERM, handler)"),
        ("stop.set()", "if IS_WINDOWS: signal.signal(signal.SIGTERM, handler)"),
        ("stop.set()", "try: add()\n    except NotImplementedError: signal.signal(signal.SIGTERM, handler)"),
        ("stop.set()", "signal.signal(signal.SIGTERM, handler); task.loop.add_signal_handler(1, print)"),
        ("stop.set()", "signal.signal(signal.SIGTERM, handler); import uvloop"),
    ],
)
def test_other_handlers_are_not(handler: str, body: str) -> None:
    assert reports(handler, body) == []


@pytest.mark.parametrize(
    ("handler", "body", "why"),
    [
        ("stop.set()", "before = signal.signal(signal.SIGTERM, handler)", "what `signal.signal()` gives is used"),
        ("stop.set(); print(frame)", "signal.signal(signal.SIGTERM, handler)", "the handler looks at the frame"),
        ("stop.set()", "signal.getsignal(15); signal.signal(signal.SIGTERM, handler)", "what was set before"),
        ("stop.set()", "signal.signal(int('15'), handler)", "the signal, `int('15')`, is worked out here"),
        ("stop.set()", "def plain(): signal.signal(signal.SIGTERM, handler)", "no running loop is at hand"),
    ],
)
def test_what_the_loop_cannot_do_is_left(handler: str, body: str, why: str) -> None:
    (refusal,) = reports(handler, body)
    assert refusal.startswith(why)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("handler", "handler, signal.SIGTERM, None"),
        ("lambda *_: stop.set()", "stop.set"),
        ("lambda n, f: task.cancel()", "task.cancel"),
        ("lambda n, f: task.cancel(n)", "lambda n, f: task.cancel(n), signal.SIGTERM, None"),
    ],
)
def test_the_handler_gets_what_it_got(before: str, after: str) -> None:
    body = "signal.signal(signal.SIGTERM, {})"
    fixed = "asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, {})"
    source = AROUND.format(handler="stop.set()", body=body.format(before))
    assert mended(source).text == AROUND.format(handler="stop.set()", body=fixed.format(after))
