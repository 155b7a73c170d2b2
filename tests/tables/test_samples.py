"""Pictures for the figures: the right frames of the right cases, and the truth where a row was given it."""

import numpy as np
import pytest

from echo.rollout.frames import Rollout
from echo.study.words import BRANCHES
from echo.tables.complete import expected
from echo.tables.read import TableError
from echo.tables.samples import branch_sample, pool_sample, shown_frames, spread


@pytest.fixture
def sampled(made_runs):
    """Draws the sample of a branch and returns its arrays."""
    wanted = expected(made_runs.study, {split: pool.info for split, pool in made_runs.pools.items()})
    by_row = dict(zip(made_runs.study.rows, made_runs.inputs["rollouts"], strict=True))

    def draw(branch):
        out = made_runs.folder / "samples" / f"{branch}.npz"
        pool = made_runs.pools["in_domain" if branch in ("replay", "loop") else "open_domain"]
        branch_sample(made_runs.study, wanted, branch, by_row, pool, out)
        with np.load(out) as file:
            return dict(file), by_row, pool

    return draw


@pytest.mark.parametrize("branch", BRANCHES)
def test_pictures_are_the_rollouts_frames_and_else_the_truth(sampled, branch):
    arrays, folders, pool = sampled(branch)
    for r, row in enumerate(arrays["rows"]):
        rollout = Rollout.load(folders[str(row)] / f"{branch}.safetensors")
        for c, case in enumerate(arrays["cases"]):
            for f, frame in enumerate(arrays["frames"]):
                truth = pool.frames(str(case), [frame])[0]
                np.testing.assert_array_equal(arrays["truth"][c, f], truth)
                where = np.flatnonzero(rollout.index == frame)
                own = rollout.frames[rollout.cases.index(case), where[0]] if len(where) else truth
                np.testing.assert_array_equal(arrays["images"][r, c, f], own)


def test_a_return_shows_first_farthest_and_last_view_and_a_replay_the_whole_way():
    assert list(shown_frames("return_strict", 24, 8)) == [0, 16, 24]
    assert list(shown_frames("revisit_far", 24, 8)) == [8, 16, 24]  # the middle of the way out
    assert list(shown_frames("return_far_8", 88, 8)) == [8, 80, 88]
    assert list(shown_frames("replay", 24, 8)) == [0, 3, 6, 9, 12, 15, 18, 21, 24]
    assert list(shown_frames("replay", 3, 1)) == [0, 1, 2, 3]


def test_cases_are_spread_over_the_list():
    assert spread([str(i) for i in range(64)], 1) == ["32"]
    assert spread([str(i) for i in range(64)], 3) == ["16", "32", "47"]


def test_a_rollout_of_other_cases_is_refused(sampled, made_runs):
    path = made_runs.inputs["rollouts"][1] / "recall.safetensors"
    rollout = Rollout.load(path)
    Rollout(rollout.frames[:2], rollout.index, rollout.cases[:2]).save(path)
    with pytest.raises(
        TableError, match="context_k5.*branch recall: its cases or frames are not the study's.*forcerun"
    ):
        sampled("recall")


def test_pool_sample_shows_every_identity_of_a_scene(made_runs):
    pool = made_runs.pools["open_domain"]
    pool_sample(pool, made_runs.folder / "pool.npz")
    with np.load(made_runs.folder / "pool.npz") as file:
        assert file["images"].shape == (3, 2, 8, 8, 3)
        assert list(file["columns"]) == ["cone", "duck"]
        first = pool.frames("open_domain_1_cone__return_strict", [0])[0]
        np.testing.assert_array_equal(file["images"][1, 0], first)


def test_pool_sample_of_rooms_with_an_identity_each_has_no_names_of_columns(made_runs):
    pool = made_runs.pools["open_domain"]
    pool.info = pool.info[[anchor == ("duck" if room.endswith("1") else "cone")
                           for anchor, room in zip(pool.info.anchor, pool.info.room, strict=True)]]  # fmt: skip
    pool_sample(pool, made_runs.folder / "pool.npz")
    with np.load(made_runs.folder / "pool.npz") as file:
        assert file["images"].shape == (3, 1, 8, 8, 3) and "columns" not in file
