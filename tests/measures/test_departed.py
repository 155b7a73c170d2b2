"""The rule by which a case counts as departed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from echo.measures.departed import DEPARTED, LEAST_TURN, departed, departs
from echo.study.words import BRANCHES


@given(st.floats(0, 180), st.floats(LEAST_TURN, 180))
def test_the_share_of_the_true_angle_decides(reached, true):
    found = departed(reached, true)
    assert found["departure"] == reached and found["departure_share"] == pytest.approx(reached / true)
    assert found["departed"] == (1 if found["departure_share"] >= DEPARTED else 0)


def test_what_cannot_be_followed_has_not_departed():
    found = departed(np.nan, 45.0)
    assert np.isnan(found["departure"]) and np.isnan(found["departure_share"]) and found["departed"] == 0


@pytest.mark.parametrize("true", [0.0, 9.9, np.nan])
@pytest.mark.parametrize("reached", [0.0, 45.0, np.nan])
def test_where_true_cameras_stay_nothing_is_left_to_fail(true, reached):
    found = departed(reached, true)
    assert np.isnan(found["departure_share"]) and found["departed"] == 1


def test_all_branches_but_the_replay_leave():
    assert [branch for branch in BRANCHES if not departs(branch)] == ["replay"]
