"""Find which pixels of the measured frames were seen before: once for all rows of a study, from true depth."""

from __future__ import annotations

from pathlib import Path

from echo.measures.seen import save_seen, see_branch
from echo.study.config import Study
from echo.study.provenance import part_of, record_of, recorded
from echo.study.words import BRANCHES
from echo.world.pool import open_pool

READS = ("seed", "segment.frames", "world.field_of_view", "evaluate.splits", "evaluate.cases", "evaluate.branches")


def run(study: Study, pools: dict[str, Path], out: Path) -> None:
    """Write the masks of every branch to the file ``out``; ``pools``: by split."""
    part = part_of(study, "seen")
    with recorded(record_of(out), study, "seen"):
        opened = {split: open_pool(folder, (split,)) for split, folder in pools.items()}
        on, branches = part.evaluate.splits, part.evaluate.branches
        save_seen(out, {branch: see_branch(part, branch, opened[BRANCHES[branch].split(on)]) for branch in branches})
