"""SSIM and LPIPS inside a mask: against the whole-frame measures, and against a frame that is spoilt on one side."""

from __future__ import annotations

import numpy as np
import pytest

from echo.measures.images import ssim
from echo.measures.lpips import Lpips
from echo.measures.regions import LpipsMaps, inside, ssim_maps


@pytest.fixture(scope="module")
def pair(photos):
    """A photograph, and the same with noise on its right half."""
    one = photos["chelsea"][None]
    other = one.copy()
    noise = np.random.default_rng(0).integers(0, 256, (1, 64, 32, 3))
    other[:, :, 32:] = noise
    return one, other


def test_maps_average_to_about_what_is_published(pair, weights):
    one, other = pair
    middle = ssim_maps(one, other)[:, 3:-3, 3:-3]
    assert np.allclose(middle.mean((1, 2)), ssim(one, other), atol=1e-12)  # the border is what scikit-image leaves out
    maps = LpipsMaps(weights)(one, other)
    assert maps.shape == (1, 64, 64) and np.allclose(maps.mean(), Lpips(weights)(one, other), rtol=0.15)
    assert not LpipsMaps(weights)(one, one).any()


def test_the_spoilt_side_is_told_from_the_other(pair, weights):
    masks = np.zeros((1, 64, 64), bool)
    masks[:, :, :24] = True
    similar, apart = ssim_maps(*pair), LpipsMaps(weights)(*pair)
    assert inside(similar, masks) > 0.99 and inside(similar, ~masks) < 0.4
    assert inside(apart, ~masks) > 2 * inside(apart, masks)


def test_a_class_of_too_few_pixels_is_missing():
    maps, masks = np.ones((2, 10, 10)), np.zeros((2, 10, 10), bool)
    masks[0, 0, 0] = True
    assert np.isnan(inside(maps, masks))
    masks[1, 0, :2] = True
    assert inside(maps, masks) == 1
