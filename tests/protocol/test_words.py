"""Echo-1's constants: what no later commit may change."""

from __future__ import annotations

import pytest

from echo.protocol import words


def test_echo_1_is_what_it_is():
    assert (words.SEED, words.FRAMES, words.RATE, words.FIELD_OF_VIEW) == (1_260_609_803, 8, 8.0, 75.0)
    assert words.IN_ECHO_1 == ("return_45", "revisit_near", "revisit_far", "return_far_8", "return_far_16", "replay")
    assert words.parse_size("352x640") == (352, 640) and words.branch_of("replay").measure == "frame"
    with pytest.raises(ValueError, match="'128': expected one of 64, 256, 352x640, 480x832"):
        words.parse_size("128")
