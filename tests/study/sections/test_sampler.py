"""Section ``sampler``."""

import pytest
from pydantic import ValidationError

from echo.study.sections import Sampler


@pytest.mark.parametrize("steps", [0, -1, 10_001, True, "4", 4.0, None])
def test_a_flow_is_integrated_in_some_steps(steps):
    with pytest.raises(ValidationError):
        Sampler.model_validate({"steps": steps})
