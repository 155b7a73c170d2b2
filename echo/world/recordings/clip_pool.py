"""A split cut from recordings, with a rendered pool's interface: frames stay where they were recorded."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors import SafetensorError, safe_open

from echo.io.tensors import read_header
from echo.world.recordings import open_recordings
from echo.world.recordings.base import Recordings
from echo.world.recordings.clips import CLIPS
from echo.world.recordings.fit import fit
from echo.world.recordings.index import RecordingError


class ClipPool:
    """Reads what ``cut_pool`` wrote; opening it reads tables, and frames open the recordings."""

    def __init__(self, folder: Path):
        """Raises RecordingError for a folder without clips, or with a damaged table of them."""
        self.folder = Path(folder)
        if not (self.folder / CLIPS).is_file():
            raise RecordingError(f"{self.folder}: no clips there ({CLIPS} is missing)")
        self.about = read_header(self.folder / CLIPS)
        # Names of videos may be numbers: only the count of frames is one here.
        table = pd.read_csv(self.folder / "videos.csv", keep_default_na=False, dtype=str)
        self.info: pd.DataFrame = table.astype({"frames": int}).set_index("video")
        self._starts = dict(zip(self.info.index, np.cumsum(self.info.frames) - self.info.frames, strict=True))

    @cached_property
    def recordings(self) -> Recordings:
        """The recordings the clips were cut from."""
        return open_recordings(self.about["source"], Path(self.about["folder"]), Path(self.about["cache"]))

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

    def frames(self, video: str, indices=None) -> np.ndarray:
        """Frames (F, H, W, 3) uint8 at the study's size and field of view, all or those at ``indices``."""
        recording, numbers = self.recorded(video, indices)
        frames = self.recordings.frames(recording, numbers)
        view = self.recordings.field_of_view(recording)
        name = f"{self.recordings.folder}: {recording}"
        return fit(frames, view, tuple(self.about["size"]), self.about["field_of_view"], name)

    def recorded(self, video: str, indices=None) -> tuple[str, np.ndarray]:
        """The video a clip was cut from and the numbers (F,) of its frames there."""
        return self.info.loc[video, "room"], self._part(video, "frames", indices)

    def poses(self, video: str) -> np.ndarray:
        """Poses (F, 6) float64: x, y, z, roll, pitch, yaw (degrees)."""
        return self._part(video, "poses")

    def caption(self, video: str, start: int = 0) -> str:
        """The caption of the clip's first frame, which is the whole clip's."""
        self._part(video, "frames", [start])
        return self._captions[video]

    def masks(self, video: str) -> np.ndarray:
        """(F, H, W) bool: the central half of each frame's height and width.

        Recordings have no identity anchor; the judge looks at what the camera points at instead.
        """
        height, width = self.about["size"]
        masks = np.zeros((self.length(video), height, width), dtype=bool)
        masks[:, height // 4 : height - height // 4, width // 4 : width - width // 4] = True
        return masks

    def overlapping(self, video: str, index: int) -> list[int]:
        """Frames of the clip whose view overlaps with frame ``index``'s, by the recording's labels."""
        recording, (number,) = self.recorded(video, [index])
        seen = self.recordings.overlapping(recording, int(number))
        return np.flatnonzero(np.isin(self._part(video, "frames"), seen)).tolist()

    def _part(self, video: str, name: str, indices=None) -> np.ndarray:
        length = self.length(video)
        wanted = np.arange(length) if indices is None else np.asarray(indices, dtype=np.int64).reshape(-1)
        outside = wanted[(wanted < 0) | (wanted >= length)]
        if len(outside):
            raise RecordingError(f"{self.folder}: {video} has no frame {outside[0]}; it has {length}")
        start = int(self._starts[video])
        try:
            with safe_open(self.folder / CLIPS, "np") as file:  # the clip's part alone: thousands of clips are large
                return file.get_slice(name)[start : start + length][wanted]
        except SafetensorError as error:
            raise RecordingError(f"{self.folder / CLIPS}: truncated or not a safetensors file ({error})") from None

    @cached_property
    def _captions(self) -> dict[str, str]:
        table = pd.read_csv(self.folder / "clips.csv", keep_default_na=False, dtype=str)
        return dict(zip(table["clip"], table["caption"], strict=True))
