import numpy as np
import pytest

from echo.judge.base import Case, Truth, check_case, judge_many, returned_case
from echo.judge.rubric import Scores
from echo.study.words import BRANCHES, RETURN_FRAMES
from echo.world.errors import PoolError
from tests.scenes import POOLS

FRAME = np.zeros((8, 8, 3), np.uint8)
MASK = np.zeros((8, 8), bool)
DEPTH = np.ones((8, 8), np.float32)
RETURNING = [name for name, branch in BRANCHES.items() if branch.returns]


class OneByOne:
    """The least a judge must be."""

    def judge(self, case):
        named = len(case.identity or "")
        return Scores(float(case.first[0, 0, 0]), float(np.mean(case.last[..., 0])), None, named)


def test_a_judge_without_a_batch_method_is_asked_case_by_case():
    cases = [Case(FRAME + 1, FRAME, MASK, "cat"), Case(FRAME + 2, np.stack([FRAME, FRAME + 4]), MASK, None)]
    scores = judge_many(OneByOne(), cases)
    assert [score.appearance for score in scores] == [1, 2]
    assert [score.presence for score in scores] == [0, 2]
    assert [score.scene for score in scores] == [3, 0]
    assert all(np.isnan(score.view) for score in scores)


class Batched:
    """A judge of many cases at once."""

    def judge(self, case):
        raise AssertionError("asked case by case")

    def judge_batch(self, cases):
        return [Scores(len(cases), 0, 0, 0) for _ in cases]


def test_a_judge_with_a_batch_method_is_asked_once():
    scores = judge_many(Batched(), [Case(FRAME, FRAME, MASK, None)] * 3)
    assert [score.appearance for score in scores] == [3, 3, 3]


def test_no_case_gives_no_score():
    assert judge_many(OneByOne(), []) == []


def test_one_returned_frame_and_several_are_several():
    assert Case(FRAME, FRAME + 1, MASK, None).returned.shape == (1, 8, 8, 3)
    assert Case(FRAME, np.stack([FRAME] * 3), MASK, None).returned.shape == (3, 8, 8, 3)


@pytest.mark.parametrize(
    ("first", "last", "mask", "message"),
    [
        (FRAME.astype(float), FRAME, MASK, "first: expected a uint8 frame"),
        (FRAME, FRAME[:4], MASK, "last: expected uint8 frames of shape"),
        (FRAME, FRAME[None][:0], MASK, "last: expected uint8 frames of shape"),
        (FRAME, FRAME, MASK.astype(np.uint8), r"mask: expected bool \(8, 8\), got uint8"),
        (FRAME, FRAME, MASK[:4], r"mask: expected bool \(8, 8\)"),
    ],
)
def test_a_badly_shaped_case_is_refused(first, last, mask, message):
    with pytest.raises(ValueError, match=message):
        Case(first, last, mask, None)


def test_a_case_may_have_no_mask():
    assert Case(FRAME, FRAME, None, "cat").mask is None


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        (Truth(FRAME[None], MASK[None]), r"truth.frames: expected uint8 \(2, 8, 8, 3\), one for each last frame, got"),
        (Truth(np.stack([FRAME[:4]] * 2), np.stack([MASK[:4]] * 2)), "truth.frames: expected uint8"),
        (Truth(np.stack([FRAME] * 2), MASK[None].repeat(2, 0), DEPTH[None].repeat(2, 0)), None),
    ],
)
def test_a_truth_of_other_frames_than_came_back_is_refused(truth, message):
    returned = np.stack([FRAME, FRAME])
    if message is None:
        assert check_case(Case(FRAME, returned, MASK, None, truth)) is None
        return
    with pytest.raises(ValueError, match=message):
        Case(FRAME, returned, MASK, None, truth)


@pytest.mark.parametrize("branch", RETURNING)
def test_the_case_of_a_return_has_the_truth_of_its_end(branch):
    pool = POOLS["open_domain"]
    for video in pool.info.index[pool.info.trajectory == BRANCHES[branch].trajectory]:
        case = returned_case(pool, video, pool.frames(video)[-RETURN_FRAMES:], depth=True)
        np.testing.assert_array_equal(case.first, pool.frames(video)[0])
        np.testing.assert_array_equal(case.mask, pool.masks(video)[0])
        np.testing.assert_array_equal(case.truth.frames, case.returned)
        np.testing.assert_array_equal(case.truth.masks, pool.masks(video)[-RETURN_FRAMES:])
        np.testing.assert_array_equal(case.truth.depth, pool.depth(video)[-RETURN_FRAMES:])
        assert case.identity == "duck"


def test_a_pool_without_depth_has_a_truth_without_it():
    class Recorded(type(POOLS["open_domain"])):
        def depth(self, video):
            raise PoolError("no depth")

    pool = Recorded("open_domain")
    video = pool.info.index[0]
    assert returned_case(pool, video, pool.frames(video)[-RETURN_FRAMES:], depth=False).truth.depth is None
    with pytest.raises(PoolError, match="no depth"):
        returned_case(pool, video, pool.frames(video)[-RETURN_FRAMES:], depth=True)
