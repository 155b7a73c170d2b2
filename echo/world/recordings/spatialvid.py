"""SpatialVID's clips: an mp4 each, poses at some of its frames, a caption.

::

    annotations/<group>/<clip>/poses.npy        (N, 7): tx ty tz qx qy qz qw
    annotations/<group>/<clip>/indexes.txt      N lines: number of the pose, number of the video's frame
    annotations/<group>/<clip>/intrinsics.npy   optional, (N, 4): fx fy cx cy, parts of the frame's width and height
    annotations/<group>/<clip>/caption.json     SceneSummary or SceneDescription is the caption
    videos/<group>/<clip>.mp4

Poses are taken as world-to-camera in OpenCV's axes: so say the dataset's page and its own conversion scripts (an early
version of the page, and users of the dataset, said camera-to-world). Between the frames that have a pose, poses are
interpolated; frames before the first and after the last have none, and count as missing. The unit of length is the
reconstruction's own.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from echo.world.recordings.base import Recordings
from echo.world.recordings.index import RecordingError, Scene
from echo.world.recordings.poses import interpolated
from echo.world.recordings.video import read_at, time_stamps

CAPTION_KEYS = ("SceneSummary", "SceneDescription", "caption")


class SpatialVID(Recordings):
    """Clips in groups."""

    source = "spatialvid"
    expected = "annotations/<group>/<clip>/poses.npy, videos/<group>/<clip>.mp4 (docs/data.md)"

    def _fits(self) -> bool:
        return all((self.folder / name).is_dir() for name in ("annotations", "videos"))

    def _names(self) -> list[str]:
        annotated = {f"{clip.parent.name}/{clip.name}" for clip in (self.folder / "annotations").glob("*/*")
                     if clip.is_dir()}  # fmt: skip
        filmed = {f"{file.parent.name}/{file.stem}" for file in (self.folder / "videos").glob("*/*.mp4")}
        return sorted(annotated | filmed)

    def _watched(self) -> list:
        watched = []
        for kind in ("annotations", "videos"):
            for group in sorted(path for path in (self.folder / kind).iterdir() if path.is_dir()):
                with os.scandir(group) as entries:
                    for entry in entries:
                        about = entry.stat()
                        size = about.st_size if entry.is_file() else None
                        watched.append([kind, group.name, entry.name, about.st_mtime_ns, size])
        return sorted(watched, key=str)

    def _scan(self, video: str) -> Scene:
        folder, problems = self.folder / "annotations" / video, []
        path, present = self.folder / "videos" / f"{video}.mp4", np.zeros(0, bool)
        where, size = np.zeros(0, np.int64), None
        try:
            if path.is_file():
                where, _, size = time_stamps(path, video)
                present = np.ones(len(where), bool)
        except RecordingError as error:
            problems.append(str(error))
        length, known = len(present), None
        try:
            if (folder / "poses.npy").is_file():
                known = read_poses(folder, video)
                length = max(length, int(known[0][-1]) + 1)
        except RecordingError as error:
            problems.append(str(error))
        poses = interpolated(*known, length) if known else np.full((length, 6), np.nan)
        pad = length - len(present)
        try:
            captions, view = read_caption(folder / "caption.json", length), read_field_of_view(folder, video)
        except RecordingError as error:
            captions, view = [], None
            problems.append(str(error))
        return Scene(np.pad(present, (0, pad)), poses, where=np.pad(where, (0, pad)), captions=captions,
                     field_of_view=view, size=size, problem=problems[0] if problems else None)  # fmt: skip

    def _read(self, video: str, indices: np.ndarray) -> np.ndarray:
        where = self.index.where[self._slice(video)][indices]
        return read_at(self.folder / "videos" / f"{video}.mp4", video, where)


def read_poses(folder: Path, video: str) -> tuple[np.ndarray, Rotation, np.ndarray]:
    """Frame numbers (N,) with a pose, rising, camera-to-world rotations and camera centres (N, 3), in OpenCV's axes.

    Raises RecordingError for a malformed ``poses.npy`` or an ``indexes.txt`` that does not go with it.
    """
    path, lines = folder / "indexes.txt", []
    table = _array(folder / "poses.npy", 7, video)
    if not path.is_file():
        raise RecordingError(f"{path}: frame numbers of the poses of {video} are missing")
    try:
        lines = [[int(part) for part in line.split()] for line in path.read_text().splitlines() if line.strip()]
        numbers = np.array([line[-1] for line in sorted(lines)], dtype=np.int64)
    except ValueError:
        raise RecordingError(f"{path}: {video}: expected lines of two whole numbers, a pose's and a frame's") from None
    if len(numbers) != len(table) or (np.diff(numbers) <= 0).any() or (numbers < 0).any():
        raise RecordingError(f"{path}: {video}: expected {len(table)} rising frame numbers, one a pose, got "
                             f"{len(numbers)}")  # fmt: skip
    if (np.linalg.norm(table[:, 3:], axis=1) < 1e-6).any():
        raise RecordingError(f"{folder / 'poses.npy'}: poses of {video}: a quaternion is zero")
    rotations = Rotation.from_quat(table[:, 3:]).inv()
    return numbers, rotations, -rotations.apply(table[:, :3])


def read_field_of_view(folder: Path, video: str) -> float | None:
    """Horizontal field of view in degrees: that of the clip's median fx; None without ``intrinsics.npy``."""
    path = folder / "intrinsics.npy"
    if not path.is_file():
        return None
    width = float(np.median(_array(path, 4, video)[:, 0]))
    if width <= 0:
        raise RecordingError(f"{path}: intrinsics of {video}: expected fx above 0, got {width}")
    return float(np.rad2deg(2 * np.arctan(0.5 / width)))


def read_caption(path: Path, length: int) -> list[tuple[int, int, str]]:
    """The clip's caption as one stretch over its ``length``; empty without the file.

    Raises RecordingError for a file that has none of ``CAPTION_KEYS``.
    """
    if not path.is_file():
        return []
    try:
        about = json.loads(path.read_text())
    except ValueError as error:
        raise RecordingError(f"{path}: captions are no JSON ({error})") from None
    for key in CAPTION_KEYS:
        text = _find(about, key)
        if text:
            return [(0, max(length - 1, 0), " ".join(text.split()))]
    raise RecordingError(f"{path}: expected one of {', '.join(CAPTION_KEYS)}")


def _find(value, key: str) -> str | None:
    """The text under ``key``, at any depth of nested mappings."""
    if not isinstance(value, dict):
        return None
    if isinstance(value.get(key), str):
        return value[key]
    return next((text for inner in value.values() if (text := _find(inner, key))), None)


def _array(path: Path, columns: int, video: str) -> np.ndarray:
    try:
        table = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise RecordingError(f"{path}: {path.stem} of {video} cannot be read ({error})") from None
    if table.ndim != 2 or table.shape[1] != columns or not len(table) or not np.isfinite(table).all():
        raise RecordingError(f"{path}: {path.stem} of {video}: expected (N, {columns}) finite numbers, got "
                             f"{table.shape}")  # fmt: skip
    return table.astype(np.float64)
