"""Signals sent to programs in processes of their own, and what their parent sees of it."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest

# Anything: starts a program, see conftest.
Start = Callable[..., Any]

SIGNALS = [signal.SIGINT, signal.SIGTERM]
LOOPS = ["asyncio.new_event_loop"]
if importlib.util.find_spec("uvloop") is not None:
    LOOPS.append("__import__('uvloop').new_event_loop")

# Sleeps in a loop, works around it, and cleans up with an await: what a service does.
SERVICE = """
import asyncio, signal, sys, time
from asyncpatterns import Stop, run

async def helper():
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0.01)
        print("helper cleaned up")

async def main(stop=None):
    task = asyncio.create_task(helper())
    await asyncio.sleep(0)
    try:
        print("ready")
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0.01)
        print("main cleaned up")
"""

# asyncio.run sleeps through a Ctrl-C that comes just before it waits, until it wakes for something else: for this.
NAPS = "while True: await asyncio.sleep(0.05)"


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("main", ["main()", "main"])
@pytest.mark.parametrize("signum", SIGNALS)
def test_a_signal_runs_every_finally_and_the_process_dies_by_it(
    start: Start, signum: signal.Signals, main: str, loop: str
) -> None:
    program = start(SERVICE + f"\nrun({main}, loop_factory={loop})\nprint('never reached')")
    program.read_until("ready")
    program.send(signum)
    status, output, _ = program.finish()
    assert output.splitlines() == ["main cleaned up", "helper cleaned up"]
    assert status == -signum


@pytest.mark.parametrize("loop", LOOPS)
def test_a_stop_ends_the_sleep_at_once(start: Start, loop: str) -> None:
    program = start(
        f"""
        import asyncio
        from asyncpatterns import run

        async def main(stop):
            print("ready")
            while await stop.sleep(60):
                pass
            await asyncio.sleep(0.01)
            print("left by itself because of", stop.reason.name)

        run(main, grace=30, loop_factory={loop})
        """
    )
    program.read_until("ready")
    began = time.monotonic()
    program.send(signal.SIGTERM)
    status, output, _ = program.finish()
    assert time.monotonic() - began < 5
    assert output == "left by itself because of SIGTERM\n"
    assert status == -signal.SIGTERM


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(
    "service", ["run(main, loop_factory=factory)", "asyncio.Runner(loop_factory=factory).run(inside())"]
)
def test_a_signal_that_does_not_interrupt_the_wait_of_the_idle_loop_wakes_it(
    start: Start, service: str, loop: str
) -> None:
    program = start(
        f"""
        import asyncio, signal, threading, time
        from asyncpatterns import run, shutdown_signals

        def signal_another_thread():
            time.sleep(0.2)
            signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

        async def main(stop):
            threading.Thread(target=signal_another_thread).start()
            try:
                await stop.sleep(60)
            finally:
                print("left")

        async def inside():
            async with shutdown_signals() as stop:
                await main(stop)

        factory = {loop}
        {service}
        """
    )
    _, output, _ = program.finish()
    assert output == "left\n"


def test_flawed_flag_ignores_sigterm_until_its_sleep_ends_and_exits_with_zero(start: Start) -> None:
    program = start(
        """
        import asyncio, signal

        async def main():
            running = True

            def shut_down():
                nonlocal running
                running = False

            for signum in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(signum, shut_down)
            print("ready")
            while running:
                await asyncio.sleep(3)

        asyncio.run(main())
        """
    )
    program.read_until("ready")
    began = time.monotonic()
    program.send(signal.SIGTERM)
    program.send(signal.SIGINT)
    program.send(signal.SIGINT)
    status, _, _ = program.finish()
    assert time.monotonic() - began > 2
    assert status == 0


def test_flawed_plain_asyncio_run_runs_no_finally_on_sigterm(start: Start) -> None:
    program = start(SERVICE + "\nasyncio.run(main())")
    program.read_until("ready")
    program.send(signal.SIGTERM)
    assert program.finish()[:2] == (-signal.SIGTERM, "")


def test_main_is_cancelled_when_grace_is_over(start: Start) -> None:
    program = start(SERVICE + "\nrun(main, grace=0.2)")
    program.read_until("ready")
    program.send(signal.SIGTERM)
    status, output, _ = program.finish()
    assert output.splitlines() == ["main cleaned up", "helper cleaned up"]
    assert status == -signal.SIGTERM


@pytest.mark.parametrize("loop", LOOPS)
def test_the_second_signal_cuts_grace_short(start: Start, loop: str) -> None:
    program = start(
        SERVICE
        + f"""
