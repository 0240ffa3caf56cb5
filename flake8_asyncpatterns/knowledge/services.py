"""What runs a service, what runs for ever, and who looks after signals already."""

from __future__ import annotations

from . import runtime

# Packages whose runners install handlers of their own for SIGINT and SIGTERM. A file that imports one is taken to leave
# signals to it. Read in their sources: aiogram/dispatcher/dispatcher.py, arq/worker.py, kopf/_core/reactor/running.py,
# pyrogram/methods/utilities/idle.py, quart/app.py, sanic/worker/manager.py; said in its documentation: aiorun.
HANDLE_SIGNALS = frozenset({"aiogram", "aiorun", "arq", "kopf", "pyrogram", "quart", "sanic"})

# Packages that bring their own way to run a service. Their handling of signals was not looked up, or differs from
# version to version (discord.py has left SIGTERM alone since 2.0): in doubt nothing is said.
IN_DOUBT = frozenset(
    {
        "daphne", "discord", "disnake", "faust", "granian", "gunicorn", "hikari", "hypercorn", "mode", "nextcord",
        "telegram", "twisted", "uvicorn",
    }
)  # fmt: skip

RUNNERS = HANDLE_SIGNALS | IN_DOUBT

# Functions that run a service and handle its signals, in packages that have other uses too.
# Source: aiohttp/web.py (run_app makes its runner handle signals).
RUNNING = frozenset({"aiohttp.web.run_app", runtime.RUN})

# How a program hands a coroutine over to run. Source: CPython's Lib/asyncio/runners.py and base_events.py, uvloop.
RUN = frozenset({"asyncio.run", "uvloop.run", "asyncio.Runner.run", "asyncio.AbstractEventLoop.run_until_complete"})
RUN_FOREVER = "asyncio.AbstractEventLoop.run_forever"

# Coroutines that end only when they are cancelled. Source: CPython's Lib/asyncio/base_events.py.
ENDLESS = frozenset({"asyncio.Server.serve_forever"})

# Coroutines that give a server. Source: CPython's Lib/asyncio/{streams,base_events,unix_events}.py.
SERVERS = frozenset(
    {
        "asyncio.start_server",
        "asyncio.start_unix_server",
        "asyncio.AbstractEventLoop.create_server",
        "asyncio.AbstractEventLoop.create_unix_server",
    }
)

# What waits for all it is given, and so for ever when one of them does.
WAITS_FOR_ALL = frozenset({"asyncio.gather", "asyncio.wait", "asyncio.shield", "asyncio.create_task",
                           "asyncio.ensure_future", "asyncio.AbstractEventLoop.create_task"})  # fmt: skip
