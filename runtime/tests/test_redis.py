"""RedisChangeStream against real servers, which the tests start on free ports of the loopback interface."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
import redis as sync_redis
from asyncpatterns import Change, Lagged, RedisChangeStream, StreamClosed
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

Start = Callable[..., Any]

README = Path(__file__).parent.parent / "README.md"
PATIENCE = 30  # seconds; only ever waited for by a test that fails
KEY = "changes"

pytestmark = pytest.mark.usefixtures("_redis_server")


@pytest.fixture(scope="session")
def _redis_server() -> None:
    if shutil.which("redis-server") is None:
        complaint = "no redis-server on the PATH: install Debian's package of that name"
        if os.environ.get("CI"):
            pytest.fail(complaint)
        pytest.skip(complaint)


class Server:
    """A redis-server in a folder of its own, which can be killed and started again on the same port."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder = folder
        self._options = options
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        where = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self._folder)]
        self._process = subprocess.Popen(
            ["redis-server", *where, "--save", "", *self._options], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
        )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None, "redis-server ended"
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.01)

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(PATIENCE)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.settimeout(PATIENCE)
                connection.sendall(b"PING\r\n")
                return connection.recv(100).startswith(b"+PONG")
        except OSError:
            return False


@pytest.fixture(scope="module")
def _shared_server(_redis_server: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture
def server(_shared_server: Server) -> Server:
    """Give a running server without any data in it."""
    with socket.create_connection(("127.0.0.1", _shared_server.port), PATIENCE) as connection:
        connection.sendall(b"FLUSHALL\r\n")
        assert connection.recv(100).startswith(b"+OK")
    return _shared_server


@pytest.fixture
def start_server(_redis_server: None, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(*options: str) -> Server:
        servers.append(Server(tmp_path, *options))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


def numbers(client: Redis, **options: Any) -> RedisChangeStream[int]:
    return RedisChangeStream(client, KEY, encode=lambda number: str(number).encode(), decode=int, **options)


async def publish(stream: RedisChangeStream[int], values: range) -> list[str]:
    return [await stream.publish(value) for value in values]


async def take(subscription: AsyncIterator[Change[int]], count: int) -> list[int]:
    async with asyncio.timeout(PATIENCE):
        return [(await anext(subscription)).value for _ in range(count)]


async def step(subscription: AsyncIterator[Change[int]]) -> int:
    return (await take(subscription, 1))[0]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # noqa: ASYNC110  # what the server knows sets no event here
            await asyncio.sleep(0.01)


async def until_blocked(client: Redis, count: int = 1) -> None:
    """Wait until so many subscribers wait in the server."""

    async def blocked() -> bool:
        return bool((await client.info("clients"))["blocked_clients"] == count)

    await until(blocked)


async def oldest_number(client: Redis) -> int:
    [[identifier, _]] = await client.xrange(KEY, count=1)
    return int(identifier.decode().partition("-")[2])


# publishing and subscribing


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "options",
    [{}, {"decode_responses": True}, {"protocol": 2}, {"protocol": 3}, {"protocol": 2, "decode_responses": True}],
)
async def test_every_subscriber_gets_everything_in_one_order(server: Server, options: dict[str, Any]) -> None:
    async with Redis.from_url(server.url, **options) as client:
        stream = numbers(client)
        async with stream.subscribe() as first, stream.subscribe() as second:
            await asyncio.gather(*(publish(stream, range(start, start + 150)) for start in (0, 1000, 2000)))
            got, also_got = await take(first, 450), await take(second, 450)
        assert got == also_got
        for start in (0, 1000, 2000):
            assert [value for value in got if start <= value < start + 1000] == list(range(start, start + 150))


@pytest.mark.asyncio
async def test_positions_count_without_a_gap(server: Server) -> None:
    async with Redis.from_url(server.url) as client:
        stream = numbers(client)
        positions = await publish(stream, range(3))
        epochs, counts = zip(*(position.split("-") for position in positions), strict=True)
        assert (len(set(epochs)), counts) == (1, ("0", "1", "2"))
        assert await stream.position() == positions[-1]
        async with stream.subscribe(after="0-0") as subscription:
            assert [(await anext(subscription)).position for _ in range(3)] == positions


@pytest.mark.asyncio
async def test_nothing_published_after_subscribe_is_lost(server: Server) -> None:
    async with Redis.from_url(server.url) as client:
        stream = numbers(client)
        for number in range(20):
            subscription = stream.subscribe()
            await stream.publish(number)
            assert await step(subscription) == number
            await subscription.aclose()


@pytest.mark.asyncio
async def test_nothing_that_others_publish_is_lost_inside_the_block(server: Server) -> None:
    async with Redis.from_url(server.url) as client, Redis.from_url(server.url) as other:
        stream, elsewhere = numbers(client), numbers(other)
        for number in range(20):
            async with stream.subscribe() as subscription:
                await elsewhere.publish(number)
                assert await step(subscription) == number


@pytest.mark.asyncio
async def test_without_a_position_only_what_comes_from_now_on(server: Server) -> None:
    async with Redis.from_url(server.url) as client:
        stream = numbers(client)
        await publish(stream, range(5))
        async with stream.subscribe() as subscription:
            await publish(stream, range(5, 7))
            assert await take(subscription, 2) == [5, 6]


@pytest.mark.asyncio
async def test_the_start_position_is_before_the_first_change_of_a_stream_that_comes(server: Server) -> None:
    async with Redis.from_url(server.url) as client:
        stream = numbers(client)
        assert await stream.position() == "0-0"
        async with stream.subscribe(after=await stream.position()) as subscription:
            await publish(stream, range(3))
            assert await take(subscription, 3) == [0, 1, 2]


@pytest.mark.asyncio
async def test_publishers_that_begin_a_stream_at_once_begin_one(server: Server) -> None:
    async with Redis.from_url(server.url) as client:
        stream = numbers(client)
        positions = await asyncio.gather(*(stream.publish(number) for number in range(30)))
        assert {position.partition("-")[2] for position in positions} == {str(number) for number in range(30)}
        assert len({position.partition("-")[0] for position in positions}) == 1


@pytest.mark.asyncio
async def test_encode_and_decode_failing_are_told_and_passed_by(server: Server) -> None:
    def decode(payload: bytes) -> int:
        if payload == b"1":
            raise LookupError("one")
        return int(payload)

    async with Redis.from_url(server.url) as client:
        stream = RedisChangeStream(client, KEY, encode=lambda number: b"%d" % number, decode=decode)
        async with stream.subscribe() as subscription:
            await publish(stream, range(3))
            assert await step(subscription) == 0
            with pytest.raises(LookupError, match="one"):
                await step(subscription)
            assert await step(subscription) == 2
        with pytest.raises(TypeError, match="must return bytes, not str"):
            await RedisChangeStream[int](client, KEY, encode=str, decode=int).publish(1)  # type: ignore[arg-type]


@pytest.mark.asyncio
async def test_wrong_arguments_are_told_at_once(server: Server) -> None:
    async with Redis.from_url(server.url) as client:
        with pytest.raises(ValueError, match="retain"):
            numbers(client, retain=0)
        with pytest.raises(ValueError, match="check_every"):
            numbers(client, check_every=0)
        for position in ("", "7", "a-b", "-1-1", "1-1-1", "$"):
            with pytest.raises(ValueError, match="not a position"):
                numbers(client).subscribe(after=position)
    with sync_redis.Redis.from_url(server.url) as wrong, pytest.raises(TypeError, match=r"redis\.asyncio\.Redis"):
        numbers(wrong)  # type: ignore[arg-type]


# waiting


@pytest.mark.asyncio
async def test_a_timeout_loses_nothing_and_the_iteration_goes_on(server: Server) -> None:
    async with Redis.from_url(server.url) as client:
        stream = numbers(client)
        async with stream.subscribe() as subscription:
            for number in range(5):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.01):
                        await anext(subscription)
                await stream.publish(number)
                assert await step(subscription) == number
            waiting = asyncio.ensure_future(anext(subscription))
            await until_blocked(client)
            waiting.cancel()
            await asyncio.wait([waiting])
            await stream.publish(5)
            assert await step(subscription) == 5


