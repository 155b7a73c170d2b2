"""Frames as files: PNG by number, mp4 beside them. Both for what is written here; what others wrote: ``answers``."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image

from echo.io.files import atomic_path
from echo.protocol.words import FRAME

Frames = UInt8[np.ndarray, "frames height width 3"]
COMPRESSION = 3  # of PNG: larger levels take several times as long for a few per cent
QUALITY = "14"  # x264's constant rate factor: losses that are hard to see


def write_frames(folder: Path, frames: Frames, numbers: Iterable[int]) -> None:
    """One PNG per frame, named by its number."""
    folder.mkdir(parents=True, exist_ok=True)
    for frame, number in zip(frames, numbers, strict=True):
        Image.fromarray(frame).save(folder / FRAME.format(number), "PNG", compress_level=COMPRESSION)


def write_mask(path: Path, mask: Bool[np.ndarray, "height width"]) -> None:
    """A mask as a PNG of two colours, white inside."""
    with atomic_path(path) as temporary:
        Image.fromarray(mask.astype(np.uint8) * 255).convert("1").save(temporary, "PNG")


def write_video(path: Path, frames: Frames, rate: float) -> None:
    """An H.264 mp4 (4:2:0, so sides must be even), atomically."""
    with atomic_path(path) as temporary:
        with av.open(str(temporary), "w") as container:
            stream = container.add_stream("libx264", rate=Fraction(rate).limit_denominator(1000))
            stream.height, stream.width = frames.shape[1:3]
            stream.pix_fmt, stream.options = "yuv420p", {"crf": QUALITY, "preset": "veryfast"}
            stream.codec_context.thread_count = 1
            for frame in frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode())
