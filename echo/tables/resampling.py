"""Hierarchical bootstrap over rooms and training seeds: both vary, and every seed's model sees the same rooms.

- Whole rooms are drawn with replacement: a room brings all its cases. Resampling the cases within drawn rooms as well
  would count their spread twice (Davison and Hinkley 1997, section 3.8).
- Two or three seeds are too few to be drawn themselves: percentiles over three cover 76 studies of 100. Instead the
  luck of trainings is drawn from Student's t with seeds - 1 degrees of freedom, as wide as the means of the seeds say,
  and added to what rooms give. Where only trainings differ that is Student's interval.
- Case noise makes the means of seeds differ too, though resampling rooms covers it already. It is not subtracted: so
  intervals are on the wide side where trainings do not differ. ``tests/tables/test_coverage.py`` measures both.
- With one seed nothing is known about other trainings: only rooms are drawn, and the tables report one seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

LEVEL = 0.95

Resamples = Float64[np.ndarray, " resamples"]
PerSeed = Float64[np.ndarray, " seeds"]
PerSeedAndRoom = Float64[np.ndarray, "seeds rooms"]


@dataclass(frozen=True)
class Nested:
    """Values of cases summed by training seed and room; rooms are sorted by name, seeds by value."""

    sums: PerSeedAndRoom
    counts: PerSeedAndRoom

    @classmethod
    def of(cls, values: np.ndarray, rooms: np.ndarray, seeds: ArrayLike | None = None) -> Nested:
        """From finite values (n,), their rooms (n,) and seeds (n,); without ``seeds``, all are of one seed."""
        names, room = np.unique(rooms, return_inverse=True)
        each, seed = np.unique(np.zeros(len(values)) if seeds is None else np.asarray(seeds), return_inverse=True)
        shape, cell = (len(each), len(names)), seed * len(names) + room
        sums = np.bincount(cell, values, shape[0] * shape[1]).reshape(shape)
        return cls(sums, np.bincount(cell, minlength=sums.size).reshape(shape).astype(float))

    @property
    def mean(self) -> float:
        """Mean over all cases."""
        return float(self.sums.sum() / self.counts.sum())

    @property
    def moved(self) -> PerSeed:
        """What each training seed moves the mean by (see ``moved_by_seeds``)."""
        totals = self.counts.sum(1)
        return moved_by_seeds(self.sums.sum(1) / totals, totals / totals.sum())

    def resampled(self, resamples: int, generator: np.random.Generator, of_seeds: np.random.Generator | None = None
                  ) -> Resamples:  # fmt: skip
        """Means of ``resamples`` draws of rooms, with the luck of trainings where there are several seeds.

        ``generator``: draws rooms, then luck; ``of_seeds``: if given, draws the luck instead.
        """
        weights = room_weights(self.counts.shape[1], resamples, generator)
        totals = self.counts.sum(1)
        drawn = weights @ self.counts.T
        own = np.where(drawn > 0, (weights @ self.sums.T) / np.maximum(drawn, 1), self.sums.sum(1) / totals)
        return own @ (totals / totals.sum()) + luck(self.moved, resamples, of_seeds or generator)


def room_weights(
    rooms: int, resamples: int, generator: np.random.Generator
) -> Float64[np.ndarray, "{resamples} {rooms}"]:
    """How often each room is drawn, in each of ``resamples`` draws of ``rooms`` rooms with replacement."""
    drawn = generator.integers(0, rooms, (resamples, rooms))  # the same draw as in scipy.stats.bootstrap
    drawn += rooms * np.arange(resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=resamples * rooms).reshape(resamples, rooms).astype(float)


def moved_by_seeds(estimates: PerSeed, shares: PerSeed) -> PerSeed:
    """What each training seed moves an estimate over all seeds by; 0 where there is one seed.

    The root of their summed squares is the standard error over trainings. ``estimates``: of each seed alone;
    ``shares``: the weight of each, summing to 1.
    """
    seeds = len(shares)
    return shares * (estimates - estimates @ shares) * np.sqrt(seeds / max(seeds - 1, 1))


def luck(moved: PerSeed, resamples: int, generator: np.random.Generator) -> Resamples:
    """What other trainings would move an estimate by: Student's t of seeds - 1 degrees of freedom times ``moved``.

    0, and nothing is drawn, where seeds do not differ. Two measures of the same models, drawn by equal generators, move
    together as far as their seeds do.
    """
    freedom = len(moved) - 1
    if not moved.any():
        return np.zeros(resamples)
    normal, squares = generator.normal(size=(resamples, len(moved))), generator.chisquare(freedom, resamples)
    return normal @ moved * np.sqrt(freedom / squares)


def limits(distribution: Resamples) -> tuple[float, float]:
    """The percentile interval of resampled estimates: low, high."""
    low, high = np.quantile(distribution, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
