"""What is in the things that hold other things, as annotations say it.

Source: "typing", "collections", "collections.abc" and "weakref" in the library reference, CPython 3.11-3.14.
"""

from __future__ import annotations

# Subscripted with the type of a key and of a value; iterating gives keys.
MAPPINGS = frozenset({
    "builtins.dict", "collections.ChainMap", "collections.OrderedDict", "collections.abc.Mapping",
    "collections.abc.MutableMapping", "collections.defaultdict", "typing.ChainMap", "typing.DefaultDict",
    "typing.Dict", "typing.Mapping", "typing.MutableMapping", "typing.OrderedDict", "weakref.WeakKeyDictionary",
    "weakref.WeakValueDictionary",
})  # fmt: skip

# Subscripted with the type of what is in them; an index gives that, too.
SEQUENCES = frozenset({
    "builtins.list", "collections.abc.MutableSequence", "collections.abc.Sequence", "collections.deque", "typing.Deque",
    "typing.List", "typing.MutableSequence", "typing.Sequence",
})  # fmt: skip
TUPLES = frozenset({"builtins.tuple", "typing.Tuple"})

# Subscripted first of all with the type of what iterating gives.
ITERABLES = frozenset({
    "builtins.frozenset", "builtins.set", "weakref.WeakSet",
    *(
        f"{module}.{name}"
        for module in ("typing", "collections.abc")
        for name in (
            "AbstractSet", "AsyncGenerator", "AsyncIterable", "AsyncIterator", "Collection", "FrozenSet", "Generator",
            "Iterable", "Iterator", "KeysView", "MutableSet", "Reversible", "Set",
        )
    ),
})  # fmt: skip

# Calls that give what their first argument has in it, all of it or one after the other.
SAME_ITEMS = frozenset({
    "builtins.filter", "builtins.frozenset", "builtins.iter", "builtins.list", "builtins.reversed", "builtins.set",
    "builtins.sorted", "builtins.tuple", "collections.deque", "copy.copy", "itertools.cycle", "itertools.islice",
})  # fmt: skip

# Methods of containers: what they give, or what of their arguments they put in.
GIVES_ITEM = frozenset({"__next__", "pop", "popleft"})
GIVES_VALUE = frozenset({"get", "pop", "setdefault"})
GIVES_SAME = frozenset({"copy", "difference", "intersection", "union"})
PUTS_IN = {"add": 0, "append": 0, "appendleft": 0, "insert": 1, "setdefault": 1}
PUTS_IN_UNKNOWN = frozenset({"extend", "extendleft", "update"})

# Built-in classes of single values.
VALUES = frozenset(f"builtins.{name}" for name in ("bool", "bytearray", "bytes", "complex", "float", "int", "str"))
