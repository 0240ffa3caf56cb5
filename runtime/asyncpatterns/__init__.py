"""Correct asyncio building blocks."""
