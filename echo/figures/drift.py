"""Drift: how PSNR falls along a replayed trajectory, each family in its own panel against no memory.

Thin lines are references, which need no training and, here, know the first frame alone.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from echo.figures import FigureError, style, untrained

READS = ("drift.csv", "rows.csv")
BRANCH = "replay"
WRAP = 12  # letters of a title on a line


@style.styled()
def draw(tables: Path) -> Figure:
    """One panel per family: mean PSNR of each generated frame with its 95 % band; segment ends are dotted."""
    rows = style.read_rows(tables)
    drift = style.read(tables, "drift.csv")
    replayed = drift[drift["branch"] == BRANCH]
    drift = replayed[replayed["row_name"].isin(rows.index)]
    references = untrained.read_references(tables)
    if drift.empty:
        raise FigureError(f"{tables / 'drift.csv'}: no row of branch {BRANCH}")
    alone = style.reference_row(rows)
    families = list(dict.fromkeys(rows.loc[rows["row_name"] != alone, "family"])) or ["context"]
    figure = style.new_figure(3.3)
    panels = figure.subplots(1, len(families), sharey=True, squeeze=False)[0]
    ends: dict[str, float] = {}
    for axes, family in zip(panels, families, strict=True):
        members = rows[(rows["family"] == family) | (rows["row_name"] == alone)]
        _panel(axes, members, drift)
        axes.set_title(fill(style.family_name(family).capitalize(), WRAP))
        axes.set_xlabel("frame of the rollout")
        ends = _reference_lines(axes, references, replayed)
    panels[0].set_ylabel("PSNR to the true frame, dB")
    untrained.label_ends(panels[-1], references, ends)
    return figure


def _reference_lines(axes: Axes, references: pd.DataFrame, drift: pd.DataFrame) -> dict[str, float]:
    """A thin line along the rollout for each reference; returns where each ends."""
    ends = {}
    for reference in references.itertuples():
        own = drift[(drift["row_name"] == reference.row_name) & drift["value"].notna()].sort_values("frame")
        if len(own):
            axes.plot(own["frame"], own["value"], **untrained.look(reference))
            ends[str(reference.row_name)] = float(own["value"].iloc[-1])
    return ends


def _panel(axes: Axes, rows: pd.DataFrame, drift: pd.DataFrame) -> None:
    ends = drift.groupby("segment")["frame"].max().sort_values()
    for end in ends.iloc[:-1]:
        axes.axvline(end + 0.5, color="#bbbbbb", linewidth=0.8, linestyle=":")
    dashes = ["", (4, 1.5), (6, 1.5, 1, 1.5), (1, 1), (5, 1, 1, 1, 1, 1)]
    alone = style.reference_row(rows)
    others = [name for name in rows.index if name != alone and (drift["row_name"] == name).any()]
    looks = {name: dashes[place % len(dashes)] for place, name in enumerate(others)} | {alone: ""}
    lines = style.estimates(
        axes, drift[drift["row_name"].isin(rows.index)], "frame", err_style="band",
        colours=rows["colour"].to_dict(), markers=rows["marker"].to_dict(),
        faces={row.row_name: style.face(row) for row in rows.itertuples()},
        dashes=looks, markersize=4, err_kws={"alpha": 0.10, "linewidth": 0},
    )  # fmt: skip
    for name, line in lines.items():
        line.set_label(rows.loc[name, "label"])
        if name == alone:
            line.set(linewidth=1.8, marker="")
        else:
            line.set_markevery((2 + others.index(name), 6))  # so that the markers of two rows do not coincide
    axes.grid(axis="y")
    if lines:
        look = {"handlelength": 2.2, "fontsize": 6.5}
        axes.legend(handles=list(lines.values()), loc="upper center", bbox_to_anchor=(0.5, -0.2), **look)
