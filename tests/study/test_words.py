"""Splits, trajectories and branches fit one another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echo.study.words import BRANCHES, HELD_OUT, SEGMENTS, SPLITS, first_target, segments_of


def test_every_branch_follows_a_trajectory_of_its_split():
    for branch in BRANCHES.values():
        assert branch.trajectory in SPLITS[branch.split].trajectories and branch.split in HELD_OUT
        assert branch.segments == SEGMENTS[branch.trajectory] and 1 <= branch.generated_segments <= branch.segments
    assert set(SEGMENTS) == {name for split in SPLITS.values() for name in split.trajectories}


def test_names_and_labels_are_one_each():
    for held in (SPLITS, BRANCHES):
        assert all(name == one.name for name, one in held.items())
    assert len({branch.label for branch in BRANCHES.values()}) == len(BRANCHES)
    assert len({split.prefix for split in SPLITS.values()}) == len(SPLITS)


@given(st.integers(1, 9), st.integers(1, 90))
def test_segments_follow_one_another(segments, frames):
    length = 1 + segments * frames
    assert segments_of(length, frames) == segments
    assert first_target(1, frames) == 1 and first_target(segments + 1, frames) == length


def test_a_length_that_is_no_number_of_segments_is_refused():
    with pytest.raises(ValueError, match="10 frames is not 1 \\+ n x 4"):
        segments_of(10, 4)
