"""A split cut from recordings (``echo.world.pool.Pool``): frames stay where they were recorded."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32, Float64, Int64, UInt8
from safetensors import SafetensorError

from echo.io.tensors import TensorFileError, load_tensors, read_header
from echo.world.errors import RecordingError
from echo.world.layout import VIDEOS, Indices, read_info
from echo.world.recordings import SOURCES, open_recordings
from echo.world.recordings.base import Recordings
from echo.world.recordings.fit import fit
from echo.world.untrusted import first_line

CLIPS = "clips.safetensors"
HEADER = {"source": str, "folder": str, "cache": str, "poses_are": str, "size": list, "field_of_view": float}
REMAKE = "make it again: snakemake --cores all --forcerun pool (with the study's --configfile)"


def read_clips_header(path: Path) -> dict[str, Any]:
    """What ``cut_pool`` says of a table of clips: source, folder, index, size, field of view; else RecordingError."""
    try:
        header = read_header(path)
    except (TensorFileError, ValueError, OSError) as error:
        raise RecordingError(f"{path}: truncated or not a table of clips ({first_line(error)}); {REMAKE}") from None
    if {name: type(value) for name, value in header.items() if name in HEADER} != HEADER or (
        header["source"] not in SOURCES or len(header["size"]) != 2
    ):
        raise RecordingError(f"{path}: expected a header of {', '.join(HEADER)}; {REMAKE}")
    return header


def read_clips(path: Path) -> dict[str, np.ndarray]:
    """Frames (F,) int64 and poses (F, 6) float64 of all clips, one after the other.

    Raises RecordingError for a damaged file.
    """
    try:
        arrays = load_tensors(path, "np", REMAKE)
    except (TensorFileError, SafetensorError, OSError) as error:
        raise RecordingError(f"{path}: truncated or not a safetensors file ({first_line(error)}); {REMAKE}") from None
    kinds = {name: (str(array.dtype), array.shape[1:]) for name, array in arrays.items()}
    if kinds != {"frames": ("int64", ()), "poses": ("float64", (6,))}:
        raise RecordingError(f"{path}: expected frames (F,) int64 and poses (F, 6) float64; {REMAKE}")
    return arrays


class ClipPool:
    """The clips that ``cut_pool`` wrote; opening them reads tables, and frames open the recordings."""

    def __init__(self, folder: Path) -> None:
        """Raise RecordingError for a folder without clips, or with a damaged or cut table of them."""
        self.folder = Path(folder)
        if not (self.folder / CLIPS).is_file():
            raise RecordingError(f"{self.folder}: no clips there ({CLIPS} is missing)")
        self.header = read_clips_header(self.folder / CLIPS)
        self.info: pd.DataFrame = read_info(self.folder / VIDEOS)
        self._starts = dict(zip(self.info.index, np.cumsum(self.info.frames) - self.info.frames, strict=True))

    @cached_property
    def recordings(self) -> Recordings:
        """The recordings the clips were cut from."""
        folder, cache = Path(self.header["folder"]), Path(self.header["cache"])
        return open_recordings(self.header["source"], folder, cache, self.header["poses_are"])

    @property
    def videos(self) -> list[str]:
        """Names of all clips."""
        return list(self.info.index)

    def length(self, video: str) -> int:
        """Frames of a clip."""
        if video not in self._starts:
            raise RecordingError(
                f"{self.folder}: no clip {video!r}; it has {len(self.info)}, from {self.info.index[0]!r} on"
            )
        return int(self.info.loc[video, "frames"])

    def frames(self, video: str, indices: Indices | None = None) -> UInt8[np.ndarray, "frames height width 3"]:
        """Frames at the study's size and field of view, all or those at ``indices``."""
        recording, numbers = self.recorded(video, indices)
        frames = self.recordings.frames(recording, numbers)
        view = self.recordings.field_of_view(recording)
        name = f"{self.recordings.folder}: {recording}"
        height, width = self.header["size"]
        return fit(frames, view, (height, width), self.header["field_of_view"], name)

    def recorded(self, video: str, indices: Indices | None = None) -> tuple[str, Int64[np.ndarray, " frames"]]:
        """The video a clip was cut from, and the numbers of the clip's frames there."""
        return str(self.info.loc[video, "room"]), self._clip_array(video, "frames", indices)

    def poses(self, video: str) -> Float64[np.ndarray, "frames 6"]:
        """Poses: x, y, z, roll, pitch, yaw (degrees)."""
        return self._clip_array(video, "poses")

    def caption(self, video: str, start: int = 0) -> str:
        """The caption of the clip's first frame, which is the whole clip's."""
        self._clip_array(video, "frames", [start])
        if video not in self._captions:
            raise RecordingError(f"{self.folder / 'clips.csv'}: no caption of {video}; {REMAKE}")
        return self._captions[video]

    def masks(self, video: str) -> Bool[np.ndarray, "frames height width"]:
        """The central half of each frame's height and width.

        Recordings have no identity anchor; the judge looks at what the camera points at instead.
        """
        height, width = self.header["size"]
        masks = np.zeros((self.length(video), height, width), dtype=bool)
        masks[:, height // 4 : height - height // 4, width // 4 : width - width // 4] = True
        return masks

    def overlapping(self, video: str, index: int) -> list[int]:
        """Frames of the clip whose view overlaps with that of frame ``index``, by the recording's labels."""
        recording, recorded = self.recorded(video, [index])
        seen = self.recordings.overlapping(recording, int(recorded[0]))
        return np.flatnonzero(np.isin(self._clip_array(video, "frames"), seen)).tolist()

    def depth(self, video: str) -> Float32[np.ndarray, "frames height width"]:
        """Raise RecordingError: recordings have no depth."""
        self._raise_rendered_only("depth", video)

    def ids(self, video: str) -> UInt8[np.ndarray, "frames height width"]:
        """Raise RecordingError: recordings have no object ids."""
        self._raise_rendered_only("object ids", video)

    def _raise_rendered_only(self, what: str, video: str) -> NoReturn:
        raise RecordingError(
            f"{self.folder}: clips of recordings have no {what} (asked for {video}); rendered pools do"
        )

    @cached_property
    def _arrays(self) -> dict[str, np.ndarray]:
        """Frame numbers and poses of all clips, as many as the table of videos says."""
        arrays = read_clips(self.folder / CLIPS)
        lengths = {name: len(array) for name, array in arrays.items()}
        if set(lengths.values()) != {int(self.info.frames.sum())}:
            raise RecordingError(f"{self.folder}: {VIDEOS} lists {self.info.frames.sum()} frames, {CLIPS} holds "
                                 f"{lengths}; {REMAKE}")  # fmt: skip
        return arrays

    def _clip_array(self, video: str, name: str, indices: Indices | None = None) -> np.ndarray:
        """One clip's rows of an array, all or those at ``indices``."""
        length = self.length(video)
        wanted = np.arange(length) if indices is None else np.asarray(indices, dtype=np.int64).reshape(-1)
        outside = wanted[(wanted < 0) | (wanted >= length)]
        if len(outside):
            raise RecordingError(f"{self.folder}: {video} has no frame {outside[0]}; it has {length}")
        start = int(self._starts[video])
        return self._arrays[name][start : start + length][wanted]

    @cached_property
    def _captions(self) -> dict[str, str]:
        path = self.folder / "clips.csv"
        try:
            table = pd.read_csv(path, keep_default_na=False, dtype=str)
            return dict(zip(table["clip"], table["caption"], strict=True))
        except (OSError, ValueError, KeyError) as error:
            raise RecordingError(f"{path}: captions of clips cannot be read ({first_line(error)}); {REMAKE}") from None
