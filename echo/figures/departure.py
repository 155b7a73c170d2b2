"""Departure beside closure: whether each row's camera leaves at all, and how well the first view comes back."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from echo.figures import style, untrained
from echo.measures.departed import DEPARTED

READS = ("summary.csv", "rows.csv")
BRANCHES = {"loop": ("s", -0.24), "return_45": ("o", -0.08), "return_strict": ("D", 0.08), "recall": ("^", 0.24)}


@style.styled()
def draw(tables: Path) -> Figure:
    """Left: share of the true cameras' angle that generated frames cover. Right: PSNR of the last frames to the first.

    Markers tell branches apart, and are moved a little from the place of their row. Reference rows are grey, below.
    """
    rows = style.read_rows(tables)
    known = untrained.read_references(tables).assign(colour=untrained.COLOUR, hollow=False)
    every = pd.concat([rows, known])
    summary = style.read(tables, "summary.csv")
    figure = style.new_figure(1.5 + 0.25 * len(every))
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, measure in ((left, "departure_share"), (right, "first_psnr")):
        _panel(axes, summary[(summary["measure"] == measure) & summary["row_name"].isin(every.index)], every)
    left.axvline(DEPARTED, color="#777777", linewidth=0.9, linestyle="--")
    left.axvline(1, color=style.REFERENCE_COLOUR, linewidth=0.8)
    left.set_xlim(-0.05, max(1.2, left.get_xlim()[1]))
    left.set_xlabel("angle covered, true cameras = 1\n(dashed: departed)")
    left.set_title("Does the camera leave?")
    right.set_xlabel("PSNR of the last frames to the first frame, dB\n")
    right.set_title("Does the first view come back?")
    left.set_yticks(range(len(every)), every["label"])
    for tick, row in zip(left.get_yticklabels(), every.index, strict=True):
        tick.set_color(every.loc[row, "colour"])
    left.set_ylim(len(every) - 0.4, -0.6)
    shapes = style.shapes_legend({style.explained(branch): marker for branch, (marker, _) in BRANCHES.items()})
    figure.legend(handles=shapes + style.family_legend(rows), loc="outside lower center", ncols=3)
    return figure


def _panel(axes: Axes, cells: pd.DataFrame, rows: pd.DataFrame) -> None:
    places = {name: float(position) for position, name in enumerate(rows.index)}
    for position in places.values():
        axes.axhline(position, color=style.GUIDE, linewidth=0.6, zorder=0)
    for branch, (marker, shift) in BRANCHES.items():
        here = cells[cells["branch"] == branch]
        if here["value"].notna().any():
            style.estimates(
                axes, here.assign(place=here["row_name"].map(places) + shift), "place", horizontal=True,
                colours=rows["colour"].to_dict(), markers=dict.fromkeys(rows.index, marker),
                faces={row.row_name: style.face(row) for row in rows.itertuples()}, err_kws={"linewidth": 1.0},
            )  # fmt: skip
    axes.set_ylabel("")
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)
