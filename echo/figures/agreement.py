"""How far the judges of a study agree: every judged return by two of them, and in numbers with their intervals.

Of more than three judges, the first one with each of the others; all pairs are in agreement.csv.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from echo.figures import style
from echo.study.words import UNTRAINED

READS = ("judgements.csv.xz", "agreement.csv")
ALL = "all"  # in agreement.csv, in the place of a branch: all that return
BRANCHES = {ALL: ("o", -0.16), "return_45": ("D", 0.16)}  # marker, shift from the place of the score
STATISTICS = {"spearman": ("#0072B2", "Spearman"), "alpha": ("#D55E00", "Krippendorff's alpha, ordinal")}
CASES, ROWS = "#b9c4cc", "#222222"
TICKS = (0, 25, 50, 75, 100)
MOST = 3  # pairs; of more, those with the study's own judge
TALL, PAGE = 2.75, 8.7  # inches: of a pair's panels, and of all of them at most
LONGEST = 26  # letters of a judge's name beside an axis


@style.styled()
def draw(tables: Path) -> Figure:
    """A line of panels for each pair of judges: left their totals, right how far each of their scores agrees."""
    judgements = pd.read_csv(tables / "judgements.csv.xz", dtype={"judge_name": str, "row_name": str})
    judgements = judgements[judgements["train_seed"] != UNTRAINED]
    agreement = pd.read_csv(tables / "agreement.csv", dtype={"judge": str, "other": str})
    pairs = list(dict.fromkeys(zip(agreement["judge"], agreement["other"], strict=True)))
    if not pairs:
        return _alone(judgements)
    if len(pairs) > MOST:
        pairs = [pair for pair in pairs if pair[0] == pairs[0][0]]
    figure = style.new_figure(0.75 + min(TALL * len(pairs), PAGE))
    panels = figure.subplots(len(pairs), 2, squeeze=False, width_ratios=(1, 1.15))
    for (left, right), (judge, other) in zip(panels, pairs, strict=True):
        here = agreement[(agreement["judge"] == judge) & (agreement["other"] == other)]
        _totals(left, judgements, judge, other, here)
        _scores(right, here)
    panels[0, 0].set_title("Total of each return")
    panels[0, 1].set_title("Agreement, score by score")
    discs = [(CASES, "a return"), (ROWS, "a row's mean"), *STATISTICS.values()]
    handles = [Line2D([], [], linestyle="", marker="o", color=colour, label=name) for colour, name in discs]
    names = {_name(branch): marker for branch, (marker, _) in BRANCHES.items()}
    figure.legend(handles=handles + style.shapes_legend(names), loc="outside lower center", ncols=3)
    return figure


def _name(branch: str) -> str:
    return "all returns" if branch == ALL else style.branch_label(branch)


def _short(judge: str) -> str:
    return style.literal(judge if len(judge) <= LONGEST else f"{judge[: LONGEST - 1]}…")


def _totals(axes: Axes, judgements: pd.DataFrame, judge: str, other: str, agreement: pd.DataFrame) -> None:
    """Every return that both judges scored, and the rows' means, beside the line of equal scores."""
    wide = judgements.pivot(
        index=["row_name", "train_seed", "branch", "case"], columns="judge_name", values="score"
    ).reindex(columns=[judge, other])
    wide = wide.dropna()
    means = wide.groupby("row_name").mean()
    axes.plot([0, 100], [0, 100], color=style.GUIDE, linewidth=0.8, zorder=0)
    axes.plot(wide[judge], wide[other], ".", color=CASES, markersize=2.5, alpha=0.6, zorder=1, rasterized=True)
    axes.plot(means[judge], means[other], "o", color=ROWS, markersize=3.5, zorder=2)
    axes.set(xticks=TICKS, yticks=TICKS)
    axes.set(xlim=(-3, 103), ylim=(-3, 103), xlabel=_short(judge), ylabel=_short(other), aspect="equal")
    box = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.5}
    axes.text(0.03, 0.97, _said(agreement), transform=axes.transAxes, va="top", fontsize=6.8, bbox=box, zorder=3)


def _said(agreement: pd.DataFrame) -> str:
    """What the totals of all returns say, in numbers."""
    lines = agreement[(agreement["branch"] == ALL) & (agreement["score"] == "total")].set_index("statistic")

    def number(name: str, digits: int) -> str:
        value, low, high = lines.loc[name, ["value", "low", "high"]]
        if pd.isna(value):
            return "–"
        return f"{value:.{digits}f}" + ("" if pd.isna(low) else f" ({low:.{digits}f} to {high:.{digits}f})")

    return (
        f"mean difference {number('difference', 1)} points\nPearson {number('pearson', 2)}\n"
        f"rank of rows {number('rows', 2)}"
    )


def _scores(axes: Axes, agreement: pd.DataFrame) -> None:
    """Rank correlation and alpha of the total and of each score, with their intervals."""
    scores = list(dict.fromkeys(agreement["score"]))
    places = {score: float(position) for position, score in enumerate(scores)}
    for branch, (marker, shift) in BRANCHES.items():
        cells = agreement[(agreement["branch"] == branch) & agreement["statistic"].isin(STATISTICS)]
        beside = cells["statistic"].map({name: 0.07 * (2 * place - 1) for place, name in enumerate(STATISTICS)})
        style.estimates(
            axes, cells.assign(place=cells["score"].map(places) + shift + beside), "place", by="statistic",
            horizontal=True, colours={name: colour for name, (colour, _) in STATISTICS.items()},
            markers=dict.fromkeys(STATISTICS, marker), err_kws={"linewidth": 1.1}, linestyle="", markersize=4,
        )  # fmt: skip
    axes.axvline(0, color="#777777", linewidth=0.8)
    axes.set_yticks(range(len(scores)), scores)
    axes.set(ylim=(len(scores) - 0.5, -0.5), xlim=(min(-0.05, axes.get_xlim()[0]), 1.03), ylabel="")
    axes.set_xlabel("1: the judges agree wholly, 0: as if by chance")
    axes.grid(axis="x")


def _alone(judgements: pd.DataFrame) -> Figure:
    """Of one judge there is no agreement: its totals, and what is needed to compare it."""
    figure = style.new_figure(2.6)
    axes = figure.subplots()
    scores, judges = judgements["score"].dropna(), list(dict.fromkeys(judgements["judge_name"]))
    axes.hist(scores, bins=[5 * edge for edge in range(21)], color=CASES, edgecolor="white", linewidth=0.5)
    axes.set(xlabel=" by ".join(["total of a return", *map(_short, judges)]), ylabel="returns", xlim=(0, 100))
    axes.set_title("One judge alone: how far judges agree needs a second one (evaluate.judges)")
    return figure
