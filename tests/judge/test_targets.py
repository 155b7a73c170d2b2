import numpy as np
import pytest

from echo.judge.edits import AMOUNTS
from echo.judge.maps import SCORES
from echo.judge.targets import LEAST, MOST, RIGHT, is_wrong, target


def test_targets_are_scores_of_edits_that_there_are():
    assert set(RIGHT) | set(LEAST) | set(MOST) <= set(AMOUNTS)
    for edit, amounts in AMOUNTS.items():
        for amount in amounts:
            values = np.array(list(target(edit, amount).values()))
            assert tuple(target(edit, amount)) == SCORES and (np.isnan(values) | ((values >= 0) & (values <= 5))).all()


def test_a_replaced_anchor_is_present_and_a_removed_one_is_not():
    assert target("replaced", 1) == {"appearance": 0, "presence": 5, "view": 5, "scene": 5}
    assert target("removed", 1) == {"appearance": 0, "presence": 0, "view": 5, "scene": 5}


def test_appearance_falls_with_the_share_of_another_colour():
    assert [target("recoloured", amount)["appearance"] for amount in (0.25, 0.5, 1)] == [3.75, 2.5, 0]
    assert {target("recoloured", amount)["scene"] for amount in (0.25, 0.5, 1)} == {5}


@pytest.mark.parametrize(
    ("edit", "amount"), [("turned", 12), ("stepped", 0.8), ("blurred", 4), ("noisy", 50), ("blocky", 8)]
)
def test_what_is_a_matter_of_taste_has_no_target(edit, amount):
    assert np.isnan(list(target(edit, amount).values())).all() and not is_wrong(edit, amount)


def test_views_that_no_judge_should_call_right():
    wrong = {edit for edit, amounts in AMOUNTS.items() if is_wrong(edit, max(amounts))}
    assert wrong == {"turned", "elsewhere", "recoloured", "replaced", "removed", "other_room", "unrelated"}
    assert not is_wrong("recoloured", 0.5)
