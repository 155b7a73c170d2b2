"""How far two judges agree on the same cases, for many draws of rooms at once.

Every statistic is one of a set of cases, and a draw of rooms (``echo.tables.resampling``) is a set in which the cases
of a room stand as often as the room was drawn. So each is written with weights, as sums over rooms where it can be:

========================  ==============================================================================================
``difference``            mean absolute difference, in the score's own unit
``pearson``               Pearson's correlation of the scores
``spearman``              Pearson's correlation of their ranks among the cases drawn, ties at their mean rank
``alpha``                 Krippendorff's alpha with the ordinal difference, of scores to the nearest half point of 0..5
``rows``                  Kendall's tau-b of the rows' mean scores: whether both judges rank the rows alike
========================  ==============================================================================================

Alpha (Krippendorff 2011, "Computing Krippendorff's alpha-reliability") is 1 - D_o / D_e of the coincidence matrix. Its
ordinal difference of two values is the distance of their mean ranks among all values given, squared. The packages that
have it take one sample at a time, which is too slow for thousands of draws; the test compares with one of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

STATISTICS = ("difference", "pearson", "spearman", "alpha", "rows")
HALVES = 11  # scores 0, 0.5, ... 5
FEWEST = 3  # rows, for a ranking of them to say anything
CHUNK = 128  # draws whose ranks are held in memory at a time
TINY = 1e-9  # of a variance or a difference of means, in units of the score: nothing but rounding

PerDraw = Float64[np.ndarray, " draws"]
Weights = Float64[np.ndarray, "draws rooms"]


@dataclass(frozen=True)
class Pairs:
    """Scores of the same cases by two judges; ``room`` and ``row``: the number of each case's room and row.

    ``top``: the highest score.
    """

    one: Float64[np.ndarray, " cases"]
    two: Float64[np.ndarray, " cases"]
    room: Int64[np.ndarray, " cases"]
    row: Int64[np.ndarray, " cases"]
    top: float

    def agreement(self, weights: Weights) -> dict[str, PerDraw]:
        """Each statistic for each draw; NaN where it is not defined, as of no case or of equal scores."""
        if not len(self.one):
            return dict.fromkeys(STATISTICS, np.full(len(weights), np.nan))
        return {
            "difference": self.difference(weights),
            "pearson": self.pearson(weights),
            "spearman": self.spearman(weights),
            "alpha": self.alpha(weights),
            "rows": self.rows(weights),
        }

    def difference(self, weights: Weights) -> PerDraw:
        """Mean absolute difference."""
        count, total = self._summed(weights, np.ones_like(self.one), np.abs(self.one - self.two))
        return _ratio(total, count)

    def pearson(self, weights: Weights) -> PerDraw:
        """Pearson's correlation."""
        a, b = self.one - self.one.mean(), self.two - self.two.mean()
        n, *sums = self._summed(weights, np.ones_like(a), a, b, a * a, b * b, a * b)
        a, b, aa, bb, ab = (_ratio(one, n) for one in sums)
        return _correlation(ab - a * b, aa - a * a, bb - b * b)

    def spearman(self, weights: Weights) -> PerDraw:
        """Spearman's rank correlation."""
        return np.concatenate([self._spearman(some) for some in _chunks(weights)])

    def alpha(self, weights: Weights) -> PerDraw:
        """Krippendorff's alpha, ordinal."""
        halves = [np.rint(score * (HALVES - 1) / self.top).astype(np.int64) for score in (self.one, self.two)]
        coincidences = self._counted(weights, halves[0] * HALVES + halves[1], HALVES**2)
        coincidences = coincidences.reshape(-1, HALVES, HALVES)
        coincidences = coincidences + coincidences.swapaxes(1, 2)
        values = coincidences.sum(2)
        n, ranks = values.sum(1), _mean_ranks(values)
        observed = (coincidences * np.square(ranks[:, :, None] - ranks[:, None])).sum((1, 2))
        expected = 2 * (n * (values * ranks**2).sum(1) - np.square((values * ranks).sum(1)))
        return 1 - _ratio((n - 1) * observed, expected)

    def rows(self, weights: Weights) -> PerDraw:
        """Kendall's tau-b of row means."""
        number = int(self.row.max()) + 1
        if number < FEWEST:
            return np.full(len(weights), np.nan)
        count = self._counted(weights, self.row, number)
        means = [_ratio(self._counted(weights, self.row, number, score), count) for score in (self.one, self.two)]
        first, second = np.triu_indices(number, 1)
        steps = [mean[:, first] - mean[:, second] for mean in means]
        one, two = (np.where(np.abs(step) < TINY, 0, np.sign(step)) for step in steps)
        return _correlation((one * two).sum(1), np.square(one).sum(1), np.square(two).sum(1))

    def _spearman(self, weights: Weights) -> PerDraw:
        ranks, spreads = [], []
        for score in (self.one, self.two):
            values, value = np.unique(score, return_inverse=True)
            drawn = self._counted(weights, value, len(values))
            rank = _mean_ranks(drawn) - drawn.sum(1, keepdims=True) / 2
            spreads.append((drawn * rank**2).sum(1))
            ranks.append(rank[:, value])
        return _correlation(np.einsum("dc,dc,dc->d", weights[:, self.room], *ranks), *spreads)

    def _counted(
        self, weights: Weights, kind: Int64[np.ndarray, " cases"], kinds: int, values: np.ndarray | None = None
    ) -> Float64[np.ndarray, "draws {kinds}"]:
        """How many cases of each kind are drawn, or the sum of their values."""
        rooms = weights.shape[1]
        held = np.bincount(self.room * kinds + kind, values, rooms * kinds).reshape(rooms, kinds)
        return weights @ held.astype(np.float64)

    def _summed(self, weights: Weights, *values: np.ndarray) -> Float64[np.ndarray, "sums draws"]:
        """Sums of values over the cases drawn."""
        rooms = weights.shape[1]
        return np.stack([np.bincount(self.room, one, rooms) for one in values]) @ weights.T


def _chunks(weights: Weights) -> Iterator[Weights]:
    return (weights[start : start + CHUNK] for start in range(0, len(weights), CHUNK))


def _mean_ranks(counts: np.ndarray) -> np.ndarray:
    """Mean rank of each value, from 0, among values that occur so often (draws, values); ties share theirs."""
    return counts.cumsum(1) - counts / 2


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Quotients; NaN where there is nothing below."""
    return np.divide(above, below, out=np.full_like(above, np.nan, dtype=np.float64), where=below > TINY)


def _correlation(product: np.ndarray, one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """A correlation from a covariance and two variances; NaN where a side does not vary."""
    return np.where(np.minimum(one, two) > TINY, _ratio(product, np.sqrt(np.maximum(one * two, 0))), np.nan)
