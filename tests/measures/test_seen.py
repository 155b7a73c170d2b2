"""Masks of seen pixels: what counts as seen, the file, and quality on each class apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from echo.measures.cases import CASE_COLUMNS, measure_branch, measure_rollouts
from echo.measures.images import psnr
from echo.measures.seen import (
    COLUMNS,
    SeenBranch,
    check_seen,
    load_seen,
    measured_positions,
    on_seen,
    save_seen,
    see_branch,
)
from echo.rollout.frames import RolloutError
from echo.study.words import BRANCHES, generated_frames
from tests.conftest import tiny_study
from tests.scenes import POOLS, STUDY, made_rollout

SIZE = 12
FOV = STUDY.world.field_of_view


class TurningPool:
    """One video of each trajectory: the camera turns in place, 20 degrees a frame, in a round room of radius 2.

    Depth along a ray is constant in distance, so planar depth is 2 cos(angle): frames at one yaw see the same.
    """

    def __init__(self, trajectory: str, yaws: np.ndarray) -> None:
        self.yaws = yaws
        names = ["video", "split", "room", "anchor", "trajectory", "frames"]
        rows = [(f"{room}__{trajectory}", "open_domain", room, "duck", trajectory, len(yaws)) for room in "ab"]
        self.info = pd.DataFrame(rows, columns=names).set_index("video")

    def poses(self, video):
        poses = np.zeros((len(self.yaws), 6))
        poses[:, 5] = self.yaws
        return poses

    def depth(self, video):
        return np.full((len(self.yaws), SIZE, SIZE), 2.0, np.float32)


def turning(branch: str, back: bool) -> SeenBranch:
    """Masks of a branch whose camera turns away by 90 degrees at once and, at the end, stands there or is back."""
    length = BRANCHES[branch].segments * STUDY.segment.frames + 1
    yaws = np.full(length, 90.0)
    yaws[0] = 0
    if back:
        yaws[-2:] = 0
    return see_branch(STUDY, branch, TurningPool(BRANCHES[branch].trajectory, yaws))


def test_back_at_the_first_view_all_was_given():
    masks = turning("return_strict", back=True)
    assert masks.given.all() and masks.past.all() and masks.given.shape == (2, 2, SIZE, SIZE)


def test_where_history_is_a_rows_own_only_the_first_frame_was_given():
    """The camera has been there, but nobody showed a row what is there."""
    masks = turning("return_strict", back=False)
    assert not masks.given.any() and masks.past.all()


def test_where_history_is_true_all_of_it_was_given():
    masks = turning("recall", back=False)
    assert masks.given.all() and masks.past.all()


def test_a_segments_own_frames_are_not_its_past():
    """A replay's first segment has seen frame 0 alone, whatever its own frames show; the second has seen the first."""
    frames = STUDY.segment.frames
    masks = turning("replay", back=False)
    assert masks.index.tolist() == list(range(1, 3 * frames + 1))
    assert not masks.past[:, :frames].any() and masks.past[:, frames:].all() and not masks.given.any()


def test_a_ray_that_meets_nothing_was_not_seen():
    class Open(TurningPool):
        def depth(self, video):
            depth = super().depth(video)
            depth[:, 0] = np.inf
            return depth

    masks = see_branch(STUDY, "recall", Open("return_strict", np.zeros(3 * STUDY.segment.frames + 1)))
    assert not masks.given[:, :, 0].any() and masks.given[:, :, 1:].all()


