"""Section ``compute``."""

import pytest
from pydantic import ValidationError

from echo.study.sections import Compute


@pytest.mark.parametrize(
    "values",
    [{"processes": 0}, {"latent_shares": 0}, {"latent_shares": 10**6}, {"utilisation": 0}, {"utilisation": 1.1},
     {"device": "tpu"}, {"gpu": ""}, {"hours": 0}, {"hours": "all night"}],
)  # fmt: skip
def test_machines_that_cannot_be_are_refused(values):
    with pytest.raises(ValidationError):
        Compute.model_validate(values)
