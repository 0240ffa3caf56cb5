"""A stream of changes that crosses processes, kept by a Redis server: `ChangeStream`'s iteration, with a history."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import random
import re
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from asyncpatterns.streams import Lagged, StreamClosed

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from redis.asyncio import Redis
    from redis.asyncio.connection import AbstractConnection

# redis itself is imported where it is used: the package works without it.

__all__ = ["Change", "RedisChangeStream", "RedisSubscription"]

T = TypeVar("T")

_log = logging.getLogger("asyncpatterns")

_FIELD = b"value"  # the one field of every entry
_BATCH = 100  # how many changes one round trip brings, and a subscriber holds
_GRACE = 10.0  # how many seconds an answer may take before the connection counts as dead
_DELAYS = (0.05, 2.0)  # the first and the longest pause between attempts to reconnect, in seconds

# An entry's id is "epoch-number": the epoch says which stream it is, being the moment at which the first change was
# published to the key; the number counts from 0 without a gap. So a missing id is a missed change, and ids from before
# the key was deleted are not taken for those of the stream that came after. Appending has to look at what is there and
# write in one go, or two publishers that find no key would begin two streams in it.
_APPEND = """
local epoch
if redis.call('EXISTS', KEYS[1]) == 1 then
    local info, reply = {}, redis.call('XINFO', 'STREAM', KEYS[1])
    for i = 1, #reply, 2 do info[reply[i]] = reply[i + 1] end
    if info['last-generated-id'] ~= '0-0' then
        local number
        epoch, number = string.match(info['last-generated-id'], '(%d+)-(%d+)')
        if info['entries-added'] and info['entries-added'] ~= tonumber(number) + 1 then
            return redis.error_reply('FOREIGN')
        end
    end
end
if not epoch then
    local now = redis.call('TIME')
    epoch = now[1] .. string.format('%06d', now[2])
