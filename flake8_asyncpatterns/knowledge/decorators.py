"""What decorators leave as it is."""

from __future__ import annotations

# A function under them returns what it would return without.
# Sources: "Built-in Functions" and "typing" in the library reference, CPython 3.11-3.14.
SAME_RESULT = frozenset(
    {"builtins.classmethod", "builtins.staticmethod", "typing.override", "typing_extensions.override"}
)
