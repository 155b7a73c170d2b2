"""Splits, trajectories and branches fit one another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echo.study.words import (
    BRANCHES,
    EVALUATED,
    SEGMENTS,
    SPLITS,
    first_target,
    generated_frames,
    given_frames,
    segments_of,
    splits_of,
)


def test_every_branch_follows_a_trajectory_of_its_split():
    for branch in BRANCHES.values():
        for on, splits in EVALUATED.items():
            assert branch.trajectory in SPLITS[branch.split(on)].trajectories and branch.split(on) in splits
        assert branch.segments == SEGMENTS[branch.trajectory] and 1 <= branch.generated_segments <= branch.segments
    assert set(SEGMENTS) == {name for split in SPLITS.values() for name in split.trajectories}


def test_what_is_reported_and_what_settings_are_chosen_on_share_no_split():
    reported, choosing = (set(splits_of(on)) for on in ("reported", "choosing"))
    assert reported & choosing == {"train"} and reported | choosing == set(SPLITS)
    assert len({split.stream for split in SPLITS.values()}) == len(SPLITS)
    assert set(SPLITS["choosing"].trajectories) == {branch.trajectory for branch in BRANCHES.values()}


def test_the_reported_splits_draw_from_other_streams_than_those_of_the_first_study():
    """Settings were chosen on what the streams "in_domain" and "open_domain" give."""
    assert not {"in_domain", "open_domain"} & {split.stream for split in SPLITS.values()}
    assert SPLITS["train"].stream == "train"  # whose rooms stay what they are


def test_returns_and_revisits_are_two_things_and_both_stand_still_at_the_end():
    assert {name for name, branch in BRANCHES.items() if branch.returns} == {"return_45", "return_strict", "recall"}
    revisits = {name for name, branch in BRANCHES.items() if branch.revisits}
    assert revisits == {"revisit_near", "revisit_far", "return_far_8", "return_far_16"}
    assert all(BRANCHES[name].recall and not BRANCHES[name].ends_at_first for name in revisits)
    assert not BRANCHES["replay"].ends_at_first and BRANCHES["loop"].ends_at_first


@pytest.mark.parametrize("branch", BRANCHES.values(), ids=lambda branch: branch.name)
def test_what_is_generated_follows_what_is_given(branch):
    """With true history all frames before the last segment are given; else the first, and every other is generated."""
    generated, given_ones = generated_frames(branch.name, 8), given_frames(branch.name, 8)
    last = SEGMENTS[branch.trajectory] * 8
    assert list(generated) == list(range(last - 7 if branch.recall else 1, last + 1))
    assert list(given_ones) == list(range(last - 7 if branch.recall else 1))


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
