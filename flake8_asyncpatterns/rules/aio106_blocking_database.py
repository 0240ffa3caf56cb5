"""A statement to a database in a coroutine stops the whole event loop until the answer is there.

A slow query, a lock that somebody else holds, a commit that waits for the disk: all tasks wait along. The drivers that
block have twins that are awaited: `psycopg.AsyncConnection`, `redis.asyncio`, `pymongo.AsyncMongoClient`,
`sqlalchemy.ext.asyncio`.

```python run
import asyncio
import sqlite3
import tempfile


async def tick(ticks):
    while True:
        ticks.append("tick")
        await asyncio.sleep(0.01)


async def main(path):
    ticks = []
    ticking = asyncio.create_task(tick(ticks))
    busy = sqlite3.connect(path)
    busy.execute("CREATE TABLE seen (url)")
    busy.execute("BEGIN EXCLUSIVE")
    try:
        sqlite3.connect(path, timeout=0.1).execute("SELECT * FROM seen")
    except sqlite3.OperationalError as error:
        print(f"{error}; others had a turn: {bool(ticks)}")
    busy.close()
    await asyncio.sleep(0)
    print("an await at last; others had a turn:", bool(ticks))
    ticking.cancel()


with tempfile.TemporaryDirectory() as folder:
    asyncio.run(main(f"{folder}/seen.db"))
```

```text
database is locked; others had a turn: False
an await at last; others had a turn: True
```

```python bad
import redis

class Visits:
    def __init__(self, url):
        self.redis = redis.Redis.from_url(url)

    async def count(self, page):
        return self.redis.incr(f"visits:{page}")
```

```python good
import asyncio

import redis

class Visits:
    def __init__(self, url):
        self.redis = redis.Redis.from_url(url)

    async def count(self, page):
        return await asyncio.to_thread(self.redis.incr, f"visits:{page}")
```

```python bad
import asyncio

import psycopg2

async def rename(dsn, user, name):
    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute("UPDATE users SET name = %s WHERE id = %s", (name, user))
    await asyncio.sleep(0)
```

```python good
import asyncio

import psycopg2

async def rename(dsn, user, name):
    connection = await asyncio.to_thread(psycopg2.connect, dsn)
    with connection, connection.cursor() as cursor:
        await asyncio.to_thread(cursor.execute, "UPDATE users SET name = %s WHERE id = %s", (name, user))
    await asyncio.sleep(0)
```

Tests are left alone: one that waits holds up nobody but itself.

## Fix

Unsafe: `await asyncio.to_thread(…)` makes the call in a thread. Few connections may be used by two threads at once:
two tasks that share one need a lock, or a connection each. sqlite3's connections and cursors refuse to be used in
another thread than the one that made them (but for `check_same_thread=False`), so there is no fix for them: move all
that is done with a connection into one plain function, and hand that to `asyncio.to_thread()`; or use aiosqlite.

## When to ignore

Where the database is in memory, or everything that is in a small local file; and in a program that has one task only.

## Other tools

None that we know of reports calls of these drivers in coroutines.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.blocking import blocking, report
from ..module import Module
from ..rule import Report, rule

SHARED = "it will run in another thread, and another task may use the same connection meanwhile"


@rule("AIO106", "blocking-database", ast.Module, needs=blocking("AIO106"))
def blocking_database(_: ast.Module, module: Module) -> Iterator[Report]:
    """Report calls in a coroutine that wait for a database."""
    yield from report("AIO106", module, unsafe=SHARED)
