"""Maps from raw agreements to scores, fitted on views with a known fault, and their error on rooms held out.

Three ways are tried for each score: what was set by hand, isotonic regression (Barlow and Brunk 1972, by scipy), and
fractional logistic regression (Papke and Wooldridge 1996, by statsmodels). Right and wrong views lie apart in most
agreements, and there both would be a step, somewhere between them: all that is nearly right would be tied with what is
right. So half of a score's range is shared out evenly over the range of the agreement (``EVEN``), and the curve has the
other half. All maps end at 5 for identical frames.

Presence is fitted after appearance and scene, as it counts only as far as one of these is recognised (``maps``).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.optimize import isotonic_regression
from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

from echo.io.seeding import generator
from echo.judge.comparisons import TINY
from echo.judge.maps import SCORES, Map, Maps, recognised, scores_of
from echo.judge.rubric import TOP
from echo.judge.targets import target

BINS = 16
EVEN = 0.5  # share of a score's range over which it rises evenly
LEFT = 0.1  # of 5, from the best views through the codec to identical ones
FOLDS = 8
ORDER = ("appearance", "scene", "view", "presence")  # of fitting

Values = np.ndarray
Fit = Callable[[Values, Values, Values], Map]  # raw agreements, targets, weights


def isotonic(raw: Values, targets: Values, weights: Values) -> Map:
    """The map that is nearest to the targets in mean square, by bins, among those that rise as fast as said above."""
    x, y, counts = _bins(raw, targets, weights)
    even = _even(x)
    return _ended(x, isotonic_regression(y - even, weights=counts).x + even)


def logistic(raw: Values, targets: Values, weights: Values) -> Map:
    """The logistic curve that is nearest to the targets in likelihood, and half of it shared out evenly."""
    x, _, _ = _bins(raw, targets, weights)
    # A step between views that lie apart is looked for, and its slope grows without end; said above.
    with warnings.catch_warnings(action="ignore", category=PerfectSeparationWarning), np.errstate(over="ignore"):
        fitted = sm.GLM(targets / TOP, sm.add_constant(raw), sm.families.Binomial(), freq_weights=weights).fit()
        curve = TOP * fitted.predict(sm.add_constant(x))
    return _ended(x, (1 - EVEN) * curve + _even(x))


def _bins(raw: Values, targets: Values, weights: Values) -> tuple[Values, Values, Values]:
    """Mean agreement and mean target of equally filled bins, and their weights; agreements rise."""
    order = np.argsort(raw, kind="stable")
    bins = [part for part in np.array_split(order, BINS) if weights[part].sum() > 0]
    x, y = (np.array([np.average(value[part], weights=weights[part]) for part in bins]) for value in (raw, targets))
    counts = np.array([weights[part].sum() for part in bins])
    x, places = np.unique(x.round(4), return_inverse=True)  # several bins may be full of one agreement
    return x, np.bincount(places, y * counts) / np.bincount(places, counts), np.bincount(places, counts)


def _even(x: Values) -> Values:
    """The even part of a map."""
    return EVEN * TOP * (x - x[0]) / max(x[-1] - x[0], TINY)


def _ended(x: Values, y: Values) -> Map:
    """The map through these knots, in 0..5, and to 5 for identical frames, whatever rounding takes from them."""
    y = np.minimum(y, TOP - LEFT - EVEN * TOP + _even(x))  # below a line, where a cut at 5 would tie
    below = x < 1 - 1e-3
    y = np.maximum.accumulate(np.clip(y, 0, TOP))[below]
    return Map((*map(float, x[below].round(4)), 1 - TINY), (*map(float, y.round(3)), TOP))


METHODS: dict[str, Fit] = {"isotonic": isotonic, "logistic": logistic}


def with_targets(raw: pd.DataFrame) -> pd.DataFrame:
    """Lines of raw agreements (room, edit, amount, ``SCORES``) with the targets as ``<score>_target``.

    Views before the codec are left out: none that a judge is asked about is one, and their agreement is 1.
    """
    lines = raw[raw["edit"] != "identical"].reset_index(drop=True)
    found = pd.DataFrame([target(edit, amount) for edit, amount in zip(lines["edit"], lines["amount"], strict=True)])
    return lines.join(found.add_suffix("_target"))


def fit_maps(lines: pd.DataFrame, methods: Mapping[str, str], hand: Maps) -> Maps:
    """The maps of all scores, each by the method that ``methods`` names for it: ``hand`` is what was set by hand."""
    maps: dict[str, Map] = {}
    for score in ORDER:
        if methods[score] == "hand":
            maps[score] = hand[score]
            continue
        raw, targets = lines[score].to_numpy(), lines[f"{score}_target"].to_numpy()
        counts = np.ones(len(lines))
        if score == "presence":
            counts = recognised(*(maps[name](lines[name].to_numpy()) for name in ("appearance", "scene")))
            targets = np.divide(targets, counts, out=np.full(len(lines), np.nan), where=counts > TINY).clip(0, TOP)
        used = np.isfinite(raw) & np.isfinite(targets)
        maps[score] = METHODS[methods[score]](raw[used], targets[used], counts[used] ** 2)
    return maps


def errors(lines: pd.DataFrame, maps: Maps) -> pd.Series:
    """Mean absolute error of each score against its targets."""
    found = scores_of({score: lines[score].to_numpy() for score in SCORES}, maps)
    return pd.Series({score: np.abs(found[score] - lines[f"{score}_target"]).mean() for score in SCORES})


def held_out_errors(lines: pd.DataFrame, hand: Maps, seed: int = 0) -> pd.DataFrame:
    """Error of each method (lines) in each score (columns), all lines of a room being fitted on other rooms alone.

    All scores of one line are by one method.
    """
    rooms = generator(seed, "folds").permutation(lines["room"].unique())
    found = {}
    for method in ("hand", *METHODS):
        parts = []
        for fold in range(FOLDS):
            out = lines["room"].isin(rooms[fold::FOLDS])
            maps = fit_maps(lines[~out], dict.fromkeys(SCORES, method), hand)
            parts.append(errors(lines[out], maps) * out.sum())
        found[method] = sum(parts) / len(lines)
    return pd.DataFrame(found).T
