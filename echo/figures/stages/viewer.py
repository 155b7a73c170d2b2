"""Write the page on which to look at one case after the other."""

from __future__ import annotations

from pathlib import Path

from echo.figures import FigureError
from echo.figures.viewer.page import render
from echo.figures.viewer.sample import Row, contents
from echo.io.files import write_text
from echo.study.config import Study
from echo.study.provenance import hashes, part_of, record_of, recorded
from echo.world.pool import open_pool

READS = ("seed", "study", "rows", "profiles", "reference", "references", "segment.frames", "evaluate.shown",
         "evaluate.splits", "evaluate.cases", "evaluate.probe_cases", "evaluate.branches")  # fmt: skip


def run(study: Study, rollouts: list[Path], probes: list[Path], pools: dict[str, Path], out: Path) -> None:
    """Write the page ``out``, and its record.

    rollouts: folders of the first training seed's rollouts, row by row, then of the reference rows; probes: files, row
    by row. Raises FigureError for another number of either.
    """
    part = part_of(study, "viewer")
    names = [*part.rows, *part.references]
    for option, given, wanted in (("--rollout", rollouts, names), ("--probes", probes, list(part.rows))):
        if len(given) != len(wanted):
            raise FigureError(f"{option}: expected {len(wanted)} ({', '.join(wanted)}), got {len(given)}")
    own = dict(zip(part.rows, probes, strict=True))
    rows = [Row(name, folder, own.get(name)) for name, folder in zip(names, rollouts, strict=True)]
    with recorded(record_of(out), study, "viewer") as record:
        opened = {split: open_pool(folder, (split,)) for split, folder in pools.items()}
        write_text(out, render(contents(part, rows, opened)))
        record |= hashes(out)
