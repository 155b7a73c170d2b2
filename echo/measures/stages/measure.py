"""Compare a row's rollouts with the truth, frame by frame and case by case."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from echo.io.files import atomic_path
from echo.measures.cases import Rollout, measure
from echo.measures.images import Lpips
from echo.study.config import Study
from echo.study.provenance import part_of, recorded
from echo.study.words import BRANCHES
from echo.world.pool import open_pool

READS = ("seed", "segment.frames", "evaluate.cases", "evaluate.branches")


def run(
    study: Study, row: str, seed: int, rollouts: list[Path], pools: dict[str, Path], weights: Path, out: Path
) -> None:
    """Write ``out/frames.parquet`` and ``out/cases.csv``; ``rollouts``: one file a branch, in the study's order."""
    part = part_of(study, "measure")
    with recorded(out / "record.json", study, "measure", row) as record:
        record["train_seed"] = seed
        lpips, frames, cases = Lpips(weights), [], []
        for branch, path in zip(part.evaluate.branches, rollouts, strict=True):
            pool = open_pool(pools[BRANCHES[branch].split])
            tables = measure(Rollout.load(path), branch, part, pool, lpips)
            frames.append(tables[0])
            cases.append(tables[1])
        with atomic_path(out / "frames.parquet") as temporary:
            pd.concat(frames).to_parquet(temporary, index=False)
        with atomic_path(out / "cases.csv") as temporary:
            pd.concat(cases).to_csv(temporary, index=False)
