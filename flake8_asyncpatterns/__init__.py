"""Finds asyncio mistakes and mends them: a flake8 plugin and the command `asyncfix`."""
