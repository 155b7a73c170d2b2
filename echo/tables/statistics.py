"""Intervals, paired comparisons and Holm's correction, all over clusters.

Cases of one scene share its difficulty, so a scene, not a case, is what gets resampled or has its sign flipped.
Estimates are means over cases; a scene weighs as many cases as it has. numpy and pandas only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

LEVEL = 0.95
PAIR = ["train_seed", "branch", "case"]
ROUNDING = 1e-9  # of the summed sizes; permuted sums this close to the observed one count as equal to it
EXACT = 4096  # this many sign flips are always gone through, however few resamples are asked for
BLOCK = 4096  # permutations held in memory at a time


@dataclass(frozen=True)
class Difference:
    """Mean paired difference, its 95 % interval and two-sided p; pairs and clusters behind it, pairs dropped as NaN."""

    mean: float
    low: float
    high: float
    p: float
    pairs: int
    clusters: int
    dropped: int


def interval(values, clusters, resamples: int, generator: np.random.Generator) -> tuple[float, float, float]:
    """Mean of values (n,) and its 95 % percentile interval by bootstrap over clusters (n,).

    Whole clusters are drawn with replacement, ``resamples`` times (Davison and Hinkley 1997, section 3.8). NaN values
    are dropped. One cluster says nothing of the spread between clusters: the limits are NaN. With no value at all the
    mean is NaN too. With few clusters (20 or so) a percentile interval covers a little less than its nominal 95 %.
    Raises ValueError for an infinite value: callers cap the PSNR of identical frames.
    """
    values, clusters = _aligned(values, clusters)
    sums, counts = _per_cluster(values, clusters)
    if not len(counts):
        return np.nan, np.nan, np.nan
    mean = float(sums.sum() / counts.sum())
    if len(counts) == 1:
        return mean, np.nan, np.nan
    draws = generator.integers(0, len(counts), (resamples, len(counts)))
    means = sums[draws].sum(1) / counts[draws].sum(1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return mean, float(low), float(high)


def sign_flip(values, clusters, resamples: int, generator: np.random.Generator) -> float:
    """Two-sided p of the mean of values (n,) being 0, by flipping the signs of whole clusters (n,).

    All 2^clusters flips are gone through if they are no more than ``resamples`` or 4096; else ``resamples`` random ones
    are drawn, and the observed one is counted among them, so p is never 0 (Phipson and Smyth 2010). NaN values are
    dropped. NaN without at least two clusters, as the interval is. Raises ValueError for an infinite value.
    """
    values, clusters = _aligned(values, clusters)
    sums, _ = _per_cluster(values, clusters)
    n = len(sums)
    if n < 2:
        return np.nan
    observed = abs(sums.sum()) - ROUNDING * np.abs(sums).sum()
    if 2**n <= max(resamples, EXACT):
        signs = 1.0 - 2.0 * (np.arange(2**n)[:, None] >> np.arange(n) & 1)
        return float((np.abs(signs @ sums) >= observed).mean())
    as_large = 0
    for start in range(0, resamples, BLOCK):
        signs = generator.choice([-1.0, 1.0], (min(BLOCK, resamples - start), n))
        as_large += int((np.abs(signs @ sums) >= observed).sum())
    return (as_large + 1) / (resamples + 1)


def paired_difference(
    cases: pd.DataFrame,
    row: str,
    reference: str,
    metric: str,
    resamples: int = 2000,
    generator: np.random.Generator | None = None,
) -> Difference:
    """``row`` minus ``reference`` in ``metric``, paired by training seed, branch and case, clustered by scene.

    cases: columns row, train_seed, branch, case, scene and the metric. Pairs with a NaN on either side are dropped and
    counted; if none is left all numbers are NaN. generator: the resampling stream, by default that of seed 0.
    Raises ValueError if a row or column is missing, if a row has a case twice, if the two share no case, or for an
    infinite metric.
    """
    generator = np.random.default_rng(0) if generator is None else generator
    absent = [name for name in ["row", *PAIR, "scene", metric] if name not in cases]
    if absent:
        raise ValueError(f"paired_difference: cases have no column {absent[0]!r}")
    sides = []
    for name in (row, reference):
        side = cases.loc[cases["row"] == name, [*PAIR, "scene", metric]]
        if side.empty:
            raise ValueError(f"paired_difference: no cases of row {name!r}")
        if np.isinf(side[metric].to_numpy(np.float64)).any():
            raise ValueError(f"paired_difference: row {name!r} has an infinite {metric}; cap it first")
        if side.duplicated(PAIR).any():
            twice = side.loc[side.duplicated(PAIR), "case"].iloc[0]
            raise ValueError(f"paired_difference: row {name!r} has case {twice!r} twice for one training seed")
        sides.append(side)
    pairs = sides[0].merge(sides[1], on=PAIR, suffixes=("", "_reference")).sort_values(PAIR)
    if pairs.empty:
        raise ValueError(f"paired_difference: rows {row!r} and {reference!r} share no case")
    values = (pairs[metric] - pairs[f"{metric}_reference"]).to_numpy(np.float64)
    scenes, present = pairs["scene"].to_numpy(), ~np.isnan(values)
    mean, low, high = interval(values, scenes, resamples, generator)
    p = sign_flip(values, scenes, resamples, generator)
    clusters = len(set(scenes[present]))
    return Difference(mean, low, high, p, int(present.sum()), clusters, int((~present).sum()))


def holm(p_values) -> np.ndarray:
    """Holm's step-down adjustment of p values (n,): NaNs stay NaN and are not counted among the tests."""
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or np.any((p < 0) | (p > 1)):
        raise ValueError(f"holm: expected p values (n,) in 0..1, got {p_values}")
    adjusted = np.full(len(p), np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted


def _aligned(values, clusters) -> tuple[np.ndarray, np.ndarray]:
    """Values and clusters as arrays, those with NaN values left out."""
    values, clusters = np.asarray(values, dtype=np.float64), np.asarray(clusters)
    if values.ndim != 1 or values.shape != clusters.shape:
        raise ValueError(f"expected values (n,) and clusters (n,), got {values.shape} and {clusters.shape}")
    if np.isinf(values).any():
        raise ValueError("values: expected finite numbers or NaN, got an infinite one; cap it first")
    present = ~np.isnan(values)
    return values[present], clusters[present]


def _per_cluster(values: np.ndarray, clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum and count of values in each cluster."""
    names, index = np.unique(clusters, return_inverse=True)
    return np.bincount(index, values, len(names)), np.bincount(index, minlength=len(names))
