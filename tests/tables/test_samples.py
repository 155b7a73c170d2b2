"""Pictures for the figures: the right frames of the right cases, and the truth where a row was given it."""

import numpy as np
import pytest

from echo.io.pictures import load_pictures
from echo.io.seeding import generator
from echo.rollout.frames import Rollout
from echo.study.words import BRANCHES
from echo.tables.complete import expected
from echo.tables.read import TableError
from echo.tables.samples import branch_sample, pool_sample, rollouts_sample, shown_frames, spread


@pytest.fixture
def sampled(made_runs):
    """Draws the sample of a branch and returns its arrays."""
    wanted = expected(made_runs.study, {split: pool.info for split, pool in made_runs.pools.items()})
    by_row = dict(zip(made_runs.study.rows, made_runs.inputs["rollouts"], strict=True))

    def draw(branch):
        out = made_runs.folder / "samples" / f"{branch}.npz"
        pool = made_runs.pools["in_domain" if branch in ("replay", "loop") else "open_domain"]
        branch_sample(made_runs.study, wanted, branch, by_row, pool, out)
        return load_pictures(out), by_row, pool

    return draw


def plain_rollouts(made) -> None:
    """Give every generated frame one grey level of its own: random pixels would not survive WebP."""
    for folder in made.inputs["rollouts"]:
        for path in sorted(folder.glob("*.safetensors")):
            rollout = Rollout.load(path)
            levels = generator(0, folder.name, path.stem).integers(0, 256, rollout.frames.shape[:2])
            plain = np.broadcast_to(levels[..., None, None, None], rollout.frames.shape).astype(np.uint8)
            Rollout(plain, rollout.index, rollout.cases).save(path)


def alike(stored, given) -> bool:
    """Whether pictures are the same but for what WebP loses."""
    return stored.shape == given.shape and np.abs(stored.astype(int) - given).max() < 20


@pytest.mark.parametrize("branch", BRANCHES)
def test_pictures_are_the_rollouts_frames_and_else_the_truth(sampled, made_runs, branch):
    plain_rollouts(made_runs)
    arrays, folders, pool = sampled(branch)
    for r, row in enumerate(arrays["rows"]):
        rollout = Rollout.load(folders[str(row)] / f"{branch}.safetensors")
        for c, case in enumerate(arrays["cases"]):
            for f, frame in enumerate(arrays["frames"]):
                truth = pool.frames(str(case), [frame])[0]
                assert alike(arrays["truth"][c, f], truth)
                where = np.flatnonzero(rollout.index == frame)
                own = rollout.frames[rollout.cases.index(case), where[0]] if len(where) else truth
                assert alike(arrays["images"][r, c, f], own)


def test_a_return_shows_first_farthest_and_last_view_and_a_replay_the_whole_way():
    assert list(shown_frames("return_strict", 24, 8)) == [0, 16, 24]
    assert list(shown_frames("revisit_far", 24, 8)) == [8, 16, 24]  # the middle of the way out
    assert list(shown_frames("return_far_8", 88, 8)) == [8, 80, 88]
    assert list(shown_frames("replay", 24, 8)) == [0, 4, 8, 12, 16, 20, 24]
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
    found = load_pictures(made_runs.folder / "pool.npz")
    assert found["images"].shape == (3, 2, 8, 8, 3)
    assert list(found["columns"]) == ["cone", "duck"]
    first = pool.frames("open_domain_1_cone__return_strict", [0])[0]
    assert alike(found["images"][1, 0], first)


def test_pool_sample_of_rooms_with_an_identity_each_has_no_names_of_columns(made_runs):
    pool = made_runs.pools["open_domain"]
    pool.info = pool.info[[anchor == ("duck" if room.endswith("1") else "cone")
                           for anchor, room in zip(pool.info.anchor, pool.info.room, strict=True)]]  # fmt: skip
    pool_sample(pool, made_runs.folder / "pool.npz")
    found = load_pictures(made_runs.folder / "pool.npz")
    assert found["images"].shape == (3, 1, 8, 8, 3) and "columns" not in found


def test_rollouts_are_the_first_cases_of_every_branch_of_two_rows(made_runs):
    wanted = expected(made_runs.study, {split: pool.info for split, pool in made_runs.pools.items()})
    by_row = dict(zip(made_runs.study.rows, made_runs.inputs["rollouts"], strict=True))
    plain_rollouts(made_runs)
    rollouts_sample(made_runs.study, wanted, by_row, made_runs.pools, made_runs.folder / "rollouts.npz")
    found = load_pictures(made_runs.folder / "rollouts.npz")
    assert list(found["rows"]) == ["i2v", "context_k5"]  # the study has no context_k20
    branches = len(made_runs.study.evaluate.branches)
    assert found["images"].shape == (2, branches, 4, 2, 8, 8, 3)
    assert found["truth"].shape == (branches, 4, 2, 8, 8, 3)
    for b, branch in enumerate(found["branches"]):
        frames, generated = found["frames"][b], list(wanted.frames[str(branch)])
        assert frames[-1] == generated[-1] and set(frames) <= set(generated) and len(set(frames)) == 2
        assert list(found["cases"][b]) == list(wanted.cases[str(branch)])[:4]
        pool = made_runs.pools["in_domain" if branch in ("replay", "loop") else "open_domain"]
        for c, case in enumerate(found["cases"][b]):
            assert alike(found["truth"][b, c], pool.frames(str(case), frames))
            for r, folder in enumerate(by_row.values()):
                rollout = Rollout.load(folder / f"{branch}.safetensors")
                assert alike(found["images"][r, b, c], rollout.frames[c, [generated.index(f) for f in frames]])
