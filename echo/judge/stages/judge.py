"""Judge a row's returned views against the first view."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from echo.io.files import atomic_path
from echo.judge import build_judge, judge_many, overall
from echo.measures.cases import Rollout
from echo.study.config import Study
from echo.study.provenance import part_of, record_of, recorded
from echo.study.words import BRANCHES, RETURN_FRAMES
from echo.world.pool import open_pool

READS = ("seed", "evaluate.cases", "evaluate.branches", "evaluate.judge")
CHOOSES = {"evaluate.judge": "echo.judge.judges.{}"}


def run(
    study: Study, row: str, seed: int, rollouts: list[Path], pools: dict[str, Path], weights: Path, out: Path
) -> None:
    """Write one row per case of the branches that return to the file ``out``; ``rollouts``: one file a branch."""
    part = part_of(study, "judge")
    with recorded(record_of(out), study, "judge", row) as record:
        record["train_seed"] = seed
        judge, rows = build_judge(part.evaluate.judge, weights), []
        for branch, path in zip(part.evaluate.branches, rollouts, strict=True):
            if not BRANCHES[branch].returns:
                continue
            rollout = Rollout.load(path)
            pool = open_pool(pools[BRANCHES[branch].split])
            firsts = [pool.frames(case, [0])[0] for case in rollout.cases]
            masks = [pool.masks(case)[0] for case in rollout.cases]
            identities = [pool.info.anchor[case] for case in rollout.cases]
            scores = judge_many(judge, firsts, list(rollout.frames[:, -RETURN_FRAMES:]), masks, identities)
            for case, score in zip(rollout.cases, scores, strict=True):
                rows.append({"branch": branch, "case": case, "appearance": score.appearance,
                             "presence": score.presence, "view": score.view, "scene_score": score.scene,
                             "judge": overall(score)})  # fmt: skip
        columns = ["branch", "case", "appearance", "presence", "view", "scene_score", "judge"]
        with atomic_path(out) as temporary:
            pd.DataFrame(rows, columns=columns).to_csv(temporary, index=False)
