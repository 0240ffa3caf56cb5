from __future__ import annotations

import asyncio
import functools
import logging
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from asyncpatterns import Stop, run, shutdown_signals

SIGNALS = [signal.SIGINT, signal.SIGTERM]


def handlers() -> list[Any]:
    return [signal.getsignal(signum) for signum in SIGNALS]


# what goes in and comes out, without signals


async def forty_two() -> int:
    await asyncio.sleep(0)
    return 42


def test_main_is_a_coroutine_or_a_function_with_or_without_a_stop() -> None:
    given: list[Any] = []

    async def with_stop(stop: Stop) -> int:
        given.append(stop)
        return await forty_two()

    async def with_default(arguments: Any = None, *more: Any, **rest: Any) -> int:
        given.append(arguments)
        return await forty_two()

    def no_coroutine_function(stop: Stop) -> Coroutine[Any, Any, int]:
        asyncio.get_running_loop()
        return forty_two()

    for main in (forty_two(), forty_two, with_stop, with_default, no_coroutine_function):
        assert run(main) == 42
    assert run(functools.partial(with_stop, Stop())) == 42
    assert [type(stop) for stop in given] == [Stop, type(None), Stop]


def test_what_main_cannot_be_is_a_type_error() -> None:
    async def too_many(first: Stop, second: Stop) -> None: ...

    async def by_keyword(*, stop: Stop) -> None: ...

    for main in (3, too_many, by_keyword, lambda: 3):
        with pytest.raises(TypeError):
            run(main)  # type: ignore[arg-type]  # what is tested


def test_mains_exception_comes_out_unchanged() -> None:
    error = ValueError("mine")

    async def fail() -> None:
        raise error

    with pytest.raises(ValueError, match="mine") as caught:
        run(fail)
    assert caught.value is error


def test_system_exit_in_main_and_in_another_task_still_cleans_up() -> None:
    cleaned: list[str] = []

    async def exit_with(code: int) -> None:
        raise SystemExit(code)

    async def wait(name: str) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            cleaned.append(name)

    async def exiting_main() -> None:
        task = asyncio.create_task(wait("other"))
        await asyncio.sleep(0)
        assert not task.done()
        await exit_with(3)

    async def exiting_task() -> None:
        task = asyncio.create_task(exit_with(4))
        await wait("main")
        await task

    for main, code in ((exiting_main, 3), (exiting_task, 4)):
        with pytest.raises(SystemExit) as caught:
            run(main)
        assert caught.value.code == code
    assert cleaned == ["other", "main"]


def test_a_main_that_was_cancelled_without_a_signal_raises_cancelled_error() -> None:
    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(60)

    with pytest.raises(asyncio.CancelledError):
        run(main)


def test_within_a_running_loop_it_names_shutdown_signals() -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="shutdown_signals"):
            run(forty_two())
        with pytest.raises(RuntimeError, match="shutdown_signals"):
            run(forty_two)

    run(main)


def test_debug_and_loop_factory_are_passed_on() -> None:
    made: list[asyncio.AbstractEventLoop] = []

    def factory() -> asyncio.AbstractEventLoop:
        made.append(asyncio.new_event_loop())
        return made[-1]

    async def main() -> bool:
        assert asyncio.get_running_loop() is made[-1]
        return asyncio.get_running_loop().get_debug()

    assert run(main, debug=True, loop_factory=factory) is True
    assert run(main, debug=False, loop_factory=factory) is False
    assert all(loop.is_closed() for loop in made)


def test_other_tasks_are_cancelled_once_and_async_generators_and_executor_shut_down() -> None:
    log: list[str] = []

    async def cancelled_before() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            log.append("cleaned up")

    async def cancelled_by_run() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            # A helper task of the cleanup is not cancelled as long as the cleanup waits for it.
            await asyncio.create_task(asyncio.sleep(0.03))
            log.append("cleaned up with help")

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            log.append("generator closed")

    def work() -> None:
        time.sleep(0.1)
        log.append("thread done")

    generator = numbers()

    async def main() -> None:
        cancelled = asyncio.create_task(cancelled_before())
        waiting = asyncio.create_task(cancelled_by_run())
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.sleep(0)
        assert not waiting.done()
        await anext(generator)
        asyncio.get_running_loop().run_in_executor(None, work)

    run(main)
    assert log == ["cleaned up", "cleaned up with help", "generator closed", "thread done"]