async def polite(stop):
    asyncio.create_task(stop.wait()).add_done_callback(lambda _: print("stop seen"))
    await main()

run(polite, grace=60, loop_factory={loop})
"""
    )
    program.read_until("ready")
    program.send(signal.SIGTERM)
    program.read_until("stop seen")
    program.send(signal.SIGINT)
    status, output, _ = program.finish()
    assert output.splitlines() == ["main cleaned up", "helper cleaned up"]
    assert status == -signal.SIGTERM


@pytest.mark.parametrize("loop", LOOPS)
def test_the_third_signal_kills_in_the_midst_of_the_cleanup(start: Start, loop: str) -> None:
    program = start(
        f"""
        import asyncio
        from asyncpatterns import run

        async def main():
            try:
                print("ready")
                await asyncio.sleep(60)
            finally:
                print("cleaning up")
                await asyncio.sleep(60)
                print("never reached")

        run(main, cleanup_timeout=60, loop_factory={loop})
        """
    )
    program.read_until("ready")
    program.send(signal.SIGINT)
    program.read_until("cleaning up")
    program.send(signal.SIGINT)
    time.sleep(0.2)
    program.send(signal.SIGTERM)
    assert program.finish()[:2] == (-signal.SIGTERM, "")


BLOCKED = """
import time
from asyncpatterns import run

async def main():
    print("ready")
    {}
    print("never reached")

