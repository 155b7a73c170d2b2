"""Does the row that replays best also return best? Spearman's rank correlation over rows, with an interval.

The interval is a hierarchical bootstrap (``echo.tables.resampling``). Rooms of each split are drawn once for all rows,
because rows are compared on the same rooms. The luck of trainings is drawn separately for each row, because the
trainings of two rows are independent, but jointly for replay and return, because one model did both. With one seed it
is in no interval. Noise between rows whose true numbers
are close lowers a rank correlation: an interval may lie below the estimate itself, but never above what the rows allow.
Reference rows are left out: they replay nothing from a memory.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float64
from scipy.stats import rankdata

from echo.io.seeding import generator
from echo.study.words import BRANCHES
from echo.tables.paper import PAPER_COLUMNS, paper
from echo.tables.resampling import Nested, limits

REPLAY = ("replay", "psnr")
MEASURES = ("psnr", "lpips", "judge")  # of a return
HIGHER_IS_BETTER = {"psnr": 1, "lpips": -1, "judge": 1}
FEWEST = 3  # rows needed for a rank correlation to be informative
REFERENCE_FAMILY = "reference"
COLUMNS = ["branch", "measure", "rows", "value", "low", "high", "scenes", "train_seeds", "paper", "paper_rows"]


def rank_correlation(cases: pd.DataFrame, rows: pd.DataFrame, resamples: int, seed: int) -> pd.DataFrame:
    """One row per branch and measure of a return: its rank correlation over rows with replay PSNR.

    Columns ``COLUMNS``: among them the numbers of ``rows`` and ``scenes`` (of the return) behind it, and the paper's
    value and number of rows. Ranks are best first on both sides: for LPIPS lower is better. Empty if fewer than
    ``FEWEST`` rows have both numbers.
    """
    names = list(rows.loc[rows["family"] != REFERENCE_FAMILY, "row_name"])
    lines = []
    for branch, way in BRANCHES.items():
        for measure in MEASURES if way.measure == "view" else ():
            here = _by_row(cases, branch, measure, names)
            if here or (branch, measure) in PAPER_COLUMNS:
                lines.append(_line(_by_row(cases, *REPLAY, names), here, branch, measure, resamples, seed))
    return pd.DataFrame(lines, columns=COLUMNS)


def spearman(
    a: Float64[np.ndarray, "lines rows"], b: Float64[np.ndarray, "lines rows"]
) -> Float64[np.ndarray, " lines"]:
    """Rank correlation of a and b line by line, with mean ranks for ties; NaN if all values of a side are equal."""
    ranks = [rankdata(side, axis=1) for side in (a, b)]
    ranks = [side - side.mean(1, keepdims=True) for side in ranks]
    size = np.sqrt(np.square(ranks[0]).sum(1) * np.square(ranks[1]).sum(1))
    with np.errstate(invalid="ignore"):
        return (ranks[0] * ranks[1]).sum(1) / size


def _by_row(cases: pd.DataFrame, branch: str, measure: str, names: list[str]) -> dict[str, pd.DataFrame]:
    """The measured cases of one branch, by row."""
    if measure not in cases:
        return {}
    here = cases[(cases["branch"] == branch) & cases[measure].notna() & cases["row_name"].isin(names)]
    here = here[["row_name", "train_seed", "scene", measure]].rename(columns={measure: "value"})
    return {str(name): part for name, part in here.groupby("row_name")}


def _line(
    replay: dict[str, pd.DataFrame], back: dict[str, pd.DataFrame], branch: str, measure: str, resamples: int, seed: int
) -> dict[str, float | str]:
    both = [row for row in replay if row in back]
    theirs = _papers(branch, measure)
    line: dict[str, float | str] = {"branch": branch, "measure": measure, "rows": len(both)}
    line |= dict.fromkeys(("value", "low", "high"), np.nan) | {"scenes": 0, "train_seeds": 0}
    line |= {"paper": theirs[0], "paper_rows": theirs[1]}
    if len(both) < FEWEST:
        return line
    scenes = {scene for row in both for scene in back[row]["scene"]}
    seeds = {number for row in both for number in back[row]["train_seed"]}
    line |= {"scenes": len(scenes), "train_seeds": len(seeds)}
    sign = HIGHER_IS_BETTER[measure]
    nested = {(row, side): Nested.of(part["value"].to_numpy(np.float64), part["scene"].to_numpy(), part["train_seed"])
              for row in both for side, part in (("replay", replay[row]), (branch, back[row]))}  # fmt: skip
    means = [np.array([[nested[row, side].mean for row in both]]) for side in ("replay", branch)]
    line["value"] = float(spearman(means[0], sign * means[1])[0])
    if all(one.counts.shape[1] > 1 for one in nested.values()):
        drawn = [
            np.stack([
                nested[row, side].resampled(
                    resamples,
                    generator(seed, "tables", "rank correlation", side),
                    generator(seed, "tables", "rank correlation", "seeds", row),
                )
                for row in both
            ], axis=1)
            for side in ("replay", branch)
        ]  # fmt: skip
        found = spearman(drawn[0], sign * drawn[1])
        if np.isfinite(found).any():  # else all rows are equal on one side in every draw
            line["low"], line["high"] = limits(found[np.isfinite(found)])
    return line


def _papers(branch: str, measure: str) -> tuple[float, int]:
    """The paper's rank correlation, from its tables, and the number of rows behind it; NaN and 0 if it has none."""
    if (branch, measure) not in PAPER_COLUMNS:
        return np.nan, 0
    both = paper()[[PAPER_COLUMNS[REPLAY], PAPER_COLUMNS[branch, measure]]].dropna().to_numpy(np.float64)
    return float(spearman(both[None, :, 0], both[None, :, 1])[0]), len(both)
