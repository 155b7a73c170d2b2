"""Writing figures and animations with reproducible bytes, in few of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from jaxtyping import UInt8
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from echo.figures import FigureError
from echo.io.files import atomic_path

GIF_COLOURS = 128
PNG_COLOURS, JPEG_QUALITY = 256, 85


def save(figure: Figure, out: Path, title: str = "", caption: str = "", source: str = "") -> None:
    """Write the figure atomically; equal figures give equal bytes (no date, no version).

    The file says what it shows and what drew it: ``title``, ``caption`` and ``source`` are in its metadata.
    A PNG has a palette, which takes a third of the bytes: lines and marks stay within a few levels of 255. Pictures do
    not survive that; they are JPEGs.
    """
    said = {"Title": title, "Description": caption, "Source": source}
    formats = {".pdf": {"CreationDate": None, "Producer": None, "Title": title, "Subject": caption, "Creator": source}}
    formats[".svg"] = {"Date": None, "Creator": source, "Title": title, "Description": caption}
    texts = PngInfo()
    for key, text in said.items():
        if text:
            texts.add_itxt(key, text)
    pixels: dict[str, dict[str, Any]] = {
        ".png": {"format": "PNG", "optimize": True, "pnginfo": texts},
        ".jpg": {
            "format": "JPEG",
            "optimize": True,
            "quality": JPEG_QUALITY,
            "subsampling": 0,
            "comment": "\n".join(filter(None, said.values())),
        },
    }
    if out.suffix not in (*pixels, *formats):
        allowed = ", ".join((*pixels, *formats))
        raise FigureError(f"{out}: cannot write {out.suffix or 'a file without suffix'}; use {allowed}")
    with atomic_path(out) as temporary, matplotlib.rc_context({"svg.hashsalt": "echo"}):
        if out.suffix in formats:
            figure.savefig(temporary, metadata=formats[out.suffix], facecolor="white")
            return
        image = Image.fromarray(pixels_of(figure))
        if out.suffix == ".png":
            image = image.quantize(PNG_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        image.save(temporary, **pixels[out.suffix])


def pixels_of(figure: Figure) -> UInt8[np.ndarray, "height width 3"]:
    """What the figure looks like on white, at its own resolution."""
    figure.set_facecolor("white")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def save_gif(pictures: Sequence[np.ndarray], out: Path, milliseconds: int, last: int) -> None:
    """Write pictures (H, W, 3) uint8 as a GIF that repeats, atomically, each for so long and the last ``last`` times.

    Each has its own palette, without dithering, which would triple the bytes.
    """
    frames = [
        Image.fromarray(picture).quantize(GIF_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        for picture in pictures
    ]
    durations = [milliseconds] * (len(frames) - 1) + [last * milliseconds]
    with atomic_path(out) as temporary:
        frames[0].save(
            temporary, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0, optimize=False
        )
