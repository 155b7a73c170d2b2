"""What all figures share: colours, fonts, reading tables and thumbnails.

The theme is seaborn's for ticks and paper, with this study's sizes. Colours are Okabe and Ito's, told apart by
colour-blind readers; within a family rows differ by marker. A row that is inert by design is drawn hollow. Estimates
and their intervals come from the tables: seaborn draws them and computes none. Figures are made without pyplot's state,
so drawing one has no side effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ContextDecorator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import matplotlib
import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from echo.figures import FigureError
from echo.io.pictures import load_pictures
from echo.study.references import FAMILY
from echo.study.words import BRANCHES

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

REFERENCE_COLOUR = "#4d4d4d"
FAMILIES = {  # family: (colour, name)
    "context": ("#0072B2", "raw context frames"),
    "compression": ("#D55E00", "compressed context"),
    "spatial": ("#009E73", "spatial"),
    "state_space": ("#CC79A7", "state space"),
}
SPARE_COLOURS = ("#56B4E9", "#E69F00", "#000000")
MARKERS = "osD^vPX<>*hp"
PAGE = 6.75  # inches: the text's width on a journal's page, at which figures are printed
SMALLEST = 6.0  # points of any text at that width
DPI = 200  # at which a thumbnail of 0.32 inches shows 64 pixels as they are
GUIDE = "#eeeeee"  # lines that lead the eye from a label to its points
THEME: dict[str, Any] = {
    **seaborn.axes_style("ticks"),
    **seaborn.plotting_context("paper"),
    "font.family": "DejaVu Sans",
    "font.size": 7.5,
    "axes.titlesize": 8,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 7.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.grid": False,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
}


def styled() -> ContextDecorator:
    """A context in which figures have the study's theme; decorate ``draw`` with ``@styled()``."""
    return matplotlib.rc_context(cast("dict[RcKeyType, Any]", THEME))


def literal(text: object) -> str:
    """Text that matplotlib draws as it is: a dollar sign would begin a formula."""
    return str(text).replace("$", r"\$")


def branch_label(branch: str) -> str:
    """How figures call a branch."""
    return BRANCHES[branch].label


def explained(branch: str) -> str:
    """A branch's label, and what happens on it in half a line."""
    return ": ".join(filter(None, (BRANCHES[branch].label, BRANCHES[branch].explained)))


def new_figure(height: float, width: float = PAGE) -> Figure:
    """An empty figure of the given size in inches; its parts are laid out so that they do not overlap."""
    figure = Figure(figsize=(width, height), layout="constrained", dpi=DPI)
    FigureCanvasAgg(figure)
    return figure


def read(tables: Path, name: str) -> pd.DataFrame:
    """A csv of the tables folder, labels ready to be drawn; raises FigureError if it has no row."""
    frame = pd.read_csv(tables / name)
    if frame.empty:
        raise FigureError(f"{tables / name}: the table has no row, so there is nothing to draw")
    return frame.assign(label=frame["label"].map(literal)) if "label" in frame else frame


def read_rows(tables: Path) -> pd.DataFrame:
    """The trained rows of rows.csv, indexed by ``row_name``, with ``colour``, ``marker``, ``hollow`` in all figures."""
    rows = read(tables, "rows.csv").set_index("row_name", drop=False)
    rows = rows[rows["family"] != FAMILY]
    own = [family for family in dict.fromkeys(rows["family"]) if family not in FAMILIES]
    spare = {family: SPARE_COLOURS[i % len(SPARE_COLOURS)] for i, family in enumerate(own)}
    colours, markers, count, alone = [], [], {}, reference_row(rows)
    for row, family in zip(rows["row_name"], rows["family"], strict=True):
        count[family] = count.get(family, -1) + 1
        markers.append(MARKERS[count[family] % len(MARKERS)])
        plain = FAMILIES[family][0] if family in FAMILIES else spare[family]
        colours.append(REFERENCE_COLOUR if row == alone else plain)
    return rows.assign(colour=colours, marker=markers, hollow=~rows["remembers"].astype(bool))


def reference_row(rows: pd.DataFrame) -> str:
    """Name of the row that all others are seen against: of raw context, the one that has nothing beside the anchor.

    ``i2v`` in most studies; empty where a study has none. ``rows``: of rows.csv.
    """
    alone = rows.loc[(rows["family"] == "context") & ~rows["remembers"].astype(bool), "row_name"]
    return str(alone.iloc[0]) if len(alone) else ""


