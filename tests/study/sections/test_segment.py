"""Section ``segment``."""

import pytest
from pydantic import ValidationError

from echo.study.sections import Segment


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"frames": 1}, "greater than or equal to 2"),
        ({"frames": 10**6}, "less than or equal to 1000"),
        ({"history_weights": [1, 2]}, "has 2 entries, expected train_segments = 4"),
        ({"history_weights": [0, 0, 0, 0]}, "must not all be zero"),
        ({"history_weights": [1, 1, 1, -1]}, "greater than or equal to 0"),
        ({"history_weights": [1e308] * 4}, "less than or equal to 1000000"),
        ({"train_segments": 2}, "has 4 entries, expected train_segments = 2"),
    ],
)
def test_segments_that_training_cannot_draw_are_refused(values, message):
    with pytest.raises(ValidationError, match=message):
        Segment.model_validate(values)


def test_one_weight_per_segment():
    assert Segment.model_validate({"train_segments": 2, "history_weights": [0, 1]}).history_weights == (0.0, 1.0)
