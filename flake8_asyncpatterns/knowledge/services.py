"""What runs a service, what runs for ever, and who looks after signals already."""

from __future__ import annotations

# Packages whose runners install handlers of their own for SIGINT and SIGTERM, or that are made to be run by a
# process manager which does. A file that imports one is taken to leave signals to it.
# Sources: uvicorn/server.py (capture_signals), hypercorn/asyncio/run.py, gunicorn/arbiter.py, daphne/server.py,
# aiorun/__init__.py, aiogram/dispatcher/dispatcher.py (start_polling, handle_signals), telegram/ext/_application.py
# (run_polling, stop_signals), pyrogram/methods/utilities/idle.py, hikari/impl/gateway_bot.py, sanic/worker/manager.py,
# quart/app.py (run_task), mode/worker.py (faust), kopf/_core/reactor/running.py, arq/worker.py, saq/worker.py,
# taskiq/cli/worker/run.py, discord/client.py (run, which its forks share).
RUNNERS = frozenset(
    {
        "aiogram", "aiorun", "arq", "celery", "daphne", "discord", "disnake", "docket", "dramatiq", "fastapi_cli",
        "faust", "granian", "gunicorn", "hikari", "home_assistant", "hypercorn", "kopf", "mode", "nextcord",
        "pyrogram", "quart", "sanic", "saq", "streaq", "taskiq", "telegram", "twisted", "uvicorn",
    }
)  # fmt: skip

# Functions that run a service and handle its signals, in packages that have other uses too.
# Sources: aiohttp/web.py (run_app), anyio/_core/_signals.py, the runtime of this project.
RUNNING = frozenset({"aiohttp.web.run_app", "asyncpatterns.run", "asyncpatterns.service.run"})

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
