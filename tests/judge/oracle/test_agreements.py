"""What the oracle's raw agreements say of the anchor's place, and of a camera that stands aside."""

import numpy as np
import pytest

from echo.judge.base import Case, Truth
from echo.judge.maps import SCORES
from echo.judge.oracle.agreements import agreements
from tests.photographs import ball, painted

MASK = ball()
GREY, DARK = np.full((64, 64, 3), 128, np.uint8), np.full((64, 64, 3), 30, np.uint8)
BLACK, WHITE = (20, 20, 20), (235, 235, 235)


def found(true, *shown):
    truth = Truth(np.stack([true] * len(shown)), np.stack([MASK] * len(shown)))
    return agreements([Case(true, np.stack(shown), MASK, None, truth)])


def test_presence_is_0_for_a_wall_1_for_the_anchor_and_between_for_another_object():
    anchor = painted(GREY, WHITE)
    values = found(anchor, GREY, painted(GREY, BLACK), anchor)["presence"]
    assert values[0] < 0.05 and 0.1 < values[1] < 0.6 and values[2] == pytest.approx(1, abs=1e-3)


def test_presence_is_judged_by_the_shown_views_own_surroundings():
    """A dark wall where the true one is grey continues itself: nothing stands there."""
    assert found(painted(GREY, WHITE), DARK)["presence"][0] < 0.05


def test_the_true_view_agrees_wholly(photos):
    frame = painted(photos["chelsea"], WHITE)
    for name, value in found(frame, frame).items():
        assert value == pytest.approx(1, abs=1e-3), name


def test_a_step_aside_costs_the_view_more_than_the_scene(photos):
    frame = photos["astronaut"]
    value = found(frame, np.roll(frame, 6, 1))
    assert value["view"][0] < 0.6 * value["scene"][0] and value["scene"][0] > 0.7


def test_cases_come_one_after_another_and_those_without_truth_are_missing(photos):
    frame = photos["coffee"]
    truth = Truth(np.stack([frame, frame]), np.stack([MASK, MASK]))
    cases = [Case(frame, np.stack([frame, 255 - frame]), MASK, None, truth), Case(frame, frame, MASK, None)]
    values = agreements(cases)
    assert tuple(values) == SCORES
    for value in values.values():
        assert value.shape == (3,) and value[0] > 0.99 and np.isnan(value[2])
