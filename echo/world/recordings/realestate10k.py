"""RealEstate10K's camera files, beside the videos they describe; the format of many tools, so one for your own videos.

::

    [<split>/]<video>.txt             line 1: the video's address; then one line per frame:
                                      timestamp fx fy px py k1 k2  r11 r12 r13 t1  r21 .. t2  r31 .. t3
    [<split>/]<video>.mp4             the video, or
    [<split>/]<video>/<timestamp>.png (or .jpg) its frames, named by their timestamps
    [<split>/]<video>.caption.txt     optional, ours: the caption (the format has none: then it is empty)

Timestamps are microseconds from the start of the video. fx, fy, px, py are parts of the frame's width and height; the
3 x 4 matrix maps world to camera, in OpenCV's axes. Frame i of a video is line i of its file; in an mp4 that is the
frame shown nearest to the timestamp. Distortion (k1, k2; 0 in the dataset) is not undone, and the principal point is
taken as the centre. The unit of length is the reconstruction's own.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8

from echo.world.errors import RecordingError
from echo.world.images import image_size, read_images
from echo.world.recordings.base import Problems, Recordings
from echo.world.recordings.fit import check_square
from echo.world.recordings.index import Scene
from echo.world.recordings.poses import from_world_to_camera
from echo.world.recordings.video import read_at, time_stamps
from echo.world.untrusted import (
    MAX_COORDINATE,
    check_field_of_view,
    check_name,
    link_aware_stat,
    locate,
    read_lines,
    read_text,
    shown,
)

CAPTION = ".caption.txt"
IMAGES = (".png", ".jpg", ".jpeg")
IMAGE_NAME = re.compile(r"[0-9]{1,16}")
COLUMNS = 19
MICROSECOND = 1e-6
MAX_TIMESTAMP = 1e13  # microseconds: 116 days; far below it float64 holds every one
NEAR = 0.6  # part of the step between frames within which a video's frame counts as the timestamp's


class RealEstate10K(Recordings):
    """Videos, each with a camera file."""

    source = "realestate10k"
    expected = "<video>.txt (camera lines) beside <video>.mp4 or <video>/<timestamp>.png (docs/data.md)"

    def _fits(self) -> bool:
        return any(True for _ in self._camera_files())

    def _camera_files(self) -> Iterator[Path]:
        """Camera files at any depth, hidden ones aside; linked folders are not entered."""
        for path in self.folder.rglob("*.txt"):
            if not path.name.endswith(CAPTION) and path.name[0] != "." and (path.is_file() or path.is_symlink()):
                yield path

    def _names(self) -> list[str]:
        names = sorted(path.relative_to(self.folder).with_suffix("").as_posix() for path in self._camera_files())
        return [check_name(name, f"{self.folder}") for name in names]

    def _watched(self) -> list:
        watched = []
        for parent, folders, files in os.walk(self.folder):
            for name in (*folders, *files):
                if not name.endswith(IMAGES):  # a folder's time changes when an image comes or goes
                    path = os.path.join(parent, name)
                    facts = link_aware_stat(self.folder, path)
                    size = facts.st_size if stat.S_ISREG(facts.st_mode) else None
                    watched.append([os.path.relpath(path, self.folder), facts.st_mtime_ns, size])
        return sorted(watched, key=str)

    def _scan(self, video: str) -> Scene:
        problems, caption = Problems(), ""
        with problems.collected():
            path = locate(self.folder, f"{video}{CAPTION}")
            if path.is_file():
                caption = " ".join(read_text(path, f"caption of {video}").split())
        lines, view = np.zeros((0, COLUMNS)), None
        with problems.collected():
            path = locate(self.folder, f"{video}.txt")
            lines = read_camera_lines(path, video)
            view = check_field_of_view(float(np.rad2deg(2 * np.arctan(0.5 / np.median(lines[:, 1])))), f"{path}")
        if view is None:
            return Scene(np.zeros(0, bool), np.zeros((0, 6)), problem=problems.first)
        present, where, size = np.zeros(len(lines), bool), np.zeros(len(lines), np.int64), None
        with problems.collected():
            places = self._places(video, lines[:, 0])
            seen = places[2] or self._image_size(video)
            if seen is not None:
                check_square(
                    float(np.median(lines[:, 1])), float(np.median(lines[:, 2])), seen, f"{self.folder / video}.txt"
                )
            present, where, size = places
        return Scene(present, from_world_to_camera(lines[:, 7:]), where=where, captions=[(0, len(lines) - 1, caption)],
                     field_of_view=view, size=size, problem=problems.first)  # fmt: skip

    def _places(
        self, video: str, timestamps: Float64[np.ndarray, " frames"]
    ) -> tuple[Bool[np.ndarray, " frames"], Int64[np.ndarray, " frames"], tuple[int, int] | None]:
        """Which timestamps have a frame, each frame's mark in its file (time stamp, or timestamp), (height, width)."""
        path = locate(self.folder, f"{video}.mp4")
        if path.is_file():
            stamps, unit, size = time_stamps(path, video)
            return *nearest(timestamps * MICROSECOND, stamps * unit, stamps), size
        images = self._images(video)
        marks = timestamps.astype(np.int64)
        return np.array([int(mark) in images for mark in marks]), marks, None

    def _images(self, video: str) -> dict[int, Path]:
        """Image files of a video by timestamp; raises RecordingError where two have the same."""
        folder = locate(self.folder, video)
        if not folder.is_dir():
            return {}
        images: dict[int, Path] = {}
        with os.scandir(folder) as entries:
            for entry in entries:
                stem, suffix = os.path.splitext(entry.name)
                if suffix.lower() in IMAGES and IMAGE_NAME.fullmatch(stem):
                    if entry.is_symlink():
                        locate(self.folder, video, entry.name)
                    if int(stem) in images:
                        raise RecordingError(f"{folder}: two images of the timestamp {int(stem)} of {video}: "
                                             f"{images[int(stem)].name}, {entry.name}")  # fmt: skip
                    images[int(stem)] = Path(entry.path)
        return images

    def _looked_for(self, video: str, kind: str, frame: int) -> str:
        if locate(self.folder, f"{video}.mp4").is_file():
            return f"{video}.mp4 shows no frame within {NEAR:g} of a frame's duration of the timestamp of {video}.txt"
        if not locate(self.folder, video).is_dir():
            return f"neither {video}.mp4 nor the folder {video} is there"
        stamp = int(self.index.where[self._slice(video)][frame])
        return f"no {video}/{stamp}.png or .jpg"

    def _image_size(self, video: str) -> tuple[int, int] | None:
        """Pixels (height, width) of the earliest image of a video; None where there is none."""
        images = self._images(video)
        return image_size(images[min(images)], video) if images else None

    def size(self, video: str) -> tuple[int, int]:
        """Pixels (height, width) of the video's frames."""
        known = self.index.sizes[self._position(video)]
        if known:
            return known
        there = np.flatnonzero(self.present(video))
        if not len(there):
            self._raise_missing(video, "frames", 0)
        return image_size(self._images(video)[int(self.index.where[self._slice(video)][there[0]])], video)

    def _read(self, video: str, indices: Int64[np.ndarray, " frames"]) -> UInt8[np.ndarray, "frames height width 3"]:
        where, path = self.index.where[self._slice(video)][indices], locate(self.folder, f"{video}.mp4")
        if path.is_file():
            # Two lines may be nearest to one frame.
            stamps, order = np.unique(where, return_inverse=True)
            return read_at(path, video, stamps)[order]
        images = self._images(video)
        return read_images([images[int(mark)] for mark in where], video)


