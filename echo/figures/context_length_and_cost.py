"""Context length and cost: what more raw frames buy, and what each row's quality costs (the paper's Fig. 9).

Thin lines are references, which need no training, on the branch of the cost panels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from echo.figures import style, untrained
from echo.tables.paper import papers_name

READS = ("summary.csv", "rows.csv")
LENGTHS = {"i2v": 1, "context_k5": 5, "context_k20": 20}  # row: K
BRANCHES = {  # branch: (colour, marker)
    "recall": ("#0072B2", "o"),
    "return_strict": ("#D55E00", "D"),
    "loop": ("#009E73", "s"),
    "replay": ("#4d4d4d", "^"),
}
QUALITY = "recall"  # the branch that both cost panels show


@style.styled()
def draw(tables: Path) -> Figure:
    """PSNR against K on four branches; PSNR on recall against frames read, and against numbers kept.

    Frames read stand for the cost of a step. Times, which other work on the machine makes noise of, are in timings.csv.
    """
    rows = style.read_rows(tables)
    summary = style.read(tables, "summary.csv")
    summary = summary[summary["measure"] == "psnr"]
    psnr = summary[summary["row_name"].isin(rows.index)]
    references = untrained.read_references(tables)
    at = untrained.levels(summary[summary["branch"] == QUALITY], references)
    figure = style.new_figure(3.7)
    length, read, kept = figure.subplots(1, 3, width_ratios=(1, 1.1, 1.1))
    branches = _length(length, psnr)
    _cost(read, rows, psnr, rows["frames_read"].astype(float))
    read.set_title("Cost of reading")
    read.set_xlabel("frames in self-attention beside\nanchor and target")
    _cost(kept, rows, psnr, rows["kept_numbers"].astype(float))
    kept.set_title("Cost of keeping")
    kept.set_xlabel("numbers the memory keeps\n(log scale)")
    _log_with_zero(kept, rows["kept_numbers"].astype(float))
    for axes in (length, read, kept):
        untrained.level_lines(axes, references, at, labels=False)
    untrained.label_ends(kept, references, at)
    figure.legend(handles=[*branches, *style.row_legend(rows)], loc="outside lower center", ncols=5)
    return figure


def _length(axes: Axes, psnr: pd.DataFrame) -> list[Line2D]:
    """The panel of K; returns its lines, labelled."""
    cells = psnr.assign(length=psnr["row_name"].map(papers_name).map(LENGTHS))
    cells = cells[cells["length"].notna() & cells["branch"].isin(BRANCHES)]
    colours, markers = ({branch: look[i] for branch, look in BRANCHES.items()} for i in (0, 1))
    lines = style.estimates(axes, cells, "length", by="branch", colours=colours, markers=markers)
    axes.set_xscale("log")
    axes.set_xlim(0.8, 26)
    axes.set_xticks(list(LENGTHS.values()), [str(k) for k in LENGTHS.values()])
    axes.minorticks_off()
    axes.set_xlabel("raw frames in context, K\n(1 = I2V)")
    axes.set_ylabel("PSNR, dB (95 % interval)")
    axes.set_title("Context length")
    axes.grid(axis="y")
    for branch, line in lines.items():
        line.set_label(f"left: {style.branch_label(branch)}")
    return list(lines.values())


def _cost(axes: Axes, rows: pd.DataFrame, psnr: pd.DataFrame, cost: pd.Series) -> None:
    cells = psnr[psnr["branch"] == QUALITY]
    cells = cells.assign(cost=cells["row_name"].map(cost))
    style.estimates(
        axes, cells[cells["cost"].notna()], "cost", colours=rows["colour"].to_dict(), markers=rows["marker"].to_dict(),
        faces={row.row_name: style.face(row) for row in rows.itertuples()}, markersize=4.5, err_kws={"linewidth": 0.9},
    )  # fmt: skip
    axes.set_ylabel(f"{style.branch_label(QUALITY)} PSNR, dB")
    axes.grid()


def _log_with_zero(axes: Axes, numbers: pd.Series) -> None:
    """A logarithmic axis with a place for rows that keep nothing, marked 0, left of the least positive number."""
    positive = numbers[numbers > 0]
    if positive.empty:
        return
    decade = 10 ** np.floor(np.log10(positive.min()))
    axes.set_xscale("symlog", linthresh=decade, linscale=0.5)
    axes.set_xlim(-0.2 * decade, positive.max() * 2.5)
    decades = decade * 10.0 ** np.arange(0, np.ceil(np.log10(positive.max() * 2.5 / decade)))
    axes.set_xticks([0, *decades], ["0", *(f"$10^{{{int(round(np.log10(d)))}}}$" for d in decades)])
    axes.minorticks_off()
