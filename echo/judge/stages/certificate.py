"""Measure what a row's memory is worth from its probed frames."""

from __future__ import annotations

from pathlib import Path

from echo.io.files import atomic_path
from echo.judge import build_judge
from echo.judge.base import ReportingJudge
from echo.judge.certificates import certificates
from echo.measures.lpips import Lpips
from echo.measures.probed import Probed
from echo.measures.seen import check_seen, load_seen
from echo.rollout.cases import choose_cases
from echo.study.config import Study
from echo.study.provenance import hashes, part_of, record_of, recorded
from echo.study.words import BRANCHES
from echo.world.pool import open_pool

READS = ("seed", "segment.frames", "evaluate.splits", "evaluate.cases", "evaluate.probe_cases", "has_depth",
         "judge_kind", "judge_settings")  # fmt: skip
CHOOSES = {"judge_kind": "echo.judge.judges.{}"}


def run(
    study: Study, row: str, seed: int, probes: Path, pool: Path, weights: Path, out: Path, seen: Path | None = None
) -> None:
    """Write one line for each probe and case to the file ``out``; ``probes``: the row's probed frames.

    weights: the folder of the networks' weights; seen: the masks of seen pixels, if frames have depth.
    """
    part = part_of(study, "certificate")
    with recorded(record_of(out), study, "certificate", row) as record:
        opened = open_pool(pool, (BRANCHES["recall"].split(part.evaluate.splits),))
        chosen = choose_cases(part, "recall", opened.info)
        info = chosen[: part.evaluate.probe_cases]
        probed = Probed.load(probes, list(info.index))
        found = load_seen(seen) if seen else {}  # of the study's branches, of which recall need not be one
        masks = check_seen(found, "recall", list(chosen.index), seen) if seen and "recall" in found else None
        judge = build_judge(part.judge_kind, weights, part.judge_settings)
        table = certificates(probed, list(info.room), opened, Lpips(weights), judge, masks, part.has_depth)
        with atomic_path(out) as temporary:
            table.assign(row_name=row, train_seed=seed).to_csv(temporary, index=False)
        record |= {"train_seed": seed, **hashes(out)}
        if isinstance(judge, ReportingJudge):
            record["judge"] = judge.report()