end
return redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], epoch .. '-*', 'value', ARGV[2])
"""
_APPEND_SHA = hashlib.sha1(_APPEND.encode(), usedforsecurity=False).hexdigest()


class Change(NamedTuple, Generic[T]):
    """A published value and its position, which `RedisChangeStream.subscribe` takes to go on after it.

    >>> change = Change("1795687859517123-4", {"city": "Leipzig"})
    >>> change.value["city"]
    'Leipzig'
    """

    position: str
    value: T


class _Position(NamedTuple):
    epoch: int
    number: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.number}"

    @classmethod
    def parse(cls, text: str) -> _Position:
        if not re.fullmatch(r"\d{1,20}-\d{1,20}", text, re.ASCII):
            raise ValueError(f"not a position of a RedisChangeStream: {text!r}")
        epoch, number = text.split("-")
        return cls(int(epoch), int(number))


_START = _Position(0, 0)  # before the first change of whatever stream there is or will be


class RedisChangeStream(Generic[T]):
    """A stream of changes under a key of a Redis server (7 or later), for publishers and subscribers anywhere.

    client: a `redis.asyncio.Redis`. Each subscriber holds one connection of its pool while it iterates.
    key: where the stream is kept. Nothing else may write there.
    encode, decode: make bytes of a value, and a value of these bytes; `str.encode` and `bytes.decode` for texts.
    retain: how many of the last changes the server keeps at least, 1 or more; it drops the older ones in blocks, so
    that it keeps about a hundred more.
    check_every: after how many seconds without a change a subscriber asks whether its connection and the key are still
    there.

    Every subscriber gets every change after its position, in the one order in which the server took them, or is told
    how many it missed. A subscriber that stores the position of each change after handling it can go on there in
    another process; a change whose position was not stored yet comes again. How durable the changes are is the
    server's setting.

    Its methods raise the client's `redis.exceptions.ConnectionError` when the server cannot be reached, `ValueError`
    when the key holds anything but such a stream, and `RuntimeError` when the server is older than Redis 7.
    """

    def __init__(
        self,
        client: Redis,
        key: str,
        *,
        encode: Callable[[T], bytes],
        decode: Callable[[bytes], T],
        retain: int = 10_000,
        check_every: float = 15.0,
    ) -> None:
        from redis.asyncio import Redis

        if not isinstance(client, Redis):
            raise TypeError(
                f"client must be a redis.asyncio.Redis, not a {type(client).__module__}.{type(client).__name__}"
            )
        if retain < 1:
            raise ValueError(f"retain must be at least 1, not {retain}")
        if not 0.001 <= check_every < float("inf"):
            raise ValueError(f"check_every must be at least 0.001 seconds, not {check_every}")
        self._client = client
        self._key = key
        self._encode = encode
        self._decode = decode
        self._retain = retain
        self._check_every = check_every
        # Subscriptions that are about to learn what "from now on" means for them.
        self._beginning: set[asyncio.Task[None]] = set()

    async def publish(self, value: T) -> str:
        """Append a value and return its position.

        It is sent once, whatever the client says of retrying. So when this raises a connection error or a timeout, or
        is cancelled, the value may have been published or not; published again it may then come twice.
        """
        payload = self._encode(value)
        if not isinstance(payload, bytes):
            raise TypeError(f"encode must return bytes, not {type(payload).__name__}")
        if self._beginning:
            await asyncio.wait(self._beginning)
        from redis.exceptions import NoScriptError, ResponseError

        arguments = (1, self._key, self._retain, payload)
        async with _borrowed(self._client) as connection:
            try:
                try:
                    position = await _call(connection, "EVALSHA", _APPEND_SHA, *arguments)
                except NoScriptError:
                    position = await _call(connection, "EVAL", _APPEND, *arguments)
            except ResponseError as error:
                _explain(error, self._key)
                raise
        return str(position, "ascii")

    async def position(self) -> str:
        """Where the stream is now: the position of the last change, also if that is not kept any more.

        "0-0" while there is no stream: to subscribe after it gives every change from the first one on.
        """
        async with _borrowed(self._client) as connection:
            return str(await _last_position(connection, self._key) or _START)

    def subscribe(self, *, after: str | None = None) -> RedisSubscription[T]:
        """Subscribe to the changes after a position, or from now on.

        With a position nothing after it is lost; "0-0" is the position before the first change. Without one, "now" is
        the moment at which the server is asked for its last position. That is begun here, in the background, and what
        is published through this object after this call waits for it and so is never lost. For what others publish, be
        certain with `async with stream.subscribe() as changes:`: inside the block the server has answered.

        Raises `ValueError` for something that is no position, and `RuntimeError` without a running event loop.
        """
        position = None if after is None else _Position.parse(after)
        reader = _Reader(self._client, self._key, position, self._check_every)
        if position is None:
            task = reader.start(reader.connect())
            self._beginning.add(task)
            task.add_done_callback(self._beginning.discard)
        return RedisSubscription(reader, self._decode)


class RedisSubscription(AsyncIterator[Change[T]]):
    """A subscriber's side of a `RedisChangeStream`: iterate over it with `async for`, in one task at a time.

    Made by `RedisChangeStream.subscribe`. It ends when it is closed, leaves its `async with` block or is lost. A
    timeout or cancellation while waiting loses nothing, and the iteration can go on. It holds at most a hundred
    changes; those after them wait in the server. When the server goes away it reconnects, for as long as it takes, and
    goes on after the last change it gave.

    Its step raises

    - `Lagged` when changes after its position are not kept any more, with their number; the next step gives the oldest
      one kept;
    - `StreamClosed` when the key was deleted, also if another stream was begun there, and when the server itself has
      lost changes that were read already. Noticed at the next change, or after the stream's `check_every` seconds;
    - what `decode` raises; the next step gives the change after that one;
    - `ValueError` when something else was written to the key;
    - the client's connection error as long as the server has not answered once, and always when it refuses the
      client's credentials; the next step tries again;
    - `RuntimeError` while another task waits in it, and in another event loop.
    """

    def __init__(self, reader: _Reader, decode: Callable[[bytes], T]) -> None:
        self._reader = reader
        self._decode = decode

    async def __aenter__(self) -> RedisSubscription[T]:
        try:
            await self._reader.begin()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        # Collection of a cycle runs this in any thread, in the midst of anything: it only leaves word.
        self._reader.close_soon()

    async def aclose(self) -> None:
        """End the subscription and give its connection back; a task that waits in it gets the end."""
        await self._reader.close()

    async def __anext__(self) -> Change[T]:
        try:
            position, payload = await self._reader.take()
        except BaseException:
            del self  # the traceback, which a cancelled task keeps as long as it is kept, must not keep it too
            raise
        return Change(str(position), self._decode(payload))


class _Reader:
    """What a subscription knows and does. Not the subscription itself, whose collection is how a lost one is noticed.

    Reading is a task of its own, which goes on when the step that waits for it is cancelled: the next step finds what
    it brought.
    """

    def __init__(self, client: Redis, key: str, position: _Position | None, check_every: float) -> None:
        self._client = client
        self._key = key
        self._check_every = check_every
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._waiting = False
        self._closed = False
        self._connection: AbstractConnection | None = None
        self._answered = False  # whether the server ever has
        self._position = position  # of the change that was given last; None: from now on
        self._payload: bytes | None = None  # what that change was
        self._last: _Position | None = None  # of the stream, when it was looked at
        self._entries: deque[tuple[_Position, bytes]] = deque()
        self._missed = 0

    def start(self, work: Any) -> asyncio.Task[None]:
        self._task = task = self._loop.create_task(work)
        # Whoever waits gets the exception; where nobody does any more, it is not worth a message.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    async def begin(self) -> None:
        """Have the server's first answer."""
        self._enter()
        if not (self._answered or self._closed):
            await self._wait(self._task or self.start(self.connect()))

    async def take(self) -> tuple[_Position, bytes]:
        """Give the next change and move behind it."""
        self._enter()
        while not (self._entries or self._missed or self._closed):
            await self._wait(self._task or self.start(self._fill()))
        # From here on nothing suspends: what is taken out below reaches the caller, whatever gets cancelled.
        if self._closed:
            raise StopAsyncIteration
        if self._missed:
            missed, self._missed = self._missed, 0
            raise Lagged(missed)
        position, payload = self._entries[0]
        assert self._position is not None
        if missed := position.number - self._position.number - 1:
            self._position = _Position(position.epoch, position.number - 1)
            self._payload = None
            raise Lagged(missed)
        self._entries.popleft()
        self._position, self._payload = position, payload
        return position, payload

    async def close(self) -> None:
        self._closed = True
        self._entries.clear()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        await self._disconnect()

    def close_soon(self) -> None:
        if not self._closed:
            with contextlib.suppress(RuntimeError):  # the loop is closed, and its connections with it
                self._loop.call_soon_threadsafe(self._close_in_background)

    def _close_in_background(self) -> None:
        self._closing = self._loop.create_task(self.close())

    def _enter(self) -> None:
        if asyncio.get_running_loop() is not self._loop:
            raise RuntimeError("this RedisSubscription belongs to another event loop")
        if self._waiting:
            raise RuntimeError("another task waits in this RedisSubscription already; give each its own")

    async def _wait(self, task: asyncio.Task[None]) -> None:
        if not task.done():  # waiting would suspend even then, and a short timeout never get past it
            self._waiting = True
            try:
                await asyncio.wait([task])
            finally:
                self._waiting = False
        if not self._closed:
            self._task = None
            task.result()

    async def connect(self) -> None:
        """Get a connection and see whether the position is still one of this stream."""
        if self._connection is not None:
            return
        self._connection = connection = await _acquire(self._client)
        try:
            await self._look(connection)
            await self._compare(connection)
        except BaseException:
            await self._disconnect()
            raise
        self._answered = True

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            # The client has closed it if an answer is outstanding.
            await self._client.connection_pool.release(connection)

    async def _fill(self) -> None:
        """Read until there is something to give, through as many connections as it takes."""
        from redis import exceptions

        delay, longest = _DELAYS
        try:
            while not (self._entries or self._missed):
                try:
                    await self.connect()
                    await self._read()
                except (exceptions.AuthenticationError, exceptions.AuthorizationError):
                    raise
                except (exceptions.ConnectionError, exceptions.TimeoutError, OSError) as error:
                    await self._disconnect()
                    if not self._answered:
                        raise
                    if delay == _DELAYS[0]:
                        _log.warning("reconnecting to the change stream %r: %s", self._key, error)
                    await asyncio.sleep(delay * random.uniform(0.5, 1))
                    delay = min(2 * delay, longest)
                else:
                    delay = _DELAYS[0]
        except BaseException:
            await self._disconnect()
            raise

    async def _read(self) -> None:
        connection, position = self._connection, self._position
        assert connection is not None
        assert position is not None
        behind = self._last is not None and self._last > position
        # With nothing to wait for there is none: what was published last may have been taken out by hand.
        block = () if behind else ("BLOCK", max(1, int(self._check_every * 1000)))
        after = _START if position.number < 0 else position
        limit = self._check_every + _GRACE
        async with asyncio.timeout(limit):
            reply = await _call(
                # The client's own time limit is for answers that come at once; and past the one given here it would
                # say that there are no changes.
                connection,
                "XREAD",
                "COUNT",
                _BATCH,
                *block,
                "STREAMS",
                self._key,
                after,
                time_limit=limit * 2,
            )
        if reply:
            await self._keep(connection, position, reply)
        elif behind:
            assert self._last is not None
            self._missed = self._last.number - position.number
            self._position, self._payload = self._last, None
        else:
            await self._look(connection)

    async def _keep(self, connection: AbstractConnection, position: _Position, reply: Any) -> None:
        [[_, entries]] = reply.items() if isinstance(reply, dict) else reply
        epoch = position.epoch
        for identifier, fields in entries:
            place = _Position.parse(identifier.decode())
            if position == _START:
                epoch = place.epoch
                self._position = position = _Position(epoch, -1)
            if place.epoch != epoch or len(fields) != 2 or fields[0] != _FIELD:
                break
            self._entries.append((place, fields[1]))
        if not self._entries:
            await self._look(connection)
            raise ValueError(_foreign(self._key))

    async def _look(self, connection: AbstractConnection) -> None:
        """Look where the stream is, and whether the position is still one of it."""
        self._last = last = await _last_position(connection, self._key)
        position = self._position
        if position is None:
            self._position = last or _START
        elif last is None:
            if position != _START:
                raise StreamClosed(f"the key {self._key!r} was deleted")
        elif position == _START:
            self._position = _Position(last.epoch, -1)
        elif last.epoch != position.epoch:
            raise StreamClosed(f"the key {self._key!r} was deleted, and another stream was begun there")
        elif last.number < position.number:
            raise self._lost()

    async def _compare(self, connection: AbstractConnection) -> None:
        """See whether the change given last is still what the server has there.

        A server that lost changes when it was killed gives their positions to others, and may be past this one.
        """
        if self._payload is not None:
            entries = await _call(connection, "XRANGE", self._key, self._position, self._position)
            if entries and entries[0][1] != [_FIELD, self._payload]:
                raise self._lost()

    def _lost(self) -> StreamClosed:
        return StreamClosed(f"the server has lost changes of the stream {self._key!r} that were read already")


