"""One module per rule; `RULES` holds every Rule found in them, by code."""

import importlib
import os

from ..rule import Rule

# (What Python's own library has for this would import far more than it saves.)
NAMES = sorted(file.removesuffix(".py") for file in os.listdir(__path__[0]) if file.startswith("aio"))  # noqa: PTH208
MODULES = [importlib.import_module(f"{__name__}.{name}") for name in NAMES if "." not in name]
RULES = {value.code: value for module in MODULES for value in vars(module).values() if isinstance(value, Rule)}