@pytest.mark.asyncio
async def test_cancelled_at_any_moment_nothing_is_lost_or_twice(server: Server) -> None:
    async with Redis.from_url(server.url) as client:
        stream = numbers(client)
        got: list[int] = []
        async with stream.subscribe() as subscription:
            publisher = asyncio.create_task(publish(stream, range(200)))
            while len(got) < 200:
                waiting = asyncio.ensure_future(anext(subscription))
                for _ in range(len(got) % 7):
                    await asyncio.sleep(0)
                waiting.cancel()
                await asyncio.wait([waiting])
                if not waiting.cancelled():
                    got.append(waiting.result().value)
                elif len(got) % 7 == 0:
                    got.append(await step(subscription))
            await publisher
        assert got == list(range(200))


@pytest.mark.asyncio
async def test_an_idle_subscriber_sends_no_commands(server: Server) -> None:
    async with Redis.from_url(server.url) as client, numbers(client).subscribe() as subscription:
        waiting = asyncio.ensure_future(anext(subscription))
        await until_blocked(client)
        await client.config_resetstat()
        await asyncio.sleep(0.5)  # the time looked at: one that polls sends several in it
        assert set(await client.info("commandstats")) <= {"cmdstat_info", "cmdstat_config|resetstat"}
        waiting.cancel()


