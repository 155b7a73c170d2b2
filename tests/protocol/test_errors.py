"""Errors of the protocol are for users."""

from echo.io.errors import UserError
from echo.protocol.errors import ProtocolError


def test_it_is_shown_as_one_line():
    assert issubclass(ProtocolError, UserError)
