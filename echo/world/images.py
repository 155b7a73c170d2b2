"""Image files of frames: PNG and JPEG, their declared size checked before they are decoded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from echo.world.errors import PoolError
from echo.world.untrusted import check_pixels, first_line

FORMATS = ("PNG", "JPEG")  # PIL would open many more, whatever a file's name says


@contextmanager
def _opened(path: Path, video: str) -> Iterator[Image.Image]:
    """A file's image, not yet decoded; whatever PIL raises becomes a PoolError of one line."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            check_pixels(image.width, image.height, f"{path}: frame of {video}")
            yield image
    # PIL raises SyntaxError for a broken PNG chunk, and an error of its own for a file of very many pixels.
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise PoolError(f"{path}: frame of {video} cannot be read ({first_line(error)})") from None


def image_size(path: Path, video: str) -> tuple[int, int]:
    """Pixels (height, width) of an image file, from its header; raises PoolError for a damaged one."""
    with _opened(path, video) as image:
        return image.height, image.width


def read_image(path: Path, video: str) -> UInt8[np.ndarray, "height width 3"]:
    """One image file; raises PoolError for one that is damaged or too large."""
    with _opened(path, video) as image:
        return np.asarray(image.convert("RGB"))


def read_images(paths: list[Path], video: str) -> UInt8[np.ndarray, "frames height width 3"]:
    """Image files of one video; raises PoolError for a damaged one or one of another size than the first."""
    images = [read_image(path, video) for path in paths]
    for path, image in zip(paths, images, strict=True):
        if image.shape != images[0].shape:
            sizes = [f"{shape[1]} x {shape[0]}" for shape in (image.shape, images[0].shape)]
            raise PoolError(f"{path}: frame of {video} has {sizes[0]} pixels, {paths[0].name} has {sizes[1]}")
    return np.stack(images)