@pytest.mark.asyncio
async def test_a_backlog_comes_many_to_a_round_trip(server: Server) -> None:
    async with Redis.from_url(server.url) as client:
        stream = numbers(client)
        await publish(stream, range(1000))
        await client.config_resetstat()
        async with stream.subscribe(after="0-0") as subscription:
            assert await take(subscription, 1000) == list(range(1000))
        assert (await client.info("commandstats"))["cmdstat_xread"]["calls"] == 10


@pytest.mark.asyncio
async def test_the_clients_time_limit_is_not_for_waiting(server: Server) -> None:
    async with Redis.from_url(server.url, socket_timeout=0.2) as client, Redis.from_url(server.url) as other:
        stream = numbers(client)
        async with stream.subscribe() as subscription:
            waiting = asyncio.ensure_future(anext(subscription))
            await until_blocked(other)
            before = (await other.info("stats"))["total_connections_received"]
            await asyncio.sleep(0.4)  # the time looked at
            assert (await other.info("stats"))["total_connections_received"] == before
            await numbers(other).publish(1)
            assert (await waiting).value == 1


@pytest.mark.asyncio
async def test_a_slow_subscriber_holds_few_changes_and_gets_all(server: Server) -> None:
    async with Redis.from_url(server.url) as client:
        stream = numbers(client)
        async with stream.subscribe() as subscription:
            await publish(stream, range(1000))
            assert await step(subscription) == 0
            assert len(subscription._reader._entries) < 100
            assert await take(subscription, 999) == list(range(1, 1000))


@pytest.mark.asyncio
async def test_closing_wakes_and_ends_and_gives_the_connection_back(server: Server) -> None:
    async with Redis.from_url(server.url) as client:
        async with numbers(client).subscribe() as subscription:
            waiting = asyncio.ensure_future(anext(subscription))
            await until_blocked(client)
            await subscription.aclose()
            with pytest.raises(StopAsyncIteration):
                await waiting
            with pytest.raises(StopAsyncIteration):
                await anext(subscription)
            await subscription.aclose()
        await until_blocked(client, 0)


