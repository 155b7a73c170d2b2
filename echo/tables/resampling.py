"""Hierarchical bootstrap over rooms and training seeds: both vary, and every seed's model sees the same rooms.

- Whole rooms are drawn with replacement: a room brings all its cases. Resampling the cases within drawn rooms as well
  would count their spread twice (Davison and Hinkley 1997, section 3.8).
- Seeds are drawn with replacement too, independently of rooms. Two or three seeds are too few for plain percentiles,
  and the means of seeds also differ because of case noise, which resampling rooms already covers. So the deviations
  caused by the drawn seeds are (a) widened to match Student's t with seeds - 1 degrees of freedom (Hesterberg 2015,
  "What teachers should know about the bootstrap": expanded percentile intervals), and (b) shrunk by the share of the
  variance between seeds that case noise explains, to zero if it explains all of it.
  ``tests/tables/test_resampling.py`` checks that the coverage is about 95 %, both without a seed effect and with
  nothing but a seed effect.
- With one seed nothing is known about other trainings: only rooms are drawn, and the tables report one seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike
from scipy.stats import norm, t

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

    def resampled(self, resamples: int, generator: np.random.Generator, of_seeds: np.random.Generator | None = None
                  ) -> Resamples:  # fmt: skip
        """Means of ``resamples`` draws of rooms, and of seeds where there are several (see ``with_seeds``).

        ``generator``: draws rooms, then seeds; ``of_seeds``: if given, draws the seeds instead.
        """
        weights = room_weights(self.counts.shape[1], resamples, generator)
        totals = self.counts.sum(1)
        means = self.sums.sum(1) / totals
        drawn = weights @ self.counts.T
        own = np.where(drawn > 0, (weights @ self.sums.T) / np.maximum(drawn, 1), means)  # (resamples, seeds)
        if len(totals) == 1:
            return own[:, 0]
        influences = (self.sums - self.counts * means[:, None]) / totals[:, None]
        return with_seeds(own, means, influences, totals / totals.sum(), of_seeds or generator)


def room_weights(
    rooms: int, resamples: int, generator: np.random.Generator
) -> Float64[np.ndarray, "{resamples} {rooms}"]:
    """How often each room is drawn, in each of ``resamples`` draws of ``rooms`` rooms with replacement."""
    drawn = generator.integers(0, rooms, (resamples, rooms))  # the same draw as in scipy.stats.bootstrap
    drawn += rooms * np.arange(resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=resamples * rooms).reshape(resamples, rooms).astype(float)


def with_seeds(
    own: Float64[np.ndarray, "resamples seeds"],
    estimates: PerSeed,
    influences: PerSeedAndRoom,
    shares: PerSeed,
    generator: np.random.Generator,
) -> Resamples:
    """Estimates over all seeds, with rooms and seeds resampled.

    ``own``: each seed's estimate from each draw of rooms. ``estimates``: from all rooms. ``influences``: influence of
    each room on a seed's estimate, as a deviation: its rows sum to 0. ``shares``: weight of each seed, summing to 1.
    """
    seeds, resamples = len(shares), len(own)
    drawn = generator.multinomial(seeds, np.full(seeds, 1 / seeds), resamples)
    mean = own @ shares
    moved = ((drawn - 1) * shares * (own - mean[:, None])).sum(1)
    return mean + expansion(seeds) * seed_share(estimates, influences) ** 0.5 * moved


def expansion(seeds: int) -> float:
    """Factor that widens percentiles over ``seeds`` seeds to the quantile of Student's t."""
    freedom = seeds - 1
    return float(np.sqrt(seeds / freedom) * t.ppf((1 + LEVEL) / 2, freedom) / norm.ppf((1 + LEVEL) / 2))


def seed_share(estimates: PerSeed, influences: PerSeedAndRoom) -> float:
    """Share, 0 to 1, of the variance between seeds' estimates that case noise does not explain."""
    seeds, rooms = influences.shape
    between = estimates.var(ddof=1)
    noise = influences - influences.mean(0)  # what rooms add to all seeds alike does not make seeds differ
    explained = np.square(noise).sum() / (seeds - 1) * rooms / max(rooms - 1, 1)
    return float(max(0.0, 1 - explained / between)) if between > 0 else 0.0


def limits(distribution: Resamples) -> tuple[float, float]:
    """The percentile interval of resampled estimates: low, high."""
    low, high = np.quantile(distribution, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
