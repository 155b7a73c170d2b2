"""Section ``backbone``."""

import pytest
from pydantic import ValidationError

from echo.study.sections import Backbone


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"head_dim": 7}, "must be even for rotary positions, got 7"),
        ({"head_dim": 4}, "greater than or equal to 6"),
        ({"layers": 0}, "greater than or equal to 1"),
        ({"layers": 10**6}, "less than or equal to 200"),
        ({"ray_frequencies": 25}, "less than or equal to 24"),
        ({"attention_gain": float("inf")}, "finite"),
        ({"attention_gain": 0}, "greater than 0"),
        ({"layout": "first"}, "context_first"),
    ],
)
def test_transformers_that_cannot_be_built_are_refused(values, message):
    with pytest.raises(ValidationError, match=message):
        Backbone.model_validate(values)
