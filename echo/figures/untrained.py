"""Reference rows, which need no training, in figures of trained rows: thin labelled grey lines at their levels.

They are told apart by their labels and dashes, never by colour. Tables without reference rows give no lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from echo.figures import style
from echo.study.references import FAMILY

COLOUR = "#6b6b6b"
WIDTH = 0.8
FONT = 6.8
DASHES = ((1, 1.4), (5, 1.8), (7, 1.6, 1, 1.6), (3, 1.2), (9, 2.5), (5, 1.4, 1, 1.4, 1, 1.4), (2, 3), (10, 1.2, 3, 1.2))
GAP = 0.07  # of an axis' length between the labels of two lines


def read_references(tables: Path) -> pd.DataFrame:
    """Reference rows of rows.csv, indexed by ``row_name``, with the ``dashes`` of each in all figures; may be empty."""
    rows = style.read(tables, "rows.csv").set_index("row_name", drop=False)
    rows = rows[rows["family"] == FAMILY]
    return rows.assign(dashes=[DASHES[i % len(DASHES)] for i in range(len(rows))])


def look(reference: Any) -> dict[str, Any]:
    """How matplotlib draws a reference's line."""
    return {"color": COLOUR, "linewidth": WIDTH, "dashes": reference.dashes, "zorder": 1.5}


def levels(cells: pd.DataFrame, references: pd.DataFrame, column: str = "value") -> dict[str, float]:
    """Levels of the references that a table of one branch and measure has."""
    known = cells[cells["row_name"].isin(references.index) & cells[column].notna()]
    return dict(zip(known["row_name"], known[column], strict=True))


def level_lines(axes: Axes, references: pd.DataFrame, at: Mapping[str, float], labels: bool = True) -> None:
    """A horizontal line at each level, labelled right of the axes; the axis' limits must not change any more."""
    for reference in references.itertuples():
        if reference.row_name in at:
            axes.axhline(at[reference.row_name], **look(reference))
    if labels:
        label_ends(axes, references, at)


def label_ends(axes: Axes, references: pd.DataFrame, at: Mapping[str, float]) -> None:
    """Labels at the right edge of the axes for lines that end there at the heights ``at``, spread so that all read."""
    low, high = axes.get_ylim()
    names = [name for name in references.index if name in at]
    heights = {name: (at[name] - low) / (high - low) for name in names}
    for name, place in zip(names, spread([heights[name] for name in names], GAP), strict=True):
        axes.annotate(
            references.loc[name, "label"], (1.0, heights[name]), (1.05, place), xycoords="axes fraction",
            textcoords="axes fraction", va="center", fontsize=FONT, color=COLOUR, annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": COLOUR, "linewidth": 0.5, "shrinkA": 1, "shrinkB": 0},
        )  # fmt: skip


def spread(places: list[float], gap: float) -> list[float]:
    """Places moved apart to ``gap`` at least, their order kept, each group of neighbours around its mean."""
    order = np.argsort(places, kind="stable")
    groups: list[list[float]] = []  # places as they were, of labels that touch
    for place in np.asarray(places, dtype=float)[order]:
        groups.append([place])
        while len(groups) > 1 and _start(groups[-1], gap) < _end(groups[-2], gap) + gap:
            last = groups.pop()
            groups[-1] += last
    moved = [_start(group, gap) + gap * i for group in groups for i in range(len(group))]
    out = np.empty(len(places))
    out[order] = moved
    return out.tolist()


def _start(group: list[float], gap: float) -> float:
    return float(np.mean(group)) - gap * (len(group) - 1) / 2


def _end(group: list[float], gap: float) -> float:
    return float(np.mean(group)) + gap * (len(group) - 1) / 2
