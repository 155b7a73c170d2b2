"""The embedded judge with its real weights."""

from pathlib import Path

import pytest

from echo.judge.judges.embedded import EmbeddedJudge, build


@pytest.fixture(scope="session")
def embedded(weights: Path) -> EmbeddedJudge:
    return build(weights)
