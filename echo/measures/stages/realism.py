"""Measure the distance between a row's generated frames and the true ones, as sets."""

from __future__ import annotations

from pathlib import Path

from echo.measures.efficientnet import EfficientNetLite0
from echo.measures.features import case_names, distances, load_true_features
from echo.measures.realism import save_distances
from echo.study.config import Study
from echo.study.provenance import part_of, record_of, recorded
from echo.world.pool import open_pool

READS = ("seed", "segment.frames", "evaluate.cases", "evaluate.branches", "evaluate.splits")


def run(
    study: Study,
    row: str,
    seed: int,
    rollouts: list[Path],
    pools: dict[str, Path],
    true: Path,
    weights: Path,
    out: Path,
) -> None:
    """Write each branch's distances to the file ``out``; ``rollouts``: one file per branch, in the study's order."""
    part = part_of(study, "realism")
    with recorded(record_of(out), study, "realism", row) as record:
        record["train_seed"] = seed
        files = dict(zip(part.evaluate.branches, rollouts, strict=True))
        opened = {split: open_pool(folder, (split,)) for split, folder in pools.items()}
        cases = case_names(part, opened)
        features = load_true_features(true, cases)
        found = distances(part, files, opened, features, EfficientNetLite0(weights).embed)
        save_distances(out, found, row_name=row, train_seed=seed, cases=cases)
