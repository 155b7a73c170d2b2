"""From raw agreements to scores: one monotone piecewise linear map for each of the four.

A judge of this kind finds four raw agreements of a returned view, 1 for identical frames and about 0 for unrelated
ones. Which score an agreement stands for is fitted on views with a known fault (``echo.judge.fitting``); the maps of a
judge are a module beside it, so that scores made with other maps are known to be out of date.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from echo.judge.comparisons import PerImage
from echo.judge.rubric import TOP, WEIGHTS

SCORES = tuple(WEIGHTS)
RECOGNISED = 0.5  # scene or appearance, of 1, from which presence counts in full

Raw: TypeAlias = Mapping[str, PerImage]  # of ``SCORES``; NaN where there is nothing to compare


@dataclass(frozen=True)
class Map:
    """Linear between knots, constant beyond them; raises ValueError for knots that are no monotone map to 0..5."""

    raw: tuple[float, ...]
    score: tuple[float, ...]

    def __post_init__(self) -> None:
        whole = len(self.raw) == len(self.score) > 1 and np.isfinite([*self.raw, *self.score]).all()
        if not whole or (np.diff(self.raw) <= 0).any() or (np.diff(self.score) < 0).any():
            raise ValueError(f"knots: expected rising agreements and scores that do not fall, got {self}")
        if self.score[0] < 0 or self.score[-1] > TOP:
            raise ValueError(f"knots: expected scores in 0..{TOP:g}, got {self.score[0]:g}..{self.score[-1]:g}")

    def __call__(self, raw: PerImage) -> PerImage:
        """Scores of raw agreements; NaN stays NaN."""
        return np.interp(raw, self.raw, self.score)


Maps: TypeAlias = Mapping[str, Map]  # of ``SCORES``


def recognised(appearance: PerImage, scene: PerImage) -> PerImage:
    """How far presence counts, 0..1: what stands out where nothing is recognised is not the anchor.

    appearance, scene: scores, of which one may be missing.
    """
    return np.clip(np.fmax(appearance, scene) / (TOP * RECOGNISED), 0, 1)


def scores_of(raw: Raw, maps: Maps) -> dict[str, PerImage]:
    """The four scores of raw agreements, each in 0..5; missing (NaN) where the agreement is."""
    found = {name: maps[name](raw[name]) for name in SCORES}
    return found | {"presence": found["presence"] * recognised(found["appearance"], found["scene"])}
