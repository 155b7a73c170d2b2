"""Gather the study's tables from its runs, and compute the result tables."""

from __future__ import annotations

from pathlib import Path

from echo.measures.probed import PROBED
from echo.study.chosen import table_hashes
from echo.study.config import Study
from echo.study.provenance import part_of, recorded, stage_digest
from echo.study.words import BRANCHES
from echo.tables.build import build_tables
from echo.tables.complete import expected
from echo.tables.files import POOL_SAMPLE, ROLLOUTS_SAMPLE, sample_file
from echo.tables.gather import gather
from echo.tables.samples import branch_sample, pool_sample, rollouts_sample
from echo.world.pool import open_pool

READS = ("seed", "rows", "train_seeds", "profiles", "reference", "references", "evaluate", "all_judges",
         "segment.frames", "backbone.layout", "codec.temporal", "evidence.policy", "evidence.drop", "train.steps",
         "train.batch", "train.adamw_lr", "train.row_lr", "train.timestep_shift", "train.spike",
         "sampler.steps", "chosen_in")  # fmt: skip


def run(
    study: Study,
    measures: list[Path],
    judged: list[Path],
    probes: list[Path],
    realism: list[Path],
    rollouts: list[Path],
    references: list[Path],
    records: list[Path],
    pools: dict[str, Path],
    out: Path,
) -> None:
    """Write all tables to the folder ``out``.

    ``measures``: folders, ``judged`` and ``realism``: files, one per run, row by row and seed by seed, then one per
    reference row; ``judged`` so for each judge, the main one first. ``probes``: files, one per run. ``rollouts``: the
    rollouts of the first training seed, row by row: files, or the folders that hold them. ``references``: the records
    of the reference rows. ``records``: of all jobs, in pipeline order. ``pools``: folder of the pool of each held-out
    split. Raises TableError, before anything is written, if an input is truncated, incomplete or another run's.
    """
    part = part_of(study, "tables")
    opened = {split: open_pool(folder, (split,)) for split, folder in pools.items()}
    wanted = expected(part, {split: pool.info for split, pool in opened.items()})
    folders = list(dict.fromkeys(path.parent if path.suffix else path for path in rollouts))
    with recorded(out / "record.json", study, "tables") as record:
        record["chosen"] = table_hashes(part.chosen_in)
        current = {row: stage_digest(study, "train", row) for row in part.rows}
        gather(part, wanted, current, measures=measures, judged=judged, probes=probes, realism=realism,
               rollouts=folders, references=references, records=records, tables=out)  # fmt: skip
        by_row = dict(zip(part.rows, folders, strict=True))
        for branch in part.evaluate.branches:
            pool = opened[BRANCHES[branch].split(part.evaluate.splits)]
            branch_sample(part, wanted, branch, by_row, pool, out / sample_file(branch))
        rollouts_sample(part, wanted, by_row, opened, out / ROLLOUTS_SAMPLE)
        pool_sample(opened[BRANCHES[PROBED].split(part.evaluate.splits)], out / POOL_SAMPLE)
        asked = part.evaluate
        build_tables(out, reference=part.reference, named=asked.contrasts, threshold=asked.probe_threshold,
                     resamples=asked.bootstrap, seed=part.seed)  # fmt: skip
