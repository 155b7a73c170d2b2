"""Writing figures and animations with reproducible bytes, in few of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from echo.figures import FigureError
from echo.io.files import atomic_path

GIF_COLOURS, GIF_MILLISECONDS = 128, 500


def save(figure: Figure, out: Path) -> None:
    """Write the figure atomically; equal figures give equal bytes (no date, no version)."""
    formats = {".png": {"Software": None}, ".pdf": {"CreationDate": None, "Producer": None, "Creator": None}}
    formats[".svg"] = {"Date": None, "Creator": None}
    if out.suffix not in formats:
        raise FigureError(f"{out}: cannot write {out.suffix or 'a file without suffix'}; use {', '.join(formats)}")
    with atomic_path(out) as temporary, matplotlib.rc_context({"svg.hashsalt": "echo"}):
        options: dict[str, Any] = {"pil_kwargs": {"optimize": True}} if out.suffix == ".png" else {}
        figure.savefig(temporary, metadata=formats[out.suffix], dpi=figure.dpi, facecolor="white", **options)


def save_gif(pictures: Sequence[np.ndarray], out: Path) -> None:
    """Write pictures (H, W, 3) uint8 as a GIF that repeats, atomically; the last one stays longer.

    Each has its own palette, without dithering, which would triple the bytes.
    """
    frames = [
        Image.fromarray(picture).quantize(GIF_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        for picture in pictures
    ]
    durations = [GIF_MILLISECONDS] * (len(frames) - 1) + [3 * GIF_MILLISECONDS]
    with atomic_path(out) as temporary:
        frames[0].save(
            temporary, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0, optimize=False
        )
