"""A pool of videos on disk, in the layout of the Context-as-Memory dataset, so that the real one drops in.

::

    frames/<video>/0000.png                     frames
    jsons/<video>.json                          {"CineCameraActor": {"0": {"position": [x, y, z],
                                                 "rotation": [roll, pitch, yaw]}, ...}}, degrees
    captions.txt                                <video>/<start>_<end>.mp4<TAB>caption
    overlap_labels/<video>/<i>.json             {"overlapping_frames": [...]}
    metadata.csv                                video,prompt,video_name,start_frame,end_frame
    depth/<video>.safetensors, masks/<video>.safetensors, videos.csv          beside it, where frames are rendered

Small pools may hold ``packed/<video>.safetensors`` (rgb, depth, ids, overlapping) in place of frames, overlap labels,
depth and masks; ``Pool`` reads both. What is missing is an error that names video and index, never an identity pose.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pandas as pd
from safetensors import safe_open

from echo.io.files import atomic_path, write_json, write_text
from echo.io.tensors import save_tensors
from echo.world.rooms.layout import (
    COLUMNS,
    Captions,
    PoolError,
    frame_name,
    pose_rows,
    read_cameras,
    read_captions,
    read_images,
    read_overlapping,
)
from echo.world.rooms.render import ANCHOR_ID


@dataclass(frozen=True)
class Video:
    """One video to be written. rgb (F, H, W, 3) uint8, depth (F, H, W) metres, ids (F, H, W) uint8, poses (F, 6),
    overlapping (F, F) bool."""

    name: str
    rgb: np.ndarray
    depth: np.ndarray
    ids: np.ndarray
    poses: np.ndarray
    overlapping: np.ndarray
    caption: str


def write_video(folder: Path, video: Video, packed: bool) -> None:
    """Add one video; it is complete once its poses are there, which are written last."""
    depth = video.depth.astype(np.float16)
    if packed:
        arrays = {"rgb": video.rgb, "depth": depth, "ids": video.ids, "overlapping": video.overlapping.astype(np.uint8)}
        save_tensors(folder / "packed" / f"{video.name}.safetensors", arrays)
    else:
        _write_frames(folder / "frames" / video.name, video.rgb)
        labels = folder / "overlap_labels" / video.name
        for i, row in enumerate(video.overlapping):
            write_json(labels / f"{i}.json", {"overlapping_frames": np.flatnonzero(row).tolist()})
        for kind, array in (("depth", depth), ("masks", video.ids)):
            save_tensors(folder / kind / f"{video.name}.safetensors", {kind: array})
    cameras = {
        str(i): {"position": pose[:3].tolist(), "rotation": pose[3:].tolist()} for i, pose in enumerate(video.poses)
    }
    write_json(folder / "jsons" / f"{video.name}.json", {"CineCameraActor": cameras})


def _write_frames(folder: Path, rgb: np.ndarray) -> None:
    """PNG files in a folder that appears at once."""
    partial = folder.with_name(f".{folder.name}.{os.getpid()}")
    partial.mkdir(parents=True, exist_ok=True)
    for i, frame in enumerate(rgb):
        imageio.imwrite(partial / frame_name(i), frame)
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(partial, folder)


def is_written(folder: Path, name: str) -> bool:
    """Whether ``write_video`` finished for a video."""
    return (folder / "jsons" / f"{name}.json").is_file()


def write_tables(folder: Path, info: pd.DataFrame, captions: dict[str, str]) -> None:
    """The pool's tables, once all videos are there. info: ``COLUMNS``; captions: one a video, over its whole length."""
    spans = {row.video: (0, row.frames - 1) for row in info.itertuples()}
    lines = [f"{name}/{first}_{last}.mp4\t{captions[name]}" for name, (first, last) in spans.items()]
    write_text(folder / "captions.txt", "\n".join(lines) + "\n")
    metadata = pd.DataFrame(
        [(f"{name}/{a}_{b}.mp4", captions[name], name, a, b) for name, (a, b) in spans.items()],
        columns=["video", "prompt", "video_name", "start_frame", "end_frame"],
    )
    for name, table in (("metadata.csv", metadata), ("videos.csv", info[COLUMNS])):
        with atomic_path(folder / name) as temporary:
            table.to_csv(temporary, index=False)


