"""The interface every kind of recording is read through: names, frames, poses, captions, and what is missing.

A recording is opened from its index (``index``), which knows of every frame whether it is there and where
the camera was, so that what is missing is named before work is spent. It never becomes an identity pose, a black frame
or an empty list: asking for it is an error of one line.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from echo.world.recordings.index import Index, RecordingError, Scene, open_index


class Recordings(ABC):
    """Videos of one source under one folder.

    Subclasses say which videos there are (``_names``), what each has (``_scan``), what to watch for changes
    (``_watched``) and how its frames are read (``_read``). All numbers of frames count from 0 within their video.
    """

    source: ClassVar[str]
    expected: ClassVar[str]  # one line: what the folder should hold

    def __init__(self, folder: Path, cache: Path):
        """Open ``folder``. ``cache`` is where the index is kept; the folder itself is only read.

        Raises RecordingError for a folder that holds no such recordings.
        """
        self.folder, self.cache = Path(folder), Path(cache)
        if not self.folder.is_dir() or not self._fits():
            raise RecordingError(f"{self.folder}: no {self.source} recordings there; expected {self.expected}")
        self.index: Index = open_index(self.cache, self.source, self._watched(), self._names, self._scan)
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
        """Names of all videos, sorted."""

    @abstractmethod
    def _scan(self, video: str) -> Scene:
        """All the index should know of a video."""

    @abstractmethod
    def _read(self, video: str, indices: np.ndarray) -> np.ndarray:
        """Frames (F, H, W, 3) uint8 of distinct, rising ``indices``, all of which the index has."""

    @property
    def videos(self) -> list[str]:
        """Names of all videos, sorted."""
        return self.index.videos

    def length(self, video: str) -> int:
        """Frames of a video, missing ones included."""
        return len(self._span(video))

    def size(self, video: str) -> tuple[int, int]:
        """Pixels (height, width) of the video's frames."""
        found = self.index.sizes[self._number(video)]
        if found is None:
            self._complain(video, "frames", 0)
        return found

    def present(self, video: str) -> np.ndarray:
        """Which frames are there: (F,) bool."""
        return self.index.present[self._slice(video)]

    def posed(self, video: str) -> np.ndarray:
        """Which frames have a pose: (F,) bool."""
        return ~np.isnan(self.index.poses[self._slice(video), 0])

    def frames(self, video: str, indices) -> np.ndarray:
        """Frames (F, H, W, 3) uint8 at ``indices``, in their order and at the recording's own size.

        Raises RecordingError that names the video and the first frame that is missing or cannot be read.
        """
        wanted = self._check(video, indices)
        absent = wanted[~self.present(video)[wanted]]
        if len(absent):
            self._complain(video, "frames", int(absent[0]))
        distinct, order = np.unique(wanted, return_inverse=True)
        return self._read(video, distinct)[order]

    def poses(self, video: str, indices=None) -> np.ndarray:
        """Poses (F, 6) float64 of all frames, or of ``indices``: x, y, z in metres, roll, pitch, yaw in degrees.

        The convention is that of ``echo.world.camera``. Raises RecordingError that names the first missing pose.
        """
        wanted = self._check(video, range(self.length(video)) if indices is None else indices)
        absent = wanted[~self.posed(video)[wanted]]
        if len(absent):
            self._complain(video, "poses", int(absent[0]))
        return self.index.poses[self._slice(video)][wanted]

    def caption(self, video: str, frame: int = 0) -> str:
        """The caption of the stretch that holds ``frame``, or else of the nearest stretch of its video."""
        self._check(video, [frame])
        stretches = self.index.captions[self._number(video)]
        if not stretches:
            raise RecordingError(f"{self.folder}: no caption of {video}")
        return min(stretches, key=lambda s: max(s[0] - frame, frame - s[1], 0))[2]

    def captioned(self, video: str) -> bool:
        """Whether the video has a caption (an empty one of a format without captions counts)."""
        return bool(self.index.captions[self._number(video)])

    def field_of_view(self, video: str) -> float | None:
        """Horizontal field of view in degrees; None if the format does not say, and the study's is taken."""
        return self.index.fields_of_view[self._number(video)]

    def overlapping(self, video: str, frame: int) -> list[int]:
        """Frames whose view overlaps with ``frame``'s, where the format labels that."""
        raise RecordingError(f"{self.folder}: {self.source} recordings have no overlap labels (asked for {video})")

    def report(self) -> dict[str, dict]:
        """What is missing: for each kind (frames, poses, ...) its count, its videos and the first one by name."""
        return self.index.report()

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {video: number for number, video in enumerate(self.index.videos)}

    def _number(self, video: str) -> int:
        if video not in self._numbers:
            raise RecordingError(
                f"{self.folder}: no video {video!r}; it has {len(self.videos)}, from {self.videos[0]!r} on"
            )
        return self._numbers[video]

    def _slice(self, video: str) -> slice:
        number = self._number(video)
        return slice(int(self.index.starts[number]), int(self.index.starts[number + 1]))

    def _span(self, video: str) -> range:
        here = self._slice(video)
        return range(here.start, here.stop)

    def _check(self, video: str, indices) -> np.ndarray:
        wanted, length = np.asarray(indices, dtype=np.int64).reshape(-1), self.length(video)
        if not length:
            self._complain(video, "frames", 0)
        outside = wanted[(wanted < 0) | (wanted >= length)]
        if len(outside):
            raise RecordingError(f"{self.folder}: {video} has no frame {outside[0]}; it has {length}")
        return wanted

    def _complain(self, video: str, kind: str, frame: int):
        problem = self.index.problems[self._number(video)]
        why = f" ({problem})" if problem else ""
        raise RecordingError(f"{self.folder}: {kind.removesuffix('s')} {frame} of {video} is missing{why}")
