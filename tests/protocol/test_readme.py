"""The page in a set says what this set is."""

from __future__ import annotations

from echo.protocol.readme import render


def test_it_has_the_sets_own_numbers(exported):
    text = render(exported[1])
    assert text.startswith("# Echo-1: 4 cases, frames of 48 x 64 pixels")
    assert "| `revisit_near`: beside a view from the middle of the way | 2 | 25 | 17 | 8 |" in text
    assert "`return_45_000/00001.png` is the first one" in text and "{" not in text
