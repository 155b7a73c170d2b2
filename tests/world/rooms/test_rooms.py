"""Rooms: a pan there and back, the anchor and nothing else changes, splits that share nothing."""

from itertools import combinations

import numpy as np
import pytest

from echo.io.seeding import generator
from echo.study.words import SPLITS
from echo.world.layout import ANCHOR_ID
from echo.world.paths import trajectory
from echo.world.rooms.assets import MESHES, SURFACES, split_portraits, surfaces
from echo.world.rooms.identities import CHOOSING, OPEN_DOMAIN, TRAIN, identities
from echo.world.rooms.meshes import WHITE
from echo.world.rooms.render import render_room
from echo.world.rooms.rooms import sample_room

FOV = 75.0


@pytest.mark.parametrize("split", ["train", "open_domain", "choosing"])
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


def test_no_caption_names_an_anchor(library):
    words = {
        word for name in (*OPEN_DOMAIN, *CHOOSING, *TRAIN) for word in (*name.split("_"), "duck", "tree", "anchor")
    }
    for split in SPLITS:
        for index in range(30):
            caption = sample_room(0, split, index, library).caption
            assert not words & set(caption.replace(",", "").split()), caption


def test_splits_share_no_asset(library):
    columns = ("train", "open_domain", "choosing")
    for a, b in combinations(columns, 2):
        for use in SURFACES:
            assert not set(SURFACES[use][a]) & set(SURFACES[use][b])
        assert not set(MESHES[a]) & set(MESHES[b])
        assert not set(identities(a)) & set(identities(b))
        assert not set(split_portraits(library.portraits, a)) & set(split_portraits(library.portraits, b))
    counts = [len(split_portraits(library.portraits, column)) for column in columns]
    assert sum(counts) == len(library.portraits) and min(counts) >= 8


@pytest.mark.parametrize("split", SPLITS)
def test_a_room_is_built_of_its_own_splits_assets_alone(library, split):
    """Textures by the faces that are really there, not by the tables."""
    own = {name for use in SURFACES for name in surfaces(use, split)} | {WHITE}
    own |= set(split_portraits(library.portraits, split))
    for index in range(6):
        room = sample_room(3, split, index, library)
        named = {library.names[texture] for texture in np.unique(room.triangles.texture)}
        assert {name for name in named if not name.startswith("mesh/")} <= own
        assert room.identity in identities(split)


def test_choosing_rooms_have_colours_that_no_training_room_has(library):
    """A recoloured wall differs from its original by far more than rooms' tints and light change it."""
    for use in SURFACES:
        for name in SURFACES[use]["choosing"]:
            mine, original = (library.texels[library.index(n)][:-1].astype(float) for n in (name, name.split("/")[1]))
            assert np.corrcoef(mine.ravel(), original.ravel())[0, 1] < 0.5, name


def test_training_rooms_are_those_of_the_first_study(library):
    """Their streams and tables have not moved: numbers of room 0 of seed 0, as it always was."""
    room = sample_room(0, "train", 0, library)
    assert room.start.round(3).tolist() == [3.495, 5.002, 1.25, 0.0, 0.0, 177.993]
    assert room.identity == "barrel" and room.caption == "stucco room with asphalt floor, ten portraits and two boxes"


def test_rooms_are_clear_where_they_say_so(library):
    """No camera within the margin of a wall, of an obstacle or of the anchor."""
    room = sample_room(0, "train", 2, library)
    inside = generator(0, "points").uniform(0, 1, (2000, 3)) * [*room.size[:2], 1]
    clear = room.clear(inside)
    assert 0.05 < clear.mean() < 0.95
    assert room.clear(room.start[None, :3])[0]
    assert not room.clear(np.array([[0.1, 1.0, 1.2]]))[0]
    assert not room.clear(np.array([[*room.obstacles[0, :2], 1.2]]))[0]