async def _acquire(client: Redis) -> AbstractConnection:
    pool: Any = client.connection_pool  # that method of it has no types
    connection: AbstractConnection = await pool.get_connection()
    return connection


@contextlib.asynccontextmanager
async def _borrowed(client: Redis) -> AsyncIterator[AbstractConnection]:
    connection = await _acquire(client)
    try:
        yield connection
    finally:
        await client.connection_pool.release(connection)


async def _call(connection: AbstractConnection, *command: object, time_limit: float | None = None) -> Any:
    """Send a command and give the answer, with all texts in it as bytes.

    Not through the client, which would send the command again when the answer is lost, and might decode the answer.
    """
    await connection.send_command(*(str(part) if isinstance(part, _Position) else part for part in command))
    return await connection.read_response(disable_decoding=True, timeout=time_limit)


async def _last_position(connection: AbstractConnection, key: str) -> _Position | None:
    """Give the last position of the stream under a key, None when there is no stream."""
    from redis.exceptions import ResponseError

    try:
        reply = await _call(connection, "XINFO", "STREAM", key)
    except ResponseError as error:
        if "no such key" in str(error):
            return None
        _explain(error, key)
        raise
    info = reply if isinstance(reply, dict) else dict(zip(reply[::2], reply[1::2], strict=True))
    if b"entries-added" not in info:
        raise RuntimeError(_TOO_OLD)
    last = _Position.parse(info[b"last-generated-id"].decode())
    if last == _START:
        return None
    if info[b"entries-added"] != last.number + 1:
        raise ValueError(_foreign(key))
    return last


_TOO_OLD = "a RedisChangeStream needs Redis 7 or later"


def _foreign(key: str) -> str:
    return f"the key {key!r} holds entries that no RedisChangeStream has published"


def _explain(error: Exception, key: str) -> None:
    """Raise what an answer of the server means, if that is known."""
    if "WRONGTYPE" in str(error):
        raise ValueError(f"the key {key!r} holds something else than a stream") from error
    if "FOREIGN" in str(error):
        raise ValueError(_foreign(key)) from error
    if "Invalid stream ID" in str(error):
        raise RuntimeError(_TOO_OLD) from error
