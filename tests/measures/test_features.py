"""Features of the frames that realism compares: of which frames, cases and rooms, and what of them is refused."""

import numpy as np
import pytest

from echo.measures.features import (
    FeaturesError,
    case_names,
    distances,
    load_true_features,
    save_true_features,
    true_features,
)
from echo.measures.realism import ALL, Distances
from echo.rollout.frames import RolloutError
from echo.study.words import BRANCHES
from tests.conftest import tiny_study
from tests.scenes import POOLS, made_rollout, perfect

STUDY = tiny_study(evaluate={"cases": 2, "probe_cases": 2, "branches": ["replay", "return_45", "recall"]})


class MeanColour:
    """A stand-in for the network: a frame's mean colour, and how often a frame was seen."""

    def __init__(self):
        self.seen = 0

    def embed(self, frames, size):
        self.seen += len(frames)
        return frames.astype(np.float32).mean((1, 2)) / 255


def invert(frames, index):
    return 255 - frames


@pytest.fixture
def files(tmp_path):
    def save(change):
        paths = {branch: tmp_path / f"{branch}.safetensors" for branch in STUDY.evaluate.branches}
        for branch, path in paths.items():
            made_rollout(branch, change).save(path)
        return paths

    return save


def test_true_features_are_of_the_middle_and_the_last_true_frame_of_each_case():
    found = true_features(STUDY, POOLS, MeanColour().embed)
    assert set(found) == set(STUDY.evaluate.branches)
    for branch, cases in case_names(STUDY, POOLS).items():
        index = made_rollout(branch, perfect).index
        for c, case in enumerate(cases):
            frames = POOLS[BRANCHES[branch].split("reported")].frames(case, index[[len(index) // 2 - 1, -1]])
            np.testing.assert_allclose(found[branch][c], MeanColour().embed(frames, 1))


def test_true_frames_are_at_distance_zero_and_inverted_ones_are_not(files):
    true = true_features(STUDY, POOLS, MeanColour().embed)
    for change, far in ((perfect, False), (invert, True)):
        found = distances(STUDY, files(change), POOLS, true, MeanColour().embed)
        assert set(found) == {*STUDY.evaluate.branches, ALL}
        for one in found.values():
            assert (abs(one.distance()[0]) > 1e-4) == far


def test_a_branch_and_all_branches_have_their_own_frames_and_rooms(files):
    true, network = true_features(STUDY, POOLS, MeanColour().embed), MeanColour()
    found = distances(STUDY, files(invert), POOLS, true, network.embed)
    assert network.seen == 3 * 2 * 2 and found[ALL].frames == 12 and found["recall"].frames == 4
    rollouts = [made_rollout(branch, invert) for branch in STUDY.evaluate.branches]
    frames = np.concatenate([r.frames[:, [len(r.index) // 2 - 1, -1]].reshape(-1, 12, 12, 3) for r in rollouts])
    rooms = [case.split("__")[0] for r in rollouts for case in r.cases for _ in range(2)]
    flat = np.concatenate([true[branch].reshape(4, -1) for branch in STUDY.evaluate.branches])
    expected = Distances.of(MeanColour().embed(frames, 1), flat, rooms)
    assert found[ALL].distance()[0] == pytest.approx(expected.distance()[0], rel=1e-5)
    assert found[ALL].rooms == ("a", "b")


def test_features_of_other_cases_and_a_rollout_of_another_branch_are_refused(files, tmp_path):
    true, cases = true_features(STUDY, POOLS, MeanColour().embed), case_names(STUDY, POOLS)
    save_true_features(tmp_path / "true.safetensors", true, cases)
    for branch, features in load_true_features(tmp_path / "true.safetensors", cases).items():
        np.testing.assert_array_equal(features, true[branch])
    with pytest.raises(FeaturesError, match="true.safetensors: its cases are not the study's; remove it"):
        load_true_features(tmp_path / "true.safetensors", {**cases, "recall": cases["recall"][::-1]})
    paths = files(perfect)
    with pytest.raises(RolloutError, match="branch replay: the rollout's cases are not the study's"):
        distances(STUDY, {**paths, "replay": paths["recall"]}, POOLS, true, MeanColour().embed)
