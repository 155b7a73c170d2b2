"""SpatialVID's clips: each an mp4, poses at some of its frames, and a caption.

::

    annotations/<group>/<clip>/poses.npy        (N, 7): tx ty tz qx qy qz qw
    annotations/<group>/<clip>/indexes.txt      N lines: number of the pose, number of the video's frame
    annotations/<group>/<clip>/intrinsics.npy   optional, (N, 4): fx fy cx cy, parts of the frame's width and height
    annotations/<group>/<clip>/caption.json     SceneSummary or SceneDescription is the caption
    videos/<group>/<clip>.mp4

Poses are taken as world-to-camera in OpenCV's axes: so say the dataset's page and its own conversion scripts (an early
version of the page, and users of the dataset, said camera-to-world: ``world.poses_are``, and ``pose_check`` to tell).
Between the frames that have a pose, poses are interpolated; frames before the first and after the last have none, and
count as missing. The unit of length is the reconstruction's own.
"""

from __future__ import annotations

import math
import os
import stat
import tokenize
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from jaxtyping import Float64, Int64, UInt8
from scipy.spatial.transform import Rotation

from echo.world.errors import RecordingError
from echo.world.layout import Span
from echo.world.recordings.base import Problems, Recordings
from echo.world.recordings.fit import check_square
from echo.world.recordings.index import Scene
from echo.world.recordings.poses import interpolated
from echo.world.recordings.video import read_at, time_stamps
from echo.world.untrusted import (
    MAX_COORDINATE,
    check_field_of_view,
    check_gaps,
    check_name,
    first_line,
    frame_number,
    is_folder,
    link_aware_stat,
    locate,
    read_json,
    read_lines,
    shown,
)

CAPTION_KEYS = ("SceneSummary", "SceneDescription", "caption")


class SpatialVID(Recordings):
    """Clips in groups."""

    source = "spatialvid"
    conventions = ("world_to_camera", "camera_to_world")
    expected = "annotations/<group>/<clip>/poses.npy, videos/<group>/<clip>.mp4 (docs/data.md)"

    def _fits(self) -> bool:
        return all((self.folder / name).is_dir() for name in ("annotations", "videos"))

    def _entries(self, kind: str) -> list[tuple[str, os.DirEntry]]:
        """What lies in the groups of ``kind``, with each entry's group; a linked group must stay in the folder."""
        entries = []
        with os.scandir(locate(self.folder, kind)) as groups:
            for group in groups:
                if is_folder(group):
                    with os.scandir(locate(self.folder, kind, group.name)) as inner:
                        entries += [(group.name, entry) for entry in inner]
        return entries

    def _names(self) -> list[str]:
        annotated = {f"{group}/{entry.name}" for group, entry in self._entries("annotations") if is_folder(entry)}
        filmed = {f"{group}/{entry.name.removesuffix('.mp4')}" for group, entry in self._entries("videos")
                  if entry.name.endswith(".mp4") and entry.name[0] != "."}  # fmt: skip
        return [check_name(name, f"{self.folder}") for name in sorted(annotated | filmed)]

    def _watched(self) -> list:
        watched = []
        for kind in ("annotations", "videos"):
            for group, entry in self._entries(kind):
                facts = link_aware_stat(self.folder, entry.path)
                size = facts.st_size if stat.S_ISREG(facts.st_mode) else None
                watched.append([kind, group, entry.name, facts.st_mtime_ns, size])
        return sorted(watched, key=str)

    def _scan(self, video: str) -> Scene:
        problems = Problems()
        where, size, known, captions, view = np.zeros(0, np.int64), None, None, [], None
        with problems.collected():
            path = locate(self.folder, "videos", f"{video}.mp4")
            if path.is_file():
                where, _, size = time_stamps(path, video)
        length = len(where)
        with problems.collected():
            if self._file(video, "poses.npy").is_file():
                files = self._file(video, "poses.npy"), self._file(video, "indexes.txt")
                known = read_poses(*files, video, length, self.poses_are)
                length = max(length, int(known[0][-1]) + 1)
        poses = interpolated(*known, length) if known else np.full((length, 6), np.nan)
        with problems.collected():
            captions = read_caption(self._file(video, "caption.json"), length)
        there = np.ones(len(where), bool)
        with problems.collected():
            path = self._file(video, "intrinsics.npy")
            view = read_field_of_view(path, video)
            if view is not None and size is not None:
                there[:] = False
                across, down = np.median(_read_array(path, 4, video)[:, :2], axis=0)
                check_square(float(across), float(down), size, f"{path}")
                there[:] = True
        beyond = length - len(where)
        return Scene(np.pad(there, (0, beyond)), poses, where=np.pad(where, (0, beyond)),
                     captions=captions, field_of_view=view, size=size, problem=problems.first)  # fmt: skip

    def _file(self, video: str, name: str) -> Path:
        """A file of a clip's annotations."""
        return locate(self.folder, "annotations", video, name)

    def _looked_for(self, video: str, kind: str, frame: int) -> str:
        if kind == "poses":
            known = np.flatnonzero(self.posed(video))
            found = f"has poses of frames {known[0]} to {known[-1]}" if len(known) else "is not there"
            return f"annotations/{video}/poses.npy {found}"
        there = locate(self.folder, "videos", f"{video}.mp4").is_file()
        return f"videos/{video}.mp4 {f'has {int(self.present(video).sum())} frames' if there else 'is not there'}"

    def _read(self, video: str, indices: Int64[np.ndarray, " frames"]) -> UInt8[np.ndarray, "frames height width 3"]:
        where = self.index.where[self._slice(video)][indices]
        return read_at(locate(self.folder, "videos", f"{video}.mp4"), video, where)