@pytest.mark.asyncio
async def test_a_lost_subscription_gives_its_connection_back(server: Server) -> None:
    async with Redis.from_url(server.url, max_connections=2) as client:
        stream = numbers(client)
        await stream.publish(0)
        for _ in range(5):
            async for change in stream.subscribe(after="0-0"):
                assert change.value == 0
                break

            async def free() -> bool:
                return not client.connection_pool._in_use_connections

            await until(free)
        subscription = stream.subscribe()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await anext(subscription)
        await until_blocked(client)
        del subscription
        await until_blocked(client, 0)


@pytest.mark.asyncio
async def test_one_task_at_a_time(server: Server) -> None:
    async with Redis.from_url(server.url) as client, numbers(client).subscribe() as subscription:
        waiting = asyncio.ensure_future(anext(subscription))
        await until_blocked(client)
        with pytest.raises(RuntimeError, match="another task"):
            await anext(subscription)
        waiting.cancel()

        def in_another_loop() -> None:
            asyncio.run(take(subscription, 1))

        await asyncio.wait([waiting])
        with pytest.raises(RuntimeError, match="another event loop"):
            await asyncio.to_thread(in_another_loop)


# positions that are gone, keys that are


@pytest.mark.asyncio
async def test_a_position_trimmed_away_tells_exactly_how_many_are_missed(server: Server) -> None:
    async with Redis.from_url(server.url) as client:
        stream = numbers(client, retain=10)
        positions = await publish(stream, range(500))
        oldest = await oldest_number(client)
        assert 10 <= 500 - oldest <= 200
        for after, missed in (("0-0", oldest), (positions[0], oldest - 1), (positions[100], oldest - 101)):
            async with stream.subscribe(after=after) as subscription:
                with pytest.raises(Lagged) as lagged:
                    await step(subscription)
                assert lagged.value.missed == missed
                assert await take(subscription, 500 - oldest) == list(range(oldest, 500))
        async with stream.subscribe(after=positions[oldest - 1]) as subscription:
            assert await step(subscription) == oldest


@pytest.mark.asyncio
async def test_a_live_subscriber_overtaken_by_trimming_is_told(server: Server) -> None:
    async with Redis.from_url(server.url) as client:
        stream = numbers(client, retain=10)
        async with stream.subscribe() as subscription:
            await stream.publish(0)
            assert await step(subscription) == 0
            await publish(stream, range(1, 500))
            oldest = await oldest_number(client)
            with pytest.raises(Lagged) as lagged:
                await step(subscription)
            assert lagged.value.missed == oldest - 1
            assert await take(subscription, 500 - oldest) == list(range(oldest, 500))


@pytest.mark.asyncio
async def test_changes_taken_out_by_hand_are_told(server: Server) -> None:
    async with Redis.from_url(server.url) as client:
        stream = numbers(client)
        positions = await publish(stream, range(6))
        await client.xdel(KEY, positions[2], positions[3])
        async with stream.subscribe(after=positions[0]) as subscription:
            assert await step(subscription) == 1
            with pytest.raises(Lagged, match="2 items"):
                await step(subscription)
            assert await take(subscription, 2) == [4, 5]
        await client.xtrim(KEY, maxlen=0)
        async with stream.subscribe(after=positions[1]) as subscription:
            with pytest.raises(Lagged, match="4 items"):
                await step(subscription)
            await stream.publish(6)
            assert await step(subscription) == 6


@pytest.mark.asyncio
@pytest.mark.parametrize("how", ["delete", "flushall", "rename", "expire"])
async def test_a_key_deleted_under_a_waiting_subscriber_closes(server: Server, how: str) -> None:
    async with Redis.from_url(server.url) as client:
        stream = numbers(client, check_every=0.05)
        await stream.publish(0)
        async with stream.subscribe() as subscription:
            waiting = asyncio.ensure_future(anext(subscription))
            await until_blocked(client)
            if how == "delete":
                await client.delete(KEY)
            elif how == "flushall":
                await client.flushall()
            elif how == "rename":
                await client.rename(KEY, "elsewhere")
            else:
                await client.pexpire(KEY, 1)
            async with asyncio.timeout(PATIENCE):
                with pytest.raises(StreamClosed, match="was deleted"):
                    await waiting
            with pytest.raises(StreamClosed, match="was deleted"):
                await step(subscription)


