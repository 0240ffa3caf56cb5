"""What decorators leave as it is."""

from __future__ import annotations

# A function under them returns what it would return without.
# Sources: "Built-in Functions" and "typing" in the library reference, CPython 3.11-3.14.
SAME_RESULT = frozenset(
    {"builtins.classmethod", "builtins.staticmethod", "typing.override", "typing_extensions.override"}
)

# A generator under them is a context manager that gives what is yielded. Source: "contextlib" in the library reference.
CONTEXT_MANAGERS = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})

# A class under them is the class that was written. Sources: "dataclasses", "functools", "typing" and "enum" in the
# library reference; the documentation of attrs.
KEEPS_CLASS = frozenset({
    "dataclasses.dataclass", "functools.total_ordering", "typing.final", "typing.runtime_checkable",
    "typing_extensions.final", "typing_extensions.runtime_checkable", "attr.s", "attr.attrs", "attr.define",
    "attr.dataclass", "attrs.define", "attrs.frozen", "attrs.mutable",
})  # fmt: skip
