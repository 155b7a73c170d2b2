"""Features of the true frames that a study's realism is measured against: the same for all rows."""

from __future__ import annotations

from pathlib import Path

from echo.measures.efficientnet import EfficientNetLite0
from echo.measures.features import case_names, save_true_features, true_features
from echo.study.config import Study
from echo.study.provenance import part_of, record_of, recorded
from echo.world.pool import open_pool

READS = ("seed", "segment.frames", "evaluate.on", "evaluate.cases", "evaluate.branches")


def run(study: Study, pools: dict[str, Path], weights: Path, out: Path) -> None:
    """Write the features of every branch's true frames to the file ``out``."""
    part = part_of(study, "true_features")
    with recorded(record_of(out), study, "true_features"):
        opened = {split: open_pool(folder, (split,)) for split, folder in pools.items()}
        found = true_features(part, opened, EfficientNetLite0(weights).embed)
        save_true_features(out, found, case_names(part, opened))
