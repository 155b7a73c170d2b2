"""Intervals, paired comparisons and Holm's correction, all over clusters.

Cases of one scene share its difficulty, so scenes, not cases, are resampled or have their signs flipped. Estimates are
means over cases, so a scene is weighted by its number of cases. Intervals and p values are over what varies: rooms,
and with several training seeds the luck of trainings too (``echo.tables.resampling``). Flipping the signs of rooms
alone would ask whether these very models differ on other rooms, and find rows different that no memory made so. The
permutation tests are scipy's, applied to the sum of each cluster instead of its cases; Holm's correction is
statsmodels'. ``tests/tables/test_coverage.py`` measures what intervals cover and how often tests err.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import monte_carlo_test, permutation_test
from statsmodels.stats.multitest import multipletests

from echo.tables.resampling import Nested, limits, luck

DIGITS = 9  # of a permuted sum, relative to the summed absolute values: sums that differ by less count as equal
EXACT = 4096  # this many sign flips are always enumerated, however small ``resamples`` is
BATCH = 4096  # flips held in memory at a time


@dataclass(frozen=True)
class Difference:
    """Mean paired difference, its 95 % interval and two-sided p; how many pairs, cases, scenes and training seeds."""

    mean: float
    low: float
    high: float
    p: float
    pairs: int
    cases: int
    scenes: int
    seeds: int


def interval(
    values: ArrayLike,
    clusters: ArrayLike,
    resamples: int,
    generator: np.random.Generator,
    seeds: ArrayLike | None = None,
) -> tuple[float, float, float]:
    """Mean of values (n,) and its 95 % percentile interval by bootstrap over clusters (n,): mean, low, high.

    Whole clusters are drawn with replacement, ``resamples`` times (Davison and Hinkley 1997, section 3.8); with several
    training ``seeds`` (n,) these are drawn too (``echo.tables.resampling``). NaN values are dropped. With one
    cluster the spread between clusters is unknown and the limits are NaN. With no value at all the mean is NaN too.
    With few clusters (20 or so) a percentile interval covers a little less than its nominal 95 %. Raises ValueError for
    an infinite value: callers cap the PSNR of identical frames.
    """
    values, clusters, present = _aligned(values, clusters)
    if not len(values):
        return np.nan, np.nan, np.nan
    nested = Nested.of(values, clusters, None if seeds is None else np.asarray(seeds)[present])
    if nested.counts.shape[1] == 1:
        return nested.mean, np.nan, np.nan
    return nested.mean, *limits(nested.resampled(resamples, generator))


def sign_flip(
    values: ArrayLike,
    clusters: ArrayLike,
    resamples: int,
    generator: np.random.Generator,
    seeds: ArrayLike | None = None,
) -> float:
    """Two-sided p of the mean of values (n,) being 0, by flipping the signs of whole clusters (n,).

    With several training ``seeds`` (n,) the mean is compared with ``resamples`` random flips to each of which the luck
    of trainings is added (``resampling.luck``). Else all 2^clusters flips are enumerated if they are no more than
    ``resamples`` or 4096, or ``resamples`` random ones are drawn. Where flips are drawn, the observed one is counted
    among them, so p is never 0 (Phipson and Smyth 2010). NaN values are dropped. p is NaN with fewer than two
    clusters, like the interval. Raises ValueError for an infinite value.
    """
    values, clusters, present = _aligned(values, clusters)
    if not len(values):
        return np.nan
    nested = Nested.of(values, clusters, None if seeds is None else np.asarray(seeds)[present])
    sums, moved = nested.sums.sum(0), nested.counts.sum() * nested.moved
    n = len(sums)
    if n < 2:
        return np.nan
    size = np.abs(sums).sum() or 1.0

    def distance(sums: np.ndarray, axis: int) -> np.ndarray:
        """Distance of the sum from 0, relative to the summed absolute values."""
        return np.round(np.abs(sums.sum(axis)) / size, DIGITS)

    def flips(size: tuple[int, int]) -> np.ndarray:
        flipped = generator.choice([-1.0, 1.0], size) * sums
        flipped[:, 0] += luck(moved, len(flipped), generator)
        return flipped

    if 2**n <= max(resamples, EXACT) and not moved.any():
        test = permutation_test(
            (sums,), distance, permutation_type="samples", alternative="greater", n_resamples=2**n, batch=BATCH
        )
    else:
        test = monte_carlo_test(sums, flips, distance, alternative="greater", n_resamples=resamples, batch=BATCH)
    return float(test.pvalue)


def paired_difference(
    ours: ArrayLike,
    theirs: ArrayLike,
    seeds: ArrayLike,
    scenes: ArrayLike,
    resamples: int,
    generator: np.random.Generator,
    tested: bool = True,
) -> Difference:
    """``ours`` minus ``theirs``, both (seeds, cases) with NaN where a case was not measured, clustered by scene.

    ``seeds`` (seeds,): training seeds; ``scenes`` (cases,): the scene of each case. ``generator`` draws the interval,
    then the permutations; without ``tested`` p is NaN and takes no time. If the two share no case all numbers are NaN.
    Raises ValueError for arrays of other shapes or an infinite value.
    """
    ours, theirs = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    seeds, scenes = np.asarray(seeds), np.asarray(scenes)
    if ours.shape != theirs.shape or ours.shape != (len(seeds), len(scenes)):
        raise ValueError(
            f"paired_difference: expected two arrays ({len(seeds)} seeds, {len(scenes)} cases), got {ours.shape} and "
            f"{theirs.shape}"
        )
    if np.isinf(ours).any() or np.isinf(theirs).any():
        raise ValueError("paired_difference: expected finite numbers or NaN, got an infinite one; cap it first")
    differences = ours - theirs
    present = ~np.isnan(differences)
    values = differences.ravel()
    clusters, of_seed = np.tile(scenes, len(seeds)), np.repeat(seeds, len(scenes))
    mean, low, high = interval(values, clusters, resamples, generator, of_seed)
    p = sign_flip(values, clusters, resamples, generator, of_seed) if tested else np.nan
    shared = present.any(0)
    return Difference(
        mean,
        low,
        high,
        p,
        int(present.sum()),
        int(shared.sum()),
        len(np.unique(scenes[shared])),
        int(present.any(1).sum()),
    )


def holm(p_values: ArrayLike) -> np.ndarray:
    """Holm's step-down adjustment of p values (n,): NaNs stay NaN and are not counted among the tests."""
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or np.any((p < 0) | (p > 1)):
        raise ValueError(f"holm: expected p values (n,) in 0..1, got {p_values}")
    adjusted = np.full(len(p), np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    if len(tested):
        adjusted[tested] = multipletests(p[tested], method="holm")[1]
    return adjusted


def _aligned(values: ArrayLike, clusters: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values and clusters as arrays without the NaN values, and a mask of those kept."""
    values, clusters = np.asarray(values, dtype=np.float64), np.asarray(clusters)
    if values.ndim != 1 or values.shape != clusters.shape:
        raise ValueError(f"expected values (n,) and clusters (n,), got {values.shape} and {clusters.shape}")
    if np.isinf(values).any():
        raise ValueError("values: expected finite numbers or NaN, got an infinite one; cap it first")
    present = ~np.isnan(values)
    return values[present], clusters[present], present
