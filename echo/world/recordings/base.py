"""The interface that every kind of recording is read through: names, frames, poses, captions, and what is missing.

A recording is opened from its index (``index``), which records for every frame whether it is there and where the
camera was, so that what is missing is named before work is spent. It never becomes an identity pose, a black frame or
an empty list: asking for it is an error of one line.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import ClassVar, NoReturn

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8

from echo.world.errors import PoolError, RecordingError
from echo.world.layout import Indices
from echo.world.recordings.index import Index, Scene, open_index

PER_FRAME = {"frames", "poses", "overlap labels"}  # kinds of what may be missing of a single frame


class Problems(list[str]):
    """What could not be read of one video, one line each."""

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Add the PoolError that the block raises, if it does, and go on after the block."""
        try:
            yield
        except PoolError as error:
            self.append(str(error))

    @property
    def first(self) -> str | None:
        """The first problem; None without any."""
        return self[0] if self else None


class Recordings(ABC):
    """Videos of one source under one folder.

    Subclasses say which videos there are (``_names``), what each has (``_scan``), what to watch for changes
    (``_watched``) and how its frames are read (``_read``). Frame numbers count from 0 within their video.
    """

    source: ClassVar[str]
    expected: ClassVar[str]  # one line: what the folder should hold
    conventions: ClassVar[tuple[str, ...]] = ("world_to_camera",)  # of poses, several where the format leaves it open

    def __init__(self, folder: Path, cache: Path, poses_are: str = "world_to_camera") -> None:
        """Open ``folder``. ``cache`` is where the index is kept; the folder itself is only read.

        poses_are: one of ``conventions``.

        Raises RecordingError for a folder that holds no such recordings.
        """
        self.folder, self.cache, self.poses_are = Path(folder), Path(cache), poses_are
        if not self.folder.is_dir() or not self._fits():
            raise RecordingError(f"{self.folder}: no {self.source} recordings there; expected {self.expected}")
        self.index: Index = open_index(self.cache, self.source, [poses_are, *self._watched()], self._names, self._scan)
        if not self.index.videos:
            raise RecordingError(f"{self.folder}: no videos there; expected {self.expected}")

    @abstractmethod
    def _fits(self) -> bool:
        """Whether the folder looks like this source's; a look at a few names."""

    @abstractmethod
    def _watched(self) -> list:
        """JSON-able facts that change when videos come, go or change: names, times and sizes, cheap to gather."""

    @abstractmethod
    def _names(self) -> list[str]:
        """Names of all videos, sorted; raises PoolError for one that is no file name."""

    @abstractmethod
    def _scan(self, video: str) -> Scene:
        """All the index should know of a video; what cannot be read becomes its ``problem``."""

    @abstractmethod
    def _read(self, video: str, indices: Int64[np.ndarray, " frames"]) -> UInt8[np.ndarray, "frames height width 3"]:
        """Frames at distinct, rising ``indices``, all of which the index has."""

    @abstractmethod
    def _looked_for(self, video: str, kind: str, frame: int) -> str:
        """What was looked for and not found: a file, or a place in one. kind: one of ``PER_FRAME``."""

    @property
    def videos(self) -> list[str]:
        """Names of all videos, sorted."""
        return self.index.videos

    def length(self, video: str) -> int:
        """Frames of a video, missing ones included."""
        part = self._slice(video)
        return part.stop - part.start

    def size(self, video: str) -> tuple[int, int]:
        """Pixels (height, width) of the video's frames."""
        size = self.index.sizes[self._position(video)]
        if size is None:
            self._raise_missing(video, "frames", 0)
        return size

    def present(self, video: str) -> Bool[np.ndarray, " frames"]:
        """Which frames are there."""
        return self.index.present[self._slice(video)]

    def posed(self, video: str) -> Bool[np.ndarray, " frames"]:
        """Which frames have a pose."""
        return ~np.isnan(self.index.poses[self._slice(video), 0])

    def frames(self, video: str, indices: Indices) -> UInt8[np.ndarray, "frames height width 3"]:
        """Frames at ``indices``, in their order and at the recording's own size.

        Raises RecordingError that names the video and the first frame that is missing or cannot be read.
        """
        wanted = self._check_range(video, indices)
        absent = wanted[~self.present(video)[wanted]]
        if len(absent):
            self._raise_missing(video, "frames", int(absent[0]))
        distinct, order = np.unique(wanted, return_inverse=True)
        return self._read(video, distinct)[order]

    def poses(self, video: str, indices: Indices | None = None) -> Float64[np.ndarray, "frames 6"]:
        """Poses of all frames, or of ``indices``: x, y, z in metres, roll, pitch, yaw in degrees.

        The convention is that of ``echo.world.camera``. Raises RecordingError that names the first missing pose.
        """
        wanted = self._check_range(video, range(self.length(video)) if indices is None else indices)
        absent = wanted[~self.posed(video)[wanted]]
        if len(absent):
            self._raise_missing(video, "poses", int(absent[0]))
        return self.index.poses[self._slice(video)][wanted]

    def caption(self, video: str, frame: int = 0) -> str:
        """The caption of the span that holds ``frame``, or else of the nearest span of its video."""
        self._check_range(video, [frame])
        spans = self.index.captions[self._position(video)]
        if not spans:
            raise RecordingError(f"{self.folder}: no caption of {video}")
        return min(spans, key=lambda s: max(s[0] - frame, frame - s[1], 0))[2]

    def captioned(self, video: str) -> bool:
        """Whether the video has a caption (an empty one of a format without captions counts)."""
        return bool(self.index.captions[self._position(video)])

    def field_of_view(self, video: str) -> float | None:
        """Horizontal field of view in degrees; None if the format does not say, and the study's is taken."""
        return self.index.fields_of_view[self._position(video)]

    def overlapping(self, video: str, frame: int) -> list[int]:
        """Frames whose view overlaps with that of ``frame``, where the format has labels of that."""
        raise RecordingError(f"{self.folder}: {self.source} recordings have no overlap labels (asked for {video})")

    def report(self) -> dict[str, dict]:
        """What is missing: for each kind (frames, poses, ...) its count, its videos, the first one by name, and why."""
        report = self.index.report()
        for kind in PER_FRAME & report.keys():
            number, video = report[kind]["first"].removeprefix(f"{kind.removesuffix('s')} ").split(" of ", 1)
            report[kind]["why"] = self._why(video, kind, int(number))
        return report

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {video: position for position, video in enumerate(self.index.videos)}

    def _position(self, video: str) -> int:
        """The video's position in the index; raises RecordingError for an unknown one."""
        if video not in self._positions:
            raise RecordingError(
                f"{self.folder}: no video {video!r}; it has {len(self.videos)}, from {self.videos[0]!r} on"
            )
        return self._positions[video]

    def _slice(self, video: str) -> slice:
        """The video's rows of the index's flat arrays."""
        position = self._position(video)
        return slice(int(self.index.starts[position]), int(self.index.starts[position + 1]))

    def _check_range(self, video: str, indices: Indices) -> Int64[np.ndarray, " frames"]:
        """``indices`` as an array; raises RecordingError for one outside the video."""
        wanted, length = np.asarray(indices, dtype=np.int64).reshape(-1), self.length(video)
        if not length:
            self._raise_missing(video, "frames", 0)
        outside = wanted[(wanted < 0) | (wanted >= length)]
        if len(outside):
            raise RecordingError(f"{self.folder}: {video} has no frame {outside[0]}; it has {length}")
        return wanted

    def _raise_missing(self, video: str, kind: str, frame: int) -> NoReturn:
        """Raise RecordingError for a missing frame, pose or label, with what the index says of the video."""
        why = self._why(video, kind, frame)
        raise RecordingError(f"{self.folder}: {kind.removesuffix('s')} {frame} of {video} is missing ({why})")

    def _why(self, video: str, kind: str, frame: int) -> str:
        """Why a frame, pose or label is missing: what could not be read of its video, or else what was looked for."""
        return self.index.problems[self._position(video)] or self._looked_for(video, kind, frame)
