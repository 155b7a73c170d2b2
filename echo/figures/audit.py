"""Audit: in what the trainings of the rows differ from that of the reference row. The memory may; all else is red."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from echo.figures import style

READS = ("audit.csv", "rows.csv")
CATEGORY = "Audit"
SAME, MEMORY, FLAW = "#eeeeee", "#b9cbe0", "#B00020"
LONGEST = 9  # letters of a value in its cell
WRAPPED = 14  # letters of an aspect's name on a line


@style.styled()
def draw(tables: Path) -> Figure:
    """A line for each row, a column for each aspect; a value that may not differ and does stands in its red cell."""
    rows, table = style.read_rows(tables), pd.read_csv(tables / "audit.csv", dtype={"value": str})
    if table.empty:
        return _untrained()
    names = [row for row in rows.index if row in set(table["row_name"])]
    aspects = list(dict.fromkeys(table["aspect"]))
    figure = style.new_figure(1.25 + 0.21 * len(names))
    axes = figure.subplots()
    for (row, aspect), runs in table.groupby(["row_name", "aspect"], sort=False):
        place = aspects.index(str(aspect)), names.index(str(row))
        other = runs[runs["differs"]]
        colour = SAME if other.empty else MEMORY if bool(other["may_differ"].iloc[0]) else FLAW
        axes.add_patch(_cell(place, colour))
        if colour == FLAW:
            value = str(other["value"].iloc[0])
            shown = value if len(value) <= LONGEST else f"{value[: LONGEST - 1]}…"
            axes.text(*place, style.literal(shown), ha="center", va="center", color="white", fontsize=6.2)
    axes.set_xlim(-0.5, len(aspects) - 0.5)
    axes.set_xticks(np.arange(len(aspects)), [_wrapped(aspect) for aspect in aspects], rotation=40, ha="right")
    axes.set_ylim(len(names) - 0.5, -0.5)
    lines = pd.DataFrame({"row_name": names, "label": [rows.loc[name, "label"] for name in names]})
    style.label_lines(axes, lines, rows)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    meanings = {SAME: "as the reference row", MEMORY: "differs, as it may", FLAW: "differs, and may not"}
    handles = [Patch(color=colour, label=meaning) for colour, meaning in meanings.items()]
    figure.legend(handles=handles, loc="outside upper center", ncols=3)
    return figure


def _cell(place: tuple[int, int], colour: str) -> Patch:
    """A cell around its place, with a white edge."""
    return Rectangle((place[0] - 0.5, place[1] - 0.5), 1, 1, facecolor=colour, edgecolor="white", linewidth=1.2)


def _wrapped(aspect: str) -> str:
    """An aspect's name on as many lines as it needs."""
    return "\n".join(textwrap.wrap(aspect, WRAPPED))


def _untrained() -> Figure:
    """A study of released checkpoints has no trainings to compare."""
    figure = style.new_figure(0.6)
    figure.text(0.5, 0.5, "No row was trained here: all are released checkpoints.", ha="center", va="center")
    return figure
