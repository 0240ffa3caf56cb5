"""Tuples whose items have names: to readers and type checkers `typing.NamedTuple`, made in half the time.

That one compiles every annotation to look at it, and a small file takes seventy of these classes. Here nobody looks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple  # noqa: TID251  # in whose place all others take this one
else:
    from collections import namedtuple

    class _Making(type):
        def __new__(cls, name, bases, body):
            fields = body.get("__annotations__", {})
            defaults = [body[field] for field in fields if field in body]
            made = namedtuple(name, fields, defaults=defaults, module=body["__module__"])
            for key in body.keys() - fields.keys():
                setattr(made, key, body[key])
            return made

    NamedTuple = type.__new__(_Making, "NamedTuple", (), {})
