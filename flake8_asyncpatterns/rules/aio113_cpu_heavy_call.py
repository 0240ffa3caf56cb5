"""A call that computes for long in a coroutine stops the whole event loop while it does.

Hashing a password is slow on purpose: a tenth of a second for each log-in, in which nobody else is served.
Compressing or parsing what is large takes as long.

```python run
import asyncio
import hashlib


async def tick(ticks):
    while True:
        ticks.append("tick")
        await asyncio.sleep(0.001)


async def main():
    ticks = []
    ticking = asyncio.create_task(tick(ticks))
    hashlib.pbkdf2_hmac("sha256", b"secret", b"salt", 100_000)
    print("called here, others had a turn:", bool(ticks))
    await asyncio.to_thread(hashlib.pbkdf2_hmac, "sha256", b"secret", b"salt", 100_000)
    print("in a thread, others had a turn:", bool(ticks))
    ticking.cancel()


asyncio.run(main())
```

```text
called here, others had a turn: False
in a thread, others had a turn: True
```

```python bad
import bcrypt

async def log_in(users, name, password):
    user = await users.find(name)
    return bcrypt.checkpw(password.encode(), user.hash)
```

```python good
import asyncio

import bcrypt

async def log_in(users, name, password):
    user = await users.find(name)
    return await asyncio.to_thread(bcrypt.checkpw, password.encode(), user.hash)
```

Known are the password hashes of `hashlib`, bcrypt and argon2, the making of RSA keys, `gzip`, `bz2`, `lzma` and `zlib`
of whole texts, what pandas reads and writes, and what Pillow does to whole pictures.

## Fix

Unsafe: `await asyncio.to_thread(…)` computes in a thread, and what it is given must not change meanwhile. The functions
of the standard library, bcrypt and Pillow let other threads run while they work; what is written in Python does
not, and is better off in a `ProcessPoolExecutor`.

## When to ignore

Where what is given is small. The rule cannot know, so it is off by default.

## Other tools

None that we know of reports these.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.blocking import blocking, report
from ..module import Module
from ..rule import Report, rule


@rule("AIO113", "cpu-heavy-call", ast.Module, default=False, needs=blocking("AIO113"))
def cpu_heavy_call(_: ast.Module, module: Module) -> Iterator[Report]:
    """Report calls in a coroutine that compute for long."""
    yield from report("AIO113", module)
