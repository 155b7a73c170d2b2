"""Writing a rendered pool, in the layout of the Context-as-Memory dataset.

::

    frames/<video>/0000.png                     frames
    jsons/<video>.json                          {"CineCameraActor": {"0": {"position": [x, y, z],
                                                 "rotation": [roll, pitch, yaw]}, ...}}, degrees
    captions.txt                                <video>/<start>_<end>.mp4<TAB>caption
    overlap_labels/<video>/<i>.json             {"overlapping_frames": [...]}
    metadata.csv                                video,prompt,video_name,start_frame,end_frame
    depth/<video>.safetensors, masks/<video>.safetensors, videos.csv          added to rendered pools

Small pools (``world.packed``) hold ``packed/<video>.safetensors`` (rgb, depth, ids, overlapping) instead of frames,
overlap labels, depth and masks; ``rendered_pool.RenderedPool`` reads both.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32, Float64, UInt8

from echo.io.files import atomic_path, write_json, write_text
from echo.io.tensors import save_tensors
from echo.world.errors import PoolError
from echo.world.layout import CAPTIONS, COLUMNS, VIDEOS, frame_name
from echo.world.rooms.arrays import depth_file, masks_file, packed_file, pose_file, read_arrays


@dataclass(frozen=True)
class Video:
    """One video to be written: its name and caption, and per frame rgb, depth in metres, object ids and poses.

    overlapping: whether frame i's view overlaps with frame j's.
    """

    name: str
    rgb: UInt8[np.ndarray, "frames height width 3"]
    depth: Float32[np.ndarray, "frames height width"]
    ids: UInt8[np.ndarray, "frames height width"]
    poses: Float64[np.ndarray, "frames 6"]
    overlapping: Bool[np.ndarray, "frames frames"]
    caption: str


def write_video(folder: Path, video: Video, packed: bool) -> None:
    """Write one video. Its poses are written last, so it is complete once they exist."""
    # Depths beyond float16's range become infinite, which is their meaning here.
    depth = video.depth.astype(np.float16)
    if packed:
        arrays = {"rgb": video.rgb, "depth": depth, "ids": video.ids, "overlapping": video.overlapping.astype(np.uint8)}
        save_tensors(packed_file(folder, video.name), arrays)
    else:
        _write_frames(folder / "frames" / video.name, video.rgb)
        labels = folder / "overlap_labels" / video.name
        for i, row in enumerate(video.overlapping):
            write_json(labels / f"{i}.json", {"overlapping_frames": np.flatnonzero(row).tolist()})
        save_tensors(depth_file(folder, video.name), {"depth": depth})
        save_tensors(masks_file(folder, video.name), {"masks": video.ids})
    cameras = {
        str(i): {"position": pose[:3].tolist(), "rotation": pose[3:].tolist()} for i, pose in enumerate(video.poses)
    }
    write_json(pose_file(folder, video.name), {"CineCameraActor": cameras})


def _write_frames(folder: Path, rgb: UInt8[np.ndarray, "frames height width 3"]) -> None:
    """Write PNG files to a folder that appears atomically."""
    partial = folder.with_name(f".{folder.name}.{os.getpid()}")
    partial.mkdir(parents=True, exist_ok=True)
    for i, frame in enumerate(rgb):
        imageio.imwrite(partial / frame_name(i), frame)
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(partial, folder)


def is_written(folder: Path, name: str, packed: bool) -> bool:
    """Whether ``write_video`` finished for a video and its files still exist; packed arrays are read to check them."""
    if not pose_file(folder, name).is_file():
        return False
    if not packed:
        return (folder / "frames" / name).is_dir() and (folder / "overlap_labels" / name).is_dir() and all(
            file(folder, name).is_file() for file in (depth_file, masks_file)
        )  # fmt: skip
    try:
        read_arrays(packed_file(folder, name), ("rgb", "depth", "ids", "overlapping"), name)
    except PoolError:
        return False
    return True


def write_tables(folder: Path, info: pd.DataFrame, captions: dict[str, str]) -> None:
    """Write the pool's tables, after all its videos.

    info: one row per video with ``COLUMNS``; captions: one per video, for its whole length.
    """
    spans = {name: (0, frames - 1) for name, frames in zip(info.video, info.frames, strict=True)}
    lines = [f"{name}/{first}_{last}.mp4\t{captions[name]}" for name, (first, last) in spans.items()]
    write_text(folder / CAPTIONS, "\n".join(lines) + "\n")
    metadata = pd.DataFrame(
        [(f"{name}/{first}_{last}.mp4", captions[name], name, first, last) for name, (first, last) in spans.items()],
        columns=["video", "prompt", "video_name", "start_frame", "end_frame"],
    )
    for name, table in (("metadata.csv", metadata), (VIDEOS, info[COLUMNS])):
        with atomic_path(folder / name) as temporary:
            table.to_csv(temporary, index=False)
