"""Textures in memory: mip chains, and names that are not there."""

from __future__ import annotations

import numpy as np
import pytest

from echo.world.rooms.assets import AssetError
from echo.world.rooms.library import Library, mip_chain, mip_offsets, recoloured, texture_resolution


def test_each_level_averages_the_one_before():
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    chain, offsets = mip_chain(image), mip_offsets(8)
    assert offsets.tolist() == [0, 64, 80, 84, 85] and len(chain) == 85
    for level, side in enumerate((8, 4, 2, 1)):
        cell = 8 // side
        for y, x in np.ndindex(side, side):
            mean = image[y * cell : (y + 1) * cell, x * cell : (x + 1) * cell].mean((0, 1))
            np.testing.assert_allclose(chain[offsets[level] + y * side + x], mean, atol=0.51)


def test_names_that_are_not_there_and_odd_sizes_are_errors(library, assets, tmp_path):
    with pytest.raises(AssetError, match="no texture 'ghost'"):
        library.index("ghost")
    with pytest.raises(AssetError, match="no mesh 'ghost'"):
        library.mesh("ghost")
    with pytest.raises(AssetError, match="no asset pack"):
        Library(tmp_path, 256)
    with pytest.raises(ValueError, match="expected a power of two, got 100"):
        Library(assets, 100)
    assert (texture_resolution(64), texture_resolution(129)) == (256, 512)


def test_a_recoloured_texture_keeps_its_mean_brightness_and_turns_its_contrast_round():
    image = np.random.default_rng(0).integers(60, 200, (16, 16, 3)).astype(np.uint8)
    made = recoloured(image).astype(float)
    assert made.mean() == pytest.approx(image.mean(), abs=0.5)
    for channel in range(3):
        assert np.corrcoef(made[..., channel].ravel(), image[..., channel - 1].ravel())[0, 1] < -0.99
