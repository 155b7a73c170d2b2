"""What a pool is: both kinds are one, and what opens them says what it misses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from echo.io.errors import UserError
from echo.world.errors import RecordingError
from echo.world.pool import COLUMNS, INFO, Pool, PoolError, open_pool
from echo.world.recordings.clip_pool import ClipPool
from echo.world.rooms.rendered_pool import RenderedPool


def write_small_pool(folder: Path) -> None:
    """A pool of one video of two frames, as others make it."""
    for kind in ("frames/scene", "jsons"):
        (folder / kind).mkdir(parents=True)
    for i in range(2):
        Image.fromarray(np.full((4, 4, 3), i, np.uint8)).save(folder / "frames" / "scene" / f"{i:04d}.png")
    cameras = {str(i): {"position": [i, 0, 0], "rotation": [0, 0, 0]} for i in range(2)}
    (folder / "jsons" / "scene.json").write_text(json.dumps({"CineCameraActor": cameras}))
    (folder / "captions.txt").write_text("scene/0_1.mp4\ta hall\n")


def test_a_folder_of_others_opens_with_all_columns(tmp_path):
    write_small_pool(tmp_path)
    pool = open_pool(tmp_path)
    assert isinstance(pool, RenderedPool) and isinstance(pool, Pool)
    assert [pool.info.index.name, *pool.info.columns] == COLUMNS == list(INFO)
    assert pool.info.loc["scene"].tolist() == ["", "scene", "", "", 2]
    assert pool.frames("scene")[:, 0, 0, 0].tolist() == [0, 1]


def test_each_kind_has_every_method_of_a_pool():
    methods = [name for name in vars(Pool) if name[0] != "_"]
    assert {"info", "frames", "poses", "caption", "masks", "depth"} <= set(methods)
    for kind in (RenderedPool, ClipPool):
        assert all(hasattr(kind, name) or name == "info" for name in methods)


def test_no_pool_is_an_error_for_users(tmp_path):
    with pytest.raises(PoolError, match="no pool there"):
        open_pool(tmp_path)
    assert issubclass(RecordingError, PoolError) and issubclass(PoolError, UserError)
