"""Gather the study's tables from the files of its runs."""

from __future__ import annotations

from pathlib import Path

from echo.study.config import Study
from echo.study.provenance import part_of, recorded
from echo.tables import build_tables
from echo.tables.gather import gather

READS = ("seed", "reference", "rows", "train_seeds", "evaluate", "segment.frames", "study", "profiles")


def run(study: Study, measures, judged, probes, rollouts, records, pools: dict[str, Path], out: Path) -> None:
    with recorded(out / "record.json", study, "tables"):
        gather(study, measures[0].parents[1], out)
        build_tables(out, reference=study.reference, threshold=study.evaluate.probe_threshold,
                     resamples=study.evaluate.bootstrap, seed=study.seed)  # fmt: skip
