"""One module per rule; `RULES` holds every Rule found in them, by code."""

import importlib
import pkgutil

from ..rule import Rule

MODULES = [importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]
RULES = {value.code: value for module in MODULES for value in vars(module).values() if isinstance(value, Rule)}
