"""Pictures are judged like any return; one that lacks what a judge needs is missing, with the reason."""

import numpy as np
import pytest

from echo.judge.first_frames import COLUMNS, judge_pictures
from echo.judge.rubric import Scores
from echo.rollout.frames import Rollout
from echo.study.words import generated_frames
from echo.world.first_frames.listing import read_listing
from echo.world.first_frames.pool import FirstFramePool
from echo.world.first_frames.write import write_pool
from tests.conftest import tiny_study
from tests.pictures import write_pictures

BRANCHES = ["return_45", "return_strict"]


class Comparing:
    """5 where the last frames are the first one; silent about halls; it notes every case."""

    def __init__(self):
        self.asked = []

    def judge(self, case):
        self.asked.append(case)
        same = 5.0 * (case.last == case.first).all()
        return Scores(same, same, same, None if case.identity == "ball" else same)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A study, its pool, and rollouts that return exactly, but for the hall's."""
    base = tmp_path_factory.mktemp("pictures")
    folder = write_pictures(base / "own")
    study = tiny_study(open_domain={"images": str(folder), "branches": BRANCHES})
    write_pool(study, read_listing(folder), base / "pool")
    pool, files = FirstFramePool(base / "pool"), {}
    for branch in BRANCHES:
        index = np.array(generated_frames(branch, 4))
        frames = np.zeros((2, len(index), 16, 16, 3), np.uint8)
        frames[:, -2:] = np.stack([pool.first(video) for video in pool.cases(branch)])[:, None]
        frames[1, -1] += 1
        files[branch] = base / f"{branch}.safetensors"
        Rollout(frames, index, pool.cases(branch)).save(files[branch])
    return study, pool, files


def test_the_last_two_frames_are_compared_with_the_picture(made):
    study, pool, files = made
    judge = Comparing()
    table = judge_pictures(study, "i2v", 3, files, pool, judge, ())
    assert tuple(table) == COLUMNS and (table.row_name == "i2v").all() and (table.train_seed == 3).all()
    assert table.branch.tolist() == ["return_45"] * 2 + ["return_strict"] * 2
    assert table.case.tolist() == [case for branch in BRANCHES for case in pool.cases(branch)]
    assert table.appearance.tolist() == [5, 0, 5, 0] and table.judge[0] == pytest.approx(100)
    garden, hall = judge.asked[:2]
    np.testing.assert_array_equal(garden.mask, pool.mask("garden__return_45"))
    assert (garden.identity, hall.identity, hall.mask) == ("red ball", "ball", None)
    assert len(garden.last) == 2 and all(case.truth is None for case in judge.asked)


def test_what_the_judge_does_not_say_is_missing_and_never_0(made):
    study, pool, files = made
    table = judge_pictures(study, "i2v", 3, files, pool, Comparing(), ())
    assert table["missing"].tolist() == ["", "the judge gave no score"] * 2
    assert table.judge.isna().tolist() == [False, True] * 2


def test_a_picture_without_what_the_judge_needs_is_not_put_to_it(made):
    study, pool, files = made
    judge = Comparing()
    table = judge_pictures(study, "i2v", 3, files, pool, judge, ("mask",))
    assert table["missing"].tolist() == ["", "no mask, which the judge needs"] * 2
    assert table.loc[1::2, ["appearance", "presence", "view", "scene_score", "judge"]].isna().all(axis=None)
    assert [case.identity for case in judge.asked] == ["red ball"] * 2
    table = judge_pictures(study, "i2v", 3, files, pool, judge, ("mask", "truth"))
    assert table["missing"].tolist() == ["no truth, which the judge needs",
                                         "no mask, no truth, which the judge needs"] * 2  # fmt: skip
    assert len(judge.asked) == 2