@pytest.mark.parametrize("branch", BRANCHES)
def test_the_frames_that_a_case_is_measured_on(branch):
    index = np.array(generated_frames(branch, 4))
    picked = index[measured_positions(branch, index)]
    kind = BRANCHES[branch].measure
    expected = {"frame": index, "view": index[-2:], "mirrored": index[index > index[-1] // 2]}[kind]
    np.testing.assert_array_equal(picked, expected)


def random_masks(branch: str, share: float = 0.5) -> SeenBranch:
    """Masks of the cases of ``tests.scenes``."""
    made = made_rollout(branch, lambda frames, index: frames)
    index = made.index[measured_positions(branch, made.index)]
    draw = np.random.default_rng(3)
    given, past = (draw.random((len(made.cases), len(index), SIZE, SIZE)) < share for _ in range(2))
    return SeenBranch(made.cases, index, given, past)


def test_masks_survive_their_file_and_wrong_ones_are_refused(tmp_path):
    masks = {branch: random_masks(branch) for branch in ("recall", "replay")}
    save_seen(tmp_path / "seen.safetensors", masks)
    back = load_seen(tmp_path / "seen.safetensors")
    for branch, one in masks.items():
        assert back[branch].cases == one.cases
        for name in ("index", "given", "past"):
            np.testing.assert_array_equal(getattr(back[branch], name), getattr(one, name))
    assert check_seen(back, "recall", masks["recall"].cases, tmp_path) is back["recall"]
    with pytest.raises(RolloutError, match="branch loop: the masks of seen pixels are not of its cases"):
        check_seen(back, "loop", masks["recall"].cases, tmp_path)
    with pytest.raises(RolloutError, match="branch replay: the masks"):
        check_seen(back, "replay", masks["recall"].cases, tmp_path)


def noisy(frames, index):
    draw = np.random.default_rng(5)
    return np.clip(frames + draw.normal(0, 20, frames.shape), 0, 255).astype(np.uint8)


def test_quality_is_that_of_the_pixels_of_a_class_alone():
    masks, made, pool = random_masks("recall"), made_rollout("recall", noisy), POOLS["open_domain"]
    case, truth = made.cases[0], pool.frames(made.cases[0])[made.index]
    found = on_seen(masks, "recall", case, made.frames[0], truth, made.index)
    for column, inside in (("psnr_seen", masks.given[0]), ("psnr_unseen", ~masks.given[0])):
        frames = []
        for place in range(2):
            a, b = (one[-2 + place][inside[place]][None, :, None] for one in (made.frames[0], truth))
            frames.append(psnr(a, b)[0])
        assert found[column] == pytest.approx(np.mean(frames))
    assert found["seen_given"] == masks.given[0].mean() and found["seen_past"] == masks.past[0].mean()
    spoilt = made.frames[0].copy()
    spoilt[-2:][~masks.given[0]] = 0
    worse = on_seen(masks, "recall", case, spoilt, truth, made.index)
    assert worse["psnr_seen"] == found["psnr_seen"] and worse["psnr_unseen"] < found["psnr_unseen"] - 3


def test_a_class_of_too_few_pixels_says_nothing():
    masks, made = random_masks("recall", share=0.0), made_rollout("recall", noisy)
    masks.given[:, :, 0, 0] = True  # one pixel of 144, less than 2 %
    found = on_seen(masks, "recall", made.cases[0], made.frames[0], 255 - made.frames[0], made.index)
    assert np.isnan(found["psnr_seen"]) and np.isfinite(found["psnr_unseen"])


def test_a_loop_is_not_told_apart_and_without_masks_nothing_is():
    made = made_rollout("loop", noisy)
    found = on_seen(random_masks("loop"), "loop", made.cases[0], made.frames[0], made.frames[0], made.index)
    assert np.isnan(found["psnr_seen"]) and np.isfinite(found["seen_given"])
    assert all(
        np.isnan(value) for value in on_seen(None, "loop", "x", made.frames[0], made.frames[0], made.index).values()
    )


def test_the_table_of_cases_has_the_columns_with_and_without_masks(tmp_path):
    def lpips(a, b):
        return np.zeros(len(a))

    made = made_rollout("recall", noisy)
    made.save(tmp_path / "recall.safetensors")
    save_seen(tmp_path / "seen.safetensors", {"recall": random_masks("recall")})
    study = tiny_study(evaluate={"cases": 2, "probe_cases": 2, "branches": ["recall"]})
    files = {"recall": tmp_path / "recall.safetensors"}
    for masks in (None, tmp_path / "seen.safetensors"):
        _, cases = measure_rollouts(study, "i2v", 0, files, POOLS, lpips, masks)
        assert tuple(cases) == CASE_COLUMNS
        assert cases[list(COLUMNS)].notna().all(axis=None) == (masks is not None)
    plain = measure_branch(made, "recall", 4, 75.0, POOLS["open_domain"], lpips)[1]
    assert (cases.psnr.values == plain.psnr.values).all()