run(main)
"""


@pytest.mark.parametrize("loop", LOOPS)
def test_the_second_sigterm_kills_a_loop_blocked_by_sync_code(start: Start, loop: str) -> None:
    program = start(
        BLOCKED.format("time.sleep(60)").replace("run(main", f"import asyncio\nrun(main, loop_factory={loop}")
    )
    program.read_until("ready")
    program.send(signal.SIGTERM)
    time.sleep(0.5)
    program.send(signal.SIGTERM)
    assert program.finish()[:2] == (-signal.SIGTERM, "")


def test_the_second_sigint_interrupts_sync_code_which_can_clean_up(start: Start) -> None:
    code = "try: time.sleep(60)\n    finally: print('finally')"
    program = start(BLOCKED.format(code))
    program.read_until("ready")
    program.send(signal.SIGINT)
    time.sleep(0.5)
    program.send(signal.SIGINT)
    status, output, errors = program.finish()
    assert (status, output) == (-signal.SIGINT, "finally\n")
    assert "KeyboardInterrupt" in errors


def test_the_third_signal_kills_sync_code_that_swallows_everything(start: Start) -> None:
    code = "while True:\n        try: time.sleep(60)\n        except BaseException: print('swallowed')"
    program = start(BLOCKED.format(code))
    program.read_until("ready")
    program.send(signal.SIGINT)
    time.sleep(0.5)
    program.send(signal.SIGINT)
    program.read_until("swallowed")
    program.send(signal.SIGINT)
    assert program.finish()[0] == -signal.SIGINT


@pytest.mark.parametrize("loop", LOOPS)
def test_cleanup_timeout_logs_the_stack_of_what_is_pending_and_ends(start: Start, loop: str) -> None:
    program = start(
        f"""
        import asyncio
        from asyncpatterns import run

        async def inner():
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(60)

        async def helper():
            await inner()

        async def main():
            task = asyncio.create_task(helper(), name="the helper")
            await asyncio.sleep(0)
            print("ready")
            await asyncio.sleep(60)

        run(main, cleanup_timeout=0.3, loop_factory={loop})
        """
    )
    program.read_until("ready")
    began = time.monotonic()
    program.send(signal.SIGTERM)
    status, _, errors = program.finish()
    assert time.monotonic() - began < 10
    assert status == -signal.SIGTERM
    assert "the helper" in errors
    assert "in helper" in errors
    assert "in inner" in errors


@pytest.mark.parametrize("loop", LOOPS)
def test_a_thread_that_does_not_end_holds_up_no_longer_than_cleanup_timeout(start: Start, loop: str) -> None:
    program = start(
        f"""
        import asyncio, time
        from asyncpatterns import run

        async def main():
            asyncio.get_running_loop().run_in_executor(None, time.sleep, 60)
            print("ready")
            await asyncio.sleep(60)

        run(main, cleanup_timeout=0.3, loop_factory={loop})
        """
    )
    program.read_until("ready")
    began = time.monotonic()
    program.send(signal.SIGTERM)
    status, _, errors = program.finish()
    assert time.monotonic() - began < 10
    assert status == -signal.SIGTERM
    assert "threads of the default executor" in errors


def test_output_and_logs_are_flushed_before_dying(start: Start) -> None:
    program = start(
        """
        import asyncio, logging.handlers, signal, sys
        from asyncpatterns import run

        target = logging.StreamHandler(sys.stderr)
        logging.basicConfig(handlers=[logging.handlers.MemoryHandler(1000, target=target)], level="INFO")
        sys.stdout.reconfigure(line_buffering=False, write_through=False)

        async def main():
            print("printed")
            logging.info("logged")
            signal.raise_signal(signal.SIGTERM)
            await asyncio.sleep(60)

        run(main)
        """
    )
    status, output, errors = program.finish()
    assert (status, output) == (-signal.SIGTERM, "printed\n")
    assert "logged" in errors


def test_flawed_handlers_left_behind_have_the_next_runner_swallow_ctrl_c(start: Start) -> None:
    program = start(
        """
        import asyncio, signal

        async def first():
            for signum in (signal.SIGINT, signal.SIGTERM):
                signal.signal(signum, lambda signum, frame: print("flag set"))

        async def second():
            print("ready")
            await asyncio.sleep(0.5)
            print("swallowed")

        asyncio.run(first())
        asyncio.run(second())
        """
    )
    program.read_until("ready")
    program.send(signal.SIGINT)
    assert program.finish()[:2] == (0, "flag set\nswallowed\n")


def test_the_next_runner_gets_ctrl_c_again(start: Start) -> None:
    program = start(
        f"""
        import asyncio
        from asyncpatterns import run

        async def first():
            pass

        async def second():
            print("ready")
            {NAPS}

        run(first)
        asyncio.run(second())
        """
    )
    program.read_until("ready")
    program.send(signal.SIGINT)
    assert program.finish()[0] == -signal.SIGINT


# at any moment

# Each raises the signal at its moment by calling strike().
MOMENTS = {
    "when main's task is made": "",
    "in main's first step": "strike()",
    "while main waits": "asyncio.get_running_loop().call_later(0.01, strike)",
    "again in main's cleanup": "strike()",
    "in another task's cleanup": "return",
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("signum", SIGNALS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_at_any_moment_a_signal_runs_every_finally_and_the_process_dies_by_it(
    start: Start, moment: str, signum: signal.Signals, loop: str
) -> None:
    program = start(
        f"""
        import asyncio, os
        from asyncpatterns import run

        def strike():
            os.kill(os.getpid(), {int(signum)})

        def make_task(loop, coroutine, **options):
            loop.set_task_factory(None)
            strike()
            return asyncio.Task(coroutine, loop=loop, **options)

        def make_loop():
            loop = {loop}()
            if {moment!r} == "when main's task is made":
                loop.set_task_factory(make_task)
            return loop

        async def helper():
            try:
                await asyncio.sleep(60)
            finally:
                if {moment!r} == "in another task's cleanup":
                    strike()
                await asyncio.sleep(0.01)
                print("helper cleaned up")

        async def main():
            print("main began")
            task = asyncio.create_task(helper())
            try:
                await asyncio.sleep(0)
                {MOMENTS[moment]}
                await asyncio.sleep(60)
            finally:
                if {moment!r} == "again in main's cleanup":
                    strike()
                await asyncio.sleep(0.01)
                print("main cleaned up")

        run(main, loop_factory=make_loop)
        print("never reached")
        """
    )
    status, output, errors = program.finish()
    began = moment != "when main's task is made"
    assert output.splitlines() == (["main began", "main cleaned up", "helper cleaned up"] if began else [])
    assert status == -signum
    assert "Error" not in errors


@pytest.mark.parametrize("signum", SIGNALS)
def test_before_and_after_run_signals_are_pythons_own(start: Start, signum: signal.Signals) -> None:
    for source in ("import asyncpatterns", "async def main(): pass\n__import__('asyncpatterns').run(main)"):
        program = start(f"{source}\nimport signal\nsignal.raise_signal({int(signum)})\nprint('never reached')")
        assert program.finish()[:2] == (-signum, "")


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("first", SIGNALS)
@pytest.mark.parametrize("second", SIGNALS)
def test_whichever_comes_second_cuts_grace_short_and_the_first_says_how_it_ends(
    start: Start, first: signal.Signals, second: signal.Signals, loop: str
) -> None:
    program = start(
        SERVICE
        + f"""
