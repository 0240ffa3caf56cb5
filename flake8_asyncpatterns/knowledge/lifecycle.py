"""By what names things are set up and torn down. Used only to stay silent where nothing else runs yet, or any more.

Sources: the data model in the language reference; unittest, pytest, ASGI's lifespan; what released packages call it.
"""

from __future__ import annotations

OPENING_METHODS = frozenset({
    "__aenter__", "__init__", "__new__", "__post_init__", "asyncSetUp", "connection_made", "lifespan", "setUp",
})  # fmt: skip
CLOSING_METHODS = frozenset({"__aexit__", "__del__", "asyncTearDown", "tearDown"})

# The first word of a name, after these.
PREFIXES = frozenset({"", "a", "async", "do", "ensure", "on", "set", "tear", "will"})
OPENING_VERBS = frozenset({
    "build", "configure", "create", "init", "initialise", "initialize", "launch", "load", "open", "prepare", "register",
    "restore", "setup", "start", "started", "starting", "startup", "up",
})  # fmt: skip
CLOSING_VERBS = frozenset({
    "aclose", "cleanup", "close", "closed", "closing", "destroy", "dispose", "down", "exit", "finalize", "shutdown",
    "stop", "stopped", "stopping", "teardown", "terminate", "unload",
})  # fmt: skip
