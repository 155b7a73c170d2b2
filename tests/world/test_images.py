"""Images: PNG and JPEG in any mode, sizes from headers, and nothing decoded that is too large."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from echo.world import untrusted
from echo.world.errors import PoolError
from echo.world.images import image_size, read_image, read_images


@pytest.mark.parametrize(
    ("mode", "suffix"), [("RGB", "png"), ("RGBA", "png"), ("P", "png"), ("L", "png"), ("L", "jpg")]
)
def test_every_mode_becomes_rgb(tmp_path, mode, suffix):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(np.full((3, 5, 3), 40, np.uint8)).convert(mode).save(path)
    image = read_image(path, "a")
    assert image.shape == (3, 5, 3) and image.dtype == np.uint8 and (np.abs(image.astype(int) - 40) <= 2).all()
    assert image_size(path, "a") == (3, 5)


def test_other_formats_are_refused_whatever_they_are_called(tmp_path):
    Image.fromarray(np.zeros((3, 5, 3), np.uint8)).save(tmp_path / "a.png", format="TIFF")
    with pytest.raises(PoolError, match="a.png: frame of v cannot be read"):
        read_image(tmp_path / "a.png", "v")


def test_the_declared_size_is_checked_before_anything_is_decoded(tmp_path, monkeypatch):
    Image.fromarray(np.zeros((30, 50, 3), np.uint8)).save(tmp_path / "a.png")
    monkeypatch.setattr(untrusted, "MAX_PIXELS", 1499)
    monkeypatch.setattr(Image.Image, "convert", lambda *_: pytest.fail("decoded"))
    with pytest.raises(PoolError, match="a.png: frame of v declares 50 x 30 pixels; .* at most 1,499 in all"):
        read_images([tmp_path / "a.png"], "v")
