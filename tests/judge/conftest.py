"""The embedded judges with their real weights."""

from pathlib import Path

import pytest

from echo.judge import build_judge
from echo.judge.agreement import AgreementJudge


@pytest.fixture(scope="session", params=["embedded", "embedded_vgg"])
def embedded(request: pytest.FixtureRequest, weights: Path, vgg_weights: Path) -> AgreementJudge:
    """Each of the two; ``weights`` is the folder of both files."""
    assert weights == vgg_weights
    judge = build_judge(request.param, weights)
    assert isinstance(judge, AgreementJudge)
    return judge
