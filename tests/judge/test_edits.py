"""Edits change what they say, by as much as they say, and nothing else."""

import numpy as np
import pytest

from echo.judge.edits import AMOUNTS, APART, SPLIT, Pair, elsewhere, pairs
from echo.world.rooms.assets import fetch_assets
from echo.world.rooms.library import load_library
from echo.world.rooms.rooms import sample_room
from tests.conftest import ROOT

SIZE = 48


@pytest.fixture(scope="module")
def library():
    return load_library(fetch_assets(ROOT / "resources" / "assets"), 256)


@pytest.fixture(scope="module")
def made(library) -> dict[tuple[str, float], Pair]:
    found = list(pairs(3, 0, SIZE, 75.0, library, lambda frame: frame))
    return {(pair.edit, pair.amount): pair for pair in found}


def moved(pair):
    """Pixels that differ."""
    return (pair.first != pair.last).any(-1)


def test_every_edit_has_every_amount_of_one_first_view(made):
    assert list(made) == [(edit, float(amount)) for edit, amounts in AMOUNTS.items() for amount in amounts]
    first = made["identical", 0].first
    for pair in made.values():
        np.testing.assert_array_equal(pair.first, first)
        assert (
            pair.mask.any() and not pair.mask.all() and pair.last.shape == first.shape and pair.last.dtype == np.uint8
        )


def test_no_edit_is_none_and_every_other_changes_something(made):
    for (edit, _), pair in made.items():
        assert moved(pair).any() == (edit not in ("identical", "codec"))


@pytest.mark.parametrize("amount", AMOUNTS["recoloured"])
def test_recolouring_changes_the_anchor_alone(made, amount):
    pair = made["recoloured", amount]
    assert not (moved(pair) & ~pair.mask).any()


def test_removing_leaves_no_pixel_of_the_anchor_and_all_others(made):
    pair = made["removed", 1]
    assert not (moved(pair) & ~pair.mask).any() and (moved(pair) & pair.mask).sum() > 0.8 * pair.mask.sum()


def test_replacing_changes_pixels_of_the_two_anchors_alone(made):
    """What stands behind an anchor is what is there when it is removed: elsewhere the room is the same."""
    replaced, removed = made["replaced", 1], made["removed", 1]
    new = (replaced.last != removed.last).any(-1)  # pixels of the new anchor
    assert not (moved(replaced) & ~replaced.mask & ~new).any() and new.any()


@pytest.mark.parametrize("edit", ["turned", "stepped", "recoloured", "moved", "blurred", "noisy", "blocky"])
def test_a_larger_amount_changes_more(made, edit):
    changed = [np.abs(pair.last.astype(float) - pair.first).mean() for (name, _), pair in made.items() if name == edit]
    assert changed[0] < changed[-1] and (np.diff(changed[:3]) > 0).all()


def test_the_truth_of_every_pair_is_the_first_view(made):
    """A camera that is off is not where it should have come back to."""
    for pair in made.values():
        np.testing.assert_array_equal(pair.truth.frames, pair.first[None])
        np.testing.assert_array_equal(pair.truth.masks, pair.mask[None])
        assert pair.truth.depth.shape == (1, SIZE, SIZE) and (pair.truth.depth > 0).all()
        assert pair.case.last is pair.last and pair.case.truth is pair.truth and pair.case.identity == pair.identity


def test_another_view_of_the_room_is_a_clear_place_farther_off_that_looks_elsewhere(library):
    for number in range(20):
        room = sample_room(3, SPLIT, number, library)
        pose = elsewhere(room, np.random.default_rng(number))
        away, turned = np.linalg.norm((pose - room.start)[:2]), (pose - room.start)[5] % 360
        assert room.clear(pose[None, :3])[0] and away >= APART and 60 <= turned <= 300
        np.testing.assert_array_equal(pose[2:5], room.start[2:5])


def test_blocks_are_means_of_their_squares(made):
    pair = made["blocky", 8]
    for row in range(0, SIZE, 8):
        for column in range(0, SIZE, 8):
            square = pair.first[row : row + 8, column : column + 8].reshape(-1, 3)
            shown = pair.last[row : row + 8, column : column + 8].reshape(-1, 3)
            assert (shown == shown[0]).all() and np.abs(shown[0] - square.mean(0)).max() <= 0.5


def test_all_but_the_identical_view_come_through_the_codec(made, library):
    for pair in pairs(3, 0, SIZE, 75.0, library, lambda frame: 255 - frame):
        plain = made[pair.edit, pair.amount].last
        np.testing.assert_array_equal(pair.last, plain if pair.edit == "identical" else 255 - plain)


def test_pairs_are_the_same_again_and_others_in_another_room(made, library):
    again = list(pairs(3, 0, SIZE, 75.0, library, lambda frame: frame))
    for one, other in zip(made.values(), again, strict=True):
        np.testing.assert_array_equal(one.last, other.last)
    assert (next(pairs(3, 1, SIZE, 75.0, library, lambda frame: frame)).first != again[0].first).any()
