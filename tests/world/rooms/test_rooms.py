"""Rooms: a pan there and back, the anchor and nothing else changes, splits that share nothing."""

import subprocess
import sys

import numpy as np
import pytest

from echo.io.seeding import generator
from echo.world.camera import pixel_rays, rotation_matrices
from echo.world.layout import ANCHOR_ID
from echo.world.paths import trajectory
from echo.world.rooms.assets import MESHES, SURFACES, AssetError, split_portraits
from echo.world.rooms.identities import AREA, OPEN_DOMAIN, TRAIN, anchor
from echo.world.rooms.render import Layer, Light, render_room
from echo.world.rooms.rooms import sample_room
from tests.conftest import ROOT

FOV = 75.0


@pytest.mark.parametrize("split", ["train", "open_domain"])
def test_a_pan_there_and_back_gives_identical_pixels(library, split):
    room = sample_room(0, split, 0, library)
    poses = trajectory("loop", room.start, 8, generator(0, "pan"), room.clear)
    seen = render_room(room, poses, 48, FOV, library)
    for array in (seen.rgb, seen.depth, seen.ids):
        assert np.array_equal(array, array[::-1])
    assert not np.array_equal(seen.rgb[0], seen.rgb[16])


@pytest.mark.parametrize("index", range(3))
def test_swapping_the_anchor_changes_nothing_outside_its_masks(library, index):
    """Neither pixels, nor depth, nor caption, nor where a camera may go."""
    rooms = [sample_room(0, "open_domain", index, library, identity) for identity in OPEN_DOMAIN]
    poses = trajectory("replay", rooms[0].start, 4, generator(0, "swap"), rooms[0].clear)
    seen = [render_room(room, poses, 64, FOV, library) for room in rooms]
    for room, frames in zip(rooms[1:], seen[1:], strict=True):
        outside = (frames.ids != ANCHOR_ID) & (seen[0].ids != ANCHOR_ID)
        assert outside.mean() > 0.5
        assert np.array_equal(frames.rgb[outside], seen[0].rgb[outside])
        assert np.array_equal(frames.depth[outside], seen[0].depth[outside])
        assert room.caption == rooms[0].caption
        assert np.array_equal(room.obstacles, rooms[0].obstacles) and np.array_equal(room.start, rooms[0].start)
        assert not np.array_equal(frames.rgb, seen[0].rgb)


def test_anchors_look_equally_large(library):
    """At their final size, from a distance at which each is seen whole, on a finer grid and from other sides."""
    distance, size, fov = 20.0, 256, 10.0
    angles = (np.arange(12) + 0.5) * np.pi / 6
    poses = [[-distance * np.cos(a), -distance * np.sin(a), 1.0, 0, 0, np.rad2deg(a)] for a in angles]
    metres = 2 * np.tan(np.deg2rad(fov) / 2) * distance / size  # a pixel's side at the anchor
    areas = {}
    for name in (*OPEN_DOMAIN, *TRAIN):
        seen = Layer(anchor(name, library), library).render(np.array(poses), size, fov, Light((0, 0, 5), 1.0, 0.0))
        mask = seen.ids == ANCHOR_ID
        assert not (mask[:, [0, -1]].any() or mask[:, :, [0, -1]].any()), name
        areas[name] = mask.sum() / len(poses) * metres**2
    assert all(area == pytest.approx(AREA, rel=0.1) for area in areas.values()), areas


def test_no_caption_names_an_anchor(library):
    words = {word for name in (*OPEN_DOMAIN, *TRAIN) for word in (*name.split("_"), "duck", "tree", "anchor")}
    for split in ("train", "in_domain", "open_domain"):
        for index in range(30):
            caption = sample_room(0, split, index, library).caption
            assert not words & set(caption.replace(",", "").split()), caption


def test_splits_share_no_asset(library):
    for use in SURFACES:
        assert not set(SURFACES[use]["train"]) & set(SURFACES[use]["open_domain"])
    assert not set(MESHES["train"]) & set(MESHES["open_domain"])
    assert not set(TRAIN) & set(OPEN_DOMAIN)
    halves = [set(split_portraits(library.portraits, split)) for split in ("train", "open_domain")]
    assert not halves[0] & halves[1] and len(halves[0] | halves[1]) == len(library.portraits)
    assert len(halves[1]) >= 10


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


def test_rooms_are_clear_where_they_say_so(library):
    """No camera within the margin of a wall, of an obstacle or of the anchor."""
    room = sample_room(0, "train", 2, library)
    inside = generator(0, "points").uniform(0, 1, (2000, 3)) * [*room.size[:2], 1]
    clear = room.clear(inside)
    assert 0.05 < clear.mean() < 0.95
    assert room.clear(room.start[None, :3])[0]
    assert not room.clear(np.array([[0.1, 1.0, 1.2]]))[0]
    assert not room.clear(np.array([[*room.obstacles[0, :2], 1.2]]))[0]


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


def test_unknown_names_are_errors(library):
    with pytest.raises(ValueError, match="identity 'ghost': expected one of building"):
        anchor("ghost", library)
    with pytest.raises(AssetError, match="no texture 'ghost'"):
        library.index("ghost")
    with pytest.raises(AssetError, match="no mesh 'ghost'"):
        library.mesh("ghost")
