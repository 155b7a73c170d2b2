import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echo.judge.rubric import WEIGHTS, Scores, overall

score = st.floats(0, 5)


def test_weights_are_the_papers_and_sum_to_one():
    assert WEIGHTS == {"appearance": 0.45, "presence": 0.25, "view": 0.20, "scene": 0.10}
    assert sum(WEIGHTS.values()) == pytest.approx(1)


def test_known_totals():
    assert overall(Scores(5, 5, 5, 5)) == pytest.approx(100)
    assert overall(Scores(0, 0, 0, 0)) == 0
    assert overall(Scores(5, 0, 0, 0)) == pytest.approx(45)
    assert overall(Scores(0, 5, 0, 0)) == pytest.approx(25)
    assert overall(Scores(0, 0, 5, 0)) == pytest.approx(20)
    assert overall(Scores(0, 0, 0, 5)) == pytest.approx(10)


@given(score, score, score, score)
def test_the_total_lies_in_0_to_100_and_never_falls_when_a_score_rises(a, b, c, d):
    total = overall(Scores(a, b, c, d))
    assert 0 <= total <= 100 + 1e-9
    for name in WEIGHTS:
        better = Scores(**{"appearance": a, "presence": b, "view": c, "scene": d, name: 5.0})
        assert overall(better) >= total - 1e-9


@pytest.mark.parametrize("missing", [None, math.nan])
@pytest.mark.parametrize("name", list(WEIGHTS))
def test_missing_is_missing_never_zero(name, missing):
    scores = Scores(**{**dict.fromkeys(WEIGHTS, 3.0), name: missing})
    assert math.isnan(getattr(scores, name))
    assert math.isnan(overall(scores))


@pytest.mark.parametrize("value", [-0.1, 5.1, math.inf])
def test_a_score_outside_0_to_5_is_refused(value):
    with pytest.raises(ValueError, match="score view = .*: expected 0 to 5, or NaN"):
        Scores(1, 1, value, 1)
