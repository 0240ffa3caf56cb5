"""What blocks whoever calls it, by kind, and of which type the things are that have such methods.

Each module has some of these tables, and here they are put together:

- `CALLS`: the qualified name of what is called → `Blocking`. Names are those that `Module.callee` gives.
- `NEVER`: methods that do not block although their class has a `*` in `CALLS`.
- `RETURNS`: what a call gives, by the called name (a call of a class gives that class, and needs no entry).
- `SAME`: other names of a type, and the one that the tables use.
- `ATTRIBUTES`: `"Type.attribute"` → its type; `"Type.*"` stands for every attribute, `"Type[]"` for every item, and
  `"Type()"` for what a call of such an object gives.

The standard library's part is checked against reality by `tests/test_knowledge_blocking.py`.
"""

from __future__ import annotations

from . import consoles, cpu, databases, files, network, primitives, sleeps, subprocesses
from .entry import WAITS_FOR, Argument, Blocking, Named

__all__ = ["ATTRIBUTES", "CALLS", "NEVER", "RETURNS", "SAME", "WAITS_FOR", "Argument", "Blocking", "Named"]

CALLS: dict[str, Blocking] = {
    **consoles.CALLS,
    **cpu.CALLS,
    **databases.CALLS,
    **files.CALLS,
    **network.CALLS,
    **primitives.CALLS,
    **sleeps.CALLS,
    **subprocesses.CALLS,
}
NEVER: frozenset[str] = databases.NEVER | files.NEVER | network.NEVER | primitives.NEVER | subprocesses.NEVER
RETURNS: dict[str, str] = {
    **databases.RETURNS,
    **cpu.RETURNS,
    **files.RETURNS,
    **network.RETURNS,
    **primitives.RETURNS,
    **subprocesses.RETURNS,
}
SAME: dict[str, str] = {**databases.SAME, **files.SAME, **network.SAME, **primitives.SAME, **subprocesses.SAME}
ATTRIBUTES: dict[str, str] = {
    **databases.ATTRIBUTES,
    **files.ATTRIBUTES,
    **network.ATTRIBUTES,
    **primitives.ATTRIBUTES,
    **subprocesses.ATTRIBUTES,
}
