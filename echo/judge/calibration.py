"""How wrong a judge is, from its scores of returned views with a known fault (``echo.judge.edits``).

- ``auroc``: how surely a score tells a fault from none: the probability that a view without a fault scores higher
  than one with it, both through the codec, ties counting half (Mann and Whitney 1947). 0.5 is chance.
- ``monotone``: Spearman's correlation of amount and score within each room, sign turned so that 1 is a score that falls
  as the fault grows; the mean over rooms.
- ``yes``: the share of views that get at least 4 of 5 (a total of at least 80).

And of each judge and score (``summary``):

- floor and ceiling: the mean of unrelated views and of identical ones. A judge that says yes to all has no floor.
- yes_bias: the share of views whose right score is 0 (``echo.judge.targets``) that get at least 4 of 5; of the total,
  of views that are wrong in any score.
- error: the mean absolute difference from the right score, where there is one.
- repeat: the largest difference when the same is asked again; 0 for a judge that always says the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd
from scipy.stats import mannwhitneyu, spearmanr

from echo.io.seeding import generator
from echo.judge.base import Judge, judge_many
from echo.judge.edits import AMOUNTS, Pair
from echo.judge.rubric import TOP, WEIGHTS, overall
from echo.judge.targets import is_wrong, target

SCORES = (*WEIGHTS, "total")
NO_FAULT = "codec"
CODED = ("identical", "codec")  # edits without a fault
FLOOR, CEILING = "unrelated", "identical"
RESAMPLES = 1000
YES = 0.8  # of the best score
COLUMNS = ("judge", "edit", "amount", "score", "pairs", "mean", "auroc", "low", "high", "monotone", "yes")
SUMMARY = ("judge", "score", "floor", "ceiling", "yes_bias", "error", "repeat")


def judged(name: str, judge: Judge, pairs: Sequence[Pair]) -> pd.DataFrame:
    """A line for each pair: judge, room, edit, amount, the four scores and their total; NaN where there is none."""
    scores = judge_many(judge, [pair.case for pair in pairs])
    lines = [
        {
            "judge": name,
            "room": pair.room,
            "edit": pair.edit,
            "amount": pair.amount,
            **asdict(one),
            "total": overall(one),
        }
        for pair, one in zip(pairs, scores, strict=True)
    ]
    return pd.DataFrame(lines)


def calibration(scores: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """A line (``COLUMNS``) for each judge, edit, amount and score; its AUROC with a 95 % interval over rooms.

    ``monotone`` stands with the largest amount of an edit that has several; missing scores are left out.
    """
    lines = []
    for (name, edit), here in scores.groupby(["judge", "edit"], sort=False):
        own = scores[scores["judge"] == name]
        clean = own[own["edit"] == NO_FAULT]
        for score in SCORES:
            for amount, faulty in here.groupby("amount"):
                value, low, high = (np.nan,) * 3
                if edit not in CODED:
                    value, low, high = _auroc(clean, faulty, score, seed)
                last = amount == max(AMOUNTS[str(edit)]) and len(AMOUNTS[str(edit)]) > 1
                monotone = _monotone(here, score) if last else np.nan
                given = faulty[score].dropna()
                yes = (given >= YES * _top(score)).mean()
                lines.append((name, edit, amount, score, len(given), given.mean(), value, low, high, monotone, yes))
    return pd.DataFrame(lines, columns=[*COLUMNS])


def summary(scores: pd.DataFrame, again: pd.DataFrame) -> pd.DataFrame:
    """A line (``SUMMARY``) for each judge and score; ``again``: the same lines, or some of them, asked once more."""
    keys, lines = ["judge", "room", "edit", "amount"], []
    twice = scores.merge(again, on=keys, suffixes=("", "_again"))
    for name, own in scores.groupby("judge", sort=False):
        pairs = list(zip(own["edit"], own["amount"], strict=True))
        right = pd.DataFrame([target(*pair) for pair in pairs], index=own.index)
        wrong = pd.Series([is_wrong(*pair) for pair in pairs], index=own.index)
        repeated = twice[twice["judge"] == name]
        for score in SCORES:
            given = own[score]
            faulty = given[wrong if score == "total" else right[score] == 0].dropna()
            lines.append((
                name,
                score,
                given[own["edit"] == FLOOR].mean(),
                given[own["edit"] == CEILING].mean(),
                (faulty >= YES * _top(score)).mean(),
                np.nan if score == "total" else (given - right[score]).abs().mean(),
                (repeated[score] - repeated[f"{score}_again"]).abs().max(),
            ))  # fmt: skip
    return pd.DataFrame(lines, columns=[*SUMMARY])


def _top(score: str) -> float:
    """The best value of a score, or of the total."""
    return 100.0 if score == "total" else TOP


def auroc(clean: np.ndarray, faulty: np.ndarray) -> float:
    """The probability that one of ``clean`` exceeds one of ``faulty``, ties counting half; NaN if one is empty."""
    if not len(clean) or not len(faulty):
        return np.nan
    return float(mannwhitneyu(clean, faulty).statistic) / (len(clean) * len(faulty))


def _auroc(clean: pd.DataFrame, faulty: pd.DataFrame, score: str, seed: int) -> tuple[float, float, float]:
    """AUROC with its interval by bootstrap over rooms, which bring their views of both kinds."""
    both = pd.concat([clean.assign(kind=0), faulty.assign(kind=1)]).pivot(index="room", columns="kind", values=score)
    values = both.dropna().to_numpy()
    if len(values) < 2:
        return auroc(*values.T), np.nan, np.nan
    # wins[a, b]: whether room a's clean view beats room b's faulty one; a resample weighs rooms by how often drawn.
    wins = np.sign(values[:, 0][:, None] - values[:, 1][None]) / 2 + 0.5
    draw = generator(seed, "calibration", score)
    rooms = draw.integers(0, len(values), (RESAMPLES, len(values)))
    drawn = [wins[np.ix_(some, some)].mean() for some in rooms]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(wins.mean()), float(low), float(high)


def _monotone(here: pd.DataFrame, score: str) -> float:
    """Mean over rooms of -Spearman(amount, score); rooms whose scores are all equal or too few are left out."""
    found = []
    for _, room in here.dropna(subset=score).groupby("room"):
        if len(room) > 1 and room[score].nunique() > 1:
            found.append(-spearmanr(room["amount"], room[score]).statistic)
    return float(np.mean(found)) if found else np.nan