def test_an_exception_during_the_cleanup_of_a_task_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise ValueError("in the cleanup")

    async def main() -> asyncio.Task[None]:
        task = asyncio.create_task(fail())
        await asyncio.sleep(0)
        return task

    run(main)
    assert "unhandled exception during the shutdown" in caplog.text
    assert "in the cleanup" in caplog.text


def test_handlers_are_restored_whatever_main_does() -> None:
    before = handlers()

    async def loops_own_handlers() -> None:
        assert handlers() != before
        for signum in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(signum, int)

    async def fail() -> None:
        raise ValueError("mine")

    run(loops_own_handlers)
    assert handlers() == before
    with pytest.raises(ValueError, match="mine"):
        run(fail)
    assert handlers() == before
    with pytest.raises((ValueError, OSError)):
        run(forty_two, signals=[signal.SIGTERM, signal.SIGKILL])
    assert handlers() == before


def test_an_ignored_signal_stays_ignored_unless_named() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:

        async def main() -> Any:
            return signal.getsignal(signal.SIGTERM)

        assert run(main) == signal.SIG_IGN
        assert callable(run(main, signals=[signal.SIGTERM]))
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_outside_the_main_thread_it_runs_without_handlers() -> None:
    before = handlers()
    seen: list[Any] = []

    async def main(stop: Stop) -> int:
        seen.extend(handlers())
        return await forty_two()

    results: list[int] = []
    thread = threading.Thread(target=lambda: results.append(run(main)))
    thread.start()
    thread.join()
    assert results == [42]
    assert seen == before


# signals, in this process


def test_reraise_false_returns_mains_result_or_none() -> None:
    async def leaves(stop: Stop) -> object:
        signal.raise_signal(signal.SIGTERM)
        await stop.wait()
        return stop.reason

    async def cancelled() -> int:
        signal.raise_signal(signal.SIGTERM)
        await asyncio.sleep(60)
        return 1

    assert run(leaves, grace=20, reraise=False) is signal.SIGTERM
    assert run(cancelled(), reraise=False) is None
    assert run(cancelled, reraise=False) is None


def test_without_grace_main_is_cancelled_at_once_and_the_stop_is_set() -> None:
    log: list[object] = []

    async def main(stop: Stop) -> None:
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            log.append(stop.reason)
            raise

    with pytest.raises(KeyboardInterrupt):
        run(main)
    assert log == [signal.SIGINT]


def test_a_coroutine_is_cancelled_at_once_whatever_the_grace() -> None:
    async def main() -> None:
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(60)

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run(main(), grace=60)
    assert time.monotonic() - began < 20


def test_mains_own_exception_wins_over_the_signal() -> None:
    async def main() -> None:
        signal.raise_signal(signal.SIGTERM)
        try:
            await asyncio.sleep(60)
        finally:
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        run(main)


def test_a_signal_during_the_cleanup_does_not_interrupt_it() -> None:
    log: list[str] = []

    async def main() -> None:
        signal.raise_signal(signal.SIGINT)
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(0.01)
            log.append("cleaned up")

    with pytest.raises(KeyboardInterrupt):
        run(main)
    assert log == ["cleaned up"]


def test_as_process_one_which_the_kernel_shields_it_exits_with_the_status_of_the_signal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raised: list[int] = []
    real = signal.raise_signal

    async def main() -> None:
        real(signal.SIGTERM)
        await asyncio.sleep(60)

    before = handlers()
    monkeypatch.setattr(signal, "raise_signal", raised.append)
    monkeypatch.setattr(logging, "shutdown", int)
    with pytest.raises(SystemExit) as caught:
        run(main)
    assert handlers() == before
    assert caught.value.code == 128 + signal.SIGTERM
    assert raised == [signal.SIGTERM]


# what the loop with a flag gets wrong; its deafness and exit status are in test_signals


async def flawed_service(work: Coroutine[Any, Any, None], clean_up: Callable[[], object]) -> None:
    """Ends when a flag is set, which nobody tells to the work."""
    running = True

    def shut_down() -> None:
        nonlocal running
        running = False

    loop = asyncio.get_running_loop()
    for signum in SIGNALS:
        loop.add_signal_handler(signum, shut_down)
    task = loop.create_task(work)
    while running:  # noqa: ASYNC110 - the flaw
        await asyncio.sleep(0.01)
    clean_up()
    await task


