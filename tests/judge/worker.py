"""A judging job that a test kills: ``python -m tests.judge.worker FOLDER URL`` judges sixty cases."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from echo.judge.base import Case, judge_many
from echo.judge.judges.vision_language import build
from echo.judge.settings.vision_language import Settings

CASES = 60
MASK = np.ones((8, 8), bool)


def frames(count: int) -> list[np.ndarray]:
    """Frames that all differ."""
    return [np.full((8, 8, 3), i // 2, np.uint8) + np.eye(8, dtype=np.uint8)[..., None] * (i % 2) for i in range(count)]


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    judge = build(folder, Settings(endpoint=sys.argv[2], answers=str(folder), side=28, parallel=4))
    judge_many(judge, [Case(frame, 255 - frame, MASK, "sofa") for frame in frames(CASES)])
