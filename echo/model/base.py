"""The base: the row without memory that all rows start from."""

from __future__ import annotations

from echo.memory.context import memory as family  # built by its name; imported so that its code counts
from echo.memory.context.settings import Settings

BASE = Settings(name="base", family="context", label="Base", frames=1)

__all__ = ["BASE", "family"]