def read_poses(
    path: Path, index_path: Path, video: str, length: int, poses_are: str = "world_to_camera"
) -> tuple[Int64[np.ndarray, " posed"], Rotation, Float64[np.ndarray, "posed 3"]]:
    """Rising frame numbers with a pose, camera-to-world rotations and camera centres, in OpenCV's axes.

    path: ``poses.npy``; index_path: ``indexes.txt``, which gives each pose its frame; length: frames of the mp4.
    Raises PoolError for a malformed file, or files that do not belong together.
    """
    table = _read_array(path, 7, video)
    numbers = _read_frame_numbers(index_path, video)
    if len(numbers) != len(table) or (np.diff(numbers) <= 0).any():
        raise RecordingError(f"{index_path}: {video}: expected {len(table)} rising frame numbers, one per pose, got "
                             f"{len(numbers)}")  # fmt: skip
    check_gaps(np.union1d(np.arange(length), numbers), f"{index_path}: poses of {video}")
    if (np.linalg.norm(table[:, 3:], axis=1) < 1e-6).any():
        raise RecordingError(f"{path}: poses of {video}: a quaternion is zero")
    rotations = Rotation.from_quat(table[:, 3:])
    if poses_are == "camera_to_world":
        return numbers, rotations, table[:, :3]
    rotations = rotations.inv()
    return numbers, rotations, -rotations.apply(table[:, :3])


def _read_frame_numbers(path: Path, video: str) -> Int64[np.ndarray, " posed"]:
    """The frame number of each pose, in the order of the poses; raises PoolError with the line's number."""
    pairs = []
    for number, line in read_lines(path, f"frame numbers of the poses of {video}"):
        where, cells = f"{path}, line {number}", line.split()
        if len(cells) != 2 or not all(cell.isascii() and cell.isdecimal() for cell in cells):
            raise RecordingError(f"{where}: {video}: expected two whole numbers, a pose's and a frame's, got "
                                 f"{shown(line)}")  # fmt: skip
        pairs.append([frame_number(cell, where) for cell in cells])
    return np.array([frame for _, frame in sorted(pairs)], dtype=np.int64)


def read_field_of_view(path: Path, video: str) -> float | None:
    """Horizontal field of view in degrees: that of the clip's median fx; None without ``intrinsics.npy``."""
    if not path.is_file():
        return None
    width = float(np.median(_read_array(path, 4, video)[:, 0]))
    if width <= 0:
        raise RecordingError(f"{path}: intrinsics of {video}: expected fx above 0, got {width}")
    return check_field_of_view(float(np.rad2deg(2 * np.arctan(0.5 / width))), f"{path}: intrinsics of {video}")


def read_caption(path: Path, length: int) -> list[Span]:
    """The clip's caption as one span over its ``length``; empty without the file.

    Raises PoolError for a file that has none of ``CAPTION_KEYS``.
    """
    if not path.is_file():
        return []
    content = read_json(path, "captions")
    for key in CAPTION_KEYS:
        text = _find(content, key)
        if text:
            if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
                raise RecordingError(f"{path}: {key} holds half a surrogate pair, which is no text")
            return [(0, max(length - 1, 0), " ".join(text.split()))]
    raise RecordingError(f"{path}: expected one of {', '.join(CAPTION_KEYS)}")


def _find(value: Any, key: str) -> str | None:
    """The first text under ``key`` in nested mappings, an outer mapping before those in it."""
    pending = [value]
    while pending:
        mapping = pending.pop()
        if isinstance(mapping, dict):
            if isinstance(mapping.get(key), str) and mapping[key]:
                return mapping[key]
            pending.extend(reversed(mapping.values()))
    return None


def _read_array(path: Path, columns: int, video: str) -> Float64[np.ndarray, "rows columns"]:
    """A (N, columns) array of finite numbers from an npy file; raises RecordingError for anything else."""
    try:
        with path.open("rb") as file:
            shape, dtype = _array_header(file, path.stat().st_size)
            if dtype.kind in "fiu" and len(shape) == 2 and shape[0] > 0 and shape[1] == columns:
                file.seek(0)
                table = np.load(file, allow_pickle=False).astype(np.float64)
                # NaN compares as False.
                if (np.abs(table) <= MAX_COORDINATE).all():
                    return table
    # numpy tries to mend a header that it cannot parse, with Python's own tokenizer.
    except (OSError, ValueError, EOFError, OverflowError, TypeError, SyntaxError, tokenize.TokenError) as error:
        raise RecordingError(f"{path}: {path.stem} of {video} cannot be read ({first_line(error)})") from None
    raise RecordingError(f"{path}: {path.stem} of {video}: expected (N, {columns}) finite numbers up to "
                         f"{MAX_COORDINATE:g}, got {shown(shape)} of {dtype}")  # fmt: skip


def _array_header(file: BinaryIO, size: int) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type that an npy file of ``size`` bytes declares; raises ValueError for more than it holds."""
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(file)
    if version not in readers:
        raise ValueError(f"npy format {version}")
    shape, _, dtype = readers[version](file)
    if math.prod(shape) * dtype.itemsize > size - file.tell():
        raise ValueError(f"declares {shown(shape)} of {dtype}, more than its {size} bytes hold")
    return shape, dtype
