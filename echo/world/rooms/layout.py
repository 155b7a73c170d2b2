"""Files of the Context-as-Memory layout, read and checked: shared by the pools written here and by other people's.

Every error is a PoolError of one line that names the file, what it should hold, and the video it belongs to.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from echo.io.errors import UserError

COLUMNS = ["video", "split", "room", "anchor", "trajectory", "frames"]  # of videos.csv, a line a video of a split

Captions = dict[str, list[tuple[int, int, str]]]


class PoolError(UserError):
    """Something of a pool is missing or malformed."""


def frame_name(index: int) -> str:
    """File name of a frame: 0000.png."""
    return f"{index:04d}.png"


def read_image(path: Path, video: str) -> np.ndarray:
    """An image file as (H, W, 3) uint8; raises PoolError for a damaged one."""
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as error:  # PIL raises SyntaxError for a broken PNG chunk
        raise PoolError(f"{path}: frame of {video} cannot be read ({_first_line(error)})") from None


def read_images(paths: list[Path], video: str) -> np.ndarray:
    """Image files of one video as (F, H, W, 3) uint8; raises PoolError for a damaged one or one of another size."""
    images = [read_image(path, video) for path in paths]
    for path, image in zip(paths, images, strict=True):
        if image.shape != images[0].shape:
            sizes = [f"{shape[1]} x {shape[0]}" for shape in (image.shape, images[0].shape)]
            raise PoolError(f"{path}: frame of {video} has {sizes[0]} pixels, {paths[0].name} has {sizes[1]}")
    return np.stack(images)


def read_captions(path: Path) -> Captions:
    """``captions.txt``: for every video, stretches (first frame, last frame, caption) in the file's order."""
    found: Captions = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            where, caption = line.split("\t", 1)
            video, span = where.rsplit("/", 1)
            first, last = span.removesuffix(".mp4").split("_")
            found.setdefault(video, []).append((int(first), int(last), caption))
        except ValueError:
            raise PoolError(f"{path}, line {number}: expected <video>/<start>_<end>.mp4<TAB>caption") from None
    return found


def read_cameras(path: Path, video: str) -> dict[str, dict]:
    """The cameras of ``jsons/<video>.json`` by frame number as text; raises PoolError for a missing or broken file."""
    if not path.is_file():
        raise PoolError(f"{path}: poses of {video} are missing")
    try:
        cameras = json.loads(path.read_text())["CineCameraActor"]
    except (ValueError, KeyError, TypeError) as error:
        raise PoolError(f'{path}: poses of {video} are no JSON of "CineCameraActor" ({_first_line(error)})') from None
    if not isinstance(cameras, dict):
        raise PoolError(f'{path}: poses of {video}: expected "CineCameraActor" to map frame numbers to cameras')
    return cameras


def pose_rows(cameras: dict[str, dict], indices, path: Path, video: str) -> np.ndarray:
    """Poses (F, 6) float64 of the frames ``indices``, all in ``cameras``: x, y, z, roll, pitch, yaw."""
    try:
        rows = [[*cameras[str(i)]["position"], *cameras[str(i)]["rotation"]] for i in indices]
        poses = np.array(rows, dtype=np.float64).reshape(-1, 6)
    except (KeyError, TypeError, ValueError) as error:
        raise PoolError(f"{path}: poses of {video} are malformed: {error}") from None
    if len(poses) != len(rows) or not np.isfinite(poses).all():
        raise PoolError(f"{path}: poses of {video} are malformed: expected 3 + 3 finite numbers a frame")
    return poses


def read_overlapping(path: Path, video: str) -> list[int]:
    """``overlap_labels/<video>/<i>.json``: numbers of the frames whose view overlaps with frame i's."""
    try:
        return [int(frame) for frame in json.loads(path.read_text())["overlapping_frames"]]
    except FileNotFoundError:
        raise PoolError(f"{path}: overlap labels of frame {path.stem} of {video} are missing") from None
    except (ValueError, KeyError, TypeError) as error:
        raise PoolError(f"{path}: overlap labels of {video} are malformed ({_first_line(error)})") from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
