"""Pictures of one size in a numpy archive, as one WebP image each array: a third to a tenth of the arrays' own size.

All pictures of an array are tiles of one image. Lossless WebP gives every pixel back; with a quality, pixels differ a
little (35 to 40 dB at 90), and files are four times smaller again: for pictures to be looked at.
"""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
from einops import rearrange
from jaxtyping import UInt8
from PIL import Image

from echo.io.errors import UserError
from echo.io.files import atomic_path

SHAPE = "_shape"  # ends the name of the array that holds a packed array's shape
LARGEST = 16_383  # pixels along a side of a WebP image


class PicturesError(UserError):
    """Pictures that cannot be packed or read."""


def save_pictures(path: Path, quality: int | None = None, **arrays: np.ndarray) -> None:
    """Write arrays to a numpy archive, atomically; those of pictures (..., H, W, 3) uint8 as WebP.

    ``quality``: 0 to 100, or lossless. Raises PicturesError where the pictures do not fit into one image.
    """
    stored = {}
    for name, array in arrays.items():
        if array.dtype == np.uint8 and array.ndim >= 4 and array.shape[-1] == 3:
            stored[name], stored[name + SHAPE] = _packed(array, quality, path), np.array(array.shape)
        else:
            stored[name] = array
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, **stored)  # pyright: ignore[reportArgumentType] none is named allow_pickle


def load_pictures(path: Path) -> dict[str, np.ndarray]:
    """All arrays that ``save_pictures`` wrote, or that lie in an archive as they are."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    shapes = {name.removesuffix(SHAPE): arrays.pop(name) for name in list(arrays) if name.endswith(SHAPE)}
    for name, shape in shapes.items():
        arrays[name] = _unpacked(arrays[name], tuple(int(n) for n in shape), path)
    return arrays


def _columns(shape: tuple[int, ...]) -> int:
    return max(1, math.isqrt(math.prod(shape[:-3])))


def _packed(array: np.ndarray, quality: int | None, path: Path) -> UInt8[np.ndarray, " bytes"]:
    height, width = array.shape[-3:-1]
    tiles, columns = array.reshape(-1, height, width, 3), _columns(array.shape)
    lines = -(-len(tiles) // columns)
    if max(lines * height, columns * width) > LARGEST:
        raise PicturesError(f"{path}: {len(tiles)} pictures of {width} x {height} pixels do not fit into one image of "
                            f"{LARGEST} pixels a side; keep fewer cases")  # fmt: skip
    filled = np.concatenate([tiles, np.zeros((lines * columns - len(tiles), height, width, 3), np.uint8)])
    image = rearrange(filled, "(lines columns) h w c -> (lines h) (columns w) c", columns=columns)
    buffer = io.BytesIO()
    options = {"lossless": True} if quality is None else {"quality": quality}
    Image.fromarray(image).save(buffer, "WEBP", method=6, **options)
    return np.frombuffer(buffer.getvalue(), np.uint8)


def _unpacked(stored: UInt8[np.ndarray, " bytes"], shape: tuple[int, ...], path: Path) -> np.ndarray:
    height, width = shape[-3:-1]
    try:
        with Image.open(io.BytesIO(stored.tobytes()), formats=["WEBP"]) as image:
            pixels = np.asarray(image.convert("RGB"))
        tiles = rearrange(pixels, "(lines h) (columns w) c -> (lines columns) h w c", h=height, w=width)
        return tiles[: math.prod(shape[:-3])].reshape(shape)
    except (OSError, ValueError) as error:  # Pillow's, and of a shape that does not fit
        raise PicturesError(f"{path}: its pictures cannot be read ({error}); make the tables again") from None
