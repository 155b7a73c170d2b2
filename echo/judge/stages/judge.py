"""Judge a row's returned views against the first view, by the judge of the study that it is given.

A study with several judges is given once for each (``Study.judged_by``), so that what one of them needs changes nothing
of the others.
"""

from __future__ import annotations

from pathlib import Path

from echo.io.files import atomic_path
from echo.judge import build_judge
from echo.judge.base import ReportingJudge
from echo.judge.cases import judge_rollouts
from echo.study.config import Study
from echo.study.provenance import hashes, part_of, record_of, recorded
from echo.world.pool import open_pool

READS = ("seed", "segment.frames", "evaluate.splits", "evaluate.cases", "evaluate.branches", "has_depth",
         "judge_kind", "judge_settings")  # fmt: skip
CHOOSES = {"judge_kind": "echo.judge.judges.{}"}


def run(
    study: Study, row: str, seed: int, rollouts: list[Path], pools: dict[str, Path], weights: Path, out: Path
) -> None:
    """Write one row per case of the branches that return to the file ``out``; ``rollouts``: one file per branch."""
    part = part_of(study, "judge")
    with recorded(record_of(out), study, "judge", row) as record:
        record["train_seed"] = seed
        files = dict(zip(part.evaluate.branches, rollouts, strict=True))
        opened = {split: open_pool(folder, (split,)) for split, folder in pools.items()}
        judge = build_judge(part.judge_kind, weights, part.judge_settings)
        table = judge_rollouts(part, row, seed, files, opened, judge)
        if isinstance(judge, ReportingJudge):
            record["judge"] = judge.report()
        with atomic_path(out) as temporary:
            table.to_csv(temporary, index=False)
        record |= hashes(out)
