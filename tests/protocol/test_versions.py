"""Versions: of every library, and of the code that decides a number."""

from __future__ import annotations

from echo.protocol.versions import LIBRARIES, versions


def test_code_is_known_by_a_digest_of_what_it_does():
    one, other = versions("echo.protocol.steps"), versions("echo.protocol.cameras")
    assert set(one["libraries"]) == set(LIBRARIES) and one["libraries"]["numpy"]
    assert len(one["code"]) == 16 and one["code"] != other["code"] and "code" not in versions()
