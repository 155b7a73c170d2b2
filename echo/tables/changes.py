"""What one factor changes in each row: two studies that differ in it alone, paired by case and training seed.

Both studies put every row before the same cases: the camera, room and first view of a case come from the study's seed.
So the change of a row is a mean of paired differences, with an interval over rooms and trainings as everywhere
(``echo.tables.statistics.paired_difference``). It holds the luck of two trainings where each study has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from echo.io.seeding import generator
from echo.study.words import BRANCHES
from echo.tables.compare import Values
from echo.tables.paper import papers_name
from echo.tables.policies import Compared, differing
from echo.tables.rank_correlation import REFERENCE_FAMILY
from echo.tables.statistics import holm, paired_difference

MEASURES = ("psnr", "lpips", "judge")
KEY = ["one", "other", "factor", "row", "label", "branch", "measure"]
CHANGES = [*KEY, "change", "low", "high", "p", "p_holm", "cases", "scenes", "train_seeds"]


def changes(studies: Sequence[Compared], resamples: int, seed: int = 0) -> pd.DataFrame:
    """``other`` minus ``one`` of each trained row, in dB, LPIPS and points of the judge: one line (``CHANGES``) a cell.

    Pairs of ``studies`` that differ in one factor alone and have the same cases; branches and measures that both have;
    ``row`` is the paper's name of it. Holm's correction covers the rows of a pair on one branch by one measure.
    """
    lines: list[dict[str, Any]] = []
    for one, other in combinations(studies, 2):
        apart = differing(one, other)
        if len(apart) != 1 or one.config.get("seed") != other.config.get("seed"):
            continue
        for branch in BRANCHES:
            for measure in MEASURES:
                group = _group(one, other, branch, measure, resamples, seed)
                for line, p in zip(group, holm([line["p"] for line in group]), strict=True):
                    lines.append({"one": one.name, "other": other.name, "factor": apart[0], **line, "p_holm": p})
    return pd.DataFrame(lines, columns=CHANGES)


def _group(
    one: Compared, other: Compared, branch: str, measure: str, resamples: int, seed: int
) -> list[dict[str, Any]]:
    """The changes of all rows that both studies measured on some case of the branch."""
    measured = [_measured(study, branch, measure) for study in (one, other)]
    lines = []
    for row in dict.fromkeys(measured[0]["row"]):
        both = pd.concat(cases[cases["row"] == row] for cases in measured)
        if both["row_name"].nunique() < 2:
            continue
        values = Values.of(both, measure)
        ours, theirs = values.by_row[other.name], values.by_row[one.name]
        if not np.isfinite(ours - theirs).any():
            continue
        draw = generator(seed, "tables", "changes", one.name, other.name, branch, measure)
        found = paired_difference(ours, theirs, values.seeds, values.scenes, resamples, draw)
        lines.append({
            "row": row, "label": measured[0].loc[measured[0]["row"] == row, "label"].iloc[0], "branch": branch,
            "measure": measure, "change": found.mean, "low": found.low, "high": found.high, "p": found.p,
            "cases": found.cases, "scenes": found.scenes, "train_seeds": found.seeds,
        })  # fmt: skip
    return lines


def _measured(study: Compared, branch: str, measure: str) -> pd.DataFrame:
    """The study's measured cases of its trained rows; ``row_name`` is the study's name, ``row`` the paper's of the row.

    Columns: row, label, row_name, train_seed, case, scene and the measure.
    """
    trained = study.rows[study.rows["family"] != REFERENCE_FAMILY].set_index("row_name")["label"]
    cases = study.cases[(study.cases["branch"] == branch) & study.cases["row_name"].isin(trained.index)]
    cases = cases[cases[measure].notna()]
    own = cases["row_name"]
    return cases.assign(row=own.map(papers_name), label=own.map(trained), row_name=study.name)
