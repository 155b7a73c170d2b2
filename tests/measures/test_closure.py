"""Closure compares the end of a way with its beginning, whatever is between them."""

import numpy as np
import pytest

from echo.measures.cases import CEILING
from echo.measures.closure import COLUMNS, closure


def grey(a, b):
    """A metric in place of LPIPS: the difference of mean levels."""
    return np.abs(a.mean((1, 2, 3)) - b.mean((1, 2, 3)))


def test_the_last_two_frames_are_compared_with_the_first():
    first = np.full((8, 8, 3), 100, np.uint8)
    frames = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3)).astype(np.uint8)
    frames[-2:] = np.array([104, 108])[:, None, None, None]
    found = closure(frames, first, grey)
    assert tuple(found) == COLUMNS
    assert found["first_lpips"] == pytest.approx(6)
    assert found["first_psnr"] == pytest.approx(np.mean([20 * np.log10(255 / 4), 20 * np.log10(255 / 8)]))
    frames[:-2] = 0
    assert closure(frames, first, grey) == found


def test_a_camera_that_never_leaves_closes_best():
    first = np.full((8, 8, 3), 100, np.uint8)
    assert closure(np.repeat(first[None], 6, 0), first, grey) == {"first_psnr": CEILING, "first_lpips": 0.0}
