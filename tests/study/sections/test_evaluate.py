"""Section ``evaluate``."""

import pytest
from pydantic import ValidationError

from echo.study.sections import Evaluate
from echo.study.words import BRANCHES


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"branches": []}, "at least 1 item"),
        ({"branches": ["recall", "recall"]}, "lists recall twice"),
        ({"branches": ["return"]}, "replay"),
        ({"probe_cases": 1}, "greater than or equal to 2"),
        ({"probe_threshold": 255}, "less than 255"),
        ({"bootstrap": 10}, "greater than or equal to 100"),
        ({"contrasts": [["i2v", "i2v"]]}, "compares i2v with itself"),
        (
            {"contrasts": [["i2v", "spatial"], ["spatial", "i2v"]]},
            "lists spatial and i2v twice|lists i2v and spatial twice",
        ),
        ({"contrasts": [["i2v"]]}, "Field required"),
        ({"references": ["copy_last"]}, "no reference row copy_last; expected some of .*copy_first"),
        ({"references": ["ridge", "ridge"]}, "lists ridge twice"),
        ({"judges": ["two", "one", "two"]}, "lists two twice"),
    ],
)
def test_evaluations_that_say_nothing_are_refused(values, message):
    with pytest.raises(ValidationError, match=message):
        Evaluate.model_validate(values)


def test_all_branches_by_default():
    assert Evaluate().branches == tuple(BRANCHES)
