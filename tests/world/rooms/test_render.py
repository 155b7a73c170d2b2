"""Ray casting: planar metric depth, layers, the same bytes in every process."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from echo.world.camera import pixel_rays, rotation_matrices
from echo.world.rooms.render import Frames, combine, render_room
from echo.world.rooms.rooms import sample_room
from tests.conftest import ROOT

FOV = 75.0


def test_depth_is_planar_and_metric(library):
    """The point that depth and ray give lies in the room's box, and on a wall where the ids say so."""
    room = sample_room(0, "train", 1, library)
    seen = render_room(room, room.start[None], 32, FOV, library)
    rays = pixel_rays(32, FOV) @ rotation_matrices(room.start[None])[0].T
    points = room.start[:3] + seen.depth[0][..., None] * rays
    size = np.array(room.size)
    assert (points > -1e-3).all() and (points < size + 1e-3).all()
    shell = points[seen.ids[0] == 1]
    assert np.minimum(np.abs(shell), np.abs(shell - size)).min(1).max() < 1e-3


def test_another_process_renders_the_same_bytes(assets):
    code = (
        "from pathlib import Path; from hashlib import sha256\n"
        "from echo.world.rooms.library import load_library; from echo.world.rooms.rooms import sample_room\n"
        "from echo.world.rooms.render import render_room\n"
        f"library = load_library(Path({str(assets)!r}), 256); room = sample_room(0, 'train', 4, library)\n"
        "print(sha256(render_room(room, room.start[None], 32, 75.0, library).rgb.tobytes()).hexdigest())"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
            for _ in range(2)]  # fmt: skip
    assert runs[0] == runs[1] and len(runs[0]) == 65


def test_the_nearer_layer_is_seen_and_the_back_one_where_both_are_as_near():
    draw = np.random.default_rng(0)
    depths = draw.integers(1, 4, (2, 2, 5, 5)).astype(np.float32)
    layers = [Frames(np.full((2, 5, 5, 3), i, np.uint8), depth, np.full((2, 5, 5), i, np.uint8))
              for i, depth in enumerate(depths)]  # fmt: skip
    seen = combine(*layers)
    for place in np.ndindex(2, 5, 5):
        front = int(depths[1][place] < depths[0][place])
        assert (seen.rgb[place] == front).all() and seen.ids[place] == front
        assert seen.depth[place] == depths[:, *place].min()


def test_a_broad_frame_is_the_middle_of_a_square_one(library):
    """Its rays are those of the square's middle rows, whose vertical field of view it has."""
    room = sample_room(0, "train", 1, library)
    square, broad = (render_room(room, room.start[None], size, FOV, library) for size in (32, (16, 32)))
    assert broad.rgb.shape == (1, 16, 32, 3)
    for name in ("rgb", "depth", "ids"):
        assert np.array_equal(getattr(broad, name), getattr(square, name)[:, 8:24])
