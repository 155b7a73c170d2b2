"""Errors of pools and recordings are meant for users, and a recording's is a pool's."""

from echo.io.errors import UserError
from echo.world.errors import PoolError, RecordingError


def test_who_reads_pools_catches_both_with_one_name():
    assert issubclass(RecordingError, PoolError) and issubclass(PoolError, UserError)
