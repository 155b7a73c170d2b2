"""A judge's scores of rollouts from lone first frames; of a picture that lacks what it needs, why there are none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from echo.judge.base import Case, Judge, judge_many
from echo.judge.cases import COLUMNS as SCORED
from echo.judge.cases import SCORES
from echo.judge.rubric import Scores, overall
from echo.rollout.first_frames import load_rollout
from echo.study.config import Study
from echo.study.words import RETURN_FRAMES
from echo.world.first_frames.pool import FirstFramePool

COLUMNS = (*SCORED, "missing")
UNSCORED = Scores(math.nan, math.nan, math.nan, math.nan)


def judge_pictures(
    study: Study,
    row: str,
    seed: int,
    rollouts: Mapping[str, Path],
    pool: FirstFramePool,
    judge: Judge,
    needs: Sequence[str],
) -> pd.DataFrame:
    """The table of scores (``COLUMNS``) of one row and training seed; ``missing``: why a case has no total, or empty.

    The last ``RETURN_FRAMES`` frames are compared with the picture. needs: parts of a case that the judge cannot do
    without (``echo.study.judges.judge_needs``); a case that lacks one is not put to it. rollouts: by branch. Raises
    RolloutError for a rollout that is not of all pictures.
    """
    lines = []
    for branch, path in rollouts.items():
        rollout = load_rollout(study, branch, pool, path)
        cases = [
            Case(pool.first(video), shown[-RETURN_FRAMES:], pool.mask(video), str(pool.info.anchor[video]))
            for video, shown in zip(rollout.cases, rollout.frames, strict=True)
        ]
        for video, (score, missing) in zip(rollout.cases, _judged(cases, judge, needs), strict=True):
            named = {SCORES[name]: value for name, value in asdict(score).items()}
            owner = {"row_name": row, "train_seed": seed, "branch": branch, "case": video}
            lines.append({**owner, **named, "judge": overall(score), "missing": missing})
    return pd.DataFrame(lines, columns=[*COLUMNS])


def _judged(cases: Sequence[Case], judge: Judge, needs: Sequence[str]) -> list[tuple[Scores, str]]:
    """Scores of each case, and why its total is missing, or nothing."""
    lacking = [", ".join(f"no {part}" for part in needs if getattr(case, part) is None) for case in cases]
    asked = iter(judge_many(judge, [case for case, lack in zip(cases, lacking, strict=True) if not lack]))
    found = []
    for lack in lacking:
        score = UNSCORED if lack else next(asked)
        silent = "the judge gave no score" if math.isnan(overall(score)) else ""
        found.append((score, f"{lack}, which the judge needs" if lack else silent))
    return found
