"""Errors of the protocol that a user can mend: one line, which begins with the case or the file that it is about."""

from __future__ import annotations

from echo.io.errors import UserError


class ProtocolError(UserError):
    """A case set, an answer or a result that cannot be used."""
