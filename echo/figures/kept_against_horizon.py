"""Kept against the horizon: how much each row must keep between segments, as the trajectory grows longer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from echo.figures import FigureError, style

READS = ("kept.csv", "rows.csv")
TITLES = {"numbers": "Numbers kept", "bytes": "Bytes kept"}
EVERY = 4  # segments between two markers of a line, so that lines that coincide can be told apart


@style.styled()
def draw(tables: Path) -> Figure:
    """Two panels against the number of the segment: numbers that survive until it begins, and their bytes."""
    rows = style.read_rows(tables)
    kept = style.read(tables, "kept.csv")
    kept = kept[kept["row_name"].isin(rows.index)]
    if kept.empty:
        raise FigureError(f"{tables / 'kept.csv'}: no row of rows.csv")
    figure = style.new_figure(3.7)
    for axes, (column, title) in zip(figure.subplots(1, 2), TITLES.items(), strict=True):
        _panel(axes, rows, kept, column)
        axes.set_title(f"{title}, evidence: {' and '.join(kept['policy'].unique())}")
    figure.legend(handles=style.row_legend(rows), loc="outside lower center", ncols=4)
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, kept: pd.DataFrame, column: str) -> None:
    for place, (name, here) in enumerate(kept.groupby("row_name", sort=False)):
        row = rows.loc[str(name)]
        axes.plot(
            here["segment"], here[column], color=row.colour, marker=row.marker, markerfacecolor=style.face(row),
            markersize=4, markevery=(place % min(EVERY, len(here)), EVERY), linewidth=1.1,
        )  # fmt: skip
    least, most = kept.loc[kept[column] > 0, column].min(), kept[column].max()
    if most > 0:
        decade = 10 ** np.floor(np.log10(least))
        axes.set_yscale("symlog", linthresh=decade, linscale=0.4)  # with a place for rows that keep nothing
        axes.set_ylim(-0.15 * decade, 2 * most)
        decades = decade * 10.0 ** np.arange(0, np.ceil(np.log10(2 * most / decade)))
        axes.set_yticks([0, *decades], ["0", *(f"$10^{{{round(np.log10(d))}}}$" for d in decades)])
        axes.minorticks_off()
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("segment that is about to be generated")
    axes.grid(axis="y")
