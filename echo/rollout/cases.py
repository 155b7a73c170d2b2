"""Cases: which trajectories a branch rolls out. They depend on study and pool alone: all rows have the same ones."""

from __future__ import annotations

import pandas as pd

from echo.io.errors import UserError
from echo.io.seeding import generator
from echo.study.config import Study
from echo.study.words import BRANCHES, SPLITS


class CasesError(UserError):
    """A pool with fewer videos than the study asks cases of."""


def choose_cases(study: Study, branch: str, info: pd.DataFrame) -> pd.DataFrame:
    """The branch's cases: rows of the pool's table ``info`` (indexed by video), ``study.evaluate.cases`` of them.

    Scenes take turns, each giving its identities in an order drawn by the study's seed, so that all scenes weigh
    about the same. Raises CasesError where the pool has too few videos of the branch's trajectory.
    """
    trajectory, split = BRANCHES[branch].trajectory, BRANCHES[branch].split(study.evaluate.splits)
    videos = info[info.trajectory == trajectory]
    if len(videos) < study.evaluate.cases:
        raise CasesError(
            f"branch {branch}: evaluate.cases = {study.evaluate.cases}, but the {split} pool has "
            f"{len(videos)} videos of trajectory {trajectory}"
        )
    # Named by the trajectory, so that recall and the strict return are the same cases.
    draw = generator(study.seed, "cases", SPLITS[split].stream, trajectory)
    shuffled = videos.iloc[draw.permutation(len(videos))]
    turn = shuffled.groupby("room").cumcount()
    return shuffled.assign(turn=turn).sort_values("turn", kind="stable").drop(columns="turn")[: study.evaluate.cases]