def read_by_row(tables: Path, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The trained rows as ``read_rows`` has them, and the lines of a table that are about them, counted from 0."""
    rows, table = read_rows(tables), read(tables, name)
    return rows, table[table["row_name"].isin(rows.index)].reset_index(drop=True)


def label_lines(axes: Axes, table: pd.DataFrame, rows: pd.DataFrame) -> None:
    """Name the lines of a figure that has one for each line of ``table``, downwards, each in its row's colour."""
    axes.set_yticks(range(len(table)), table["label"])
    for tick, row in zip(axes.get_yticklabels(), table["row_name"], strict=True):
        tick.set_color(rows.loc[row, "colour"])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    axes.set_ylabel("")


def shapes_legend(shapes: Mapping[str, str]) -> list[Line2D]:
    """Legend entries for what markers mean: name to marker."""
    return [
        Line2D([], [], linestyle="", marker=marker, color=REFERENCE_COLOUR, label=name)
        for name, marker in shapes.items()
    ]


def family_name(family: str) -> str:
    """How figures call a family."""
    return FAMILIES[family][1] if family in FAMILIES else literal(family.replace("_", " "))


def face(row: Any) -> str:
    """Fill of a row's marker: white for a row that is inert by design."""
    return "white" if row.hollow else row.colour


def family_legend(rows: pd.DataFrame) -> list[Line2D]:
    """Legend entries: one disc per family, and a hollow one for rows that are inert by design."""
    families = rows[rows["row_name"] != reference_row(rows)].drop_duplicates("family")
    handles = [_disc(row.colour, row.colour, family_name(row.family)) for row in families.itertuples()]
    if rows["hollow"].any():
        handles.append(_disc("white", REFERENCE_COLOUR, "inert by design"))
    return handles


def row_legend(rows: pd.DataFrame) -> list[Line2D]:
    """Legend entries: each row's marker, colour and label."""
    return [_disc(face(row), row.colour, row.label, row.marker) for row in rows.itertuples()]


def _disc(inside: str, edge: str, label: str, marker: str = "o") -> Line2D:
    return Line2D([], [], linestyle="", marker=marker, markerfacecolor=inside, markeredgecolor=edge, label=label)


def estimates(
    axes: Axes,
    cells: pd.DataFrame,
    place: str,
    *,
    by: str = "row_name",
    colours: Mapping[str, str],
    markers: Mapping[str, str],
    faces: Mapping[str, str] | None = None,
    horizontal: bool = False,
    **look: Any,
) -> dict[str, Line2D]:
    """Draw the estimates ``value`` of a table with their intervals ``low`` to ``high``; returns the line of each group.

    ``place``: the column of the other axis, along x, or along y where ``horizontal``. ``by``: the column whose values
    are told apart by ``colours`` and ``markers`` (filled with ``faces``, by default the colour). ``look``: further
    options of seaborn's ``lineplot``. Groups without an estimate are left out.
    """
    cells = cells[cells["value"].notna()]
    names = [name for name in colours if (cells[by] == name).any()]
    ends = [cells["value"], np.fmin(cells["low"], cells["value"]), np.fmax(cells["high"], cells["value"])]
    # Three numbers for each place, whose median is the estimate and whose range is the interval.
    three = pd.concat([cells.assign(estimate=end) for end in ends], ignore_index=True)
    before = len(axes.lines)
    if names:
        seaborn.lineplot(
            three, x="estimate" if horizontal else place, y=place if horizontal else "estimate",
            orient="y" if horizontal else "x", hue=by, hue_order=names, palette=dict(colours), style=by,
            style_order=names, markers={name: markers[name] for name in names}, estimator="median",
            errorbar=("pi", 100), legend=False, ax=axes, **{"dashes": False, "err_style": "bars", **look},
        )  # fmt: skip
    lines = [line for line in axes.lines[before:] if line.get_marker() not in ("None", "none", "", None)]
    drawn = dict(zip(names, lines, strict=True))
    for name, line in drawn.items():
        line.set(markerfacecolor=(faces or colours)[name], markeredgecolor=colours[name], markeredgewidth=1, zorder=2.5)
    return drawn


def read_samples(tables: Path, name: str, *arrays: str) -> dict[str, np.ndarray]:
    """Arrays of ``samples/<name>.npz``; raises FigureError that names a missing array."""
    path = tables / "samples" / f"{name}.npz"
    found = load_pictures(path)
    missing = [array for array in arrays if array not in found]
    if missing:
        raise FigureError(f"{path}: no array {missing[0]!r}; expected {', '.join(arrays)}")
    return found


def thumbnail(axes: Axes, picture: np.ndarray | None, edge: str | None = None) -> None:
    """Show a frame (H, W, 3) uint8 without ticks, in a thin frame of colour ``edge``; None is a grey field."""
    if picture is None:
        axes.set_facecolor("#eeeeee")
    else:
        axes.imshow(picture, interpolation=_interpolation(axes, picture))
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(edge is not None)
        spine.set_color(edge)
        spine.set_linewidth(1.4)


def _interpolation(axes: Axes, picture: np.ndarray) -> str:
    """Whole pixels where a pixel of the picture is a whole number of the figure's: exact, and a third of the bytes."""
    across = axes.get_window_extent().width / picture.shape[1]
    if across > 0.9 and abs(across - round(across)) < 1e-6:
        return "nearest"
    return "lanczos" if picture.shape[0] < 256 else "antialiased"


def thumbnail_grid(
    lines: int,
    columns: int,
    inch: float,
    *,
    left: float,
    top: float,
    right: float = 0.05,
    bottom: float = 0.05,
    gap: float = 0.03,
    foot: float = 0.0,
    shape: tuple[int, int] = (1, 1),
) -> tuple[Figure, np.ndarray]:
    """A figure of lines x columns panels ``inch`` wide, at exact places; all measures in inches.

    foot: room under each panel for a line of text. shape: of the pictures (H, W), which the
    panels have too. Returns the figure and its (lines, columns) array of axes.
    """
    tall = inch * shape[0] / shape[1]
    width = left + columns * inch + (columns - 1) * gap + right
    height = top + lines * (tall + foot) + (lines - 1) * gap + bottom
    figure = Figure(figsize=(width, height), dpi=DPI)
    FigureCanvasAgg(figure)
    grid = np.empty((lines, columns), object)
    for line in range(lines):
        for column in range(columns):
            x = left + column * (inch + gap)
            y = height - top - line * (tall + foot + gap) - tall
            grid[line, column] = figure.add_axes((x / width, y / height, inch / width, tall / height))
    return figure, grid


def side_label(axes: Axes, text: str, colour: str, bold: bool = False) -> None:
    """A horizontal label at the left of a thumbnail."""
    axes.set_ylabel(
        text, rotation=0, ha="right", va="center", labelpad=5, color=colour, fontsize=7,
        fontweight="bold" if bold else "normal",
    )  # fmt: skip
