"""The Context-as-Memory dataset as it is unpacked, and the unpacked pools of this project.

::

    frames/<scene>/0000.png           7,601 frames in each of 100 scenes
    jsons/<scene>.json                {"CineCameraActor": {"0": {"position": [x, y, z],
                                       "rotation": [roll, pitch, yaw]}, ...}}
    overlap_labels/<scene>/<i>.json   {"overlapping_frames": [...]}
    captions.txt                      <scene>/<start>_<end>.mp4<TAB>caption

A scene may lie in a folder of scenes (frames/L1/<clip>, jsons/L1/<clip>.json), as in exports of SpatialVID to this
layout. Poses are Unreal's: degrees, and positions in centimetres, which are read as metres; a pool with this project's
``videos.csv`` is in metres already. The field of view is not stored (the dataset's paper gives 52.67 degrees).
"""

from __future__ import annotations

import os
import re
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from echo.world.recordings.base import Recordings
from echo.world.recordings.index import RecordingError, Scene
from echo.world.rooms.layout import (
    Captions,
    PoolError,
    frame_name,
    pose_rows,
    read_cameras,
    read_captions,
    read_images,
    read_overlapping,
)

CENTIMETRE = 0.01
FRAME = re.compile(r"(\d{4}|[1-9]\d{4,})\.png")
LABEL = re.compile(r"(0|[1-9]\d*)\.json")


class ContextAsMemory(Recordings):
    """Scenes of PNG frames with Unreal's poses, captions of stretches and overlap labels."""

    source = "context_as_memory"
    expected = "frames/<scene>/0000.png, jsons/<scene>.json, captions.txt (docs/data.md)"

    def _fits(self) -> bool:
        return all((self.folder / name).is_dir() for name in ("frames", "jsons"))

    def _watched(self) -> list:
        """A folder's time changes when a file comes or goes, so that frames need not be looked at one by one."""
        watched = []
        for kind in ("frames", "jsons", "overlap_labels"):
            folders = [self.folder / kind, *(self.folder / kind / group for group in self._groups)]
            for folder in folders:
                for entry in _entries(folder):
                    about = entry.stat()
                    size = about.st_size if entry.is_file() else None
                    watched.append([kind, os.path.relpath(entry.path, self.folder), about.st_mtime_ns, size])
        for name in ("captions.txt", "videos.csv"):
            path = self.folder / name
            watched.append([name, path.stat().st_mtime_ns, path.stat().st_size] if path.is_file() else [name])
        return sorted(watched, key=str)

    def _names(self) -> list[str]:
        framed = {os.path.relpath(entry.path, self.folder / "frames")
                  for parent in ("", *self._groups) for entry in _entries(self.folder / "frames" / parent)
                  if entry.is_dir()}  # fmt: skip
        return sorted((framed | self._posed_names | set(self._captions)) - self._groups)

    def _scan(self, video: str) -> Scene:
        present = _numbers(self.folder / "frames" / video, FRAME)
        labelled = _numbers(self.folder / "overlap_labels" / video, LABEL)
        path, known, problem = self.folder / "jsons" / f"{video}.json", np.zeros(0, np.int64), None
        rows = np.zeros((0, 6))
        try:
            cameras = read_cameras(path, video)
            known = np.array(sorted(int(key) for key in cameras if key.isdecimal()), dtype=np.int64)
            rows = pose_rows(cameras, known, path, video)
        except PoolError as error:
            problem = str(error) if path.is_file() else None
            known = known[:0]
        captions = self._captions.get(video, [])
        ends = [*present[-1:], *known[-1:]] or [last for _, last, _ in captions]
        length = 1 + int(max([-1, *ends]))
        poses = np.full((length, 6), np.nan)
        poses[known] = rows * [self.unit, self.unit, self.unit, 1, 1, 1]
        return Scene(_flags(present, length), poses, _flags(labelled, length),
                     captions=captions, problem=problem)  # fmt: skip

    def _read(self, video: str, indices: np.ndarray) -> np.ndarray:
        folder = self.folder / "frames" / video
        return read_images([folder / frame_name(i) for i in indices], video)

    def size(self, video: str) -> tuple[int, int]:
        """Pixels (height, width) of the video's first frame that is there."""
        there = np.flatnonzero(self.present(video))
        if not len(there):
            self._complain(video, "frames", 0)
        path = self.folder / "frames" / video / frame_name(there[0])
        try:
            with Image.open(path) as image:
                return image.height, image.width
        except OSError as error:
            raise RecordingError(f"{path}: frame of {video} cannot be read ({error})") from None

    def overlapping(self, video: str, frame: int) -> list[int]:
        """Frames whose view overlaps with ``frame``'s; raises RecordingError where the label is missing."""
        self._check(video, [frame])
        if not self.index.labelled[self._slice(video)][frame]:
            self._complain(video, "overlap labels", frame)
        return read_overlapping(self.folder / "overlap_labels" / video / f"{frame}.json", video)

    @cached_property
    def unit(self) -> float:
        """Metres of a unit of the positions on disk."""
        return 1.0 if (self.folder / "videos.csv").is_file() else CENTIMETRE

    @cached_property
    def _captions(self) -> Captions:
        path = self.folder / "captions.txt"
        return read_captions(path) if path.is_file() else {}

    @cached_property
    def _posed_names(self) -> set[str]:
        files = (self.folder / "jsons").rglob("*.json")
        return {p.relative_to(self.folder / "jsons").with_suffix("").as_posix() for p in files if p.name[0] != "."}

    @cached_property
    def _groups(self) -> set[str]:
        """Folders of scenes."""
        return {str(Path(name).parent) for name in (*self._posed_names, *self._captions) if "/" in name}


def _entries(folder: Path) -> list[os.DirEntry]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return [entry for entry in entries if not entry.name.startswith(".")]


def _numbers(folder: Path, pattern: re.Pattern) -> np.ndarray:
    """Sorted numbers of the files in a folder whose names match; names alone are read, no file's properties."""
    if not folder.is_dir():
        return np.zeros(0, np.int64)
    with os.scandir(folder) as entries:
        return np.array(sorted(int(e.name.split(".")[0]) for e in entries if pattern.fullmatch(e.name)), np.int64)


def _flags(numbers: np.ndarray, length: int) -> np.ndarray:
    flags = np.zeros(length, dtype=bool)
    flags[numbers[numbers < length]] = True
    return flags
