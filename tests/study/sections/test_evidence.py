"""Section ``evidence``."""

import pytest
from pydantic import ValidationError

from echo.study.sections import EvidenceConfig


@pytest.mark.parametrize("values", [{"frames": 0}, {"frames": 1001}, {"drop": 1}, {"drop": -0.1}, {"policy": "own"}])
def test_evidence_of_no_size_is_refused(values):
    with pytest.raises(ValidationError):
        EvidenceConfig.model_validate(values)


def test_the_anchor_alone_is_a_size():
    assert EvidenceConfig(frames=1, drop=0).frames == 1
