"""A reference row is handed what a row is given, no more; the stage writes the files of rollouts."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from echo.rollout import known
from echo.rollout.frames import Rollout
from echo.rollout.known import known_of, load_reference
from echo.rollout.stages import reference as stage
from echo.study.words import BRANCHES, UNTRAINED
from tests.conftest import tiny_study
from tests.rollout.known_cases import LosslessCodec
from tests.scenes import POOLS, ScenePool

STUDY = tiny_study(evaluate={"cases": 2, "probe_cases": 2})


class PosedPool(ScenePool):
    """Scenes with poses that tell their frame, and depth."""

    def poses(self, video):
        poses = np.zeros((self.info["frames"][video], 6))
        poses[:, 5] = np.arange(len(poses))
        return poses

    def depth(self, video):
        return np.full((self.info["frames"][video], 12, 12), 2.0, np.float32)


class Cache:
    """Latents of frames that tell their number."""

    def __init__(self, pool):
        self.pool = pool

    def get(self, video):
        return LosslessCodec().encode(torch.from_numpy(self.pool.frames(video)))


@pytest.fixture(scope="module")
def pools():
    return {split: PosedPool(split) for split in POOLS}


@pytest.mark.parametrize("branch", BRANCHES)
def test_with_own_history_the_first_frame_is_given_and_with_true_history_all_before_the_last_segment(branch, pools):
    way, pool = BRANCHES[branch], pools[BRANCHES[branch].split("reported")]
    video, last = pool.info.index[pool.info.trajectory == way.trajectory][0], way.segments * 4
    module = SimpleNamespace(NEEDS_DEPTH=True, READS_TRUTH=True)
    got = known_of(STUDY, branch, video, pool, Cache(pool), module)
    given = last - 3 if way.recall else 1
    assert got.poses[:, 5].tolist() == list(range(given))
    assert got.targets[:, 5].tolist() == list(range(given if way.recall else 1, last + 1))
    np.testing.assert_array_equal(got.frames, pool.frames(video)[:given])
    assert len(got.latents) == len(got.depth) == given
    np.testing.assert_array_equal(got.truth, pool.frames(video)[-len(got.targets) :])


def test_depth_and_truth_are_handed_to_those_that_say_they_need_them(pools):
    pool = pools["open_domain"]
    video = pool.info.index[pool.info.trajectory == "return_strict"][0]
    plain = known_of(STUDY, "recall", video, pool, Cache(pool), load_reference("copy_best"))
    assert plain.depth is None and plain.truth is None
    assert known_of(STUDY, "recall", video, pool, Cache(pool), load_reference("reprojection")).truth is None


def test_a_frame_that_is_chosen_often_is_decoded_once(pools):
    pool, codec = pools["open_domain"], LosslessCodec()
    video = pool.info.index[pool.info.trajectory == "return_strict"][0]
    case = known_of(STUDY, "recall", video, pool, Cache(pool), load_reference("copy_best"))
    frames = known.decode_chosen(case, np.array([5, 2, 5, 5]), codec)
    np.testing.assert_array_equal(frames, case.frames[[5, 2, 5, 5]])
    assert codec.decoded == 2


def test_the_stage_writes_what_a_rollout_writes(tmp_path, pools, monkeypatch):
    """Each branch's file is one that the measures take; the record has the counts of the rows' table."""
    monkeypatch.setattr(stage, "open_pool", lambda folder, splits: pools[folder.name])
    monkeypatch.setattr(stage, "Latents", lambda folder: Cache(pools[folder.name]))
    monkeypatch.setattr(stage, "load_codec", lambda path: LosslessCodec())
    folders = {split: tmp_path / split for split in ("in_domain", "open_domain")}
    stage.run(STUDY, "copy_first", tmp_path / "codec", folders, folders, tmp_path / "out")
    for branch in STUDY.evaluate.branches:
        path = tmp_path / "out" / f"{branch}.safetensors"
        made, pool = Rollout.load(path), pools[BRANCHES[branch].split("reported")]
        made.check(STUDY, branch, pool.info, path)
        for case, frames in zip(made.cases, made.frames, strict=True):
            np.testing.assert_array_equal(frames, np.repeat(pool.frames(case, [0]), len(frames), 0))
    record = json.loads((tmp_path / "out" / "record.json").read_text())
    assert record["row"] == "copy_first" and record["train_seed"] == UNTRAINED
    assert record["counts"] == {"state_numbers": 3 * 12 * 12, "parameters": 0, "memory_parameters": 0,
                                "frames_read": None}  # fmt: skip
