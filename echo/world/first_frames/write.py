"""Writing the pool of a user's lone first frames: pictures at the study's size, and the camera's ways from them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float64
from PIL import Image

from echo.io.files import atomic_path, write_json
from echo.io.seeding import generator
from echo.study.config import Study
from echo.study.words import BRANCHES
from echo.world.first_frames.decode import decode
from echo.world.first_frames.listing import FirstFrame
from echo.world.first_frames.pool import SPLIT, mask_file
from echo.world.layout import COLUMNS, frame_name
from echo.world.paths import trajectory
from echo.world.rooms.arrays import pose_file
from echo.world.rooms.pool_writer import write_tables


def write_pool(study: Study, frames: Sequence[FirstFrame], folder: Path) -> dict[str, int]:
    """Write the pool of ``frames`` to ``folder``, for ``open_domain.branches``; returns what a record should hold.

    The camera's way depends on the study's seed and the picture's name. Raises PoolError for a picture or mask that
    cannot be used.
    """
    size, view = (study.world.height, study.world.width), study.world.field_of_view
    kinds = dict.fromkeys(BRANCHES[branch].trajectory for branch in study.open_domain.branches)
    rows, captions, masks = [], {}, 0
    for frame in frames:
        pixels, mask = decode(frame, size, view)
        if mask is not None:
            masks += 1
            _write_png(mask_file(folder, frame.name), mask.astype(np.uint8) * 255)
        for kind in kinds:
            video, draw = f"{frame.name}__{kind}", generator(study.seed, "open_domain", kind, frame.name)
            poses = trajectory(kind, np.zeros(6), study.segment.frames, draw, fov=view)
            _write_png(folder / "frames" / video / frame_name(0), pixels)
            write_json(pose_file(folder, video), _cameras(poses))
            rows.append((video, SPLIT, frame.name, frame.anchor, kind, len(poses)))
            captions[video] = frame.caption
    write_tables(folder, pd.DataFrame(rows, columns=COLUMNS), captions)
    return {"pictures": len(frames), "masks": masks}


def _write_png(path: Path, pixels: np.ndarray) -> None:
    with atomic_path(path) as temporary:
        Image.fromarray(pixels).save(temporary)


def _cameras(poses: Float64[np.ndarray, "frames 6"]) -> dict[str, dict[str, dict[str, list[float]]]]:
    """Poses in the layout's JSON."""
    listed = {str(i): {"position": pose[:3].tolist(), "rotation": pose[3:].tolist()} for i, pose in enumerate(poses)}
    return {"CineCameraActor": listed}
