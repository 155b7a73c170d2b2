from dataclasses import replace

import numpy as np
import pytest

from echo.rollout.frames import Rollout, RolloutError
from echo.study.words import BRANCHES
from tests.scenes import POOLS, STUDY, made_rollout, perfect


def test_a_rollout_is_read_as_it_was_saved(tmp_path):
    made = made_rollout("recall", perfect)
    made = replace(made, frames=np.asfortranarray(made.frames))  # as permuted tensors come
    made.save(tmp_path / "recall.safetensors", about="x")
    again = Rollout.load(tmp_path / "recall.safetensors")
    assert again.cases == made.cases
    assert np.array_equal(again.frames, made.frames) and np.array_equal(again.index, made.index)


def check(rollout, branch, tmp_path):
    rollout.check(STUDY, branch, POOLS[BRANCHES[branch].split("reported")].info, tmp_path / "x.safetensors")


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_whole_rollout_passes(branch, tmp_path):
    check(made_rollout(branch, perfect), branch, tmp_path)


def test_a_rollout_of_other_cases_is_refused(tmp_path):
    made = made_rollout("recall", perfect)
    for cases in (made.cases[::-1], made.cases[:1], [*made.cases, "c"], ["a", "b"]):
        with pytest.raises(RolloutError, match="x.safetensors: branch recall: the rollout's cases are not the study's"):
            check(replace(made, cases=cases), "recall", tmp_path)


@pytest.mark.parametrize("branch", ["recall", "return_strict", "loop"])
def test_a_rollout_that_lacks_frames_is_refused(branch, tmp_path):
    made = made_rollout(branch, perfect)
    cut = [
        replace(made, frames=made.frames[:, :-1], index=made.index[:-1]),
        replace(made, frames=made.frames[:, 1:]),
        replace(made, frames=made.frames[:1]),
        replace(made, index=made.index + 1),
    ]
    for rollout in cut:
        with pytest.raises(RolloutError, match=f"branch {branch}: expected frames {made.index[0]} to {made.index[-1]}"):
            check(rollout, branch, tmp_path)


def test_a_recall_is_no_strict_return(tmp_path):
    """Both are of the same cases, so that the frames' numbers alone tell them apart."""
    with pytest.raises(RolloutError, match="expected frames 1 to 12 of 2 cases, got 4 frame numbers"):
        check(made_rollout("recall", perfect), "return_strict", tmp_path)
