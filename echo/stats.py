"""Uncertainty: intervals and paired tests in which the scene, not the frame or the case, is the unit that is drawn.

Cases of one scene share walls, light and path, so they are not independent. A bootstrap over cases would be too sure;
these resample whole scenes (clusters). Davison & Hinkley 1997, section 3.8; Cameron, Gelbach & Miller 2008.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

LEVEL = 0.95
EXACT = 12  # with up to this many clusters all sign flips are enumerated


@dataclass(frozen=True)
class Difference:
    """A paired difference: mean, its interval, two-sided p, how many pairs and clusters, pairs dropped as missing."""

    mean: float
    low: float
    high: float
    p: float
    pairs: int
    clusters: int
    missing: int


def _by_cluster(values, clusters) -> tuple[np.ndarray, np.ndarray]:
    """Sums and counts (n,) of the finite values in each cluster that has any."""
    values = np.asarray(values, dtype=np.float64)
    codes, _ = pd.factorize(np.asarray(clusters), sort=True)
    if len(codes) != len(values):
        raise ValueError(f"{len(values)} values, but {len(codes)} clusters")
    known = np.isfinite(values)
    size = codes.max(initial=-1) + 1
    sums = np.bincount(codes[known], values[known], size)
    counts = np.bincount(codes[known], minlength=size)
    return sums[counts > 0], counts[counts > 0]


def interval(values, clusters, resamples: int, generator: np.random.Generator) -> tuple[float, float, float]:
    """Mean of the values and its 95 % percentile interval, from a bootstrap over clusters: (mean, low, high).

    values, clusters: (n,). Values that are not finite are missing and left out. One cluster says nothing of the
    spread between clusters: its interval is NaN; without values so is the mean.
    """
    sums, counts = _by_cluster(values, clusters)
    if not len(sums):
        return np.nan, np.nan, np.nan
    mean = float(sums.sum() / counts.sum())
    if len(sums) == 1:
        return mean, np.nan, np.nan
    drawn = generator.integers(0, len(sums), (resamples, len(sums)))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return mean, float(low), float(high)


def sign_flip(values, clusters, resamples: int, generator: np.random.Generator) -> float:
    """Two-sided p of "the mean is 0", by flipping the sign of whole clusters.

    All 2^n flips are enumerated for up to 12 clusters; otherwise ``resamples`` are drawn and the data itself counts as
    one of them, so that p is never 0. NaN without at least two clusters.
    """
    sums, counts = _by_cluster(values, clusters)
    if len(sums) < 2:
        return np.nan
    observed = abs(sums.sum())
    tolerance = 1e-9 * np.abs(sums).sum()
    if len(sums) <= EXACT:
        signs = 1 - 2 * ((np.arange(2 ** len(sums))[:, None] >> np.arange(len(sums))) & 1)
        return float((np.abs(signs @ sums) >= observed - tolerance).mean())
    signs = generator.choice([-1.0, 1.0], (resamples, len(sums)))
    extreme = (np.abs(signs @ sums) >= observed - tolerance).sum()
    return float((extreme + 1) / (resamples + 1))


def paired_difference(
    cases: pd.DataFrame, row: str, reference: str, metric: str, *, resamples: int, generator: np.random.Generator
) -> Difference:
    """``row`` minus ``reference``, case by case.

    cases: one line a (row, train_seed, branch, case), with ``scene``, the cluster, and ``metric``. Pairs that lack
    either side are counted as missing. Raises ValueError where the two rows share no pair.
    """
    keys = ["train_seed", "branch", "case"]
    ours, theirs = (cases[cases["row"] == name].set_index(keys) for name in (row, reference))
    both = ours.join(theirs[[metric]], how="inner", rsuffix="_reference")
    if both.empty:
        raise ValueError(f"{row} and {reference} share no case")
    difference = both[metric] - both[f"{metric}_reference"]
    known = np.isfinite(difference)
    mean, low, high = interval(difference, both["scene"], resamples, generator)
    p = sign_flip(difference, both["scene"], resamples, generator)
    return Difference(mean, low, high, p, int(known.sum()), both["scene"][known].nunique(), int((~known).sum()))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's correction, in the given order (statsmodels); an empty list gives an empty list."""
    if not len(p_values):
        return []
    return [float(p) for p in multipletests(list(p_values), method="holm")[1]]
