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
import stat
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64, UInt8

from echo.world.errors import PoolError
from echo.world.images import image_size, read_images
from echo.world.layout import (
    CAPTIONS,
    VIDEOS,
    Captions,
    check_spans,
    frame_name,
    pose_rows,
    read_cameras,
    read_captions,
    read_overlapping,
)
from echo.world.recordings.base import Problems, Recordings
from echo.world.recordings.index import Scene
from echo.world.untrusted import check_gaps, check_name, frame_number, is_folder, link_aware_stat, locate

CENTIMETRE = 0.01
FRAME = re.compile(r"([0-9]{4}|[1-9][0-9]{4,})\.png")
LABEL = re.compile(r"(0|[1-9][0-9]*)\.json")


class ContextAsMemory(Recordings):
    """Scenes of PNG frames with Unreal's poses, captions of spans and overlap labels."""

    source = "context_as_memory"
    expected = "frames/<scene>/0000.png, jsons/<scene>.json, captions.txt (docs/data.md)"

    def _fits(self) -> bool:
        return all((self.folder / name).is_dir() for name in ("frames", "jsons"))

    def _watched(self) -> list:
        """A folder's time changes when a file comes or goes, so that frames need not be looked at one by one."""
        watched = []
        for kind in ("frames", "jsons", "overlap_labels"):
            for group in ("", *self._groups):
                for entry in self._entries(kind, group):
                    facts = link_aware_stat(self.folder, entry.path)
                    size = facts.st_size if stat.S_ISREG(facts.st_mode) else None
                    watched.append([kind, os.path.relpath(entry.path, self.folder), facts.st_mtime_ns, size])
        for name in (CAPTIONS, VIDEOS):
            path = self.folder / name
            watched.append([name, path.stat().st_mtime_ns, path.stat().st_size] if path.is_file() else [name])
        return sorted(watched, key=str)

    def _names(self) -> list[str]:
        framed = {os.path.relpath(entry.path, self.folder / "frames")
                  for group in ("", *self._groups) for entry in self._entries("frames", group)
                  if is_folder(entry)}  # fmt: skip
        names = sorted((framed | self._posed_names | set(self._captions)) - self._groups)
        return [check_name(name, f"{self.folder}") for name in names]

    def _scan(self, video: str) -> Scene:
        problems = Problems()
        empty = np.zeros(0, np.int64)
        present, labelled, known, rows = empty, empty, empty, np.zeros((0, 6))
        with problems.collected():
            present = self._numbers("frames", video, FRAME)
        with problems.collected():
            labelled = self._numbers("overlap_labels", video, LABEL)
        with problems.collected():
            path = locate(self.folder, "jsons", f"{video}.json")
            if path.is_file():
                cameras = read_cameras(path, video)
                numbers = np.array(sorted(map(int, cameras)), dtype=np.int64)
                check_gaps(np.union1d(present, numbers), f"{path}: poses of {video}")
                known, rows = numbers, pose_rows(cameras, numbers, path, video)
        length = 1 + int(max([-1, *present[-1:], *known[-1:]]))
        captions = self._captions.get(video, [])
        with problems.collected():
            if not length:
                raise PoolError(f"{self.folder}: {video} has neither frames nor poses that can be read")
            check_spans(captions, length, self.folder / CAPTIONS, video)
        poses = np.full((length, 6), np.nan)
        poses[known] = rows * [self.unit, self.unit, self.unit, 1, 1, 1]
        return Scene(_flags(present, length), poses, _flags(labelled, length),
                     captions=captions, problem=problems.first)  # fmt: skip

    def _read(self, video: str, indices: Int64[np.ndarray, " frames"]) -> UInt8[np.ndarray, "frames height width 3"]:
        return read_images([locate(self.folder, "frames", video, frame_name(int(i))) for i in indices], video)

    def _looked_for(self, video: str, kind: str, frame: int) -> str:
        if kind == "poses":
            return (
                f"jsons/{video}.json has no camera {frame}" if video in self._posed_names else f"no jsons/{video}.json"
            )
        folder, name = ("frames", frame_name(frame)) if kind == "frames" else ("overlap_labels", f"{frame}.json")
        return f"no {folder}/{video}/{name}"

    def size(self, video: str) -> tuple[int, int]:
        """Pixels (height, width) of the video's first frame that is there."""
        there = np.flatnonzero(self.present(video))
        if not len(there):
            self._raise_missing(video, "frames", 0)
        return image_size(locate(self.folder, "frames", video, frame_name(int(there[0]))), video)

    def overlapping(self, video: str, frame: int) -> list[int]:
        """Frames whose view overlaps with that of ``frame``; raises RecordingError where the label is missing."""
        self._check_range(video, [frame])
        if not self.index.labelled[self._slice(video)][frame]:
            self._raise_missing(video, "overlap labels", frame)
        path = locate(self.folder, "overlap_labels", video, f"{frame}.json")
        return read_overlapping(path, video, self.length(video))

    @cached_property
    def unit(self) -> float:
        """Length in metres of a unit of the positions on disk."""
        return 1.0 if (self.folder / VIDEOS).is_file() else CENTIMETRE

    @cached_property
    def _captions(self) -> Captions:
        path = locate(self.folder, CAPTIONS)
        return read_captions(path) if path.is_file() else {}

    @cached_property
    def _posed_names(self) -> set[str]:
        folder = locate(self.folder, "jsons")
        files = (path for path in folder.rglob("*.json") if path.name[0] != ".")
        return {path.relative_to(folder).with_suffix("").as_posix() for path in files}

    @cached_property
    def _groups(self) -> set[str]:
        """Folders of scenes."""
        return {str(Path(name).parent) for name in (*self._posed_names, *self._captions) if "/" in name}

    def _entries(self, kind: str, group: str) -> list[os.DirEntry]:
        """What lies in a folder of scenes, hidden files aside; nothing where there is no such folder."""
        folder = locate(self.folder, kind, group)
        if not folder.is_dir():
            return []
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]

    def _numbers(self, kind: str, video: str, pattern: re.Pattern) -> Int64[np.ndarray, " numbered"]:
        """Sorted numbers of a video's files whose names match; of files that are no links, names alone are read."""
        folder = locate(self.folder, kind, video)
        if not folder.is_dir():
            return np.zeros(0, np.int64)
        numbers, where = [], f"{folder}: {kind} of {video}"
        with os.scandir(folder) as entries:
            for entry in entries:
                if pattern.fullmatch(entry.name):
                    if entry.is_symlink():
                        locate(self.folder, kind, video, entry.name)
                    numbers.append(frame_number(entry.name.split(".")[0], where))
        rising = np.array(sorted(numbers), np.int64)
        check_gaps(rising, where)
        return rising


def _flags(numbers: Int64[np.ndarray, " numbered"], length: int) -> Bool[np.ndarray, " frames"]:
    """Which of ``length`` frames have one of the numbers."""
    flags = np.zeros(length, dtype=bool)
    flags[numbers[numbers < length]] = True
    return flags
