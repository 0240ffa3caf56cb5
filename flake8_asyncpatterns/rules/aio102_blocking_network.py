"""A call that waits for the network in a coroutine stops the whole event loop.

Until the other machine answers, or a timeout of half a minute is over, no other task runs: a server stops answering
everybody because one client asked for something slow. Looking up a host's name (`socket.getaddrinfo()`) waits for
a server as well.

```python run
import asyncio
import http.client
import http.server
import threading
import time


class Slow(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(0.1)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args):
        pass


def fetch(port):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/")
    return connection.getresponse().status


async def tick(ticks):
    while True:
        ticks.append("tick")
        await asyncio.sleep(0.01)


async def main(port):
    ticks = []
    ticking = asyncio.create_task(tick(ticks))
    print(fetch(port), "called here, others had a turn:", bool(ticks))
    print(await asyncio.to_thread(fetch, port), "in a thread, others had a turn:", bool(ticks))
    ticking.cancel()


with http.server.HTTPServer(("127.0.0.1", 0), Slow) as server:
    threading.Thread(target=server.serve_forever).start()
    asyncio.run(main(server.server_port))
    server.shutdown()
```

```text
204 called here, others had a turn: False
204 in a thread, others had a turn: True
```

```python bad
import requests

async def exchange_rate(currency):
    response = requests.get(f"https://bank.example/rates/{currency}", timeout=10)
    return response.json()["rate"]
```

```python good
import asyncio

import requests

async def exchange_rate(currency):
    response = await asyncio.to_thread(requests.get, f"https://bank.example/rates/{currency}", timeout=10)
    return response.json()["rate"]
```

Methods are found by what they are methods of: a session, a client, a connection, wherever it is kept.

```python bad
import asyncio

import boto3

class Archive:
    def __init__(self, bucket):
        self.bucket = bucket
        self.s3 = boto3.client("s3")

    async def store(self, name, data):
        self.s3.put_object(
            Bucket=self.bucket,  # one for each customer
            Key=name,
            Body=data,
        )

    async def keep(self, names):
        for name in names:
            await self.store(name, b"")
            await asyncio.sleep(0)
```

```python good
import asyncio

import boto3

class Archive:
    def __init__(self, bucket):
        self.bucket = bucket
        self.s3 = boto3.client("s3")

    async def store(self, name, data):
        await asyncio.to_thread(
            self.s3.put_object,
            Bucket=self.bucket,  # one for each customer
            Key=name,
            Body=data,
        )

    async def keep(self, names):
        for name in names:
            await self.store(name, b"")
            await asyncio.sleep(0)
```

Known are the standard library's clients (`urllib`, `http.client`, `socket`, `smtplib`, `ftplib`, `imaplib`, `poplib`,
`xmlrpc`, …), requests, urllib3, httpx, boto3, paramiko, pika, kafka, selenium, docker and a few more; others can be
named in the configuration (see AIO115). Tests are left alone: one that waits holds up nobody but itself.

## Fix

Unsafe: `await asyncio.to_thread(…)` makes the call in a thread, and what it touches must bear that other tasks run
meanwhile. Where anyio or trio is imported, it is their `to_thread.run_sync()`. A client that was made for asyncio is
better where much is to be asked at once: `httpx.AsyncClient`, `aiohttp`, `aioboto3`, `asyncio.open_connection()`,
`loop.getaddrinfo()`.

## When to ignore

In a program whose only task it is, where nobody waits meanwhile.

## Other tools

flake8-async and ruff report calls of HTTP libraries (ASYNC210, ASYNC212), Sonar does as well (S7499). flake8-async
takes any variable named `requests` for the library. Here names and types are resolved, so that a session is seen,
in an attribute, too, and there is a fix.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.blocking import blocking, report
from ..module import Module
from ..rule import Report, rule


@rule("AIO102", "blocking-network", ast.Module, needs=blocking("AIO102"))
def blocking_network(_: ast.Module, module: Module) -> Iterator[Report]:
    """Report calls in a coroutine that wait for another machine."""
    yield from report("AIO102", module)
