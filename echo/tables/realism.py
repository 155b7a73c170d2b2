"""Realism of each row on each branch, and of all its branches together: distance, interval and floor.

A row's distance is the mean over its training seeds (each is a separate model); the interval is over rooms and
trainings (``echo.tables.resampling``). The distance is unbiased, so a value below 0 means that the frames cannot be
told from true ones. The floor is the 95th percentile, over splits, of the distance between true frames of two disjoint
halves of the rooms; its mean over splits is 0. The floor is conservative: each half has half of the rooms, and the
halves have different rooms, whereas generated and true frames are of the same rooms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from echo.io.errors import UserError
from echo.io.seeding import generator
from echo.measures.realism import ALL, Distances, load_distances
from echo.study.config import Study
from echo.study.words import BRANCHES, UNTRAINED
from echo.tables.complete import Expected, Run, measured, raise_faults
from echo.tables.read import TableError
from echo.tables.resampling import LEVEL, limits, luck, moved_by_seeds, room_weights

KERNEL = "kernel distance"  # the only kind of distance
COLUMNS = ["row_name", "branch", "kind", "value", "low", "high", "floor", "frames", "scenes", "train_seeds"]


def realism_table(study: Study, expected: Expected, files: Sequence[Path]) -> pd.DataFrame:
    """One line per row (or reference row) and branch, all branches together last. Columns ``COLUMNS``.

    ``files``: what the stage ``realism`` wrote, one each in the order of ``measured(study)``. Raises TableError if
    one is truncated, another run's, or of other cases.
    """
    found = read_distances(study, expected, files)
    branches = [branch for branch in BRANCHES if branch in expected.cases] + [ALL]
    lines = []
    seeds = {row: study.train_seeds for row in study.rows} | dict.fromkeys(study.references, (UNTRAINED,))
    for row, own in seeds.items():
        for branch in branches:
            each = [found[Run(row, seed)][branch] for seed in own]
            lines.append({"row_name": row, "branch": branch, **_cell(each, branch, study)})
    return pd.DataFrame(lines, columns=COLUMNS)


def read_distances(study: Study, expected: Expected, files: Sequence[Path]) -> Mapping[Run, Mapping[str, Distances]]:
    """The distances of every run by branch, after a check that all files are intact and of the study's cases."""
    each = measured(study)
    if len(files) != len(each):
        raise TableError(
            f"{len(files)} files of realism for {len(each)} runs (rows x training seeds) and reference rows: one is "
            "needed from each, in the study's order"
        )
    wanted = {branch: list(cases) for branch, cases in expected.cases.items()}
    found, faults = {}, {}
    for path, run in zip(files, each, strict=True):
        faults[path] = []
        try:
            found[run], header = load_distances(path)
        except (UserError, OSError) as error:
            faults[path] = [str(error).removeprefix(f"{path}: ")]
            continue
        owner = Run(str(header["row_name"]), int(str(header["train_seed"])))
        if owner != run:
            faults[path] = [f"it belongs to {owner}"]
        elif header["cases"] != wanted or set(found[run]) != {*wanted, ALL}:
            faults[path] = ["its branches or cases are not the study's"]
    raise_faults(faults, dict(zip(files, each, strict=True)))
    return found


def _cell(each: Sequence[Distances], branch: str, study: Study) -> dict[str, object]:
    """Mean over training seeds, its interval, and the floor; ``each``: the distances of each seed."""
    estimates = np.array([one.distance()[0] for one in each])
    rooms, resamples = len(each[0].rooms), study.evaluate.bootstrap
    draw = generator(study.seed, "tables", "realism", branch)  # the same rooms for all rows
    low = high = np.nan
    if rooms > 2:  # a draw of two rooms is a single pair, or none
        weights = room_weights(rooms, resamples, draw)
        own = np.stack([one.distance(weights) for one in each], axis=1)
        own = own[np.isfinite(own).all(1)]
        moved = moved_by_seeds(estimates, np.full(len(each), 1 / len(each)))
        low, high = limits(own.mean(1) + luck(moved, len(own), draw))
    splits = each[0].floor(resamples, generator(study.seed, "tables", "realism", "floor", branch))
    return {
        "kind": KERNEL,
        "value": float(estimates.mean()),
        "low": low,
        "high": high,
        "floor": float(np.quantile(splits, LEVEL)),
        "frames": each[0].frames,
        "scenes": rooms,
        "train_seeds": len(each),
    }