async def polite(stop):
    asyncio.create_task(stop.wait()).add_done_callback(lambda _: print("stop seen"))
    await main()

run(polite, grace=60, loop_factory={loop})
"""
    )
    program.read_until("ready")
    program.send(first)
    program.read_until("stop seen")
    program.send(second)
    status, output, _ = program.finish()
    assert (status, output.splitlines()) == (-first, ["main cleaned up", "helper cleaned up"])


@pytest.mark.parametrize("signum", SIGNALS)
def test_reraise_false_goes_on_after_a_signal_with_status_zero(start: Start, signum: signal.Signals) -> None:
    program = start(SERVICE + "\nprint(run(main, reraise=False))\nsys.exit(0)")
    program.read_until("ready")
    program.send(signum)
    status, output, _ = program.finish()
    assert (status, output.splitlines()) == (0, ["main cleaned up", "helper cleaned up", "None"])


@pytest.mark.parametrize("signum", SIGNALS)
def test_mains_own_exception_wins_over_the_signal_and_makes_the_status_one(
    start: Start, signum: signal.Signals
) -> None:
    program = start(SERVICE + "\nasync def fails():\n    try: await main()\n    finally: 1 / 0\n\nrun(fails)")
    program.read_until("ready")
    program.send(signum)
    status, output, errors = program.finish()
    assert (status, output.splitlines()) == (1, ["main cleaned up", "helper cleaned up"])
    assert "ZeroDivisionError" in errors


# what the parent sees

# The tests may run in the background of a shell, which has SIGINT ignored, and a shell cannot undo that.
SHELL = ("env", "--default-signal=INT", "bash", "-c")


def test_ctrl_c_stops_the_shells_loop_around_it_too(start: Start) -> None:
    program = start(SERVICE + "\nrun(main)", *SHELL, 'for i in 1 2 3; do echo "round $i"; "$0" "$@"; done')
    assert program.read_until("ready") == ["round 1", "ready"]
    program.send_to_all(signal.SIGINT)
    status, output, _ = program.finish()
    assert (status, output.splitlines()) == (-signal.SIGINT, ["main cleaned up", "helper cleaned up"])


def test_flawed_exit_on_ctrl_c_lets_the_shells_loop_go_on(start: Start) -> None:
    flawed = "\ntry: asyncio.run(main())\nexcept KeyboardInterrupt: sys.exit(130)"
    program = start(
        SERVICE.replace("await asyncio.sleep(60)", NAPS) + flawed,
        *SHELL,
        'for i in 1 2; do echo "round $i"; "$0" "$@"; done',
    )
    for number in (1, 2):
        assert f"round {number}" in program.read_until("ready")
        program.send_to_all(signal.SIGINT)
    assert program.finish()[0] == 130


def test_a_shell_sees_143_after_sigterm(start: Start) -> None:
    program = start(SERVICE + "\nrun(main)", *SHELL, '"$0" "$@"; echo "status $?"')
    program.read_until("ready")
    program.send_to_child(signal.SIGTERM)
    status, output, _ = program.finish()
    assert (status, output.splitlines()) == (0, ["main cleaned up", "helper cleaned up", "status 143"])


# as the first process of a container, which the kernel shields from what it has no handler for


@pytest.fixture
def namespace() -> tuple[str, ...]:
    """A command that starts another one as process 1 of a namespace of its own."""
    command = ("unshare", "--pid", "--fork")
    if shutil.which(command[0]) is None or subprocess.run([*command, "true"], check=False).returncode:
        pytest.skip("cannot make a process namespace here")
    return command


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("signum", SIGNALS)
def test_as_process_one_a_signal_from_outside_ends_it_with_128_and_the_signal(
    start: Start, namespace: tuple[str, ...], signum: signal.Signals, loop: str
) -> None:
    program = start(SERVICE + f"\nprint(__import__('os').getpid())\nrun(main, loop_factory={loop})", *namespace)
    assert program.read_until("ready") == ["1", "ready"]
    program.send_to_child(signum)
    status, output, _ = program.finish()
    assert (status, output.splitlines()) == (128 + signum, ["main cleaned up", "helper cleaned up"])


def test_flawed_plain_asyncio_run_as_process_one_ignores_sigterm(start: Start, namespace: tuple[str, ...]) -> None:
    program = start(
        "import asyncio\nprint('ready')\nasyncio.run(asyncio.sleep(0.5))\nprint('slept to the end')", *namespace
    )
    program.read_until("ready")
    program.send_to_child(signal.SIGTERM)
    assert program.finish()[:2] == (0, "slept to the end\n")


@pytest.mark.parametrize("signum", SIGNALS)
def test_as_process_one_the_second_signal_ends_sync_code_that_blocks_the_loop(
    start: Start, namespace: tuple[str, ...], signum: signal.Signals
) -> None:
    program = start(BLOCKED.format("try: time.sleep(60)\n    finally: print('finally')"), *namespace)
    program.read_until("ready")
    program.send_to_child(signum)
    time.sleep(0.5)
    program.send_to_child(signum)
    assert program.finish()[:2] == (128 + signum, "finally\n")


@pytest.mark.parametrize("signum", SIGNALS)
def test_as_process_one_the_third_signal_ends_it_at_once(
    start: Start, namespace: tuple[str, ...], signum: signal.Signals
) -> None:
    code = "while True:\n        try: time.sleep(60)\n        except BaseException: print('swallowed')"
    program = start(BLOCKED.format(code), *namespace)
    program.read_until("ready")
    program.send_to_child(signum)
    time.sleep(0.5)
    program.send_to_child(signum)
    program.read_until("swallowed")
    program.send_to_child(signum)
    assert program.finish()[:2] == (128 + signum, "")


# cleanup


def test_a_main_that_does_not_end_within_cleanup_timeout_is_a_timeout_error_with_its_stack_logged(
    start: Start,
) -> None:
    program = start(
        """
        import asyncio, signal
        from asyncpatterns import run

        async def stubborn_helper():
            while True:
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    print("not me")

        async def main():
            signal.raise_signal(signal.SIGTERM)
            await stubborn_helper()

        try:
            run(main, reraise=False, cleanup_timeout=0.2)
        except TimeoutError as error:
            print(error, flush=True)
            __import__("os")._exit(0)
        """
    )
    status, output, errors = program.finish()
    assert status == 0
    assert output.splitlines() == ["not me", "main has not ended within the cleanup_timeout of 0.2 s"]
    assert "still pending after cleanup_timeout" in errors
    assert "in main" in errors
    assert "in stubborn_helper" in errors


# shutdown_signals


@pytest.mark.parametrize(("signum", "output"), [(signal.SIGINT, "cleaned up\n"), (signal.SIGTERM, "")])
def test_the_second_signal_is_handled_as_before(start: Start, signum: signal.Signals, output: str) -> None:
    program = start(
        f"""
        import asyncio
        from asyncpatterns import shutdown_signals

        async def main():
            try:
                async with shutdown_signals() as stop:
                    print("ready")
                    await stop.wait()
                    print("stopped")
                    {NAPS}
            finally:
                print("cleaned up")

        asyncio.run(main())
        """
    )
    program.read_until("ready")
    program.send(signum)
    program.read_until("stopped")
    program.send(signum)
    status, rest, _ = program.finish()
    assert (status, rest) == (-signum, output)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("signum", SIGNALS)
def test_shutdown_signals_sets_its_stop_and_the_program_goes_on(
    start: Start, signum: signal.Signals, loop: str
) -> None:
    program = start(
        f"""
        import asyncio
        from asyncpatterns import shutdown_signals

        async def main():
            async with shutdown_signals() as stop:
                print("ready")
                print(await stop.sleep(60), stop.reason.name)
            await asyncio.sleep(0.01)
            print("went on")

        with asyncio.Runner(loop_factory={loop}) as runner:
            runner.run(main())
        """
    )
    program.read_until("ready")
    program.send(signum)
    assert program.finish()[:2] == (0, f"False {signum.name}\nwent on\n")


@pytest.mark.parametrize("signum", SIGNALS)
def test_after_the_block_of_shutdown_signals_they_are_handled_as_before(start: Start, signum: signal.Signals) -> None:
    program = start(
        f"""
        import asyncio
        from asyncpatterns import shutdown_signals

        async def main():
            async with shutdown_signals():
                pass
            print("ready")
            {NAPS}

        asyncio.run(main())
        """
    )
    program.read_until("ready")
    program.send(signum)
    assert program.finish()[0] == -signum
