"""Judge a row's returns to lone first frames, by the judge of the study that it is given."""

from __future__ import annotations

from pathlib import Path

from echo.io.files import atomic_path
from echo.judge import build_judge
from echo.judge.base import ReportingJudge
from echo.judge.first_frames import judge_pictures
from echo.study.config import Study
from echo.study.judges import judge_needs
from echo.study.provenance import hashes, part_of, record_of, recorded
from echo.world.first_frames.pool import FirstFramePool

READS = ("segment.frames", "open_domain.branches", "judge_kind", "judge_settings")
CHOOSES = {"judge_kind": "echo.judge.judges.{}"}


def run(study: Study, row: str, seed: int, rollouts: list[Path], pool: Path, weights: Path, out: Path) -> None:
    """Write one line per picture and branch to the file ``out``; ``rollouts``: one file per branch."""
    part = part_of(study, "open_judge")
    with recorded(record_of(out), study, "open_judge", row) as record:
        record["train_seed"] = seed
        files = dict(zip(part.open_domain.branches, rollouts, strict=True))
        judge = build_judge(part.judge_kind, weights, part.judge_settings)
        needs = judge_needs(part.judge_kind)
        table = judge_pictures(part, row, seed, files, FirstFramePool(pool), judge, needs)
        if isinstance(judge, ReportingJudge):
            record["judge"] = judge.report()
        record["missing"] = table["missing"][table["missing"] != ""].value_counts().to_dict()
        with atomic_path(out) as temporary:
            table.to_csv(temporary, index=False)
        record |= hashes(out)
