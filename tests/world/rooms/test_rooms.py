"""Rooms: a pan there and back, the anchor and nothing else changes, splits that share nothing."""

import numpy as np
import pytest

from echo.io.seeding import generator
from echo.world.layout import ANCHOR_ID
from echo.world.paths import trajectory
from echo.world.rooms.assets import MESHES, SURFACES, AssetError, fetch_assets, split_portraits
from echo.world.rooms.identities import OPEN_DOMAIN, TRAIN
from echo.world.rooms.render import render_room
from echo.world.rooms.rooms import sample_room

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


def test_rooms_are_clear_where_they_say_so(library):
    """No camera within the margin of a wall, of an obstacle or of the anchor."""
    room = sample_room(0, "train", 2, library)
    inside = generator(0, "points").uniform(0, 1, (2000, 3)) * [*room.size[:2], 1]
    clear = room.clear(inside)
    assert 0.05 < clear.mean() < 0.95
    assert room.clear(room.start[None, :3])[0]
    assert not room.clear(np.array([[0.1, 1.0, 1.2]]))[0]
    assert not room.clear(np.array([[*room.obstacles[0, :2], 1.2]]))[0]


def test_assets_that_cannot_be_had_are_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(AssetError, match="miniworld==2.1.0: could not be downloaded") as error:
        fetch_assets(tmp_path / "assets")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "assets").exists()


def test_a_folder_that_is_no_pack_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(AssetError, match="exists, but has no assets.json"):
        fetch_assets(tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "kept"
