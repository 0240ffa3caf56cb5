"""What decorators leave as it is."""

from __future__ import annotations

# A function under them returns what it would return without.
# Sources: "Built-in Functions" and "typing" in the library reference, CPython 3.11-3.14.
SAME_RESULT = frozenset(
    {"builtins.classmethod", "builtins.staticmethod", "typing.override", "typing_extensions.override"}
)

# A method under them is there to be overridden. Source: "abc" in the library reference.
ABSTRACT = frozenset({"abc.abstractmethod"})

# A generator under them is a context manager that gives what is yielded. Source: "contextlib" in the library reference.
CONTEXT_MANAGERS = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})

# A class under them is the class that was written. Sources: "dataclasses", "functools", "typing" and "enum" in the
# library reference; the documentation of attrs.
KEEPS_CLASS = frozenset({
    "dataclasses.dataclass", "functools.total_ordering", "typing.final", "typing.runtime_checkable",
    "typing_extensions.final", "typing_extensions.runtime_checkable", "attr.s", "attr.attrs", "attr.define",
    "attr.dataclass", "attrs.define", "attrs.frozen", "attrs.mutable",
})  # fmt: skip

# A method under them runs when the attribute is read.
PROPERTIES = frozenset({"builtins.property", "functools.cached_property"})

# A function under them still runs when it is called, on the caller's thread, though perhaps not every time or more than
# once. Sources: "functools" in the library reference; the documentation of tenacity, backoff, cachetools and retrying.
RUNS_AT_ONCE = SAME_RESULT | {
    "functools.lru_cache", "functools.cache", "typing.final", "typing.no_type_check",
    "typing_extensions.final", "typing_extensions.deprecated", "warnings.deprecated", "tenacity.retry",
    "backoff.on_exception", "backoff.on_predicate", "cachetools.cached", "cachetools.cachedmethod", "retrying.retry",
}  # fmt: skip