@pytest.mark.asyncio
async def test_a_key_deleted_and_made_anew_closes_at_once_however_far_it_got(server: Server) -> None:
    async with Redis.from_url(server.url) as client:
        stream = numbers(client, check_every=3600)
        last = (await publish(stream, range(3)))[-1]
        async with stream.subscribe() as waits, stream.subscribe(after=last) as works:
            waiting = asyncio.ensure_future(anext(waits))
            await until_blocked(client)
            await client.delete(KEY)
            await publish(stream, range(10))
            async with asyncio.timeout(PATIENCE):
                with pytest.raises(StreamClosed, match="another stream"):
                    await waiting
            with pytest.raises(StreamClosed, match="another stream"):
                await step(works)
        with pytest.raises(StreamClosed, match="another stream"):
            async with stream.subscribe(after=last):
                pass
        async with stream.subscribe(after="0-0") as subscription:
            assert await step(subscription) == 0


@pytest.mark.asyncio
async def test_a_position_of_a_stream_that_is_gone_closes(server: Server) -> None:
    async with Redis.from_url(server.url) as client:
        stream = numbers(client)
        last = await stream.publish(0)
        await client.delete(KEY)
        with pytest.raises(StreamClosed, match="was deleted"):
            async with stream.subscribe(after=last):
                pass
        with pytest.raises(StreamClosed, match="was deleted"):
            await step(stream.subscribe(after=last))


@pytest.mark.asyncio
async def test_a_key_that_holds_no_stream_is_told(server: Server) -> None:
    async with Redis.from_url(server.url) as client:
        stream = numbers(client)
        await client.set(KEY, "text")
        for attempt in (
            stream.publish(1),
            stream.position(),
            step(stream.subscribe()),
            step(stream.subscribe(after="1-1")),
        ):
            with pytest.raises(ValueError, match="'changes' holds something else than a stream"):
                await attempt


@pytest.mark.asyncio
async def test_entries_of_others_are_told(server: Server) -> None:
    async with Redis.from_url(server.url) as client:
        stream = numbers(client)
        for millisecond in range(3):  # three that come within one would look like ours
            await client.xadd(KEY, {"value": "1"}, id=f"{1_000_000_000_000 + millisecond}-0")
        for attempt in (
            stream.publish(1),
            stream.position(),
            step(stream.subscribe()),
            step(stream.subscribe(after="0-0")),
        ):
            with pytest.raises(ValueError, match="no RedisChangeStream has published"):
                await attempt


@pytest.mark.asyncio
@pytest.mark.parametrize("identifier", ["*", "9999999999999999-1"])
async def test_entries_of_others_in_the_midst_are_told_after_what_came_before(server: Server, identifier: str) -> None:
    async with Redis.from_url(server.url) as client:
        stream = numbers(client)
        async with stream.subscribe() as subscription:
            await publish(stream, range(2))
            await client.xadd(KEY, {"other": "1"}, id=identifier)
            assert await take(subscription, 2) == [0, 1]
            for _ in range(2):
                with pytest.raises(ValueError, match="no RedisChangeStream has published"):
                    await step(subscription)


# servers that go away


