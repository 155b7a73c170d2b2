"""Reading rollouts from lone first frames, for what judges and shows them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from echo.rollout.frames import Rollout, RolloutError
from echo.study.config import Study
from echo.study.words import generated_frames
from echo.world.first_frames.pool import FirstFramePool


def load_rollout(study: Study, branch: str, pool: FirstFramePool, path: Path) -> Rollout:
    """A rollout of all pictures; raises RolloutError for one of other cases or with other frames."""
    rollout, index = Rollout.load(path), np.array(generated_frames(branch, study.segment.frames))
    if rollout.cases != pool.cases(branch):
        raise RolloutError(f"{path}: branch {branch}: the rollout's cases are not the pictures of {pool.folder}; roll "
                           "out again: snakemake open_domain")  # fmt: skip
    if not np.array_equal(rollout.index, index) or rollout.frames.shape[:2] != (len(rollout.cases), len(index)):
        raise RolloutError(f"{path}: branch {branch}: expected frames {index[0]} to {index[-1]} a case, "
                           f"got {rollout.frames.shape}; roll out again: snakemake open_domain")  # fmt: skip
    return rollout
