"""The oracle measures against the truth alone, and says nothing without it."""

from dataclasses import astuple, replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from echo.judge import build_judge
from echo.judge.base import Case, ReportingJudge, Truth, judge_many
from tests.photographs import ball, painted

MASK = ball()
YELLOW, BLUE = (230, 190, 40), (40, 70, 210)
DEPTH = np.full((1, 64, 64), 3, np.float32)


@pytest.fixture
def oracle(tmp_path):
    """It needs no weights: the folder is empty."""
    return build_judge("oracle", tmp_path)


@pytest.fixture(scope="module")
def frame(photos):
    return painted(photos["coffee"], YELLOW)


def case(true, last, depth=DEPTH, mask=MASK):
    return Case(np.zeros_like(true), last, ~mask, None, Truth(true[None], mask[None], depth))


def test_the_true_view_scores_5_whatever_the_first_frame_was(oracle, photos):
    for photo in photos.values():
        frame = painted(photo, YELLOW)
        for depth in (DEPTH, None):
            assert astuple(oracle.judge(case(frame, frame, depth))) == pytest.approx((5, 5, 5, 5), abs=0.01)


def test_each_score_sees_its_own_part(oracle, frame, photos):
    other, gone = (
        oracle.judge(case(frame, painted(photos["coffee"], BLUE))),
        oracle.judge(case(frame, photos["coffee"])),
    )
    assert other.appearance < 2.5 and other.presence > 3 and other.view > 4 and other.scene > 4
    assert gone.appearance < 2.5 and gone.presence < other.presence and gone.view > 4 and gone.scene > 4
    aside = oracle.judge(case(frame, np.roll(frame, 8, 1)))
    assert aside.view < 3.5 < aside.scene and aside.appearance < 3
    unrelated = oracle.judge(case(frame, photos["rocket"]))
    assert max(astuple(unrelated)) < 2


def test_the_view_falls_as_the_camera_turns(oracle, frame):
    views = [oracle.judge(case(frame, np.roll(frame, pixels, 1))).view for pixels in (0, 2, 5, 12)]
    assert (np.diff(views) < 0).all()


def test_the_total_falls_with_blur(oracle, frame):
    blurred = [np.round(gaussian_filter(frame.astype(float), (s, s, 0))).astype(np.uint8) for s in (1, 2, 4)]
    values = [oracle.judge(case(frame, last)).appearance for last in (frame, *blurred)]
    assert (np.diff(values) < 0).all()


def test_without_truth_there_is_no_score_and_the_report_says_why(oracle, frame):
    known = case(frame, frame)
    scores = judge_many(oracle, [known, replace(known, truth=None), known])
    assert np.isnan(astuple(scores[1])).all() and not np.isnan(astuple(scores[0])).any() and scores[0] == scores[2]
    assert isinstance(oracle, ReportingJudge)
    assert oracle.report() == {"cases": 3, "missing": {"no truth of the return": 1}}


def test_parts_that_are_not_there_are_missing(oracle, frame):
    nowhere, everywhere = (oracle.judge(case(frame, frame, mask=np.full((64, 64), value))) for value in (False, True))
    assert np.isnan([nowhere.appearance, nowhere.presence]).all() and not np.isnan([nowhere.view, nowhere.scene]).any()
    assert np.isnan([everywhere.view, everywhere.scene]).all() and everywhere.appearance == pytest.approx(5)


def test_several_frames_are_each_compared_with_their_own_true_one(oracle, frame, photos):
    other = painted(photos["rocket"], BLUE)
    truth = Truth(np.stack([frame, other]), np.stack([MASK, MASK]), np.concatenate([DEPTH, DEPTH]))
    right, wrong = (Case(frame, np.stack(lasts), MASK, None, truth) for lasts in ([frame, other], [other, frame]))
    assert astuple(oracle.judge(right)) == pytest.approx((5, 5, 5, 5), abs=0.01)
    assert oracle.judge(wrong).view < 2


def test_depth_that_reaches_to_infinity_is_no_error(oracle, frame):
    depth = DEPTH.copy()
    depth[:, :20] = np.inf
    assert astuple(oracle.judge(case(frame, frame, depth))) == pytest.approx((5, 5, 5, 5), abs=0.01)
