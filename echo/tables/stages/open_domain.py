"""Tables and strips of all rows' rollouts from lone first frames."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from echo.io.files import atomic_path, write_text
from echo.judge.cases import SCORES
from echo.measures.closure import closure
from echo.measures.lpips import Lpips
from echo.rollout.first_frames import load_rollout
from echo.study.config import Study
from echo.study.provenance import altered, hashes, part_of, recorded
from echo.study.references import label
from echo.study.words import UNTRAINED
from echo.tables.complete import Run, faults, raise_faults, read_table, runs
from echo.tables.open_domain import CASE_COLUMNS, page, row_table
from echo.tables.strips import save_strips
from echo.world.first_frames.pool import FirstFramePool

READS = ("seed", "rows", "train_seeds", "profiles", "open_references", "segment.frames", "open_domain.branches",
         "evaluate.bootstrap", "all_judges")  # fmt: skip
KEYS = ["row_name", "train_seed", "branch", "case"]


def run(study: Study, rollouts: list[Path], judged: list[Path], pool: Path, weights: Path, out: Path) -> None:
    """Write the tables, and for each picture and branch ``strips/<picture>__<trajectory>.jpg``, to the folder ``out``.

    ``judged``: judge by judge, a file per run, row by row and seed by seed, then one per reference row that can be
    drawn; ``rollouts``: in the order of one judge's, a file per branch. Strips are of the first training seed. Raises
    TableError, before anything is written, if a file is truncated, incomplete or another run's.
    """
    part, pictures, lpips = part_of(study, "open_domain"), FirstFramePool(pool), Lpips(weights)
    each = [*runs(part), *(Run(name, UNTRAINED) for name in part.open_references)]
    labels = {row: part.profiles[row].label for row in part.rows} | {name: label(name) for name in part.open_references}
    scores = _scores(part, each, judged, pictures)
    with recorded(out / "record.json", study, "open_domain") as record:
        lines, strips = [], {}
        for one, branch, case, frames in _cases(part, each, rollouts, pictures):
            first, about = pictures.first(case), pictures.info.loc[case]
            key = dict(zip(KEYS, (one.row_name, one.train_seed, branch, case), strict=True))
            lines.append({**key, "picture": about["room"], "anchor": about["anchor"], **closure(frames, first, lpips)})
            if one.train_seed in (part.train_seeds[0], UNTRAINED):
                shown = (first, frames[-1 - part.segment.frames], frames[-1])
                strips.setdefault(case, {})[labels[one.row_name]] = shown
        cases = pd.DataFrame(lines).merge(scores, on=KEYS, how="left", validate="one_to_many")[[*CASE_COLUMNS]]
        rows = row_table(cases, labels, part.evaluate.bootstrap, part.seed)
        for name, table in (("open_domain.csv", cases), ("open_domain_rows.csv", rows)):
            with atomic_path(out / name) as temporary:
                table.round(4).to_csv(temporary, index=False)
        count = pictures.info.room.nunique()
        write_text(out / "open_domain.md", page(rows, count, part.open_references))
        for case, held in strips.items():
            save_strips(held, out / "strips" / f"{case}.jpg")
        record |= hashes(out / "open_domain.csv", out / "open_domain_rows.csv", out / "open_domain.md")


def _cases(
    study: Study, each: list[Run], rollouts: list[Path], pictures: FirstFramePool
) -> Iterator[tuple[Run, str, str, np.ndarray]]:
    """Run, branch, video and generated frames of every case."""
    wanted = [(one, branch) for one in each for branch in study.open_domain.branches]
    for (one, branch), path in zip(wanted, rollouts, strict=True):
        rollout = load_rollout(study, branch, pictures, path)
        for case, frames in zip(rollout.cases, rollout.frames, strict=True):
            yield one, branch, case, frames


def _scores(study: Study, each: list[Run], judged: list[Path], pictures: FirstFramePool) -> pd.DataFrame:
    """All judgements as one table; raises TableError where one is not whole."""
    wanted = [(branch, case) for branch in study.open_domain.branches for case in pictures.cases(branch)]
    owners = [(judge, one) for judge in study.all_judges for one in each]
    tables, found = [], {}
    for (judge, one), path in zip(owners, judged, strict=True):
        tables.append(read_table(path).assign(judged_by=judge))
        found[path] = faults(tables[-1], one, KEYS[2:], wanted, {}) or [*filter(None, [altered(path)])]
    raise_faults(found, {path: one for (_, one), path in zip(owners, judged, strict=True)})
    return pd.concat(tables, ignore_index=True)[[*KEYS, "judged_by", *SCORES.values(), "judge", "missing"]]
