"""Videos of a few cases of each branch: the true frames and what rows draw, side by side, frame after frame.

Nobody picks the cases: they are the first ones of the branch, as in the figures of rollouts. Of the frames that a row
is given a few are shown, evenly spaced; then all that it generates, with its mean PSNR so far.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

import numpy as np
from jaxtyping import Float64, UInt8
from PIL import Image, ImageDraw, ImageFont

from echo.figures import FigureError
from echo.figures.saving import save_gif
from echo.io.video import write_video
from echo.measures.images import psnr

GIVEN = 12  # of the given frames, at most
SMALLEST, LARGEST = 128, 240  # height of a shown frame, in pixels: whole multiples of small ones
RATE = 5.0  # frames a second: slow enough to look from one line to another
LAST = 5  # times that the last frame is shown
MP4_QUALITY = 28  # half the bytes of 20
TEXT, SMALL, LETTERS = 13, 11, 17  # letters' size in pixels, and how many a label's line has
LEFT, TOP, FOOT, GAP = 132, 40, 16, 4  # room for labels, the title, a line under each frame, and between frames

Frames = UInt8[np.ndarray, "cases moments height width 3"]


@dataclass(frozen=True)
class Shown:
    """What a video shows: true frames, and each row's under its label, of the same cases at the same moments.

    numbers: of the frames in the trajectory; generated: how many of the last ones a row generates.
    """

    title: str
    numbers: list[int]
    generated: int
    truth: Frames
    rows: Mapping[str, Frames]


def moments(given: range, generated: range) -> tuple[list[int], int]:
    """The numbers of the frames that a video shows, and how many of the last ones are generated: all of them."""
    chosen = np.unique(np.linspace(given[0], given[-1], min(GIVEN, len(given))).round().astype(int))
    return [*chosen.tolist(), *generated], len(generated)


def so_far(shown: Shown, row: str) -> Float64[np.ndarray, "cases generated"]:
    """A row's mean PSNR over its generated frames up to each one, in dB."""
    start = len(shown.numbers) - shown.generated
    pairs = zip(shown.rows[row][:, start:], shown.truth[:, start:], strict=True)
    each = np.stack([psnr(one, true) for one, true in pairs])
    return np.cumsum(each, 1) / np.arange(1, shown.generated + 1)


def drawn(shown: Shown) -> UInt8[np.ndarray, "moments height width 3"]:
    """The video's pictures: a line for the truth and one for each row, a column for each case."""
    cases, _, height, width = shown.truth.shape[:4]
    side = side_of(height)
    size = round(width * side / height), side
    text, small = ImageFont.load_default(TEXT), ImageFont.load_default(SMALL)
    lines = {"true": shown.truth, **shown.rows}
    scores = {row: so_far(shown, row) for row in shown.rows}
    start = len(shown.numbers) - shown.generated
    whole = LEFT + cases * (size[0] + GAP), TOP + len(lines) * (side + FOOT)
    pictures = []
    for moment, number in enumerate(shown.numbers):
        picture = Image.new("RGB", (whole[0] + whole[0] % 2, whole[1] + whole[1] % 2), "white")
        pen = ImageDraw.Draw(picture)
        doing = "given" if moment < start else "generated"
        pen.text((8, 6), shown.title, "black", text)
        pen.text((8, 22), f"frame {number} of {shown.numbers[-1]}, {doing}", "#4d4d4d", small)
        for line, (label, frames) in enumerate(lines.items()):
            top = TOP + line * (side + FOOT)
            pen.text((8, top + side // 2), "\n".join(wrap(label, LETTERS)), "black", text, anchor="lm")
            for case in range(cases):
                left = LEFT + case * (size[0] + GAP)
                picture.paste(_resized(frames[case, moment], size), (left, top))
                if label in scores and moment >= start:
                    pen.text(
                        (left, top + side), f"{_decibels(scores[label][case, moment - start])} so far", "black", small
                    )
        pictures.append(np.asarray(picture))
    return np.stack(pictures)


def write(shown: Shown, mp4: Path, gif: Path) -> None:
    """Write both files, atomically. Raises FigureError for rows of other shapes than the truth."""
    for row, frames in shown.rows.items():
        if frames.shape != shown.truth.shape:
            raise FigureError(f"{row}: expected frames of shape {shown.truth.shape}, got {frames.shape}")
    pictures = drawn(shown)
    write_video(mp4, np.concatenate([pictures, np.repeat(pictures[-1:], LAST - 1, 0)]), RATE, MP4_QUALITY)
    save_gif(list(pictures), gif, round(1000 / RATE), LAST)


def side_of(height: int) -> int:
    """How high frames of ``height`` pixels are shown."""
    return min(height * max(1, SMALLEST // height), LARGEST)


def _resized(frame: UInt8[np.ndarray, "height width 3"], size: tuple[int, int]) -> Image.Image:
    """Small frames keep their pixels to be seen; large ones are smoothed."""
    way = Image.Resampling.LANCZOS if frame.shape[0] > size[1] else Image.Resampling.NEAREST
    return Image.fromarray(frame).resize(size, way)


def _decibels(value: float) -> str:
    return f"{value:.1f} dB" if np.isfinite(value) else "identical"
