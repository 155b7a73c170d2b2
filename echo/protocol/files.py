"""Frames as files, PNG by number, for what is written here; what others wrote: ``answers``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image

from echo.io.files import atomic_path
from echo.protocol.words import FRAME

Frames = UInt8[np.ndarray, "frames height width 3"]
COMPRESSION = 3  # of PNG: larger levels take several times as long for a few per cent


def write_frames(folder: Path, frames: Frames, numbers: Iterable[int]) -> None:
    """One PNG per frame, named by its number."""
    folder.mkdir(parents=True, exist_ok=True)
    for frame, number in zip(frames, numbers, strict=True):
        Image.fromarray(frame).save(folder / FRAME.format(number), "PNG", compress_level=COMPRESSION)


def write_mask(path: Path, mask: Bool[np.ndarray, "height width"]) -> None:
    """A mask as a PNG of two colours, white inside."""
    with atomic_path(path) as temporary:
        Image.fromarray(mask.astype(np.uint8) * 255).convert("1").save(temporary, "PNG")
