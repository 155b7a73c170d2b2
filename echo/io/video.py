"""Frames as a video that any browser plays."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from jaxtyping import UInt8

from echo.io.files import atomic_path

QUALITY = 14  # x264's constant rate factor: losses that are hard to see


def write_video(
    path: Path, frames: UInt8[np.ndarray, "frames height width 3"], rate: float, quality: int = QUALITY
) -> None:
    """An H.264 mp4 (4:2:0, so sides must be even) of ``rate`` frames a second, atomically; equal frames, equal bytes.

    quality: x264's constant rate factor, 0 (lossless) to 51.
    """
    with atomic_path(path) as temporary:
        with av.open(str(temporary), "w", options={"fflags": "+bitexact"}) as container:  # without the time of day
            stream = container.add_stream("libx264", rate=Fraction(rate).limit_denominator(1000))
            stream.height, stream.width = frames.shape[1:3]
            stream.pix_fmt, stream.options = "yuv420p", {"crf": str(quality), "preset": "veryfast"}
            stream.codec_context.thread_count = 1
            for frame in frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode())
