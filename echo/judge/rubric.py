"""The paper's rubric: four scores from 0 to 5, and one number from 0 to 100 that is computed here and nowhere else."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

TOP = 5.0
WEIGHTS = {"appearance": 0.45, "presence": 0.25, "view": 0.20, "scene": 0.10}


@dataclass(frozen=True)
class Scores:
    """Scores of one case, each in 0..5; NaN (or None, which becomes NaN) where the judge gave none.

    appearance: the anchor looks the same; presence: it is there; view: the camera is back where it was; scene: the
    surroundings are the same.
    """

    appearance: float
    presence: float
    view: float
    scene: float

    def __post_init__(self) -> None:
        for field in fields(self):
            given = getattr(self, field.name)
            value = math.nan if given is None else float(given)
            if not math.isnan(value) and not 0 <= value <= TOP:
                raise ValueError(f"score {field.name} = {value:g}: expected 0 to {TOP:g}, or NaN for missing")
            object.__setattr__(self, field.name, value)


def overall(scores: Scores) -> float:
    """The weighted score in 0..100; NaN if any of the four is missing: missing is missing, never 0."""
    return 100 / TOP * sum(weight * getattr(scores, name) for name, weight in WEIGHTS.items())
