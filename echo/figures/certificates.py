"""Certificates: what a row's returns lose when its memory is erased, swapped, shuffled, or left in part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from echo.figures import style
from echo.tables.cells import verdict_word

READS = ("probes_table.csv", "rows.csv")
CATEGORY = "Certificates"
INTERVENTIONS = {
    "erase": ("o", "erased"),
    "swap": ("D", "swapped for another scene's"),
    "keep_unseen": ("v", "only what did not see the returning view"),
    "shuffle": ("s", "shuffled in time"),
    "keep_seen": ("^", "only what saw the returning view"),
}
SPREAD = 0.64  # of a row's height, over which its interventions are spread


@style.styled()
def draw(tables: Path) -> Figure:
    """One line per row: dB lost under each intervention with its interval, and the verdict at the right."""
    rows, table = style.read_by_row(tables, "probes_table.csv")
    figure = style.new_figure(1.4 + 0.36 * len(table))
    axes = figure.subplots()
    shifts = np.linspace(-SPREAD / 2, SPREAD / 2, len(INTERVENTIONS))
    for (probe, (marker, _)), shift in zip(INTERVENTIONS.items(), shifts, strict=True):
        names = {f"{probe}_drop": "value", f"{probe}_drop_low": "low", f"{probe}_drop_high": "high"}
        cells = table.rename(columns=names)
        style.estimates(
            axes, cells.assign(place=cells.index + shift), "place", horizontal=True, colours=rows["colour"].to_dict(),
            markers=dict.fromkeys(rows.index, marker),
            faces={row.row_name: style.face(row) for row in rows.itertuples()}, err_kws={"linewidth": 1.0},
        )  # fmt: skip
    for position, line in table.iterrows():
        axes.axhline(position + 0.5, color=style.GUIDE, linewidth=0.6, zorder=0)
        word = verdict_word(str(line["verdict"]))
        axes.text(
            1.01, position, word, transform=axes.get_yaxis_transform(), va="center", fontsize=7,
            color="#B00020" if word == "broken" else "#333333", fontweight="bold" if word == "broken" else "normal",
        )  # fmt: skip
    axes.axvline(0, color="#777777", linewidth=0.8)
    axes.set_ylim(len(table) - 0.5, -0.5)
    style.label_lines(axes, table, rows)
    axes.set_xlabel("PSNR lost on the return when the memory is changed, dB")
    shapes = style.shapes_legend({name: marker for marker, name in INTERVENTIONS.values()})
    figure.legend(handles=shapes, loc="outside lower center", ncols=2)
    return figure
