"""Files of the Context-as-Memory layout, read and checked: shared by the pools written here and by other people's.

Every error is a PoolError of one line that names the file, what it should hold, and the video it belongs to.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float64

from echo.world.errors import PoolError
from echo.world.untrusted import (
    MAX_COORDINATE,
    MAX_FRAMES,
    check_name,
    first_line,
    frame_number,
    read_json,
    read_lines,
    read_text,
    shown,
)

VIDEOS, CAPTIONS = "videos.csv", "captions.txt"
ANCHOR_ID = 255  # object id of the identity anchor, in the ids of a rendered pool
SPAN = "expected <video>/<start>_<end>.mp4<TAB>caption"

# Columns of videos.csv, one row per video of a split, and what each holds.
INFO = {
    "video": "name of the video, unique in its split; the table's index",
    "split": "train, in_domain or open_domain; empty in a pool that others made",
    "room": "what the video shows, the unit that intervals are clustered by: a rendered room, or a source recording",
    "anchor": "identity of the object that a return must show again; empty in recordings",
    "trajectory": "kind of the camera's path, a key of echo.study.words.SEGMENTS",
    "frames": "number of frames",
}
COLUMNS = list(INFO)

Indices = Sequence[int] | np.ndarray  # frame numbers, in the order in which they are asked for
Span = tuple[int, int, str]  # first frame, last frame, caption
Captions = dict[str, list[Span]]


def frame_name(index: int) -> str:
    """File name of a frame: 0000.png."""
    return f"{index:04d}.png"


def info_table(rows: list[tuple]) -> pd.DataFrame:
    """The table of a split's videos from rows in the order of ``COLUMNS``: indexed by video, frames int, others text.

    All is text first, because names of videos and rooms may look like numbers.
    """
    table = pd.DataFrame([[str(cell) for cell in row] for row in rows], columns=COLUMNS, dtype="str")
    return table.astype({"frames": int}).set_index("video")


def read_info(path: Path) -> pd.DataFrame:
    """``videos.csv`` as ``info_table``; raises PoolError, with file and line, for a malformed or cut one."""
    reader = csv.reader(io.StringIO(read_text(path, "videos"), newline=""), strict=True)
    rows: list[tuple] = []
    seen: set[str] = set()
    try:
        if next(reader, None) != COLUMNS:
            raise PoolError(f"{path}, line 1: expected the columns {','.join(COLUMNS)}")
        for row in reader:
            where = f"{path}, line {reader.line_num}"
            if len(row) != len(COLUMNS):
                raise PoolError(f"{where}: expected {len(COLUMNS)} cells ({','.join(COLUMNS)}), got {len(row)}")
            if check_name(row[0], where) in seen:
                raise PoolError(f"{where}: video {shown(row[0])} is there twice")
            seen.add(row[0])
            rows.append((*row[:-1], frame_number(row[-1], where)))
            if not rows[-1][-1]:
                raise PoolError(f"{where}: a video of no frames")
    except csv.Error as error:
        raise PoolError(f"{path}, line {reader.line_num}: no CSV ({first_line(error)})") from None
    if not rows:
        raise PoolError(f"{path}: expected one row per video, got none")
    return info_table(rows)


def read_captions(path: Path) -> Captions:
    """``captions.txt``: spans (first frame, last frame, caption) of every video, in the file's order.

    Two spans of a video may share the frame at which they meet, and no more: it has the caption that comes first.
    Raises PoolError with the line's number.
    """
    captions: Captions = {}
    lines: dict[str, list[int]] = {}
    for number, line in read_lines(path, "captions"):
        video, first, last, caption = _caption_line(line, f"{path}, line {number}")
        captions.setdefault(video, []).append((first, last, caption))
        lines.setdefault(video, []).append(number)
    for video, spans in captions.items():
        order = sorted(range(len(spans)), key=lambda i: spans[i][:2])
        for a, b in zip(order, order[1:], strict=False):
            if spans[b][0] < spans[a][1] or spans[a][:2] == spans[b][:2]:
                one, other = sorted((lines[video][a], lines[video][b]))
                raise PoolError(f"{path}, line {other}: the span overlaps with that of line {one}; expected spans of "
                                f"{video} that share no frames")  # fmt: skip
    return captions


def _caption_line(line: str, where: str) -> tuple[str, int, int, str]:
    """Video, first frame, last frame and caption of one line; raises PoolError, which begins with ``where``."""
    place, tab, caption = line.partition("\t")
    video, slash, span = place.rpartition("/")
    first, underscore, last = span.removesuffix(".mp4").partition("_")
    if not (tab and slash and underscore):
        raise PoolError(f"{where}: {SPAN}, got {shown(line)}")
    check_name(video, where)
    start, stop = (frame_number(text, where) for text in (first, last))
    if start > stop:
        raise PoolError(f"{where}: the span {start}_{stop} ends before it begins; {SPAN}")
    return video, start, stop, caption


def check_spans(spans: list[Span], length: int, path: Path, video: str) -> None:
    """Raise PoolError for a caption that reaches beyond the ``length`` frames of its video."""
    beyond = next((span for span in spans if span[1] >= length), None)
    if beyond:
        raise PoolError(f"{path}: the caption of frames {beyond[0]} to {beyond[1]} of {video} reaches beyond its "
                        f"{length} frames")  # fmt: skip


def read_cameras(path: Path, video: str) -> dict[str, Any]:
    """The cameras of ``jsons/<video>.json`` by frame number as text, other keys left out.

    Raises PoolError for a missing or broken file, or a number that no frame can have.
    """
    content = read_json(path, f"poses of {video}")
    cameras = content.get("CineCameraActor") if isinstance(content, dict) else None
    if not isinstance(cameras, dict):
        raise PoolError(f'{path}: poses of {video}: expected "CineCameraActor" to map frame numbers to cameras')
    cameras = {key: camera for key, camera in cameras.items() if key.isdecimal()}
    for key in cameras:
        if key != str(frame_number(key, f"{path}: poses of {video}")):
            raise PoolError(f"{path}: poses of {video}: frame number {shown(key)}: expected no leading zeros")
    return cameras


def pose_rows(cameras: dict[str, Any], indices: Indices, path: Path, video: str) -> Float64[np.ndarray, "frames 6"]:
    """Poses of the frames ``indices``, all in ``cameras``: x, y, z, roll, pitch, yaw."""
    rows = []
    for index in indices:
        camera = cameras.get(str(index))
        parts = [camera.get(name) for name in ("position", "rotation")] if isinstance(camera, dict) else []
        if len(parts) != 2 or not all(isinstance(p, list) and len(p) == 3 and all(map(_is_number, p)) for p in parts):
            raise PoolError(f"{path}: poses of {video} are malformed: frame {index}: expected 3 finite numbers in "
                            f"position and 3 in rotation, up to {MAX_COORDINATE:g}")  # fmt: skip
        rows.append([*parts[0], *parts[1]])
    return np.array(rows, dtype=np.float64).reshape(-1, 6)


def _is_number(value: object) -> bool:
    """Whether a JSON value is a finite number of a size that a pose may have; truth values are none."""
    # abs of NaN compares as False.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MAX_COORDINATE


def read_overlapping(path: Path, video: str, length: int = MAX_FRAMES) -> list[int]:
    """``overlap_labels/<video>/<i>.json``: frames whose view overlaps with frame i's, all below ``length``."""
    content = read_json(path, f"overlap labels of frame {path.stem} of {video}")
    frames = content.get("overlapping_frames") if isinstance(content, dict) else None
    if not isinstance(frames, list) or not all(type(f) is int and 0 <= f < length for f in frames):
        raise PoolError(f'{path}: overlap labels of {video} are malformed: expected "overlapping_frames" to list frame '
                        f"numbers from 0 to {length - 1}")  # fmt: skip
    return frames
