"""Drift: how PSNR falls along a replayed trajectory, each family in its own panel against no memory."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from echo.figures import FigureError, style

READS = ("drift.csv", "rows.csv")
BRANCH = "replay"


@style.styled()
def draw(tables: Path) -> Figure:
    """A panel a family: mean PSNR of each generated frame with its 95 % band; segment ends are dotted."""
    rows = style.read_rows(tables)
    drift = style.read(tables, "drift.csv")
    drift = drift[(drift["branch"] == BRANCH) & drift["row"].isin(rows.index)]
    if drift.empty:
        raise FigureError(f"{tables / 'drift.csv'}: no line of branch {BRANCH}")
    families = list(dict.fromkeys(rows.loc[rows["row"] != style.REFERENCE_ROW, "family"])) or ["context"]
    figure = style.new_figure(max(2.7 * len(families), 3.4), 3.9)
    panels = figure.subplots(1, len(families), sharey=True, squeeze=False)[0]
    for axes, family in zip(panels, families, strict=True):
        members = rows[(rows["family"] == family) | (rows["row"] == style.REFERENCE_ROW)]
        _panel(axes, members, drift)
        axes.set_title(style.family_name(family).capitalize())
        axes.set_xlabel("frame of the rollout")
    panels[0].set_ylabel("PSNR to the true frame, dB")
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, drift: pd.DataFrame) -> None:
    ends = drift.groupby("segment")["frame"].max().sort_values()
    for end in ends.iloc[:-1]:
        axes.axvline(end + 0.5, color="#bbbbbb", linewidth=0.8, linestyle=":")
    styles = ["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1))]
    count = 0
    for row in rows.itertuples():
        here = drift[drift["row"] == row.row].sort_values("frame")
        reference = row.row == style.REFERENCE_ROW
        if here.empty:
            continue
        axes.fill_between(here["frame"], here["low"], here["high"], color=row.colour, alpha=0.10, linewidth=0)
        axes.plot(
            here["frame"], here["value"], color=row.colour, label=row.label,
            linestyle="-" if reference else styles[count % len(styles)], linewidth=1.8 if reference else 1.4,
            marker=None if reference else row.marker, markevery=(2 + count, 6), markersize=4,
            markerfacecolor=style.face(row),
        )  # fmt: skip
        count += not reference
    axes.grid(axis="y")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), handlelength=3)
