"""RealEstate10K's camera files, beside the videos they describe; the format of many tools, so one for your own videos.

::

    [<split>/]<video>.txt             line 1: the video's address; then a line a frame:
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
from pathlib import Path

import numpy as np

from echo.world.recordings.base import Recordings
from echo.world.recordings.index import RecordingError, Scene
from echo.world.recordings.poses import from_world_to_camera
from echo.world.recordings.video import read_at, time_stamps
from echo.world.rooms.layout import read_images

CAPTION = ".caption.txt"
IMAGES = (".png", ".jpg", ".jpeg")
COLUMNS = 19
MICROSECOND = 1e-6
NEAR = 0.6  # part of the step between frames within which a video's frame counts as the timestamp's


class RealEstate10K(Recordings):
    """Videos with a camera file each."""

    source = "realestate10k"
    expected = "<video>.txt (camera lines) beside <video>.mp4 or <video>/<timestamp>.png (docs/data.md)"

    def _fits(self) -> bool:
        return any(True for _ in self._camera_files())

    def _camera_files(self):
        return (path for path in self.folder.rglob("*.txt") if not path.name.endswith(CAPTION))

    def _names(self) -> list[str]:
        return sorted(path.relative_to(self.folder).with_suffix("").as_posix() for path in self._camera_files())

    def _watched(self) -> list:
        watched = []
        for parent, folders, files in os.walk(self.folder):
            for name in (*folders, *files):
                if not name.endswith(IMAGES):  # a folder's time changes when an image comes or goes
                    about = os.stat(os.path.join(parent, name))
                    size = about.st_size if name in files else None
                    watched.append([os.path.relpath(os.path.join(parent, name), self.folder), about.st_mtime_ns, size])
        return sorted(watched, key=str)

    def _scan(self, video: str) -> Scene:
        caption = self.folder / f"{video}{CAPTION}"
        text = " ".join(caption.read_text().split()) if caption.is_file() else ""
        try:
            lines = read_camera_lines(self.folder / f"{video}.txt", video)
        except RecordingError as error:
            return Scene(np.zeros(0, bool), np.zeros((0, 6)), problem=str(error))
        present, where, size, problem = np.zeros(len(lines), bool), np.zeros(len(lines), np.int64), None, None
        try:
            present, where, size = self._places(video, lines[:, 0])
        except RecordingError as error:
            problem = str(error)
        view = float(np.rad2deg(2 * np.arctan(0.5 / np.median(lines[:, 1]))))
        return Scene(present, from_world_to_camera(lines[:, 7:]), where=where, captions=[(0, len(lines) - 1, text)],
                     field_of_view=view, size=size, problem=problem)  # fmt: skip

    def _places(self, video: str, timestamps: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple[int, int] | None]:
        """Which timestamps have a frame, each frame's mark in its file (time stamp, or timestamp), (height, width)."""
        path = self.folder / f"{video}.mp4"
        if path.is_file():
            stamps, unit, size = time_stamps(path, video)
            return *nearest(timestamps * MICROSECOND, stamps * unit, stamps), size
        found = self._images(video)
        marks = timestamps.astype(np.int64)
        return np.array([int(mark) in found for mark in marks]), marks, None

    def _images(self, video: str) -> dict[int, Path]:
        folder = self.folder / video
        if not folder.is_dir():
            return {}
        with os.scandir(folder) as entries:
            paths = [Path(entry.path) for entry in entries if entry.name.lower().endswith(IMAGES)]
        return {int(path.stem): path for path in paths if path.stem.isdecimal()}

    def size(self, video: str) -> tuple[int, int]:
        """Pixels (height, width) of the video's frames."""
        known = self.index.sizes[self._number(video)]
        if known:
            return known
        there = np.flatnonzero(self.present(video))
        if not len(there):
            self._complain(video, "frames", 0)
        return self._read(video, there[:1]).shape[1:3]

    def _read(self, video: str, indices: np.ndarray) -> np.ndarray:
        where, path = self.index.where[self._slice(video)][indices], self.folder / f"{video}.mp4"
        if path.is_file():
            # Two lines may be nearest to one frame.
            stamps, order = np.unique(where, return_inverse=True)
            return read_at(path, video, stamps)[order]
        found = self._images(video)
        return read_images([found[int(mark)] for mark in where], video)


def read_camera_lines(path: Path, video: str) -> np.ndarray:
    """The lines (F, 19) of a camera file after its first; raises RecordingError for a malformed one."""
    try:
        lines = [line.split() for line in path.read_text().splitlines()[1:] if line.strip()]
    except UnicodeDecodeError:
        raise RecordingError(f"{path}: camera file of {video} is no text") from None
    for number, line in enumerate(lines, 2):
        if len(line) != COLUMNS:
            raise RecordingError(f"{path}, line {number}: expected {COLUMNS} numbers (timestamp fx fy px py k1 k2 and "
                                 f"a 3 x 4 matrix), got {len(line)}")  # fmt: skip
    try:
        table = np.array(lines, dtype=np.float64).reshape(-1, COLUMNS)
    except ValueError as error:
        raise RecordingError(f"{path}: camera file of {video} is malformed ({error})") from None
    turned = table[:, 7:].reshape(-1, 3, 4)[:, :, :3]
    if not len(table) or not np.isfinite(table).all() or (table[:, 1] <= 0).any():
        raise RecordingError(f"{path}: camera file of {video}: expected lines of finite numbers with fx above 0")
    if not np.allclose(turned @ turned.transpose(0, 2, 1), np.eye(3), atol=1e-3) or (np.linalg.det(turned) < 0).any():
        raise RecordingError(f"{path}: camera file of {video}: a matrix is no rotation and translation")
    return table


def nearest(wanted: np.ndarray, times: np.ndarray, stamps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each of the ``wanted`` times (F,), in seconds: whether a frame is shown near it, and that frame's stamp.

    ``times`` (N,) rise, in seconds, and belong to ``stamps`` (N,). Near is within ``NEAR`` of a frame's duration.
    """
    if not len(times):
        return np.zeros(len(wanted), bool), np.zeros(len(wanted), np.int64)
    after = np.clip(np.searchsorted(times, wanted), 1, max(len(times) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(times) - 1)
    closest = np.where(wanted - times[before] <= times[after] - wanted, before, after)
    step = np.median(np.diff(times)) if len(times) > 1 else 0.0
    return np.abs(times[closest] - wanted) <= NEAR * step + MICROSECOND, stamps[closest]
