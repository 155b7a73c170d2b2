"""Contrasts between rows that were named before the study ran, how sure they are, and what the study could have seen.

- A contrast is ``evaluate.contrasts``: a row and another one. Its difference is paired by training seed and case, with
  the interval and the permutation test of every other difference, and Holm's correction over the contrasts that are
  compared on one branch by one measure: those alone, since they alone were named.
- ``improvement``: the share of cases in which the row is the better one, ties counting half, with its interval.
- ``detectable``: the smallest true difference that a paired t test would find in 80 of 100 such studies at the 5 %
  level, from how much rooms and, with several seeds, trainings differ here (degrees of freedom as Satterthwaite 1946).
- ``needed``: rooms that a test over rooms alone would need for the difference that the paper reports, where it has one;
  the paper had eight cases.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import nct, t
from statsmodels.stats.power import TTestPower

from echo.io.seeding import generator
from echo.study.words import BRANCHES
from echo.tables.compare import COMPARED, Values
from echo.tables.paper import paper_number
from echo.tables.resampling import moved_by_seeds
from echo.tables.statistics import holm, interval, paired_difference

LEVEL, POWER = 0.05, 0.8
LOWER_IS_BETTER = ("lpips",)
MOST = 1_000_000  # rooms; more than that is said as infinite
COLUMNS = ["row_name", "other", "branch", "measure", "difference", "low", "high", "p", "p_holm", "improvement",
           "improvement_low", "improvement_high", "detectable", "paper", "needed", "cases", "scenes",
           "train_seeds"]  # fmt: skip


def contrasts(cases: pd.DataFrame, wanted: Sequence[tuple[str, str]], resamples: int, seed: int) -> pd.DataFrame:
    """A line (``COLUMNS``) for each contrast of ``wanted``, branch and measure; one that was not measured is left out.

    difference: row minus other; for LPIPS negative is better, improvement is the share in which the row is the better.
    """
    lines = []
    for branch in BRANCHES:
        here = cases[cases["branch"] == branch]
        for measure in COMPARED:
            if measure not in here or here[measure].notna().sum() == 0:
                continue
            values = Values.of(here, measure)
            group = [
                _contrast(values, row, other, branch, measure, resamples, seed)
                for row, other in wanted
                if row in values.by_row and other in values.by_row
            ]
            for line, p in zip(group, holm([line["p"] for line in group]), strict=True):
                line["p_holm"] = p
            lines += [line for line in group if line["cases"]]
    return pd.DataFrame(lines, columns=COLUMNS)


def _contrast(
    values: Values, row: str, other: str, branch: str, measure: str, resamples: int, seed: int
) -> dict[str, float | str]:
    ours, theirs = values.by_row[row], values.by_row[other]
    draw = generator(seed, "tables", "difference", branch, measure)
    paired = paired_difference(ours, theirs, values.seeds, values.scenes, resamples, draw)
    line: dict[str, float | str] = {"row_name": row, "other": other, "branch": branch, "measure": measure}
    line |= {"difference": paired.mean, "low": paired.low, "high": paired.high, "p": paired.p, "p_holm": np.nan}
    line |= {"cases": paired.cases, "scenes": paired.scenes, "train_seeds": paired.seeds}
    sign = -1 if measure in LOWER_IS_BETTER else 1
    better = np.sign(sign * (ours - theirs)) / 2 + 0.5
    scenes, seeds = np.tile(values.scenes, len(values.seeds)), np.repeat(values.seeds, len(values.scenes))
    draw = generator(seed, "tables", "improvement", branch, measure)
    names = ("improvement", "improvement_low", "improvement_high")
    line |= dict(zip(names, interval(better.ravel(), scenes, resamples, draw, seeds), strict=True))
    spread = _spread_of_rooms(ours - theirs, values.scenes)
    papers = paper_number(row, branch, measure) - paper_number(other, branch, measure)
    return line | {
        "detectable": detectable(spread, paired.scenes, *_error_of_trainings(ours - theirs)),
        "paper": papers,
        "needed": needed(spread, papers),
    }


def _spread_of_rooms(differences: np.ndarray, scenes: np.ndarray) -> float:
    """Standard deviation over rooms of each room's mean difference (seeds, cases); NaN with fewer than two."""
    rooms = pd.DataFrame({"scene": np.tile(scenes, len(differences)), "value": differences.ravel()}).dropna()
    means = rooms.groupby("scene")["value"].mean()
    return float(means.std(ddof=1)) if len(means) > 1 else np.nan


def _error_of_trainings(differences: np.ndarray) -> tuple[float, int]:
    """Standard error over trainings of the mean difference (seeds, cases), and how many seeds it is from."""
    measured = ~np.isnan(differences)
    counts = measured.sum(1)[measured.any(1)]
    if not len(counts):
        return 0.0, 1
    means = np.nansum(differences, 1)[measured.any(1)] / counts
    return float(np.sqrt(np.square(moved_by_seeds(means, counts / counts.sum())).sum())), len(counts)


def detectable(spread: float, rooms: int, of_trainings: float = 0.0, seeds: int = 1) -> float:
    """The smallest difference found with probability ``POWER``, for rooms whose differences spread by ``spread``.

    ``of_trainings``: standard error that trainings add, known from ``seeds`` of them.
    """
    if not spread > 0 or rooms < 3:
        return np.nan
    variances = np.array([spread**2 / rooms, of_trainings**2])
    freedom = variances.sum() ** 2 / (variances**2 / [rooms - 1, max(seeds - 1, 1)]).sum()
    return float(np.sqrt(variances.sum())) * _errors(freedom)


def needed(spread: float, difference: float) -> float:
    """Rooms for which ``difference`` would be found with probability ``POWER``; infinite beyond ``MOST``."""
    if not spread > 0 or np.isnan(difference):
        return np.nan
    effect = abs(difference) / spread
    if effect * np.sqrt(MOST) < 1:
        return np.inf
    few = next((rooms for rooms in range(2, 6) if effect * np.sqrt(rooms) >= _errors(rooms - 1)), None)
    if few is not None:  # for which statsmodels' solver finds nothing
        return float(few)
    return float(np.ceil(TTestPower().solve_power(effect_size=effect, alpha=LEVEL, power=POWER)))


def _errors(freedom: float) -> float:
    """How many standard errors a difference is large that is found with probability ``POWER``."""
    limit = t.ppf(1 - LEVEL / 2, freedom)
    return float(brentq(lambda errors: nct.sf(limit, freedom, errors) - POWER, 0, 3 * limit))
