"""Reading a rendered pool, or a pool from elsewhere in the same layout (``pool_writer``)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32, Float64, UInt8

from echo.world.errors import PoolError
from echo.world.images import read_images
from echo.world.layout import (
    ANCHOR_ID,
    CAPTIONS,
    VIDEOS,
    Captions,
    Indices,
    check_spans,
    frame_name,
    info_table,
    pose_rows,
    read_cameras,
    read_captions,
    read_info,
    read_overlapping,
)
from echo.world.rooms.arrays import REMAKE, depth_file, masks_file, packed_file, pose_file, read_arrays
from echo.world.untrusted import check_gaps, check_name, locate


class RenderedPool:
    """The videos of one split (``echo.world.pool.Pool``). Opening it reads only tables and file names."""

    def __init__(self, folder: Path) -> None:
        """Raise PoolError if the folder has no pool, or has a pool with ``videos.csv`` of which a part is missing."""
        self.folder = Path(folder)
        if not (self.folder / CAPTIONS).is_file():
            raise PoolError(f"{self.folder}: no pool there ({CAPTIONS} is missing)")
        if (self.folder / VIDEOS).is_file():
            self._check_complete()

    @property
    def info(self) -> pd.DataFrame:
        """``COLUMNS`` indexed by video; a pool without videos.csv has room = video, no split, no anchor."""
        return self._info

    @cached_property
    def _info(self) -> pd.DataFrame:
        if (self.folder / VIDEOS).is_file():
            return read_info(locate(self.folder, VIDEOS))
        names = sorted(path.stem for path in locate(self.folder, "jsons").glob("*.json"))
        if not names:
            raise PoolError(f"{self.folder}: no videos there (no jsons/<video>.json)")
        lengths = [len(self._cameras(check_name(name, str(self.folder / "jsons")))) for name in names]
        return info_table([(name, "", name, "", "", count) for name, count in zip(names, lengths, strict=True)])

    @property
    def videos(self) -> list[str]:
        """Names of all videos."""
        return list(self.info.index)

    def length(self, video: str) -> int:
        """Frames of a video."""
        if video not in self.info.index:
            raise PoolError(
                f"{self.folder}: no video {video!r}; it has {len(self.info)}, from {self.info.index[0]!r} on"
            )
        return int(self.info.loc[video, "frames"])

    def frames(self, video: str, indices: Indices | None = None) -> UInt8[np.ndarray, "frames height width 3"]:
        """Frames, all or those at ``indices``."""
        wanted = np.arange(self.length(video)) if indices is None else np.asarray(indices, dtype=np.int64)
        self._check_range(video, wanted)
        packed = self._packed(video, "rgb")
        if packed is not None:
            return packed[wanted]
        self._check_folder(video, "frames")
        paths = [locate(self.folder, "frames", video, frame_name(int(i))) for i in wanted]
        for i, path in zip(wanted, paths, strict=True):
            if not path.is_file():
                raise PoolError(f"{self.folder}: frame {i} of {video} is missing ({path.name})")
        return read_images(paths, video)

    def poses(self, video: str) -> Float64[np.ndarray, "frames 6"]:
        """Poses: x, y, z, roll, pitch, yaw (degrees)."""
        cameras = self._cameras(video)
        missing = [i for i in range(self.length(video)) if str(i) not in cameras]
        if missing:
            raise PoolError(f"{self.folder}: pose {missing[0]} of {video} is missing ({len(missing)} in all)")
        return pose_rows(cameras, range(self.length(video)), pose_file(self.folder, video), video)

    def caption(self, video: str, start: int = 0) -> str:
        """The caption of the first span in the file that contains frame ``start``."""
        spans = self._captions.get(video, [])
        check_spans(spans, self.length(video), self.folder / CAPTIONS, video)
        for first, last, caption in spans:
            if first <= start <= last:
                return caption
        raise PoolError(f"{self.folder}: no caption covers frame {start} of {video}")

    def depth(self, video: str) -> Float32[np.ndarray, "frames height width"]:
        """Planar depth in metres."""
        packed = self._packed(video, "depth")
        return (self._unpacked(video, "depth", depth_file) if packed is None else packed).astype(np.float32)

    def ids(self, video: str) -> UInt8[np.ndarray, "frames height width"]:
        """Object ids."""
        packed = self._packed(video, "ids")
        return self._unpacked(video, "masks", masks_file) if packed is None else packed

    def masks(self, video: str) -> Bool[np.ndarray, "frames height width"]:
        """Mask of the pixels that show the identity anchor."""
        return self.ids(video) == ANCHOR_ID

    def overlapping(self, video: str, index: int) -> list[int]:
        """Frames whose view overlaps with that of frame ``index``."""
        self._check_range(video, np.array([index]))
        packed = self._packed(video, "overlapping")
        if packed is not None:
            return np.flatnonzero(packed[index]).tolist()
        self._check_folder(video, "overlap_labels")
        path = locate(self.folder, "overlap_labels", video, f"{index}.json")
        return read_overlapping(path, video, self.length(video))

    @cached_property
    def _captions(self) -> Captions:
        return read_captions(locate(self.folder, CAPTIONS))

    def _cameras(self, video: str) -> dict:
        """Cameras of one video, keyed by frame number as text."""
        path = locate(self.folder, "jsons", f"{video}.json")
        cameras = read_cameras(path, video)
        check_gaps(np.array(sorted(map(int, cameras)), dtype=np.int64), f"{path}: poses of {video}")
        return cameras

    def _check_complete(self) -> None:
        """Raise PoolError if ``videos.csv`` names a video whose captions, poses or frames are missing."""
        for video, length in self.info.frames.items():
            spans = self._captions.get(video, [])
            if not spans or max(last for _, last, _ in spans) != length - 1:
                raise PoolError(f"{self.folder}: {VIDEOS} gives {video} {length} frames, {CAPTIONS} captions "
                                f"{1 + max((last for _, last, _ in spans), default=-1)}; {REMAKE}")  # fmt: skip
            if not pose_file(self.folder, video).is_file():
                raise PoolError(f"{pose_file(self.folder, video)}: poses of {video} are missing; {REMAKE}")
            if not packed_file(self.folder, video).is_file() and not (self.folder / "frames" / video).is_dir():
                raise PoolError(f"{self.folder}: frames of {video} are missing (packed/{video}.safetensors, or the "
                                f"folder frames/{video}); {REMAKE}")  # fmt: skip
        extra = next((video for video in self._captions if video not in self.info.index), None)
        if extra is not None:
            raise PoolError(f"{self.folder}: {CAPTIONS} has {extra}, {VIDEOS} has not; {REMAKE}")

    def _check_range(self, video: str, indices: np.ndarray) -> None:
        outside = indices[(indices < 0) | (indices >= self.length(video))]
        if len(outside):
            raise PoolError(f"{self.folder}: {video} has no frame {outside[0]}; it has {self.length(video)}")

    def _check_folder(self, video: str, kind: str) -> None:
        if not locate(self.folder, kind, video).is_dir():
            raise PoolError(f"{self.folder}: {kind} of {video} are missing")

    def _packed(self, video: str, name: str) -> np.ndarray | None:
        """An array from the packed file, or None if the video is stored unpacked."""
        self.length(video)
        path = locate(self.folder, "packed", f"{video}.safetensors")
        return self._array(path, name, video) if path.is_file() else None

    def _unpacked(self, video: str, name: str, file: Callable[[Path, str], Path]) -> np.ndarray:
        path = file(self.folder, video)
        return self._array(locate(self.folder, str(path.relative_to(self.folder))), name, video)

    def _array(self, path: Path, name: str, video: str) -> np.ndarray:
        array = read_arrays(path, (name,), video)[name]
        if len(array) != self.length(video):
            raise PoolError(f"{path}: {name} of {video} has {len(array)} frames, {VIDEOS} gives it "
                            f"{self.length(video)}; {REMAKE}")  # fmt: skip
        return array
