"""A judge's scores of a row's rollouts, as a table: one row per case of every branch that returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from echo.judge.base import Judge, judge_many, returned_case
from echo.judge.rubric import overall
from echo.rollout.frames import Rollout
from echo.study.config import Study
from echo.study.words import BRANCHES, RETURN_FRAMES

if TYPE_CHECKING:
    from echo.world.pool import Pool

# The rubric's score of the scene is ``scene_score``: ``scene`` is the room in the tables this one is joined with.
SCORES = {"appearance": "appearance", "presence": "presence", "view": "view", "scene": "scene_score"}
COLUMNS = ("row_name", "train_seed", "branch", "case", *SCORES.values(), "judge")


def judge_rollouts(
    study: Study, row: str, seed: int, rollouts: Mapping[str, Path], pools: Mapping[str, Pool], judge: Judge
) -> pd.DataFrame:
    """The table of scores (``COLUMNS``) of one row with one training seed; missing scores are NaN.

    The last ``RETURN_FRAMES`` frames of a case are compared with its first frame, as given. Branches that do not come
    back to the first pose have no rows.

    rollouts: the file of each branch's rollout; pools: by split. Raises RolloutError for a rollout that is not all of
    the study's cases.
    """
    rows = []
    for branch, path in rollouts.items():
        if not BRANCHES[branch].returns:
            continue
        rollout, pool = Rollout.load(path), pools[BRANCHES[branch].split(study.evaluate.splits)]
        rollout.check(study, branch, pool.info, path)
        lasts = rollout.frames[:, -RETURN_FRAMES:]
        cases = [returned_case(pool, *ends, study.has_depth) for ends in zip(rollout.cases, lasts, strict=True)]
        scores = judge_many(judge, cases)
        for case, score in zip(rollout.cases, scores, strict=True):
            named = {SCORES[name]: value for name, value in asdict(score).items()}
            rows.append(
                {"row_name": row, "train_seed": seed, "branch": branch, "case": case, **named, "judge": overall(score)}
            )
    return pd.DataFrame(rows, columns=[*COLUMNS])
