"""Strips: what each row made of one picture, line by line: the first frame, the farthest and the returned one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from echo.io.files import atomic_path

HEIGHT = 128  # pixels of a frame: smaller ones are enlarged by a whole factor, larger ones reduced
LABEL_WIDTH, HEAD_HEIGHT, GAP, LETTERS = 190, 22, 4, 14
HEADS = ("first frame", "farthest frame", "returned frame")
QUALITY = 90  # of JPEG: pictures to be looked at

Frame = UInt8[np.ndarray, "height width 3"]


def save_strips(lines: Mapping[str, tuple[Frame, Frame, Frame]], path: Path) -> None:
    """Write a picture with a line for each label of ``lines``: its three frames, all of one size."""
    height, width = _shown(next(iter(lines.values()))[0]).shape[:2]
    page = Image.new("RGB", (LABEL_WIDTH + 3 * (width + GAP), HEAD_HEIGHT + len(lines) * (height + GAP)), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(LETTERS)
    for column, head in enumerate(HEADS):
        draw.text((LABEL_WIDTH + column * (width + GAP), 2), head, "black", font)
    for number, (label, frames) in enumerate(lines.items()):
        top = HEAD_HEIGHT + number * (height + GAP)
        draw.text((GAP, top + (height - LETTERS) // 2), label, "black", font)
        for column, frame in enumerate(frames):
            page.paste(Image.fromarray(_shown(frame)), (LABEL_WIDTH + column * (width + GAP), top))
    with atomic_path(path) as temporary:
        page.save(temporary, quality=QUALITY)


def _shown(frame: Frame) -> Frame:
    """A frame of about ``HEIGHT`` pixels: its own pixels enlarged, so that nothing is smoothed, or reduced."""
    height, width = frame.shape[:2]
    if height <= HEIGHT:
        factor = HEIGHT // height
        return frame.repeat(factor, 0).repeat(factor, 1)
    size = (math.ceil(width * HEIGHT / height), HEIGHT)
    return np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.LANCZOS))
