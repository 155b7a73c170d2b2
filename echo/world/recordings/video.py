"""Frames of a video file by their number, exactly: PyAV, packets' time stamps, and seeking to the key frame before.

Containers' frame counts and rates are not relied on: a frame is known by its time stamp.
"""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from echo.world.recordings.index import RecordingError

SEEK_SECONDS = 2.0  # a wanted frame farther on than this is sought; a nearer one is reached by decoding


def _message(path: Path, video: str, error: Exception) -> RecordingError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return RecordingError(f"{path}: {video} is truncated or no video that can be decoded ({reason})")


def time_stamps(path: Path, video: str) -> tuple[np.ndarray, float, tuple[int, int]]:
    """Time stamps (F,) int64 of all frames in the order they are shown, seconds a unit of them, (height, width).

    Reads packets without decoding them. Raises RecordingError for a file that cannot be read.
    """
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stamps = {p.pts for p in container.demux(stream) if p.pts is not None and not p.is_discard}
            size = stream.codec_context.height, stream.codec_context.width
            return np.array(sorted(stamps), dtype=np.int64), float(stream.time_base), size
    except (av.FFmpegError, IndexError) as error:
        raise _message(path, video, error) from None


def read_at(path: Path, video: str, stamps: np.ndarray) -> np.ndarray:
    """Frames (F, H, W, 3) uint8 at the rising time stamps ``stamps``.

    Raises RecordingError for a file that cannot be decoded up to there.
    """
    wanted, images = [int(stamp) for stamp in stamps], []
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            while len(images) < len(wanted):
                before = len(images)
                # A file whose table of key frames is wrong is decoded from its start instead.
                for start in (wanted[before], stream.start_time or 0):
                    if len(images) == before:
                        container.seek(start, stream=stream, backward=True)
                        _decode(container, stream, wanted, images)
                if len(images) == before:
                    raise RecordingError(f"{path}: a frame of {video} cannot be decoded (time stamp {wanted[before]})")
    except (av.FFmpegError, IndexError) as error:
        raise _message(path, video, error) from None
    return np.stack(images)


def _decode(container, stream, wanted: list[int], images: list[np.ndarray]) -> None:
    """Decode on from where the container is, adding wanted frames, until the next one is best sought anew."""
    for frame in container.decode(stream):
        if frame.pts is None or frame.pts < wanted[len(images)]:
            continue
        if frame.pts > wanted[len(images)]:
            return
        images.append(frame.to_ndarray(format="rgb24"))
        if len(images) == len(wanted) or (wanted[len(images)] - frame.pts) * float(stream.time_base) > SEEK_SECONDS:
            return
