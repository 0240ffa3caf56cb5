"""A call that the project's configuration calls blocking stops the whole event loop in a coroutine.

No table can know what a project's own functions wait for: `blocking` in `[tool.asyncfix]` names them, as code that
imports them would.

```python run
import asyncio
import threading

answered = threading.Event()


def ask_the_device():
    return answered.wait(timeout=0.1)


async def answer():
    answered.set()


async def main():
    answering = asyncio.create_task(answer())
    print("asked here, answered:", ask_the_device())
    print("asked in a thread, answered:", await asyncio.to_thread(ask_the_device))
    await answering


asyncio.run(main())
```

```text
asked here, answered: False
asked in a thread, answered: True
```

```toml
[tool.asyncfix]
blocking = ["plant.Sensor.read", "plant.calibrate"]
```

```python bad
from plant import Sensor, calibrate

class Boiler:
    def __init__(self, address: int):
        self.sensor = Sensor(address)

    async def temperature(self):
        return calibrate(self.sensor.read())
```

```python good
import asyncio

from plant import Sensor, calibrate

class Boiler:
    def __init__(self, address: int):
        self.sensor = Sensor(address)

    async def temperature(self):
        return await asyncio.to_thread(calibrate, await asyncio.to_thread(self.sensor.read))
```

`not-blocking` is the other list: calls that are none although this tool thinks so, say a `requests.Session.get` with a
cache before it. It goes before all tables, and before `blocking`.

## Fix

Unsafe: `await asyncio.to_thread(…)` makes the call in a thread, and what it touches must bear that other tasks run
meanwhile.

## When to ignore

Never, with such a list: take the name out of it.

## Other tools

flake8-async has options that name blocking calls for a rule of its own (ASYNC200).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.blocking import report
from ..module import Module
from ..needs import Need
from ..rule import Report, rule
from ..signs import ON_THE_LOOP


@rule("AIO115", "blocking-configured", ast.Module, needs=(Need((ON_THE_LOOP,), configured=True),))
def blocking_configured(_: ast.Module, module: Module) -> Iterator[Report]:
    """Report calls in a coroutine that the configuration names."""
    yield from report("AIO115", module)
