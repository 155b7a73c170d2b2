"""The judge, and photographs with a painted ball."""

import pytest

from echo.judge import build_judge
from echo.judge.embedded import EmbeddedJudge


@pytest.fixture(scope="session")
def embedded(weights) -> EmbeddedJudge:
    return build_judge("embedded", weights)