class Pool:
    """Reads a pool; opening it reads tables only."""

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        if not (self.folder / "captions.txt").is_file():
            raise PoolError(f"{self.folder}: no pool there (captions.txt is missing)")

    @cached_property
    def info(self) -> pd.DataFrame:
        """``COLUMNS`` indexed by video; a pool without videos.csv has split, room = video and no anchor."""
        path = self.folder / "videos.csv"
        if path.is_file():
            return pd.read_csv(path, keep_default_na=False).set_index("video")
        names = sorted(p.stem for p in (self.folder / "jsons").glob("*.json"))
        rows = [(name, "", name, "", "", len(self._poses(name))) for name in names]
        return pd.DataFrame(rows, columns=COLUMNS).set_index("video")

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

    def frames(self, video: str, indices=None) -> np.ndarray:
        """Frames (F, H, W, 3) uint8, all or those at ``indices``."""
        packed = self._array(video, "rgb", "frames")
        wanted = np.arange(self.length(video)) if indices is None else np.asarray(indices, dtype=np.int64)
        self._check(video, wanted)
        if packed is not None:
            return packed[wanted]
        paths = [self.folder / "frames" / video / frame_name(i) for i in wanted]
        for i, path in zip(wanted, paths, strict=True):
            if not path.is_file():
                raise PoolError(f"{self.folder}: frame {i} of {video} is missing ({path.name})")
        return read_images(paths, video)

    def poses(self, video: str) -> np.ndarray:
        """Poses (F, 6) float64: x, y, z, roll, pitch, yaw (degrees)."""
        cameras = self._poses(video)
        missing = [i for i in range(self.length(video)) if str(i) not in cameras]
        if missing:
            raise PoolError(f"{self.folder}: pose {missing[0]} of {video} is missing ({len(missing)} in all)")
        return pose_rows(cameras, range(self.length(video)), self._pose_file(video), video)

    def caption(self, video: str, start: int = 0) -> str:
        """The caption of the stretch that holds frame ``start``."""
        for first, last, caption in self._captions.get(video, []):
            if first <= start <= last:
                return caption
        raise PoolError(f"{self.folder}: no caption covers frame {start} of {video}")

    def depth(self, video: str) -> np.ndarray:
        """Planar depth (F, H, W) float32, in metres."""
        return self._needed(video, "depth", "depth").astype(np.float32)

    def ids(self, video: str) -> np.ndarray:
        """Object ids (F, H, W) uint8."""
        return self._needed(video, "ids", "masks")

    def masks(self, video: str) -> np.ndarray:
        """Where the identity anchor is seen: (F, H, W) bool."""
        return self.ids(video) == ANCHOR_ID

    def overlapping(self, video: str, index: int) -> list[int]:
        """Frames whose view overlaps with frame ``index``'s."""
        self._check(video, np.array([index]))
        packed = self._array(video, "overlapping", "overlap_labels")
        if packed is not None:
            return np.flatnonzero(packed[index]).tolist()
        return read_overlapping(self.folder / "overlap_labels" / video / f"{index}.json", video)

    @cached_property
    def _captions(self) -> Captions:
        return read_captions(self.folder / "captions.txt")

    def _pose_file(self, video: str) -> Path:
        return self.folder / "jsons" / f"{video}.json"

    def _poses(self, video: str) -> dict:
        return read_cameras(self._pose_file(video), video)

    def _check(self, video: str, indices: np.ndarray) -> None:
        outside = indices[(indices < 0) | (indices >= self.length(video))]
        if len(outside):
            raise PoolError(f"{self.folder}: {video} has no frame {outside[0]}; it has {self.length(video)}")

    def _array(self, video: str, name: str, unpacked: str) -> np.ndarray | None:
        """An array of the packed file, or None where the video is stored unpacked."""
        self.length(video)
        path = self.folder / "packed" / f"{video}.safetensors"
        if path.is_file():
            with safe_open(path, "np") as file:
                return file.get_tensor(name)
        if unpacked in ("frames", "overlap_labels") and not (self.folder / unpacked / video).is_dir():
            raise PoolError(f"{self.folder}: {unpacked} of {video} are missing")
        return None

    def _needed(self, video: str, name: str, unpacked: str) -> np.ndarray:
        packed = self._array(video, name, unpacked)
        if packed is not None:
            return packed
        path = self.folder / unpacked / f"{video}.safetensors"
        if not path.is_file():
            raise PoolError(f"{self.folder}: {unpacked} of {video} is missing")
        with safe_open(path, "np") as file:
            return file.get_tensor(unpacked)