def read_camera_lines(path: Path, video: str) -> Float64[np.ndarray, "frames 19"]:
    """The camera lines of a file, all but its first; raises PoolError, with the line's number, for a malformed one."""
    lines = read_lines(path, f"cameras of {video}")
    if lines and lines[0][0] == 1:
        lines = lines[1:]
    rows = []
    for number, line in lines:
        where = f"{path}, line {number}"
        cells = line.split()
        if len(cells) != COLUMNS:
            raise RecordingError(f"{where}: expected {COLUMNS} numbers (timestamp fx fy px py k1 k2 and a 3 x 4 "
                                 f"matrix), got {len(cells)}")  # fmt: skip
        rows.append([_number(cell, where) for cell in cells])
    if not rows:
        raise RecordingError(f"{path}: cameras of {video}: expected one line per frame after the first, got none")
    table = np.array(rows, dtype=np.float64)
    matrices = table[:, 7:].reshape(-1, 3, 4)
    turned = matrices[:, :, :3]
    checks = {
        f"expected numbers up to {MAX_COORDINATE:g}": (np.abs(table[:, 1:]) <= MAX_COORDINATE).all(1),
        "expected a timestamp of 0 or more microseconds": (table[:, 0] >= 0) & (table[:, 0] <= MAX_TIMESTAMP),
        "expected fx above 0": table[:, 1] > 0,
        "the matrix is no rotation and translation": (np.abs(turned) <= 2).all((1, 2)),
    }
    for expected, holds in checks.items():
        _check_lines(holds, expected, lines, path, video)
    orthogonal = np.isclose(turned @ turned.transpose(0, 2, 1), np.eye(3), atol=1e-3).all((1, 2))
    proper = orthogonal & (np.linalg.det(turned) > 0)
    _check_lines(proper, "the matrix is no rotation and translation", lines, path, video)
    return table


def _number(cell: str, where: str) -> float:
    """A finite number; raises RecordingError, which begins with ``where``."""
    try:
        # Python's float also takes "1_0" and digits of other scripts.
        value = float(cell) if cell.isascii() and "_" not in cell else float("nan")
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise RecordingError(f"{where}: expected finite numbers, got {shown(cell)}")
    return value


def _check_lines(
    holds: Bool[np.ndarray, " frames"], expected: str, lines: list[tuple[int, str]], path: Path, video: str
) -> None:
    """Raise RecordingError that names the first line for which a check does not hold."""
    if not holds.all():
        number = lines[int(np.flatnonzero(~holds)[0])][0]
        raise RecordingError(f"{path}, line {number}: cameras of {video}: {expected}")


def nearest(
    wanted: Float64[np.ndarray, " frames"], times: Float64[np.ndarray, " shown"], stamps: Int64[np.ndarray, " shown"]
) -> tuple[Bool[np.ndarray, " frames"], Int64[np.ndarray, " frames"]]:
    """For each of the ``wanted`` times in seconds: whether a frame is shown near it, and that frame's stamp.

    ``times`` rise, in seconds, and belong to ``stamps``. Near is within ``NEAR`` of a frame's duration.
    """
    if not len(times):
        return np.zeros(len(wanted), bool), np.zeros(len(wanted), np.int64)
    after = np.clip(np.searchsorted(times, wanted), 1, max(len(times) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(times) - 1)
    closest = np.where(wanted - times[before] <= times[after] - wanted, before, after)
    step = np.median(np.diff(times)) if len(times) > 1 else 0.0
    return np.abs(times[closest] - wanted) <= NEAR * step + MICROSECOND, stamps[closest]
