"""The study's answer in one figure: what each memory gains on the returned view, and how much it keeps for that.

Below the rows stand the references, which need no training; a thin line from each leads up through the rows.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from echo.figures import style, untrained

READS = ("differences.csv", "summary.csv", "rows.csv")
# The two branches that answer: those that no copy solves, or, where a study has neither, the returns to the first view.
ANSWERS = (("revisit_near", "revisit_far"), ("recall", "return_strict"))
LOOKS = (("o", -0.16), ("D", 0.16))  # of the two: marker, shift from the place of the row
Looks = dict[str, tuple[str, float]]


@style.styled()
def draw(tables: Path) -> Figure:
    """Left: gain over the reference row in PSNR, on two branches. Right: numbers the state keeps."""
    rows, references = style.read_rows(tables), untrained.read_references(tables)
    gains = style.read(tables, "differences.csv")
    gains = gains[(gains["measure"] == "psnr")].set_index(["branch", "row_name"])
    branches = answering(set(gains[gains["difference"].notna()].index.get_level_values("branch")))
    order = _order(rows, gains, branches)
    if len(references):
        order += _order(references, gains, branches)
        looks = references.assign(colour=untrained.COLOUR, marker="|", hollow=False)
        rows = pd.concat([rows, looks.drop(columns="dashes")])
    figure = style.new_figure(1.2 + 0.21 * len(order))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 1))
    _gains(left, rows, gains, order, branches)
    _reference_lines(left, references, gains, order, branches)
    _kept(right, rows, order)
    left.set_yticks(range(len(order)), rows.loc[order, "label"])
    for tick, row in zip(left.get_yticklabels(), order, strict=True):
        tick.set_color(rows.loc[row, "colour"])
        tick.set_style("italic" if row in references.index else "normal")
    left.set_ylim(len(order) - 0.4, -0.6)
    left.set_xlabel(f"gain in PSNR, dB (95 % interval), over\n{_reference(tables, rows, branches)}")
    shapes = [
        Line2D(
            [],
            [],
            linestyle="",
            marker=marker,
            color=style.REFERENCE_COLOUR,
            label=style.explained(branch),
        )
        for branch, (marker, _) in branches.items()
    ]
    trained = rows[~rows.index.isin(references.index)]
    figure.legend(handles=shapes + style.family_legend(trained), loc="outside lower center", ncols=4)
    return figure


def answering(measured: set[str]) -> Looks:
    """The two branches that answer, of those that were measured, and their looks."""
    pair = next((pair for pair in ANSWERS if measured.intersection(pair)), ANSWERS[-1])
    return dict(zip(pair, LOOKS, strict=True))


def _order(rows: pd.DataFrame, gains: pd.DataFrame, branches: Looks) -> list[str]:
    """Rows by their gain on the first branch, best first; the reference row has gain 0, unmeasured rows go last."""
    means = {row: 0.0 if row == style.reference_row(rows) else np.nan for row in rows.index}
    for branch in reversed(branches):  # the first overrides the second where it was measured
        for row in means:
            if (branch, row) in gains.index and np.isfinite(gains.loc[(branch, row), "difference"]):
                means[row] = gains.loc[(branch, row), "difference"]
    return sorted(means, key=lambda row: (np.isnan(means[row]), -np.nan_to_num(means[row])))


def _reference(tables: Path, rows: pd.DataFrame, branches: Looks) -> str:
    """Name of the reference row with its PSNR on both branches."""
    summary = style.read(tables, "summary.csv")
    alone = style.reference_row(rows)
    here = summary[(summary["row_name"] == alone) & (summary["measure"] == "psnr")].set_index("branch")
    levels = [
        f"{here.loc[branch, 'value']:.1f} dB on {style.branch_label(branch)}"
        for branch in branches
        if branch in here.index
    ]
    label = rows["label"].get(alone, alone)
    return f"{label}, no memory ({', '.join(levels)})" if levels else f"{label}, no memory"


def _gains(axes: Axes, rows: pd.DataFrame, gains: pd.DataFrame, order: list[str], branches: Looks) -> None:
    for position in range(len(order)):
        axes.axhline(position, color=style.GUIDE, linewidth=0.6, zorder=0)
    places = {name: float(position) for position, name in enumerate(order)}
    for branch, (marker, shift) in branches.items():
        if branch not in gains.index:
            continue
        cells = gains.loc[branch].reset_index().rename(columns={"difference": "value"})
        style.estimates(
            axes, cells.assign(place=cells["row_name"].map(places) + shift), "place", horizontal=True,
            colours=rows["colour"].to_dict(), markers=dict.fromkeys(rows.index, marker),
            faces={row.row_name: style.face(row) for row in rows.itertuples()}, err_kws={"linewidth": 1.2},
        )  # fmt: skip
    axes.axvline(0, color=style.REFERENCE_COLOUR, linewidth=1)
    axes.set_ylabel("")
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)


def _reference_lines(
    axes: Axes, references: pd.DataFrame, gains: pd.DataFrame, order: list[str], branches: Looks
) -> None:
    """From the mark of each reference on the first branch a line up through all rows."""
    branch, (_, shift) = next(iter(branches.items()))
    for reference in references.itertuples():
        if (branch, reference.row_name) in gains.index:
            gain = gains.loc[(branch, reference.row_name), "difference"]
            if np.isfinite(gain):
                heights = [order.index(reference.row_name) + shift, -0.6]
                axes.plot([gain, gain], heights, **untrained.look(reference))


def _kept(axes: Axes, rows: pd.DataFrame, order: list[str]) -> None:
    kept = rows.loc[order, "kept_numbers"].astype(float)
    positive = kept[kept > 0]
    least, most = (positive.min(), positive.max()) if len(positive) else (1.0, 10.0)
    edge = least / 2.5
    for position, name in enumerate(order):
        row, numbers = rows.loc[name], kept[name]
        if np.isnan(numbers):
            continue
        axes.axhline(position, color=style.GUIDE, linewidth=0.6, zorder=0)
        if numbers > 0:
            axes.plot(numbers, position, "s", color=row["colour"], markerfacecolor=style.face(row), markersize=4)
        text = f"{int(numbers):,}" if numbers > 0 else "none"
        axes.annotate(
            text, (max(numbers, edge), position), (6 if numbers > 0 else 2, 0), textcoords="offset points",
            va="center", fontsize=6.5, color="#333333",
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(edge, most * (most / edge) ** 0.6)
    axes.set_xlabel("numbers kept (log scale)")
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)
