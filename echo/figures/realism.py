"""Realism: how far each row's frames are from true ones as a set, and how sharp they are, whatever they should show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from echo.figures import style

READS = ("realism.csv", "summary.csv", "rows.csv")
ALL = "all"  # in realism.csv, in the place of a branch: all branches together
BRANCHES = {ALL: ("s", -0.22), "replay": ("o", 0.0), "recall": ("D", 0.22)}  # marker, shift from the place of the row
CUT = 1.5  # sharpness at which its axis ends, unless a row goes beyond


@style.styled()
def draw(tables: Path) -> Figure:
    """Left: kernel distance with its floor. Right: gradient energy over that of the true frames."""
    rows = style.read_rows(tables)
    distances = style.read(tables, "realism.csv")
    summary = style.read(tables, "summary.csv")
    sharpness = summary[summary["measure"] == "sharpness"]
    figure = style.new_figure(1.5 + 0.26 * len(rows))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    floor = _floor(distances)
    for axes, cells in ((left, distances), (right, sharpness)):
        _panel(axes, cells[cells["row_name"].isin(rows.index)], rows)
    if np.isfinite(floor):
        left.axvline(floor, color="#777777", linewidth=0.9, linestyle="--")
    left.axvline(0, color=style.REFERENCE_COLOUR, linewidth=0.8)
    left.set_xlabel("kernel distance to true frames" + (" (dashed: true against true)" if np.isfinite(floor) else ""))
    left.set_title("How far from true frames?")
    right.axvline(1, color=style.REFERENCE_COLOUR, linewidth=0.8)
    right.set_xlim(0, max(CUT, right.get_xlim()[1]))
    right.set_xlabel("gradient energy, true frames = 1")
    right.set_title("How sharp?")
    left.set_yticks(range(len(rows)), rows["label"])
    for tick, row in zip(left.get_yticklabels(), rows.index, strict=True):
        tick.set_color(rows.loc[row, "colour"])
    left.set_ylim(len(rows) - 0.4, -0.6)
    shapes = style.shapes_legend({_name(branch): marker for branch, (marker, _) in BRANCHES.items()})
    figure.legend(handles=shapes + style.family_legend(rows), loc="outside lower center", ncols=4)
    return figure


def _name(branch: str) -> str:
    return "all branches together" if branch == ALL else style.explained(branch)


def _floor(distances: pd.DataFrame) -> float:
    """The floor of all branches together, which is the same for all rows."""
    here = distances.loc[distances["branch"] == ALL, "floor"].dropna()
    return float(here.iloc[0]) if len(here) else np.nan


def _panel(axes: Axes, cells: pd.DataFrame, rows: pd.DataFrame) -> None:
    places = {name: float(position) for position, name in enumerate(rows.index)}
    for position in places.values():
        axes.axhline(position, color=style.GUIDE, linewidth=0.6, zorder=0)
    for branch, (marker, shift) in BRANCHES.items():
        here = cells[cells["branch"] == branch]
        if here.empty:
            continue
        style.estimates(
            axes, here.assign(place=here["row_name"].map(places) + shift), "place", horizontal=True,
            colours=rows["colour"].to_dict(), markers=dict.fromkeys(rows.index, marker),
            faces={row.row_name: style.face(row) for row in rows.itertuples()}, err_kws={"linewidth": 1.2},
        )  # fmt: skip
    axes.set_ylabel("")
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)
