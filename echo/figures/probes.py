"""Probes: how far the return frames move when a row's memory is erased, or swapped for another scene's."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

import numpy as np
from matplotlib.figure import Figure

from echo.figures import style

READS = ("probes_table.csv", "rows.csv")
CATEGORY = "Certificates"
WRAP = 28  # letters of a verdict on a line
PROBES = {"erase": ("o", -0.15, "memory erased"), "swap": ("D", 0.15, "another scene's memory")}


@style.styled()
def draw(tables: Path) -> Figure:
    """One line per row: mean change under each probe with its interval, and the verdict at the right."""
    rows, table = style.read_by_row(tables, "probes_table.csv")
    figure = style.new_figure(1.2 + 0.23 * len(table))
    axes = figure.subplots()
    for probe, (marker, shift, _) in PROBES.items():
        cells = table.rename(columns={f"{probe}_{end}": end for end in ("value", "low", "high")})
        style.estimates(
            axes, cells.assign(place=cells.index + shift), "place", horizontal=True, colours=rows["colour"].to_dict(),
            markers=dict.fromkeys(rows.index, marker),
            faces={row.row_name: style.face(row) for row in rows.itertuples()}, err_kws={"linewidth": 1.2},
        )  # fmt: skip
    for position, line in table.iterrows():
        axes.axhline(position, color=style.GUIDE, linewidth=0.6, zorder=0)
        fails = str(line["verdict"]).startswith("broken")
        words = fill(line["verdict"], WRAP)
        axes.text(
            1.01, position, words, transform=axes.get_yaxis_transform(), va="center", fontsize=6.5,
            color="#B00020" if fails else "#333333", fontweight="bold" if fails else "normal",
        )  # fmt: skip
    threshold = table["threshold"].iloc[0]
    axes.axvline(threshold, color="#777777", linewidth=0.9, linestyle="--")
    most = np.nanmax([*table["erase_high"], *table["swap_high"], 2 * threshold])
    axes.set_xscale("symlog", linthresh=max(threshold, 1e-3), linscale=0.5)
    axes.set_xlim(-0.2 * max(threshold, 1e-3), most * 1.4)
    ticks = [0, threshold, *(t for t in (1, 2, 5, 10, 20, 50, 100) if 1.5 * threshold < t <= most * 1.4)]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(len(table) - 0.4, -0.6)
    style.label_lines(axes, table, rows)
    axes.set_xlabel("mean change of the return frames, grey levels of 255 (dashed: up to here they hardly move)")
    shapes = style.shapes_legend({name: marker for marker, _, name in PROBES.values()})
    figure.legend(handles=shapes + style.family_legend(rows), loc="outside lower center", ncols=4)
    return figure
