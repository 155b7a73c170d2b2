"""Frames of a video file by their number, exactly: PyAV, packets' time stamps, and seeking to the key frame before.

Containers' frame counts and rates are not relied on: a frame is known by its time stamp. Frames are upright: a rotation
that the file asks players for, as telephones write it, is done. Pixels that are not square are refused.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from jaxtyping import Int64, UInt8

from echo.world.errors import RecordingError
from echo.world.untrusted import MAX_FRAMES, MAX_PIXELS, check_pixels, first_line

SEEK_SECONDS = 2.0  # a wanted frame farther on than this is sought; a nearer one is reached by decoding
# FFmpeg takes a file for what its content looks like. Playlists (HLS, concat) would make it open other files.
CONTAINERS = {"format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts", "protocol_whitelist": "file"}


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
    stream.thread_type = "AUTO"
    return stream


def _check_square(stream: VideoStream, path: Path, video: str) -> None:
    """Raise RecordingError for a video whose pixels are declared wider or taller than square ones."""
    ratio = stream.sample_aspect_ratio
    if ratio and ratio != 1:
        raise RecordingError(
            f"{path}: {video} has pixels of {ratio.numerator}:{ratio.denominator}, expected square ones; convert it: "
            "ffmpeg -i OLD -vf scale=iw*sar:ih,setsar=1 NEW"
        )


def _quarter_turns(frame: VideoFrame, name: str) -> int:
    """Counter-clockwise quarter turns that make a decoded frame upright; raises RecordingError for any other angle."""
    turns, rest = divmod(frame.rotation, 90)
    if rest:
        raise RecordingError(f"{name} is to be shown turned by {frame.rotation} degrees; expected quarter turns")
    return int(turns) % 4


def time_stamps(path: Path, video: str) -> tuple[Int64[np.ndarray, " frames"], float, tuple[int, int]]:
    """Time stamps of all frames in the order they are shown, their unit in seconds, and (height, width) upright.

    Reads packets, and decodes one frame for its rotation. Raises RecordingError for a file that cannot be read or
    whose pixels are not square, and PoolError for one whose frames are too large.
    """
    try:
        with _open(path) as container:
            stream = _stream(container, path, video)
            _check_square(stream, path, video)
            stamps = {p.pts for p in container.demux(stream) if p.pts is not None and not p.is_discard}
            if len(stamps) > MAX_FRAMES or stream.time_base is None:
                raise RecordingError(f"{path}: {video} has {len(stamps):,} frames; expected at most {MAX_FRAMES:,}")
            size, unit = (stream.codec_context.height, stream.codec_context.width), float(stream.time_base)
        if _first_turns(path, video) % 2:
            size = size[1], size[0]
        return np.array(sorted(stamps), dtype=np.int64), unit, size
    except (FFmpegError, IndexError, ValueError) as error:
        raise _damaged(path, video, error) from None


def _first_turns(path: Path, video: str) -> int:
    """Quarter turns of the first frame; 0 where it cannot be decoded, which is told when it is asked for."""
    with _open(path) as container, suppress(FFmpegError):
        frame = next(container.decode(_stream(container, path, video)), None)
        return 0 if frame is None else _quarter_turns(frame, f"{path}: {video}")
    return 0


def read_at(path: Path, video: str, stamps: Int64[np.ndarray, " frames"]) -> UInt8[np.ndarray, "frames height width 3"]:
    """Frames at the rising time stamps ``stamps``.

    Raises RecordingError for a file that cannot be decoded up to there, or whose frames differ in size.
    """
    wanted, images = [int(stamp) for stamp in stamps], []
    try:
        with _open(path) as container:
            stream = _stream(container, path, video)
            while len(images) < len(wanted):
                before = len(images)
                container.seek(wanted[before], stream=stream, backward=True)
                _decode(container, stream, wanted, images, f"{path}: {video}")
                if len(images) == before:
                    # A file without a table of key frames (MPEG-TS), or with a wrong one, is decoded from its start.
                    with _open(path) as again:
                        _decode(again, _stream(again, path, video), wanted, images, f"{path}: {video}")
                if len(images) == before:
                    raise RecordingError(f"{path}: a frame of {video} cannot be decoded (time stamp {wanted[before]})")
    except (FFmpegError, IndexError, ValueError) as error:
        raise _damaged(path, video, error) from None
    if len({image.shape for image in images}) > 1:
        raise RecordingError(f"{path}: frames of {video} differ in size")
    return np.stack(images)


def _decode(
    container: InputContainer, stream: VideoStream, wanted: list[int], images: list[np.ndarray], name: str
) -> None:
    """Decode on from where the container is, adding wanted frames, until the next one is best sought anew.

    name: of file and video, for messages.
    """
    unit = float(stream.time_base or 0)
    for frame in container.decode(stream):
        if frame.pts is None or frame.pts < wanted[len(images)]:
            continue
        if frame.pts > wanted[len(images)]:
            return
        upright = np.rot90(frame.to_ndarray(format="rgb24"), _quarter_turns(frame, name))
        images.append(np.ascontiguousarray(upright))
        if len(images) == len(wanted) or (wanted[len(images)] - frame.pts) * unit > SEEK_SECONDS:
            return