@pytest.mark.asyncio
async def test_a_server_killed_and_restarted_in_mid_stream(start_server: Callable[..., Server]) -> None:
    server = start_server("--appendonly", "yes")
    async with Redis.from_url(server.url) as client, Redis.from_url(server.url, retry=None) as other:
        publisher, subscriber = numbers(other), numbers(client)
        published: list[str] = []
        outage = asyncio.Event()

        async def publish_through_the_outage() -> None:
            for number in range(200):
                while True:
                    try:
                        published.append(await publisher.publish(number))
                        break
                    except RedisConnectionError:
                        outage.set()
                        await asyncio.sleep(0.01)

        async def follow(subscription: AsyncIterator[Change[int]]) -> list[Change[int]]:
            changes = []
            while not changes or changes[-1].value != 199:
                changes.append(await anext(subscription))
                if len(changes) == 50:
                    server.kill()
            return changes

        async with asyncio.timeout(PATIENCE), subscriber.subscribe() as subscription:
            following = asyncio.create_task(follow(subscription))
            publishing = asyncio.create_task(publish_through_the_outage())
            await outage.wait()
            await asyncio.to_thread(server.start)
            await publishing
            changes = await following
    assert set(published) <= {change.position for change in changes}
    assert [int(change.position.partition("-")[2]) for change in changes] == list(range(len(changes)))
    # A publisher that repeats what it got an error for may publish it twice; it is nothing that the subscriber does.
    values = [change.value for change in changes]
    assert sorted(set(values)) == list(range(200)) == list(dict.fromkeys(values))
    assert len(values) <= 201


@pytest.mark.asyncio
async def test_a_connection_killed_under_a_waiting_subscriber_is_replaced(server: Server) -> None:
    async with Redis.from_url(server.url) as client, Redis.from_url(server.url) as other:
        stream = numbers(client)
        async with stream.subscribe() as subscription:
            for number in range(3):
                waiting = asyncio.ensure_future(anext(subscription))
                await until_blocked(other)
                await other.client_kill_filter(_type="normal", skipme=True)
                await numbers(other).publish(number)
                async with asyncio.timeout(PATIENCE):
                    assert (await waiting).value == number


@pytest.mark.asyncio
@pytest.mark.parametrize("overtaken", [False, True])
async def test_a_server_that_lost_changes_which_were_read_closes(
    start_server: Callable[..., Server], overtaken: bool
) -> None:
    server = start_server("--appendonly", "no")
    async with Redis.from_url(server.url) as client:
        stream = numbers(client)
        async with stream.subscribe() as subscription:
            await publish(stream, range(3))
            await client.save()
            await publish(stream, range(3, 5))
            assert await take(subscription, 5) == list(range(5))
            server.kill()
            await asyncio.to_thread(server.start)
            if overtaken:
                async with Redis.from_url(server.url) as other:
                    await publish(numbers(other), range(100, 110))
            with pytest.raises(StreamClosed, match="the server has lost changes"):
                await step(subscription)


@pytest.mark.asyncio
async def test_a_server_that_is_not_there_is_told_until_it_has_answered_once(
    start_server: Callable[..., Server],
) -> None:
    server = start_server()
    server.kill()
    async with Redis.from_url(server.url, retry=None) as client:
        stream = numbers(client)
        subscription = stream.subscribe()
        for attempt in (stream.publish(1), stream.position(), step(subscription), step(subscription)):
            with pytest.raises(RedisConnectionError):
                await attempt
        with pytest.raises(RedisConnectionError):
            async with stream.subscribe(after="1-1"):
                pass
        await asyncio.to_thread(server.start)
        waiting = asyncio.ensure_future(anext(subscription))
        await until_blocked(client)
        await stream.publish(1)
        async with asyncio.timeout(PATIENCE):
            assert (await waiting).value == 1
        await subscription.aclose()


