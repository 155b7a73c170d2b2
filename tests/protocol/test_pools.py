"""Cases from pools: a study's own under its names, and stretches of plain videos with their reverse."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from echo.protocol.errors import ProtocolError
from echo.protocol.export import write_set
from echo.protocol.pools import scenes
from echo.protocol.scenes import Setting
from echo.protocol.truth import TrueCases
from echo.world.pool import open_pool

SETTING = Setting("hall", (16, 16), 60.0, 4, 8.0)


@pytest.fixture
def plain(tmp_path):
    """One video of 12 frames as other people store theirs: no table, no masks, no depth."""
    folder = tmp_path / "pool"
    for kind in ("frames/scene", "jsons"):
        (folder / kind).mkdir(parents=True)
    draw = np.random.default_rng(0)
    for i in range(12):
        Image.fromarray(draw.integers(0, 256, (16, 16, 3), np.uint8)).save(folder / "frames" / "scene" / f"{i:04d}.png")
    cameras = {str(i): {"position": [0.1 * i, 0, 0], "rotation": [0, 0, 5 * i]} for i in range(12)}
    (folder / "jsons" / "scene.json").write_text(json.dumps({"CineCameraActor": cameras}))
    (folder / "captions.txt").write_text("scene/0_11.mp4\ta hall\n")
    return open_pool(folder)


def test_a_stretch_and_its_reverse(plain, tmp_path):
    made = write_set(SETTING, scenes(SETTING, plain, 5, None), tmp_path / "cases", tmp_path / "truth")
    cases = TrueCases(tmp_path / "cases", tmp_path / "truth")
    assert [(entry.branch, entry.frames, entry.given) for entry in made.cases] == [("loop", 17, 1)]
    frames, poses = cases.frames("loop__scene"), cases.poses("loop__scene")
    assert np.array_equal(frames, frames[::-1]) and np.array_equal(poses, poses[::-1])
    assert np.array_equal(frames[:9], plain.frames("scene", range(9))) and np.array_equal(
        poses[:9], plain.poses("scene")[:9]
    )
    case = cases.of("loop__scene")
    assert case.caption == "a hall" and case.about.steps is None and cases.seen("loop__scene") is None
    assert cases.masks("loop__scene")[0].sum() == 64  # the middle
    with pytest.raises(ProtocolError, match="not made of steps"):
        _ = case.actions


def test_what_a_pool_has_not_is_one_line(plain):
    with pytest.raises(ProtocolError, match="no videos for branch replay; it has loop"):
        list(scenes(SETTING, plain, 5, ["replay"]))
    with pytest.raises(ProtocolError, match="no video of 17 frames for a stretch; the longest has 12"):
        list(scenes(Setting("hall", (16, 16), 60.0, 8, 8.0), plain, 5, None))
    scene = next(scenes(Setting("hall", (32, 32), 60.0, 4, 8.0), plain, 5, None))
    with pytest.raises(ProtocolError, match="frames of 16 x 16 .* the set has 32 x 32"):
        scene.look()
