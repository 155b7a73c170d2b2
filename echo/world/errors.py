"""Errors of pools and recordings: one line that names the file, what it should hold, and the video it belongs to."""

from __future__ import annotations

from echo.io.errors import UserError


class PoolError(UserError):
    """Something of a pool is missing or malformed."""


class RecordingError(PoolError):
    """Something of a recording is missing or malformed."""
