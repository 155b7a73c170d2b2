import numpy as np
import pytest

from echo.judge.cases import COLUMNS, judge_rollouts
from echo.judge.rubric import Scores
from echo.rollout.frames import RolloutError
from echo.study.words import AWAY
from tests.scenes import POOLS, STUDY, made_rollout, perfect


class Comparing:
    """5 where the last frames are the first one; it notes every case."""

    def __init__(self):
        self.asked = []

    def judge(self, case):
        self.asked.append(case)
        same = 5.0 * (case.last == case.first).all()
        return Scores(same, 1, 2, same if case.identity else None)


@pytest.fixture
def files(tmp_path):
    paths = {branch: tmp_path / f"{branch}.safetensors" for branch in ("replay", "return_45", "recall")}
    for branch, path in paths.items():
        made_rollout(branch, perfect).save(path)
    made_rollout("recall", lambda x, i: np.concatenate([x[:-1], 255 - x[-1:]])).save(paths["recall"])
    return paths


def test_branches_that_return_are_judged_case_by_case(files):
    table = judge_rollouts(STUDY, "context_k5", 7, files, POOLS, Comparing())
    assert tuple(table) == COLUMNS
    assert (table.row_name == "context_k5").all() and (table.train_seed == 7).all()
    assert table.branch.tolist() == ["return_45", "return_45", "recall", "recall"]
    assert sorted(table.case[:2]) == ["a__return_45", "b__return_45"]
    assert table.appearance.tolist() == table.scene_score.tolist() == [5, 5, 0, 0]
    assert (table.presence == 1).all() and (table["view"] == 2).all()
    np.testing.assert_allclose(table.judge, [20 * (0.45 * s + 0.25 * 1 + 0.2 * 2 + 0.1 * s) for s in (5, 5, 0, 0)])


def test_a_case_is_its_last_two_frames_against_the_first_with_its_mask_and_identity(files):
    judge, pool = Comparing(), POOLS["open_domain"]
    table = judge_rollouts(STUDY, "context_k5", 7, {"recall": files["recall"]}, POOLS, judge)
    for case, asked in zip(table.case, judge.asked, strict=True):
        np.testing.assert_array_equal(asked.first, pool.frames(case)[0])
        np.testing.assert_array_equal(asked.last, [pool.frames(case)[0], 255 - pool.frames(case)[0]])
        np.testing.assert_array_equal(asked.mask, pool.masks(case)[0])
        assert asked.identity == "duck"


@pytest.mark.parametrize("branch", ["return_45", "recall"])
def test_the_truth_of_a_case_is_the_end_of_its_own_video(files, branch):
    judge, pool = Comparing(), POOLS["open_domain"]
    table = judge_rollouts(STUDY, "context_k5", 7, {branch: files[branch]}, POOLS, judge)
    for case, asked in zip(table.case, judge.asked, strict=True):
        np.testing.assert_array_equal(asked.truth.frames, pool.frames(case)[-2:])
        np.testing.assert_array_equal(asked.truth.masks, pool.masks(case)[-2:])
        np.testing.assert_array_equal(asked.truth.depth, pool.depth(case)[-2:])


def test_a_study_without_returns_has_a_table_without_rows(files):
    table = judge_rollouts(STUDY, "context_k5", 7, {"replay": files["replay"]}, POOLS, Comparing())
    assert tuple(table) == COLUMNS and len(table) == 0


@pytest.mark.parametrize("branch", AWAY)
def test_a_revisit_is_not_judged_against_a_first_frame_that_it_does_not_show(tmp_path, branch):
    judge, path = Comparing(), tmp_path / f"{branch}.safetensors"
    made_rollout(branch, perfect).save(path)
    assert len(judge_rollouts(STUDY, "context_k5", 7, {branch: path}, POOLS, judge)) == 0 and judge.asked == []


def test_a_rollout_of_other_cases_is_refused(files):
    with pytest.raises(RolloutError, match="return_45.safetensors: branch recall: the rollout's cases are not"):
        judge_rollouts(STUDY, "context_k5", 7, {"recall": files["return_45"]}, POOLS, Comparing())
