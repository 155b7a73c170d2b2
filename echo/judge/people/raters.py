"""How far raters agree with themselves and with each other, in points of 100 of the weighted score.

- ``repeated``: mean distance between the two showings of a pair.
- ``agreement``: Spearman's correlation with the mean of all other raters, over pairs that another one answered too.
- ``same`` and ``other``: mean score of controls (``echo.judge.people.sample``). Who does not tell these two apart did
  not look.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from echo.judge.people.answers import Answer
from echo.judge.people.sample import OF_ROW, OTHER, SAME
from echo.judge.rubric import overall

COLUMNS = ("pairs", "seconds", "twice", "repeated", "shared", "agreement", SAME, OTHER)


def raters(answers: Sequence[Answer], key: pd.DataFrame | None = None) -> pd.DataFrame:
    """A line (``COLUMNS``) for each rater; NaN where there is nothing to take a mean of.

    pairs: answered; seconds: the median of a showing; twice: pairs answered in both showings; shared: pairs that
    somebody else answered. key: what was shown (``echo.judge.people.sample.key``), which tells controls.
    """
    given = pd.DataFrame(
        [(one.rater, one.pair, one.showing, one.seconds, overall(one.scores)) for one in answers],
        columns=["rater", "pair", "showing", "seconds", "total"],
    )
    totals = given.pivot_table(index="pair", columns="rater", values="total")
    controls = pd.DataFrame(columns=["pair", "kind"]) if key is None else key[key["kind"] != OF_ROW]
    kinds = controls.drop_duplicates("pair").set_index("pair")["kind"]
    lines = {}
    for rater, own in given.groupby("rater"):
        twice = own.pivot(index="pair", columns="showing", values="total").reindex(columns=[1, 2]).dropna()
        others = totals.drop(columns=rater).mean(axis=1)
        both = pd.concat([totals[rater], others], axis=1).dropna().to_numpy()
        told = len(both) > 2 and all(len(np.unique(column)) > 1 for column in both.T)
        kind = own["pair"].map(kinds)
        lines[rater] = (
            own["pair"].nunique(), own["seconds"].median(), len(twice), (twice[1] - twice[2]).abs().mean(), len(both),
            spearmanr(*both.T).statistic if told else np.nan,
            *(own["total"][kind == name].mean() for name in (SAME, OTHER)),
        )  # fmt: skip
    return pd.DataFrame.from_dict(lines, orient="index", columns=[*COLUMNS]).rename_axis("rater")