@asynccontextmanager
async def imitation(answer: Callable[[bytes], bytes | None]) -> AsyncIterator[int]:
    """Serve on a port what `answer` says for the name of a command; None ends the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            while head := await reader.readline():
                parts = []
                for _ in range(int(head[1:])):
                    size = int((await reader.readline())[1:])
                    parts.append((await reader.readexactly(size + 2))[:-2])
                reply = answer(parts[0])
                if reply is None:
                    return
                writer.write(reply)

    imitated = await asyncio.start_server(serve, "127.0.0.1")
    try:
        yield imitated.sockets[0].getsockname()[1]
    finally:
        imitated.close()


@pytest.mark.asyncio
async def test_a_server_before_redis_7_is_told() -> None:
    answers = {
        b"EVALSHA": b"-NOSCRIPT No matching script. Please use EVAL.\r\n",
        b"EVAL": b"-ERR Error running script: Invalid stream ID specified as stream command argument\r\n",
        b"XINFO": b"*4\r\n$6\r\nlength\r\n:1\r\n$17\r\nlast-generated-id\r\n$3\r\n5-0\r\n",
    }

    def answer(command: bytes) -> bytes:
        return answers.get(command, b"+OK\r\n")

    async with imitation(answer) as port, Redis(port=port, protocol=2) as client:
        stream = numbers(client)
        for attempt in (stream.publish(1), stream.position(), step(stream.subscribe())):
            with pytest.raises(RuntimeError, match="needs Redis 7"):
                await attempt


@pytest.mark.asyncio
async def test_a_value_whose_answer_was_lost_is_not_sent_again() -> None:
    commands: list[bytes] = []

    def answer(command: bytes) -> bytes | None:
        commands.append(command)
        return None if command == b"EVALSHA" else b"+OK\r\n"

    async with imitation(answer) as port, Redis(port=port, protocol=2) as client:
        with pytest.raises(RedisConnectionError):
            await numbers(client).publish(1)
    assert commands.count(b"EVALSHA") == 1


@pytest.mark.asyncio
async def test_other_errors_of_the_server_come_through(server: Server) -> None:
    async with Redis.from_url(server.url) as client:
        await client.config_set("maxmemory", 1)
        try:
            with pytest.raises(ResponseError, match="maxmemory"):
                await numbers(client).publish(1)
        finally:
            await client.config_set("maxmemory", 0)


# other processes

PROGRAM = """
import asyncio, sys
from redis.asyncio import Redis
from asyncpatterns import RedisChangeStream

def stream_of(client):
    return RedisChangeStream(client, "changes", encode=str.encode, decode=bytes.decode)
"""


def test_two_processes_and_resuming_in_a_third(server: Server, start: Start) -> None:
    subscriber = f"""{PROGRAM}
async def main(after, count):
    async with Redis.from_url("{server.url}") as client:
        async with stream_of(client).subscribe(after=after) as changes:
            print("ready")
            for _ in range(count):
                change = await anext(changes)
                print(change.position, change.value)
asyncio.run(main(AFTER, 5))
"""
    publisher = f"""{PROGRAM}
async def main():
    async with Redis.from_url("{server.url}") as client:
        for number in range(10):
            print(await stream_of(client).publish(f"change {{number}}"))
asyncio.run(main())
"""
    first = start(subscriber.replace("AFTER", "None"))
    first.read_until("ready")
    status, positions, errors = start(publisher).finish()
    assert (status, errors) == (0, "")
    expected = [f"{position} change {number}" for number, position in enumerate(positions.split())]
    status, output, errors = first.finish()
    assert (status, output.splitlines(), errors) == (0, expected[:5], "")
    stored = output.splitlines()[-1].split()[0]
    status, output, errors = start(subscriber.replace("AFTER", repr(stored))).finish()
    assert (status, output.splitlines(), errors) == (0, ["ready", *expected[5:]], "")


def test_the_package_works_without_redis() -> None:
    program = "import sys; sys.modules['redis'] = None; import asyncpatterns; print(asyncpatterns.RedisChangeStream)"
    assert "RedisChangeStream" in subprocess.check_output([sys.executable, "-c", program], text=True)
    loaded = "import sys, asyncpatterns; print('redis' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", loaded], text=True) == "False\n"


def test_the_example_of_the_readme(server: Server) -> None:
    section = (
        README.read_text("utf-8").partition("\n## Beyond one process: `RedisChangeStream`\n")[2].partition("\n## ")[0]
    )
    program, output = re.findall(r"^```(?:python|text)\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={**os.environ, "REDIS_URL": server.url},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, output, "")
