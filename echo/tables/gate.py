"""Return scores that count departed cases alone: a camera that never leaves has nothing to come back from.

A gated score, ``gated_<score>``, is that of the cases that departed (``departed`` is 1, ``echo.measures.departed``);
other cases are missing. A row of which fewer than ``LEAST`` of a branch's cases departed has no gated score there, as
the few that did are not the row: it cannot be told. Gated scores of two rows may be of different cases, so the share
that departed belongs beside them.
"""

from __future__ import annotations

import pandas as pd

GATED = ("psnr", "ssim", "lpips", "first_psnr", "first_ssim", "first_lpips", "judge")
LEAST = 0.5  # share of a row's cases of a branch that must have departed
PREFIX = "gated_"


def gated(score: str) -> str:
    """The column of a gated score."""
    return f"{PREFIX}{score}"


def plain(measure: str) -> str:
    """The score that a measure gates, or the measure itself: both are resampled alike, so all departed is no change."""
    return measure.removeprefix(PREFIX)


MEASURES = ("departure_share", "departed", *map(gated, GATED))  # of the summary


def with_gated(cases: pd.DataFrame) -> pd.DataFrame:
    """The table of cases with a column for each gated score; without ``departed`` all of them are missing."""
    cases = cases.reindex(columns=list(dict.fromkeys([*cases.columns, "departure_share", "departed", *GATED])))
    share = cases.groupby(["row_name", "branch"])["departed"].transform("mean")
    counts = (cases["departed"] == 1) & (share >= LEAST)
    return cases.assign(**{gated(score): cases[score].where(counts) for score in GATED})
