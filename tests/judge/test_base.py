import numpy as np
import pytest

from echo.judge.base import check_case, judge_many
from echo.judge.rubric import Scores

FRAME = np.zeros((8, 8, 3), np.uint8)
MASK = np.zeros((8, 8), bool)


class OneByOne:
    """The least a judge must be."""

    def judge(self, first, last, mask, identity):
        return Scores(float(first[0, 0, 0]), float(np.mean(last[..., 0])), None, len(identity or ""))


def test_a_judge_without_a_batch_method_is_asked_case_by_case():
    scores = judge_many(
        OneByOne(), [FRAME + 1, FRAME + 2], [FRAME, np.stack([FRAME, FRAME + 4])], [MASK] * 2, ["cat", None]
    )
    assert [score.appearance for score in scores] == [1, 2]
    assert [score.presence for score in scores] == [0, 2]
    assert [score.scene for score in scores] == [3, 0]
    assert all(np.isnan(score.view) for score in scores)


class Batched:
    """A judge of many cases at once."""

    def judge(self, first, last, mask, identity):
        raise AssertionError("asked case by case")

    def judge_batch(self, firsts, lasts, masks, identities):
        return [Scores(len(firsts), 0, 0, 0) for _ in firsts]


def test_a_judge_with_a_batch_method_is_asked_once():
    scores = judge_many(Batched(), [FRAME] * 3, [FRAME] * 3, [MASK] * 3, [None] * 3)
    assert [score.appearance for score in scores] == [3, 3, 3]


def test_no_case_gives_no_score():
    assert judge_many(OneByOne(), [], [], [], []) == []


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
    for check in (
        lambda: check_case(first, last, mask),
        lambda: judge_many(OneByOne(), [first], [last], [mask], [None]),
    ):
        with pytest.raises(ValueError, match=message):
            check()


def test_unequal_numbers_of_cases_are_refused():
    with pytest.raises(ValueError, match="1 firsts, 2 lasts, 1 masks, 1 identities"):
        judge_many(OneByOne(), [FRAME], [FRAME, FRAME], [MASK], [None])