def test_flawed_service_cleans_up_before_its_work_ends_which_is_never_told() -> None:
    log: list[str] = []

    async def work() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
            await asyncio.sleep(0.1)
            log.append("worked to the end")
        except asyncio.CancelledError:
            log.append("told")
            raise

    async def ours() -> None:
        try:
            await asyncio.create_task(work())
        finally:
            log.append("cleaned up")

    asyncio.run(flawed_service(work(), lambda: log.append("cleaned up")))
    assert log == ["cleaned up", "worked to the end"]
    log.clear()
    run(ours, reraise=False)
    assert log == ["told", "cleaned up"]


def test_flawed_service_replaces_a_frameworks_handler_and_leaves_another_behind() -> None:
    called: list[int] = []

    def framework(signum: int, frame: object) -> None:
        called.append(signum)

    async def work() -> None:
        signal.raise_signal(signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, framework)
    try:
        asyncio.run(flawed_service(work(), int))
        assert called == []
        assert signal.getsignal(signal.SIGTERM) is not framework
        signal.signal(signal.SIGTERM, framework)

        async def ours() -> None:
            async with shutdown_signals() as stop:
                await work()
                await stop.wait()

        asyncio.run(ours())
        assert called == [signal.SIGTERM]
        assert signal.getsignal(signal.SIGTERM) is framework
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.asyncio
async def test_flawed_service_is_a_runtime_error_outside_the_main_thread() -> None:
    work = asyncio.sleep(0)
    with pytest.raises((RuntimeError, ValueError)):  # the latter from uvloop
        await asyncio.to_thread(lambda: asyncio.run(flawed_service(work, int)))
    work.close()


# shutdown_signals


@pytest.mark.asyncio
async def test_the_first_signal_sets_the_stop_and_handlers_are_restored() -> None:
    before = handlers()
    for signum in SIGNALS:
        async with shutdown_signals() as stop:
            sleeper = asyncio.create_task(stop.sleep(60))
            await asyncio.sleep(0)
            signal.raise_signal(signum)
            assert not await asyncio.wait_for(sleeper, 10)
            assert stop.reason is signum
        assert handlers() == before


@pytest.mark.asyncio
async def test_only_the_signals_named_are_handled() -> None:
    before = handlers()
    async with shutdown_signals(signal.SIGUSR1) as stop:
        assert handlers() == before
        signal.raise_signal(signal.SIGUSR1)
        await asyncio.wait_for(stop.wait(), 10)


@pytest.mark.asyncio
async def test_a_frameworks_handler_is_called_as_well() -> None:
    called: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda signum, frame: called.append(signum))
    try:
        async with shutdown_signals() as stop:
            signal.raise_signal(signal.SIGTERM)
            await asyncio.wait_for(stop.wait(), 10)
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert called == [signal.SIGTERM] * 2


@pytest.mark.asyncio
async def test_a_handler_of_the_event_loop_is_called_as_well() -> None:
    called = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, called.set)
    try:
        async with shutdown_signals() as stop:
            signal.raise_signal(signal.SIGTERM)
            await asyncio.wait_for(stop.wait(), 10)
            await asyncio.wait_for(called.wait(), 10)
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


@pytest.mark.asyncio
async def test_blocks_left_in_the_wrong_order_leave_no_dead_handler() -> None:
    before = handlers()
    first, second = shutdown_signals(), shutdown_signals()
    outer = await first.__aenter__()
    inner = await second.__aenter__()
    await first.__aexit__(None, None, None)
    signal.raise_signal(signal.SIGTERM)
    await asyncio.wait_for(inner.wait(), 10)
    assert not outer.is_set()
    await second.__aexit__(None, None, None)
    assert handlers() == before


@pytest.mark.asyncio
async def test_outside_the_main_thread_no_signal_is_handled() -> None:
    before = handlers()

    async def main() -> bool:
        async with shutdown_signals() as stop:
            assert handlers() == before
            stop.set("by hand")
            return await stop.sleep(60)

    assert await asyncio.to_thread(lambda: asyncio.run(main())) is False
