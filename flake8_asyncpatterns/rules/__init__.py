"""One module per rule; `RULES` holds every Rule found in them, by code."""

import os
from pathlib import Path

from ..cache import Store
from ..catalogue import Rules

# (What Python's own library has for this would import far more than it saves.)
NAMES = sorted(file.removesuffix(".py") for file in os.listdir(__path__[0]) if file.startswith("aio"))  # noqa: PTH208
BYTE_CODE = __spec__.cached
RULES = Rules(
    [f"{__name__}.{name}" for name in NAMES if "." not in name],
    Store(Path(BYTE_CODE).parent) if BYTE_CODE is not None else None,
)
