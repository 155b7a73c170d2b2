"""Section ``train``."""

import pytest
from pydantic import ValidationError

from echo.study.sections import Train

INFINITE = [float("inf"), float("-inf"), float("nan")]


@pytest.mark.parametrize("key", [name for name, field in Train.model_fields.items() if field.annotation is float])
@pytest.mark.parametrize("value", INFINITE)
def test_no_setting_is_infinite(key, value):
    with pytest.raises(ValidationError):
        Train.model_validate({key: value})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"timestep_shift": 1e30}, "less than or equal to 1000"),
        ({"timestep_shift": 1e-9}, "greater than or equal to 0.001"),
        ({"adamw_lr": 0}, "greater than 0"),
        ({"row_lr": {"i2v": float("inf")}}, "finite"),
        ({"steps": 0}, "greater than or equal to 1"),
        ({"sharding": "fsdp"}, "use optimizer: adamw"),
        ({"trainable": []}, "at least 1 item"),
        ({"trainable": ["*", "*"]}, "a pattern twice"),
        ({"trainable": [""]}, "at least 1 character"),
        ({"compile": "yes"}, "valid boolean"),
    ],
)
def test_training_that_learns_nothing_is_refused(values, message):
    with pytest.raises(ValidationError, match=message):
        Train.model_validate(values)
