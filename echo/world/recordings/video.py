"""Frames of a video file by their number, exactly: PyAV, packets' time stamps, and seeking to the key frame before.

Containers' frame counts and rates are not relied on: a frame is known by its time stamp.
"""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from jaxtyping import Int64, UInt8

from echo.world.errors import RecordingError
from echo.world.untrusted import MAX_FRAMES, MAX_PIXELS, check_pixels, first_line

SEEK_SECONDS = 2.0  # a wanted frame farther on than this is sought; a nearer one is reached by decoding
# FFmpeg takes a file for what its content looks like. Playlists (HLS, concat) would make it open other files.
CONTAINERS = {"format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi", "protocol_whitelist": "file"}


def _damaged(path: Path, video: str, error: Exception) -> RecordingError:
    """The error of a file that FFmpeg cannot read."""
    return RecordingError(f"{path}: {video} is truncated or no video that can be decoded ({first_line(error)})")


def _open(path: Path) -> InputContainer:
    """The container of a video file, as a local file whatever its name looks like."""
    return av.open(f"file:{path}", options=CONTAINERS)


def _stream(container: InputContainer, path: Path, video: str) -> VideoStream:
    """The first video stream, its declared size checked; the decoder itself refuses larger frames."""
    stream = container.streams.video[0]
    check_pixels(stream.codec_context.width, stream.codec_context.height, f"{path}: {video}")
    stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    return stream


def time_stamps(path: Path, video: str) -> tuple[Int64[np.ndarray, " frames"], float, tuple[int, int]]:
    """Time stamps of all frames in the order they are shown, their unit in seconds, and (height, width).

    Reads packets without decoding them. Raises RecordingError for a file that cannot be read, and PoolError for one
    whose frames are too large.
    """
    try:
        with _open(path) as container:
            stream = _stream(container, path, video)
            stamps = {p.pts for p in container.demux(stream) if p.pts is not None and not p.is_discard}
            if len(stamps) > MAX_FRAMES or stream.time_base is None:
                raise RecordingError(f"{path}: {video} has {len(stamps):,} frames; expected at most {MAX_FRAMES:,}")
            size = stream.codec_context.height, stream.codec_context.width
            return np.array(sorted(stamps), dtype=np.int64), float(stream.time_base), size
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise _damaged(path, video, error) from None


def read_at(path: Path, video: str, stamps: Int64[np.ndarray, " frames"]) -> UInt8[np.ndarray, "frames height width 3"]:
    """Frames at the rising time stamps ``stamps``.

    Raises RecordingError for a file that cannot be decoded up to there, or whose frames differ in size.
    """
    wanted, images = [int(stamp) for stamp in stamps], []
    try:
        with _open(path) as container:
            stream = _stream(container, path, video)
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
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise _damaged(path, video, error) from None
    if len({image.shape for image in images}) > 1:
        raise RecordingError(f"{path}: frames of {video} differ in size")
    return np.stack(images)


def _decode(container: InputContainer, stream: VideoStream, wanted: list[int], images: list[np.ndarray]) -> None:
    """Decode on from where the container is, adding wanted frames, until the next one is best sought anew."""
    for frame in container.decode(stream):
        if frame.pts is None or frame.pts < wanted[len(images)]:
            continue
        if frame.pts > wanted[len(images)]:
            return
        images.append(frame.to_ndarray(format="rgb24"))
        if len(images) == len(wanted) or (wanted[len(images)] - frame.pts) * float(stream.time_base) > SEEK_SECONDS:
            return
